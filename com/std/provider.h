/* Objects that create a component's classes; the public form is in <viaduct/server.h>. */
#ifndef COM_STD_PROVIDER_H
#define COM_STD_PROVIDER_H

#include <stdbool.h>
#include <viaduct/host.h>
#include <viaduct/server.h>

/* What the process around it does. */
struct provider_events {
    /* Around everything that is asked of the component, so that the process does not decide
     * meanwhile that nobody needs it. `begin` false: it has decided, and `end` is not called. */
    bool (*begin)(void);
    void (*end)(void);
    /* Objects of the component that others hold. */
    uint32_t (*count_objects)(void);
    /* Ends the process soon; returns at once. */
    void (*shut_down)(const char *why);
};

/* `events` NULL: the component runs in a process that is not its own. Both are borrowed for ever.
 * If the component wants an apartment it is the caller's to have the provider called there. */
HRESULT provider_new(const struct via_component *component, const struct provider_events *events,
                     IViaductSurrogate **provider);

/* Whether one of its classes does. */
bool component_wants_apartment(const struct via_component *component);

#endif
