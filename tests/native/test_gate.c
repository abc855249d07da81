/* The gate, scenario by scenario, against the small libobs of fake_obs.c. */
#include "check.h"
#include "fake_clock.h"
#include "fake_obs.h"
#include "lane_rig.h"

#include <string.h>

#define MS UINT64_C(1000000)
#define STEP (33 * MS)

static struct doppel_geometry i420;

struct scene {
	struct fake_source source;
	struct fake_filter *filter;
	uint64_t id;
	struct rig_segment segment;
};

static struct fake_filter *watched[4];

/* No lock of ours is held while libobs is called. */
static void no_lock_is_held(void)
{
	for (unsigned i = 0; i < 4; i++)
		if (watched[i] != NULL && watched[i]->data != NULL) {
			struct doppel_filter *filter = watched[i]->data;
			CHECK_EQUAL(atomic_load(&filter->lock.taken), 0);
			CHECK_EQUAL(atomic_load(&filter->control.taken), 0);
		}
}

static void begin(struct scene *scene, uint32_t flags)
{
	memset(scene, 0, sizeof *scene);
	fake_source_init(&scene->source, flags);
	scene->source.timestamp = 1000000 * MS;
	scene->filter = fake_filter_add(&scene->source);
	scene->id = fake_filter_id(scene->filter);
	watched[0] = scene->filter;
	fake.in_libobs = no_lock_is_held;
}

static struct doppel_gate_status status_of(const struct scene *scene)
{
	struct doppel_gate_status status;
	CHECK_EQUAL(doppel_gate_get_status(scene->id, &status), 0);
	CHECK_EQUAL(status.frames_in, status.swapped + status.blurred + status.no_face + status.original + status.held +
					      status.covered + status.dropped);
	return status;
}

static void end(struct scene *scene)
{
	watched[0] = NULL;
	if (scene->filter != NULL)
		fake_filter_remove(scene->filter);
	CHECK_EQUAL(doppel_gate_list(NULL, 0), 0);
	rig_segment_free(&scene->segment);
}

/* One tick and what the viewer sees. */
static enum fake_kind tick(struct scene *scene, uint32_t frames, uint64_t *shown)
{
	atomic_fetch_add(&fake_now_ns, STEP);
	fake_tick(&scene->source, &i420, frames, STEP);
	fake_draw(&scene->source);
	return fake_look(&fake.scene, shown);
}

static void judge_all(struct scene *scene, uint32_t verdict)
{
	for (int32_t slot; (slot = rig_take(&scene->segment)) >= 0;)
		rig_finish(&scene->segment, slot, verdict);
}

static void set_policy(const struct scene *scene, struct doppel_policy policy)
{
	CHECK_EQUAL(doppel_gate_set_policy(scene->id, &policy), 0);
}
static const struct doppel_policy normal = {.hold_ns = 500 * MS, .delay_frames = 2};

/* A scene whose lane runs, with judged frames coming out. */
static void running(struct scene *scene, uint32_t flags)
{
	begin(scene, flags);
	set_policy(scene, normal);
	CHECK_EQUAL(tick(scene, 0, NULL), FAKE_NOTHING); /* a media source starts before its first frame comes */
	CHECK_EQUAL(tick(scene, 1, NULL), FAKE_COVER);
	CHECK_EQUAL(rig_attach(scene->id, &scene->segment, 6, 7), 0);
	for (int i = 0; i < 5; i++) {
		tick(scene, 1, NULL);
		judge_all(scene, DOPPEL_VERDICT_SWAPPED);
	}
	CHECK_EQUAL(tick(scene, 1, NULL), FAKE_JUDGED);
	judge_all(scene, DOPPEL_VERDICT_SWAPPED);
	CHECK_EQUAL(status_of(scene).lane_state, DOPPEL_LANE_ACTIVE);
	CHECK_EQUAL(status_of(scene).lane_serial, 7);
}

static void nothing_is_drawn_before_the_first_frame(void)
{
	struct scene scene;
	begin(&scene, 0);
	fake_show_raw(&scene.source, &i420);
	scene.source.async_active = true;
	CHECK_EQUAL(tick(&scene, 0, NULL), FAKE_NOTHING);
	CHECK(status_of(&scene).renders_blocked > 0);
	CHECK_EQUAL(tick(&scene, 1, NULL), FAKE_COVER);
	end(&scene);
}

static void frames_are_covered_until_there_is_a_worker(void)
{
	struct scene scene;
	begin(&scene, 0);
	for (int i = 0; i < 5; i++)
		CHECK_EQUAL(tick(&scene, 1, NULL), FAKE_COVER);
	const struct doppel_gate_status status = status_of(&scene);
	CHECK_EQUAL(status.covered, 5);
	CHECK_EQUAL(status.lane_state, DOPPEL_LANE_NONE);
	CHECK_EQUAL(status.geometry.width, 64);
	CHECK_EQUAL(status.geometry_serial, 1);
	CHECK_EQUAL(status.frame_interval_ns, STEP);
	end(&scene);
}

static void results_come_out_in_order_after_exactly_d_frames(void)
{
	for (uint32_t delay = 1; delay <= 3; delay++) {
		struct scene scene;
		begin(&scene, 0);
		struct doppel_policy policy = normal;
		policy.delay_frames = delay;
		set_policy(&scene, policy);
		tick(&scene, 1, NULL);
		CHECK_EQUAL(rig_attach(scene.id, &scene.segment, 6, 1), 0);
		for (uint32_t i = 0; i < 20; i++) {
			uint64_t shown;
			const enum fake_kind kind = tick(&scene, 1, &shown);
			if (i < delay) {
				CHECK_EQUAL(kind, FAKE_COVER);
			} else {
				CHECK_EQUAL(kind, FAKE_JUDGED);
				CHECK_EQUAL(shown, (fake.raw_id - delay) & 63);
			}
			judge_all(&scene, DOPPEL_VERDICT_SWAPPED);
		}
		struct doppel_sample samples[64];
		const int32_t n = doppel_gate_drain(scene.id, samples, 64);
		CHECK_EQUAL(n, 21);
		CHECK_EQUAL(samples[20].outcome, DOPPEL_OUT_SWAPPED);
		CHECK_EQUAL(samples[20].frame_id, 21);
		CHECK_EQUAL(samples[20].shown_id, 21 - delay);
		CHECK_EQUAL(samples[20].delay_ns, delay * STEP);
		CHECK_EQUAL(doppel_gate_drain(scene.id, samples, 64), 0);
		CHECK_EQUAL(status_of(&scene).swapped, 20 - delay);
		CHECK_EQUAL(status_of(&scene).delay_frames, delay);
		end(&scene);
	}
}

