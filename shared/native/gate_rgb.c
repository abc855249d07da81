/* Answers as RGB: frames of our own in the place of libobs's, for an OBS that draws without a graphics card (rgb.h).
 *
 * libobs's frame has no room for one. References work like this (29 to 32): libobs raises those of the frame that goes into
 * filter_video and lowers those of the frame that comes out, so a frame of ours goes out with one more than the one that
 * keeps it alive, and the frame that came in is given back by obs_source_release_frame. What came out is then the
 * source's current frame, without a reference, until the next tick takes it away, before filter_video; whoever uploads it
 * holds a reference meanwhile. So in filter_video a frame with one reference is known to nobody but us.
 *
 * A filter may go while its last answer is still the source's current frame. So our frames are never freed: those of
 * filters that are gone are used again by others, when that tick is long over.
 *
 * Between the tick, which shapes the source's textures for our frame, and its upload a media source may shape them for a
 * frame of its own (a restart, a seek: obs_source_set_video_frame, obs_source_show_preloaded_video). Then ours is uploaded
 * into textures of another format. As RGB of limited range it is converted by a shader, like any YUV, and all its planes
 * are there and of the largest size, so libobs reads no further in it than in a frame of its own of that size, and garbled
 * pictures are shown until the formats agree again. (RGB of full range, which needs no shader, would end OBS: upload_raw_frame,
 * "No conversion requested".) Such events raise the suspicion (gate_signals.c), and for SETTLED_NS after one, and after
 * any picture that could not go out so, everything goes out in place. Packed 4:2:2 of a media source does always: its texture
 * passes for one of BGRX, and would be exchanged for such.
 *
 * From 29.1 on a change of format takes the graphics mutex inside the source's own, and whoever draws the source (a screenshot,
 * on a thread of its own) takes them the other way round, but only if it was not drawn since the tick before. So RGB
 * begins only in a tick before which the source was drawn, and goes on while it is hidden. Where it has to end (a cover, another
 * filter) nothing can be done about that.
 *
 * In place as well: where another filter comes after us or the source is deinterlaced, for then frames are kept for longer.
 * Deinterlacing ends it only after SETTLED_NS: whoever chooses it (obs_source_set_deinterlace_mode, on the UI's thread)
 * takes the graphics mutex, sets the mode, loads a shader, and then takes the source's own mutex, so a change of format in
 * a tick in between would freeze OBS from 29.1 on. Meanwhile both frames of a tick are the same one of ours.
 */
#include "gate_internal.h"
#include "rgb.h"

#include <stdlib.h>
#include <string.h>

#define LONG_OVER_NS UINT64_C(1000000000)
#ifndef SETTLED_NS /* a stress test sets 0 to see it begin and end often */
#define SETTLED_NS UINT64_C(1000000000)
#endif
#define LAST_SDR_TRANSFER 1 /* libobs's VIDEO_TRC_SRGB; 0 is "as usual", those after it are HDR */
#define ALIVE 1L
#define MOST_TEXTURES 4u /* of libobs, for one source */

struct doppel_rgb_frame {
	struct obs_source_frame frame; /* first: this is what libobs gets */
	uint8_t *pixels;
	uint64_t bytes;
	uint64_t retired_at; /* libobs's video time */
	struct doppel_rgb_frame *next;
};

static struct {
	struct doppel_lock lock;
	struct doppel_rgb_frame *first;
} retired;

static bool is_ours_alone(struct doppel_rgb_frame *own)
{
	return __atomic_load_n(&own->frame.refs, __ATOMIC_ACQUIRE) == ALIVE;
}

/* Nobody can know it any more. */
static bool is_over(struct doppel_rgb_frame *own, uint64_t video_time)
{
	return video_time > own->retired_at + LONG_OVER_NS && is_ours_alone(own);
}

static struct doppel_rgb_frame *take_retired(uint64_t video_time)
{
	doppel_lock(&retired.lock);
	struct doppel_rgb_frame **at = &retired.first;
	while (*at != NULL && !is_over(*at, video_time))
		at = &(*at)->next;
	struct doppel_rgb_frame *found = *at;
	if (found != NULL)
		*at = found->next;
	doppel_unlock(&retired.lock);
	return found;
}

