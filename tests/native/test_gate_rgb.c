/* Answers as RGB: the frames that the async filter returns in the place of libobs's, where its lane has pictures as RGB.
 * The small libobs counts the references of every frame as libobs does, and fails where they do not come out even.
 */
#include "check.h"
#include "rgb.h"
#include "rgb_scene.h"

#include <string.h>

#define SECOND (1000 * MS)

static struct obs_source_frame *own_frame(const struct scene *scene, unsigned which)
{
	return (struct obs_source_frame *)(void *)filter_of(scene)->rgb[which];
}

static void test_judged_pictures_go_out_as_rgb_in_their_order(void)
{
	struct scene scene;
	running_with_rgb(&scene);
	const uint32_t released = scene.source.released;
	uint64_t before, shown;
	CHECK_EQUAL(tick(&scene, 1, &before), FAKE_JUDGED);
	judge_all(&scene, DOPPEL_VERDICT_SWAPPED);
	for (int i = 0; i < 100; i++) {
		CHECK_EQUAL(tick(&scene, 1, &shown), FAKE_JUDGED);
		CHECK_EQUAL(shown, (before + 1) % 64);
		CHECK_EQUAL(format_shown(&scene), BGRX);
		before = shown;
		judge_all(&scene, DOPPEL_VERDICT_SWAPPED);
	}
	CHECK_EQUAL(scene.source.released, released + 101); /* each frame of libobs's is given back, once */
	end(&scene);
}

static void test_a_held_picture_goes_out_as_rgb_and_the_cover_in_place(void)
{
	struct scene scene;
	running_with_rgb(&scene);
	for (int i = 0; i < 10; i++) {
		CHECK_EQUAL(tick(&scene, 1, NULL), FAKE_JUDGED); /* nobody judges any more */
		CHECK_EQUAL(format_shown(&scene), BGRX);
	}
	for (int i = 0; i < 10; i++)
		tick(&scene, 1, NULL);
	CHECK_EQUAL(tick(&scene, 1, NULL), FAKE_COVER);
	CHECK_EQUAL(format_shown(&scene), i420.pixel_format);
	judge_all(&scene, DOPPEL_VERDICT_SWAPPED);
	for (int i = 0; i < 3; i++)
		tick(&scene, 1, NULL), judge_all(&scene, DOPPEL_VERDICT_SWAPPED);
	next_is_judged(&scene, i420.pixel_format); /* formats do not change to and fro */
	settle(&scene);
	next_is_judged(&scene, BGRX);
	end(&scene);
}

static void test_a_pause_and_a_panic_go_out_in_place(void)
{
	struct scene scene;
	running_with_rgb(&scene);
	struct doppel_policy policy = normal;
	policy.paused = 1;
	set_policy(&scene, policy);
	CHECK_EQUAL(tick(&scene, 1, NULL), FAKE_RAW);
	CHECK_EQUAL(format_shown(&scene), i420.pixel_format);
	policy = normal;
	policy.panic = 1;
	set_policy(&scene, policy);
	CHECK_EQUAL(tick(&scene, 1, NULL), FAKE_COVER);
	CHECK_EQUAL(format_shown(&scene), i420.pixel_format);
	end(&scene);
}

static void test_a_lane_without_rgb_is_answered_in_place(void)
{
	struct scene scene;
	running(&scene, 0);
	next_is_judged(&scene, i420.pixel_format);
	CHECK(own_frame(&scene, 0) == NULL);
	end(&scene);
}

static void test_a_picture_without_its_rgb_goes_out_in_place(void)
{
	struct scene scene;
	running_with_rgb(&scene);
	/* The worker says that the RGB is another frame's: so it is not this one's. */
	for (int i = 0; i < 3; i++) {
		tick(&scene, 1, NULL);
		for (int32_t slot; (slot = rig_take(&scene.segment)) >= 0;) {
			struct doppel_slot_header *words =
				(void *)(scene.segment.worker + DOPPEL_SLOT0_OFFSET +
					 (uint32_t)slot * DOPPEL_SLOT_HEADER_BYTES);
			rig_finish(&scene.segment, slot, DOPPEL_VERDICT_SWAPPED);
			atomic_store(&words->rgb_id, atomic_load(&words->frame_id) - 1);
		}
	}
	CHECK_EQUAL(tick(&scene, 1, NULL), FAKE_JUDGED);
	CHECK_EQUAL(format_shown(&scene), i420.pixel_format);
	end(&scene);
}