static void verdicts_are_obeyed(void)
{
	const struct {
		uint32_t verdict;
		enum fake_kind seen;
	} cases[] = {{DOPPEL_VERDICT_SWAPPED, FAKE_JUDGED},  {DOPPEL_VERDICT_BLURRED, FAKE_JUDGED},
		     {DOPPEL_VERDICT_NO_FACE, FAKE_JUDGED},  {DOPPEL_VERDICT_ORIGINAL, FAKE_JUDGED},
		     {DOPPEL_VERDICT_COVERED, FAKE_COVER},   {DOPPEL_VERDICT_NONE, FAKE_COVER},
		     {6, FAKE_COVER},			     {UINT32_MAX, FAKE_COVER}};
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct scene scene;
		running(&scene, 0);
		for (int n = 0; n < 4; n++) {
			tick(&scene, 1, NULL);
			judge_all(&scene, cases[i].verdict);
		}
		CHECK_EQUAL(tick(&scene, 1, NULL), cases[i].seen);
		end(&scene);
	}
}

static void a_missing_result_holds_then_covers(void)
{
	struct scene scene;
	running(&scene, 0);
	uint64_t last, shown;
	CHECK_EQUAL(tick(&scene, 1, &last), FAKE_JUDGED);
	CHECK_EQUAL(tick(&scene, 1, &last), FAKE_JUDGED); /* what was judged already still comes */
	int held = 0;
	for (; tick(&scene, 1, &shown) == FAKE_JUDGED; held++)
		CHECK_EQUAL(shown, last);
	CHECK_EQUAL(held, 16); /* 500 ms of 33 */
	CHECK_EQUAL(tick(&scene, 1, NULL), FAKE_COVER);
	CHECK_EQUAL(status_of(&scene).held, 16);
	judge_all(&scene, DOPPEL_VERDICT_SWAPPED); /* and back */
	tick(&scene, 1, NULL);
	judge_all(&scene, DOPPEL_VERDICT_SWAPPED);
	tick(&scene, 1, NULL);
	CHECK_EQUAL(tick(&scene, 1, NULL), FAKE_JUDGED);
	end(&scene);
}

static void late_policies(void)
{
	struct scene scene;
	running(&scene, 0);
	struct doppel_policy policy = normal;
	policy.late_policy = DOPPEL_LATE_COVER;
	set_policy(&scene, policy);
	for (int i = 0; i < 3; i++)
		tick(&scene, 1, NULL);
	CHECK_EQUAL(tick(&scene, 1, NULL), FAKE_COVER);
	CHECK_EQUAL(tick(&scene, 0, NULL), FAKE_COVER); /* and no flicker between frames */
	policy.late_policy = DOPPEL_LATE_ORIGINAL;
	set_policy(&scene, policy);
	CHECK_EQUAL(tick(&scene, 1, NULL), FAKE_RAW);
	CHECK_EQUAL(tick(&scene, 0, NULL), FAKE_RAW);
	set_policy(&scene, normal); /* the original in the texture is not allowed any more */
	CHECK(tick(&scene, 0, NULL) != FAKE_RAW);
	end(&scene);
}

static void panic_covers_at_once_and_ends_at_once(void)
{
	struct scene scene;
	running(&scene, 0);
	struct doppel_policy policy = normal;
	policy.panic = 1;
	set_policy(&scene, policy);
	fake_draw(&scene.source); /* not even a frame later */
	CHECK_EQUAL(fake_look(&fake.scene, NULL), FAKE_COVER);
	CHECK_EQUAL(tick(&scene, 1, NULL), FAKE_COVER);
	judge_all(&scene, DOPPEL_VERDICT_SWAPPED);
	CHECK_EQUAL(tick(&scene, 0, NULL), FAKE_COVER);
	set_policy(&scene, normal);
	CHECK_EQUAL(tick(&scene, 0, NULL), FAKE_JUDGED);
	CHECK_EQUAL(tick(&scene, 1, NULL), FAKE_JUDGED);
	end(&scene);
}

static void the_slate_is_the_cover_where_there_is_one(void)
{
	struct scene scene;
	running(&scene, 0);
	struct doppel_policy policy = normal;
	policy.panic = policy.use_slate = 1;
	set_policy(&scene, policy);
	CHECK_EQUAL(tick(&scene, 1, NULL), FAKE_COVER);
	rig_draw_slate(&scene.segment, FAKE_SLATE);
	CHECK_EQUAL(tick(&scene, 1, NULL), FAKE_SLATE_SHOWN);
	doppel_worker_set_slate(scene.segment.worker, scene.segment.bytes, 0);
	CHECK_EQUAL(tick(&scene, 1, NULL), FAKE_COVER);
	end(&scene);
}

static void paused_shows_the_original_and_nothing_of_it_stays(void)
{
	struct scene scene;
	running(&scene, 0);
	struct doppel_policy policy = normal;
	policy.paused = 1;
	set_policy(&scene, policy);
	CHECK_EQUAL(tick(&scene, 1, NULL), FAKE_RAW);
	CHECK_EQUAL(status_of(&scene).original, 1);
	set_policy(&scene, normal);
	CHECK_EQUAL(tick(&scene, 0, NULL), FAKE_NOTHING); /* the texture still holds it */
	CHECK_EQUAL(tick(&scene, 1, NULL), FAKE_COVER);
	end(&scene);

	running(&scene, 0); /* without a frame ever after: the last one is judged then */
	set_policy(&scene, policy);
	CHECK_EQUAL(tick(&scene, 1, NULL), FAKE_RAW);
	const uint64_t last = fake.raw_id;
	set_policy(&scene, normal);
	uint64_t shown = 0;
	enum fake_kind kind = FAKE_RAW;
	for (int i = 0; i < 8; i++) {
		kind = tick(&scene, 0, &shown);
		CHECK(kind != FAKE_RAW);
		judge_all(&scene, DOPPEL_VERDICT_SWAPPED);
	}
	CHECK_EQUAL(kind, FAKE_JUDGED);
	CHECK_EQUAL(shown, last & 63);
	end(&scene);
}

