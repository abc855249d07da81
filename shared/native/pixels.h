/* Pixel formats: their planes, and what the gate does to whole frames: copy, mosaic, flat fill. */
#ifndef DOPPEL_PIXELS_H
#define DOPPEL_PIXELS_H

#include "ring.h"

#include <stdbool.h>

/* 1 << x_shift by 1 << y_shift pixels share `bytes` bytes. */
struct doppel_plane_format {
	uint8_t bytes;
	uint8_t x_shift;
	uint8_t y_shift;
	uint8_t alpha; /* 1: the whole plane is alpha; 2: the last byte of each group is */
};
struct doppel_format {
	uint32_t plane_count;
	struct doppel_plane_format planes[DOPPEL_MAX_PLANES];
	/* Not 0: a format that is never edited. Mid grey, as 32 bits to repeat. */
	uint32_t flat;
};

/* NULL: not known. With `flat` != 0 the sizes are known, but nothing is edited. */
const struct doppel_format *doppel_format(uint32_t pixel_format);

void doppel_copy_in(uint8_t *slot, uint8_t *const planes[DOPPEL_MAX_PLANES], const struct doppel_geometry *geometry);
void doppel_copy_out(uint8_t *const planes[DOPPEL_MAX_PLANES], const uint8_t *slot,
		     const struct doppel_geometry *geometry);

/* Plane 0 from rows that are `linesize` bytes apart, which is at least the geometry's. Returns a fingerprint: two
 * pictures with the same one are the same, for all that cameras and screens make. Never 0. */
uint64_t doppel_copy_rows(uint8_t *into, const uint8_t *from, uint32_t linesize, const struct doppel_geometry *geometry);

/* Replaces the picture by blocks of 1/16 of its height, each of the mean colour of its place. Alpha stays. */
void doppel_mosaic(uint8_t *const planes[DOPPEL_MAX_PLANES], const struct doppel_geometry *geometry);

/* Grey for the formats whose samples we do not touch. `linesize` as the frame has it. */
void doppel_flat(uint8_t *const planes[DOPPEL_MAX_PLANES], const uint32_t linesize[DOPPEL_MAX_PLANES],
		 uint32_t pixel_format, uint32_t height);

#endif
