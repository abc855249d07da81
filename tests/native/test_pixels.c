/* How large a frame may be, and the mosaic that hides one. */
#include "check.h"
#include "pixels.h"

static void geometry_has_limits(void)
{
	struct doppel_geometry g = {.pixel_format = 2, .width = 16384, .height = 16384};
	CHECK_EQUAL(doppel_geometry_complete(&g), 0);
	CHECK_EQUAL(g.frame_bytes, 16384ull * 16384 * 3 / 2);
	CHECK(doppel_segment_bytes(&g, 12) > 0);
	CHECK_EQUAL(doppel_segment_bytes(&g, 3), 0);
	CHECK_EQUAL(doppel_segment_bytes(&g, 13), 0);
	const struct doppel_geometry bad[] = {
		{.pixel_format = 0, .width = 8, .height = 8},	  {.pixel_format = 17, .width = 8, .height = 8},
		{.pixel_format = 99, .width = 8, .height = 8},	  {.pixel_format = 1, .width = 0, .height = 8},
		{.pixel_format = 1, .width = 16385, .height = 8}, {.pixel_format = 1, .width = 8, .height = 0},
		{.pixel_format = 1, .width = 8, .height = 8, .linesize = {7}},
		{.pixel_format = 1, .width = 8, .height = 8, .linesize = {8, 3}},
		{.pixel_format = 1, .width = 8, .height = 8, .linesize = {262145}},
		{.pixel_format = UINT32_MAX, .width = UINT32_MAX, .height = UINT32_MAX},
	};
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		struct doppel_geometry copy = bad[i];
		CHECK_EQUAL(doppel_geometry_complete(&copy), -1);
		CHECK_EQUAL(doppel_segment_bytes(&bad[i], 4), 0);
	}
	struct doppel_geometry odd = {.pixel_format = 1, .width = 7, .height = 5};
	CHECK_EQUAL(doppel_geometry_complete(&odd), 0);
	CHECK_EQUAL(odd.linesize[1], 4);
	CHECK_EQUAL(odd.rows[2], 3);
}

static void the_mosaic_hides_and_keeps_alpha(void)
{
	for (uint32_t format = 1; format <= 16; format++) {
		struct doppel_geometry g = {.pixel_format = format, .width = 99, .height = 75};
		CHECK_EQUAL(doppel_geometry_complete(&g), 0);
		for (uint32_t p = 0; p < g.plane_count; p++)
			g.linesize[p] += 13; /* padding, with a guard behind */
		CHECK_EQUAL(doppel_geometry_complete(&g), 0);
		uint8_t *pixels = malloc(g.frame_bytes), *before = malloc(g.frame_bytes);
		unsigned long long seed = 1 + format;
		for (uint64_t i = 0; i < g.frame_bytes; i++)
			before[i] = pixels[i] = (uint8_t)(next_random(&seed) >> 40);
		uint8_t *planes[4] = {0};
		for (uint32_t p = 0; p < g.plane_count; p++)
			planes[p] = pixels + g.offset[p];
		doppel_mosaic(planes, &g);
		const struct doppel_format *f = doppel_format(format);
		for (uint32_t p = 0; p < g.plane_count; p++) {
			const struct doppel_plane_format *plane = &f->planes[p];
			const uint32_t row_bytes = ((99 + (1u << plane->x_shift) - 1) >> plane->x_shift) * plane->bytes;
			const uint32_t bw = 4u >> plane->x_shift, bh = 4u >> plane->y_shift; /* 75 / 16, even */
			for (uint32_t y = 0; y < g.rows[p]; y++)
				for (uint32_t x = 0; x < g.linesize[p]; x++) {
					const size_t at = (size_t)y * g.linesize[p] + x;
					const bool kept = x >= row_bytes || plane->alpha == 1 ||
							  (plane->alpha == 2 && x % 4 == 3);
					const size_t corner = (size_t)(y / bh * bh) * g.linesize[p] +
							      x / plane->bytes / bw * bw * plane->bytes + x % plane->bytes;
					CHECK_EQUAL(planes[p][at], kept ? before[g.offset[p] + at] : planes[p][corner]);
				}
		}
		free(pixels);
		free(before);
	}
}

int main(void)
{
	geometry_has_limits();
	the_mosaic_hides_and_keeps_alpha();
	puts("pixels: ok");
	return 0;
}