static void a_filter_that_was_off_covers_what_came_through(void)
{
	struct scene scene;
	running(&scene, 0);
	fake_filter_enable(scene.filter, false);
	for (int i = 0; i < 3; i++)
		CHECK_EQUAL(tick(&scene, 1, NULL), FAKE_RAW);
	fake_filter_enable(scene.filter, true);
	CHECK_EQUAL(tick(&scene, 0, NULL), FAKE_JUDGED); /* our last picture again */
	const uint64_t flushes = status_of(&scene).flushes;
	CHECK_EQUAL(tick(&scene, 1, NULL), FAKE_JUDGED);
	CHECK_EQUAL(status_of(&scene).flushes, flushes + 1);
	end(&scene);

	running(&scene, 0); /* without a frame ever after, either */
	fake_filter_enable(scene.filter, false);
	tick(&scene, 1, NULL);
	fake_filter_enable(scene.filter, true);
	for (int i = 0; i < 50; i++)
		CHECK(tick(&scene, 0, NULL) != FAKE_RAW);
	end(&scene);
}

static void a_source_that_stops_shows_its_last_frames_result(void)
{
	struct scene scene;
	running(&scene, OBS_FLAG_CONTROLLABLE_MEDIA);
	const uint64_t last = fake.raw_id;
	uint64_t shown = 0;
	for (int i = 0; i < 10; i++)
		CHECK_EQUAL(tick(&scene, 0, &shown), FAKE_JUDGED);
	CHECK_EQUAL(shown, last & 63);
	CHECK(tick(&scene, 1, &shown) == FAKE_JUDGED); /* it goes on: held until the next is judged, never back */
	CHECK_EQUAL(shown, last & 63);
	end(&scene);
}

static void a_still_that_came_before_any_lane_is_judged_too(void)
{
	struct scene scene;
	begin(&scene, OBS_FLAG_CONTROLLABLE_MEDIA);
	tick(&scene, 0, NULL);
	CHECK_EQUAL(tick(&scene, 1, NULL), FAKE_COVER);
	const uint64_t only = fake.raw_id;
	CHECK_EQUAL(rig_attach(scene.id, &scene.segment, 4, 1), 0);
	uint64_t shown = 0;
	enum fake_kind kind = FAKE_NOTHING;
	for (int i = 0; i < 8; i++) {
		kind = tick(&scene, 0, &shown);
		judge_all(&scene, DOPPEL_VERDICT_SWAPPED);
	}
	CHECK_EQUAL(kind, FAKE_JUDGED);
	CHECK_EQUAL(shown, only & 63);
	end(&scene);
}

static void a_source_of_one_frame_a_second_is_shown_as_soon_as_it_is_judged(void)
{
	struct scene scene;
	running(&scene, 0);
	for (int second = 0; second < 5; second++) {
		uint64_t shown = 0;
		for (int i = 0; i < 30; i++) {
			atomic_fetch_add(&fake_now_ns, STEP);
			fake_tick(&scene.source, &i420, i == 0, 1000 * MS);
			fake_draw(&scene.source);
			CHECK_EQUAL(fake_look(&fake.scene, &shown), FAKE_JUDGED);
			judge_all(&scene, DOPPEL_VERDICT_SWAPPED);
		}
		CHECK_EQUAL(shown, fake.raw_id & 63);
	}
	end(&scene);
}

static void a_late_cover_verdict_for_a_still_covers(void)
{
	struct scene scene;
	running(&scene, 0);
	tick(&scene, 1, NULL);
	judge_all(&scene, DOPPEL_VERDICT_COVERED);
	for (int i = 0; i < 6; i++)
		tick(&scene, 0, NULL);
	CHECK_EQUAL(tick(&scene, 0, NULL), FAKE_COVER);
	end(&scene);
}

static void a_jump_in_time_flushes(void)
{
	const uint64_t jumps[] = {(uint64_t)-(int64_t)(500 * STEP), 3000 * MS};
	for (int i = 0; i < 2; i++) {
		struct scene scene;
		running(&scene, 0);
		uint64_t before = 0, shown;
		tick(&scene, 1, &before);
		judge_all(&scene, DOPPEL_VERDICT_SWAPPED);
		scene.source.timestamp += jumps[i];
		for (int n = 0; n < 2; n++) {
			CHECK_EQUAL(tick(&scene, 1, &shown), FAKE_JUDGED);
			CHECK_EQUAL(shown, before); /* the judged frames from before the jump never come */
			judge_all(&scene, DOPPEL_VERDICT_SWAPPED);
		}
		CHECK_EQUAL(tick(&scene, 1, &shown), FAKE_JUDGED);
		CHECK_EQUAL(shown, (fake.raw_id - 2) & 63);
		end(&scene);
	}
}

static void a_new_geometry_covers_and_wants_a_new_segment(void)
{
	struct scene scene;
	running(&scene, 0);
	const struct doppel_geometry small = i420;
	i420 = fake_geometry(2, 48, 48, 16);
	CHECK_EQUAL(tick(&scene, 1, NULL), FAKE_COVER);
	struct doppel_gate_status status = status_of(&scene);
	CHECK_EQUAL(status.lane_state, DOPPEL_LANE_STALE);
	CHECK_EQUAL(status.geometry_serial, 2);
	CHECK_EQUAL(status.geometry.linesize[0], 64);
	CHECK_EQUAL(doppel_gate_attach(scene.id, scene.segment.fd, scene.segment.bytes, 6, 1, 8), -3);
	struct rig_segment second;
	CHECK_EQUAL(rig_attach(scene.id, &second, 5, 8), 0);
	CHECK_EQUAL(tick(&scene, 1, NULL), FAKE_COVER);
	CHECK_EQUAL(doppel_gate_collect(scene.id), 1); /* the old one is gone */
	rig_segment_free(&scene.segment);
	scene.segment = second;
	for (int i = 0; i < 3; i++) {
		judge_all(&scene, DOPPEL_VERDICT_SWAPPED);
		tick(&scene, 1, NULL);
	}
	CHECK_EQUAL(tick(&scene, 1, NULL), FAKE_JUDGED);
	i420 = small;
	end(&scene);
}

