/*
 * Traffic: threads that make objects in one process, pass them to another, call them from there and
 * here, and let go of them, each call of which is accounted for.
 */
#ifndef TESTS_SOAK_TRAFFIC_H
#define TESTS_SOAK_TRAFFIC_H

#include "soak.h"

#define TRAFFIC_MAX_THREADS 8u

/* `factor`: how much slower than usual this build is. */
void traffic_init(unsigned factor);
void traffic_set_servers(const char *first, const char *second);
void traffic_start(unsigned n_threads);
void traffic_stop(void);
void traffic_account(struct SoakAccount *account);

#endif
