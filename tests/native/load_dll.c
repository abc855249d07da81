/* Windows: loads the DLL as OBS's Python does and runs lanes through it, gate and worker in two threads: one that is answered
 * in libobs's own frames, then one that is answered in RGB.
 *
 *     load_dll doppel_native-windows-x86_64.dll
 */
#include "check.h"
#include "gate.h"
#include "obs_abi.h"
#include "rgb.h"

#include <string.h>
#include <windows.h>

#define FRAMES 300u
#define RGB_FRAMES 100u
#define PATIENCE_MS 60000u /* RGB begins after a second of judged pictures */
#define SIDE 64u

static HMODULE library;

static FARPROC find(const char *name)
{
	FARPROC function = GetProcAddress(library, name);
	if (function == NULL)
		fprintf(stderr, "%s is not exported\n", name);
	CHECK(function != NULL);
	return function;
}
/* A function of the library, with the type that its header declares. */
#define CALL(function) ((__typeof__(&function))(void *)find(#function))

static uint64_t video_time;
static uint64_t frame_time(void)
{
	return video_time;
}
static void *nothing(const void *a)
{
	(void)a;
	return NULL;
}

static int parent_object;
static void *parent; /* of every filter */
static void *get_parent(const void *filter)
{
	(void)filter;
	return parent;
}
static uint64_t released;
static void release_frame(void *source, struct obs_source_frame *frame)
{
	CHECK(source == &parent_object);
	CHECK(--frame->refs > 0);
	released++;
}

static uint8_t *segment;
static uint64_t bytes;
static volatile LONG over;

static DWORD WINAPI worker(void *wants_rgb)
{
	const struct doppel_segment_header *header = (const void *)segment;
	while (!over) {
		const int32_t slot = CALL(doppel_worker_next)(segment, bytes, 50000000, NULL);
		if (slot == DOPPEL_NEXT_CLOSED)
			return 0;
		if (slot < 0)
			continue;
		uint8_t *pixels = segment + header->pixels_offset + (uint32_t)slot * header->slot_stride;
		for (uint64_t i = 0; i < header->geometry.frame_bytes; i++)
			pixels[i] |= 0x80;
		CHECK_EQUAL(CALL(doppel_worker_make_rgb)(segment, bytes, (uint32_t)slot), wants_rgb != NULL ? 0 : -1);
		CALL(doppel_worker_done)(segment, bytes, (uint32_t)slot, DOPPEL_VERDICT_SWAPPED, 1);
	}
	return 0;
}

/* A frame of a single grey, as the worker leaves it. */
static bool is_judged(const uint8_t *pixels, uint64_t count)
{
	for (uint64_t i = 1; i < count; i++)
		if (pixels[i] != pixels[0])
			return false;
	return (pixels[0] & 0x80) != 0;
}

/* The same as RGB of limited range, by the matrix that make_frame gives. */
static bool is_judged_rgb(const struct obs_source_frame *answer)
{
	const double grey = (answer->data[0][0] - 16) * 255.0 / 219;
	for (uint64_t i = 0; i < SIDE * SIDE * 4; i++)
		if (answer->data[0][i] != (i % 4 == 3 ? 0xff : answer->data[0][0]))
			return false;
	return answer->format == DOPPEL_RGB_FORMAT && !answer->full_range && answer->linesize[0] == SIDE * 4 &&
	       grey > 127 && grey < 192;
}

static struct obs_source_frame make_frame(uint8_t *pixels, uint64_t number)
{
	struct obs_source_frame frame = {.width = SIDE, .height = SIDE, .format = 1, .full_range = true};
	memset(pixels, (int)(number & 63), SIDE * SIDE * 3 / 2);
	frame.timestamp = number * UINT64_C(33000000);
	frame.color_matrix[0] = frame.color_matrix[4] = frame.color_matrix[8] = 1; /* grey */
	frame.data[0] = pixels;
	frame.data[1] = pixels + SIDE * SIDE;
	frame.data[2] = pixels + SIDE * SIDE * 5 / 4;
	frame.linesize[0] = SIDE;
	frame.linesize[1] = frame.linesize[2] = SIDE / 2;
	frame.refs = 1 + 1; /* the cache's, and one for the way through the filters */
	return frame;
}