static void a_new_worker_takes_over_while_the_old_picture_is_held(void)
{
	struct scene scene;
	running(&scene, 0);
	CHECK_EQUAL(doppel_gate_detach(scene.id), 0);
	uint32_t given_back;
	CHECK_EQUAL(doppel_worker_next(scene.segment.worker, scene.segment.bytes, 0, &given_back), DOPPEL_NEXT_CLOSED);
	CHECK_EQUAL(tick(&scene, 1, NULL), FAKE_JUDGED);
	CHECK_EQUAL(status_of(&scene).lane_state, DOPPEL_LANE_NONE);
	CHECK_EQUAL(doppel_gate_collect(scene.id), 1); /* its picture is shown */
	rig_segment_free(&scene.segment);
	CHECK_EQUAL(rig_attach(scene.id, &scene.segment, 6, 2), 0);
	for (int i = 0; i < 4; i++) {
		CHECK_EQUAL(tick(&scene, 1, NULL), FAKE_JUDGED);
		judge_all(&scene, DOPPEL_VERDICT_SWAPPED);
	}
	CHECK_EQUAL(doppel_gate_collect(scene.id), 1);
	CHECK_EQUAL(status_of(&scene).lane_serial, 2);
	end(&scene);
}

static void lanes_that_nobody_took_are_collected(void)
{
	struct scene scene;
	begin(&scene, 0);
	tick(&scene, 1, NULL);
	for (uint64_t serial = 1; serial < 5; serial++) {
		rig_segment_free(&scene.segment);
		CHECK_EQUAL(rig_attach(scene.id, &scene.segment, 4, serial), 0);
	}
	CHECK_EQUAL(doppel_gate_collect(scene.id), 1);
	CHECK_EQUAL(doppel_gate_detach(scene.id), 0);
	CHECK_EQUAL(doppel_gate_collect(scene.id), 0);
	end(&scene);
}

static void bad_segments_are_refused(void)
{
	struct scene scene;
	begin(&scene, 0);
	CHECK_EQUAL(doppel_gate_attach(scene.id, 0, 1 << 20, 4, 0, 1), -3); /* no frame yet */
	tick(&scene, 1, NULL);
	const uint64_t bytes = doppel_segment_bytes(&i420, 4);
	struct rig_segment segment = rig_segment(bytes);
	CHECK_EQUAL(doppel_gate_attach(scene.id, segment.fd, bytes, 3, 1, 1), -3);
	CHECK_EQUAL(doppel_gate_attach(scene.id, segment.fd, bytes, 13, 1, 1), -3);
	CHECK_EQUAL(doppel_gate_attach(scene.id, segment.fd, bytes - 4096, 4, 1, 1), -3);
	CHECK_EQUAL(doppel_gate_attach(scene.id, segment.fd, bytes + 4096, 4, 1, 1), -2); /* the file is shorter */
	CHECK_EQUAL(doppel_gate_attach(scene.id, -1, bytes, 4, 1, 1), -2);
	CHECK_EQUAL(doppel_gate_attach(scene.id, 987654, bytes, 4, 1, 1), -2);
	CHECK_EQUAL(doppel_gate_attach(scene.id, segment.fd, bytes, 4, 2, 1), -3);
	CHECK_EQUAL(doppel_gate_attach(scene.id + 999, segment.fd, bytes, 4, 1, 1), -1);
	CHECK_EQUAL(doppel_gate_collect(scene.id), 0);
	rig_segment_free(&segment);
	end(&scene);
}

static void ids_that_are_gone_are_answered(void)
{
	struct scene scene;
	begin(&scene, 0);
	uint64_t ids[2] = {0, 0};
	CHECK_EQUAL(doppel_gate_list(ids, 2), 1);
	CHECK_EQUAL(ids[0], scene.id);
	struct fake_filter *source = doppel_gate_get_source(scene.id);
	CHECK(source == scene.filter);
	atomic_fetch_sub(&source->references, 1);
	end(&scene);
	struct doppel_gate_status status;
	struct doppel_sample sample;
	CHECK_EQUAL(doppel_gate_get_status(scene.id, &status), -1);
	CHECK_EQUAL(doppel_gate_set_policy(scene.id, &normal), -1);
	CHECK_EQUAL(doppel_gate_detach(scene.id), -1);
	CHECK_EQUAL(doppel_gate_collect(scene.id), -1);
	CHECK_EQUAL(doppel_gate_drain(scene.id, &sample, 1), -1);
	CHECK(doppel_gate_get_source(scene.id) == NULL);
	fake_signal(&scene.source, "media_started"); /* nobody listens, nobody crashes */
}

static void an_unsupported_format_is_covered_and_named(void)
{
	struct scene scene;
	running(&scene, 0);
	static _Alignas(64) uint16_t pixels[64 * 64 * 2];
	for (uint32_t format = 17; format <= 25; format++) {
		memset(pixels, 0x11, sizeof pixels);
		struct obs_source_frame frame = {.width = 16, .height = 16, .format = format, .timestamp = 1};
		for (int p = 0; p < 4; p++) {
			frame.data[p] = (uint8_t *)(pixels + p * 1024);
			frame.linesize[p] = 64;
		}
		CHECK(fake.info->filter_video(scene.filter->data, &frame) == &frame);
		CHECK(pixels[0] != 0x1111 && pixels[5] != 0x1111);
		CHECK_EQUAL(status_of(&scene).unsupported_format, format);
		CHECK_EQUAL(status_of(&scene).geometry.width, 0);
	}
	struct obs_source_frame alien = {.width = 16, .height = 16, .format = 77, .timestamp = 2};
	CHECK(fake.info->filter_video(scene.filter->data, &alien) == NULL);
	CHECK_EQUAL(scene.source.released, 1);
	CHECK_EQUAL(status_of(&scene).dropped, 1);
	CHECK_EQUAL(status_of(&scene).unsupported_format, 77);
	struct doppel_policy policy = normal;
	policy.late_policy = DOPPEL_LATE_ORIGINAL; /* by choice */
	set_policy(&scene, policy);
	CHECK(fake.info->filter_video(scene.filter->data, &alien) == &alien);
	policy.panic = 1;
	set_policy(&scene, policy);
	CHECK(fake.info->filter_video(scene.filter->data, &alien) == NULL);
	CHECK_EQUAL(status_of(&scene).original, 1);
	set_policy(&scene, normal);
	CHECK_EQUAL(tick(&scene, 1, NULL), FAKE_COVER); /* and back */
	CHECK_EQUAL(status_of(&scene).unsupported_format, 0);
	end(&scene);
}

