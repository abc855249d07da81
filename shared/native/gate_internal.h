/* What one filter is, and who may touch which part of it.
 *
 * Threads: the graphics thread (filter_video, video_tick, video_render, show, hide, activate, deactivate), any thread
 * that holds libobs's graphics mutex (video_render for a screenshot), libobs's task thread (destroy), the user
 * interface (create, update, filter_remove, signals), and one control thread of ours (gate.h).
 *
 *   - Fields under `lock`: only inside it. It is held for table look-ups and frame copies, never over a call of libobs.
 *     The only system calls under it are the worker's wake and, when a source's geometry changes or a frame is kept for
 *     the first time, the memory of one frame (malloc, free: gate_idle.c, gate_source.c, gate_rgb.c,
 *     gate_sync_frame.c).
 *   - `lanes`: the control thread's list, under `control`. The frame path holds plain pointers into it; a lane is freed
 *     only when the frame path has set its `let_go` and nobody has pinned it.
 *   - Atomics: one writer each, any reader.
 *   - The filter itself: reference counted; libobs owns one reference from create to destroy, every call of the control
 *     plane borrows one by id from the registry.
 */
#ifndef DOPPEL_GATE_INTERNAL_H
#define DOPPEL_GATE_INTERNAL_H

#include "gate.h"
#include "gate_hotkeys.h"
#include "obs_abi.h"
#include "pixels.h"
#include "platform.h"
#include "ring_gate.h"

#define DOPPEL_SAMPLES 256u
#define DOPPEL_RGB_FRAMES 2u
#define DOPPEL_SAMPLE_WORDS 5u
#define DOPPEL_GEOMETRY_WORDS 11u
_Static_assert(sizeof(struct doppel_sample) == DOPPEL_SAMPLE_WORDS * 8, "sample words");
_Static_assert(sizeof(struct doppel_geometry) == DOPPEL_GEOMETRY_WORDS * 8, "geometry words");

/* A segment as the filter has it. */
struct doppel_lane {
	struct doppel_lane *next; /* control's list */
	struct doppel_ring *ring;
	void *base;
	uint64_t bytes;
	uint64_t serial;
	uint64_t geometry_serial;
	uint8_t *upload; /* one frame: what video_render hands to libobs; used under the graphics mutex */
	_Atomic uint32_t pins;
	_Atomic uint32_t let_go; /* the frame path no longer knows it */
};

/* What the parent's texture holds, as far as we know. */
enum doppel_picture {
	DOPPEL_PICTURE_NONE,
	DOPPEL_PICTURE_RAW, /* by the user's choice */
	DOPPEL_PICTURE_JUDGED,
	DOPPEL_PICTURE_COVER,
	DOPPEL_PICTURE_PANIC, /* a cover, too, but only for as long as the panic lasts */
};

/* Other filters of the same source that work on its frames: enabled, asynchronous, and not Face Swap; and those that
 * are, and come after us. */
struct doppel_neighbours {
	uint32_t before, after, ours_after;
};

struct doppel_sample_cell {
	_Atomic uint64_t sequence; /* 2n+1 while sample n is written, 2n+2 when it is whole */
	_Atomic uint64_t words[DOPPEL_SAMPLE_WORDS];
};

/* See gate_hotkeys.c. */
struct doppel_hotkeys {
	_Atomic uint32_t busy; /* held by whoever changes the next two */
	char *owner;	       /* the filter's name in theirs; NULL: not registered yet */
	size_t ids[DOPPEL_HOTKEYS];
	_Atomic uint32_t presses[DOPPEL_HOTKEYS];
	_Atomic uint32_t original; /* the key is down: the original is shown, by the user's own act */
};

struct doppel_filter {
	/* constant */
	uint64_t id;
	void *source;
	void *weak;
	uint32_t readback_frames; /* by which a picture comes later than its frame, before D */
	struct doppel_sync *sync; /* of the sync filter (gate_sync.c); NULL: this is an async one */

	/* registry */
	struct doppel_filter *next;
	_Atomic uint32_t references;

