#include "pixels.h"

#include "rgb.h"

#include <string.h>

#define MAX_SIDE 16384u
#define MAX_LINE (16u * MAX_SIDE)
#define PLANE_ALIGNMENT 64u
#define PAGE 4096u

/* libobs's enum video_format (media-io/video-io.h, OBS 28 to 32), the 8-bit ones as in ../doppel_ipc/pixel_format.py.
 * Of the others only the rows matter, to cover them: 16-bit words with the sample in the low (I010) or the high bits
 * (P010), three 10-bit samples in 32 bits (V210, R10L). */
static const struct doppel_format formats[] = {
	[1] = {3, {{1, 0, 0, 0}, {1, 1, 1, 0}, {1, 1, 1, 0}}, 0},		    /* I420 */
	[2] = {2, {{1, 0, 0, 0}, {2, 1, 1, 0}}, 0},				    /* NV12 */
	[3] = {1, {{4, 1, 0, 0}}, 0},						    /* YVYU */
	[4] = {1, {{4, 1, 0, 0}}, 0},						    /* YUY2 */
	[5] = {1, {{4, 1, 0, 0}}, 0},						    /* UYVY */
	[6] = {1, {{4, 0, 0, 2}}, 0},						    /* RGBA */
	[7] = {1, {{4, 0, 0, 2}}, 0},						    /* BGRA */
	[8] = {1, {{4, 0, 0, 2}}, 0},						    /* BGRX */
	[9] = {1, {{1, 0, 0, 0}}, 0},						    /* Y800 */
	[10] = {3, {{1, 0, 0, 0}, {1, 0, 0, 0}, {1, 0, 0, 0}}, 0},		    /* I444 */
	[11] = {1, {{3, 0, 0, 0}}, 0},						    /* BGR3 */
	[12] = {3, {{1, 0, 0, 0}, {1, 1, 0, 0}, {1, 1, 0, 0}}, 0},		    /* I422 */
	[13] = {4, {{1, 0, 0, 0}, {1, 1, 1, 0}, {1, 1, 1, 0}, {1, 0, 0, 1}}, 0},   /* I40A */
	[14] = {4, {{1, 0, 0, 0}, {1, 1, 0, 0}, {1, 1, 0, 0}, {1, 0, 0, 1}}, 0},   /* I42A */
	[15] = {4, {{1, 0, 0, 0}, {1, 0, 0, 0}, {1, 0, 0, 0}, {1, 0, 0, 1}}, 0},   /* YUVA */
	[16] = {1, {{4, 0, 0, 2}}, 0},						    /* AYUV */
	[17] = {3, {{2, 0, 0, 0}, {2, 1, 1, 0}, {2, 1, 1, 0}}, 0x02000200u},	    /* I010 */
	[18] = {2, {{2, 0, 0, 0}, {4, 1, 1, 0}}, 0x80008000u},			    /* P010 */
	[19] = {3, {{2, 0, 0, 0}, {2, 1, 0, 0}, {2, 1, 0, 0}}, 0x02000200u},	    /* I210 */
	[20] = {3, {{2, 0, 0, 0}, {2, 0, 0, 0}, {2, 0, 0, 0}}, 0x08000800u},	    /* I412 */
	[21] = {4, {{2, 0, 0, 0}, {2, 0, 0, 0}, {2, 0, 0, 0}, {2, 0, 0, 1}}, 0x08000800u}, /* YA2L */
	[22] = {2, {{2, 0, 0, 0}, {4, 1, 0, 0}}, 0x80008000u},			    /* P216 */
	[23] = {2, {{2, 0, 0, 0}, {4, 0, 0, 0}}, 0x80008000u},			    /* P416 */
	[24] = {1, {{4, 0, 0, 0}}, 0x20080200u},				    /* V210 */
	[25] = {1, {{4, 0, 0, 0}}, 0x20080200u},				    /* R10L */
};

const struct doppel_format *doppel_format(uint32_t pixel_format)
{
	if (pixel_format >= sizeof formats / sizeof formats[0] || formats[pixel_format].plane_count == 0)
		return NULL;
	return &formats[pixel_format];
}

static uint32_t shifted(uint32_t value, unsigned shift)
{
	return (value + (1u << shift) - 1u) >> shift;
}

int32_t doppel_geometry_complete(struct doppel_geometry *geometry)
{
	const struct doppel_format *format = doppel_format(geometry->pixel_format);
	if (format == NULL || format->flat != 0)
		return -1;
	if (geometry->width < 1 || geometry->width > MAX_SIDE || geometry->height < 1 || geometry->height > MAX_SIDE)
		return -1;
	uint64_t end = 0;
	geometry->plane_count = format->plane_count;
	for (uint32_t p = 0; p < DOPPEL_MAX_PLANES; p++) {
		if (p >= format->plane_count) {
			geometry->linesize[p] = 0;
			geometry->rows[p] = 0;
			geometry->offset[p] = 0;
			continue;
		}
		const struct doppel_plane_format *plane = &format->planes[p];
		const uint32_t row_bytes = shifted(geometry->width, plane->x_shift) * plane->bytes;
		if (geometry->linesize[p] == 0)
			geometry->linesize[p] = row_bytes;
		if (geometry->linesize[p] < row_bytes || geometry->linesize[p] > MAX_LINE)
			return -1;
		geometry->rows[p] = shifted(geometry->height, plane->y_shift);
		geometry->offset[p] = end;
		end += (uint64_t)geometry->linesize[p] * geometry->rows[p];
		end = (end + PLANE_ALIGNMENT - 1) / PLANE_ALIGNMENT * PLANE_ALIGNMENT;
	}
	geometry->frame_bytes = end;
	return 0;
}

