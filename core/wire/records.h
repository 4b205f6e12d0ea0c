/* Error records on the wire: what the payload of an error frame holds. */
#ifndef CORE_WIRE_RECORDS_H
#define CORE_WIRE_RECORDS_H

#include "core/util/buffer.h"
#include "core/util/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define WIRE_MAX_RECORDS 16u
/* Texts longer than this are cut, on either side. */
#define WIRE_MAX_RECORD_TEXT 1024u

/* Appends the record and its causes, outermost first; NULL appends nothing. `with_help`: the peer
 * has said WIRE_FEATURE_HELP. */
void wire_records_write(struct buffer *buffer, const struct error_record *record, bool with_help);
/* Makes records of a peer's bytes; text that is not UTF-8 arrives with question marks. NULL for
 * none; what is malformed ends the list, since an error must arrive in any case. */
struct error_record *wire_records_read(const uint8_t *bytes, size_t size);

#endif
