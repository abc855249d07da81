/* What the random walks share: the dice, the lanes' segments with the worker's hand on each, and what is said of a failure.
 */
#ifndef DOPPEL_WALK_H
#define DOPPEL_WALK_H

#include "fake_obs.h"
#include "lane_rig.h"

#include <stdio.h>

#define SEGMENTS 4u
#define NOTE_BYTES 48u
/* Notes what was done, for the report of a failure. */
#define NOTE(...) snprintf(next_note(), NOTE_BYTES, __VA_ARGS__)

extern unsigned long long seed;
extern bool hostile;			      /* the worker scribbles over its segments */
extern struct rig_segment segments[SEGMENTS]; /* [0] is the newest */
extern int32_t busy[SEGMENTS];		      /* the slot that the worker has taken of each, or -1 */

unsigned below(unsigned n);
/* A new lane's segment comes first; the oldest one is let go. */
void push_segment(struct rig_segment segment);
void free_segments(void);
/* Results of one filter come in order and each once; each frame that it was given is counted once. */
void check_results(const struct fake_filter *filter);
char *next_note(void);
void print_notes(void); /* the last ones, to standard error */

#endif
