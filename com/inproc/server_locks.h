/*
 * IClassFactory::LockServer of the local server's class objects, by client process.
 *
 * COM does not tell a server under Wine that a client has been killed, so that a lock counts only
 * as long as the process that has it lives.
 */
#ifndef COM_INPROC_SERVER_LOCKS_H
#define COM_INPROC_SERVER_LOCKS_H

#include <stdbool.h>
#include <viaduct/com.h>

/* Within a call of COM's, whose caller it is about. E_OUTOFMEMORY: too many processes have locks.
 */
HRESULT locks_change(bool is_taken);
/* Whether a living process has one. Forgets the others. */
bool locks_are_held(void);

#endif