static void the_colour_goes_with_the_pixels(void)
{
	struct scene scene;
	running(&scene, 0);
	uint8_t *bytes = malloc(i420.frame_bytes);
	for (int i = 0; i < 6; i++) {
		struct obs_source_frame frame = {.width = 64, .height = 64, .format = 1};
		frame.timestamp = scene.source.timestamp += STEP;
		for (uint32_t p = 0; p < 3; p++) {
			frame.data[p] = bytes + i420.offset[p];
			frame.linesize[p] = i420.linesize[p];
		}
		const uint64_t id = status_of(&scene).frames_in + 1;
		frame.color_matrix[3] = (float)id;
		frame.color_range_min[1] = (float)id;
		frame.color_range_max[2] = (float)id;
		frame.flip = id % 2 != 0;
		frame.full_range = id % 3 != 0;
		CHECK(fake.info->filter_video(scene.filter->data, &frame) == &frame);
		struct doppel_sample samples[256];
		const int32_t n = doppel_gate_drain(scene.id, samples, 256);
		const uint64_t shown = samples[n - 1].shown_id;
		if (i >= 2) { /* before that, frames of running() */
			CHECK_EQUAL(shown, id - 2);
			CHECK(frame.color_matrix[3] == (float)shown && frame.color_range_min[1] == (float)shown &&
			      frame.color_range_max[2] == (float)shown);
			CHECK_EQUAL(frame.flip, shown % 2 != 0);
			CHECK_EQUAL(frame.full_range, shown % 3 != 0);
		}
		judge_all(&scene, DOPPEL_VERDICT_SWAPPED);
	}
	free(bytes);
	end(&scene);
}

/* ---- what comes into the texture past filter_video ---------------------------------------------------------- */

static void preloaded_frames_are_not_drawn_on_a_scene_switch(void)
{
	for (int frames_of_gap = 0; frames_of_gap < 30; frames_of_gap += 7) {
		struct scene scene;
		running(&scene, OBS_FLAG_CONTROLLABLE_MEDIA);
		scene.source.active_wanted = scene.source.show_wanted = false;
		fake_tick(&scene.source, &i420, 0, STEP);
		for (int i = 0; i < frames_of_gap; i++) {
			atomic_fetch_add(&fake_now_ns, STEP);
			fake_tick(&scene.source, &i420, 0, STEP);
		}
		scene.source.active_wanted = scene.source.show_wanted = true;
		for (int i = 0; i < 3; i++) {
			const enum fake_kind kind = tick(&scene, 0, NULL);
			CHECK(kind == FAKE_NOTHING || kind == FAKE_JUDGED);
		}
		const enum fake_kind kind = tick(&scene, 1, NULL);
		CHECK(kind == FAKE_COVER || kind == FAKE_JUDGED);
		end(&scene);
	}
}

static void seeking_while_paused_shows_the_last_judged_picture(void)
{
	struct scene scene;
	running(&scene, OBS_FLAG_CONTROLLABLE_MEDIA);
	fake_signal(&scene.source, "media_pause");
	for (int i = 0; i < 20; i++) {
		fake_show_raw(&scene.source, &i420);
		CHECK_EQUAL(tick(&scene, 0, NULL), FAKE_JUDGED);
		fake_show_raw(&scene.source, &i420);
		fake_draw(&scene.source); /* a screenshot in between */
		CHECK_EQUAL(fake_look(&fake.scene, NULL), FAKE_JUDGED);
	}
	fake_signal(&scene.source, "media_play");
	CHECK_EQUAL(tick(&scene, 1, NULL), FAKE_JUDGED);
	end(&scene);
}

static void a_restart_by_the_user_shows_no_raw_frame_even_before_its_signal(void)
{
	struct scene scene;
	begin(&scene, OBS_FLAG_CONTROLLABLE_MEDIA);
	fake_raw(&scene.source.preload, &i420, ++fake.raw_id);
	fake_signal(&scene.source, "media_started");
	tick(&scene, 1, NULL);
	CHECK_EQUAL(rig_attach(scene.id, &scene.segment, 6, 7), 0);
	for (int i = 0; i < 6; i++) {
		tick(&scene, 1, NULL);
		judge_all(&scene, DOPPEL_VERDICT_SWAPPED);
	}
	fake_show_preload(&scene.source);
	fake_draw(&scene.source); /* the graphics thread was waiting for the texture */
	CHECK_EQUAL(fake_look(&fake.scene, NULL), FAKE_JUDGED);
	fake_signal(&scene.source, "media_started");
	CHECK_EQUAL(tick(&scene, 0, NULL), FAKE_JUDGED);
	end(&scene);
}

static void deinterlaced_frames_come_in_pairs_and_in_order(void)
{
	struct scene scene;
	running(&scene, 0);
	scene.source.deinterlace = 1;
	uint64_t last = 0;
	for (int i = 0; i < 10; i++) {
		uint64_t shown;
		const enum fake_kind kind = tick(&scene, 2, &shown);
		if (i > 1) {
			CHECK_EQUAL(kind, FAKE_JUDGED);
			CHECK_EQUAL(fake_look(&scene.source.previous_texture, NULL), FAKE_JUDGED);
			CHECK(last == 0 || shown == ((last + 2) & 63));
			last = shown;
		}
		for (int32_t slot; (slot = rig_take(&scene.segment)) >= 0;)
			rig_finish(&scene.segment, slot, DOPPEL_VERDICT_SWAPPED);
	}
	end(&scene);
}

static void a_deinterlaced_source_under_suspicion_needs_two_uploads(void)
{
	struct scene scene;
	running(&scene, 0);
	scene.source.deinterlace = 1;
	tick(&scene, 1, NULL);
	tick(&scene, 1, NULL);
	fake_filter_enable(scene.filter, false);
	tick(&scene, 1, NULL);
	fake_filter_enable(scene.filter, true);
	CHECK_EQUAL(tick(&scene, 1, NULL), FAKE_NOTHING); /* the raw one is the other field's picture now */
	CHECK(tick(&scene, 1, NULL) != FAKE_NOTHING);
	CHECK(fake_look(&scene.source.previous_texture, NULL) != FAKE_RAW);
	end(&scene);
}

static void a_frame_that_was_never_drawn_does_not_clear_suspicion(void)
{
	for (int order = 0; order < 2; order++) {
		fake.filters_tick_first = order == 0;
		struct scene scene;
		running(&scene, 0);
		fake_filter_enable(scene.filter, false);
		tick(&scene, 1, NULL); /* raw in the texture */
		fake_filter_enable(scene.filter, true);
		atomic_fetch_add(&fake_now_ns, STEP);
		fake_tick(&scene.source, &i420, 1, STEP); /* nobody draws in this tick: libobs drops the frame */
		CHECK(tick(&scene, 0, NULL) != FAKE_RAW);
		end(&scene);
	}
	fake.filters_tick_first = true;
}

