/* i444.h. Row by row, in eighths: 3 and 1 quarters of two rows, then halves of two columns. */
#include "i444.h"

#include <stdbool.h>
#include <string.h>

#define MAX_WIDTH 16384u

enum { I420 = 1, NV12 = 2, YVYU = 3, YUY2 = 4, UYVY = 5, I422 = 12 };

/* Where a format's samples lie: plane and first byte of Y, U and V, and bytes from one sample to the next. */
struct samples {
	uint8_t plane[3];
	uint8_t first[3];
	uint8_t luma_step, chroma_step;
	bool half_height;
};
static const struct samples formats[] = {
	[I420] = {{0, 1, 2}, {0, 0, 0}, 1, 1, true},  [NV12] = {{0, 1, 1}, {0, 0, 1}, 1, 2, true},
	[YVYU] = {{0, 0, 0}, {0, 3, 1}, 2, 4, false}, [YUY2] = {{0, 0, 0}, {0, 1, 3}, 2, 4, false},
	[UYVY] = {{0, 0, 0}, {1, 0, 2}, 2, 4, false}, [I422] = {{0, 1, 2}, {0, 0, 0}, 1, 1, false},
};

static const struct samples *samples_of(uint32_t pixel_format)
{
	if (pixel_format >= sizeof formats / sizeof formats[0] || formats[pixel_format].luma_step == 0)
		return NULL;
	return &formats[pixel_format];
}

uint64_t doppel_i444_bytes(const struct doppel_geometry *geometry)
{
	const struct samples *samples = samples_of(geometry->pixel_format);
	if (samples == NULL || geometry->width > MAX_WIDTH || geometry->width % 2 != 0 ||
	    (samples->half_height && geometry->height % 2 != 0))
		return 0;
	return (uint64_t)geometry->width * geometry->height * DOPPEL_I444_PLANES;
}

static inline void spread(uint8_t *restrict out, const uint8_t *restrict near, const uint8_t *restrict far,
			  uint32_t pairs, uint32_t step)
{
	uint16_t quarters[MAX_WIDTH / 2 + 1];
	for (uint32_t i = 0; i < pairs; i++)
		quarters[i] = (uint16_t)(3 * near[i * step] + far[i * step]);
	quarters[pairs] = quarters[pairs - 1];
	for (uint32_t i = 0; i < pairs; i++) {
		out[2 * i] = (uint8_t)((uint16_t)(2 * quarters[i] + 4) >> 3);
		out[2 * i + 1] = (uint8_t)((uint16_t)(quarters[i] + quarters[i + 1] + 4) >> 3);
	}
}

/* A constant step lets the compiler use its vectors. */
static void spread_row(uint8_t *out, const uint8_t *near, const uint8_t *far, uint32_t pairs, uint32_t step)
{
	if (step == 1)
		spread(out, near, far, pairs, 1);
	else if (step == 2)
		spread(out, near, far, pairs, 2);
	else
		spread(out, near, far, pairs, 4);
}

static void take_luma(uint8_t *restrict out, const uint8_t *restrict luma, uint32_t width, uint32_t step)
{
	if (step == 1)
		memcpy(out, luma, width);
	else
		for (uint32_t x = 0; x < width; x++)
			out[x] = luma[2 * x];
}

/* The row of samples that lies nearest to row y, and the other one of the two that it lies between. */
static void rows_around(uint32_t y, uint32_t rows, uint32_t *near, uint32_t *far)
{
	*near = y / 2;
	if (y % 2 == 0)
		*far = *near > 0 ? *near - 1 : 0;
	else
		*far = *near + 1 < rows ? *near + 1 : *near;
}

void doppel_i444_convert(uint8_t *i444, const uint8_t *pixels, const struct doppel_geometry *geometry)
{
	const struct samples *samples = samples_of(geometry->pixel_format);
	const uint64_t width = geometry->width, plane_bytes = width * geometry->height;
	for (uint32_t y = 0; y < geometry->height; y++) {
		uint8_t *out = i444 + y * width;
		take_luma(out, pixels + geometry->offset[0] + (uint64_t)y * geometry->linesize[0] + samples->first[0],
			  geometry->width, samples->luma_step);
		for (unsigned c = 1; c < 3; c++) {
			const uint32_t p = samples->plane[c];
			uint32_t near = y, far = y;
			if (samples->half_height)
				rows_around(y, geometry->rows[p], &near, &far);
			const uint8_t *plane = pixels + geometry->offset[p] + samples->first[c];
			spread_row(out + c * plane_bytes, plane + (uint64_t)near * geometry->linesize[p],
				   plane + (uint64_t)far * geometry->linesize[p], geometry->width / 2,
				   samples->chroma_step);
		}
	}
}