void doppel_rgb_retire(struct doppel_filter *filter)
{
	const uint64_t now = doppel_libobs.obs_get_video_frame_time();
	doppel_lock(&retired.lock);
	for (struct doppel_rgb_frame *own = retired.first; own != NULL; own = own->next)
		if (is_over(own, now)) {
			free(own->pixels);
			own->pixels = NULL;
			own->bytes = 0;
		}
	for (unsigned i = 0; i < DOPPEL_RGB_FRAMES; i++) {
		struct doppel_rgb_frame *own = filter->rgb[i];
		if (own == NULL)
			continue;
		own->retired_at = now;
		own->next = retired.first;
		retired.first = own;
		filter->rgb[i] = NULL;
	}
	doppel_unlock(&retired.lock);
}

/* Memory is asked for with the first answer, and when the size has changed. */
static bool has_room(struct doppel_rgb_frame *own, uint64_t bytes)
{
	if (own->bytes == bytes)
		return true;
	free(own->pixels);
	own->pixels = malloc((size_t)bytes);
	own->bytes = own->pixels != NULL ? bytes : 0;
	return own->pixels != NULL;
}

static struct doppel_rgb_frame *unused(struct doppel_filter *filter, uint64_t bytes)
{
	for (unsigned i = 0; i < DOPPEL_RGB_FRAMES; i++) {
		struct doppel_rgb_frame *own = filter->rgb[i];
		if (own == NULL) {
			own = take_retired(filter->frame_video_time);
			if (own == NULL && (own = calloc(1, sizeof *own)) != NULL)
				own->frame.refs = ALIVE;
			filter->rgb[i] = own;
		}
		if (own != NULL && is_ours_alone(own))
			return has_room(own, bytes) ? own : NULL;
	}
	return NULL;
}

static bool is_possible(const struct doppel_filter *filter, const struct doppel_turn *turn)
{
	return turn->rgb != NULL && !turn->in_place && filter->frame_suspicion == filter->rgb_suspicion;
}

void doppel_note_tick(struct doppel_filter *filter, uint64_t video_time)
{
	if (filter->tick_now == video_time)
		return;
	filter->tick_before = filter->tick_now;
	filter->tick_now = video_time;
}

static bool may_begin(const struct doppel_filter *filter, const struct doppel_turn *turn)
{
	return turn->now >= filter->rgb_from_ns && filter->tick_drawn == filter->tick_before;
}

bool doppel_rgb_ends_deinterlaced(struct doppel_filter *filter, bool deinterlaced, uint64_t now)
{
	if (!deinterlaced)
		filter->deinterlaced_ns = 0;
	else if (filter->deinterlaced_ns == 0)
		filter->deinterlaced_ns = now;
	return deinterlaced && (!filter->rgb_last || now >= filter->deinterlaced_ns + SETTLED_NS);
}

void doppel_rgb_note(struct doppel_filter *filter, const struct doppel_turn *turn, bool as_rgb)
{
	if (!as_rgb && (filter->rgb_last || !is_possible(filter, turn))) {
		filter->rgb_suspicion = filter->frame_suspicion;
		filter->rgb_from_ns = turn->now + SETTLED_NS;
	}
	filter->rgb_last = as_rgb;
	if (as_rgb)
		doppel_count(&filter->rgb_answers);
}

struct obs_source_frame *doppel_rgb_answer(struct doppel_filter *filter, const struct obs_source_frame *frame,
					    struct doppel_turn *turn)
{
	const uint64_t bytes = doppel_rgb_bytes(&filter->geometry);
	if (!is_possible(filter, turn) || !(filter->rgb_last || may_begin(filter, turn)) ||
	    frame->trc > LAST_SDR_TRANSFER || bytes == 0)
		return NULL;
	struct doppel_rgb_frame *own = unused(filter, bytes);
	if (own == NULL)
		return NULL;
	const uint64_t start = doppel_clock_ns();
	memcpy(own->pixels, turn->rgb, (size_t)bytes);
	turn->sample.copy_ns += (uint32_t)(doppel_clock_ns() - start);
	struct obs_source_frame *answer = &own->frame;
	memcpy(answer, frame, offsetof(struct obs_source_frame, refs));
	memset(answer->data, 0, sizeof answer->data);
	memset(answer->linesize, 0, sizeof answer->linesize);
	for (unsigned p = 0; p < MOST_TEXTURES; p++) {
		answer->data[p] = own->pixels;
		answer->linesize[p] = frame->width * DOPPEL_RGB_PIXEL_BYTES;
	}
	answer->format = DOPPEL_RGB_FORMAT;
	answer->full_range = false;
	answer->flip = turn->colour->flip != 0;
	__atomic_add_fetch(&answer->refs, 1, __ATOMIC_ACQ_REL);
	return answer;
}
