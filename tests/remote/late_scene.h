/* A node of late_peer and an object of it, of which this process has no tables. */
#ifndef TESTS_REMOTE_LATE_SCENE_H
#define TESTS_REMOTE_LATE_SCENE_H

#include "tests/remote/fixture.h"

struct late_scene {
    struct peer_process peer;
    IUnknown *root;
    IUnknown *late;
};

/* `make` is the method of the root that gives the object. False: it is noted as a failure; the end
 * is due all the same. */
bool late_scene_begin(struct late_scene *scene, const char *make);
void late_scene_end(struct late_scene *scene);
VARIANT late_i4(LONG number);

#endif
