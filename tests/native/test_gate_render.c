/* What the gate lets out of the source's texture, whatever came into it past filter_video. */
#include "check.h"
#include "fake_clock.h"
#include "gate_scene.h"

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

int main(void)
{
	scene_install();
	preloaded_frames_are_not_drawn_on_a_scene_switch();
	seeking_while_paused_shows_the_last_judged_picture();
	a_restart_by_the_user_shows_no_raw_frame_even_before_its_signal();
	deinterlaced_frames_come_in_pairs_and_in_order();
	a_deinterlaced_source_under_suspicion_needs_two_uploads();
	a_frame_that_was_never_drawn_does_not_clear_suspicion();
	what_comes_after_the_frame_in_its_own_tick_is_suspected();
	a_picture_that_nobody_saw_for_long_is_not_held();
	a_result_older_than_the_one_shown_never_comes();
	a_source_that_shows_a_frame_without_a_word_is_suspected_when_shown();
	a_late_result_does_not_replace_the_cover_of_a_later_frame();
	a_paused_source_that_left_the_scene_is_left_alone();
	puts("render: ok");
	return 0;
}
