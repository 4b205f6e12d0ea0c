#include "core/relay/pattern.h"

#include "core/os/identity.h"
#include "core/os/path.h"
#include "core/os/unix_calls.h"
#include "core/plugin/plugin_set.h"
#include "core/util/buffer.h"
#include "core/util/error.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum word { WORD_UID, WORD_RUNTIME_DIR };

static const char *const words[] = {"{uid}", "{runtime_dir}"};
#define N_WORDS (sizeof words / sizeof words[0])

/* The word that stands at `text`; N_WORDS: none. */
static size_t word_at(const char *text)
{
    size_t i = 0;
    while (i < N_WORDS && strncmp(text, words[i], strlen(words[i])) != 0)
        i++;
    return i;
}

HRESULT pattern_check(const char *pattern)
{
    for (const char *c = pattern; *c != '\0'; c++) {
        if (*c != '{' && *c != '}')
            continue;
        size_t word = word_at(c);
        if (word == N_WORDS)
            return error_set(VIA_E_ADDRESS,
                             "%.200s: braces stand around \"uid\" or \"runtime_dir\" and nothing "
                             "else",
                             pattern);
        c += strlen(words[word]) - 1;
    }
    return S_OK;
}

static bool own_uid(uint32_t *uid)
{
    struct via_peer_identity self;
    const struct via_plugin_unix_calls *calls = os_unix_calls();
    os_identity_self(&self);
    if (self.flags & VIA_PEER_HAS_UNIX)
        *uid = self.uid;
    else if (calls != NULL)
        *uid = calls->user_id();
    else
        return false;
    return true;
}

static void append_runtime_directory(struct buffer *buffer, uint32_t uid, bool is_own)
{
    char *directory = is_own ? os_environment("XDG_RUNTIME_DIR") : NULL;
    if (directory != NULL && directory[0] == '/')
        buffer_print(buffer, "%s", directory);
    else
        buffer_print(buffer, "/run/user/%u", uid);
    free(directory);
}

HRESULT pattern_expand(const char *pattern, const struct via_peer_identity *identity,
                       char **address)
{
    uint32_t own = 0;
    bool has_own = own_uid(&own);
    bool is_known = identity != NULL && (identity->flags & VIA_PEER_HAS_UNIX);
    uint32_t uid = is_known ? identity->uid : own;
    struct buffer buffer;
    if (strchr(pattern, '{') != NULL && !is_known && !has_own)
        return error_set(VIA_E_ADDRESS, "%.200s: users have no numbers on this system", pattern);
    buffer_init(&buffer, PLUGIN_ADDRESS_SIZE);
    for (const char *c = pattern; *c != '\0';) {
        size_t word = *c == '{' ? word_at(c) : N_WORDS;
        if (word == WORD_UID)
            buffer_print(&buffer, "%u", uid);
        else if (word == WORD_RUNTIME_DIR)
            append_runtime_directory(&buffer, uid, has_own && uid == own);
        else
            buffer_append(&buffer, c, 1);
        c += word < N_WORDS ? strlen(words[word]) : 1;
    }
    HRESULT hr = buffer_result(&buffer);
    *address = SUCCEEDED(hr) ? buffer_take_text(&buffer) : NULL;
    buffer_deinit(&buffer);
    if (FAILED(hr))
        return hr;
    return *address != NULL ? S_OK : error_set(E_OUTOFMEMORY, "no memory for an address");
}
