/* A helper process whose transfer object the tests call, over the transport that they choose. */
#ifndef TESTS_TRANSFER_FIXTURE_H
#define TESTS_TRANSFER_FIXTURE_H

#include <viaduct/handle.h>

#include "tests/remote/fixture.h"
#include "tests/transfer/transfer_object.h"

struct transfer_peer {
    struct peer_process peer;
    ITransfer *root; /* NULL when it could not be started */
};

bool transfer_begin(void);
void transfer_end(void);
/* By the scheme of VIADUCT_TEST_SCHEME, or else the one that carries handles here. */
bool transfer_start(struct transfer_peer *peer);
bool transfer_start_by(struct transfer_peer *peer, const char *scheme);
/* One that lets nobody take handles out of it. */
bool transfer_start_locked(struct transfer_peer *peer);
/* The scheme of transfer_start(). */
const char *transfer_scheme(void);
void transfer_stop(struct transfer_peer *peer);
/* A helper process and two handles for a test to fill, which are closed in the end. To be ended
 * also where it could not begin. */
struct transfer_setup {
    struct transfer_peer peer;
    ITransfer *root; /* the helper's, borrowed */
    VIA_HANDLE first;
    VIA_HANDLE second;
};
bool transfer_setup_begin(struct transfer_setup *self);
void transfer_setup_end(struct transfer_setup *self);

/* What is read at a handle. */
bool transfer_holds(VIA_HANDLE handle, const char *expected);
/* The object writes there. */
HRESULT transfer_write(ITransfer *object, VIA_HANDLE file, const char *ascii);
/* Whether only files and memory cross here: to or from a Windows program, as Linux descriptors. */
bool transfer_is_border(void);
/* Whether the helper process is a Windows program; this one may be another. */
bool transfer_peer_is_windows(const struct transfer_peer *peer);

#endif
