/* Loaded into OBS before everything else, from 31.1 on: obs_canvas_enum_scenes without its fault.
 *
 * libobs lets go of a scene, and then reads in that scene which one comes next. When OBS ends or changes its scene
 * collection the visitor removes the scenes, so the last reference may go there, and another thread frees what is
 * read. Scenes are left out then, and live until libobs frees its canvas. Here all scenes are held until all have been
 * visited.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>

typedef bool (*visitor)(void *param, void *scene);

struct scenes {
    void *(*get_ref)(void *scene);
    void **held;
    size_t count, room;
};

static bool hold(void *param, void *scene)
{
    struct scenes *scenes = param;
    if (scenes->count == scenes->room) {
        scenes->room = 2 * scenes->room + 16;
        scenes->held = realloc(scenes->held, scenes->room * sizeof *scenes->held);
        if (scenes->held == NULL)
            abort();
    }
    if (scenes->get_ref(scene) != NULL)
        scenes->held[scenes->count++] = scene;
    return true;
}

void obs_canvas_enum_scenes(void *canvas, visitor visit, void *param)
{
    void (*visit_scenes)(void *, visitor, void *) = dlsym(RTLD_NEXT, "obs_canvas_enum_scenes");
    void (*release)(void *) = dlsym(RTLD_DEFAULT, "obs_source_release");
    struct scenes scenes = {.get_ref = dlsym(RTLD_DEFAULT, "obs_source_get_ref")};
    visit_scenes(canvas, hold, &scenes);
    for (size_t i = 0; i < scenes.count && visit(param, scenes.held[i]); i++)
        ;
    for (size_t i = 0; i < scenes.count; i++)
        release(scenes.held[i]);
    free(scenes.held);
}
