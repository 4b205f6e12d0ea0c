/* Late-bound calls of the client in C, as compiled clients make them and scripts cannot. */
#ifndef TESTS_COM_INWARD_NAMED_H
#define TESTS_COM_INWARD_NAMED_H

#include "shelf.h"

void use_names(IShelf *shelf);
/* A callback of this client fails, and fills in why when it is asked. */
void fail_late(IShelf *shelf);

#endif
