/* A hostile worker against the gate, found by libFuzzer.
 *
 * The input is a script. Most steps are what OBS, the user and the control plane do (ticks, draws, lanes, settings,
 * filters, geometry, media signals); the others are what a worker gone mad does to its segment: any byte, any word, the
 * whole of it. A step of the worker can be armed: it then happens in the middle of a later step, at the n-th time that the
 * gate looks at the clock or calls libobs. With DOPPEL_FUZZ_THREAD=1 a thread writes into the newest segment all the
 * time, too (then a finding may not come again from its file).
 *
 * The segment is heap memory, so that the address sanitizer sees a byte that is touched beside it, or after the unmapping.
 * Beyond the sanitizers: no lock is held in a call of libobs, counters add up, samples make sense, and what is drawn
 * under a panic is a cover or nothing, whatever the worker has written.
 */
#include "check.h"
#include "fake_clock.h"
#include "fake_graphics.h"

#include <pthread.h>
#include <string.h>

#define MS UINT64_C(1000000)
#define LANES 3u
#define HANDLES 32u
#define ARMED 8u
#define SLOT_HEADERS 512u /* where they begin */
#define SIDE 24u	  /* small pictures: more scripts a second */

int LLVMFuzzerInitialize(int *count, char ***arguments);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const uint8_t *script, *script_end;

static uint32_t byte(void)
{
	return script < script_end ? *script++ : 0;
}

static uint32_t below(uint32_t n)
{
	return byte() % n;
}

static uint32_t word(void)
{
	const uint32_t low = byte();
	return low | byte() << 8;
}

/* ---- segments: what the gate maps is what the worker writes ------------------------------------------------------ */

static struct memory {
	uint8_t *bytes;
	uint64_t size;
	uint32_t users; /* the worker and the gate */
} memories[HANDLES];

static struct lane {
	uint32_t handle; /* + 1; 0: none */
	int32_t busy;
} lanes[LANES]; /* [0] is the newest */

static pthread_mutex_t mapping = PTHREAD_MUTEX_INITIALIZER; /* of lanes[0] and its memory, for the thread */

static void let_go(struct memory *memory)
{
	if (--memory->users == 0) {
		free(memory->bytes);
		memory->bytes = NULL;
	}
}

void *doppel_map(int64_t handle, uint64_t bytes)
{
	CHECK(handle >= 0 && handle < HANDLES);
	struct memory *memory = &memories[handle];
	if (memory->bytes == NULL || memory->size < bytes)
		return NULL;
	memory->users++;
	return memory->bytes;
}

void doppel_unmap(void *base, uint64_t bytes)
{
	for (uint32_t i = 0; i < HANDLES; i++)
		if (memories[i].bytes == base && bytes > 0) {
			let_go(&memories[i]);
			return;
		}
	CHECK(!"it was mapped");
}

static void free_lane(struct lane *lane)
{
	if (lane->handle != 0)
		let_go(&memories[lane->handle - 1]);
	*lane = (struct lane){.busy = -1};
}

/* ---- the worker ------------------------------------------------------------------------------------------------- */

struct attack {
	uint8_t what, lane, a, b, c;
	uint16_t at;
	uint32_t after; /* looks at the clock and calls of libobs */
};
static struct attack armed[ARMED];
static uint32_t armed_count;
static bool attacking;

static void put(const struct memory *memory, uint64_t at, const void *value, uint64_t count)
{
	for (uint64_t i = 0; i < count && at + i < memory->size; i++)
		memory->bytes[at + i] = ((const uint8_t *)value)[i];
}

static struct attack read_attack(void)
{
	struct attack attack = {.what = (uint8_t)byte(), .lane = (uint8_t)(byte() % 8 < 6 ? 0 : byte() % LANES)};
	attack.a = (uint8_t)byte();
	attack.b = (uint8_t)byte();
	attack.c = (uint8_t)byte();
	attack.at = (uint16_t)word();
	return attack;
}

/* An honest step, so that the states behind it are reached. */
static void work(struct lane *lane, const struct memory *memory, uint32_t verdict)
{
	if (lane->busy >= 0) {
		doppel_worker_make_rgb(memory->bytes, memory->size, (uint32_t)lane->busy);
		doppel_worker_done(memory->bytes, memory->size, (uint32_t)lane->busy, verdict, 1);
		lane->busy = -1;
		return;
	}
	uint32_t given_back;
	lane->busy = doppel_worker_next(memory->bytes, memory->size, 0, &given_back);
	if (lane->busy >= 0)
		doppel_worker_keep(memory->bytes, memory->size, (uint32_t)lane->busy);
}

