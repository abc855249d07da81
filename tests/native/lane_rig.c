#define _GNU_SOURCE
#include "lane_rig.h"

#include "check.h"
#include "fake_obs.h"

#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

bool rig_wants_rgb;

struct rig_segment rig_segment(uint64_t bytes)
{
	struct rig_segment segment = {.fd = memfd_create("doppel-test", MFD_CLOEXEC | MFD_ALLOW_SEALING), .bytes = bytes};
	CHECK(segment.fd >= 0);
	CHECK_EQUAL(posix_fallocate(segment.fd, 0, (off_t)bytes), 0);
	CHECK_EQUAL(fcntl(segment.fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW), 0);
	segment.worker = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, segment.fd, 0);
	CHECK(segment.worker != MAP_FAILED);
	return segment;
}

void rig_segment_free(struct rig_segment *segment)
{
	if (segment->worker == NULL)
		return;
	munmap(segment->worker, segment->bytes);
	close(segment->fd);
	segment->worker = NULL;
}

int32_t rig_attach(uint64_t filter_id, struct rig_segment *segment, uint32_t slots, uint64_t lane_serial)
{
	struct doppel_gate_status status;
	CHECK_EQUAL(doppel_gate_get_status(filter_id, &status), 0);
	uint64_t bytes = rig_wants_rgb ? doppel_segment_bytes_with_rgb(&status.geometry, slots) : 0;
	if (bytes == 0)
		bytes = doppel_segment_bytes(&status.geometry, slots);
	if (bytes == 0)
		return -3;
	*segment = rig_segment(bytes);
	const int32_t result =
		doppel_gate_attach(filter_id, segment->fd, bytes, slots, status.geometry_serial, lane_serial);
	if (result == 0)
		CHECK_EQUAL(doppel_worker_open(segment->worker, bytes), 0);
	return result;
}

int32_t rig_take(const struct rig_segment *segment)
{
	uint32_t given_back;
	const int32_t slot = doppel_worker_next(segment->worker, segment->bytes, 0, &given_back);
	if (slot < 0)
		return -1;
	doppel_worker_keep(segment->worker, segment->bytes, (uint32_t)slot); /* a scribbled header is refused */
	return slot;
}

static const struct doppel_segment_header *header_of(const struct rig_segment *segment)
{
	return (const void *)segment->worker;
}

/* In the place of the converted picture one that fake_look knows, of the same frame. */
static void mark_rgb(const struct rig_segment *segment, int32_t slot)
{
	const struct doppel_segment_header *header = header_of(segment);
	static _Thread_local struct fake_picture picture;
	picture.geometry = header->geometry;
	memcpy(picture.bytes, segment->worker + header->pixels_offset + (uint32_t)slot * header->slot_stride,
	       header->geometry.frame_bytes);
	uint64_t id;
	fake_look(&picture, &id);
	const struct doppel_geometry bgrx = fake_geometry(8, header->geometry.width, header->geometry.height, 0);
	fake_raw(&picture, &bgrx, id);
	fake_judge(picture.bytes, &bgrx);
	memcpy(segment->worker + header->rgb_offset + (uint32_t)slot * header->rgb_stride, picture.bytes,
	       (size_t)bgrx.linesize[0] * bgrx.rows[0]);
}

void rig_finish(const struct rig_segment *segment, int32_t slot, uint32_t verdict)
{
	const struct doppel_segment_header *header = header_of(segment);
	if (verdict >= DOPPEL_VERDICT_SWAPPED && verdict <= DOPPEL_VERDICT_ORIGINAL) {
		fake_judge(segment->worker + header->pixels_offset + (uint32_t)slot * header->slot_stride,
			   &header->geometry);
		if (header->rgb_offset != 0) {
			CHECK_EQUAL(doppel_worker_make_rgb(segment->worker, segment->bytes, (uint32_t)slot), 0);
			mark_rgb(segment, slot);
		}
	}
	CHECK_EQUAL(doppel_worker_done(segment->worker, segment->bytes, (uint32_t)slot, verdict, 1), 0);
}

void rig_draw_slate(const struct rig_segment *segment, uint8_t value)
{
	const struct doppel_segment_header *header = header_of(segment);
	memset(segment->worker + header->slate_offset, value, header->geometry.frame_bytes);
	doppel_worker_set_slate(segment->worker, segment->bytes, 1);
}
