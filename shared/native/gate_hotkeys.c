/* gate_hotkeys.h: the hotkeys' life, and what their keys say.
 *
 * They are registered as soon as the filter has a parent: in `load`, when OBS has read a scene collection and before it
 * can save it again (it saves the keys of the hotkeys that exist, and forgets the others), else at a look of the control
 * plane. They end with the filter, or with the source that they belong to. Whoever registers or unregisters holds
 * `hotkeys.busy`, no lock; the callbacks know the filter by its id, so they may come late.
 *
 * libobs (28 to 32) takes its lock of hotkeys in these calls, so they are made where none of its other locks is held:
 * not in a tick. In `load` it is the list of sources (up to 31.0), in the order in which libobs itself takes the two
 * when it makes a source with sound.
 */
#include "gate_internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NO_HOTKEY SIZE_MAX

static const char *const words[DOPPEL_HOTKEYS] = {"doppel_swap", "doppel_next_face", "doppel_previous_face",
						  "doppel_hold_original"};

static struct {
	struct doppel_hotkey_libobs libobs;
	char *texts[DOPPEL_HOTKEYS];
	bool installed;
} kit;

static bool complete(const struct doppel_hotkey_libobs *libobs)
{
	return libobs != NULL && libobs->size == sizeof *libobs && libobs->obs_hotkey_register_source != NULL &&
	       libobs->obs_hotkey_unregister != NULL && libobs->obs_hotkey_save != NULL &&
	       libobs->obs_hotkey_load != NULL && libobs->obs_data_array_release != NULL &&
	       libobs->obs_source_get_ref != NULL && libobs->obs_source_release != NULL &&
	       libobs->obs_source_get_name != NULL;
}

static char *joined(const char *first, const char *between, const char *last)
{
	const size_t bytes = strlen(first) + strlen(between) + strlen(last) + 1;
	char *text = malloc(bytes);
	if (text != NULL)
		snprintf(text, bytes, "%s%s%s", first, between, last);
	return text;
}

int32_t doppel_gate_install_hotkeys(const struct doppel_hotkey_libobs *libobs, const char *const texts[DOPPEL_HOTKEYS])
{
	if (kit.installed)
		return 0;
	if (!complete(libobs))
		return -1;
	for (uint32_t i = 0; i < DOPPEL_HOTKEYS; i++) {
		free(kit.texts[i]);
		kit.texts[i] = joined(texts[i], "", "");
		if (kit.texts[i] == NULL)
			return -1;
	}
	kit.libobs = *libobs;
	kit.installed = true;
	return 0;
}

/* ---- what the keys say -------------------------------------------------------------------------------------- */

static void let_go_of_original(struct doppel_filter *filter)
{
	if (atomic_exchange(&filter->hotkeys.original, 0) != 0)
		doppel_suspect(filter); /* the texture holds an original that was allowed until now */
}

static void on_key(void *data, enum doppel_hotkey which, bool pressed)
{
	struct doppel_filter *filter = doppel_filter_borrow((uint64_t)(uintptr_t)data);
	if (filter == NULL)
		return;
	if (which != DOPPEL_HOTKEY_ORIGINAL) {
		if (pressed)
			atomic_fetch_add(&filter->hotkeys.presses[which], 1);
	} else if (!pressed || atomic_load(&filter->hotkeys.original) != 0) {
		/* A key goes down once before it comes up. Remote controls (obs-websocket up to 5.1) only ever press:
		 * the second time lets go. */
		let_go_of_original(filter);
	} else {
		atomic_store(&filter->hotkeys.original, 1);
	}
	doppel_filter_return(filter);
}

static void on_swap(void *data, size_t id, void *hotkey, bool pressed)
{
	(void)id, (void)hotkey;
	on_key(data, DOPPEL_HOTKEY_SWAP, pressed);
}

static void on_next(void *data, size_t id, void *hotkey, bool pressed)
{
	(void)id, (void)hotkey;
	on_key(data, DOPPEL_HOTKEY_NEXT, pressed);
}

static void on_previous(void *data, size_t id, void *hotkey, bool pressed)
{
	(void)id, (void)hotkey;
	on_key(data, DOPPEL_HOTKEY_PREVIOUS, pressed);
}

static void on_original(void *data, size_t id, void *hotkey, bool pressed)
{
	(void)id, (void)hotkey;
	on_key(data, DOPPEL_HOTKEY_ORIGINAL, pressed);
}

static void (*const callbacks[DOPPEL_HOTKEYS])(void *, size_t, void *, bool) = {on_swap, on_next, on_previous,
										on_original};

