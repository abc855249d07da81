#include "rgb_scene.h"

#include "check.h"

uint32_t format_shown(const struct scene *scene)
{
	return scene->source.texture.geometry.pixel_format;
}

struct doppel_filter *filter_of(const struct scene *scene)
{
	return scene->filter->data;
}

void settle(struct scene *scene)
{
	for (int i = 0; i < 32; i++) {
		tick(scene, 1, NULL);
		judge_all(scene, DOPPEL_VERDICT_SWAPPED);
	}
}

void running_with_rgb(struct scene *scene)
{
	rig_wants_rgb = true;
	running(scene, 0);
	rig_wants_rgb = false;
	CHECK_EQUAL(format_shown(scene), i420.pixel_format); /* not at once */
	settle(scene);
	CHECK_EQUAL(format_shown(scene), BGRX);
}

void next_is_judged(struct scene *scene, uint32_t format)
{
	CHECK_EQUAL(tick(scene, 1, NULL), FAKE_JUDGED);
	CHECK_EQUAL(format_shown(scene), format);
	judge_all(scene, DOPPEL_VERDICT_SWAPPED);
}
