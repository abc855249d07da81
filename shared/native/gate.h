/* The gate: the callbacks of the "Face Swap" filter, and what the control plane (Python, by ctypes) may ask of them.
 *
 * libobs is reached only through the table of functions handed to doppel_gate_install(); nothing here links to it.
 * The library is never unloaded. Everything below may be called at any time, from any one control thread, with any
 * filter id: an id that is gone is answered with -1. No lock of ours is held while libobs is called.
 */
#ifndef DOPPEL_GATE_H
#define DOPPEL_GATE_H

#include "ring.h"

#include <stdbool.h>

/* libobs's struct obs_source_frame (28 to 32); only the fields up to `flip` are used by name. */
struct obs_source_frame;

struct doppel_libobs {
	uint32_t size; /* sizeof(struct doppel_libobs) */
	uint32_t reserved;
	void *(*obs_filter_get_parent)(const void *filter);
	void (*obs_source_release_frame)(void *source, struct obs_source_frame *frame);
	void (*obs_source_set_video_frame)(void *source, const struct obs_source_frame *frame);
	uint32_t (*obs_source_get_output_flags)(const void *source);
	int32_t (*obs_source_get_deinterlace_mode)(const void *source);
	void *(*obs_source_get_signal_handler)(const void *source);
	void (*signal_handler_connect)(void *handler, const char *signal, void (*callback)(void *, void *), void *data);
	void (*signal_handler_disconnect)(void *handler, const char *signal, void (*callback)(void *, void *),
					  void *data);
	void *(*obs_source_get_weak_source)(void *source);
	void *(*obs_weak_source_get_source)(void *weak);
	void (*obs_weak_source_release)(void *weak);
	void (*obs_data_set_default_string)(void *data, const char *name, const char *value);
	void (*obs_data_set_default_int)(void *data, const char *name, long long value);
	void (*obs_data_set_default_double)(void *data, const char *name, double value);
	void (*obs_data_set_default_bool)(void *data, const char *name, bool value);
	void *(*obs_properties_create)(void);
	void *(*obs_properties_add_text)(void *properties, const char *name, const char *description, int32_t type);
	uint64_t (*obs_get_video_frame_time)(void);
	bool (*obs_source_enabled)(const void *source);
	void (*obs_source_enum_filters)(void *source, void (*callback)(void *source, void *filter, void *data), void *data);
	int32_t (*obs_source_media_get_state)(void *source);
	void *(*obs_filter_get_target)(const void *filter);
	void (*obs_source_video_render)(void *source);
	void (*obs_source_default_render)(void *source);
};

enum doppel_default_kind { DOPPEL_BOOL = 0, DOPPEL_INT = 1, DOPPEL_DOUBLE = 2, DOPPEL_STRING = 3 };
struct doppel_default {
	const char *key;
	uint32_t kind;
	uint32_t reserved;
	double number;	  /* bool, int, double */
	const char *text; /* string */
};

/* Copies the table, the defaults and the texts; builds the obs_source_info (400 bytes: OBS 28 to 32 accept it) of the
 * async filter. Returns it for obs_register_source_s(info, 400) the first time, and the same pointer, with
 * *already = 1, later (libobs cannot unregister). NULL: a function is missing. The properties page that is shown
 * while no script is there holds `orphan_text`. */
DOPPEL_API void *doppel_gate_install(const struct doppel_libobs *libobs, const char *id, const char *display_name,
				     const char *orphan_text, const struct doppel_default *defaults,
				     uint32_t default_count, int32_t *already);

/* get_properties reaches Python through this pointer; NULL clears it and waits until no call is inside.
 * callback(filter id) -> obs_properties_t*. */
DOPPEL_API void doppel_gate_set_properties_callback(void *(*callback)(uint64_t filter_id));

/* Ids of the filters that live now, at most max; returns how many there are. Ids are never used again. */
DOPPEL_API int32_t doppel_gate_list(uint64_t *ids, int32_t max);
/* A strong reference to the filter's obs_source_t (release with obs_source_release), or NULL when it is gone. */
DOPPEL_API void *doppel_gate_get_source(uint64_t filter_id);

enum doppel_late_policy { DOPPEL_LATE_HOLD = 0, DOPPEL_LATE_COVER = 1, DOPPEL_LATE_ORIGINAL = 2 };
struct doppel_policy {
	uint32_t paused;       /* 1: the original, by the user's choice */
	uint32_t panic;	       /* 1: the cover at once */
	uint32_t late_policy;  /* enum doppel_late_policy */
	uint32_t use_slate;    /* 1: the slate as cover where the worker has drawn one */
	uint64_t hold_ns;      /* how long the last judged picture is held when a result is missing */
	uint32_t delay_frames; /* D, 1 .. slot_count - 3; clamped */
	uint32_t reserved;
};
DOPPEL_API int32_t doppel_gate_set_policy(uint64_t filter_id, const struct doppel_policy *policy);