	/* control plane -> frame path */
	_Atomic uint32_t paused, panic, late_policy, use_slate, delay_wanted;
	_Atomic uint64_t hold_ns;
	_Atomic(struct doppel_lane *) incoming; /* a new lane, or DOPPEL_NO_LANE; NULL: no news */
	struct doppel_lock control;
	struct doppel_lane *lanes;

	struct doppel_hotkeys hotkeys;

	/* libobs's signals and callbacks -> frame path. `suspicion` grows whenever something that is not our frame may
	 * have come into the parent's texture (or is about to). */
	_Atomic uint32_t suspicion;
	_Atomic uint32_t enables;
	_Atomic uint32_t media_paused, inactive, showing;
	_Atomic uint64_t media_stop_ns;
	_Atomic(const void *) connected_to; /* the parent whose signals we listen to */
	_Atomic uint32_t removals;		       /* filter_remove calls */
	_Atomic uint64_t settings_serial;

	/* under `lock` */
	struct doppel_lock lock;
	struct doppel_lane *lane;      /* where frames go; NULL: none */
	struct doppel_lane *held_lane; /* whose slot held_slot is the picture we may show again */
	uint32_t held_slot;
	uint32_t held_verdict; /* read once, when it became the held one */
	struct doppel_geometry geometry; /* of the last frame; width 0: none, or a format that is not edited */
	struct doppel_colour colour;	 /* of the last frame */
	uint8_t *stash; /* the last frame's original, where no lane has it (gate_idle.c) */
	uint64_t stash_bytes;
	uint64_t stash_id; /* of the frame in it; 0: none */
	struct doppel_rgb_frame *rgb[DOPPEL_RGB_FRAMES]; /* gate_rgb.c */
	uint32_t rgb_suspicion;
	bool rgb_last; /* the last frame went out so */
	uint64_t rgb_from_ns;
	uint64_t deinterlaced_ns; /* since when the source is deinterlaced; 0: it is not */
	uint64_t tick_now, tick_before, tick_drawn; /* libobs's video times */
	bool stash_unsent; /* its lane has not got it yet */
	uint64_t sent_id;  /* of the last frame sent into `lane`; 0: none */
	uint32_t again_seen;
	uint32_t epoch, enables_seen, was_paused;
	uint64_t last_id, last_shown_id, last_timestamp;
	uint64_t last_frame_ns, last_visible_ns, missing_since_ns;
	uint64_t frame_video_time; /* libobs's video time at the last filter_video */
	uint32_t frame_suspicion;  /* as it was then */
	enum doppel_picture frame_picture;
	struct doppel_neighbours frame_neighbours;
	uint64_t drawn_id; /* last_id at the last video_render that followed an upload by libobs */
	uint32_t clean_suspicion, clean_uploads, defused_suspicion;
	enum doppel_picture texture;
	uint32_t late_result; /* video_tick found the picture of an idle source's last frame */
	uint64_t given_back_before; /* by lanes that are gone */

	/* frame path -> control plane */
	_Atomic uint32_t lane_state, unsupported_format, delay_frames;
	_Atomic uint64_t lane_serial, oldest_busy_ns, frame_interval_ns, published_frame_ns, first_frame_ns,
		first_swapped_ns, submitted, given_back, renders_blocked, reuploads, flushes, rgb_answers, filters_after,
		judged_again;
	_Atomic uint32_t passes_on;
	_Atomic uint64_t outcomes[DOPPEL_OUT_DROPPED + 1];
	_Atomic uint32_t geometry_sequence; /* odd while it is written */
	_Atomic uint64_t geometry_serial;
	_Atomic uint64_t geometry_words[DOPPEL_GEOMETRY_WORDS];
	_Atomic uint64_t sample_count;
	struct doppel_sample_cell samples[DOPPEL_SAMPLES];
	uint64_t drained; /* control plane */
};

/* Stands for "detached" in `incoming`. */
extern struct doppel_lane doppel_no_lane;
#define DOPPEL_NO_LANE (&doppel_no_lane)

extern struct doppel_libobs doppel_libobs; /* constant after the first install */