static HANDLE begin_lane(uint64_t id, const char *name, bool rgb, HANDLE *thread)
{
	struct doppel_gate_status status;
	CHECK_EQUAL(CALL(doppel_gate_get_status)(id, &status), 0);
	bytes = rgb ? CALL(doppel_segment_bytes_with_rgb)(&status.geometry, 5)
		    : CALL(doppel_segment_bytes)(&status.geometry, 5);
	HANDLE mapping = CreateFileMappingA(INVALID_HANDLE_VALUE, NULL, PAGE_READWRITE, 0, (DWORD)bytes, name);
	segment = MapViewOfFile(mapping, FILE_MAP_READ | FILE_MAP_WRITE, 0, 0, bytes);
	CHECK(segment != NULL);
	CHECK_EQUAL(CALL(doppel_gate_attach)(id, (intptr_t)mapping, bytes * 4, 5, 1, 1), -2);
	CHECK_EQUAL(CALL(doppel_gate_attach)(id, (intptr_t)mapping, bytes, 5, 1, 1), 0);
	CHECK_EQUAL(CALL(doppel_worker_open)(segment, bytes), 0);
	*thread = CreateThread(NULL, 0, worker, rgb ? &parent_object : NULL, 0, NULL);
	CHECK(*thread != NULL);
	return mapping;
}

static void run_lane(const struct obs_source_info_400 *info, bool rgb)
{
	void *filter = info->create(NULL, NULL);
	uint64_t id;
	CHECK_EQUAL(CALL(doppel_gate_list)(&id, 1), 1);
	static uint8_t pixels[SIDE * SIDE * 3 / 2];
	HANDLE thread = NULL, mapping = NULL;
	unsigned judged = 0, as_rgb = 0, frames = 0;
	const ULONGLONG start = GetTickCount64();
	parent = rgb ? &parent_object : NULL;
	released = 0;
	for (; rgb ? as_rgb < RGB_FRAMES : frames < FRAMES; frames++) {
		CHECK(GetTickCount64() - start < PATIENCE_MS);
		struct obs_source_frame frame = make_frame(pixels, frames);
		video_time++;
		struct obs_source_frame *answer = info->filter_video(filter, &frame);
		CHECK(answer != NULL);
		answer->refs--;
		CHECK_EQUAL(frame.refs, 1);
		CHECK_EQUAL(answer->refs, 1);
		info->video_render(filter, NULL);
		if (answer != &frame) {
			as_rgb++;
			CHECK(is_judged_rgb(answer));
		} else {
			judged += frames > 0 && is_judged(pixels, sizeof pixels);
		}
		if (frames == 0)
			mapping = begin_lane(id, rgb ? "doppel-test-rgb" : "doppel-test", rgb, &thread);
		Sleep(1);
	}
	CHECK_EQUAL(released, as_rgb);
	CHECK(rgb || judged > FRAMES / 3);
	CHECK_EQUAL(CALL(doppel_gate_detach)(id), 0);
	CHECK_EQUAL(WaitForSingleObject(thread, 5000), WAIT_OBJECT_0);
	info->destroy(filter);
	CHECK_EQUAL(CALL(doppel_gate_list)(&id, 1), 0);
	CloseHandle(thread);
	UnmapViewOfFile(segment);
	CloseHandle(mapping);
	printf("dll: ok, of %u frames %u judged in place, %u in RGB\n", frames, judged, as_rgb);
}

int main(int count, char **arguments)
{
	CHECK(count == 2);
	library = LoadLibraryA(arguments[1]);
	CHECK(library != NULL);
	CHECK_EQUAL(CALL(doppel_abi)(), DOPPEL_ABI);
	const uint64_t before = CALL(doppel_now_ns)();
	Sleep(30);
	CHECK(CALL(doppel_now_ns)() - before > 20000000);

	struct doppel_libobs table = {.size = sizeof table};
	void *(*filler)(const void *) = nothing;
	for (size_t at = offsetof(struct doppel_libobs, obs_filter_get_parent); at < sizeof table; at += sizeof filler)
		memcpy((char *)&table + at, &filler, sizeof filler);
	table.obs_get_video_frame_time = frame_time;
	table.obs_filter_get_parent = get_parent;
	table.obs_filter_get_target = get_parent;
	table.obs_source_release_frame = release_frame;
	int32_t already = 1;
	const struct obs_source_info_400 *info =
		CALL(doppel_gate_install)(&table, "id", "Name", "Text", NULL, 0, &already);
	CHECK(info != NULL && already == 0);
	run_lane(info, false);
	run_lane(info, true);
	return 0;
}
