/* A helper process whose transfer object the tests call, over the transport that they choose. */
#ifndef TESTS_TRANSFER_FIXTURE_H
#define TESTS_TRANSFER_FIXTURE_H

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
/* The scheme of transfer_start(). */
const char *transfer_scheme(void);
void transfer_stop(struct transfer_peer *peer);
/* Whether the helper process is a Windows program; this one may be another. */
bool transfer_peer_is_windows(const struct transfer_peer *peer);

#endif
