#include "walk.h"

#include "check.h"

#include <string.h>

#define NOTES 24u

unsigned long long seed;
bool hostile;
struct rig_segment segments[SEGMENTS];
int32_t busy[SEGMENTS] = {-1, -1, -1, -1};
static uint64_t last_swapped[FAKE_FILTERS]; /* per filter id, see check_results() */
static uint64_t last_id[FAKE_FILTERS];
static char history[NOTES][NOTE_BYTES];
static unsigned long done;

unsigned below(unsigned n)
{
	return (unsigned)(next_random(&seed) >> 33) % n;
}

void push_segment(struct rig_segment segment)
{
	rig_segment_free(&segments[SEGMENTS - 1]);
	memmove(segments + 1, segments, (SEGMENTS - 1) * sizeof segments[0]);
	memmove(busy + 1, busy, (SEGMENTS - 1) * sizeof busy[0]);
	segments[0] = segment;
	busy[0] = -1;
}

void free_segments(void)
{
	for (unsigned i = 0; i < SEGMENTS; i++)
		rig_segment_free(&segments[i]);
}

void check_results(const struct fake_filter *filter)
{
	const uint64_t id = fake_filter_id(filter);
	const uint32_t cell = (uint32_t)(id % FAKE_FILTERS);
	if (last_id[cell] != id) {
		last_id[cell] = id;
		last_swapped[cell] = 0;
	}
	struct doppel_sample samples[40];
	const int32_t n = doppel_gate_drain(id, samples, 40);
	for (int32_t s = 0; s < n; s++) {
		CHECK(samples[s].outcome >= DOPPEL_OUT_SWAPPED && samples[s].outcome <= DOPPEL_OUT_DROPPED);
		CHECK(samples[s].shown_id < samples[s].frame_id);
		if (samples[s].outcome > DOPPEL_OUT_NO_FACE)
			continue;
		CHECK(samples[s].shown_id > last_swapped[cell]);
		last_swapped[cell] = samples[s].shown_id;
	}
	struct doppel_gate_status status;
	CHECK_EQUAL(doppel_gate_get_status(id, &status), 0);
	/* The gate's own count of frames is the sum of their outcomes; this one is ours. */
	CHECK_EQUAL(filter->frames_given, status.swapped + status.blurred + status.no_face + status.original +
						  status.held + status.covered + status.dropped);
	CHECK(hostile || status.swapped + status.blurred + status.no_face + status.given_back <= status.submitted);
}

char *next_note(void)
{
	return history[done++ % NOTES];
}

void print_notes(void)
{
	fprintf(stderr, "%lu things were done, the last of them:\n", done);
	for (unsigned long i = done < NOTES ? 0 : done - NOTES; i < done; i++)
		fprintf(stderr, "  %s\n", history[i % NOTES]);
}
