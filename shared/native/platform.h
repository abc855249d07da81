/* What differs between the systems: clock, waiting on a word of shared memory, giving way, mapping a segment. */
#ifndef DOPPEL_PLATFORM_H
#define DOPPEL_PLATFORM_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

uint64_t doppel_clock_ns(void);

/* Waits until *word is no longer `seen`, somebody wakes it, or timeout_ns have passed; may return early. Works
 * between processes. Where there is no futex it sleeps at most 0.5 ms. */
void doppel_wait_word(_Atomic uint32_t *word, uint32_t seen, uint64_t timeout_ns);
void doppel_wake_word(_Atomic uint32_t *word);

/* Gives way to another thread of this core. */
void doppel_yield(void);

/* A lock for a few hundred nanoseconds or, at worst, one frame's copy: it spins, then yields. No memory, no
 * initialisation beyond zero, no system call unless somebody else is inside. */
struct doppel_lock {
	_Atomic uint32_t taken;
};
void doppel_lock(struct doppel_lock *lock);
void doppel_unlock(struct doppel_lock *lock);

/* Maps a segment for reading and writing and touches every page, so that the frame path never faults. NULL: the
 * system refuses, the object is smaller than `bytes`, or it may still shrink under us. */
void *doppel_map(int64_t handle, uint64_t bytes);
void doppel_unmap(void *base, uint64_t bytes);

#endif
