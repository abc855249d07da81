/* rgb.h. Row by row: chroma is spread to all pixels, in eighths; then each pixel is multiplied by the matrix. */
#include "rgb.h"

#include <string.h>

#if defined(__x86_64__)
#include <cpuid.h>
#define HAS_WIDE 1
#endif

#define MAX_WIDTH 16384u
#define EIGHTHS 8.0f
#define BLACK 16.0f
#define WHITE 235.0f

enum { I420 = 1, NV12 = 2, YVYU = 3, YUY2 = 4, UYVY = 5, I444 = 10, I422 = 12 };

/* Where a format's samples lie: plane and first byte of Y, U and V, and bytes from one sample to the next. */
struct samples {
	uint8_t plane[3];
	uint8_t first[3];
	uint8_t luma_step, chroma_step;
	bool half_width, half_height;
};
static const struct samples formats[] = {
	[I420] = {{0, 1, 2}, {0, 0, 0}, 1, 1, true, true},   [NV12] = {{0, 1, 1}, {0, 0, 1}, 1, 2, true, true},
	[YVYU] = {{0, 0, 0}, {0, 3, 1}, 2, 4, true, false},  [YUY2] = {{0, 0, 0}, {0, 1, 3}, 2, 4, true, false},
	[UYVY] = {{0, 0, 0}, {1, 0, 2}, 2, 4, true, false},  [I444] = {{0, 1, 2}, {0, 0, 0}, 1, 1, false, false},
	[I422] = {{0, 1, 2}, {0, 0, 0}, 1, 1, true, false},
};

static const struct samples *samples_of(uint32_t pixel_format)
{
	if (pixel_format >= sizeof formats / sizeof formats[0] || formats[pixel_format].luma_step == 0)
		return NULL;
	return &formats[pixel_format];
}

bool doppel_rgb_is_packed(uint32_t pixel_format)
{
	const struct samples *samples = samples_of(pixel_format);
	return samples != NULL && samples->luma_step > 1;
}

uint64_t doppel_rgb_bytes(const struct doppel_geometry *geometry)
{
	const struct samples *samples = samples_of(geometry->pixel_format);
	/* Of odd sizes libobs stretches the chroma a little. */
	if (samples == NULL || geometry->width > MAX_WIDTH || (samples->half_width && geometry->width % 2 != 0) ||
	    (samples->half_height && geometry->height % 2 != 0))
		return 0;
	return (uint64_t)geometry->width * geometry->height * DOPPEL_RGB_PIXEL_BYTES;
}

struct row {
	int16_t sample[3][MAX_WIDTH]; /* Y; U and V in eighths */
};

/* The matrix for samples of 0..255 (Y) and 0..8*255 (U, V), to 16..235 and half a step for rounding. */
struct coefficients {
	float factor[3][3], constant[3], min[3], max[3];
};

static inline void spread(int16_t *restrict out, const uint8_t *restrict near, const uint8_t *restrict far, uint32_t pairs,
			  uint32_t step)
{
	int16_t quarters[MAX_WIDTH / 2 + 1];
	for (uint32_t i = 0; i < pairs; i++)
		quarters[i] = (int16_t)(3 * near[i * step] + far[i * step]);
	quarters[pairs] = quarters[pairs - 1];
	for (uint32_t i = 0; i < pairs; i++) {
		out[2 * i] = (int16_t)(2 * quarters[i]);
		out[2 * i + 1] = (int16_t)(quarters[i] + quarters[i + 1]);
	}
}

static inline void take_luma(int16_t *restrict out, const uint8_t *restrict luma, uint32_t width, uint32_t step)
{
	for (uint32_t x = 0; x < width; x++)
		out[x] = luma[x * step];
}

static inline void take_chroma(int16_t *restrict out, const uint8_t *restrict chroma, uint32_t width)
{
	for (uint32_t x = 0; x < width; x++)
		out[x] = (int16_t)(8 * chroma[x]);
}

static inline float bounded(float value, float least, float most)
{
	return value > least ? (value < most ? value : most) : least; /* no number: `least` */
}

static inline uint32_t byte_of(const struct coefficients *k, unsigned c, float y, float u, float v)
{
	const float value = k->factor[c][0] * y + k->factor[c][1] * u + k->factor[c][2] * v + k->constant[c];
	const float inside = bounded(value, BLACK, WHITE);
	return (uint32_t)(int32_t)inside;
}

