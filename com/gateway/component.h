/*
 * A COM class of Windows as a component: its class object is COM's, and what its objects are is
 * found out from the type information that they have.
 */
#ifndef COM_GATEWAY_COMPONENT_H
#define COM_GATEWAY_COMPONENT_H

#include <viaduct/component.h>

/* `text`: "{CLSID}". Looks the class up in Windows' registry. REGDB_E_CLASSNOTREG, or
 * CO_E_CLASSSTRING. The component lives as long as the process. */
HRESULT component_of_class(const char *text, const struct via_component **component);

/* For via_set_describer(). */
void component_describe(IUnknown *object);

#endif
