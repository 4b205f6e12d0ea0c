#include "cli/com.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>

#include "com/abi/guid.h"
#include "com/inproc/register.h"
#include "core/os/file.h"
#include "core/os/path.h"
#include "core/util/error.h"

int com_check(void)
{
    return -1;
}

static json_t *class_to_json(const struct registered *class)
{
    char guid[GUID_TEXT_SIZE], libid[GUID_TEXT_SIZE] = "";

    if (class->has_library)
        guid_format(&class->library.guid, libid);
    return json_pack("{s:s, s:s, s:s, s:s?, s:s, s:s, s:b, s:s?, s:s?}", "class", class->name,
                     "progid", class->progid, "clsid", guid_format(&class->clsid, guid), "host",
                     class->host[0] ? class->host : NULL, "for",
                     class->is_user ? "user" : "machine", "server", class->server, "serverExists",
                     os_file_exists(class->server), "localServer",
                     class->local_server[0] ? class->local_server : NULL, "typeLibrary",
                     libid[0] ? libid : NULL);
}

/* --- register and unregister --- */

/* Notes go to standard error, or with --json into the result. */
static void take_note(void *context, const char *text)
{
    json_t *notes = context;

    if (notes)
        json_array_append_new(notes, json_string(text));
    else
        fprintf(stderr, "viaduct: %s\n", text);
}

static int print_changed(const char *what, const struct registered *class, json_t *notes)
{
    char guid[GUID_TEXT_SIZE];
    json_t *json;

    if (!notes) {
        printf("%s %s %s for %s\n", what, class->name, guid_format(&class->clsid, guid),
               class->is_user ? "this user" : "the machine");
        return CLI_OK;
    }
    json = json_pack("{s:o}", what, class_to_json(class));
    if (json_array_size(notes) > 0)
        json_object_set(json, "notes", notes);
    cli_print_value(json);
    return CLI_OK;
}

int com_register(IViaductHost *host, const struct cli_options *options)
{
    json_t *notes = options->json ? json_array() : NULL;
    struct register_options how = {
        .directory = os_path_program_directory(),
        .host = options->host,
        .is_user = options->user,
        .has_local_server = options->local_server,
        .note = take_note,
        .context = notes,
    };
    struct registered class;
    HRESULT hr;
    int code;

    if (!how.directory)
        cli_no_memory();
    hr = register_class(host, options->arguments[0], &how, &class);
    code = SUCCEEDED(hr) ? print_changed("registered", &class, notes) : cli_fail_record(hr);
    json_decref(notes);
    free((char *)how.directory);
    return code;
}

int com_unregister(const struct cli_options *options)
{
    json_t *notes = options->json ? json_array() : NULL;
    struct registered class;
    HRESULT hr = register_remove(options->arguments[0], options->user, &class);
    int code = SUCCEEDED(hr) ? print_changed("unregistered", &class, notes) : cli_fail_record(hr);

    json_decref(notes);
    return code;
}

/* --- list --- */

struct listing {
    struct cli_table *table; /* or */
    json_t *array;
};

static bool list_one(void *context, const struct registered *class)
{
    struct listing *listing = context;
    char guid[GUID_TEXT_SIZE], server[REGISTERED_TEXT_SIZE + 32];

    if (listing->array) {
        json_array_append_new(listing->array, class_to_json(class));
        return true;
    }
    snprintf(server, sizeof(server), "%s%s%s", class->server,
             os_file_exists(class->server) ? "" : " (is not there)",
             class->local_server[0] ? ", local server" : "");
    cli_table_add(listing->table,
                  (const char *const[]){class->name, guid_format(&class->clsid, guid),
                                        class->is_user ? "user" : "machine",
                                        class->host[0] ? class->host : "-", server});
    return true;
}

int com_list(const struct cli_options *options)
{
    static const char *const titles[] = {"CLASS", "CLSID", "FOR", "HOST", "SERVER"};
    struct listing listing = {.table = options->json ? NULL : cli_table_new(5, titles),
                              .array = options->json ? json_array() : NULL};
    HRESULT hr = S_OK;

    if (!options->user)
        hr = registered_each(false, list_one, &listing);
    if (SUCCEEDED(hr) && !options->machine)
        hr = registered_each(true, list_one, &listing);
    if (SUCCEEDED(hr) && listing.table)
        cli_table_print(listing.table);
    else if (SUCCEEDED(hr))
        cli_print_value(json_incref(listing.array));
    if (listing.table)
        cli_table_free(listing.table);
    json_decref(listing.array);
    return SUCCEEDED(hr) ? CLI_OK : cli_fail_record(hr);
}
