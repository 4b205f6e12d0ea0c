/* Tables, texts and failures. */
#include <jansson.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <viaduct/runtime.h>

#include "cli/cli.h"
#include "core/util/error.h"
#include "core/util/utf.h"

#define MAX_COLUMNS 8

static bool failures_are_json; /* one thread */

void cli_print_json(void)
{
    failures_are_json = true;
}

bool cli_prints_json(void)
{
    return failures_are_json;
}

void cli_no_memory(void)
{
    fputs("viaduct: no memory\n", stderr);
    exit(CLI_FAILED);
}

static void *enough(void *memory)
{
    if (!memory)
        cli_no_memory();
    return memory;
}

void cli_print_value(json_t *json)
{
    char *text = json_dumps(json, JSON_INDENT(2));

    puts(text ? text : "null");
    free(text);
    json_decref(json);
}

char *cli_text(BSTR string)
{
    return enough(string ? utf_from_wide(string, SysStringLen(string)) : strdup(""));
}

BSTR cli_bstr(const char *text)
{
    WCHAR *wide = enough(utf_to_wide(text));
    BSTR string = enough(SysAllocString(wide));

    free(wide);
    return string;
}

/* --- failures --- */

static int exit_code(HRESULT hr)
{
    switch ((unsigned)hr) {
    case (unsigned)VIA_E_UNREACHABLE:
        return CLI_UNREACHABLE;
    case (unsigned)REGDB_E_CLASSNOTREG:
    case (unsigned)VIA_E_AMBIGUOUS:
        return CLI_NO_CLASS;
    case (unsigned)CO_E_CLASSSTRING:
        return CLI_USAGE;
    case (unsigned)DISP_E_UNKNOWNNAME:
    case (unsigned)E_NOINTERFACE:
        return CLI_NO_METHOD;
    default:
        return CLI_FAILED;
    }
}

/* Text from files and arguments may be no UTF-8, which JSON has to be. */
static json_t *json_text(const char *text)
{
    WCHAR *wide = enough(utf_to_wide(text));
    char *valid = enough(utf_from_wide(wide, utf16_length(wide)));
    json_t *json = json_string(valid);

    free(wide);
    free(valid);
    return json;
}

/* `causes` is stolen; NULL: there are none, or they are known as part of the text only. */
static void print_json_failure(HRESULT hr, const char *text, json_t *causes)
{
    const char *name = error_code_name(hr);
    char code[16], *line;
    json_t *json;

    snprintf(code, sizeof(code), "0x%08x", (unsigned)hr);
    json = json_pack("{s:s, s:s?, s:o, s:o}", "code", code, "name", name, "text", json_text(text),
                     "causes", causes ? causes : json_array());
    line = enough(json ? json_dumps(json, JSON_COMPACT) : NULL);
    fprintf(stderr, "%s\n", line);
    free(line);
    json_decref(json);
}

static void print_failure(HRESULT hr, const char *text)
{
    const char *name = error_code_name(hr);

    /* Where nothing was said about it the text is the code's name already. */
    if (name && strncmp(name, text, strlen(name)) == 0)
        fprintf(stderr, "viaduct: %s\n", text);
    else if (name)
        fprintf(stderr, "viaduct: %s (%s)\n", text, name);
    else
        fprintf(stderr, "viaduct: %s (0x%08x)\n", text, (unsigned)hr);
}

static int fail(HRESULT hr, const char *text)
{
    if (failures_are_json)
        print_json_failure(hr, text, NULL);
    else
        print_failure(hr, text);
    return exit_code(hr);
}

int cli_fail(HRESULT hr, const char *format, ...)
{
    char text[CLI_MESSAGE_SIZE];
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(text, sizeof(text), format, arguments);
    va_end(arguments);
    return fail(hr, text);
}

/* What COM's errors may have beside a text. Nobody reads the error information after this. */
static void print_help(void)
{
    IErrorInfo *info = NULL;
    BSTR name = NULL;
    DWORD context = 0;
    char *file;

    if (GetErrorInfo(0, &info) != S_OK)
        return;
    IErrorInfo_GetHelpFile(info, &name);
    IErrorInfo_GetHelpContext(info, &context);
    IErrorInfo_Release(info);
    file = cli_text(name);
    SysFreeString(name);
    if (*file || context)
        fprintf(stderr, "viaduct: help: %s, topic %u\n", *file ? file : "(no file)",
                (unsigned)context);
    free(file);
}

int cli_fail_runtime(HRESULT hr)
{
    char text[CLI_MESSAGE_SIZE];
    int code = fail(hr, via_error_message(hr, text, sizeof(text)));

    if (!failures_are_json)
        print_help();
    return code;
}

int cli_fail_record(HRESULT hr)
{
    const struct error_record *record = error_get();
    char text[CLI_MESSAGE_SIZE];
    json_t *causes;

    error_format(record, hr, text, sizeof(text));
    if (!failures_are_json)
        return fail(hr, text);
    causes = json_array();
    for (record = record ? record->cause : NULL; record; record = record->cause)
        json_array_append_new(causes, json_text(record->text));
    print_json_failure(hr, text, causes);
    return exit_code(hr);
}

/* --- tables --- */

struct cli_table {
    unsigned n_columns;
    size_t widths[MAX_COLUMNS];
    size_t n_rows;
    char **cells; /* n_rows times n_columns */
};

/* Characters, not bytes: combining ones and wide ones are not looked at. */
static size_t width(const char *text)
{
    size_t count = 0;

    for (; *text; text++)
        count += ((unsigned char)*text & 0xC0) != 0x80;
    return count;
}

struct cli_table *cli_table_new(unsigned n_columns, const char *const *titles)
{
    struct cli_table *table = enough(calloc(1, sizeof(*table)));

    table->n_columns = n_columns;
    cli_table_add(table, titles);
    return table;
}

void cli_table_add(struct cli_table *table, const char *const *cells)
{
    size_t used = table->n_rows * table->n_columns;

    table->cells = enough(realloc(table->cells, (used + table->n_columns) * sizeof(char *)));
    for (unsigned i = 0; i < table->n_columns; i++) {
        table->cells[used + i] = enough(strdup(cells[i]));
        if (width(cells[i]) > table->widths[i])
            table->widths[i] = width(cells[i]);
    }
    table->n_rows++;
}

static void drop_rows(struct cli_table *table)
{
    for (size_t i = 0; i < table->n_rows * table->n_columns; i++)
        free(table->cells[i]);
    table->n_rows = 0;
}

void cli_table_print(struct cli_table *table)
{
    for (size_t row = 0; row < table->n_rows; row++) {
        char *const *cells = table->cells + row * table->n_columns;

        for (unsigned i = 0; i < table->n_columns; i++) {
            bool last = i + 1 == table->n_columns;

            printf("%s%*s", cells[i], last ? 0 : (int)(table->widths[i] - width(cells[i]) + 2), "");
        }
        putchar('\n');
    }
    drop_rows(table);
}

void cli_table_free(struct cli_table *table)
{
    drop_rows(table);
    free(table->cells);
    free(table);
}