static inline void multiply(uint32_t *restrict out, const struct row *restrict row, const struct coefficients *restrict given,
			    uint32_t width)
{
	const struct coefficients k = *given;
	for (uint32_t x = 0; x < width; x++) {
		const float y = bounded(row->sample[0][x], k.min[0], k.max[0]);
		const float u = bounded(row->sample[1][x], k.min[1], k.max[1]);
		const float v = bounded(row->sample[2][x], k.min[2], k.max[2]);
		out[x] = byte_of(&k, 2, y, u, v) | byte_of(&k, 1, y, u, v) << 8 | byte_of(&k, 0, y, u, v) << 16 |
			 0xff000000u;
	}
}

static inline void read_row(struct row *row, const uint8_t *pixels, const struct doppel_geometry *g,
			    const struct samples *samples, uint32_t y)
{
	const uint8_t *luma = pixels + g->offset[0] + (uint64_t)y * g->linesize[0] + samples->first[0];
	if (samples->luma_step == 1)
		take_luma(row->sample[0], luma, g->width, 1);
	else
		take_luma(row->sample[0], luma, g->width, 2);
	for (unsigned c = 1; c < 3; c++) {
		const uint32_t p = samples->plane[c], rows = g->rows[p];
		const uint32_t at = samples->half_height ? y / 2 : y;
		uint32_t other = at;
		if (samples->half_height)
			other = y % 2 == 0 ? (at > 0 ? at - 1 : 0) : (at + 1 < rows ? at + 1 : at);
		const uint8_t *plane = pixels + g->offset[p] + samples->first[c];
		const uint8_t *near = plane + (uint64_t)at * g->linesize[p];
		const uint8_t *far = plane + (uint64_t)other * g->linesize[p];
		if (!samples->half_width)
			take_chroma(row->sample[c], near, g->width);
		else if (samples->chroma_step == 1)
			spread(row->sample[c], near, far, g->width / 2, 1);
		else if (samples->chroma_step == 2)
			spread(row->sample[c], near, far, g->width / 2, 2);
		else
			spread(row->sample[c], near, far, g->width / 2, 4);
	}
}

static inline void convert(uint8_t *bgrx, const uint8_t *pixels, const struct doppel_geometry *geometry,
			   const struct coefficients *k)
{
	const struct samples *samples = samples_of(geometry->pixel_format);
	struct row row;
	for (uint32_t y = 0; y < geometry->height; y++) {
		read_row(&row, pixels, geometry, samples, y);
		multiply((uint32_t *)(void *)(bgrx + (uint64_t)y * geometry->width * DOPPEL_RGB_PIXEL_BYTES), &row, k,
			 geometry->width);
	}
}

#if defined(HAS_WIDE)
/* The same, compiled for processors of 2013 and later: a third of the time. */
__attribute__((target("avx2,fma"), flatten)) static void convert_wide(uint8_t *bgrx, const uint8_t *pixels,
								     const struct doppel_geometry *geometry,
								     const struct coefficients *k)
{
	convert(bgrx, pixels, geometry, k);
}

/* AVX2 and FMA in the processor, and their registers kept by the system (Intel's manual, vol. 1, 14.3). */
static bool is_wide(void)
{
	unsigned a, b, c, d;
	if (!__get_cpuid(1, &a, &b, &c, &d) || (c & bit_OSXSAVE) == 0 || (c & bit_FMA) == 0)
		return false;
	unsigned low, high;
	__asm__("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
	return (low & 6u) == 6u && __get_cpuid_count(7, 0, &a, &b, &c, &d) && (b & bit_AVX2) != 0;
}
#endif

void doppel_rgb_convert(uint8_t *bgrx, const uint8_t *pixels, const struct doppel_geometry *geometry,
			const struct doppel_rgb_colour *colour)
{
	struct coefficients k;
	const float span = WHITE - BLACK;
	for (unsigned c = 0; c < 3; c++) {
		const float scale = c == 0 ? 255.0f : EIGHTHS * 255.0f;
		k.min[c] = colour->range_min[c] * scale;
		k.max[c] = colour->range_max[c] * scale;
		for (unsigned from = 0; from < 3; from++)
			k.factor[c][from] = colour->matrix[4 * c + from] * span / (from == 0 ? 255.0f : EIGHTHS * 255.0f);
		k.constant[c] = span * colour->matrix[4 * c + 3] + BLACK + 0.5f;
	}
#if defined(HAS_WIDE)
	if (is_wide()) {
		convert_wide(bgrx, pixels, geometry, &k);
		return;
	}
#endif
	convert(bgrx, pixels, geometry, &k);
}
