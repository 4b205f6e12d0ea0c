/* What proxies have for COM's sake beside the interfaces of their objects. */
#ifndef COM_INPROC_SIDES_H
#define COM_INPROC_SIDES_H

#include <stdint.h>

struct via_proxy_side;
const struct via_proxy_side *sides_all(uint32_t *n);

#endif
