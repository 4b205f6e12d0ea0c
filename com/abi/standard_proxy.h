/* Objects that are proxies of COM's standard marshaler: behind them is another apartment or process
 * of COM's. */
#ifndef COM_ABI_STANDARD_PROXY_H
#define COM_ABI_STANDARD_PROXY_H

#include <stdbool.h>
#include <viaduct/com.h>

/* Asks the object. Never so where there is no COM. */
bool standard_proxy_is(IUnknown *object);
/* Whether a call of one has failed since the process that it leads to is not there (any more). */
bool standard_proxy_is_gone(HRESULT hr);

#endif
