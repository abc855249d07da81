/* Whose signals the gate listens to, and what it concludes, when another thread acts between two of its steps. */
#include "check.h"
#include "gate_scene.h"

static struct scene scene;
static uint32_t questions;

static struct doppel_filter *filter(void)
{
	return scene.filter->data;
}

static uint32_t connections(const struct fake_source *source)
{
	uint32_t count = 0;
	for (uint32_t i = 0; i < FAKE_CONNECTIONS; i++)
		count += source->connections[i].callback != NULL;
	return count;
}

/* As libobs does it: the filter's own callback, then the list of filters; here the caller still has the old parent. */
static void is_removed(void)
{
	fake.asked_for_parent = NULL;
	scene.filter->info->filter_remove(scene.filter->data, &scene.source);
}

static void a_filter_that_is_removed_while_it_looks_for_its_parent_listens_to_nobody_and_follows_the_next_one(void)
{
	begin(&scene, OBS_FLAG_CONTROLLABLE_MEDIA);
	fake.asked_for_parent = is_removed;
	doppel_signals_follow_parent(filter());
	CHECK(fake.asked_for_parent == NULL);
	CHECK_EQUAL(connections(&scene.source), 0);
	CHECK(atomic_load(&filter()->connected_to) == NULL);

	static struct fake_source other;
	fake_source_init(&other, OBS_FLAG_CONTROLLABLE_MEDIA);
	scene.filter->parent = &other;
	doppel_signals_follow_parent(filter());
	CHECK(connections(&other) > 0);
	const uint32_t before = atomic_load(&filter()->suspicion);
	fake_signal(&other, "media_pause");
	CHECK(atomic_load(&filter()->suspicion) > before);
	CHECK_EQUAL(atomic_load(&filter()->media_paused), 1);

	scene.filter->info->filter_remove(scene.filter->data, &other);
	CHECK_EQUAL(connections(&other), 0);
	scene.filter->parent = &scene.source;
	end(&scene);
}

static void plays(void)
{
	questions++;
	fake_signal(&scene.source, "media_play");
}

static void a_source_that_never_stops_changing_counts_as_paused(void)
{
	begin(&scene, OBS_FLAG_CONTROLLABLE_MEDIA);
	questions = 0;
	fake.asked_for_media_state = plays;
	doppel_signals_follow_parent(filter());
	fake.asked_for_media_state = NULL;
	CHECK(questions > 1);
	CHECK_EQUAL(atomic_load(&filter()->media_paused), 1);
	fake_signal(&scene.source, "media_play");
	CHECK_EQUAL(atomic_load(&filter()->media_paused), 0);
	end(&scene);
}

static void plays_once(void)
{
	fake.asked_for_media_state = NULL;
	fake_pause(&scene.source, false);
}

static void a_source_that_plays_on_while_it_is_asked_counts_as_playing(void)
{
	begin(&scene, OBS_FLAG_CONTROLLABLE_MEDIA);
	fake_pause(&scene.source, true);
	fake.asked_for_media_state = plays_once;
	doppel_signals_follow_parent(filter());
	CHECK_EQUAL(atomic_load(&filter()->media_paused), 0);
	end(&scene);
}

int main(void)
{
	scene_install();
	a_filter_that_is_removed_while_it_looks_for_its_parent_listens_to_nobody_and_follows_the_next_one();
	a_source_that_never_stops_changing_counts_as_paused();
	a_source_that_plays_on_while_it_is_asked_counts_as_playing();
	puts("signals: ok");
	return 0;
}
