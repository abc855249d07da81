/* The library as a whole: libobs's functions, the filter type, the list of filters, the way into Python's properties.
 *
 * Everything here is written once, by the first doppel_gate_install(), and then constant; but for the registry (under
 * its lock) and the properties callback. libobs cannot unregister a source type, so the library stays loaded for good
 * and a second script (or the same after a reload) gets the same pointer.
 */
#include "gate_internal.h"

#include <stdlib.h>
#include <string.h>

struct doppel_libobs doppel_libobs;

static struct {
	struct doppel_lock lock;
	struct doppel_filter *first;
	uint64_t last_id;
} registry;

static struct {
	char *id, *display_name, *orphan_text;
	struct doppel_default *defaults;
	uint32_t default_count;
	bool installed;
	struct obs_source_info_400 info;
} type;

typedef void *(*properties_callback)(uint64_t filter_id);
static struct {
	_Atomic(properties_callback) callback;
	_Atomic uint32_t inside;
} properties;
static _Thread_local uint32_t properties_depth;

void doppel_count(_Atomic uint64_t *counter)
{
	atomic_store_explicit(counter, atomic_load_explicit(counter, memory_order_relaxed) + 1, memory_order_relaxed);
}

/* ---- registry ----------------------------------------------------------------------------------------------- */

void doppel_filter_enlist(struct doppel_filter *filter)
{
	doppel_lock(&registry.lock);
	filter->id = ++registry.last_id;
	atomic_store(&filter->references, 1);
	filter->next = registry.first;
	registry.first = filter;
	doppel_unlock(&registry.lock);
}

struct doppel_filter *doppel_filter_borrow(uint64_t id)
{
	doppel_lock(&registry.lock);
	struct doppel_filter *filter = registry.first;
	while (filter != NULL && filter->id != id)
		filter = filter->next;
	if (filter != NULL)
		atomic_fetch_add(&filter->references, 1);
	doppel_unlock(&registry.lock);
	return filter;
}

bool doppel_filter_is_ours(const void *source)
{
	doppel_lock(&registry.lock);
	const struct doppel_filter *filter = registry.first;
	while (filter != NULL && filter->source != source)
		filter = filter->next;
	doppel_unlock(&registry.lock);
	return filter != NULL;
}

void doppel_filter_return(struct doppel_filter *filter)
{
	if (atomic_fetch_sub(&filter->references, 1) != 1)
		return;
	for (struct doppel_lane *lane = filter->lanes, *next; lane != NULL; lane = next) {
		next = lane->next;
		doppel_lane_free(lane);
	}
	if (filter->weak != NULL)
		doppel_libobs.obs_weak_source_release(filter->weak);
	free(filter->stash);
	doppel_rgb_retire(filter);
	free(filter->hotkeys.owner);
	doppel_sync_free(filter->sync);
	free(filter);
}

void doppel_filter_retire(struct doppel_filter *filter)
{
	doppel_lock(&registry.lock);
	struct doppel_filter **at = &registry.first;
	while (*at != filter)
		at = &(*at)->next;
	*at = filter->next;
	doppel_unlock(&registry.lock);
	doppel_filter_return(filter);
}

int32_t doppel_gate_list(uint64_t *ids, int32_t max)
{
	int32_t count = 0;
	doppel_lock(&registry.lock);
	for (const struct doppel_filter *filter = registry.first; filter != NULL; filter = filter->next, count++)
		if (count < max)
			ids[count] = filter->id;
	doppel_unlock(&registry.lock);
	return count;
}

void *doppel_gate_get_source(uint64_t filter_id)
{
	struct doppel_filter *filter = doppel_filter_borrow(filter_id);
	if (filter == NULL)
		return NULL;
	void *source = doppel_libobs.obs_weak_source_get_source(filter->weak);
	doppel_filter_return(filter);
	return source;
}

/* ---- the type ----------------------------------------------------------------------------------------------- */

static const char *get_name(void *type_data)
{
	(void)type_data;
	return type.display_name;
}

static void get_defaults(void *settings)
{
	for (uint32_t i = 0; i < type.default_count; i++) {
		const struct doppel_default *entry = &type.defaults[i];
		switch ((enum doppel_default_kind)entry->kind) {
		case DOPPEL_BOOL:
			doppel_libobs.obs_data_set_default_bool(settings, entry->key, entry->number > 0);
			break;
		case DOPPEL_INT:
			doppel_libobs.obs_data_set_default_int(settings, entry->key, (long long)entry->number);
			break;
		case DOPPEL_DOUBLE:
			doppel_libobs.obs_data_set_default_double(settings, entry->key, entry->number);
			break;
		case DOPPEL_STRING:
			doppel_libobs.obs_data_set_default_string(settings, entry->key, entry->text);
			break;
		}
	}
}

