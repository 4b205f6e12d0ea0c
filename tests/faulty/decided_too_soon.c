/* Fault: a connection is reported as decided, and is not. */
#include "tests/faulty/base.h"

static HRESULT is_connected(struct via_stream *stream)
{
    return ++faulty_record(stream)->count > 3 ? S_OK : S_FALSE;
}

FAULTY_PLUGIN(plugin_lifetime_init, .is_connected = is_connected)
