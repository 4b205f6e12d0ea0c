/*
 * A host for the plugin `shm` that does nothing by itself: watches never fire and posts run when
 * they are asked for. For the fuzz target, which has one thread.
 */
#ifndef TESTS_FUZZ_SHM_HOST_H
#define TESTS_FUZZ_SHM_HOST_H

#include <viaduct/plugin/plugin.h>

extern const struct via_plugin_host shm_host;

/* Runs what has been posted. */
void shm_host_run_posts(void);

#endif
