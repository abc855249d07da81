/* The gate's lanes: segments, other sizes, workers that come, go, or are slow. */
#include "check.h"
#include "fake_clock.h"
#include "gate_scene.h"

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
	a_new_geometry_covers_and_wants_a_new_segment();
	a_new_worker_takes_over_while_the_old_picture_is_held();
	lanes_that_nobody_took_are_collected();
	bad_segments_are_refused();
	a_slow_worker_loses_frames_but_never_order();
	nobody_is_blamed_for_the_time_in_which_obs_stood_still();
	puts("lanes: ok");
	return 0;
}
