/* What the sync filter has on the graphics card. Everything here is called with libobs's graphics mutex held (in
 * video_render, or between obs_enter_graphics and obs_leave_graphics), and with no lock of ours. */
#ifndef DOPPEL_GATE_SURFACE_H
#define DOPPEL_GATE_SURFACE_H

#include "gate_sync.h"

#define DOPPEL_STAGES 2u /* one that is written by the card while the other is read */
#define DOPPEL_FLAT_SIDE 4u

struct doppel_surface {
	void *render;		    /* the target is drawn into this */
	void *stages[DOPPEL_STAGES]; /* and read back through these */
	void *picture;		    /* what is shown */
	void *flat;		    /* grey, where no picture may be shown and none can be covered */
	uint32_t width, height;	    /* of all but `flat`; 0: there are none */
	uint32_t next;		    /* the stage that is written next */
	bool refused;		    /* the card has no room for this size */
};

extern struct doppel_graphics doppel_graphics; /* constant after the first install */

/* Makes everything anew for another size; false: that cannot be. */
bool doppel_surface_fit(struct doppel_surface *surface, uint32_t width, uint32_t height);
/* Draws it into a texture and begins to copy that into the next stage. */
bool doppel_surface_capture(struct doppel_surface *surface, void *parent, void *target);
/* The stage that was written before the last capture, or at it (`back` 1, 0). false: the card does not give it. */
bool doppel_surface_map(const struct doppel_surface *surface, uint32_t back, uint8_t **pixels, uint32_t *linesize);
void doppel_surface_unmap(const struct doppel_surface *surface, uint32_t back);
/* Rows of 4 * width bytes. */
void doppel_surface_upload(const struct doppel_surface *surface, const uint8_t *pixels);
void doppel_surface_draw(const struct doppel_surface *surface);
/* Grey over that size. */
void doppel_surface_draw_flat(struct doppel_surface *surface, uint32_t width, uint32_t height);
void doppel_surface_free(struct doppel_surface *surface);

#endif
