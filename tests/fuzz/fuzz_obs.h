/* What OBS and the user do in a script: one source, its filters, settings, ticks and draws. */
#ifndef DOPPEL_FUZZ_OBS_H
#define DOPPEL_FUZZ_OBS_H

#include "fake_graphics.h"

#define MS UINT64_C(1000000)

extern struct fake_source source;
extern struct doppel_geometry geometry;
extern struct doppel_policy policy;
extern bool sync_type, media_started, slate_was_used;

struct fake_filter *some_filter(void); /* one of ours; NULL: there is none */
void in_libobs(void);		       /* called inside every function of libobs */
/* Draws the source; under a panic nothing but a cover may be seen. */
void look(void);
/* Counters add up, and samples make sense. */
void count(void);
void tick(void);
void choose_policy(void);
void media(void);
void change_geometry(void);
void add_filter(void);
void filters(void);
void enable(void);
void show(void);
void other_kinds(void);

#endif
