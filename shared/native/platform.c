#if defined(__linux__) && !defined(_GNU_SOURCE)
#define _GNU_SOURCE
#endif
#include "platform.h"

#include <stddef.h>

#if defined(_WIN32)
#define WIN32_LEAN_AND_MEAN
#include <windows.h>
#else
#include <fcntl.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#if defined(__linux__)
#include <linux/futex.h>
#include <sys/syscall.h>
#include <unistd.h>
#endif
#endif

#define NS_PER_S UINT64_C(1000000000)

/* ---- clock -------------------------------------------------------------------------------------------------- */

uint64_t doppel_clock_ns(void)
{
#if defined(_WIN32)
	LARGE_INTEGER count, frequency;
	QueryPerformanceCounter(&count);
	QueryPerformanceFrequency(&frequency);
	const uint64_t ticks = (uint64_t)count.QuadPart, per_s = (uint64_t)frequency.QuadPart;
	return ticks / per_s * NS_PER_S + ticks % per_s * NS_PER_S / per_s;
#elif defined(__APPLE__)
	return clock_gettime_nsec_np(CLOCK_UPTIME_RAW);
#else
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * NS_PER_S + (uint64_t)now.tv_nsec;
#endif
}

/* ---- waiting ------------------------------------------------------------------------------------------------ */

#if defined(__linux__)

void doppel_wait_word(_Atomic uint32_t *word, uint32_t seen, uint64_t timeout_ns)
{
	const struct timespec timeout = {.tv_sec = (time_t)(timeout_ns / NS_PER_S),
					 .tv_nsec = (long)(timeout_ns % NS_PER_S)};
	/* Not FUTEX_PRIVATE: the word lies in memory that two processes share. */
	syscall(SYS_futex, word, FUTEX_WAIT, seen, &timeout, NULL, 0);
}

void doppel_wake_word(_Atomic uint32_t *word)
{
	syscall(SYS_futex, word, FUTEX_WAKE, 1, NULL, NULL, 0);
}

#else

#define NAP_NS UINT64_C(500000)

void doppel_wait_word(_Atomic uint32_t *word, uint32_t seen, uint64_t timeout_ns)
{
	if (atomic_load_explicit(word, memory_order_acquire) != seen)
		return;
	const uint64_t nap = timeout_ns < NAP_NS ? timeout_ns : NAP_NS;
#if defined(_WIN32)
	/* Sleep(1) may take 16 ms, so a timer of high resolution (Windows 10 1803), else give way. */
	HANDLE timer = CreateWaitableTimerExW(NULL, NULL, 0x00000002 /* CREATE_WAITABLE_TIMER_HIGH_RESOLUTION */,
					      TIMER_ALL_ACCESS);
	if (timer == NULL) {
		Sleep(nap >= NAP_NS ? 1 : 0);
		return;
	}
	LARGE_INTEGER due;
	due.QuadPart = -(LONGLONG)(nap / 100 + 1);
	if (SetWaitableTimer(timer, &due, 0, NULL, NULL, FALSE))
		WaitForSingleObject(timer, 20);
	CloseHandle(timer);
#else
	const struct timespec sleep_for = {.tv_sec = 0, .tv_nsec = (long)nap};
	nanosleep(&sleep_for, NULL);
#endif
}

void doppel_wake_word(_Atomic uint32_t *word)
{
	(void)word; /* the other side looks by itself within 0.5 ms */
}

#endif

void doppel_yield(void)
{
#if defined(_WIN32)
	SwitchToThread();
#else
	sched_yield();
#endif
}

void doppel_lock(struct doppel_lock *lock)
{
	for (unsigned tries = 0; atomic_exchange_explicit(&lock->taken, 1, memory_order_acquire) != 0; tries++)
		while (atomic_load_explicit(&lock->taken, memory_order_relaxed) != 0)
			if (++tries > 64)
				doppel_yield();
}

void doppel_unlock(struct doppel_lock *lock)
{
	atomic_store_explicit(&lock->taken, 0, memory_order_release);
}

/* ---- mapping ------------------------------------------------------------------------------------------------ */

#if defined(_WIN32)

void *doppel_map(int64_t handle, uint64_t bytes)
{
	uint8_t *base = MapViewOfFile((HANDLE)(intptr_t)handle, FILE_MAP_READ | FILE_MAP_WRITE, 0, 0, (SIZE_T)bytes);
	if (base != NULL)
		for (uint64_t at = 0; at < bytes; at += 4096)
			(void)*(volatile uint8_t *)(base + at);
	return base;
}

void doppel_unmap(void *base, uint64_t bytes)
{
	(void)bytes;
	UnmapViewOfFile(base);
}

#else

#if defined(__linux__)
enum { GET_SEALS = 1034, SEAL_SEAL = 1, SEAL_SHRINK = 2 }; /* linux/fcntl.h */
#endif

void *doppel_map(int64_t handle, uint64_t bytes)
{
	struct stat status;
	if (handle < 0 || handle > INT32_MAX || fstat((int)handle, &status) != 0 || status.st_size < 0 ||
	    (uint64_t)status.st_size < bytes)
		return NULL;
	int flags = MAP_SHARED;
#if defined(__linux__)
	/* A peer that shrinks the file would kill us by SIGBUS. A memfd can forbid that, so it must. */
	const int seals = fcntl((int)handle, GET_SEALS);
	if (seals >= 0 && (seals & SEAL_SEAL) == 0 && (seals & SEAL_SHRINK) == 0)
		return NULL;
	flags |= MAP_POPULATE;
#endif
	uint8_t *base = mmap(NULL, (size_t)bytes, PROT_READ | PROT_WRITE, flags, (int)handle, 0);
	if (base == MAP_FAILED)
		return NULL;
	for (uint64_t at = 0; at < bytes; at += 4096)
		(void)*(volatile uint8_t *)(base + at);
	return base;
}

void doppel_unmap(void *base, uint64_t bytes)
{
	munmap(base, (size_t)bytes);
}

#endif
