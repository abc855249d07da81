#include "fuzz_worker.h"

#include "check.h"
#include "fake_clock.h"

#include <string.h>

#define ARMED 8u
#define SLOT_HEADERS 512u /* where they begin */

struct memory memories[HANDLES];
struct lane lanes[LANES];
pthread_mutex_t mapping = PTHREAD_MUTEX_INITIALIZER;
static const uint8_t *script, *script_end;
static struct attack {
	uint8_t what, lane, a, b, c;
	uint16_t at;
	uint32_t after; /* looks at the clock and calls of libobs */
} armed[ARMED];
static uint32_t armed_count;
static bool attacking;

/* ---- the script ------------------------------------------------------------------------------------------------- */

void begin_script(const uint8_t *data, size_t size)
{
	script = data;
	script_end = data + size;
}

bool script_goes_on(void)
{
	return script < script_end;
}

uint32_t byte(void)
{
	return script < script_end ? *script++ : 0;
}

uint32_t below(uint32_t n)
{
	return byte() % n;
}

static uint32_t word(void)
{
	const uint32_t low = byte();
	return low | byte() << 8;
}

/* ---- segments: what the gate maps is what the worker writes ------------------------------------------------------ */

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

void free_lane(struct lane *lane)
{
	if (lane->handle != 0)
		let_go(&memories[lane->handle - 1]);
	*lane = (struct lane){.busy = -1};
}

/* ---- the worker ------------------------------------------------------------------------------------------------- */

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

void work(struct lane *lane, const struct memory *memory, uint32_t verdict)
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

void strike_now(void)
{
	const struct attack attack = read_attack();
	strike(&attack);
}

void strike_armed(void)
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

void disarm(void)
{
	armed_count = 0;
}

void arm(void)
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

void *write_for_ever(void *nothing)
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
