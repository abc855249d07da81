/* The gate while its source sends nothing: paused, or a still. */
#include "check.h"
#include "fake_clock.h"
#include "gate_scene.h"

#include <string.h>

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

/* The worker's next frame, which must be an original, judged. Its number modulo 64. */
static uint64_t judge_an_original(struct scene *scene)
{
	const int32_t slot = rig_take(&scene->segment);
	CHECK(slot >= 0);
	const struct doppel_segment_header *header = (const void *)scene->segment.worker;
	static struct fake_picture picture;
	uint64_t id;
	picture.geometry = header->geometry;
	memcpy(picture.bytes, scene->segment.worker + header->pixels_offset + (uint32_t)slot * header->slot_stride,
	       header->geometry.frame_bytes);
	CHECK_EQUAL(fake_look(&picture, &id), FAKE_RAW);
	rig_finish(&scene->segment, slot, DOPPEL_VERDICT_SWAPPED);
	return id;
}

/* The source sends nothing for so long that it counts as paused; its last frame's result is shown. */
static void idle(struct scene *scene)
{
	for (int i = 0; i < 8; i++)
		CHECK_EQUAL(tick(scene, 0, NULL), FAKE_JUDGED);
	CHECK_EQUAL(rig_take(&scene->segment), -1);
}

static void an_idle_sources_last_frame_is_judged_again_when_the_worker_asks(void)
{
	struct scene scene;
	running(&scene, OBS_FLAG_CONTROLLABLE_MEDIA);
	const uint64_t last = fake.raw_id;
	idle(&scene);
	for (int i = 0; i < 3; i++) {
		const uint64_t uploads = status_of(&scene).reuploads;
		doppel_worker_ask_again(scene.segment.worker, scene.segment.bytes);
		CHECK_EQUAL(tick(&scene, 0, NULL), FAKE_JUDGED); /* the old picture stays until then */
		CHECK_EQUAL(judge_an_original(&scene), last & 63);
		uint64_t shown = 0;
		CHECK_EQUAL(tick(&scene, 0, &shown), FAKE_JUDGED);
		CHECK_EQUAL(shown, last & 63);
		CHECK_EQUAL(status_of(&scene).reuploads, uploads + 1);
		CHECK_EQUAL(status_of(&scene).judged_again, i + 1);
		idle(&scene); /* once for each time it asks */
	}
	uint64_t shown = 0;
	for (int i = 0; i < 4; i++) { /* and it goes on as if nothing had been */
		CHECK_EQUAL(tick(&scene, 1, &shown), FAKE_JUDGED);
		judge_all(&scene, DOPPEL_VERDICT_SWAPPED);
	}
	CHECK_EQUAL(shown, (fake.raw_id - 2) & 63);
	end(&scene);
}

static void while_frames_come_the_worker_asks_in_vain(void)
{
	struct scene scene;
	running(&scene, 0);
	for (int i = 0; i < 20; i++) {
		doppel_worker_ask_again(scene.segment.worker, scene.segment.bytes);
		tick(&scene, 1, NULL);
		judge_all(&scene, DOPPEL_VERDICT_SWAPPED);
	}
	CHECK_EQUAL(status_of(&scene).judged_again, 0);
	idle(&scene);
	CHECK_EQUAL(status_of(&scene).judged_again, 0); /* what was asked before the last frame, it answered */
	end(&scene);
}

static void a_new_worker_judges_an_idle_sources_last_frame(void)
{
	for (int begun = 0; begun < 3; begun++) { /* the old one had judged it, had begun it, had not begun it */
		struct scene scene;
		running(&scene, OBS_FLAG_CONTROLLABLE_MEDIA);
		if (begun > 0)
			tick(&scene, 1, NULL);
		if (begun == 1)
			CHECK(rig_take(&scene.segment) >= 0);
		const uint64_t last = fake.raw_id;
		for (int i = 0; i < 8; i++)
			CHECK_EQUAL(tick(&scene, 0, NULL), FAKE_JUDGED);
		CHECK_EQUAL(doppel_gate_detach(scene.id), 0);
		CHECK_EQUAL(tick(&scene, 0, NULL), FAKE_JUDGED);
		for (uint64_t serial = 8; serial < 10; serial++) { /* and the next one's successor, too */
			rig_segment_free(&scene.segment);
			CHECK_EQUAL(rig_attach(scene.id, &scene.segment, 4, serial), 0);
			CHECK_EQUAL(tick(&scene, 0, NULL), FAKE_JUDGED);
			CHECK_EQUAL(judge_an_original(&scene), last & 63);
			uint64_t shown = 0;
			CHECK_EQUAL(tick(&scene, 0, &shown), FAKE_JUDGED);
			CHECK_EQUAL(shown, last & 63);
			idle(&scene);
		}
		end(&scene);
	}
}

