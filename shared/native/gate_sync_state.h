/* The sync filter's own state, and one draw of it. For gate_sync.c and gate_sync_frame.c. */
#ifndef DOPPEL_GATE_SYNC_STATE_H
#define DOPPEL_GATE_SYNC_STATE_H

#include "gate_internal.h"
#include "gate_surface.h"

#define DOPPEL_CHANGES 16u /* more than the largest D */

/* Touched in video_render only, so under libobs's graphics mutex; but for `tick`, which is the graphics thread's. */
struct doppel_sync {
	struct doppel_surface surface;
	uint8_t *frame; /* room for one frame: without a lane the frame, else the cover */
	uint64_t frame_bytes;
	uint64_t fingerprint;	       /* of the frame before; 0: there was none */
	uint64_t changes[DOPPEL_CHANGES];     /* ids of the frames that differed from the one before, the newest first */
	uint64_t tick;		       /* counts video_tick */
	uint64_t staged_tick;	       /* in which a picture was read back; 0: there is none */
	uint64_t staged_ns, staged_time; /* when, by our clock and by libobs's */
	uint64_t drawn_time;	       /* libobs's video time of the last tick that we drew in */
	uint64_t shown_id;	       /* whose picture was uploaded */
	uint64_t taken_ns;	       /* when the last frame was taken */
	enum doppel_picture shown;     /* what our texture holds */
	bool other_cover;	       /* a cover, but not the mosaic of the last frame */
	bool flat;		       /* it is not the texture but grey that is shown, over this size: */
	uint32_t width, height;
	bool inside; /* the target is being drawn */
	_Atomic uint32_t passing; /* drawn by the user's choice, or by the other filter: its colour space is the target's */
};

struct doppel_draw {
	struct doppel_filter *filter;
	struct doppel_sync *sync;
	void *parent, *target; /* asked for once: on another thread the filter may lose them */
	uint64_t video_time, now;
	/* the frame, mapped; NULL: there is none */
	uint8_t *pixels;
	uint32_t linesize;
	struct doppel_turn turn;
	bool counts;  /* it ends as an outcome */
	bool uploads; /* what was chosen is not in the texture yet */
};

/* The mapped frame's place in everything, and what is shown. Afterwards `turn.picture` is to be uploaded if `uploads`. */
void doppel_sync_take_frame(struct doppel_draw *draw);
/* Nothing of the source can be judged, or it need not be: one outcome all the same. */
void doppel_sync_take_outcome(struct doppel_draw *draw, uint32_t outcome);
/* The cover for a moment in which there is no frame: made of the last judged picture, else none. */
void doppel_sync_cover_without_frame(struct doppel_draw *draw);

#endif