static void strike(const struct attack *attack)
{
	struct lane *lane = &lanes[attack->lane];
	if (lane->handle == 0)
		return;
	const struct memory *memory = &memories[lane->handle - 1];
	const uint64_t slot = SLOT_HEADERS + (uint64_t)(attack->a % DOPPEL_MAX_SLOTS) * DOPPEL_SLOT_HEADER_BYTES;
	const uint32_t value = attack->b < 8 ? attack->b : attack->b * 0x01010101u;
	switch (attack->what % 13) {
	case 0: /* a slot's state */
		put(memory, slot, &value, 4);
		break;
	case 1: /* a verdict */
		put(memory, slot + 4, &value, 4);
		break;
	case 2: /* any word of a slot's header */
		put(memory, slot + attack->c % DOPPEL_SLOT_HEADER_BYTES / 4 * 4, &value, 4);
		break;
	case 3: /* doorbell, waiting, closed, slate, again, kept_id */
		put(memory, 256 + attack->c % 8 * 4, &value, 4);
		break;
	case 4: /* bytes anywhere */
		for (uint32_t i = 0; i <= attack->a; i++)
			put(memory, attack->at % memory->size + i * (1u + attack->c % 3), &attack->b, 1);
		break;
	case 5:
		memset(memory->bytes, attack->b, memory->size);
		break;
	case 6: /* the header */
		memset(memory->bytes, attack->b, memory->size < 4096 ? memory->size : 4096);
		break;
	case 7: /* every slot's state */
		for (uint32_t i = 0; i < DOPPEL_MAX_SLOTS; i++)
			put(memory, SLOT_HEADERS + i * DOPPEL_SLOT_HEADER_BYTES, &value, 4);
		break;
	case 8: /* every slot done with that verdict */
		for (uint32_t i = 0; i < DOPPEL_MAX_SLOTS; i++)
			put(memory, SLOT_HEADERS + i * DOPPEL_SLOT_HEADER_BYTES, (const uint32_t[2]){DOPPEL_DONE, value}, 8);
		break;
	case 9: /* what the gate has written once: where the pictures as RGB lie, or any other word */
		put(memory, attack->c % 2 != 0 ? attack->c / 2 % 40 * 4
					       : offsetof(struct doppel_segment_header, rgb_offset) + attack->c / 2 % 4 * 4,
		    &value, 4);
		break;
	case 10: /* every slot's picture as RGB is there, made or not */
		for (uint64_t i = 0; i < DOPPEL_MAX_SLOTS && memory->size >= DOPPEL_HEADER_BYTES; i++) {
			uint8_t *words = memory->bytes + SLOT_HEADERS + i * DOPPEL_SLOT_HEADER_BYTES;
			memcpy(words + offsetof(struct doppel_slot_header, rgb_id),
			       words + offsetof(struct doppel_slot_header, frame_id), 8);
		}
		break;
	default:
		work(lane, memory, attack->b % 7);
	}
}

static void strike_armed(void)
{
	if (attacking)
		return;
	attacking = true;
	for (uint32_t i = 0; i < armed_count;) {
		if (armed[i].after-- > 0) {
			i++;
			continue;
		}
		const struct attack attack = armed[i];
		armed[i] = armed[--armed_count];
		strike(&attack);
	}
	attacking = false;
}

static void arm(void)
{
	struct attack attack = read_attack();
	attack.after = below(40);
	if (armed_count < ARMED)
		armed[armed_count++] = attack;
}

/* Linked in place of platform.c's. */
_Atomic uint64_t fake_now_ns = UINT64_C(1000000000);

uint64_t doppel_clock_ns(void)
{
	strike_armed();
	return atomic_load(&fake_now_ns);
}

static void *write_for_ever(void *nothing)
{
	unsigned long long seed = 88172645463325252ull;
	(void)nothing;
	for (;;) {
		pthread_mutex_lock(&mapping);
		const struct memory *memory = lanes[0].handle != 0 ? &memories[lanes[0].handle - 1] : NULL;
		for (uint32_t i = 0; memory != NULL && i < 200; i++) {
			const uint64_t dice = next_random(&seed);
			const uint32_t value = (uint32_t)(dice >> 8) % 5;
			if (dice % 4 != 0)
				put(memory, SLOT_HEADERS + (dice >> 16) % DOPPEL_MAX_SLOTS * DOPPEL_SLOT_HEADER_BYTES + (dice >> 32) % 2 * 4,
				    &value, 4);
			else
				put(memory, (dice >> 16) % memory->size, &dice, 1 + (dice >> 40) % 8);
		}
		pthread_mutex_unlock(&mapping);
		doppel_yield();
	}
	return NULL;
}

