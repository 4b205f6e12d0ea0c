/*
 * Type libraries that are made of metadata: Windows reads back what our own ITypeLib says, and
 * calls an object by it; what does not fit is left out, and named.
 */
#include "tests/harness/harness.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <viaduct/com.h>
#include <viaduct/runtime.h>

#include "calculator.h"
#include "com/inproc/typelib_write.h"
#include "core/util/cleanup.h"
#include "core/util/utf.h"
#include "tests/typeinfo/dump.h"
#include "tests/typeinfo/type_object.h"
#include "type_base.h"

static char notes[4096];

/* --- writing --- */

/* In a process of its own: Wine's SetTypeFlags(TYPEFLAG_FDUAL) leaves keys of the registry open,
 * which harms no program that writes a library and ends. The environment says so to the process:
 * "test N PATH". */
#define ORDER L"VIADUCT_TEST_WRITE"

static const struct via_typelib *const libraries[] = {&type_test_typelib, &calculator_typelib};

static void print_note(void *context, const char *text)
{
    fprintf(context, "%s\n", text);
}

static int write_one(unsigned index, const WCHAR *path, FILE *out)
{
    struct typelib_fit fit;
    HRESULT hr = via_register_typelib(&type_base_typelib);
    if (SUCCEEDED(hr))
        hr = typelib_fit_init(&fit, libraries[index], NULL, 0, print_note, out);
    if (SUCCEEDED(hr))
        hr = typelib_write(libraries[index], &fit, NULL, 0, path);
    return FAILED(hr);
}

__attribute__((constructor)) static void obey(void)
{
    WCHAR order[MAX_PATH + 8], path[MAX_PATH + 8];
    DWORD n = GetEnvironmentVariableW(ORDER, order, MAX_PATH + 8);
    if (n == 0 || n >= MAX_PATH + 8)
        return;
    wcscpy(path, order + 2);
    FILE *out = _wfopen(wcscat(order, L".notes") + 2, L"wb");
    int code = out != NULL ? write_one(order[0] - L'0', path, out) : 2;
    if (out != NULL)
        fclose(out);
    ExitProcess((UINT)code);
}

static bool run_writer(unsigned index, const WCHAR *path)
{
    WCHAR order[MAX_PATH + 8], program[MAX_PATH];
    STARTUPINFOW startup = {.cb = sizeof startup};
    PROCESS_INFORMATION process;
    DWORD code = 1;
    _snwprintf(order, MAX_PATH + 8, L"%u %ls", index, path);
    GetModuleFileNameW(NULL, program, MAX_PATH);
    SetEnvironmentVariableW(ORDER, order);
    bool is_run =
        CreateProcessW(program, NULL, NULL, NULL, FALSE, 0, NULL, NULL, &startup, &process);
    SetEnvironmentVariableW(ORDER, NULL);
    if (!is_run)
        return false;
    WaitForSingleObject(process.hProcess, INFINITE);
    GetExitCodeProcess(process.hProcess, &code);
    CloseHandle(process.hThread);
    CloseHandle(process.hProcess);
    return code == 0;
}

static void read_notes(const WCHAR *path)
{
    WCHAR name[MAX_PATH + 8];
    _snwprintf(name, MAX_PATH + 8, L"%ls.notes", path);
    FILE *file = _wfopen(name, L"rb");
    size_t n = file != NULL ? fread(notes, 1, sizeof notes - 1, file) : 0;
    notes[n] = 0;
    if (file != NULL)
        fclose(file);
    CHECK(DeleteFileW(name));
}

static ITypeLib *write_and_load(const struct via_typelib *lib)
{
    WCHAR directory[MAX_PATH], path[MAX_PATH];
    ITypeLib *library = NULL;
    GetTempPathW(MAX_PATH, directory);
    GetTempFileNameW(directory, L"via", 0, path);
    CHECK(run_writer(lib == libraries[0] ? 0 : 1, path));
    read_notes(path);
    CHECK_OK(LoadTypeLibEx(path, REGKIND_NONE, &library));
    CHECK(DeleteFileW(path));
    return library;
}

static ITypeInfo *find_by_name(ITypeLib *library, const char *name)
{
    UINT n = ITypeLib_GetTypeInfoCount(library);
    for (UINT i = 0; i < n; i++) {
        ITypeInfo *info = NULL;
        CHECK_OK(ITypeLib_GetTypeInfo(library, i, &info));
        CLEANUP(cleanup_free) char *own = dump_name(info);
        if (own != NULL && !strcmp(own, name))
            return info;
        ITypeInfo_Release(info);
    }
    return NULL;
}

/* --- what is the same --- */

/* Takes out each line that has `word`. */
static void drop_lines(char *text, const char *word)
{
    char *found;
    while (text != NULL && (found = strstr(text, word)) != NULL) {
        while (found > text && found[-1] != '\n')
            found--;
        char *end = strchr(found, '\n');
        memmove(found, end + 1, strlen(end + 1) + 1);
    }
}

