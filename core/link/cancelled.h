/* What other threads may ask of a call that one runs. */
#ifndef CORE_LINK_CANCELLED_H
#define CORE_LINK_CANCELLED_H

#include <stdbool.h>

#include "core/link/link.h"

/* link_current_is_cancelled() of a call that any thread runs, while it does. */
bool link_is_cancelled(const struct link_current *current);

#endif
