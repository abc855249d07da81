/* The filters of the small libobs: added, moved, switched, removed. */
#include "fake_internal.h"

#include "check.h"

#include <string.h>

void fake_source_init(struct fake_source *source, uint32_t flags)
{
	memset(source, 0, sizeof *source);
	source->flags = OBS_FLAG_VIDEO | OBS_FLAG_ASYNC | flags;
	source->show_wanted = source->active_wanted = true;
}

static struct fake_filter *new_filter(void)
{
	struct fake_filter *filter = calloc(1, sizeof *filter);
	CHECK(filter != NULL);
	atomic_store(&filter->references, 1);
	filter->flags = OBS_FLAG_VIDEO | OBS_FLAG_ASYNC;
	filter->enabled = true;
	return filter;
}

static void put_last(struct fake_source *source, struct fake_filter *filter)
{
	CHECK(source->filter_count < FAKE_FILTERS);
	filter->parent = source;
	memmove(source->filters + 1, source->filters, (FAKE_FILTERS - 1) * sizeof source->filters[0]);
	source->filters[0] = filter;
	source->filter_count++;
}

static struct fake_filter *add(struct fake_source *source, const struct obs_source_info_400 *info)
{
	struct fake_filter *filter = new_filter();
	filter->info = info;
	filter->flags = info->output_flags;
	info->get_defaults(NULL);
	filter->data = info->create(NULL, filter);
	CHECK(filter->data != NULL);
	put_last(source, filter);
	return filter;
}

struct fake_filter *fake_filter_add(struct fake_source *source)
{
	return add(source, fake.info);
}

struct fake_filter *fake_sync_filter_add(struct fake_source *source)
{
	return add(source, fake.sync_info);
}

struct fake_filter *fake_delay_add(struct fake_source *source, uint32_t delay)
{
	CHECK(delay <= FAKE_MAX_DELAY);
	struct fake_filter *filter = new_filter();
	filter->delay = delay;
	filter->kept = calloc(FAKE_MAX_DELAY + 1, sizeof *filter->kept);
	CHECK(filter->kept != NULL);
	put_last(source, filter);
	return filter;
}

static void take_off(struct fake_filter *filter)
{
	struct fake_source *source = filter->parent;
	for (uint32_t i = 0; i < source->filter_count; i++)
		if (source->filters[i] == filter) {
			memmove(source->filters + i, source->filters + i + 1,
				(source->filter_count - i - 1) * sizeof source->filters[0]);
			source->filter_count--;
			return;
		}
	CHECK(!"the filter is on its parent");
}

void fake_filter_move(struct fake_filter *filter, uint32_t place)
{
	struct fake_source *source = filter->parent;
	take_off(filter);
	CHECK(place <= source->filter_count);
	memmove(source->filters + place + 1, source->filters + place,
		(source->filter_count - place) * sizeof source->filters[0]);
	source->filters[place] = filter;
	source->filter_count++;
}

void fake_filter_remove(struct fake_filter *filter)
{
	struct fake_source *source = filter->parent;
	take_off(filter);
	if (filter->kept != NULL) {
		free(filter->kept);
		fake_weak_release(filter);
		return;
	}
	if (filter->info->filter_remove != NULL)
		filter->info->filter_remove(filter->data, source);
	filter->parent = NULL;
	void *data = filter->data;
	filter->data = NULL;
	atomic_store(&filter->gone, true);
	filter->info->destroy(data);
	fake_weak_release(filter);
}

uint64_t fake_filter_id(const struct fake_filter *filter)
{
	return ((const struct doppel_filter *)filter->data)->id;
}

void fake_filter_enable(struct fake_filter *filter, bool enabled)
{
	filter->enabled = enabled;
	fake_signal(filter, "enable");
}
