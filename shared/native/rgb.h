/* Frames as RGB, for an OBS that draws without a graphics card.
 *
 * libobs turns every YUV frame into RGB by its conversion shader, which software OpenGL (llvmpipe) runs on the processor.
 * The same here costs a few hundredths of a core (docs/architecture.md).
 *
 * It is RGB of limited range (16..235), which libobs stretches by a small shader. RGB of full range it would upload as it
 * is, for the same price; but if a media source shapes the source's textures for a frame of its own between the gate's
 * answer and the upload, libobs takes the answer for one that needs a shader, has none, and ends (gate_rgb.c).
 */
#ifndef DOPPEL_RGB_H
#define DOPPEL_RGB_H

#include "ring.h"

#include <stdbool.h>

#define DOPPEL_RGB_FORMAT 8u /* libobs's VIDEO_FORMAT_BGRX */
#define DOPPEL_RGB_PIXEL_BYTES 4u

/* A format that libobs uploads into a texture of four bytes a sample, and may take for BGRX's: packed 4:2:2. */
bool doppel_rgb_is_packed(uint32_t pixel_format);

/* Bytes of such a frame as BGRX, without padding; 0: not of these formats (8 bits, YUV, opaque), or its chroma is shared and
 * its size odd (libobs stretches the chroma of those a little). */
uint64_t doppel_rgb_bytes(const struct doppel_geometry *geometry);

/* How libobs reads a frame's samples; the fields are those of struct obs_source_frame. No value does harm. */
struct doppel_rgb_colour {
	float matrix[16]; /* row by row: YUV 0..1 to RGB 0..1 */
	float range_min[3], range_max[3];
};

/* Writes the frame as BGRX, 16..235, rows without padding. `geometry` is one with doppel_rgb_bytes() > 0.
 *
 * As libobs's shaders do it (format_conversion.effect, 28 to 32): samples clamped to the range, chroma interpolated
 * linearly, which lies on the left one of two pixels and between two rows. */
void doppel_rgb_convert(uint8_t *bgrx, const uint8_t *pixels, const struct doppel_geometry *geometry,
			const struct doppel_rgb_colour *colour);

#endif
