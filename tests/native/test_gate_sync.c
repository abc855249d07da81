/* The sync filter, scenario by scenario: what reaches the scene of a source that is drawn, not sent. */
#include "check.h"
#include "fake_clock.h"
#include "sync_scene.h"

#include <string.h>

static void pictures_come_out_in_order_after_d_ticks_and_the_one_of_the_reading(void)
{
	for (uint32_t delay = 1; delay <= 3; delay++) {
		struct scene scene;
		sync_running(&scene);
		struct doppel_policy policy = normal;
		policy.delay_frames = delay;
		set_policy(&scene, policy);
		for (int i = 0; i < 20; i++) {
			uint64_t shown;
			const enum fake_kind kind = next(&scene, &shown);
			if (i > 4) {
				CHECK_EQUAL(kind, FAKE_JUDGED);
				CHECK_EQUAL(shown, (fake.raw_id - READBACK - delay) & 63);
			}
			judge_all(&scene, DOPPEL_VERDICT_SWAPPED);
		}
		CHECK_EQUAL(status_of(&scene).delay_frames, delay + READBACK);
		CHECK_EQUAL(status_of(&scene).readback_frames, READBACK);
		sync_end(&scene);
	}
}

static void a_source_in_two_scenes_is_read_once_and_drawn_twice(void)
{
	struct scene scene;
	sync_running(&scene);
	for (int i = 0; i < 6; i++) {
		const uint64_t submitted = status_of(&scene).submitted;
		const uint32_t maps = card.maps;
		uint64_t first, second;
		CHECK_EQUAL(next(&scene, &first), FAKE_JUDGED);
		judge_all(&scene, DOPPEL_VERDICT_SWAPPED);
		CHECK_EQUAL(fake_sync_draw(&scene.source, &second), FAKE_JUDGED);
		CHECK_EQUAL(first, second);
		CHECK_EQUAL(status_of(&scene).submitted, submitted + 1);
		CHECK_EQUAL(card.maps, maps + 1);
	}
	sync_end(&scene);
}

static void a_screenshot_shows_what_was_released_and_takes_no_frame(void)
{
	struct scene scene;
	sync_begin(&scene);
	fake_still(&scene.source, SIDE, SIDE);
	CHECK_EQUAL(fake_screenshot(&scene.source, NULL), FAKE_NOTHING); /* before everything */
	next(&scene, NULL);
	CHECK_EQUAL(fake_screenshot(&scene.source, NULL), FAKE_NOTHING);
	CHECK_EQUAL(next(&scene, NULL), FAKE_COVER);
	CHECK_EQUAL(fake_screenshot(&scene.source, NULL), FAKE_COVER);
	sync_end(&scene);

	sync_running(&scene);
	for (int i = 0; i < 6; i++) {
		uint64_t drawn, shot;
		CHECK_EQUAL(next(&scene, &drawn), FAKE_JUDGED);
		judge_all(&scene, DOPPEL_VERDICT_SWAPPED);
		const uint64_t submitted = status_of(&scene).submitted;
		fake_still(&scene.source, SIDE, SIDE);
		CHECK_EQUAL(fake_screenshot(&scene.source, &shot), FAKE_JUDGED);
		CHECK_EQUAL(drawn, shot);
		/* In the next tick, before anything is drawn there. */
		atomic_fetch_add(&fake_now_ns, STEP);
		fake_tick(&scene.source, NULL, 0, 0);
		CHECK_EQUAL(fake_screenshot(&scene.source, &shot), FAKE_JUDGED);
		CHECK_EQUAL(drawn, shot);
		CHECK_EQUAL(status_of(&scene).submitted, submitted);
		CHECK_EQUAL(fake_sync_draw(&scene.source, NULL), FAKE_JUDGED);
		judge_all(&scene, DOPPEL_VERDICT_SWAPPED);
	}
	struct doppel_policy policy = normal;
	policy.panic = 1;
	set_policy(&scene, policy);
	CHECK(fake_screenshot(&scene.source, NULL) != FAKE_JUDGED);
	policy.panic = 0;
	policy.paused = 1;
	set_policy(&scene, policy);
	CHECK_EQUAL(fake_screenshot(&scene.source, NULL), FAKE_RAW);
	set_policy(&scene, normal);
	CHECK_EQUAL(fake_screenshot(&scene.source, NULL), FAKE_NOTHING);
	CHECK(next(&scene, NULL) != FAKE_RAW);
	sync_end(&scene);
}

static void a_missing_result_is_held_and_then_covered(void)
{
	struct scene scene;
	sync_running(&scene);
	uint64_t shown = 0, last = 0;
	int held = 0;
	for (int i = 0; i < 40; i++) {
		const enum fake_kind kind = next(&scene, &shown);
		if (kind == FAKE_JUDGED) {
			CHECK(held == i);
			held++;
			last = shown;
		} else {
			CHECK_EQUAL(kind, FAKE_COVER);
		}
	}
	CHECK(last != 0 && held >= (int)(normal.hold_ns / STEP) && held <= (int)(normal.hold_ns / STEP) + 4);
	struct doppel_policy policy = normal;
	policy.late_policy = DOPPEL_LATE_ORIGINAL;
	set_policy(&scene, policy);
	CHECK_EQUAL(next(&scene, NULL), FAKE_RAW);
	policy.late_policy = DOPPEL_LATE_COVER;
	set_policy(&scene, policy);
	CHECK(fake_sync_draw(&scene.source, NULL) != FAKE_RAW); /* in the very tick */
	CHECK_EQUAL(next(&scene, NULL), FAKE_COVER);
	sync_end(&scene);
}