static void test_a_frame_that_somebody_still_reads_is_not_written(void)
{
	struct scene scene;
	running_with_rgb(&scene);
	struct obs_source_frame *first = own_frame(&scene, 0);
	CHECK(first != NULL);
	first->refs++; /* obs_source_get_frame */
	uint8_t seen[16];
	memcpy(seen, first->data[0], sizeof seen);
	next_is_judged(&scene, BGRX);
	CHECK_EQUAL(memcmp(seen, first->data[0], sizeof seen), 0);
	struct obs_source_frame *second = own_frame(&scene, 1);
	CHECK(second != NULL && second != first);
	second->refs++;
	next_is_judged(&scene, i420.pixel_format); /* nothing is free: libobs's own */
	CHECK_EQUAL(memcmp(seen, first->data[0], sizeof seen), 0);
	first->refs--;
	second->refs--;
	next_is_judged(&scene, i420.pixel_format); /* formats do not change to and fro */
	settle(&scene);
	next_is_judged(&scene, BGRX);
	end(&scene);
}

static void test_frames_of_a_filter_that_is_gone_are_used_again_when_nobody_can_know_them(void)
{
	struct scene scene;
	running_with_rgb(&scene);
	const struct obs_source_frame *old = own_frame(&scene, 0);
	fake_filter_remove(scene.filter);
	scene.filter = NULL;
	end(&scene);
	volatile uint8_t read = old->data[0][0]; /* libobs may still upload the last answer: not freed */
	CHECK((read & 0x80) != 0);

	running_with_rgb(&scene);
	const struct obs_source_frame *other = own_frame(&scene, 0);
	CHECK(other != old); /* for a second of libobs's own time */
	end(&scene);
	fake.video_time += 2 * SECOND;
	running_with_rgb(&scene);
	CHECK(own_frame(&scene, 0) == other || own_frame(&scene, 0) == old);
	old = own_frame(&scene, 0);
	((struct obs_source_frame *)(void *)filter_of(&scene)->rgb[0])->refs++; /* and somebody holds it for ever */
	end(&scene);

	const struct doppel_geometry small = i420; /* of another size */
	i420 = fake_geometry(2, 80, 48, 16);
	fake.video_time += 2 * SECOND;
	running_with_rgb(&scene);
	const struct obs_source_frame *fresh = own_frame(&scene, 0);
	CHECK(fresh != old);
	CHECK_EQUAL(fresh->width, 80);
	next_is_judged(&scene, BGRX);
	end(&scene);
	i420 = small;
	fake.video_time += 2 * SECOND;
	running_with_rgb(&scene);
	CHECK(own_frame(&scene, 0) == fresh); /* of the right size by now */
	CHECK_EQUAL(fresh->width, 64);
	end(&scene);
}

static void test_only_opaque_yuv_of_even_sizes_is_made_rgb(void)
{
	const struct doppel_geometry none[] = {
		{.pixel_format = 1, .width = 63, .height = 64}, {.pixel_format = 1, .width = 64, .height = 63},
		{.pixel_format = 4, .width = 63, .height = 64}, {.pixel_format = 7, .width = 64, .height = 64},
		{.pixel_format = 9, .width = 64, .height = 64}, {.pixel_format = 18, .width = 64, .height = 64},
		{.pixel_format = 13, .width = 64, .height = 64},
	};
	for (unsigned i = 0; i < sizeof none / sizeof none[0]; i++)
		CHECK_EQUAL(doppel_segment_bytes_with_rgb(&none[i], 6), 0);
	const struct doppel_geometry whole = {.pixel_format = 10, .width = 63, .height = 63};
	CHECK(doppel_segment_bytes_with_rgb(&whole, 6) > doppel_segment_bytes(&whole, 6));
	CHECK_EQUAL(doppel_segment_bytes_with_rgb(&whole, 3), 0);
	for (uint32_t format = 0; format < 40; format++)
		CHECK_EQUAL(doppel_rgb_is_packed(format), format >= 3 && format <= 5); /* YVYU, YUY2, UYVY */
}

int main(void)
{
	scene_install();
	test_judged_pictures_go_out_as_rgb_in_their_order();
	test_a_held_picture_goes_out_as_rgb_and_the_cover_in_place();
	test_a_pause_and_a_panic_go_out_in_place();
	test_a_lane_without_rgb_is_answered_in_place();
	test_a_picture_without_its_rgb_goes_out_in_place();
	test_a_frame_that_somebody_still_reads_is_not_written();
	test_frames_of_a_filter_that_is_gone_are_used_again_when_nobody_can_know_them();
	test_only_opaque_yuv_of_even_sizes_is_made_rgb();
	puts("rgb: ok");
	return 0;
}