/* relaxed counters with one writer at a time */
void doppel_count(_Atomic uint64_t *counter);

/* registry (gate_library.c) */
struct doppel_filter *doppel_filter_borrow(uint64_t id); /* NULL: gone */
void doppel_filter_return(struct doppel_filter *filter);
void doppel_filter_enlist(struct doppel_filter *filter); /* gives it an id and one reference */
void doppel_filter_retire(struct doppel_filter *filter); /* no longer found; drops that reference */

/* A table: its size, a word, and then only function pointers. */
bool doppel_table_is_complete(const void *table, uint32_t size);
char *doppel_copy_text(const char *text); /* NULL: no memory */

bool doppel_filter_is_ours(const void *source); /* some Face Swap filter's obs_source_t */

/* neighbours (gate_neighbours.c): as of this moment; exact inside filter_video, where libobs lets nobody change them */
struct doppel_neighbours doppel_neighbours_of(const struct doppel_filter *filter);

/* lanes (gate_control.c) */
void doppel_lane_free(struct doppel_lane *lane);
bool doppel_geometry_snapshot(struct doppel_filter *filter, struct doppel_geometry *geometry, uint64_t *serial);

/* both kinds of filter (gate_frame.c) */
void doppel_filter_begin(struct doppel_filter *filter, void *source); /* from create, with zeroed memory */
void doppel_filter_end(struct doppel_filter *filter);		      /* from destroy; may free it */
void doppel_filter_update(void *data, void *settings);
/* Draws what the filter gets: the target, which is the next filter or the parent. No lock of ours held. */
void doppel_draw_target(void *parent, void *target);

/* What is shown in a frame's place. */
enum doppel_show { DOPPEL_SHOW_ORIGINAL, DOPPEL_SHOW_HELD, DOPPEL_SHOW_SLATE, DOPPEL_SHOW_MOSAIC };
struct doppel_turn {
	uint64_t now;
	struct doppel_sample sample;
	const uint8_t *picture;		     /* the held one's or the slate's pixels, in filter->geometry */
	const struct doppel_colour *colour; /* the held one's */
	const uint8_t *rgb;		     /* the held one's picture as RGB; NULL: there is none */
	bool in_place;			     /* libobs's frame must be the one that is returned */
	bool panic;			     /* the cover is the panic's */
};
/* The rest under `lock`. */
/* The user has paused the swap: nothing that was judged before the pause is shown after it. */
bool doppel_take_pause(struct doppel_filter *filter);
/* D, in frames. */
uint32_t doppel_delay(struct doppel_filter *filter);
/* `due`: the held picture has just become the one to show. */
enum doppel_show doppel_choose(struct doppel_filter *filter, struct doppel_turn *turn, bool due);
/* For frames that cannot be judged at all. */
bool doppel_original_is_wanted(const struct doppel_filter *filter);
uint32_t doppel_clamp_ns(uint64_t later, uint64_t earlier);
void doppel_record(struct doppel_filter *filter, struct doppel_turn *turn);

/* answers as RGB (gate_rgb.c) */
/* The held picture in a frame of ours, to be returned in that one's place; NULL: not here, or not now. Under `lock`. */
struct obs_source_frame *doppel_rgb_answer(struct doppel_filter *filter, const struct obs_source_frame *frame,
					   struct doppel_turn *turn);
/* Whether the source is answered in place now because it is deinterlaced. Under `lock`. */
bool doppel_rgb_ends_deinterlaced(struct doppel_filter *filter, bool deinterlaced, uint64_t now);
/* At the end of each frame: did it go out so? Under `lock`. */
void doppel_rgb_note(struct doppel_filter *filter, const struct doppel_turn *turn, bool as_rgb);
/* A tick of libobs, told by each callback that comes before the draw. Under `lock`. */
void doppel_note_tick(struct doppel_filter *filter, uint64_t video_time);
/* The filter is gone: its frames are others' to use. */
void doppel_rgb_retire(struct doppel_filter *filter);

