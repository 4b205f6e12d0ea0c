/*
 * A client in C of Scripting.FileSystemObject and Scripting.Dictionary, which calls them through
 * their vtables. `viaduct introspect CLASS --header` has made its only description of them. What it
 * writes is what cscript does with the steps of early.txt.
 *
 *     early HOST
 */
#include "scripting.h"
#include "tests/com/early_steps.h"

#include <stdio.h>
#include <viaduct/enumerators.h>
#include <viaduct/runtime.h>

static void print_variant(VARIANT *value)
{
    VARIANT text;
    VariantInit(&text);
    if (SUCCEEDED(VariantChangeType(&text, value, 0, VT_BSTR)))
        print_bstr(V_BSTR(&text));
    VariantClear(&text);
}

static void got_variant(HRESULT hr, VARIANT *value)
{
    if (failed(hr))
        return;
    print_variant(value);
    printf("\n");
    VariantClear(value);
}

static VARIANT text_variant(BSTR text)
{
    VARIANT value;
    VariantInit(&value);
    V_VT(&value) = VT_BSTR;
    V_BSTR(&value) = text;
    return value;
}

/* --- files --- */

static void write_file(IFileSystem3 *files, BSTR path)
{
    ITextStream *stream = NULL;
    BSTR line = SysAllocString(VIA_STR("of vtables"));
    done(IFileSystem3_CreateTextFile(files, path, VARIANT_TRUE, VARIANT_FALSE, &stream));
    if (stream == NULL)
        return;
    done(ITextStream_WriteLine(stream, line));
    done(ITextStream_Close(stream));
    ITextStream_Release(stream);
    SysFreeString(line);
}

static void look_at_file(IFileSystem3 *files, BSTR path)
{
    IFile *file = NULL;
    BSTR name = NULL;
    VARIANT size;
    VariantInit(&size);
    done(IFileSystem3_GetFile(files, path, &file));
    if (file == NULL)
        return;
    HRESULT hr = IFile_get_Name(file, &name);
    got_bstr(hr, name);
    hr = IFile_get_Size(file, &size);
    got_variant(hr, &size);
    IFile_Release(file);
}

static void read_file(IFileSystem3 *files, BSTR path)
{
    ITextStream *stream = NULL;
    BSTR text = NULL;
    done(IFileSystem3_OpenTextFile(files, path, ForReading, VARIANT_FALSE, TristateFalse, &stream));
    if (stream == NULL)
        return;
    HRESULT hr = ITextStream_ReadAll(stream, &text);
    got_bstr(hr, text);
    hr = ITextStream_ReadLine(stream, &text);
    got_bstr(hr, text);
    done(ITextStream_Close(stream));
    ITextStream_Release(stream);
}

static void play_files(IFileSystem3 *files)
{
    BSTR program = SysAllocString(VIA_STR("C:\\windows\\notepad.exe"));
    BSTR windows = SysAllocString(VIA_STR("C:\\windows"));
    BSTR folder = SysAllocString(VIA_STR("C:\\a"));
    BSTR name = SysAllocString(VIA_STR("b.txt"));
    BSTR path = SysAllocString(VIA_STR("C:\\viaduct-early.txt"));
    BSTR missing = SysAllocString(VIA_STR("C:\\no such file"));
    VARIANT_BOOL is_there = VARIANT_FALSE;
    IFile *none = NULL;
    BSTR text = NULL;
    HRESULT hr = IFileSystem3_GetExtensionName(files, program, &text);
    got_bstr(hr, text);
    hr = IFileSystem3_BuildPath(files, folder, name, &text);
    got_bstr(hr, text);
    hr = IFileSystem3_FolderExists(files, windows, &is_there);
    got_bool(hr, is_there);
    write_file(files, path);
    look_at_file(files, path);
    read_file(files, path);
    done(IFileSystem3_DeleteFile(files, path, VARIANT_TRUE));
    hr = IFileSystem3_FileExists(files, path, &is_there);
    got_bool(hr, is_there);
    done(IFileSystem3_GetFile(files, missing, &none));
    SysFreeString(program);
    SysFreeString(windows);
    SysFreeString(folder);
    SysFreeString(name);
    SysFreeString(path);
    SysFreeString(missing);
}

/* --- a dictionary --- */

