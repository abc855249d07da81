/* What libobs tells us besides frames, and the one conclusion that we draw from it: suspicion.
 *
 * Media sources put frames into their texture past filter_video (a preloaded first frame when they start, the frame
 * they seek to while paused), and a filter that was off let frames through. Each of these is announced by a signal or
 * a callback, after which the texture may hold a picture that nobody judged: `suspicion` grows, and video_render shows
 * nothing of the parent until it has seen to it that the texture holds ours (gate_render.c).
 *
 * Lifetimes: a signal carries the filter's id, not its address, so even a connection that outlived its filter would
 * find nothing. The parent's signals are connected in video_tick, where libobs holds neither a lock that a listener
 * could want nor may the parent be freed (a tick holds a reference to every source), and disconnected in filter_remove,
 * which libobs calls before it lets either go. Should both happen at once, video_tick undoes its own connection.
 */
#include "gate_internal.h"

static const char *const start_signals[] = {"media_started", "media_restart", "media_play", "media_next",
					    "media_previous"};
static const char *const stop_signals[] = {"media_stopped", "media_ended"};

void doppel_suspect(struct doppel_filter *filter)
{
	atomic_fetch_add_explicit(&filter->suspicion, 1, memory_order_acq_rel);
}

static struct doppel_filter *filter_of(void *data)
{
	return doppel_filter_borrow((uint64_t)(uintptr_t)data);
}

static void *data_of(const struct doppel_filter *filter)
{
	return (void *)(uintptr_t)filter->id;
}

static void on_pause(void *data, void *call)
{
	(void)call;
	struct doppel_filter *filter = filter_of(data);
	if (filter == NULL)
		return;
	atomic_store(&filter->media_paused, 1);
	doppel_suspect(filter);
	doppel_filter_return(filter);
}

static void on_start(void *data, void *call)
{
	(void)call;
	struct doppel_filter *filter = filter_of(data);
	if (filter == NULL)
		return;
	atomic_store(&filter->media_paused, 0);
	doppel_suspect(filter);
	doppel_filter_return(filter);
}

static void on_stop(void *data, void *call)
{
	(void)call;
	struct doppel_filter *filter = filter_of(data);
	if (filter == NULL)
		return;
	atomic_store(&filter->media_paused, 0);
	atomic_store(&filter->media_stop_ns, doppel_clock_ns());
	doppel_suspect(filter);
	doppel_filter_return(filter);
}

/* The filter was switched on or off. libobs sends it after the fact; off is what counts, and between off and on again
 * lies a user's click. */
static void on_enable(void *data, void *call)
{
	(void)call;
	struct doppel_filter *filter = filter_of(data);
	if (filter == NULL)
		return;
	atomic_fetch_add(&filter->enables, 1);
	doppel_suspect(filter);
	doppel_filter_return(filter);
}

void doppel_signals_connect_filter(struct doppel_filter *filter)
{
	void *handler = doppel_libobs.obs_source_get_signal_handler(filter->source);
	doppel_libobs.signal_handler_connect(handler, "enable", on_enable, data_of(filter));
}

void doppel_signals_disconnect_filter(struct doppel_filter *filter)
{
	void *handler = doppel_libobs.obs_source_get_signal_handler(filter->source);
	doppel_libobs.signal_handler_disconnect(handler, "enable", on_enable, data_of(filter));
}

typedef void (*connection)(void *handler, const char *signal, void (*callback)(void *, void *), void *data);

static void each_signal(const struct doppel_filter *filter, const void *parent, connection connect)
{
	void *handler = doppel_libobs.obs_source_get_signal_handler(parent);
	connect(handler, "media_pause", on_pause, data_of(filter));
	for (size_t i = 0; i < sizeof start_signals / sizeof start_signals[0]; i++)
		connect(handler, start_signals[i], on_start, data_of(filter));
	for (size_t i = 0; i < sizeof stop_signals / sizeof stop_signals[0]; i++)
		connect(handler, stop_signals[i], on_stop, data_of(filter));
}

/* A filter that comes to a source that is paused already has missed the signal. Connected before it is asked, so a change
 * that the answer does not know of raises suspicion, and it is asked again; one whose answers are all outdated counts as
 * paused, because a paused source may be sought, and of a playing one only judged pictures are drawn either way. */
static void ask_whether_paused(struct doppel_filter *filter, void *parent)
{
	for (uint32_t before, tries = 0; tries < 100; tries++) {
		before = atomic_load(&filter->suspicion);
		const bool paused = doppel_libobs.obs_source_media_get_state(parent) == OBS_MEDIA_STATE_PAUSED;
		atomic_store(&filter->media_paused, paused);
		if (atomic_load(&filter->suspicion) == before)
			return;
	}
	atomic_store(&filter->media_paused, 1);
}

void doppel_signals_follow_parent(struct doppel_filter *filter)
{
	if (atomic_load(&filter->connected_to) != NULL)
		return;
	/* First: a removal between the two leaves a parent that is ours no more, and nobody else would let go of it. */
	const uint32_t removals = atomic_load(&filter->removals);
	void *parent = doppel_libobs.obs_filter_get_parent(filter->source);
	if (parent == NULL)
		return;
	each_signal(filter, parent, doppel_libobs.signal_handler_connect);
	atomic_store(&filter->connected_to, parent);
	ask_whether_paused(filter, parent);
	if (atomic_load(&filter->removals) != removals) { /* removed meanwhile: filter_remove may have seen nothing */
		const void *ours = parent;
		if (atomic_compare_exchange_strong(&filter->connected_to, &ours, NULL))
			each_signal(filter, parent, doppel_libobs.signal_handler_disconnect);
	}
}

void doppel_async_filter_remove(void *data, void *parent)
{
	struct doppel_filter *filter = data;
	const void *connected = parent;
	atomic_fetch_add(&filter->removals, 1);
	if (atomic_compare_exchange_strong(&filter->connected_to, &connected, NULL))
		each_signal(filter, parent, doppel_libobs.signal_handler_disconnect);
}

/* libobs calls these in the source's tick, after filter_video and before it uploads the frame: what the source did on
 * being shown lies under that upload, so the frame that came in this tick is as good as if it had come afterwards. */
static void suspect_in_tick(struct doppel_filter *filter)
{
	const uint64_t video_time = doppel_libobs.obs_get_video_frame_time();
	doppel_lock(&filter->lock);
	const uint32_t before = atomic_fetch_add_explicit(&filter->suspicion, 1, memory_order_acq_rel);
	if (filter->frame_video_time == video_time && filter->frame_suspicion == before)
		filter->frame_suspicion = before + 1;
	doppel_unlock(&filter->lock);
}

/* ---- callbacks ---------------------------------------------------------------------------------------------- */

void doppel_async_show(void *data)
{
	struct doppel_filter *filter = data;
	atomic_store(&filter->showing, 1);
	suspect_in_tick(filter);
}

void doppel_async_hide(void *data)
{
	struct doppel_filter *filter = data;
	atomic_store(&filter->showing, 0);
}

void doppel_async_activate(void *data)
{
	struct doppel_filter *filter = data;
	atomic_store(&filter->inactive, 0);
	suspect_in_tick(filter);
}

void doppel_async_deactivate(void *data)
{
	struct doppel_filter *filter = data;
	atomic_store(&filter->inactive, 1);
	atomic_store(&filter->media_stop_ns, doppel_clock_ns());
	doppel_suspect(filter);
}
