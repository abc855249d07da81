/* A segment as the control plane makes it, and a worker that judges in the test's own thread. */
#ifndef DOPPEL_LANE_RIG_H
#define DOPPEL_LANE_RIG_H

#include "gate.h"

struct rig_segment {
	int fd;
	uint64_t bytes;
	uint8_t *worker; /* the worker's mapping */
};

extern bool rig_wants_rgb; /* rig_attach makes segments with room for pictures as RGB */

/* A sealed memory file, mapped for the worker. */
struct rig_segment rig_segment(uint64_t bytes);
void rig_segment_free(struct rig_segment *segment);
/* A segment for what the filter last saw, handed to the gate. The gate's answer. */
int32_t rig_attach(uint64_t filter_id, struct rig_segment *segment, uint32_t slots, uint64_t lane_serial);
/* Takes one frame without waiting, -1: none. */
int32_t rig_take(const struct rig_segment *segment);
/* Judges it: marks the pixels, unless the verdict asks for the cover, and hands it back. */
void rig_finish(const struct rig_segment *segment, int32_t slot, uint32_t verdict);
void rig_draw_slate(const struct rig_segment *segment, uint8_t value);

#endif
