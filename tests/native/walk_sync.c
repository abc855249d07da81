/* A random walk through everything that may happen to a sync filter, in any order.
 *
 *     walk_sync SEED STEPS [hostile]
 *
 * After each draw: what reached the scene is judged, a cover, the slate or nothing - but for the times when the user
 * chose the original. With `hostile` the worker scribbles over the whole segment in between: then pixels mean nothing,
 * and what is tested is that the gate survives (under the sanitizers).
 */
#include "check.h"
#include "fake_clock.h"
#include "sync_scene.h"
#include "walk.h"

static struct fake_source source;
static uint64_t lane_serial, drawn[6];
static struct doppel_policy policy;
static struct fake_filter *filter;

static void look(enum fake_kind kind, const char *what)
{
	drawn[kind]++;
	const bool original = !filter->enabled ||
			      (policy.panic == 0 && (policy.paused != 0 || policy.late_policy == DOPPEL_LATE_ORIGINAL));
	if (hostile || original || (kind != FAKE_RAW && kind != FAKE_GARBLED))
		return;
	const struct doppel_filter *f = filter->data;
	fprintf(stderr, "%s: kind %d; frame %llu, held %d, panic %u, late %u\n", what, (int)kind,
		(unsigned long long)f->last_id, f->held_lane != NULL, policy.panic, policy.late_policy);
	CHECK(!"an unjudged picture");
}

static void worker(void)
{
	for (uint32_t i = 0; i < SEGMENTS; i++) {
		if (segments[i].worker == NULL)
			continue;
		if (hostile && below(8) == 0)
			for (uint32_t n = 0; n < 64; n++)
				segments[i].worker[below((unsigned)segments[i].bytes)] = (uint8_t)below(256);
		if (hostile && below(8) == 0)
			segments[i].worker[512 + below(2048)] = (uint8_t)below(5);
		if (busy[i] < 0 && below(3) != 0)
			busy[i] = rig_take(&segments[i]);
		else if (busy[i] >= 0) {
			if (hostile)
				doppel_worker_done(segments[i].worker, segments[i].bytes, (uint32_t)busy[i], below(9), 1);
			else
				rig_finish(&segments[i], busy[i], 1 + below(5));
			busy[i] = -1;
		}
		if (below(40) == 0)
			doppel_worker_ask_again(segments[i].worker, segments[i].bytes);
	}
}

static void attach(void)
{
	struct rig_segment fresh = {0};
	struct doppel_gate_status status;
	CHECK_EQUAL(doppel_gate_get_status(fake_filter_id(filter), &status), 0);
	if (status.lane_state == DOPPEL_LANE_ACTIVE && below(10) != 0)
		return;
	const int32_t result = rig_attach(fake_filter_id(filter), &fresh, 4 + below(4), ++lane_serial);
	if (result != 0) {
		rig_segment_free(&fresh);
		return;
	}
	push_segment(fresh);
	if (below(2) == 0)
		rig_draw_slate(&segments[0], FAKE_SLATE);
}

static void choose_policy(void)
{
	policy = normal;
	policy.paused = below(6) == 0;
	policy.panic = below(6) == 0;
	policy.late_policy = below(4) == 0 ? below(3) : DOPPEL_LATE_HOLD;
	policy.use_slate = below(3) == 0;
	policy.delay_frames = 1 + below(4);
	policy.hold_ns = below(3) * 300 * MS;
	CHECK_EQUAL(doppel_gate_set_policy(fake_filter_id(filter), &policy), 0);
}

static void new_filter(void)
{
	filter = fake_sync_filter_add(&source);
	watched[0] = filter;
	choose_policy();
}

static void step(void)
{
	switch (below(24)) {
	case 0:
		choose_policy();
		break;
	case 1:
		fake_filter_enable(filter, below(3) != 0);
		break;
	case 2:
		if (below(8) == 0 || source.still.geometry.width == 0)
			fake_still(&source, 8 + 2 * below(30), 8 + 2 * below(30));
		break;
	case 3:
		if (below(4) == 0)
			fake_still(&source, 0, 0);
		break;
	case 4:
		card.hdr = below(8) == 0;
		card.lost = below(12) == 0;
		break;
	case 5:
		if (below(8) == 0)
			doppel_gate_detach(fake_filter_id(filter));
		break;
	case 6:
	case 7:
		attach();
		break;
	case 8:
		if (below(10) == 0) {
			watched[0] = NULL;
			fake_filter_remove(filter);
			CHECK_EQUAL(card.objects, 0);
			new_filter();
		}
		break;
	case 9:
		for (unsigned i = below(40); i > 0; i--) { /* hidden */
			atomic_fetch_add(&fake_now_ns, STEP);
			fake_tick(&source, NULL, 0, 0);
		}
		break;
	case 10:
		look(fake_screenshot(&source, NULL), "screenshot");
		break;
	case 11:
		look(fake_sync_draw(&source, NULL), "another draw");
		break;
	case 12:
		doppel_gate_collect(fake_filter_id(filter));
		card.pitch_padding = below(3) * 64;
		break;
	case 13:
		source.show_wanted = below(2) == 0;
		break;
	default:
		if (below(3) != 0 && source.still.geometry.width != 0)
			fake_still(&source, source.still.geometry.width, source.still.geometry.height);
		look(fake_sync_tick(&source, NULL), "tick");
		break;
	}
	worker();
}

int main(int count, char **arguments)
{
	CHECK(count >= 3);
	seed = strtoull(arguments[1], NULL, 10) * 7919 + 1;
	const unsigned long steps = strtoul(arguments[2], NULL, 10);
	hostile = count > 3;
	sync_install();
	fake_source_init(&source, 0);
	source.flags = OBS_FLAG_VIDEO;
	fake_still(&source, SIDE, SIDE);
	new_filter();
	for (unsigned long i = 0; i < steps; i++)
		step();
	watched[0] = NULL;
	fake_filter_remove(filter);
	free_segments();
	CHECK_EQUAL(card.objects, 0);
	CHECK(hostile || drawn[FAKE_JUDGED] > steps / 50);
	printf("walk: drawn %llu nothing, %llu original, %llu judged, %llu cover, %llu slate\n",
	       (unsigned long long)drawn[FAKE_NOTHING], (unsigned long long)drawn[FAKE_RAW],
	       (unsigned long long)drawn[FAKE_JUDGED], (unsigned long long)drawn[FAKE_COVER],
	       (unsigned long long)drawn[FAKE_SLATE_SHOWN]);
	return 0;
}
