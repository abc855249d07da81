/* The gate's locks, counted: linked in place of platform.c's, which do the work. */
#include "fake_internal.h"

#include "check.h"

_Thread_local uint32_t fake_locks_held;

void doppel_system_lock(struct doppel_lock *lock);
void doppel_system_unlock(struct doppel_lock *lock);

void doppel_lock(struct doppel_lock *lock)
{
	doppel_system_lock(lock);
	fake_locks_held++;
}

void doppel_unlock(struct doppel_lock *lock)
{
	CHECK(fake_locks_held > 0);
	fake_locks_held--;
	doppel_system_unlock(lock);
}
