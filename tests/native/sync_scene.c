#include "sync_scene.h"

#include "check.h"
#include "fake_clock.h"

#include <string.h>

void sync_install(void)
{
	scene_install();
	fake_graphics_install();
}

void sync_begin(struct scene *scene)
{
	memset(scene, 0, sizeof *scene);
	memset(&card, 0, sizeof card);
	card.pitch_padding = 64;
	fake_source_init(&scene->source, 0);
	scene->source.flags = OBS_FLAG_VIDEO;
	scene->filter = fake_sync_filter_add(&scene->source);
	scene->id = fake_filter_id(scene->filter);
	watched[0] = scene->filter;
	set_policy(scene, normal);
}

void sync_end(struct scene *scene)
{
	end(scene);
	CHECK_EQUAL(card.objects, 0);
}

enum fake_kind fake_sync_tick(struct fake_source *source, uint64_t *shown)
{
	atomic_fetch_add(&fake_now_ns, STEP);
	fake_tick(source, NULL, 0, 0);
	return fake_sync_draw(source, shown);
}

enum fake_kind next(struct scene *scene, uint64_t *shown)
{
	fake_still(&scene->source, SIDE, SIDE);
	return same(scene, shown);
}

enum fake_kind same(struct scene *scene, uint64_t *shown)
{
	return fake_sync_tick(&scene->source, shown);
}

void sync_running(struct scene *scene)
{
	sync_begin(scene);
	CHECK_EQUAL(next(scene, NULL), FAKE_NOTHING); /* the first picture is being read back */
	CHECK_EQUAL(next(scene, NULL), FAKE_COVER);
	CHECK_EQUAL(rig_attach(scene->id, &scene->segment, 6, 7), 0);
	for (int i = 0; i < 6; i++) {
		next(scene, NULL);
		judge_all(scene, DOPPEL_VERDICT_SWAPPED);
	}
	CHECK_EQUAL(next(scene, NULL), FAKE_JUDGED);
	judge_all(scene, DOPPEL_VERDICT_SWAPPED);
}

void still_running(struct scene *scene)
{
	sync_running(scene);
	for (int i = 0; i < 5; i++) {
		same(scene, NULL);
		judge_all(scene, DOPPEL_VERDICT_SWAPPED);
	}
}
