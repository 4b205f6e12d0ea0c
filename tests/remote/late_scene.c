#include "tests/remote/late_scene.h"
#include "tests/harness/harness.h"

#include <string.h>
#include <viaduct/late.h>

bool late_scene_begin(struct late_scene *scene, const char *make)
{
    memset(scene, 0, sizeof *scene);
    return fixture_begin() && peer_launch_program(&scene->peer, "late_peer", "late") &&
           peer_connect(&scene->peer, &IID_IUnknown, (void **)&scene->root) &&
           CHECK_OK(via_invoke(scene->root, make, &scene->late));
}

void late_scene_end(struct late_scene *scene)
{
    if (scene->late != NULL)
        IUnknown_Release(scene->late);
    if (scene->root != NULL)
        IUnknown_Release(scene->root);
    peer_end(&scene->peer);
    fixture_end();
}

VARIANT late_i4(LONG number)
{
    VARIANT variant;
    VariantInit(&variant);
    V_VT(&variant) = VT_I4;
    V_I4(&variant) = number;
    return variant;
}
