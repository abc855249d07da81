#include "gate_scene.h"

#include "check.h"
#include "fake_clock.h"

#include <string.h>

struct doppel_geometry i420;
struct fake_filter *watched[4];
const struct doppel_policy normal = {.hold_ns = 500 * MS, .delay_frames = 2};

/* No lock of ours is held while libobs is called. */
static void no_lock_is_held(void)
{
	for (unsigned i = 0; i < 4; i++)
		if (watched[i] != NULL && watched[i]->data != NULL) {
			struct doppel_filter *filter = watched[i]->data;
			CHECK_EQUAL(atomic_load(&filter->lock.taken), 0);
			CHECK_EQUAL(atomic_load(&filter->control.taken), 0);
		}
}

void begin(struct scene *scene, uint32_t flags)
{
	memset(scene, 0, sizeof *scene);
	fake_source_init(&scene->source, flags);
	scene->source.timestamp = 1000000 * MS;
	scene->filter = fake_filter_add(&scene->source);
	scene->id = fake_filter_id(scene->filter);
	watched[0] = scene->filter;
	fake.in_libobs = no_lock_is_held;
}

struct doppel_gate_status status_of(const struct scene *scene)
{
	struct doppel_gate_status status;
	CHECK_EQUAL(doppel_gate_get_status(scene->id, &status), 0);
	CHECK_EQUAL(status.frames_in, status.swapped + status.blurred + status.no_face + status.original + status.held +
					      status.covered + status.dropped);
	return status;
}

void end(struct scene *scene)
{
	watched[0] = NULL;
	if (scene->filter != NULL)
		fake_filter_remove(scene->filter);
	CHECK_EQUAL(doppel_gate_list(NULL, 0), 0);
	rig_segment_free(&scene->segment);
}

enum fake_kind tick(struct scene *scene, uint32_t frames, uint64_t *shown)
{
	atomic_fetch_add(&fake_now_ns, STEP);
	fake_tick(&scene->source, &i420, frames, STEP);
	fake_draw(&scene->source);
	return fake_look(&fake.scene, shown);
}

void judge_all(struct scene *scene, uint32_t verdict)
{
	for (int32_t slot; (slot = rig_take(&scene->segment)) >= 0;)
		rig_finish(&scene->segment, slot, verdict);
}

void set_policy(const struct scene *scene, struct doppel_policy policy)
{
	CHECK_EQUAL(doppel_gate_set_policy(scene->id, &policy), 0);
}

void running(struct scene *scene, uint32_t flags)
{
	begin(scene, flags);
	set_policy(scene, normal);
	CHECK_EQUAL(tick(scene, 0, NULL), FAKE_NOTHING); /* a media source starts before its first frame comes */
	CHECK_EQUAL(tick(scene, 1, NULL), FAKE_COVER);
	CHECK_EQUAL(rig_attach(scene->id, &scene->segment, 6, 7), 0);
	for (int i = 0; i < 5; i++) {
		tick(scene, 1, NULL);
		judge_all(scene, DOPPEL_VERDICT_SWAPPED);
	}
	CHECK_EQUAL(tick(scene, 1, NULL), FAKE_JUDGED);
	judge_all(scene, DOPPEL_VERDICT_SWAPPED);
	CHECK_EQUAL(status_of(scene).lane_state, DOPPEL_LANE_ACTIVE);
	CHECK_EQUAL(status_of(scene).lane_serial, 7);
}

void scene_install(void)
{
	fake_install();
	i420 = fake_geometry(1, 64, 64, 0);
}