static void two_filters_of_one_source_do_not_undo_each_other(void)
{
	struct scene scene;
	running(&scene, 0);
	struct fake_filter *outer = fake_filter_add(&scene.source); /* filters last, draws first */
	CHECK(tick(&scene, 0, NULL) != FAKE_RAW);
	CHECK_EQUAL(tick(&scene, 1, NULL), FAKE_COVER);
	fake_filter_enable(scene.filter, false);
	fake_filter_enable(scene.filter, true);
	for (int i = 0; i < 8; i++) { /* the inner one has a picture to put back, the outer one only covers */
		tick(&scene, 1, NULL);
		judge_all(&scene, DOPPEL_VERDICT_SWAPPED);
		const enum fake_kind kind = tick(&scene, 0, NULL);
		CHECK(kind == FAKE_COVER || kind == FAKE_NOTHING);
	}
	fake_filter_remove(outer);
	end(&scene);
}

static void the_inner_filter_knows_what_the_outer_one_drew(void)
{
	struct scene scene;
	begin(&scene, OBS_FLAG_CONTROLLABLE_MEDIA);
	struct fake_filter *outer = fake_filter_add(&scene.source);
	tick(&scene, 0, NULL);
	tick(&scene, 1, NULL);
	fake_signal(&scene.source, "media_pause");
	tick(&scene, 1, NULL); /* the last one in the queue; libobs uploads it, the outer filter is asked */
	fake_filter_enable(outer, false);
	fake_show_raw(&scene.source, &i420); /* sought, in this very tick */
	fake_draw(&scene.source);
	CHECK(fake_look(&fake.scene, NULL) != FAKE_RAW);
	fake_filter_remove(outer);
	end(&scene);
}

static void what_comes_after_the_frame_in_its_own_tick_is_suspected(void)
{
	struct scene scene;
	running(&scene, 0);
	atomic_fetch_add(&fake_now_ns, STEP);
	fake_tick(&scene.source, &i420, 1, STEP);
	fake_filter_enable(scene.filter, false);
	fake_draw(&scene.source); /* uploads; we are not asked */
	fake_show_raw(&scene.source, &i420);
	fake_filter_enable(scene.filter, true);
	fake_draw(&scene.source);
	CHECK_EQUAL(fake_look(&fake.scene, NULL), FAKE_JUDGED);
	end(&scene);
}

static void the_outer_filters_picture_wins(void)
{
	struct scene scene;
	running(&scene, 0);
	struct fake_filter *outer = fake_filter_add(&scene.source);
	const uint64_t outer_id = fake_filter_id(outer);
	struct rig_segment outer_segment;
	CHECK_EQUAL(doppel_gate_set_policy(outer_id, &normal), 0);
	tick(&scene, 1, NULL);
	CHECK_EQUAL(rig_attach(outer_id, &outer_segment, 6, 1), 0);
	for (int i = 0; i < 8; i++) {
		tick(&scene, 1, NULL);
		/* The inner one finds no face and leaves the pixels alone, the outer one marks them. */
		for (int32_t slot; (slot = rig_take(&scene.segment)) >= 0;)
			doppel_worker_done(scene.segment.worker, scene.segment.bytes, (uint32_t)slot,
					   DOPPEL_VERDICT_NO_FACE, 0);
		for (int32_t slot; (slot = rig_take(&outer_segment)) >= 0;)
			rig_finish(&outer_segment, slot, DOPPEL_VERDICT_SWAPPED);
	}
	CHECK_EQUAL(tick(&scene, 1, NULL), FAKE_JUDGED);
	fake_signal(&scene.source, "media_started"); /* both are suspicious, both have a picture to put back */
	CHECK_EQUAL(tick(&scene, 0, NULL), FAKE_JUDGED);
	CHECK_EQUAL(tick(&scene, 0, NULL), FAKE_JUDGED);
	rig_segment_free(&outer_segment);
	fake_filter_remove(outer);
	end(&scene);
}

static void a_delay_after_us_that_fills_uncovers_nothing(void)
{
	for (uint32_t delay = 0; delay <= FAKE_MAX_DELAY; delay++) {
		static struct scene scene;
		running(&scene, OBS_FLAG_CONTROLLABLE_MEDIA);
		struct fake_filter *after = fake_delay_add(&scene.source, delay);
		scene.source.active_wanted = scene.source.show_wanted = false;
		for (int i = 0; i < 15; i++) {
			atomic_fetch_add(&fake_now_ns, STEP);
			fake_tick(&scene.source, &i420, 0, STEP);
		}
		scene.source.active_wanted = scene.source.show_wanted = true; /* the preloaded frame is in the texture */
		for (int i = 0; i < 10; i++) {
			const enum fake_kind kind = tick(&scene, 1, NULL);
			CHECK(kind == FAKE_NOTHING || kind == FAKE_JUDGED || kind == FAKE_COVER);
			judge_all(&scene, DOPPEL_VERDICT_SWAPPED);
		}
		uint64_t shown;
		CHECK_EQUAL(tick(&scene, 1, &shown), FAKE_JUDGED);
		CHECK_EQUAL(shown, (fake.raw_id - 2) & 63); /* ours, not the delayed one */
		CHECK_EQUAL(tick(&scene, 0, NULL), FAKE_JUDGED);
		CHECK_EQUAL(status_of(&scene).filters_after, 1);
		fake_filter_remove(after);
		CHECK(tick(&scene, 1, NULL) != FAKE_RAW);
		CHECK_EQUAL(status_of(&scene).filters_after, 0);
		end(&scene);
	}
}

static void panic_covers_at_once_with_a_delay_after_us_too(void)
{
	static struct scene scene;
	running(&scene, 0);
	struct fake_filter *after = fake_delay_add(&scene.source, 3);
	for (int i = 0; i < 8; i++) {
		tick(&scene, 1, NULL);
		judge_all(&scene, DOPPEL_VERDICT_SWAPPED);
	}
	CHECK_EQUAL(tick(&scene, 1, NULL), FAKE_JUDGED);
	struct doppel_policy policy = normal;
	policy.panic = 1;
	set_policy(&scene, policy);
	fake_draw(&scene.source);
	CHECK_EQUAL(fake_look(&fake.scene, NULL), FAKE_COVER);
	for (int i = 0; i < 6; i++) {
		CHECK_EQUAL(tick(&scene, 1, NULL), FAKE_COVER);
		judge_all(&scene, DOPPEL_VERDICT_SWAPPED);
		CHECK_EQUAL(tick(&scene, 0, NULL), FAKE_COVER);
	}
	set_policy(&scene, normal);
	CHECK_EQUAL(tick(&scene, 1, NULL), FAKE_JUDGED);
	fake_filter_remove(after);
	end(&scene);
}