/* callbacks of the async filter (gate_async.c, gate_idle.c, gate_render.c, gate_signals.c) */
void doppel_async_load(void *data, void *settings);
void *doppel_async_create(void *settings, void *source);
void doppel_async_destroy(void *data);
void doppel_async_show(void *data);
void doppel_async_hide(void *data);
void doppel_async_activate(void *data);
void doppel_async_deactivate(void *data);
void doppel_async_filter_remove(void *data, void *parent);
void doppel_async_video_tick(void *data, float seconds);
void doppel_async_video_render(void *data, void *effect);
struct obs_source_frame *doppel_async_filter_video(void *data, struct obs_source_frame *frame);

/* callbacks of the sync filter (gate_sync.c) */
void *doppel_sync_create(void *settings, void *source);
void doppel_sync_destroy(void *data);
void doppel_sync_show(void *data);
void doppel_sync_hide(void *data);
void doppel_sync_video_tick(void *data, float seconds);
void doppel_sync_video_render(void *data, void *effect);
int32_t doppel_sync_color_space(void *data, size_t count, const int32_t *preferred);
void doppel_sync_free(struct doppel_sync *sync); /* its memory; what it had on the graphics card is gone */

/* lanes and results, under `lock` (gate_lanes.c) */
/* `is_last`: no newer frame is at hand than the last one sent. */
void doppel_take_incoming(struct doppel_filter *filter, bool is_last);
/* There is a lane, and it is for frames as the last one was. */
bool doppel_lane_fits(const struct doppel_filter *filter);
/* The newest result up to this id that may be shown becomes the held picture. */
bool doppel_take_due(struct doppel_filter *filter, uint64_t upto);
/* There is a held picture, and the worker did not ask for the cover in its place. */
bool doppel_held_showable(const struct doppel_filter *filter);
void doppel_drop_held(struct doppel_filter *filter);
void doppel_end_epoch(struct doppel_filter *filter);
void doppel_publish_ring(struct doppel_filter *filter);

/* the last frame, under `lock` (gate_idle.c) */
/* Keeps the frame until there is a lane: it may be the only one that comes. */
void doppel_keep_for_later(struct doppel_filter *filter, const struct obs_source_frame *frame);
/* The last frame's original out of a lane that is about to go. */
void doppel_salvage(struct doppel_filter *filter);
/* The pixels of `last_id` are in that slot of the lane: to the worker. */
void doppel_submit(struct doppel_filter *filter, uint32_t slot, uint64_t capture_ns);
/* In a tick: while the source is idle its last frame is judged again where that is wanted, and the result taken. */
void doppel_tick_idle(struct doppel_filter *filter, uint64_t now);
/* The last frame as it came, in the lane's geometry; NULL: it is not to be had now. For a lane that fits. */
const uint8_t *doppel_original(const struct doppel_filter *filter);

/* the source, under `lock` (gate_source.c) */
enum doppel_suitability { DOPPEL_EDITABLE, DOPPEL_ONLY_COVER, DOPPEL_UNKNOWN_SIZE };
/* What can be done with this frame; takes note of a new geometry. */
enum doppel_suitability doppel_note_geometry(struct doppel_filter *filter, const struct obs_source_frame *frame);
void doppel_note_time(struct doppel_filter *filter, const struct obs_source_frame *frame, uint64_t now);
/* The user has paused the swap, or holds the hotkey, and no panic overrules that: the original is shown. */
bool doppel_is_paused(const struct doppel_filter *filter);
/* No frame for some time: a pause, or a still. */
bool doppel_is_idle(const struct doppel_filter *filter, uint64_t now);

/* hotkeys (gate_hotkeys.c); not where a lock of libobs is held */
void doppel_hotkeys_follow(struct doppel_filter *filter); /* registered, under the filter's present name */
void doppel_hotkeys_end(struct doppel_filter *filter);	  /* from destroy */

/* signals (gate_signals.c) */
void doppel_signals_connect_filter(struct doppel_filter *filter);
void doppel_signals_disconnect_filter(struct doppel_filter *filter);
void doppel_signals_follow_parent(struct doppel_filter *filter); /* from video_tick */
void doppel_suspect(struct doppel_filter *filter);

#endif