static void panic_covers_and_ends(void)
{
	for (int still = 0; still < 2; still++) {
		struct scene scene;
		still_running(&scene);
		struct doppel_policy policy = normal;
		policy.panic = policy.paused = 1;
		set_policy(&scene, policy);
		CHECK_EQUAL(fake_sync_draw(&scene.source, NULL), FAKE_NOTHING);
		for (int i = 0; i < 30; i++) {
			CHECK_EQUAL(still != 0 ? same(&scene, NULL) : next(&scene, NULL), FAKE_COVER);
			judge_all(&scene, DOPPEL_VERDICT_SWAPPED);
		}
		set_policy(&scene, normal);
		for (int i = 0; i < 4; i++)
			same(&scene, NULL);
		CHECK_EQUAL(same(&scene, NULL), FAKE_JUDGED);
		sync_end(&scene);
	}
}

static void a_pause_shows_the_original_and_nothing_of_it_stays(void)
{
	struct scene scene;
	sync_running(&scene);
	struct doppel_policy policy = normal;
	policy.paused = 1;
	set_policy(&scene, policy);
	const uint32_t maps = card.maps;
	for (int i = 0; i < 5; i++) {
		CHECK_EQUAL(next(&scene, NULL), FAKE_RAW);
		CHECK_EQUAL(fake_sync_draw(&scene.source, NULL), FAKE_RAW);
	}
	CHECK_EQUAL(card.maps, maps); /* and costs nothing */
	CHECK_EQUAL(status_of(&scene).original, 5);
	set_policy(&scene, normal);
	CHECK_EQUAL(fake_sync_draw(&scene.source, NULL), FAKE_NOTHING);
	CHECK_EQUAL(same(&scene, NULL), FAKE_NOTHING);
	CHECK_EQUAL(same(&scene, NULL), FAKE_COVER); /* the same picture: it must be judged all the same */
	for (int i = 0; i < 4; i++) {
		judge_all(&scene, DOPPEL_VERDICT_SWAPPED);
		same(&scene, NULL);
	}
	CHECK_EQUAL(same(&scene, NULL), FAKE_JUDGED);
	sync_end(&scene);
}

static void the_slate_is_the_cover_where_it_is_chosen(void)
{
	struct scene scene;
	sync_running(&scene);
	rig_draw_slate(&scene.segment, FAKE_SLATE);
	struct doppel_policy policy = normal;
	policy.use_slate = policy.panic = 1;
	set_policy(&scene, policy);
	for (int i = 0; i < 3; i++)
		CHECK_EQUAL(same(&scene, NULL), FAKE_SLATE_SHOWN);
	policy.use_slate = 0;
	set_policy(&scene, policy);
	CHECK_EQUAL(same(&scene, NULL), FAKE_COVER);
	CHECK_EQUAL(same(&scene, NULL), FAKE_COVER);
	sync_end(&scene);
}

static void on_an_asynchronous_source_it_works_alone_and_passes_on_beside_the_other(void)
{
	static struct scene scene;
	begin(&scene, 0);
	memset(&card, 0, sizeof card);
	struct fake_filter *sync = fake_sync_filter_add(&scene.source);
	const uint64_t id = fake_filter_id(sync);
	CHECK_EQUAL(doppel_gate_set_policy(id, &normal), 0);
	struct doppel_gate_status status;
	for (int i = 0; i < 4; i++) {
		atomic_fetch_add(&fake_now_ns, STEP);
		fake_tick(&scene.source, &i420, 1, STEP);
		fake_sync_draw(&scene.source, NULL);
		CHECK_EQUAL(fake_look(&fake.scene, NULL), FAKE_COVER);
		CHECK_EQUAL(fake.scene.geometry.pixel_format, i420.pixel_format); /* the other one's */
	}
	CHECK_EQUAL(doppel_gate_get_status(id, &status), 0);
	CHECK(status.passes_on == 1 && status.frames_in == 0 && card.maps == 0);
	fake_filter_enable(scene.filter, false);
	for (int i = 0; i < 4; i++) {
		atomic_fetch_add(&fake_now_ns, STEP);
		fake_tick(&scene.source, &i420, 1, STEP);
		CHECK(fake_sync_draw(&scene.source, NULL) != FAKE_RAW);
	}
	CHECK_EQUAL(doppel_gate_get_status(id, &status), 0);
	CHECK(status.passes_on == 0 && status.covered == 3);
	fake_filter_remove(sync);
	end(&scene);
	CHECK_EQUAL(card.objects, 0);
}

static void switched_off_and_on_again_nothing_old_is_shown(void)
{
	struct scene scene;
	sync_running(&scene);
	fake_filter_enable(scene.filter, false);
	for (int i = 0; i < 30; i++)
		CHECK_EQUAL(next(&scene, NULL), FAKE_RAW); /* by the user's choice */
	fake_filter_enable(scene.filter, true);
	CHECK_EQUAL(next(&scene, NULL), FAKE_COVER);
	CHECK_EQUAL(next(&scene, NULL), FAKE_COVER);
	for (int i = 0; i < 5; i++) {
		judge_all(&scene, DOPPEL_VERDICT_SWAPPED);
		CHECK(next(&scene, NULL) != FAKE_RAW);
	}
	sync_end(&scene);
}

int main(void)
{
	sync_install();
	pictures_come_out_in_order_after_d_ticks_and_the_one_of_the_reading();
	a_source_in_two_scenes_is_read_once_and_drawn_twice();
	a_screenshot_shows_what_was_released_and_takes_no_frame();
	a_missing_result_is_held_and_then_covered();
	panic_covers_and_ends();
	a_pause_shows_the_original_and_nothing_of_it_stays();
	the_slate_is_the_cover_where_it_is_chosen();
	on_an_asynchronous_source_it_works_alone_and_passes_on_beside_the_other();
	switched_off_and_on_again_nothing_old_is_shown();
	puts("sync: ok");
	return 0;
}