/* ---- life --------------------------------------------------------------------------------------------------- */

/* With `keys` they are the new hotkeys' own from now on; without, libobs gives the saved ones. */
static void register_all(struct doppel_filter *filter, void *parent, void *const keys[DOPPEL_HOTKEYS])
{
	struct doppel_hotkeys *own = &filter->hotkeys;
	for (uint32_t i = 0; i < DOPPEL_HOTKEYS; i++) {
		char *name = joined(words[i], ".", own->owner), *text = joined(own->owner, ": ", kit.texts[i]);
		own->ids[i] = NO_HOTKEY;
		if (name != NULL && text != NULL)
			own->ids[i] = kit.libobs.obs_hotkey_register_source(parent, name, text, callbacks[i],
									    (void *)(uintptr_t)filter->id);
		free(name);
		free(text);
		if (own->ids[i] != NO_HOTKEY && keys[i] != NULL)
			kit.libobs.obs_hotkey_load(own->ids[i], keys[i]);
	}
}

static void unregister_all(struct doppel_filter *filter)
{
	for (uint32_t i = 0; i < DOPPEL_HOTKEYS; i++)
		if (filter->hotkeys.ids[i] != NO_HOTKEY)
			kit.libobs.obs_hotkey_unregister(filter->hotkeys.ids[i]);
	let_go_of_original(filter); /* libobs does not tell that a key came up whose hotkey is gone */
}

static void rename_all(struct doppel_filter *filter, void *parent, char *name)
{
	void *keys[DOPPEL_HOTKEYS] = {NULL};
	struct doppel_hotkeys *own = &filter->hotkeys;
	if (own->owner != NULL) {
		for (uint32_t i = 0; i < DOPPEL_HOTKEYS; i++)
			if (own->ids[i] != NO_HOTKEY)
				keys[i] = kit.libobs.obs_hotkey_save(own->ids[i]);
		unregister_all(filter);
		free(own->owner);
	}
	own->owner = name;
	register_all(filter, parent, keys);
	for (uint32_t i = 0; i < DOPPEL_HOTKEYS; i++)
		if (keys[i] != NULL)
			kit.libobs.obs_data_array_release(keys[i]);
}

static void follow(struct doppel_filter *filter)
{
	const char *known = kit.libobs.obs_source_get_name(filter->source);
	char *owner = filter->hotkeys.owner, *name = joined(known != NULL ? known : "", "", "");
	if (name == NULL || (owner != NULL && strcmp(owner, name) == 0)) {
		free(name);
		return;
	}
	void *parent = doppel_libobs.obs_filter_get_parent(filter->source);
	parent = parent != NULL ? kit.libobs.obs_source_get_ref(parent) : NULL; /* NULL: it is ending */
	if (parent == NULL) {
		free(name);
		return;
	}
	rename_all(filter, parent, name);
	kit.libobs.obs_source_release(parent);
}

void doppel_hotkeys_follow(struct doppel_filter *filter)
{
	if (!kit.installed || atomic_exchange(&filter->hotkeys.busy, 1) != 0)
		return;
	follow(filter);
	atomic_store(&filter->hotkeys.busy, 0);
}

void doppel_hotkeys_end(struct doppel_filter *filter)
{
	if (filter->hotkeys.owner != NULL) /* nobody else is here any more: libobs destroys what has no reference */
		unregister_all(filter);
}

int32_t doppel_gate_follow_hotkeys(uint64_t filter_id, struct doppel_wishes *wishes)
{
	struct doppel_filter *filter = doppel_filter_borrow(filter_id);
	if (filter == NULL)
		return -1;
	void *source = kit.installed ? doppel_libobs.obs_weak_source_get_source(filter->weak) : NULL;
	if (source != NULL) {
		doppel_hotkeys_follow(filter);
		kit.libobs.obs_source_release(source);
	}
	wishes->swap = atomic_exchange(&filter->hotkeys.presses[DOPPEL_HOTKEY_SWAP], 0);
	wishes->next = atomic_exchange(&filter->hotkeys.presses[DOPPEL_HOTKEY_NEXT], 0);
	wishes->previous = atomic_exchange(&filter->hotkeys.presses[DOPPEL_HOTKEY_PREVIOUS], 0);
	wishes->original = atomic_load(&filter->hotkeys.original);
	doppel_filter_return(filter);
	return 0;
}

void doppel_async_load(void *data, void *settings)
{
	(void)settings;
	doppel_hotkeys_follow(data);
}