static void a_worker_that_never_kept_the_last_frame_leaves_the_picture(void)
{
	struct scene scene;
	running(&scene, 0);
	idle(&scene);
	((struct doppel_segment_header *)(void *)scene.segment.worker)->kept_id = 1;
	doppel_worker_ask_again(scene.segment.worker, scene.segment.bytes);
	idle(&scene);
	CHECK_EQUAL(doppel_gate_detach(scene.id), 0);
	idle(&scene);
	end(&scene);
}

static void a_pause_of_the_swap_shows_an_idle_sources_original_and_its_end_hides_it(void)
{
	struct scene scene;
	running(&scene, OBS_FLAG_CONTROLLABLE_MEDIA);
	const uint64_t last = fake.raw_id;
	idle(&scene);
	struct doppel_policy paused = normal;
	paused.paused = 1;
	for (int round = 0; round < 2; round++) {
		set_policy(&scene, paused);
		uint64_t shown = 0;
		CHECK_EQUAL(tick(&scene, 0, &shown), FAKE_RAW);
		CHECK_EQUAL(shown, last & 63);
		const uint64_t uploads = status_of(&scene).reuploads;
		CHECK_EQUAL(tick(&scene, 0, &shown), FAKE_RAW);
		CHECK_EQUAL(status_of(&scene).reuploads, uploads);
		set_policy(&scene, normal);
		idle(&scene);
	}
	end(&scene);
}

static void a_pause_of_the_swap_leaves_a_paused_source_alone_that_has_left_the_scene(void)
{
	struct scene scene;
	running(&scene, OBS_FLAG_CONTROLLABLE_MEDIA);
	fake_signal(&scene.source, "media_pause");
	idle(&scene);
	scene.source.active_wanted = false; /* a preview still draws it */
	tick(&scene, 0, NULL);
	for (int i = 0; i < 40; i++)
		tick(&scene, 0, NULL);
	const uint64_t uploads = status_of(&scene).reuploads;
	struct doppel_policy paused = normal;
	paused.paused = 1;
	set_policy(&scene, paused);
	for (int i = 0; i < 3; i++)
		tick(&scene, 0, NULL);
	CHECK_EQUAL(status_of(&scene).reuploads, uploads);
	scene.source.active_wanted = true;
	tick(&scene, 0, NULL);
	for (int i = 0; i < 40; i++)
		tick(&scene, 0, NULL);
	CHECK_EQUAL(tick(&scene, 0, NULL), FAKE_RAW);
	end(&scene);
}

static void a_filter_that_comes_to_a_paused_source_knows_that_it_may_be_sought(void)
{
	for (int frames = 0; frames < 2; frames++) { /* without any frame, or one that was on its way */
		struct scene scene;
		begin(&scene, OBS_FLAG_CONTROLLABLE_MEDIA);
		tick(&scene, 0, NULL); /* the source is active */
		watched[0] = NULL;
		fake_filter_remove(scene.filter);
		fake_pause(&scene.source, true);
		fake_show_raw(&scene.source, &i420);
		scene.source.async_active = true;
		scene.filter = watched[0] = fake_filter_add(&scene.source);
		scene.id = fake_filter_id(scene.filter);
		set_policy(&scene, normal);
		CHECK_EQUAL(tick(&scene, 0, NULL), FAKE_NOTHING);
		if (frames > 0) {
			CHECK_EQUAL(tick(&scene, 1, NULL), FAKE_COVER);
			CHECK_EQUAL(rig_attach(scene.id, &scene.segment, 4, 1), 0);
			for (int i = 0; i < 8; i++) {
				tick(&scene, 0, NULL);
				judge_all(&scene, DOPPEL_VERDICT_SWAPPED);
			}
		}
		for (int i = 0; i < 5; i++) {
			fake_show_raw(&scene.source, &i420);
			CHECK_EQUAL(tick(&scene, 0, NULL), frames > 0 ? FAKE_JUDGED : FAKE_NOTHING);
		}
		fake_pause(&scene.source, false);
		CHECK_EQUAL(tick(&scene, 1, NULL), frames > 0 ? FAKE_JUDGED : FAKE_COVER);
		end(&scene);
	}
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

int main(void)
{
	scene_install();
	a_source_that_stops_shows_its_last_frames_result();
	a_still_that_came_before_any_lane_is_judged_too();
	an_idle_sources_last_frame_is_judged_again_when_the_worker_asks();
	while_frames_come_the_worker_asks_in_vain();
	a_new_worker_judges_an_idle_sources_last_frame();
	a_worker_that_never_kept_the_last_frame_leaves_the_picture();
	a_pause_of_the_swap_shows_an_idle_sources_original_and_its_end_hides_it();
	a_pause_of_the_swap_leaves_a_paused_source_alone_that_has_left_the_scene();
	a_filter_that_comes_to_a_paused_source_knows_that_it_may_be_sought();
	a_source_of_one_frame_a_second_is_shown_as_soon_as_it_is_judged();
	a_late_cover_verdict_for_a_still_covers();
	puts("idle: ok");
	return 0;
}
