/*
 * The class that COM makes in a process that a proxy is passed to: it reads the packet that the
 * runtime wrote in the other one, and has a proxy of its own of the object; or an order of the
 * local server's, and makes the object (order.h). What it reads is whatever somebody has put into a
 * stream.
 */
#ifndef COM_INPROC_UNMARSHAL_H
#define COM_INPROC_UNMARSHAL_H

#include <stdbool.h>
#include <viaduct/com.h>

extern const CLSID unmarshal_clsid;
/* The class object. */
HRESULT unmarshal_get(REFIID iid, void **object);
/* Whether other processes will find the class. */
bool unmarshal_is_registered(void);

#endif
