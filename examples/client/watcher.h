/* The client's own objects, which components call back. */
#ifndef CLIENT_WATCHER_H
#define CLIENT_WATCHER_H

#include "calculator.h"
#include "sysinfo.h"

/* Each prints what it is told; NULL without memory. */
ISysInfoWatcher *watcher_new(void);
ICalculatorProgress *watcher_new_progress(void);

#endif
