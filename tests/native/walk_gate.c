/* A random walk through everything that libobs, the control plane, the user and the worker may do, in any order.
 *
 *     walk_gate SEED STEPS [hostile]
 *
 * After each draw: what reached the scene is judged, a cover, the slate or nothing - but for the times when the user
 * chose the original. With `hostile` the worker scribbles over the whole segment at random in between: then pixels mean
 * nothing any more, and what is tested is that the gate survives (under the sanitizers) and goes on counting right.
 * With gate_rgb.c's own second of waiting no answer would ever be in RGB: too much happens here. So it is built without.
 */
#include "check.h"
#include "fake_clock.h"
#include "walk.h"

#include <string.h>

#define MS UINT64_C(1000000)

static struct fake_source source;
static uint64_t lane_serial;
static bool original_allowed;	/* paused or late_policy original, or was so until a moment ago in another filter */
static bool media_started = true;
static struct doppel_geometry geometry;
static uint64_t drawn[6], as_rgb;

static bool is_delay(uint32_t i)
{
	return source.filters[i]->kept != NULL;
}

/* Some Face Swap filter. */
static struct fake_filter *some_filter(void)
{
	const uint32_t start = source.filter_count == 0 ? 0 : below(source.filter_count);
	for (uint32_t i = 0; i < source.filter_count; i++)
		if (!is_delay((start + i) % source.filter_count))
			return source.filters[(start + i) % source.filter_count];
	return NULL;
}

static void look(void)
{
	fake_draw(&source);
	as_rgb += fake.scene.geometry.width != 0 && fake.scene.geometry.pixel_format == 8;
	const enum fake_kind kind = fake_look(&fake.scene, NULL);
	NOTE("draw: %d", (int)kind);
	drawn[kind]++;
	bool guarded = false;
	for (uint32_t i = 0; i < source.filter_count; i++)
		guarded = guarded || (source.filters[i]->enabled && !is_delay(i));
	if (hostile || original_allowed || !guarded)
		return;
	if (kind == FAKE_RAW || kind == FAKE_GARBLED) {
		print_notes();
		for (uint32_t i = 0; i < source.filter_count; i++) {
			if (is_delay(i)) {
				fprintf(stderr, "  a delay: on %d\n", source.filters[i]->enabled);
				continue;
			}
			const struct doppel_filter *f = source.filters[i]->data;
			fprintf(stderr,
				"  filter %llu: on %d, frame %llu, drawn %llu, frame picture %d, texture %d, suspicion %u, "
				"clean %u x%u, media paused %u, stop %llu ms ago, paused %u, panic %u, late %u\n",
				(unsigned long long)f->id, source.filters[i]->enabled, (unsigned long long)f->last_id,
				(unsigned long long)f->drawn_id, (int)f->frame_picture, (int)f->texture, f->suspicion,
				f->clean_suspicion, f->clean_uploads, f->media_paused,
				(unsigned long long)((fake_now_ns - f->media_stop_ns) / MS), f->paused, f->panic,
				f->late_policy);
		}
		fprintf(stderr, "an unjudged picture was drawn (kind %d)\n", (int)kind);
		abort();
	}
}

static void order(void)
{
	for (uint32_t i = 0; i < source.filter_count; i++)
		if (!is_delay(i))
			check_results(source.filters[i]);
}

static void attach(void)
{
	struct fake_filter *filter = some_filter();
	if (filter == NULL)
		return;
	struct rig_segment fresh = {0};
	const int32_t result = rig_attach(fake_filter_id(filter), &fresh, 4 + below(9), ++lane_serial);
	push_segment(fresh);
	if (result == 0 && below(4) == 0)
		rig_draw_slate(&segments[0], FAKE_SLATE);
}

