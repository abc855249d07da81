/* The gate, scenario by scenario, against the small libobs of fake_obs.c: frames, results, lanes, the filter's life. */
#include "check.h"
#include "fake_clock.h"
#include "gate_scene.h"

#include <string.h>

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

static void panic_covers_a_paused_swap_too(void)
{
	struct scene scene;
	running(&scene, 0);
	struct doppel_policy policy = normal;
	policy.paused = 1;
	set_policy(&scene, policy);
	CHECK_EQUAL(tick(&scene, 1, NULL), FAKE_RAW);
	policy.panic = 1;
	set_policy(&scene, policy);
	fake_draw(&scene.source); /* not even a frame later */
	CHECK(fake_look(&fake.scene, NULL) != FAKE_RAW);
	CHECK_EQUAL(tick(&scene, 1, NULL), FAKE_COVER);
	CHECK_EQUAL(tick(&scene, 0, NULL), FAKE_COVER);
	policy.panic = 0;
	set_policy(&scene, policy);
	CHECK_EQUAL(tick(&scene, 1, NULL), FAKE_RAW);
	set_policy(&scene, normal);
	CHECK(tick(&scene, 0, NULL) != FAKE_RAW);
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
	struct obs_source_frame alien = {
		.width = 16, .height = 16, .format = 77, .timestamp = 2, .refs = 3}; /* two of them are given back */
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

static void nobody_is_blamed_for_the_time_in_which_obs_stood_still(void)
{
	struct scene scene;
	running(&scene, 0);
	tick(&scene, 1, NULL);
	const int32_t slot = doppel_worker_next(scene.segment.worker, scene.segment.bytes, 0, NULL);
	CHECK(slot >= 0);
	tick(&scene, 0, NULL);
	tick(&scene, 0, NULL);
	const uint64_t busy = status_of(&scene).oldest_busy_ns;
	CHECK(busy > 0 && busy <= 2 * STEP);
	atomic_fetch_add(&fake_now_ns, 200 * STEP);
	CHECK_EQUAL(status_of(&scene).oldest_busy_ns, busy);
	CHECK_EQUAL(doppel_worker_done(scene.segment.worker, scene.segment.bytes, (uint32_t)slot, DOPPEL_VERDICT_SWAPPED, 1),
		    0);
	CHECK_EQUAL(status_of(&scene).oldest_busy_ns, busy);
	tick(&scene, 0, NULL);
	CHECK_EQUAL(status_of(&scene).oldest_busy_ns, 0);
	end(&scene);

	running(&scene, 0); /* but a worker that does not finish while OBS goes on is */
	tick(&scene, 1, NULL);
	CHECK(doppel_worker_next(scene.segment.worker, scene.segment.bytes, 0, NULL) >= 0);
	for (int i = 0; i < 100; i++)
		tick(&scene, i % 2, NULL);
	CHECK(status_of(&scene).oldest_busy_ns >= 98 * STEP);
	end(&scene);
}

int main(void)
{
	scene_install();
	nothing_is_drawn_before_the_first_frame();
	frames_are_covered_until_there_is_a_worker();
	results_come_out_in_order_after_exactly_d_frames();
	verdicts_are_obeyed();
	a_missing_result_holds_then_covers();
	late_policies();
	panic_covers_at_once_and_ends_at_once();
	panic_covers_a_paused_swap_too();
	the_slate_is_the_cover_where_there_is_one();
	paused_shows_the_original_and_nothing_of_it_stays();
	a_filter_that_was_off_covers_what_came_through();
	a_jump_in_time_flushes();
	a_new_geometry_covers_and_wants_a_new_segment();
	a_new_worker_takes_over_while_the_old_picture_is_held();
	lanes_that_nobody_took_are_collected();
	bad_segments_are_refused();
	ids_that_are_gone_are_answered();
	an_unsupported_format_is_covered_and_named();
	the_colour_goes_with_the_pixels();
	the_filter_moves_to_another_source();
	properties_come_from_the_script_or_from_the_gate();
	a_slow_worker_loses_frames_but_never_order();
	nobody_is_blamed_for_the_time_in_which_obs_stood_still();
	puts("gate: ok");
	return 0;
}