static void what_a_delay_kept_while_we_were_off_never_comes_out(void)
{
	static struct scene scene;
	running(&scene, 0);
	struct fake_filter *after = fake_delay_add(&scene.source, 4);
	fake_filter_enable(scene.filter, false);
	for (int i = 0; i < 8; i++)
		tick(&scene, 1, NULL);
	CHECK_EQUAL(fake_look(&fake.scene, NULL), FAKE_RAW); /* by the user's choice */
	fake_filter_enable(scene.filter, true);
	for (int i = 0; i < 8; i++) {
		CHECK(tick(&scene, 1, NULL) != FAKE_RAW);
		judge_all(&scene, DOPPEL_VERDICT_SWAPPED);
		CHECK(tick(&scene, 0, NULL) != FAKE_RAW);
	}
	CHECK_EQUAL(tick(&scene, 1, NULL), FAKE_JUDGED);
	fake_filter_remove(after);
	end(&scene);
}

static void a_cover_stays_a_cover_with_a_delay_after_us(void)
{
	static struct scene scene;
	running(&scene, 0);
	struct fake_filter *after = fake_delay_add(&scene.source, 2);
	struct doppel_policy policy = normal;
	policy.late_policy = DOPPEL_LATE_COVER;
	set_policy(&scene, policy);
	for (int i = 0; i < 3; i++) /* no result any more */
		tick(&scene, 1, NULL);
	for (int i = 0; i < 5; i++) {
		const enum fake_kind kind = tick(&scene, 1, NULL);
		CHECK(kind == FAKE_COVER || kind == FAKE_NOTHING);
		CHECK_EQUAL(tick(&scene, 0, NULL), kind); /* no flicker */
	}
	fake_filter_remove(after);
	end(&scene);
}

static void only_an_enabled_filter_after_us_that_is_not_ours_counts(void)
{
	static struct scene scene;
	running(&scene, 0);
	struct fake_filter *delay = fake_delay_add(&scene.source, 0);
	tick(&scene, 1, NULL);
	CHECK_EQUAL(status_of(&scene).filters_after, 1);
	fake_filter_enable(delay, false);
	tick(&scene, 1, NULL);
	CHECK_EQUAL(status_of(&scene).filters_after, 0);
	fake_filter_enable(delay, true);
	fake_filter_move(delay, 1); /* above */
	tick(&scene, 1, NULL);
	CHECK_EQUAL(status_of(&scene).filters_after, 0);
	delay->flags = OBS_FLAG_VIDEO; /* an effect that draws: it gets no frames */
	fake_filter_move(delay, 0);
	tick(&scene, 1, NULL);
	CHECK_EQUAL(status_of(&scene).filters_after, 0);
	fake_filter_remove(delay);
	struct fake_filter *second = fake_filter_add(&scene.source);
	tick(&scene, 1, NULL);
	CHECK_EQUAL(status_of(&scene).filters_after, 0);
	fake_filter_remove(second);
	end(&scene);
}

static void a_picture_that_nobody_saw_for_long_is_not_held(void)
{
	struct scene scene;
	running(&scene, 0);
	atomic_fetch_add(&fake_now_ns, 60000 * MS); /* not drawn, no frame: the webcam was switched off */
	CHECK_EQUAL(tick(&scene, 1, NULL), FAKE_COVER);
	end(&scene);
}

static void a_result_older_than_the_one_shown_never_comes(void)
{
	struct scene scene;
	running(&scene, 0);
	tick(&scene, 1, NULL);
	const int32_t older = rig_take(&scene.segment);
	tick(&scene, 1, NULL);
	const int32_t newer = rig_take(&scene.segment);
	CHECK(older >= 0 && newer >= 0);
	rig_finish(&scene.segment, newer, DOPPEL_VERDICT_SWAPPED);
	uint64_t shown = 0, last = fake.raw_id & 63;
	for (int i = 0; i < 3; i++)
		tick(&scene, 1, &shown);
	CHECK_EQUAL(shown, last);
	rig_finish(&scene.segment, older, DOPPEL_VERDICT_SWAPPED);
	tick(&scene, 1, &shown);
	CHECK_EQUAL(shown, last);
	end(&scene);
}

static void a_source_that_shows_a_frame_without_a_word_is_suspected_when_shown(void)
{
	struct scene scene;
	void (*const callbacks[])(void *) = {fake.info->show, fake.info->activate};
	for (int i = 0; i < 2; i++) {
		running(&scene, 0);
		fake_tick(&scene.source, &i420, 0, STEP);
		fake_show_raw(&scene.source, &i420);
		callbacks[i](scene.filter->data);
		fake_draw(&scene.source);
		CHECK_EQUAL(fake_look(&fake.scene, NULL), FAKE_JUDGED);
		end(&scene);
	}
}

static void a_late_result_does_not_replace_the_cover_of_a_later_frame(void)
{
	struct scene scene;
	running(&scene, 0);
	struct doppel_policy policy = normal;
	policy.late_policy = DOPPEL_LATE_COVER;
	set_policy(&scene, policy);
	for (int i = 0; i < 6; i++) { /* idle, undrawn: the last result waits */
		atomic_fetch_add(&fake_now_ns, STEP);
		fake_tick(&scene.source, &i420, 0, STEP);
	}
	CHECK_EQUAL(tick(&scene, 1, NULL), FAKE_COVER);
	CHECK_EQUAL(tick(&scene, 0, NULL), FAKE_COVER);
	end(&scene);
}

static void a_paused_source_that_left_the_scene_is_left_alone(void)
{
	struct scene scene;
	running(&scene, OBS_FLAG_CONTROLLABLE_MEDIA);
	fake_signal(&scene.source, "media_pause");
	CHECK_EQUAL(tick(&scene, 0, NULL), FAKE_JUDGED);
	scene.source.active_wanted = false; /* a preview still draws it */
	tick(&scene, 0, NULL);
	const uint64_t uploads = status_of(&scene).reuploads;
	for (int i = 0; i < 40; i++)
		CHECK_EQUAL(tick(&scene, 0, NULL), FAKE_NOTHING);
	CHECK_EQUAL(status_of(&scene).reuploads, uploads);
	end(&scene);
}