static void work(void)
{
	for (unsigned i = 0; i < SEGMENTS; i++) {
		if (segments[i].worker == NULL || below(4) == 0)
			continue;
		if (busy[i] >= 0 && !hostile)
			rig_finish(&segments[i], busy[i], below(12) == 0 ? below(9) : 1 + below(4));
		else if (busy[i] >= 0 && below(2) == 0)
			doppel_worker_make_rgb(segments[i].worker, segments[i].bytes, (uint32_t)busy[i]);
		if (busy[i] >= 0 && hostile)
			doppel_worker_done(segments[i].worker, segments[i].bytes, (uint32_t)busy[i], below(9), 1);
		busy[i] = rig_take(&segments[i]);
		if (below(6) == 0)
			doppel_worker_ask_again(segments[i].worker, segments[i].bytes);
	}
}

static void scribble(void)
{
	struct rig_segment *segment = &segments[below(SEGMENTS)];
	if (segment->worker == NULL)
		return;
	const uint64_t from = below(2) == 0 ? below(4096) : below((unsigned)segment->bytes);
	const uint64_t count = 1 + below(below(10) == 0 ? (unsigned)segment->bytes : 300);
	for (uint64_t at = from; at < from + count && at < segment->bytes; at++)
		segment->worker[at] = (uint8_t)(next_random(&seed) >> 40);
	if (below(20) == 0)
		memset(segment->worker, (int)below(256), segment->bytes);
}

static void policy(void)
{
	NOTE("policy");
	original_allowed = below(10) == 0;
	const bool by_pause = below(2) == 0;
	for (uint32_t i = 0; i < source.filter_count; i++) {
		if (is_delay(i))
			continue;
		const struct doppel_policy wanted = {
			.paused = original_allowed && by_pause,
			.panic = below(10) == 0,
			.late_policy = original_allowed && !by_pause ? DOPPEL_LATE_ORIGINAL : below(2),
			.use_slate = below(2),
			.hold_ns = below(600) * MS,
			.delay_frames = below(8) == 0 ? below(14) : 1 + below(2),
		};
		CHECK_EQUAL(doppel_gate_set_policy(fake_filter_id(source.filters[i]), &wanted), 0);
	}
}

static void media(void)
{
	if ((source.flags & OBS_FLAG_CONTROLLABLE_MEDIA) == 0)
		return;
	const unsigned what = below(6);
	NOTE("media %u (pause play stop restart seek)", what);
	fake_media(&source, &geometry, what < FAKE_MEDIA_SEEK ? (enum fake_media)what : FAKE_MEDIA_SEEK, &media_started);
}

static void change_geometry(void)
{
	const uint32_t formats[] = {1, 2, 4, 7, 9, 11, 13, 15}; /* not 8: that is an answer as RGB */
	/* Sizes whose raw pattern no mosaic can resemble. */
	geometry = fake_geometry(formats[below(8)], 40 + 2 * below(20), 40 + 2 * below(20), below(3) * 8);
}

static void filters(void)
{
	NOTE("filters");
	if (source.filter_count > 0 && below(3) == 0) {
		fake_filter_move(source.filters[below(source.filter_count)], below(source.filter_count));
	} else if (source.filter_count < FAKE_FILTERS && below(3) == 0) {
		fake_delay_add(&source, below(FAKE_MAX_DELAY + 1));
	} else if (source.filter_count < FAKE_FILTERS && below(2) == 0) {
		struct fake_filter *filter = fake_filter_add(&source);
		const struct doppel_policy wanted = {.hold_ns = 200 * MS, .delay_frames = 2};
		CHECK_EQUAL(doppel_gate_set_policy(fake_filter_id(filter), &wanted), 0);
		policy();
		fake_tick(&source, &geometry, 0, 0); /* it listens from its first tick on */
	} else if (source.filter_count > 0) {
		fake_filter_remove(source.filters[below(source.filter_count)]);
	}
}

static void enable(void)
{
	struct fake_filter *filter = source.filters[below(source.filter_count)];
	const bool on = !filter->enabled || below(6) != 0;
	NOTE("%s %s", filter->kept != NULL ? "delay" : "filter", on ? "on" : "off");
	fake_filter_enable(filter, on);
}

