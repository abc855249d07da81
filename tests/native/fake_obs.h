/* A small libobs: one source with its texture, its filters and its signals, in the order in which the real one calls.
 *
 * One tick is what libobs's graphics loop does (29.0.2 and 32.2.2 differ only in who ticks first, see
 * `filters_tick_first`): the source's new frames go through filter_video, show/hide and activate/deactivate follow,
 * each filter's video_tick runs; then the source is drawn: its last frame is uploaded into its texture (once a tick), and
 * the newest filter's video_render decides. What reaches the scene is compared byte by byte:
 *
 *   raw pictures     bytes 0..63, no two neighbours alike, each frame another offset
 *   judged pictures  the same, with bit 7 set by the test's worker
 *   the slate        bytes of 0x66
 *   the cover        anything whose blocks are flat
 */
#ifndef DOPPEL_FAKE_OBS_H
#define DOPPEL_FAKE_OBS_H

#include "gate_internal.h"

#define FAKE_MAX_BYTES (96u * 96u * 4u)
#define FAKE_FILTERS 3u
#define FAKE_MAX_DELAY 4u
#define FAKE_CONNECTIONS 64u
#define FAKE_SLATE 0x66

enum fake_kind { FAKE_NOTHING, FAKE_RAW, FAKE_JUDGED, FAKE_COVER, FAKE_SLATE_SHOWN, FAKE_GARBLED };

struct fake_picture {
	struct doppel_geometry geometry; /* width 0: none */
	bool flip;
	uint8_t bytes[FAKE_MAX_BYTES];
};

struct fake_connection {
	char signal[24];
	void (*callback)(void *, void *);
	void *data;
};

struct fake_source {
	struct fake_connection connections[FAKE_CONNECTIONS]; /* first: it is a signal handler, too */
	uint32_t flags; /* second, as in fake_filter: obs_source_get_output_flags asks for both */
	int32_t deinterlace;
	bool showing, active, async_active;
	_Atomic bool media_paused; /* what its state says */
	bool show_wanted, active_wanted;
	struct fake_picture texture, previous_texture, preload;
	struct fake_picture still; /* what a source that is not asynchronous draws */
	struct fake_picture current, previous; /* frames of this tick that came through the filters */
	bool has_current, has_previous, rendered;
	struct fake_filter *filters[FAKE_FILTERS]; /* [0] is the newest, drawn first and filtering last */
	uint32_t filter_count;
	uint64_t timestamp;
	uint32_t released; /* obs_source_release_frame calls */
	uint64_t preloading_until_ns; /* the media thread may be writing `preload`, without a lock */
};

struct fake_filter {
	struct fake_connection connections[FAKE_CONNECTIONS];
	uint32_t flags;
	struct fake_source *parent;
	const struct obs_source_info_400 *info;
	void *data;
	bool enabled;
	_Atomic bool gone; /* no strong reference any more */
	_Atomic int32_t references;
	uint64_t frames_given; /* to its filter_video, by this source's ticks */
	/* Not Face Swap but a video delay: it keeps the newest `delay` frames, and returns none until it is full. */
	struct fake_picture *kept;
	uint32_t delay, kept_count;
};

struct fake_world {
	struct obs_source_info_400 *info, *sync_info;
	uint64_t video_time;
	struct fake_picture *target; /* what is drawn into; `scene` where nobody set another */
	bool filters_tick_first;
	struct fake_picture scene; /* what the last draw put there; width 0: nothing */
	uint64_t raw_id;	   /* frames made so far */
	void (*in_libobs)(void);   /* called inside every function of the table */
	/* What another thread does meanwhile: called when the answer is made, before it is given. */
	void (*asked_for_parent)(void), (*asked_for_media_state)(void);
};
extern struct fake_world fake;

void fake_install(void); /* of this library: doppel_gate_install with the fake's table */

void fake_source_init(struct fake_source *source, uint32_t flags);
struct fake_filter *fake_filter_add(struct fake_source *source);
struct fake_filter *fake_sync_filter_add(struct fake_source *source); /* of the other type: fake_graphics.h */
struct fake_filter *fake_delay_add(struct fake_source *source, uint32_t delay);
void fake_filter_move(struct fake_filter *filter, uint32_t place); /* 0: filters last */
void fake_filter_remove(struct fake_filter *filter); /* and destroys it */
void fake_filter_enable(struct fake_filter *filter, bool enabled);
uint64_t fake_filter_id(const struct fake_filter *filter);
void fake_signal(void *handler, const char *signal);

struct doppel_geometry fake_geometry(uint32_t format, uint32_t width, uint32_t height, uint32_t padding);
void fake_raw(struct fake_picture *picture, const struct doppel_geometry *geometry, uint64_t id);
/* What the worker does to a slot's pixels. */
void fake_judge(uint8_t *pixels, const struct doppel_geometry *geometry);

/* `frames` new frames of this geometry (0, 1, or 2 when deinterlacing), then the ticks. The frames come out in
 * `after`, if not NULL. Outcome of filter_video is not judged here. */
void fake_tick(struct fake_source *source, const struct doppel_geometry *geometry, uint32_t frames, uint64_t step_ns);
/* Draws the source into `fake.scene`, as a scene item or a screenshot. */
void fake_draw(struct fake_source *source);
/* A media source puts a picture into its texture past all filters. */
void fake_show_raw(struct fake_source *source, const struct doppel_geometry *geometry);
/* It pauses, or plays on: what it says of itself, then the signal. */
void fake_pause(struct fake_source *source, bool paused);
void fake_show_preload(struct fake_source *source);
/* What a media source does on its own: always the picture first, then the word. `started`: it is not paused; a seek
 * while paused shows a raw picture, another one nothing. */
enum fake_media { FAKE_MEDIA_PAUSE, FAKE_MEDIA_PLAY, FAKE_MEDIA_STOP, FAKE_MEDIA_RESTART, FAKE_MEDIA_SEEK };
void fake_media(struct fake_source *source, const struct doppel_geometry *geometry, enum fake_media what,
		bool *started);
/* It stops or is deactivated: for some time its thread decodes its first frame into `preload`. */
void fake_preload(struct fake_source *source, const struct doppel_geometry *geometry);

/* What kind of picture this is, and of which frame. */
enum fake_kind fake_look(const struct fake_picture *picture, uint64_t *id);

#endif
