/* The cover: what the gate shows when it may not show the picture.
 *
 * Blocks are square in the picture and 1/16 of its height, so a face that fills the frame keeps at most some 12 blocks
 * across: a blob of skin colour. The mean is taken over at most 8x8 places of a block, which is as good for hiding and
 * leaves one write of the plane as the cost.
 */
#include "pixels.h"

#include <string.h>

#define BLOCKS_PER_HEIGHT 16u
#define SAMPLES 8u

static uint32_t at_least(uint32_t value, uint32_t least)
{
	return value < least ? least : value;
}

static uint32_t smaller(uint32_t a, uint32_t b)
{
	return a < b ? a : b;
}

/* The mean of each byte of a group over the block [x0, x1) x [y0, y1), in groups. */
static void mean(uint8_t out[4], const uint8_t *plane, size_t linesize, uint32_t bytes, uint32_t x0, uint32_t x1,
		 uint32_t y0, uint32_t y1)
{
	const uint32_t x_step = at_least((x1 - x0) / SAMPLES, 1), y_step = at_least((y1 - y0) / SAMPLES, 1);
	uint32_t sum[4] = {0, 0, 0, 0}, count = 0;
	for (uint32_t y = y0; y < y1; y += y_step) {
		const uint8_t *row = plane + (size_t)y * linesize;
		for (uint32_t x = x0; x < x1; x += x_step, count++)
			for (uint32_t b = 0; b < bytes; b++)
				sum[b] += row[(size_t)x * bytes + b];
	}
	for (uint32_t b = 0; b < bytes; b++)
		out[b] = (uint8_t)((sum[b] + count / 2) / count);
}

static void fill_keeping_alpha(uint8_t *row, const uint8_t colour[4], uint32_t x0, uint32_t x1)
{
	static const uint8_t alpha_bytes[4] = {0, 0, 0, 0xff};
	const uint8_t colour_bytes[4] = {colour[0], colour[1], colour[2], 0};
	uint32_t alpha, rest, group;
	memcpy(&alpha, alpha_bytes, 4);
	memcpy(&rest, colour_bytes, 4);
	for (uint8_t *at = row + (size_t)x0 * 4, *end = row + (size_t)x1 * 4; at < end; at += 4) {
		memcpy(&group, at, 4);
		group = (group & alpha) | rest;
		memcpy(at, &group, 4);
	}
}

static void fill(uint8_t *row, const uint8_t colour[4], uint32_t bytes, uint32_t x0, uint32_t x1)
{
	if (bytes == 1) {
		memset(row + x0, colour[0], x1 - x0);
		return;
	}
	for (uint32_t x = x0; x < x1; x++)
		memcpy(row + (size_t)x * bytes, colour, bytes);
}

static void mosaic_plane(uint8_t *plane, size_t linesize, uint32_t width, uint32_t rows, uint32_t block_w,
			 uint32_t block_h, const struct doppel_plane_format *format)
{
	for (uint32_t y0 = 0; y0 < rows; y0 += block_h) {
		const uint32_t y1 = smaller(y0 + block_h, rows);
		for (uint32_t x0 = 0; x0 < width; x0 += block_w) {
			const uint32_t x1 = smaller(x0 + block_w, width);
			uint8_t colour[4] = {0, 0, 0, 0};
			mean(colour, plane, linesize, format->bytes, x0, x1, y0, y1);
			if (format->alpha == 2)
				for (uint32_t y = y0; y < y1; y++)
					fill_keeping_alpha(plane + (size_t)y * linesize, colour, x0, x1);
			else
				fill(plane + (size_t)y0 * linesize, colour, format->bytes, x0, x1);
		}
		if (format->alpha != 2)
			for (uint32_t y = y0 + 1; y < y1; y++)
				memcpy(plane + (size_t)y * linesize, plane + (size_t)y0 * linesize,
				       (size_t)width * format->bytes);
	}
}

void doppel_mosaic(uint8_t *const planes[DOPPEL_MAX_PLANES], const struct doppel_geometry *geometry)
{
	const struct doppel_format *format = doppel_format(geometry->pixel_format);
	/* Even, so that the blocks of subsampled planes lie over those of luma. */
	const uint32_t block = at_least((geometry->height / BLOCKS_PER_HEIGHT + 1) / 2 * 2, 2);
	for (uint32_t p = 0; p < geometry->plane_count; p++) {
		const struct doppel_plane_format *plane = &format->planes[p];
		if (plane->alpha == 1)
			continue;
		const uint32_t width = (geometry->width + (1u << plane->x_shift) - 1) >> plane->x_shift;
		mosaic_plane(planes[p], geometry->linesize[p], width, geometry->rows[p], block >> plane->x_shift,
			     block >> plane->y_shift, plane);
	}
}
