/* What the files of the small libobs share. */
#ifndef DOPPEL_FAKE_INTERNAL_H
#define DOPPEL_FAKE_INTERNAL_H

#include "fake_obs.h"

extern _Thread_local uint32_t fake_locks_held; /* by this thread, of all locks of the gate */
void fake_in_libobs(void); /* every function of the table begins so */
void fake_weak_release(void *weak);
/* The source's picture, or what the filters from this one on make of it, into `fake.target`. */
void fake_draw_from(struct fake_source *source, uint32_t filter);
void fake_picture_of_frame(struct fake_picture *picture, const struct obs_source_frame *frame);
/* The frame's planes are the picture's own bytes. */
void fake_frame_of_picture(struct obs_source_frame *frame, struct fake_picture *picture, uint64_t timestamp);

#endif
