/* A scene whose lane has pictures as RGB: what every scenario of gate_rgb.c starts from. */
#ifndef DOPPEL_RGB_SCENE_H
#define DOPPEL_RGB_SCENE_H

#include "gate_scene.h"

#define BGRX 8u

/* What the source's newest frame became. */
uint32_t format_shown(const struct scene *scene);
struct doppel_filter *filter_of(const struct scene *scene);
/* For more than a second nothing but judged pictures. */
void settle(struct scene *scene);
/* As running(), until judged pictures go out as RGB. */
void running_with_rgb(struct scene *scene);
void next_is_judged(struct scene *scene, uint32_t format);

#endif
