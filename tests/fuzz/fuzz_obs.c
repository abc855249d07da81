#include "fuzz_obs.h"

#include "check.h"
#include "fake_clock.h"
#include "fuzz_worker.h"

struct fake_source source;
struct doppel_geometry geometry;
struct doppel_policy policy;
bool sync_type, media_started, slate_was_used;

static bool is_delay(uint32_t i)
{
	return source.filters[i]->kept != NULL;
}

struct fake_filter *some_filter(void)
{
	for (uint32_t i = 0, start = byte(); i < source.filter_count; i++)
		if (!is_delay((start + i) % source.filter_count))
			return source.filters[(start + i) % source.filter_count];
	return NULL;
}

void in_libobs(void)
{
	for (uint32_t i = 0; i < source.filter_count; i++) {
		const struct doppel_filter *filter = is_delay(i) ? NULL : source.filters[i]->data;
		if (filter != NULL) {
			CHECK_EQUAL(atomic_load(&filter->lock.taken), 0);
			CHECK_EQUAL(atomic_load(&filter->control.taken), 0);
		}
	}
	strike_armed();
}

static void apply(void)
{
	for (uint32_t i = 0; i < source.filter_count; i++)
		if (!is_delay(i))
			CHECK_EQUAL(doppel_gate_set_policy(fake_filter_id(source.filters[i]), &policy), 0);
}

void choose_policy(void)
{
	const uint32_t bits = byte();
	policy = (struct doppel_policy){.paused = (bits & 7) == 7,
					.panic = (bits >> 3 & 3) == 3,
					.late_policy = (bits >> 5 & 1) == 0 ? DOPPEL_LATE_HOLD : byte() & 3,
					.use_slate = bits >> 6 == 3,
					.hold_ns = below(8) * 100 * MS,
					.delay_frames = below(14)};
	slate_was_used = slate_was_used || policy.use_slate;
	apply();
}

void look(void)
{
	const enum fake_kind kind = sync_type ? fake_sync_draw(&source, NULL) : (fake_draw(&source), fake_look(&fake.scene, NULL));
	bool guarded = false;
	for (uint32_t i = 0; i < source.filter_count; i++)
		guarded = guarded || (source.filters[i]->enabled && !is_delay(i));
	CHECK(!guarded || policy.panic == 0 || slate_was_used || kind == FAKE_COVER || kind == FAKE_NOTHING);
}

void count(void)
{
	for (uint32_t i = 0; i < source.filter_count; i++) {
		if (is_delay(i))
			continue;
		struct doppel_sample samples[16];
		const int32_t n = doppel_gate_drain(fake_filter_id(source.filters[i]), samples, 16);
		CHECK(n >= 0 && n <= 16);
		for (int32_t s = 0; s < n; s++) {
			CHECK(samples[s].outcome >= DOPPEL_OUT_SWAPPED && samples[s].outcome <= DOPPEL_OUT_DROPPED);
			CHECK(samples[s].shown_id < samples[s].frame_id);
		}
		struct doppel_gate_status status;
		CHECK_EQUAL(doppel_gate_get_status(fake_filter_id(source.filters[i]), &status), 0);
		/* The gate's own count of frames is the sum of their outcomes; this one is ours. */
		if (!sync_type)
			CHECK_EQUAL(source.filters[i]->frames_given, status.swapped + status.blurred + status.no_face +
									     status.original + status.held + status.covered +
									     status.dropped);
		CHECK(status.delay_frames <= DOPPEL_MAX_SLOTS + 1u);
	}
}

void media(void)
{
	if ((source.flags & OBS_FLAG_CONTROLLABLE_MEDIA) != 0)
		fake_media(&source, &geometry, (enum fake_media)below(FAKE_MEDIA_SEEK + 1), &media_started);
}

void change_geometry(void)
{
	const uint32_t formats[] = {1, 2, 3, 4, 5, 7, 9, 10, 11, 12, 13, 15};
	const uint32_t format = formats[below(12)], width = 16 + 2 * below(12), height = 16 + 2 * below(12);
	if (sync_type)
		fake_still(&source, width, height);
	else
		geometry = fake_geometry(format, width, height, below(3) * 8);
}

void add_filter(void)
{
	if (sync_type)
		fake_sync_filter_add(&source);
	else
		fake_filter_add(&source);
	apply();
	fake_tick(&source, sync_type ? NULL : &geometry, 0, 0); /* it listens from its first tick on */
}

void filters(void)
{
	const uint32_t what = below(8), which = source.filter_count > 0 ? below(source.filter_count) : 0;
	if (source.filter_count > 0 && what == 0)
		fake_filter_remove(source.filters[which]);
	else if (source.filter_count > 0 && what == 1 && !sync_type)
		fake_filter_move(source.filters[which], below(source.filter_count));
	else if (source.filter_count < FAKE_FILTERS && what == 2 && !sync_type)
		fake_delay_add(&source, below(FAKE_MAX_DELAY + 1));
	else if (source.filter_count < (sync_type ? 1 : FAKE_FILTERS))
		add_filter();
}

void tick(void)
{
	const uint32_t what = byte();
	atomic_fetch_add(&fake_now_ns, what % 16 == 15 ? below(200) * 20 * MS : 33 * MS);
	if (sync_type) {
		if (what % 4 != 0 && source.still.geometry.width != 0)
			fake_still(&source, source.still.geometry.width, source.still.geometry.height);
		fake_tick(&source, NULL, 0, 0);
	} else {
		const bool was_active = source.active;
		const uint64_t step = what % 32 == 31 ? (uint64_t)-(int64_t)(900 * MS) : what % 32 == 30 ? 4000 * MS : 33 * MS;
		fake_tick(&source, &geometry, what % 8 == 7 ? 0 : source.deinterlace != 0 ? 2 : 1, step);
		media_started = media_started || (source.active && !was_active);
	}
	if (source.showing || sync_type)
		look();
}

void enable(void)
{
	if (source.filter_count > 0)
		fake_filter_enable(source.filters[below(source.filter_count)], below(4) != 0);
}

void show(void)
{
	source.show_wanted = below(4) != 0;
	source.active_wanted = source.show_wanted && below(3) != 0;
}

void other_kinds(void)
{
	if (sync_type) {
		card.hdr = below(4) == 0;
		card.lost = below(4) == 0;
		card.pitch_padding = below(3) * 64;
	} else {
		source.deinterlace = below(2) == 0;
	}
}
