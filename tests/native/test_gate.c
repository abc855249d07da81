/* The gate, scenario by scenario, against the small libobs of fake_obs.h: frames, results, what the user chose. */
#include "check.h"
#include "fake_clock.h"
#include "gate_scene.h"

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
	puts("gate: ok");
	return 0;
}
