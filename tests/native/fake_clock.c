/* The clock that the tests turn: linked in place of platform.c's. */
#include "fake_clock.h"

#include "platform.h"

_Atomic uint64_t fake_now_ns = UINT64_C(1000000000);

uint64_t doppel_clock_ns(void)
{
	return atomic_load(&fake_now_ns);
}