uint64_t doppel_segment_bytes(const struct doppel_geometry *geometry, uint32_t slot_count)
{
	struct doppel_geometry whole = *geometry;
	if (doppel_geometry_complete(&whole) != 0 || slot_count < DOPPEL_MIN_SLOTS || slot_count > DOPPEL_MAX_SLOTS)
		return 0;
	const uint64_t stride = (whole.frame_bytes + PAGE - 1) / PAGE * PAGE;
	return DOPPEL_HEADER_BYTES + (slot_count + UINT64_C(2)) * stride; /* the slate, and the kept frame */
}

uint64_t doppel_segment_bytes_with_rgb(const struct doppel_geometry *geometry, uint32_t slot_count)
{
	const uint64_t without = doppel_segment_bytes(geometry, slot_count);
	const uint64_t rgb = without != 0 ? doppel_rgb_bytes(geometry) : 0;
	return rgb == 0 ? 0 : without + slot_count * ((rgb + PAGE - 1) / PAGE * PAGE);
}

/* ---- copies ------------------------------------------------------------------------------------------------- */

void doppel_copy_in(uint8_t *slot, uint8_t *const planes[DOPPEL_MAX_PLANES], const struct doppel_geometry *geometry)
{
	for (uint32_t p = 0; p < geometry->plane_count; p++)
		memcpy(slot + geometry->offset[p], planes[p], (size_t)geometry->linesize[p] * geometry->rows[p]);
}

void doppel_copy_out(uint8_t *const planes[DOPPEL_MAX_PLANES], const uint8_t *slot,
		     const struct doppel_geometry *geometry)
{
	for (uint32_t p = 0; p < geometry->plane_count; p++)
		memcpy(planes[p], slot + geometry->offset[p], (size_t)geometry->linesize[p] * geometry->rows[p]);
}

#define LANES 8u

/* Fletcher's sums, in as many lanes as keep the processor's vectors busy. */
struct sums {
	uint64_t once[LANES], twice[LANES];
};

static inline void add_words(struct sums *sums, const uint8_t *from)
{
	for (uint32_t i = 0; i < LANES; i++) {
		uint64_t word;
		memcpy(&word, from + i * sizeof word, sizeof word);
		sums->once[i] += word;
		sums->twice[i] += sums->once[i];
	}
}

static void add_row(struct sums *total, const uint8_t *row, size_t bytes)
{
	struct sums sums = *total; /* in registers */
	const size_t block = LANES * sizeof(uint64_t);
	size_t at = 0;
	for (; at + block <= bytes; at += block)
		add_words(&sums, row + at);
	uint8_t rest[LANES * sizeof(uint64_t)] = {0};
	memcpy(rest, row + at, bytes - at);
	add_words(&sums, rest);
	*total = sums;
}

uint64_t doppel_copy_rows(uint8_t *into, const uint8_t *from, uint32_t linesize, const struct doppel_geometry *geometry)
{
	const size_t row = geometry->linesize[0];
	struct sums sums = {{0}, {0}};
	for (uint32_t y = 0; y < geometry->rows[0]; y++) {
		memcpy(into + y * row, from + (size_t)y * linesize, row);
		add_row(&sums, into + y * row, row); /* while it is in the cache; a card's memory is read once */
	}
	uint64_t mixed = UINT64_C(0xcbf29ce484222325); /* into one number by FNV-1a's step */
	for (uint32_t i = 0; i < LANES; i++) {
		mixed = (mixed ^ sums.once[i]) * UINT64_C(0x100000001b3);
		mixed = (mixed ^ sums.twice[i]) * UINT64_C(0x100000001b3);
	}
	return mixed != 0 ? mixed : 1;
}

void doppel_flat(uint8_t *const planes[DOPPEL_MAX_PLANES], const uint32_t linesize[DOPPEL_MAX_PLANES],
		 uint32_t pixel_format, uint32_t height)
{
	const struct doppel_format *format = doppel_format(pixel_format);
	for (uint32_t p = 0; p < format->plane_count; p++) {
		if (format->planes[p].alpha == 1)
			continue;
		const size_t bytes = (size_t)linesize[p] * shifted(height, format->planes[p].y_shift);
		const uint32_t value = format->flat != 0 ? format->flat : 0x80808080u;
		for (size_t at = 0; at + 4 <= bytes; at += 4)
			memcpy(planes[p] + at, &value, 4);
		memcpy(planes[p] + bytes / 4 * 4, &value, bytes % 4);
	}
}