/* The rest of a line behind `word`. */
static void drop_behind(char *text, const char *word)
{
    for (char *at = text; at != NULL && (at = strstr(at, word)) != NULL;) {
        char *end = strchr(at, '\n');
        memmove(at, end, strlen(end) + 1);
    }
}

/* IDispatch's own functions are stdole2's in the one, and have types of ours in the other. Structs
 * have a GUID that only the one needs; and Wine's writer gives structs and enums no size, nor
 * aliases of structs. */
static void even_out(char *text)
{
    drop_lines(text, "  6000000");
    drop_lines(text, "  6001000");
    if (text != NULL && (!strncmp(text, "kind 0", 6) || !strncmp(text, "kind 1", 6) ||
                         strstr(text, "  means TypeRow\n") != NULL))
        drop_behind(text, " {");
}

static void compare(ITypeInfo *info, ITypeInfo *written)
{
    CLEANUP(cleanup_free) char *expected = dump_type(info);
    CLEANUP(cleanup_free) char *text = dump_type(written);
    even_out(expected);
    even_out(text);
    drop_lines(expected, "  is [0] ITypePlain"); /* left out */
    CHECK_STR_EQ(text, expected);
}

TEST(windows_reads_what_ours_says)
{
    ITypeLib *ours = NULL;
    CHECK_OK(via_register_typelib(&type_base_typelib));
    REQUIRE_OK(via_type_library(&type_test_typelib, &ours));
    ITypeLib *theirs = write_and_load(&type_test_typelib);
    REQUIRE_NOT_NULL(theirs);
    UINT n = ITypeLib_GetTypeInfoCount(ours), n_missing = 0;
    for (UINT i = 0; i < n; i++) {
        ITypeInfo *info = NULL;
        REQUIRE_OK(ITypeLib_GetTypeInfo(ours, i, &info));
        CLEANUP(cleanup_free) char *name = dump_name(info);
        ITypeInfo *written = find_by_name(theirs, name);
        if (written != NULL) {
            compare(info, written);
            ITypeInfo_Release(written);
        } else {
            CHECK(!strcmp(name, "ITypePlain") || !strcmp(name, "TypePoint"));
            n_missing++;
        }
        ITypeInfo_Release(info);
    }
    CHECK_EQ(n_missing, 2);
    CHECK_EQ(ITypeLib_GetTypeInfoCount(theirs), n - n_missing);
    ITypeLib_Release(theirs);
    ITypeLib_Release(ours);
}

TEST(what_is_left_out_is_named)
{
    CHECK_OK(via_register_typelib(&type_base_typelib));
    ITypeLib *library = write_and_load(&type_test_typelib);
    CHECK_STR_HAS(notes, "interface ITypePlain is left out of the type library: it is built on "
                         "ITypeBase, which another library describes");
    ITypeLib_Release(library);
    library = write_and_load(&calculator_typelib);
    CHECK_STR_HAS(notes, "interface ICalculator is left out of the type library: Sum(values) is an "
                         "array that is no SAFEARRAY");
    CHECK_NULL(find_by_name(library, "ICalculator"));
    ITypeInfo *progress = find_by_name(library, "ICalculatorProgress");
    if (CHECK_NOT_NULL(progress))
        ITypeInfo_Release(progress);
    ITypeLib_Release(library);
}

/* --- calls --- */

TEST(windows_calls_an_object_by_it)
{
    CHECK_OK(via_register_typelib(&type_base_typelib));
    ITypeLib *library = write_and_load(&type_test_typelib);
    ITypeMore *object = type_object_new();
    ITypeInfo *info = NULL;
    VARIANT arguments[2], result;
    DISPPARAMS params = {.rgvarg = arguments, .cArgs = 2};
    LPOLESTR names[] = {(LPOLESTR)L"add"};
    DISPID id = 0;
    REQUIRE(library != NULL && object != NULL);
    REQUIRE_OK(ITypeLib_GetTypeInfoOfGuid(library, &IID_ITypeMore, &info));
    CHECK_OK(DispGetIDsOfNames(info, names, 1, &id));
    CHECK_EQ(id, 2);
    V_VT(&arguments[1]) = VT_I4;
    V_I4(&arguments[1]) = 40;
    V_VT(&arguments[0]) = VT_I2;
    V_I2(&arguments[0]) = 2;
    VariantInit(&result);
    CHECK_OK(DispInvoke(object, info, id, DISPATCH_METHOD, &params, &result, NULL, NULL));
    CHECK_EQ(V_VT(&result), VT_I4);
    CHECK_EQ(V_I4(&result), 42);
    ITypeInfo_Release(info);
    ITypeMore_Release(object);
    ITypeLib_Release(library);
}

HARNESS_MAIN("typelib_write", TEST_ENTRY(windows_reads_what_ours_says),
             TEST_ENTRY(what_is_left_out_is_named), TEST_ENTRY(windows_calls_an_object_by_it))