static void tick(void)
{
	const unsigned what = below(10);
	const uint32_t frames = what < 7 ? 1 : what < 8 ? (source.deinterlace != 0 ? 2 : 1) : 0;
	const uint64_t step = below(60) == 0 ? (below(2) == 0 ? 4000 * MS : (uint64_t)-(int64_t)(900 * MS)) : 33 * MS;
	atomic_fetch_add(&fake_now_ns, below(40) == 0 ? below(3000) * MS : 33 * MS);
	NOTE("tick %u frames, step %lld ms%s%s", frames, (long long)step / 1000000, source.showing ? " showing" : "",
	     source.active ? " active" : "");
	const bool was_active = source.active;
	fake_tick(&source, &geometry, frames, step);
	media_started = media_started || (source.active && !was_active);
	if (source.showing && below(12) != 0)
		look();
}

static void step(void)
{
	switch (below(24)) {
	case 0:
		if (lane_serial == 0 || below(16) == 0)
			attach();
		break;
	case 1:
		if (below(60) == 0 && some_filter() != NULL)
			CHECK_EQUAL(doppel_gate_detach(fake_filter_id(some_filter())), 0);
		break;
	case 2:
		if (some_filter() != NULL)
			CHECK(doppel_gate_collect(fake_filter_id(some_filter())) >= 0);
		break;
	case 3:
		if (below(6) == 0)
			policy();
		break;
	case 4:
		media();
		break;
	case 5:
		if (below(30) == 0)
			change_geometry();
		break;
	case 6:
		if (below(20) == 0)
			filters();
		break;
	case 7:
		if (source.filter_count > 0 && below(3) == 0)
			enable();
		break;
	case 8:
		if (below(4) == 0) {
			source.show_wanted = below(4) != 0;
			source.active_wanted = source.show_wanted && below(3) != 0;
		}
		break;
	case 9:
		if (below(20) == 0)
			source.deinterlace = below(2) == 0;
		break;
	case 10:
		look(); /* a screenshot at any moment */
		break;
	case 11:
		order();
		break;
	case 12:
	case 13:
	case 14:
	case 15:
		work();
		break;
	case 16:
		if (hostile)
			scribble();
		break;
	default:
		tick();
	}
}

int main(int count, char **arguments)
{
	CHECK(count >= 3);
	seed = strtoull(arguments[1], NULL, 10) * 2654435761u + 88172645463325252ull;
	const unsigned long steps = strtoul(arguments[2], NULL, 10);
	hostile = count > 3 && strcmp(arguments[3], "hostile") == 0;
	fake_install();
	for (unsigned long i = 0; i < steps; i++) {
		if (i % 20000 == 0) { /* another source */
			while (source.filter_count > 0)
				fake_filter_remove(source.filters[0]);
			rig_wants_rgb = below(2) == 0;
			fake_source_init(&source, below(2) == 0 ? OBS_FLAG_CONTROLLABLE_MEDIA : 0);
			source.timestamp = 1000000 * MS;
			media_started = true;
			original_allowed = false;
			fake.filters_tick_first = below(2) == 0;
			change_geometry();
			fake_filter_add(&source);
			fake_tick(&source, &geometry, 0, 0);
		}
		step();
	}
	while (source.filter_count > 0)
		fake_filter_remove(source.filters[0]);
	free_segments();
	CHECK_EQUAL(doppel_gate_list(NULL, 0), 0);
	CHECK(hostile || steps < 20000 || (drawn[FAKE_JUDGED] > 0 && drawn[FAKE_COVER] > 0 && drawn[FAKE_NOTHING] > 0));
	printf("walk: nothing %llu, judged %llu, %llu of them as RGB, cover %llu, slate %llu, original "
	       "%llu\n",
	       (unsigned long long)drawn[FAKE_NOTHING], (unsigned long long)drawn[FAKE_JUDGED],
	       (unsigned long long)as_rgb, (unsigned long long)drawn[FAKE_COVER], (unsigned long long)drawn[FAKE_SLATE_SHOWN],
	       (unsigned long long)drawn[FAKE_RAW]);
	return 0;
}
