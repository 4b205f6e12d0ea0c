/*
 * Orders: what the local server's class objects hand out in place of objects.
 *
 * An order has no interface but IMarshal. COM marshals it into the process of the client who asked,
 * as the CLSID of the class and nothing else; there the class of ids.h, viaduct-inproc.dll's own,
 * makes the object (unmarshal.h). So the client's proxy is connected to the object's owner without
 * the server between, errors are made on the client's thread, and the server holds nothing for a
 * client: one that is killed leaves nothing behind.
 */
#ifndef COM_INPROC_ORDER_H
#define COM_INPROC_ORDER_H

#include <stdint.h>
#include <viaduct/com.h>

/* "ORDR": tells orders from packets of proxies, which begin otherwise. */
#define ORDER_CREATE 0x5244524fu

/* In the stream, of the same computer always. */
struct order_packet {
    uint32_t kind; /* ORDER_CREATE */
    CLSID clsid;
};

/* `asked`: the interface that the client wants, which the pointer passes for until it is
 * marshalled. */
HRESULT order_new(const CLSID *clsid, REFIID asked, void **object);

#endif
