#ifndef DOPPEL_FAKE_CLOCK_H
#define DOPPEL_FAKE_CLOCK_H
#include <stdatomic.h>
#include <stdint.h>
extern _Atomic uint64_t fake_now_ns;
#endif