static void *get_properties(void *data)
{
	void *page = NULL;
	if (data != NULL) { /* libobs also asks for the type's properties, without a filter */
		atomic_fetch_add(&properties.inside, 1);
		properties_depth++;
		const properties_callback callback = atomic_load(&properties.callback);
		if (callback != NULL)
			page = callback(((struct doppel_filter *)data)->id);
		properties_depth--;
		atomic_fetch_sub(&properties.inside, 1);
	}
	if (page == NULL) {
		page = doppel_libobs.obs_properties_create();
		doppel_libobs.obs_properties_add_text(page, "doppel_orphan", type.orphan_text, OBS_INFO_TEXT);
	}
	return page;
}

void doppel_gate_set_properties_callback(void *(*callback)(uint64_t filter_id))
{
	atomic_store(&properties.callback, callback);
	if (callback == NULL) /* but for the calls that this very thread is inside of */
		while (atomic_load(&properties.inside) > properties_depth)
			doppel_yield();
}

bool doppel_table_is_complete(const void *table, uint32_t size)
{
	uint32_t given;
	if (table == NULL)
		return false;
	memcpy(&given, table, sizeof given);
	if (given != size)
		return false;
	for (size_t at = 2 * sizeof given; at < size; at += sizeof(void *)) {
		uintptr_t function;
		memcpy(&function, (const uint8_t *)table + at, sizeof function);
		if (function == 0)
			return false;
	}
	return true;
}

char *doppel_copy_text(const char *text)
{
	const size_t bytes = strlen(text != NULL ? text : "") + 1;
	char *copy = malloc(bytes);
	if (copy != NULL)
		memcpy(copy, text != NULL ? text : "", bytes);
	return copy;
}

static bool copy_defaults(const struct doppel_default *defaults, uint32_t count)
{
	type.defaults = calloc(count > 0 ? count : 1, sizeof *type.defaults);
	if (type.defaults == NULL)
		return false;
	for (uint32_t i = 0; i < count; i++) {
		char *key = doppel_copy_text(defaults[i].key), *text = doppel_copy_text(defaults[i].text);
		type.defaults[i] = defaults[i];
		type.defaults[i].key = key;
		type.defaults[i].text = text;
		if (key == NULL || text == NULL || defaults[i].kind > DOPPEL_STRING)
			return false;
	}
	type.default_count = count;
	return true;
}

void *doppel_gate_install(const struct doppel_libobs *libobs, const char *id, const char *display_name,
			  const char *orphan_text, const struct doppel_default *defaults, uint32_t default_count,
			  int32_t *already)
{
	if (already != NULL)
		*already = type.installed;
	if (type.installed)
		return &type.info;
	if (!doppel_table_is_complete(libobs, sizeof *libobs))
		return NULL;
	type.id = doppel_copy_text(id);
	type.display_name = doppel_copy_text(display_name);
	type.orphan_text = doppel_copy_text(orphan_text);
	if (type.id == NULL || type.display_name == NULL || type.orphan_text == NULL ||
	    !copy_defaults(defaults, default_count))
		return NULL;
	doppel_libobs = *libobs;
	type.info = (struct obs_source_info_400){
		.id = type.id,
		.type = OBS_TYPE_FILTER,
		/* SRGB: our video_render only passes on, so the parent is to be drawn as if we were not there. */
		.output_flags = OBS_FLAG_VIDEO | OBS_FLAG_ASYNC | OBS_FLAG_SRGB,
		.get_name = get_name,
		.create = doppel_async_create,
		.destroy = doppel_async_destroy,
		.get_defaults = get_defaults,
		.get_properties = get_properties,
		.update = doppel_filter_update,
		.load = doppel_async_load,
		.activate = doppel_async_activate,
		.deactivate = doppel_async_deactivate,
		.show = doppel_async_show,
		.hide = doppel_async_hide,
		.video_tick = doppel_async_video_tick,
		.video_render = doppel_async_video_render,
		.filter_video = doppel_async_filter_video,
		.filter_remove = doppel_async_filter_remove,
	};
	type.installed = true;
	return &type.info;
}
