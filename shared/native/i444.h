/* Frames with chroma of their own for every pixel (I444), for an OBS that draws without a graphics card.
 *
 * libobs turns every YUV frame into RGB by a shader. Where pixels share chroma the shader interpolates it, and software
 * OpenGL (llvmpipe) does that on the processor: most of a core for 1280x720 at 30 frames a second. Interpolated here it
 * costs a few hundredths of that, and for I444 libobs's shader has little left to do.
 */
#ifndef DOPPEL_I444_H
#define DOPPEL_I444_H

#include "ring.h"

#define DOPPEL_I444_FORMAT 10u /* libobs's VIDEO_FORMAT_I444 */
#define DOPPEL_I444_PLANES 3u

/* Bytes of such a frame as I444, its planes one after the other, without padding; 0: its chroma is not shared, or it is
 * of an odd size (libobs stretches the chroma of those a little). */
uint64_t doppel_i444_bytes(const struct doppel_geometry *geometry);

/* Writes the frame as I444. `geometry` is one with doppel_i444_bytes() > 0.
 *
 * As libobs's shaders sample it (format_conversion.effect, VS420Left_Reverse and VS422Left_Reverse, 28 to 32): linearly;
 * chroma lies on the left one of two pixels, and between two rows. Rounded to nearest. */
void doppel_i444_convert(uint8_t *i444, const uint8_t *pixels, const struct doppel_geometry *geometry);

#endif