enum doppel_lane_state {
	DOPPEL_LANE_NONE = 0,	/* wants a segment for `geometry` (if width > 0) */
	DOPPEL_LANE_ACTIVE = 1, /* frames go to the worker */
	DOPPEL_LANE_STALE = 2,	/* geometry changed: wants a new segment */
};
struct doppel_gate_status {
	uint32_t lane_state;
	uint32_t unsupported_format; /* != 0: the source's video_format, which is covered */
	uint64_t lane_serial;	     /* of the attached lane; 0: none */
	uint64_t geometry_serial;    /* +1 at each change of `geometry` */
	struct doppel_geometry geometry; /* of the last frame seen; width 0: no frame yet */
	uint64_t settings_serial;    /* +1 at each `update` callback */
	uint64_t oldest_busy_ns;     /* for how long the worker had had a frame in hand at the last tick, 0: it had none */
	uint64_t frame_interval_ns;  /* smoothed distance of the source's time stamps; 0: unknown */
	uint64_t last_frame_ns;	     /* doppel_now_ns() of the last filter_video, 0: never */
	uint64_t first_frame_ns;
	uint64_t first_swapped_ns;   /* 0: not yet */
	uint32_t delay_frames;	     /* D, and readback_frames */
	uint32_t showing;	     /* 1: shown somewhere (between show and hide, or drawn since) */
	/* Each frame in ends as exactly one of the next seven: they add up to frames_in. (Sync filter: a frame that is
	 * like the one before counts only where the right picture is not there.) */
	uint64_t frames_in;
	uint64_t swapped;
	uint64_t blurred;
	uint64_t no_face;
	uint64_t original; /* shown as it was: paused, or the user's choice for a case */
	uint64_t held;
	uint64_t covered;
	uint64_t dropped; /* nothing returned (a format whose size is not known) */
	/* And, of the frames copied to the worker: */
	uint64_t submitted;
	uint64_t given_back; /* not started, or too late to be shown */
	uint64_t renders_blocked; /* video_render drew nothing */
	uint64_t reuploads;	  /* video_render put our picture back into the parent's texture */
	uint64_t flushes;
	uint64_t judged_again; /* submissions of an idle source's last frame */
	uint64_t rgb_answers; /* frames that went out as RGB, in a frame of the gate's own */
	uint64_t filters_after; /* other filters that got the last frame after us, and may keep or exchange it */
	uint32_t readback_frames; /* of delay_frames: 1 where pictures are read back from the graphics card, else 0 */
	uint32_t passes_on;	  /* sync filter: 1 while the asynchronous one on the same source does the work */
};
DOPPEL_API int32_t doppel_gate_get_status(uint64_t filter_id, struct doppel_gate_status *status);

/* Gives the filter a segment. POSIX: `handle` is a file descriptor (the gate maps it; the caller may close it
 * afterwards). Windows: the handle of the file mapping. The frame path takes it over at the next frame; the old
 * segment stays mapped while its picture is held. 0; -1 no such filter; -2 cannot map (or a memfd that can still be
 * sealed and is not sealed against shrinking); -3 sizes or geometry do not fit (the source changed again: look at the
 * status and try anew). */
DOPPEL_API int32_t doppel_gate_attach(uint64_t filter_id, int64_t handle, uint64_t bytes, uint32_t slot_count,
				      uint64_t geometry_serial, uint64_t lane_serial);
/* The lane's worker is gone: no more frames into its segment; hold, then cover. */
DOPPEL_API int32_t doppel_gate_detach(uint64_t filter_id);
/* Unmaps segments that the frame path has let go. To be called now and then. Returns how many are still held. */
DOPPEL_API int32_t doppel_gate_collect(uint64_t filter_id);

enum doppel_outcome {
	DOPPEL_OUT_SWAPPED = 1,
	DOPPEL_OUT_BLURRED,
	DOPPEL_OUT_NO_FACE,
	DOPPEL_OUT_ORIGINAL,
	DOPPEL_OUT_HELD,
	DOPPEL_OUT_COVERED,
	DOPPEL_OUT_DROPPED,
};
/* One per outcome, in order; the oldest are lost when nobody drains (256 are kept). */
struct doppel_sample {
	uint64_t frame_id;	/* of the frame in whose place it went out */
	uint64_t shown_id;	/* of the frame whose picture went out (0: none of the worker's) */
	uint32_t outcome;	/* enum doppel_outcome */
	uint32_t total_ns;	/* inside filter_video; sync filter: from the copy that is read to the upload */
	uint32_t copy_ns;	/* of which: the memory copies in and out */
	uint32_t delay_ns;	/* capture of shown_id -> now; 0: none */
	uint32_t turnaround_ns; /* of shown_id: submit -> done, by the worker's clock; 0: none */
	uint32_t wait_ns;	/* sync filter, of total_ns: until the graphics card's copy could be read */
};
DOPPEL_API int32_t doppel_gate_drain(uint64_t filter_id, struct doppel_sample *samples, int32_t max);

#endif
