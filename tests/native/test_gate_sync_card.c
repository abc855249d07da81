/* The sync filter and the graphics card: sizes, pitches, colours, a card without room. */
#include "check.h"
#include "sync_scene.h"

static void every_pitch_of_the_card_is_read(void)
{
	for (uint32_t padding = 0; padding <= 256; padding += 64) {
		struct scene scene;
		sync_running(&scene);
		card.pitch_padding = padding;
		for (int i = 0; i < 5; i++) {
			CHECK_EQUAL(next(&scene, NULL), FAKE_JUDGED);
			judge_all(&scene, DOPPEL_VERDICT_SWAPPED);
		}
		sync_end(&scene);
	}
}

static void another_size_is_covered_until_its_own_lane_runs(void)
{
	struct scene scene;
	sync_running(&scene);
	for (uint32_t side = 66; side < 80; side += 2) { /* a window that is dragged */
		fake_still(&scene.source, side, side - 10);
		CHECK_EQUAL(same(&scene, NULL), FAKE_COVER);
	}
	CHECK_EQUAL(same(&scene, NULL), FAKE_COVER);
	CHECK_EQUAL(status_of(&scene).geometry.width, 78);
	CHECK_EQUAL(status_of(&scene).geometry.height, 68);
	CHECK_EQUAL(status_of(&scene).lane_state, DOPPEL_LANE_STALE);
	struct rig_segment old = scene.segment;
	CHECK_EQUAL(rig_attach(scene.id, &scene.segment, 6, 9), 0);
	rig_segment_free(&old);
	for (int i = 0; i < 5; i++) {
		CHECK(same(&scene, NULL) != FAKE_RAW);
		judge_all(&scene, DOPPEL_VERDICT_SWAPPED);
	}
	CHECK_EQUAL(same(&scene, NULL), FAKE_JUDGED);
	fake_still(&scene.source, 0, 0);
	CHECK_EQUAL(same(&scene, NULL), FAKE_NOTHING);
	CHECK_EQUAL(same(&scene, NULL), FAKE_NOTHING);
	fake_still(&scene.source, 78, 68);
	for (int i = 0; i < 6; i++) {
		CHECK(same(&scene, NULL) != FAKE_RAW);
		judge_all(&scene, DOPPEL_VERDICT_SWAPPED);
	}
	CHECK_EQUAL(same(&scene, NULL), FAKE_JUDGED);
	sync_end(&scene);
}

static void high_dynamic_range_is_covered_and_said(void)
{
	struct scene scene;
	sync_running(&scene);
	card.hdr = true;
	CHECK_EQUAL(next(&scene, NULL), FAKE_COVER);
	CHECK_EQUAL(next(&scene, NULL), FAKE_COVER);
	CHECK_EQUAL(status_of(&scene).unsupported_format, DOPPEL_UNSUPPORTED_HDR);
	const int32_t wanted[] = {0, 2};
	CHECK_EQUAL(fake.sync_info->video_get_color_space(scene.filter->data, 2, wanted), 0);
	struct doppel_policy policy = normal;
	policy.paused = 1;
	set_policy(&scene, policy);
	CHECK_EQUAL(fake.sync_info->video_get_color_space(scene.filter->data, 2, wanted), 2);
	CHECK_EQUAL(next(&scene, NULL), FAKE_RAW);
	set_policy(&scene, normal);
	card.hdr = false;
	for (int i = 0; i < 6; i++) {
		CHECK(next(&scene, NULL) != FAKE_RAW);
		judge_all(&scene, DOPPEL_VERDICT_SWAPPED);
	}
	CHECK_EQUAL(next(&scene, NULL), FAKE_JUDGED);
	CHECK_EQUAL(status_of(&scene).unsupported_format, 0);
	sync_end(&scene);
}

static void grey_gives_way_to_a_cover_and_not_to_what_was_shown_before(void)
{
	struct scene scene;
	still_running(&scene);
	card.hdr = true;
	CHECK_EQUAL(same(&scene, NULL), FAKE_COVER);
	struct doppel_policy policy = normal;
	policy.panic = 1;
	set_policy(&scene, policy);
	CHECK_EQUAL(same(&scene, NULL), FAKE_COVER);
	card.hdr = false;
	for (int i = 0; i < 4; i++)
		CHECK_EQUAL(same(&scene, NULL), FAKE_COVER);
	set_policy(&scene, normal);
	CHECK_EQUAL(same(&scene, NULL), FAKE_JUDGED); /* the picture is the same as before all that */
	sync_end(&scene);
}

static void a_card_without_room_covers(void)
{
	struct scene scene;
	sync_begin(&scene);
	card.refuses = true;
	for (int i = 0; i < 3; i++)
		CHECK_EQUAL(next(&scene, NULL), FAKE_NOTHING);
	CHECK_EQUAL(status_of(&scene).unsupported_format, DOPPEL_UNSUPPORTED_SIZE);
	sync_end(&scene);
}

static void a_card_that_gives_nothing_is_held_and_then_covered(void)
{
	struct scene scene;
	sync_running(&scene);
	card.lost = true;
	for (int i = 0; i < 30; i++) {
		const enum fake_kind kind = next(&scene, NULL);
		CHECK_EQUAL(kind, i < (int)(normal.hold_ns / STEP) ? FAKE_JUDGED : FAKE_COVER);
	}
	card.lost = false;
	CHECK_EQUAL(next(&scene, NULL), FAKE_COVER);
	sync_end(&scene);
}

static void removed_with_frames_in_flight_it_leaves_nothing(void)
{
	struct scene scene;
	sync_running(&scene);
	next(&scene, NULL);
	const int32_t slot = rig_take(&scene.segment);
	next(&scene, NULL);
	CHECK(slot >= 0 && card.objects > 0);
	watched[0] = NULL;
	fake_filter_remove(scene.filter);
	scene.filter = NULL;
	CHECK_EQUAL(card.objects, 0);
	rig_finish(&scene.segment, slot, DOPPEL_VERDICT_SWAPPED);
	sync_end(&scene);
}

int main(void)
{
	sync_install();
	every_pitch_of_the_card_is_read();
	another_size_is_covered_until_its_own_lane_runs();
	high_dynamic_range_is_covered_and_said();
	grey_gives_way_to_a_cover_and_not_to_what_was_shown_before();
	a_card_without_room_covers();
	a_card_that_gives_nothing_is_held_and_then_covered();
	removed_with_frames_in_flight_it_leaves_nothing();
	puts("card: ok");
	return 0;
}
