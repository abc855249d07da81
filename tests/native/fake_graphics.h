/* A small graphics library, for the sync filter: textures are fake_pictures, drawing copies one into what is drawn into.
 *
 * It checks what the real one would not forgive or would pay for: everything happens with the graphics context, states
 * are given back as they were, a stage is not mapped in the tick in which it was written, nothing is left behind.
 */
#ifndef DOPPEL_FAKE_GRAPHICS_H
#define DOPPEL_FAKE_GRAPHICS_H

#include "fake_obs.h"
#include "gate_sync.h"

struct fake_card {
	uint32_t pitch_padding; /* bytes that a mapped row is longer */
	bool hdr;		/* what the target's colour space says */
	bool refuses;		/* no more textures */
	bool lost;		/* and what was copied cannot be read */
	uint32_t objects;	/* that live */
	uint32_t maps, uploads;
};
extern struct fake_card card;

void fake_graphics_install(void); /* after fake_install() */
/* The source's own picture, of BGRA: the next raw one, or none (width 0). */
void fake_still(struct fake_source *source, uint32_t width, uint32_t height);
/* Draws it; what reaches the scene. */
enum fake_kind fake_sync_draw(struct fake_source *source, uint64_t *shown);
/* The same on a thread of its own, as obs-websocket takes a screenshot. */
enum fake_kind fake_screenshot(struct fake_source *source, uint64_t *shown);

#endif