/* ---- OBS, the user, the control plane ---------------------------------------------------------------------------- */

static struct fake_source source;
static struct doppel_geometry geometry;
static struct doppel_policy policy;
static uint64_t lane_serial;
static bool sync_type, media_started, slate_was_used, beside_a_thread;

static bool is_delay(uint32_t i)
{
	return source.filters[i]->kept != NULL;
}

static struct fake_filter *some_filter(void)
{
	for (uint32_t i = 0, start = byte(); i < source.filter_count; i++)
		if (!is_delay((start + i) % source.filter_count))
			return source.filters[(start + i) % source.filter_count];
	return NULL;
}

static void in_libobs(void)
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

static void choose_policy(void)
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

static void look(void)
{
	const enum fake_kind kind = sync_type ? fake_sync_draw(&source, NULL) : (fake_draw(&source), fake_look(&fake.scene, NULL));
	bool guarded = false;
	for (uint32_t i = 0; i < source.filter_count; i++)
		guarded = guarded || (source.filters[i]->enabled && !is_delay(i));
	CHECK(!guarded || policy.panic == 0 || slate_was_used || kind == FAKE_COVER || kind == FAKE_NOTHING);
}

static void count(void)
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
		CHECK_EQUAL(status.frames_in, status.swapped + status.blurred + status.no_face + status.original +
						      status.held + status.covered + status.dropped);
		CHECK(status.delay_frames <= DOPPEL_MAX_SLOTS + 1u);
	}
}

/* What is not to be had (no room, no such format) is left. */
static void attach_to(const struct fake_filter *filter, uint32_t slots, bool with_rgb)
{
	struct doppel_gate_status status;
	uint32_t free_handle = 0;
	CHECK_EQUAL(doppel_gate_get_status(fake_filter_id(filter), &status), 0);
	uint64_t bytes = with_rgb ? doppel_segment_bytes_with_rgb(&status.geometry, slots) : 0;
	if (bytes == 0)
		bytes = doppel_segment_bytes(&status.geometry, slots);
	while (free_handle < HANDLES && memories[free_handle].bytes != NULL)
		free_handle++;
	if (bytes == 0 || free_handle == HANDLES)
		return;
	struct memory *memory = &memories[free_handle];
	uint8_t *room = aligned_alloc(4096, bytes);
	CHECK(room != NULL);
	memset(room, 0, bytes);
	*memory = (struct memory){.bytes = room, .size = bytes, .users = 1};
	CHECK_EQUAL(doppel_gate_attach(fake_filter_id(filter), free_handle, bytes, slots, status.geometry_serial, ++lane_serial),
		    0);
	CHECK_EQUAL(doppel_worker_open(memory->bytes, bytes), 0);
	pthread_mutex_lock(&mapping);
	free_lane(&lanes[LANES - 1]);
	memmove(lanes + 1, lanes, (LANES - 1) * sizeof lanes[0]);
	lanes[0] = (struct lane){.handle = free_handle + 1, .busy = -1};
	pthread_mutex_unlock(&mapping);
}

static void attach(void)
{
	const struct fake_filter *filter = some_filter();
	struct doppel_gate_status status;
	if (filter == NULL)
		return;
	CHECK_EQUAL(doppel_gate_get_status(fake_filter_id(filter), &status), 0);
	if (status.lane_state == DOPPEL_LANE_ACTIVE && below(4) != 0)
		return;
	const uint32_t slots = 4 + below(9);
	attach_to(filter, slots, below(2) == 0);
}

static void media(void)
{
	if ((source.flags & OBS_FLAG_CONTROLLABLE_MEDIA) != 0)
		fake_media(&source, &geometry, (enum fake_media)below(FAKE_MEDIA_SEEK + 1), &media_started);
}

static void change_geometry(void)
{
	const uint32_t formats[] = {1, 2, 3, 4, 5, 7, 9, 10, 11, 12, 13, 15};
	const uint32_t format = formats[below(12)], width = 16 + 2 * below(12), height = 16 + 2 * below(12);
	if (sync_type)
		fake_still(&source, width, height);
	else
		geometry = fake_geometry(format, width, height, below(3) * 8);
}

static void add_filter(void)
{
	if (sync_type)
		fake_sync_filter_add(&source);
	else
		fake_filter_add(&source);
	apply();
	fake_tick(&source, sync_type ? NULL : &geometry, 0, 0); /* it listens from its first tick on */
}

static void filters(void)
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

static void tick(void)
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

static void work_on(void)
{
	if (lanes[0].handle != 0)
		work(&lanes[0], &memories[lanes[0].handle - 1], 1 + byte() % 5);
}

