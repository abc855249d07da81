/* One filter on one source of the small libobs, with a lane and a worker: what every scenario of the gate starts from. */
#ifndef DOPPEL_GATE_SCENE_H
#define DOPPEL_GATE_SCENE_H

#include "fake_obs.h"
#include "lane_rig.h"

#define MS UINT64_C(1000000)
#define STEP (33 * MS)

struct scene {
	struct fake_source source;
	struct fake_filter *filter;
	uint64_t id;
	struct rig_segment segment;
};

extern struct doppel_geometry i420;
extern struct fake_filter *watched[4]; /* whose locks are looked at in every call of libobs */
extern const struct doppel_policy normal;

void scene_install(void);
void begin(struct scene *scene, uint32_t flags);
void end(struct scene *scene);
struct doppel_gate_status status_of(const struct scene *scene);
/* One tick and what the viewer sees. */
enum fake_kind tick(struct scene *scene, uint32_t frames, uint64_t *shown);
void judge_all(struct scene *scene, uint32_t verdict);
void set_policy(const struct scene *scene, struct doppel_policy policy);
/* A scene whose lane runs, with judged frames coming out. */
void running(struct scene *scene, uint32_t flags);

#endif
