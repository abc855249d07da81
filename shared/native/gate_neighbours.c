/* Which other filters get the source's frames before and after us.
 *
 * libobs hands a frame from filter to filter and uploads what the last one returns. A filter that comes after us may keep
 * our frame and return another one, or none ("Video Delay (Async)" does both): then what is in the source's texture is
 * not what we returned, and gate_render.c puts our own picture there. Another Face Swap filter is no such neighbour: it
 * returns the frame it got, and knows what it did to it.
 *
 * Asked from filter_video: libobs calls it with the source's filter mutex held (recursive, 28 to 32), so the answer holds
 * for this very frame, and no lock is taken that the thread has not got. Enumeration goes in the order of the calls.
 */
#include "gate_internal.h"

struct walk {
	const void *ours;
	bool passed;
	struct doppel_neighbours found;
};

static void look_at(void *source, void *filter, void *data)
{
	(void)source;
	struct walk *walk = data;
	const uint32_t async_video = OBS_FLAG_ASYNC | OBS_FLAG_VIDEO;
	if (filter == walk->ours)
		walk->passed = true;
	else if ((doppel_libobs.obs_source_get_output_flags(filter) & async_video) != async_video ||
		 !doppel_libobs.obs_source_enabled(filter))
		return;
	else if (doppel_filter_is_ours(filter))
		walk->found.ours_after += walk->passed;
	else
		*(walk->passed ? &walk->found.after : &walk->found.before) += 1;
}

struct doppel_neighbours doppel_neighbours_of(const struct doppel_filter *filter)
{
	struct walk walk = {.ours = filter->source};
	void *parent = doppel_libobs.obs_filter_get_parent(filter->source);
	if (parent != NULL)
		doppel_libobs.obs_source_enum_filters(parent, look_at, &walk);
	return walk.found;
}
