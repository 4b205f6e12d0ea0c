#include "core/plugin/conformance_lines.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

bool conformance_line_read(FILE *from, struct conformance_line *line)
{
    size_t length = 0;
    do {
        if (line->size - length < 4096) {
            size_t size = line->size * 2 + 8192;
            char *larger = realloc(line->text, size);
            if (larger == NULL)
                return false;
            line->text = larger;
            line->size = size;
        }
        size_t room = line->size - length;
        if (fgets(line->text + length, room < INT32_MAX ? (int)room : INT32_MAX, from) == NULL)
            return false;
        length += strlen(line->text + length);
    } while (length == 0 || line->text[length - 1] != '\n');
    line->text[strcspn(line->text, "\r\n")] = 0;
    return true;
}

void conformance_line_free(struct conformance_line *line)
{
    free(line->text);
    memset(line, 0, sizeof *line);
}

uint64_t conformance_line_number(char **at)
{
    return strtoull(*at, at, 10);
}

int64_t conformance_line_signed(char **at)
{
    return strtoll(*at, at, 10);
}

uint32_t conformance_line_hex(char **at)
{
    return (uint32_t)strtoul(*at, at, 16);
}

char *conformance_line_word(char **at)
{
    char *word = *at + strspn(*at, " ");
    *at = word + strcspn(word, " ");
    if (**at != 0)
        *(*at)++ = 0;
    return word;
}

void conformance_line_put_bytes(FILE *to, const void *bytes, size_t n)
{
    static const char digits[] = "0123456789abcdef";
    const uint8_t *from = bytes;
    putc(' ', to);
    while (n > 0) {
        char text[512];
        size_t part = n < sizeof text / 2 ? n : sizeof text / 2;
        for (size_t i = 0; i < part; i++) {
            text[2 * i] = digits[from[i] >> 4];
            text[2 * i + 1] = digits[from[i] & 15];
        }
        fwrite(text, 1, part * 2, to);
        from += part;
        n -= part;
    }
}

static unsigned digit(char c)
{
    return (unsigned)(c <= '9' ? c - '0' : c - 'a' + 10) & 15u;
}

size_t conformance_line_bytes(char **at, void *bytes, size_t size)
{
    const char *word = conformance_line_word(at);
    uint8_t *to = bytes;
    size_t n = 0;
    for (; n < size && word[0] != 0 && word[1] != 0; word += 2)
        to[n++] = (uint8_t)(digit(word[0]) << 4 | digit(word[1]));
    return n;
}
