/* Objects by name (<viaduct/implement.h>), of interfaces that are at hand. */
#ifndef COM_REMOTE_IMPLEMENT_H
#define COM_REMOTE_IMPLEMENT_H

#include <viaduct/implement.h>

struct marshal_interface;

/* As via_implement(); a failure is the thread's error record. */
HRESULT implement_interface(const struct marshal_interface *itf, via_method_handler handler,
                            void *context, void (*released)(void *context), void **object);

#endif
