/* The events of an object, printed as they come: `viaduct watch`, and --watch of calls. */
#ifndef CLI_WATCH_H
#define CLI_WATCH_H

#include <viaduct/com.h>

struct watching {
    const char *filter;         /* the one source interface's name; NULL: all */
    unsigned count;             /* it ends after so many events; 0: any number */
    unsigned timeout_ms;        /* 0: none */
    int (*act)(void *argument); /* what is done once the sinks are there: -1, or an exit code with
                                 * which the watching ends; NULL: nothing */
    void *argument;
};

/* To be called before the runtime starts threads. -1, or the exit code. */
int watch_prepare(void);
/* Until one of the ends that `how` says, a signal, or the object's. Once in a process. -1, or the
 * exit code. */
int watch_events(IUnknown *object, const struct watching *how);

#endif
