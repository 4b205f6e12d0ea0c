/* An object of the shelf's that has nothing but an IDispatch, of its own. */
#ifndef TESTS_COM_INWARD_SHELF_OWN_H
#define TESTS_COM_INWARD_SHELF_OWN_H

#include <viaduct/dispatch.h>

HRESULT shelf_own(IDispatch **object);

#endif
