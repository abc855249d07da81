/* A small libobs with the fault that mended_obs.c mends: three scenes, to which the canvas has the only references.
 * What another thread may do in OBS happens here at once: a scene that nobody holds knows no next one any more. */
#include <stdbool.h>
#include <stddef.h>

struct scene {
    int references;
    struct scene *next;
};

static struct scene scenes[3] = {{1, &scenes[1]}, {1, &scenes[2]}, {1, NULL}};

void *obs_source_get_ref(struct scene *scene)
{
    if (scene->references == 0)
        return NULL;
    scene->references++;
    return scene;
}

void obs_source_release(struct scene *scene)
{
    if (--scene->references == 0)
        scene->next = NULL;
}

void obs_canvas_enum_scenes(void *canvas, bool (*visit)(void *param, void *scene), void *param)
{
    (void)canvas;
    for (struct scene *scene = &scenes[0]; scene != NULL; scene = scene->next) {
        obs_source_get_ref(scene);
        const bool more = visit(param, scene);
        obs_source_release(scene);
        if (!more)
            return;
    }
}
