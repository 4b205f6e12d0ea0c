/* What listens to a board: a sink, which prints what is posted. */
#ifndef EXAMPLES_CLIENT_LISTENER_H
#define EXAMPLES_CLIENT_LISTENER_H

#include "board.h"

/* With one reference. NULL without memory. */
IBoardEvents *listener_new(void);
/* How many posts it has been told of. */
ULONG listener_count(IBoardEvents *listener);

#endif
