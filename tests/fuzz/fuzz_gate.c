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
#include "fuzz_obs.h"
#include "fuzz_worker.h"

#include <string.h>

#define SIDE 24u /* small pictures: more scripts a second */

int LLVMFuzzerInitialize(int *count, char ***arguments);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static uint64_t lane_serial;
static bool beside_a_thread;

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
	begin_script(data, size);
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
	while (script_goes_on())
		step();
	count();

	disarm();
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
