/* A filter's hotkeys and the answer to remote controls, against a small libobs that keeps the keys as OBS does. */
#include "check.h"
#include "gate_answer.h"
#include "gate_scene.h"

#include <string.h>

#define MOST 16u
#define NO_KEYS ((void *)0)

struct hotkey {
	size_t id; /* 0: free */
	void *owner;
	char name[64], text[64];
	void (*callback)(void *data, size_t id, void *hotkey, bool pressed);
	void *data;
	void *keys; /* any address stands for the keys that the user chose */
};

static struct {
	struct hotkey hotkeys[MOST];
	size_t last_id;
	int arrays, references;
	const void *parent; /* what references are counted of */
	const char *name; /* the filter's */
} obs = {.name = "Face Swap"};

static size_t register_source(void *source, const char *name, const char *text,
			      void (*callback)(void *, size_t, void *, bool), void *data)
{
	for (uint32_t i = 0; i < MOST; i++)
		if (obs.hotkeys[i].id == 0) {
			struct hotkey *made = &obs.hotkeys[i];
			*made = (struct hotkey){.id = ++obs.last_id, .owner = source, .callback = callback, .data = data};
			snprintf(made->name, sizeof made->name, "%s", name);
			snprintf(made->text, sizeof made->text, "%s", text);
			return made->id;
		}
	return SIZE_MAX;
}

static struct hotkey *by_id(size_t id)
{
	for (uint32_t i = 0; i < MOST; i++)
		if (obs.hotkeys[i].id == id)
			return &obs.hotkeys[i];
	CHECK(!"such a hotkey");
	return NULL;
}

static struct hotkey *by_name(const char *name)
{
	for (uint32_t i = 0; i < MOST; i++)
		if (obs.hotkeys[i].id != 0 && strcmp(obs.hotkeys[i].name, name) == 0)
			return &obs.hotkeys[i];
	return NULL;
}

static void unregister(size_t id)
{
	by_id(id)->id = 0;
}

static void *save(size_t id)
{
	obs.arrays++;
	return by_id(id)->keys;
}

static void load(size_t id, void *keys)
{
	by_id(id)->keys = keys;
}

static void array_release(void *array)
{
	CHECK(array != NO_KEYS);
	obs.arrays--;
}

static void *get_ref(void *source)
{
	obs.references++;
	obs.parent = source;
	return source;
}

static void release(void *source)
{
	if (source == obs.parent)
		obs.references--;
	else /* the filter; its references are the fake's */
		doppel_libobs.obs_weak_source_release(source);
}

static const char *get_name(const void *source)
{
	CHECK(source != NULL);
	return obs.name;
}

static void press(const char *name, bool pressed)
{
	struct hotkey *hotkey = by_name(name);
	CHECK(hotkey != NULL);
	hotkey->callback(hotkey->data, hotkey->id, hotkey, pressed);
}

static struct doppel_wishes wishes_of(const struct scene *scene)
{
	struct doppel_wishes wishes = {9, 9, 9, 9};
	CHECK_EQUAL(doppel_gate_follow_hotkeys(scene->id, &wishes), 0);
	return wishes;
}

static uint32_t count(void)
{
	uint32_t n = 0;
	for (uint32_t i = 0; i < MOST; i++)
		n += obs.hotkeys[i].id != 0;
	return n;
}

static void install(void)
{
	const char *const texts[DOPPEL_HOTKEYS] = {"on or off", "next", "previous", "original"};
	struct doppel_hotkey_libobs table = {
		.size = sizeof table,
		.obs_hotkey_register_source = register_source,
		.obs_hotkey_unregister = unregister,
		.obs_hotkey_save = save,
		.obs_hotkey_load = load,
		.obs_data_array_release = array_release,
		.obs_source_get_ref = get_ref,
		.obs_source_get_name = get_name,
	};
	CHECK_EQUAL(doppel_gate_install_hotkeys(&table, texts), -1);
	table.obs_source_release = release;
	CHECK_EQUAL(doppel_gate_install_hotkeys(&table, texts), 0);
}

/* ---- scenarios ---------------------------------------------------------------------------------------------- */

static void they_are_the_sources_and_end_with_the_filter(void)
{
	struct scene scene;
	begin(&scene, 0);
	fake.info->load(scene.filter->data, NULL); /* OBS has read a scene collection */
	CHECK_EQUAL(count(), DOPPEL_HOTKEYS);
	const struct hotkey *swap = by_name("doppel_swap.Face Swap");
	CHECK(swap != NULL && swap->owner == &scene.source && strcmp(swap->text, "Face Swap: on or off") == 0);
	wishes_of(&scene);
	CHECK_EQUAL(count(), DOPPEL_HOTKEYS);
	const struct hotkey stale = *swap;
	end(&scene);
	CHECK_EQUAL(count(), 0);
	stale.callback(stale.data, stale.id, NULL, true); /* libobs had it in its hands: the filter is not found */
}

