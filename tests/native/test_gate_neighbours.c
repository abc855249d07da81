/* The gate beside other filters of its source: a second one of ours, a delay. */
#include "check.h"
#include "fake_clock.h"
#include "gate_scene.h"

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

int main(void)
{
	scene_install();
	two_filters_of_one_source_do_not_undo_each_other();
	the_inner_filter_knows_what_the_outer_one_drew();
	the_outer_filters_picture_wins();
	a_delay_after_us_that_fills_uncovers_nothing();
	panic_covers_at_once_with_a_delay_after_us_too();
	what_a_delay_kept_while_we_were_off_never_comes_out();
	a_cover_stays_a_cover_with_a_delay_after_us();
	only_an_enabled_filter_after_us_that_is_not_ours_counts();
	puts("neighbours: ok");
	return 0;
}
