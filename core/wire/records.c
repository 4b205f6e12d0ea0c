#include "core/wire/records.h"

#include "core/wire/scalar.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define RECORD_HEADER 16u
/* Of the help, behind the text and in front of the file's name: the context and the IID. */
#define HELP_HEADER 20u

static size_t text_size(const char *text)
{
    size_t size = text != NULL ? strlen(text) : 0;
    return size < WIRE_MAX_RECORD_TEXT ? size : WIRE_MAX_RECORD_TEXT;
}

static size_t help_size(const struct error_help *help)
{
    return help != NULL ? HELP_HEADER + text_size(help->file) : 0;
}

static void write_help(struct buffer *buffer, const struct error_help *help)
{
    uint8_t *header = buffer_extend(buffer, HELP_HEADER);
    if (header == NULL)
        return;
    wire_store32(header, help->context);
    memcpy(header + 4, &help->iid, sizeof help->iid);
    if (help->file != NULL)
        buffer_append(buffer, help->file, text_size(help->file));
}

void wire_records_write(struct buffer *buffer, const struct error_record *record, bool with_help)
{
    for (unsigned i = 0; record != NULL && i < WIRE_MAX_RECORDS; i++, record = record->cause) {
        size_t source = text_size(record->source);
        size_t text = text_size(record->text);
        size_t help = with_help ? help_size(record->help) : 0;
        uint8_t *header = buffer_extend(buffer, RECORD_HEADER);
        if (header == NULL)
            return;
        wire_store32(header, (uint32_t)record->code);
        wire_store32(header + 4, (uint32_t)source);
        wire_store32(header + 8, (uint32_t)text);
        wire_store32(header + 12, (uint32_t)help);
        if (source != 0)
            buffer_append(buffer, record->source, source);
        if (text != 0)
            buffer_append(buffer, record->text, text);
        if (help != 0)
            write_help(buffer, record->help);
        buffer_align(buffer, 8);
    }
}

/* A text for display: control characters and bytes above ASCII that form no UTF-8 become '?'. */
static char *copy_text(const uint8_t *bytes, size_t size)
{
    size_t n = size < WIRE_MAX_RECORD_TEXT ? size : WIRE_MAX_RECORD_TEXT;
    char *text = malloc(n + 1);
    if (text == NULL)
        return NULL;
    memcpy(text, bytes, n);
    text[n] = '\0';
    for (size_t i = 0; i < n;) {
        uint8_t c = (uint8_t)text[i];
        size_t length = c < 0x80                ? 1
                        : c >= 0xC2 && c < 0xE0 ? 2
                        : c >= 0xE0 && c < 0xF0 ? 3
                        : c >= 0xF0 && c < 0xF5 ? 4
                                                : 0;
        bool good = length != 0 && length <= n - i && (c >= 0x20 || c == '\t') && c != 0x7F;
        for (size_t k = 1; good && k < length; k++)
            good = ((uint8_t)text[i + k] & 0xC0) == 0x80;
        if (!good) {
            text[i] = '?';
            length = 1;
        }
        i += length;
    }
    return text;
}

/* NULL: there is none, it is cut off, or memory is short; the error arrives without it. */
static struct error_help *read_help(const uint8_t *bytes, size_t size)
{
    struct error_help *help = size >= HELP_HEADER ? calloc(1, sizeof *help) : NULL;
    if (help == NULL)
        return NULL;
    help->context = wire_load32(bytes);
    memcpy(&help->iid, bytes + 4, sizeof help->iid);
    if (size > HELP_HEADER)
        help->file = copy_text(bytes + HELP_HEADER, size - HELP_HEADER);
    return help;
}

/* One record from the front of the bytes; NULL when it is malformed or memory is short. */
static struct error_record *read_one(const uint8_t **bytes, size_t *size)
{
    if (*size < RECORD_HEADER)
        return NULL;
    uint32_t source = wire_load32(*bytes + 4);
    uint32_t text = wire_load32(*bytes + 8);
    uint32_t help = wire_load32(*bytes + 12);
    size_t left = *size - RECORD_HEADER;
    if (source > left || text > left - source || help > left - source - text)
        return NULL;
    struct error_record *record = calloc(1, sizeof *record);
    if (record == NULL)
        return NULL;
    record->code = (HRESULT)wire_load32(*bytes);
    const uint8_t *at = *bytes + RECORD_HEADER;
    record->source = source != 0 ? copy_text(at, source) : NULL;
    record->text = copy_text(at + source, text);
    if (record->text == NULL) {
        error_record_free(record);
        return NULL;
    }
    record->help = read_help(at + source + text, help);
    size_t used = (size_t)source + text + help;
    size_t padded = (used + 7u) & ~(size_t)7u;
    padded = padded < left ? padded : left;
    *bytes = at + padded;
    *size = left - padded;
    return record;
}

struct error_record *wire_records_read(const uint8_t *bytes, size_t size)
{
    struct error_record *first = NULL;
    struct error_record **end = &first;
    for (unsigned i = 0; i < WIRE_MAX_RECORDS && size > 0; i++) {
        *end = read_one(&bytes, &size);
        if (*end == NULL)
            break;
        end = &(*end)->cause;
    }
    return first;
}
