/* Answers as RGB: when the format of what the async filter returns changes, and when it does not. */
#include "check.h"
#include "fake_clock.h"
#include "rgb_scene.h"

static void test_where_other_filters_come_after_it_is_answered_in_place(void)
{
	struct scene scene;
	running_with_rgb(&scene);
	struct fake_filter *delay = fake_delay_add(&scene.source, 1);
	for (int i = 0; i < 4; i++) {
		tick(&scene, 1, NULL);
		judge_all(&scene, DOPPEL_VERDICT_SWAPPED);
	}
	next_is_judged(&scene, i420.pixel_format);
	fake_filter_remove(delay);
	settle(&scene);
	next_is_judged(&scene, BGRX);

	struct fake_filter *ours = fake_filter_add(&scene.source); /* covers, for it has no lane */
	CHECK_EQUAL(tick(&scene, 1, NULL), FAKE_COVER);
	CHECK_EQUAL(format_shown(&scene), i420.pixel_format);
	fake_filter_remove(ours);
	end(&scene);
}

static void tick_deinterlaced(struct scene *scene, uint32_t format)
{
	tick(scene, 2, NULL);
	judge_all(scene, DOPPEL_VERDICT_SWAPPED);
	CHECK_EQUAL(scene->source.current.geometry.pixel_format, format);
}

/* OBS would freeze if the format changed while somebody chooses deinterlacing. */
static void test_a_deinterlaced_source_is_answered_in_place_from_the_next_second_on(void)
{
	struct scene scene;
	running_with_rgb(&scene);
	for (int again = 0; again < 2; again++) {
		scene.source.deinterlace = 1;
		for (int i = 0; i < 29; i++)
			tick_deinterlaced(&scene, BGRX);
		for (int i = 0; i < 3; i++)
			tick(&scene, 2, NULL), judge_all(&scene, DOPPEL_VERDICT_SWAPPED);
		for (int i = 0; i < 40; i++)
			tick_deinterlaced(&scene, i420.pixel_format);
		scene.source.deinterlace = 0;
		settle(&scene);
		settle(&scene);
		next_is_judged(&scene, BGRX);
	}
	end(&scene);
}

static void test_a_source_that_is_deinterlaced_already_is_answered_in_place(void)
{
	struct scene scene;
	rig_wants_rgb = true;
	running(&scene, 0);
	rig_wants_rgb = false;
	scene.source.deinterlace = 1;
	for (int i = 0; i < 40; i++)
		tick_deinterlaced(&scene, i420.pixel_format);
	end(&scene);
}

/* A tick in which nobody draws the source. */
static void tick_undrawn(struct scene *scene)
{
	atomic_fetch_add(&fake_now_ns, STEP);
	fake_tick(&scene->source, &i420, 1, STEP);
	judge_all(scene, DOPPEL_VERDICT_SWAPPED);
}

static uint32_t format_answered(const struct scene *scene)
{
	return scene->source.current.geometry.pixel_format;
}

static void test_the_format_does_not_begin_to_change_where_the_source_was_not_drawn(void)
{
	struct scene scene;
	running_with_rgb(&scene);
	for (int i = 0; i < 40; i++) { /* hidden: it goes on */
		tick_undrawn(&scene);
		CHECK_EQUAL(format_answered(&scene), BGRX);
	}
	doppel_suspect(filter_of(&scene));
	for (int i = 0; i < 60; i++) { /* ended: it does not begin again */
		tick_undrawn(&scene);
		CHECK_EQUAL(format_answered(&scene), i420.pixel_format);
	}
	next_is_judged(&scene, i420.pixel_format); /* not drawn before this one */
	next_is_judged(&scene, BGRX);
	end(&scene);
}

static void test_packed_formats_of_a_media_source_are_answered_in_place(void)
{
	const struct doppel_geometry before = i420;
	i420 = fake_geometry(4, 64, 64, 0);
	struct scene scene;
	rig_wants_rgb = true;
	running(&scene, OBS_FLAG_CONTROLLABLE_MEDIA);
	settle(&scene);
	next_is_judged(&scene, i420.pixel_format);
	CHECK_EQUAL(status_of(&scene).rgb_answers, 0);
	end(&scene);
	running(&scene, 0); /* a camera's */
	rig_wants_rgb = false;
	settle(&scene);
	next_is_judged(&scene, BGRX);
	CHECK(status_of(&scene).rgb_answers > 0);
	end(&scene);
	i420 = before;
}

static void test_after_anything_that_may_have_changed_the_texture_it_is_answered_in_place_for_a_while(void)
{
	struct scene scene;
	running_with_rgb(&scene);
	doppel_suspect(filter_of(&scene)); /* as a restart of the media does */
	for (int i = 0; i < 29; i++)
		next_is_judged(&scene, i420.pixel_format);
	settle(&scene);
	next_is_judged(&scene, BGRX);
	end(&scene);
}

int main(void)
{
	scene_install();
	test_where_other_filters_come_after_it_is_answered_in_place();
	test_a_deinterlaced_source_is_answered_in_place_from_the_next_second_on();
	test_a_source_that_is_deinterlaced_already_is_answered_in_place();
	test_the_format_does_not_begin_to_change_where_the_source_was_not_drawn();
	test_packed_formats_of_a_media_source_are_answered_in_place();
	test_after_anything_that_may_have_changed_the_texture_it_is_answered_in_place_for_a_while();
	puts("rgb format: ok");
	return 0;
}
