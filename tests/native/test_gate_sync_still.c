/* The sync filter on a source that draws the same picture again: a still, a slow or a hidden one. */
#include "check.h"
#include "fake_clock.h"
#include "ring_words.h"
#include "sync_scene.h"

static void a_still_goes_to_the_worker_once(void)
{
	struct scene scene;
	sync_running(&scene);
	for (int i = 0; i < 10; i++) {
		same(&scene, NULL);
		judge_all(&scene, DOPPEL_VERDICT_SWAPPED);
	}
	const struct doppel_gate_status before = status_of(&scene);
	const uint32_t uploads = card.uploads;
	for (int i = 0; i < 100; i++) {
		uint64_t shown;
		CHECK_EQUAL(same(&scene, &shown), FAKE_JUDGED);
		CHECK_EQUAL(shown, fake.raw_id & 63);
		judge_all(&scene, DOPPEL_VERDICT_SWAPPED);
	}
	CHECK_EQUAL(status_of(&scene).submitted, before.submitted);
	CHECK_EQUAL(status_of(&scene).frames_in, before.frames_in);
	CHECK_EQUAL(card.uploads, uploads);
	doppel_worker_ask_again(scene.segment.worker, scene.segment.bytes); /* another persona */
	same(&scene, NULL);
	CHECK_EQUAL(status_of(&scene).submitted, before.submitted + 1);
	judge_all(&scene, DOPPEL_VERDICT_NO_FACE);
	for (int i = 0; i < 3; i++)
		CHECK_EQUAL(same(&scene, NULL), FAKE_JUDGED);
	CHECK_EQUAL(status_of(&scene).no_face, before.no_face + 1);
	/* What the worker gives back unjudged comes again. */
	fake_still(&scene.source, SIDE, SIDE);
	for (int i = 0; i < 4; i++) {
		same(&scene, NULL);
		for (uint32_t slot = 0; slot < 6; slot++) {
			uint32_t filled = DOPPEL_FILLED;
			atomic_compare_exchange_strong(&slot_of(scene.segment.worker, slot)->state, &filled,
						       DOPPEL_FREE);
		}
	}
	for (int i = 0; i < 6; i++) {
		same(&scene, NULL);
		judge_all(&scene, DOPPEL_VERDICT_SWAPPED);
	}
	uint64_t shown;
	CHECK_EQUAL(same(&scene, &shown), FAKE_JUDGED);
	CHECK_EQUAL(shown, fake.raw_id & 63);
	sync_end(&scene);
}

static void a_source_half_as_fast_as_the_canvas_is_not_late(void)
{
	struct scene scene;
	sync_running(&scene);
	for (int i = 0; i < 6; i++) {
		i % 2 == 0 ? next(&scene, NULL) : same(&scene, NULL);
		judge_all(&scene, DOPPEL_VERDICT_SWAPPED);
	}
	const struct doppel_gate_status before = status_of(&scene);
	for (int i = 0; i < 20; i++) {
		uint64_t shown;
		CHECK_EQUAL(i % 2 == 0 ? next(&scene, &shown) : same(&scene, &shown), FAKE_JUDGED);
		judge_all(&scene, DOPPEL_VERDICT_SWAPPED);
		CHECK_EQUAL(shown, (fake.raw_id - (i % 2 == 0 ? 2 : 1)) & 63); /* 3 ticks: 1.5 of its own */
	}
	CHECK_EQUAL(status_of(&scene).submitted, before.submitted + 10);
	CHECK_EQUAL(status_of(&scene).swapped, before.swapped + 10);
	CHECK_EQUAL(status_of(&scene).held, before.held);
	sync_end(&scene);
}

static void a_still_whose_result_is_missing_is_covered_too(void)
{
	struct scene scene;
	sync_running(&scene);
	fake_still(&scene.source, SIDE, SIDE);
	enum fake_kind kind = FAKE_NOTHING;
	for (int i = 0; i < 40; i++)
		kind = same(&scene, NULL);
	CHECK_EQUAL(kind, FAKE_COVER);
	const uint32_t uploads = card.uploads;
	CHECK_EQUAL(same(&scene, NULL), FAKE_COVER);
	CHECK_EQUAL(card.uploads, uploads);
	sync_end(&scene);
}

static void a_new_worker_gets_the_still_again(void)
{
	struct scene scene;
	still_running(&scene);
	CHECK_EQUAL(doppel_gate_detach(scene.id), 0);
	for (int i = 0; i < 40; i++)
		CHECK_EQUAL(same(&scene, NULL), FAKE_JUDGED); /* still the right picture */
	rig_segment_free(&scene.segment);
	CHECK_EQUAL(rig_attach(scene.id, &scene.segment, 6, 8), 0);
	const uint64_t submitted = status_of(&scene).submitted;
	CHECK_EQUAL(same(&scene, NULL), FAKE_JUDGED);
	CHECK_EQUAL(status_of(&scene).submitted, submitted + 1);
	CHECK_EQUAL(status_of(&scene).lane_serial, 8);
	judge_all(&scene, DOPPEL_VERDICT_COVERED);
	for (int i = 0; i < 3; i++)
		same(&scene, NULL);
	CHECK_EQUAL(same(&scene, NULL), FAKE_COVER); /* the worker asks for the cover: that is a judgement, too */
	CHECK_EQUAL(status_of(&scene).submitted, submitted + 1);
	while (doppel_gate_collect(scene.id) > 1)
		same(&scene, NULL);
	sync_end(&scene);
}

static void what_was_hidden_for_long_comes_back_covered(void)
{
	for (int still = 0; still < 2; still++) {
		struct scene scene;
		still_running(&scene);
		for (int i = 0; i < 100; i++) { /* nobody draws it */
			atomic_fetch_add(&fake_now_ns, STEP);
			fake_tick(&scene.source, NULL, 0, 0);
		}
		if (still == 0)
			fake_still(&scene.source, SIDE, SIDE);
		CHECK_EQUAL(same(&scene, NULL), FAKE_COVER);
		CHECK_EQUAL(same(&scene, NULL), still != 0 ? FAKE_JUDGED : FAKE_COVER);
		sync_end(&scene);
	}
}

int main(void)
{
	sync_install();
	a_still_goes_to_the_worker_once();
	a_source_half_as_fast_as_the_canvas_is_not_late();
	a_still_whose_result_is_missing_is_covered_too();
	a_new_worker_gets_the_still_again();
	what_was_hidden_for_long_comes_back_covered();
	puts("stills: ok");
	return 0;
}
