/* The pictures of the small libobs: how they are made, changed by the worker, and told from each other. */
#include "fake_internal.h"

#include "check.h"

#include <string.h>

struct doppel_geometry fake_geometry(uint32_t format, uint32_t width, uint32_t height, uint32_t padding)
{
	struct doppel_geometry g = {.pixel_format = format, .width = width, .height = height};
	CHECK_EQUAL(doppel_geometry_complete(&g), 0);
	for (uint32_t p = 0; p < g.plane_count; p++)
		g.linesize[p] += padding;
	CHECK_EQUAL(doppel_geometry_complete(&g), 0);
	CHECK(g.frame_bytes <= FAKE_MAX_BYTES);
	return g;
}

/* The n-th byte of frame `id`: walks through 0..63 in steps that leave no two neighbours (or rows) alike. */
static uint8_t raw_byte(uint64_t id, uint64_t n)
{
	return (uint8_t)((id + n * 23 + (n >> 6) * 5) & 63);
}

void fake_raw(struct fake_picture *picture, const struct doppel_geometry *geometry, uint64_t id)
{
	picture->geometry = *geometry;
	picture->flip = false;
	for (uint64_t n = 0; n < geometry->frame_bytes; n++)
		picture->bytes[n] = raw_byte(id, n);
}

void fake_judge(uint8_t *pixels, const struct doppel_geometry *geometry)
{
	for (uint64_t n = 0; n < geometry->frame_bytes; n++)
		pixels[n] |= 0x80;
}

static bool inside_plane(const struct doppel_geometry *g, uint64_t n)
{
	for (uint32_t p = 0; p < g->plane_count; p++)
		if (n >= g->offset[p] && n < g->offset[p] + (uint64_t)g->linesize[p] * g->rows[p])
			return true;
	return false;
}

/* Flat blocks of the mosaic's size in every plane that is not alpha. */
static bool is_cover(const struct fake_picture *picture)
{
	const struct doppel_geometry *g = &picture->geometry;
	const struct doppel_format *format = doppel_format(g->pixel_format);
	uint32_t block = (g->height / 16 + 1) / 2 * 2;
	block = block < 2 ? 2 : block;
	for (uint32_t p = 0; p < g->plane_count; p++) {
		const struct doppel_plane_format *plane = &format->planes[p];
		const uint32_t bw = block >> plane->x_shift, bh = block >> plane->y_shift;
		const uint32_t row_bytes = ((g->width + (1u << plane->x_shift) - 1) >> plane->x_shift) * plane->bytes;
		for (uint32_t y = 0; plane->alpha != 1 && y < g->rows[p]; y++)
			for (uint32_t x = 0; x < row_bytes; x++) {
				if (plane->alpha == 2 && x % 4 == 3)
					continue;
				const uint32_t cx = x / plane->bytes / bw * bw * plane->bytes + x % plane->bytes;
				if (picture->bytes[g->offset[p] + (size_t)y * g->linesize[p] + x] !=
				    picture->bytes[g->offset[p] + (size_t)(y / bh * bh) * g->linesize[p] + cx])
					return false;
			}
	}
	return true;
}

enum fake_kind fake_look(const struct fake_picture *picture, uint64_t *id)
{
	const struct doppel_geometry *g = &picture->geometry;
	if (g->width == 0)
		return FAKE_NOTHING;
	const uint8_t mark = picture->bytes[0] & 0x80;
	const uint64_t shift = picture->bytes[0] & 63;
	bool pattern = true, slate = true;
	for (uint64_t n = 0; n < g->frame_bytes; n++) {
		if (!inside_plane(g, n))
			continue;
		pattern = pattern && picture->bytes[n] == (raw_byte(shift, n) | mark);
		slate = slate && picture->bytes[n] == FAKE_SLATE;
	}
	if (id != NULL)
		*id = shift; /* modulo 64 */
	if (pattern)
		return mark != 0 ? FAKE_JUDGED : FAKE_RAW;
	if (slate)
		return FAKE_SLATE_SHOWN;
	return is_cover(picture) ? FAKE_COVER : FAKE_GARBLED;
}

void fake_picture_of_frame(struct fake_picture *picture, const struct obs_source_frame *frame)
{
	struct doppel_geometry g = {.pixel_format = frame->format, .width = frame->width, .height = frame->height};
	memcpy(g.linesize, frame->linesize, sizeof g.linesize);
	CHECK_EQUAL(doppel_geometry_complete(&g), 0);
	picture->geometry = g;
	picture->flip = frame->flip;
	memset(picture->bytes, 0, g.frame_bytes);
	for (uint32_t p = 0; p < g.plane_count; p++)
		memcpy(picture->bytes + g.offset[p], frame->data[p], (size_t)g.linesize[p] * g.rows[p]);
}

void fake_frame_of_picture(struct obs_source_frame *frame, struct fake_picture *picture, uint64_t timestamp)
{
	const struct doppel_geometry *g = &picture->geometry;
	*frame = (struct obs_source_frame){
		.width = g->width, .height = g->height, .format = g->pixel_format, .timestamp = timestamp};
	for (uint32_t p = 0; p < g->plane_count; p++) {
		frame->data[p] = picture->bytes + g->offset[p];
		frame->linesize[p] = g->linesize[p];
	}
}