/* Judged pictures for more than a second, without a word of the script: then they go out as RGB. */
static void settle(void)
{
	struct doppel_gate_status status;
	fake_tick(&source, &geometry, 1, 33 * MS); /* the script's own may have brought no frame */
	attach_to(source.filters[0], 6, true);
	for (uint32_t i = 0; i < 22; i++) {
		atomic_fetch_add(&fake_now_ns, 66 * MS);
		fake_tick(&source, &geometry, 1, 33 * MS);
		look();
		for (uint32_t half = 0; half < 2; half++) /* takes it, judges it */
			work(&lanes[0], &memories[lanes[0].handle - 1], DOPPEL_VERDICT_SWAPPED);
	}
	CHECK_EQUAL(doppel_gate_get_status(fake_filter_id(source.filters[0]), &status), 0);
	CHECK(beside_a_thread || status.rgb_answers > 0);
}

static void strike_now(void)
{
	const struct attack attack = read_attack();
	strike(&attack);
}

static void detach(void)
{
	struct fake_filter *filter = some_filter();
	if (filter != NULL)
		CHECK_EQUAL(doppel_gate_detach(fake_filter_id(filter)), 0);
}

static void collect(void)
{
	struct fake_filter *filter = some_filter();
	if (filter != NULL)
		CHECK(doppel_gate_collect(fake_filter_id(filter)) >= 0);
}

static void enable(void)
{
	if (source.filter_count > 0)
		fake_filter_enable(source.filters[below(source.filter_count)], below(4) != 0);
}

static void show(void)
{
	source.show_wanted = below(4) != 0;
	source.active_wanted = source.show_wanted && below(3) != 0;
}

static void other_kinds(void)
{
	if (sync_type) {
		card.hdr = below(4) == 0;
		card.lost = below(4) == 0;
		card.pitch_padding = below(3) * 64;
	} else {
		source.deinterlace = below(2) == 0;
	}
}

/* What may come, and how often, of 256: frames flow most of the time, so that what lies behind them is reached. */
static const struct {
	uint8_t share;
	void (*act)(void);
} steps[] = {{100, tick},	{40, work_on}, {30, strike_now}, {26, arm},  {10, look},     {6, count},
	     {8, attach},	{3, detach},   {4, collect},	   {6, choose_policy}, {6, media},   {3, change_geometry},
	     {4, filters},	{4, enable},   {4, show},	   {2, other_kinds}};

static void step(void)
{
	uint32_t what = byte(), i = 0;
	while (i + 1 < sizeof steps / sizeof steps[0] && what >= steps[i].share)
		what -= steps[i++].share;
	steps[i].act();
}

int LLVMFuzzerInitialize(int *count_of, char ***arguments)
{
	(void)count_of, (void)arguments;
	fake_install();
	fake_graphics_install();
	fake.in_libobs = in_libobs;
	pthread_t thread;
	beside_a_thread = getenv("DOPPEL_FUZZ_THREAD") != NULL;
	if (beside_a_thread)
		CHECK_EQUAL(pthread_create(&thread, NULL, write_for_ever, NULL), 0);
	return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	script = data;
	script_end = data + size;
	const uint32_t kind = byte();
	sync_type = (kind & 1) != 0;
	fake.filters_tick_first = (kind & 2) != 0;
	fake_source_init(&source, (kind & 4) != 0 ? OBS_FLAG_CONTROLLABLE_MEDIA : 0);
	source.timestamp = 1000000 * MS;
	fake_now_ns = 1000 * MS;
	fake.raw_id = 0;
	memset(&card, 0, sizeof card);
	media_started = true;
	slate_was_used = false;
	policy = (struct doppel_policy){.hold_ns = 500 * MS, .delay_frames = 2};
	if (sync_type) {
		source.flags = OBS_FLAG_VIDEO;
		fake_still(&source, SIDE, SIDE);
	}
	geometry = fake_geometry(1, SIDE, SIDE, 0);
	add_filter();
	tick();
	if ((kind & 8) != 0 && !sync_type)
		settle();
	else
		attach();
	while (script < script_end)
		step();
	count();

	armed_count = 0;
	while (source.filter_count > 0)
		fake_filter_remove(source.filters[0]);
	pthread_mutex_lock(&mapping);
	for (uint32_t i = 0; i < LANES; i++)
		free_lane(&lanes[i]);
	pthread_mutex_unlock(&mapping);
	for (uint32_t i = 0; i < HANDLES; i++)
		CHECK(memories[i].bytes == NULL); /* the gate has unmapped everything */
	CHECK_EQUAL(card.objects, 0);
	CHECK_EQUAL(doppel_gate_list(NULL, 0), 0);
	return 0;
}
