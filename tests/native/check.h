/* A check that names what failed; it stays on whatever NDEBUG says. */
#ifndef DOPPEL_TEST_CHECK_H
#define DOPPEL_TEST_CHECK_H

#include <stdio.h>
#include <stdlib.h>

#define CHECK(condition) check_at((condition), #condition, __FILE__, __LINE__)
#define CHECK_EQUAL(actual, expected)                                                                                  \
	check_equal_at((long long)(actual), (long long)(expected), #actual " == " #expected, __FILE__, __LINE__)

static inline void check_at(int holds, const char *text, const char *file, int line)
{
	if (holds)
		return;
	fprintf(stderr, "%s:%d: does not hold: %s\n", file, line, text);
	abort();
}

static inline void check_equal_at(long long actual, long long expected, const char *text, const char *file, int line)
{
	if (actual == expected)
		return;
	fprintf(stderr, "%s:%d: does not hold: %s (%lld, %lld)\n", file, line, text, actual, expected);
	abort();
}

/* xorshift64*: the same sequence everywhere. */
static inline unsigned long long next_random(unsigned long long *state)
{
	*state ^= *state >> 12;
	*state ^= *state << 25;
	*state ^= *state >> 27;
	return *state * 0x2545F4914F6CDD1DULL;
}

#endif