/* ---- life --------------------------------------------------------------------------------------------------- */

static void the_filter_moves_to_another_source(void)
{
	struct scene scene;
	running(&scene, 0);
	static struct fake_source other;
	fake_source_init(&other, 0);
	fake.info->filter_remove(scene.filter->data, &scene.source);
	scene.source.filter_count = 0;
	for (uint32_t i = 0; i < FAKE_CONNECTIONS; i++)
		CHECK(scene.source.connections[i].callback == NULL);
	scene.filter->parent = &other;
	other.filters[0] = scene.filter;
	other.filter_count = 1;
	fake_tick(&other, &i420, 1, STEP);
	CHECK(other.connections[0].callback != NULL);
	end(&scene);
	for (uint32_t i = 0; i < FAKE_CONNECTIONS; i++)
		CHECK(other.connections[i].callback == NULL);
}

static void *no_page(uint64_t id)
{
	(void)id;
	return NULL;
}
static uint64_t asked_for;
static int page;
static void *some_page(uint64_t id)
{
	asked_for = id;
	doppel_gate_set_properties_callback(NULL); /* a script that reloads from inside its own page: no deadlock */
	return &page;
}

static void properties_come_from_the_script_or_from_the_gate(void)
{
	struct scene scene;
	begin(&scene, 0);
	void *orphan = fake.info->get_properties(scene.filter->data);
	CHECK(orphan != NULL);
	free(orphan);
	doppel_gate_set_properties_callback(no_page);
	orphan = fake.info->get_properties(scene.filter->data);
	CHECK(orphan != NULL);
	free(orphan);
	doppel_gate_set_properties_callback(some_page);
	CHECK(fake.info->get_properties(scene.filter->data) == &page);
	CHECK_EQUAL(asked_for, scene.id);
	free(fake.info->get_properties(NULL));
	const uint64_t serial = status_of(&scene).settings_serial;
	fake.info->update(scene.filter->data, NULL);
	CHECK_EQUAL(status_of(&scene).settings_serial, serial + 1);
	end(&scene);
}

static void a_slow_worker_loses_frames_but_never_order(void)
{
	struct scene scene;
	begin(&scene, 0);
	set_policy(&scene, normal);
	tick(&scene, 1, NULL);
	CHECK_EQUAL(rig_attach(scene.id, &scene.segment, 5, 1), 0);
	uint64_t last = 0;
	int32_t busy = -1;
	for (int i = 0; i < 120; i++) {
		tick(&scene, 1, NULL);
		struct doppel_sample sample;
		while (doppel_gate_drain(scene.id, &sample, 1) == 1)
			if (sample.outcome == DOPPEL_OUT_SWAPPED) {
				CHECK(sample.shown_id > last && sample.shown_id + 2 <= sample.frame_id);
				last = sample.shown_id;
			}
		if (i % 3 == 0) { /* three frames' time for one */
			if (busy >= 0)
				rig_finish(&scene.segment, busy, DOPPEL_VERDICT_SWAPPED);
			busy = rig_take(&scene.segment);
		}
	}
	const struct doppel_gate_status status = status_of(&scene);
	CHECK(status.swapped >= 35);
	CHECK_EQUAL(status.frames_in, 121);
	CHECK_EQUAL(status.submitted, 120);
	CHECK(status.given_back + status.swapped <= status.submitted);
	CHECK(status.given_back + status.swapped >= status.submitted - 5); /* the rest is in the slots */
	CHECK(status.oldest_busy_ns > 0);
	end(&scene);
}

int main(void)
{
	fake_install();
	i420 = fake_geometry(1, 64, 64, 0);
	nothing_is_drawn_before_the_first_frame();
	frames_are_covered_until_there_is_a_worker();
	results_come_out_in_order_after_exactly_d_frames();
	verdicts_are_obeyed();
	a_missing_result_holds_then_covers();
	late_policies();
	panic_covers_at_once_and_ends_at_once();
	the_slate_is_the_cover_where_there_is_one();
	paused_shows_the_original_and_nothing_of_it_stays();
	a_filter_that_was_off_covers_what_came_through();
	a_source_that_stops_shows_its_last_frames_result();
	a_still_that_came_before_any_lane_is_judged_too();
	a_source_of_one_frame_a_second_is_shown_as_soon_as_it_is_judged();
	a_late_cover_verdict_for_a_still_covers();
	a_jump_in_time_flushes();
	a_new_geometry_covers_and_wants_a_new_segment();
	a_new_worker_takes_over_while_the_old_picture_is_held();
	lanes_that_nobody_took_are_collected();
	bad_segments_are_refused();
	ids_that_are_gone_are_answered();
	an_unsupported_format_is_covered_and_named();
	the_colour_goes_with_the_pixels();
	preloaded_frames_are_not_drawn_on_a_scene_switch();
	seeking_while_paused_shows_the_last_judged_picture();
	a_restart_by_the_user_shows_no_raw_frame_even_before_its_signal();
	deinterlaced_frames_come_in_pairs_and_in_order();
	a_deinterlaced_source_under_suspicion_needs_two_uploads();
	a_frame_that_was_never_drawn_does_not_clear_suspicion();
	two_filters_of_one_source_do_not_undo_each_other();
	the_inner_filter_knows_what_the_outer_one_drew();
	what_comes_after_the_frame_in_its_own_tick_is_suspected();
	the_outer_filters_picture_wins();
	a_delay_after_us_that_fills_uncovers_nothing();
	panic_covers_at_once_with_a_delay_after_us_too();
	what_a_delay_kept_while_we_were_off_never_comes_out();
	a_cover_stays_a_cover_with_a_delay_after_us();
	only_an_enabled_filter_after_us_that_is_not_ours_counts();
	a_picture_that_nobody_saw_for_long_is_not_held();
	a_result_older_than_the_one_shown_never_comes();
	a_source_that_shows_a_frame_without_a_word_is_suspected_when_shown();
	a_late_result_does_not_replace_the_cover_of_a_later_frame();
	a_paused_source_that_left_the_scene_is_left_alone();
	the_filter_moves_to_another_source();
	properties_come_from_the_script_or_from_the_gate();
	a_slow_worker_loses_frames_but_never_order();
	puts("gate: ok");
	return 0;
}
