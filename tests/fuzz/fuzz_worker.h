/* The script that libFuzzer makes, and the worker gone mad that it plays: its segments, and what it does to them. */
#ifndef DOPPEL_FUZZ_WORKER_H
#define DOPPEL_FUZZ_WORKER_H

#include "gate_internal.h"

#include <pthread.h>

#define LANES 3u
#define HANDLES 32u

void begin_script(const uint8_t *data, size_t size);
bool script_goes_on(void);
/* The script's next numbers; 0 where it is over. */
uint32_t byte(void);
uint32_t below(uint32_t n);

/* Heap memory, so that the address sanitizer sees a byte that is touched beside it, or after the unmapping. */
struct memory {
	uint8_t *bytes;
	uint64_t size;
	uint32_t users; /* the worker and the gate */
};
extern struct memory memories[HANDLES];

struct lane {
	uint32_t handle; /* + 1; 0: none */
	int32_t busy;
};
extern struct lane lanes[LANES]; /* [0] is the newest */
extern pthread_mutex_t mapping;	 /* of lanes[0] and its memory, for the thread */

void free_lane(struct lane *lane);
/* An honest step, so that the states behind it are reached. */
void work(struct lane *lane, const struct memory *memory, uint32_t verdict);
/* What the script says is done to a segment: now, or in the middle of a later step. */
void strike_now(void);
void arm(void);
void strike_armed(void); /* called whenever the gate looks at the clock or calls libobs */
void disarm(void);
/* A thread that does nothing else to the newest segment. */
void *write_for_ever(void *nothing);

#endif
