/* Frames as RGB, for an OBS that draws without a graphics card.
 *
 * libobs turns every YUV frame into RGB by a shader. Software OpenGL (llvmpipe) runs that shader on the processor and
 * takes most of two cores for 1280x720 at 30 frames a second; the same here takes a few hundredths of that, and libobs
 * uploads an RGB frame as it is.
 */
#ifndef DOPPEL_RGB_H
#define DOPPEL_RGB_H

#include "ring.h"

#define DOPPEL_RGB_FORMAT 8u /* libobs's VIDEO_FORMAT_BGRX */
#define DOPPEL_RGB_PIXEL_BYTES 4u

/* Bytes of such a frame as BGRX, without padding; 0: not of this format or size. */
uint64_t doppel_rgb_bytes(const struct doppel_geometry *geometry);

/* Writes the frame as BGRX, rows without padding. `geometry` is one with doppel_rgb_bytes() > 0; matrix (row by row, YUV
 * 0..1 to RGB 0..1) and ranges as in libobs's struct obs_source_frame; no value of them does harm.
 *
 * As libobs's shaders do it (format_conversion.effect, 28 to 32): samples clamped to the range, chroma interpolated
 * linearly, which lies on the left of two pixels and between two rows. */
void doppel_rgb_convert(uint8_t *bgrx, const uint8_t *pixels, const struct doppel_geometry *geometry,
			const float matrix[16], const float range_min[3], const float range_max[3]);

#endif