static void print_keys(IDictionary *dictionary)
{
    VARIANT keys;
    VARIANT *elements;
    VariantInit(&keys);
    if (failed(IDictionary_Keys(dictionary, &keys)))
        return;
    if (V_VT(&keys) == (VT_ARRAY | VT_VARIANT) &&
        SUCCEEDED(SafeArrayAccessData(V_ARRAY(&keys), (void **)&elements))) {
        for (ULONG i = 0; i < V_ARRAY(&keys)->rgsabound[0].cElements; i++) {
            printf("%s", i > 0 ? "," : "");
            print_variant(&elements[i]);
        }
        SafeArrayUnaccessData(V_ARRAY(&keys));
    }
    printf("\n");
    VariantClear(&keys);
}

static void print_each(IDictionary *dictionary)
{
    IUnknown *unknown = NULL;
    IEnumVARIANT *items = NULL;
    VARIANT key;
    HRESULT hr = IDictionary__NewEnum(dictionary, &unknown);
    if (SUCCEEDED(hr)) {
        hr = IUnknown_QueryInterface(unknown, &IID_IEnumVARIANT, (void **)&items);
        IUnknown_Release(unknown);
    }
    if (failed(hr))
        return;
    VariantInit(&key);
    for (int n = 0; IEnumVARIANT_Next(items, 1, &key, NULL) == S_OK; n++) {
        printf("%s", n > 0 ? "," : "");
        print_variant(&key);
        VariantClear(&key);
    }
    printf("\n");
    IEnumVARIANT_Release(items);
}

static void play_dictionary(IDictionary *dictionary)
{
    VARIANT one = text_variant(SysAllocString(VIA_STR("one")));
    VARIANT two = text_variant(SysAllocString(VIA_STR("two")));
    VARIANT nine = text_variant(SysAllocString(VIA_STR("nine")));
    VARIANT second = text_variant(SysAllocString(VIA_STR("second")));
    VARIANT number = number_variant(1);
    VARIANT_BOOL is_there = VARIANT_FALSE;
    enum CompareMethod mode = BinaryCompare;
    LONG count = 0;
    VARIANT item;
    VariantInit(&item);
    done(IDictionary_Add(dictionary, &one, &number));
    done(IDictionary_Add(dictionary, &two, &second));
    done(IDictionary_Add(dictionary, &one, &number));
    HRESULT hr = IDictionary_get_Count(dictionary, &count);
    got_number(hr, count);
    hr = IDictionary_get_Item(dictionary, &two, &item);
    got_variant(hr, &item);
    hr = IDictionary_Exists(dictionary, &nine, &is_there);
    got_bool(hr, is_there);
    print_keys(dictionary);
    print_each(dictionary);
    done(IDictionary_put_CompareMode(dictionary, TextCompare));
    done(IDictionary_RemoveAll(dictionary));
    done(IDictionary_put_CompareMode(dictionary, TextCompare));
    hr = IDictionary_get_CompareMode(dictionary, &mode);
    got_number(hr, (int)mode);
    VariantClear(&one);
    VariantClear(&two);
    VariantClear(&nine);
    VariantClear(&second);
}

/* --- both --- */

static void *create(const char *progid, const char *host, const GUID *iid)
{
    char name[256];
    void *object = NULL;
    snprintf(name, sizeof name, "%s@%s", progid, host);
    done(via_create_instance(name, iid, &object));
    return object;
}

int main(int argc, char **argv)
{
    HRESULT hr = argc == 2 ? via_initialize(NULL) : E_INVALIDARG;
    if (SUCCEEDED(hr))
        hr = via_register_typelib(&Scripting_typelib);
    if (FAILED(hr)) {
        fprintf(stderr, "early HOST: 0x%08X\n", (unsigned)hr);
        return 1;
    }
    IFileSystem3 *files = create("Scripting.FileSystemObject", argv[1], &IID_IFileSystem3);
    if (files != NULL) {
        play_files(files);
        IFileSystem3_Release(files);
    }
    IDictionary *dictionary = create("Scripting.Dictionary", argv[1], &IID_IDictionary);
    if (dictionary != NULL) {
        play_dictionary(dictionary);
        IDictionary_Release(dictionary);
    }
    via_uninitialize();
    return 0;
}
