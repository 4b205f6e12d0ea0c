/* Fault: the end of one direction ends the other one too. */
#include "tests/faulty/base.h"

static HRESULT finish(struct via_stream *stream)
{
    stream_shutdown(stream);
    return S_OK;
}

FAULTY_PLUGIN(plugin_lifetime_init, .finish = finish)
