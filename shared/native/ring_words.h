/* Where the ring's words lie in a segment, and how to touch them. For ring.c and ring_worker.c only. */
#ifndef DOPPEL_RING_WORDS_H
#define DOPPEL_RING_WORDS_H

#include "ring.h"

#define DOPPEL_PAGE 4096u

/* Loads and stores of words that the other process may write at the same moment. */
#define PEEK(field) __atomic_load_n(&(field), __ATOMIC_RELAXED)
#define POKE(field, value) __atomic_store_n(&(field), (value), __ATOMIC_RELAXED)

static inline struct doppel_segment_header *header_of(void *base)
{
	return base;
}

static inline struct doppel_slot_header *slot_of(void *base, uint32_t slot)
{
	return (struct doppel_slot_header *)(void *)((uint8_t *)base + DOPPEL_SLOT0_OFFSET +
						     (size_t)slot * DOPPEL_SLOT_HEADER_BYTES);
}

#endif
