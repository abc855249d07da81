/* One sync filter on one source of the small libobs: what every scenario of gate_sync.c starts from. */
#ifndef DOPPEL_SYNC_SCENE_H
#define DOPPEL_SYNC_SCENE_H

#include "fake_graphics.h"
#include "gate_scene.h"

#define SIDE 64u
#define READBACK 1 /* ticks from a picture to its frame */

void sync_install(void);
void sync_begin(struct scene *scene);
void sync_end(struct scene *scene);
/* One tick in which the source is drawn; what reaches the scene. */
enum fake_kind fake_sync_tick(struct fake_source *source, uint64_t *shown);
/* A tick with a new picture, or with the one before. */
enum fake_kind next(struct scene *scene, uint64_t *shown);
enum fake_kind same(struct scene *scene, uint64_t *shown);
/* A worker that judges at once, for some ticks of new pictures; until judged pictures come out. */
void sync_running(struct scene *scene);
/* sync_running(), and then the same picture until nothing of it is on its way any more. */
void still_running(struct scene *scene);

#endif