static void presses_are_counted_and_taken_once(void)
{
	struct scene scene;
	begin(&scene, 0);
	wishes_of(&scene);
	for (int i = 0; i < 3; i++) {
		press("doppel_next_face.Face Swap", true);
		press("doppel_next_face.Face Swap", false);
	}
	press("doppel_previous_face.Face Swap", true);
	press("doppel_swap.Face Swap", true);
	const struct doppel_wishes wishes = wishes_of(&scene), after = wishes_of(&scene);
	CHECK(wishes.next == 3 && wishes.previous == 1 && wishes.swap == 1 && wishes.original == 0);
	CHECK(after.next == 0 && after.previous == 0 && after.swap == 0);
	end(&scene);
}

static void the_keys_follow_a_new_name(void)
{
	struct scene scene;
	static int f9;
	begin(&scene, 0);
	wishes_of(&scene);
	by_name("doppel_swap.Face Swap")->keys = &f9;
	press("doppel_hold_original.Face Swap", true);
	obs.name = "My swap";
	CHECK_EQUAL(wishes_of(&scene).original, 0); /* nobody would tell that the key came up */
	CHECK_EQUAL(count(), DOPPEL_HOTKEYS);
	CHECK(by_name("doppel_swap.My swap")->keys == &f9);
	CHECK(by_name("doppel_swap.Face Swap") == NULL);
	end(&scene);
	obs.name = "Face Swap";
	obs.arrays = 0; /* only those with keys are released: NULL is no array */
}

static void the_original_is_shown_while_the_key_is_down_and_nothing_of_it_stays(void)
{
	struct scene scene;
	running(&scene, 0);
	wishes_of(&scene);
	for (int round = 0; round < 3; round++) {
		press("doppel_hold_original.Face Swap", true);
		for (int i = 0; i < 4; i++)
			CHECK_EQUAL(tick(&scene, 1, NULL), FAKE_RAW);
		CHECK_EQUAL(wishes_of(&scene).original, 1);
		/* Up; or, from a remote control that only ever presses, down once more. */
		press("doppel_hold_original.Face Swap", round == 1);
		CHECK(tick(&scene, 0, NULL) != FAKE_RAW); /* a tick without a frame: the texture still holds it */
		enum fake_kind seen = FAKE_NOTHING;
		for (int i = 0; i < 6; i++) {
			seen = tick(&scene, 1, NULL);
			CHECK(seen == FAKE_COVER || seen == FAKE_JUDGED);
			CHECK(i > 0 || seen == FAKE_COVER);
			judge_all(&scene, DOPPEL_VERDICT_SWAPPED);
		}
		CHECK_EQUAL(seen, FAKE_JUDGED);
	}
	end(&scene);
}

static void panic_covers_whatever_key_is_down(void)
{
	struct scene scene;
	running(&scene, 0);
	wishes_of(&scene);
	press("doppel_hold_original.Face Swap", true);
	CHECK_EQUAL(tick(&scene, 1, NULL), FAKE_RAW);
	struct doppel_policy policy = normal;
	policy.panic = 1;
	set_policy(&scene, policy);
	CHECK_EQUAL(tick(&scene, 1, NULL), FAKE_COVER);
	end(&scene);
}

/* ---- the answer --------------------------------------------------------------------------------------------- */

static struct {
	char applied[64];
	long long age_ms;
	int data;
} told;

static void *data_from_json(const char *json)
{
	told.data++;
	snprintf(told.applied, sizeof told.applied, "%s", json);
	return &told;
}
static void data_apply(void *target, void *data)
{
	CHECK(target == &fake && data == &told);
}
static void data_set_int(void *data, const char *name, long long value)
{
	CHECK(data == &fake && strcmp(name, "age_ms") == 0);
	told.age_ms = value;
}
static void data_release(void *data)
{
	CHECK(data == &told);
	told.data--;
}

static void the_answer_is_what_was_said_last(void)
{
	struct doppel_answer_libobs table = {.size = sizeof table,
					     .obs_data_create_from_json = data_from_json,
					     .obs_data_apply = data_apply,
					     .obs_data_set_int = data_set_int};
	doppel_gate_answer(NULL, &fake, NULL); /* before anything is installed */
	CHECK_EQUAL(doppel_gate_install_answer(&table), -1);
	table.obs_data_release = data_release;
	CHECK_EQUAL(doppel_gate_install_answer(&table), 0);
	doppel_gate_answer(NULL, &fake, NULL); /* before anything is said */
	CHECK(told.applied[0] == '\0');
	CHECK_EQUAL(doppel_gate_set_answer("{\"a\": 1}"), 0);
	CHECK_EQUAL(doppel_gate_set_answer("{\"a\": 2}"), 0);
	told.age_ms = -1;
	doppel_gate_answer(NULL, &fake, NULL);
	CHECK(strcmp(told.applied, "{\"a\": 2}") == 0);
	CHECK(told.age_ms >= 0 && told.age_ms < 100000);
	CHECK_EQUAL(told.data, 0);
}

int main(void)
{
	scene_install();
	install();
	they_are_the_sources_and_end_with_the_filter();
	presses_are_counted_and_taken_once();
	the_keys_follow_a_new_name();
	the_original_is_shown_while_the_key_is_down_and_nothing_of_it_stays();
	panic_covers_whatever_key_is_down();
	the_answer_is_what_was_said_last();
	CHECK_EQUAL(obs.references, 0);
	CHECK_EQUAL(obs.arrays, 0);
	puts("gate_hotkeys: ok");
	return 0;
}
