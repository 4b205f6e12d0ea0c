/*
 * The argument decoder: the first byte chooses a method, the second where arrays of numbers are: in
 * the payload, left there, or beside it. The rest is the payload. What is accepted is encoded
 * again, and what comes of that must encode to the same bytes.
 */
#include "com/marshal/invocation.h"
#include "com/marshal/plan.h"
#include "com/typelib/typelib.h"
#include "core/util/error.h"
#include "tests/fuzz/fuzz.h"
#include "tests/marshal/echo.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct echo echo;
static struct loop_proxy proxy;

static const struct marshal_interface *prepare(void)
{
    static const struct marshal_interface *itf;
    if (!itf) {
        echo_init(&echo);
        if (FAILED(typelib_catalog_add(&marshal_test_typelib)) ||
            FAILED(loop_proxy_init(&proxy, &echo.IEcho_iface)))
            fuzz_fail("the test's interface cannot be prepared");
        itf = marshal_interface_find(&IID_IEcho);
        /* Payloads name objects by index: some are there. */
        for (unsigned i = 0; i < 4; i++)
            proxy.objects[proxy.n_objects++] = (IUnknown *)&echo.IEcho_iface;
    }
    return itf;
}

/* Objects that encoding added. */
static void drop_added(void)
{
    while (proxy.n_objects > 4) {
        IUnknown *object = proxy.objects[--proxy.n_objects];
        IUnknown_Release(object);
    }
}

static bool encode(const struct marshal_method *method, struct marshal_invocation *invocation,
                   struct buffer *out)
{
    struct marshal_pointers pointers = loop_pointers(&proxy);
    buffer_init(out, 1 << 20);
    HRESULT hr = marshal_encode_arguments(method, invocation->values + 1, &pointers, out);
    drop_added();
    return SUCCEEDED(hr);
}

static void check_again(const struct marshal_method *method, struct marshal_invocation *first)
{
    struct marshal_pointers pointers = loop_pointers(&proxy);
    struct marshal_invocation *second = NULL;
    struct buffer a, b = {0};
    if (!encode(method, first, &a))
        fuzz_fail(error_get() ? error_get()->text : "what was decoded cannot be encoded");
    /* Indexes of objects are given anew: with objects the second decoding has none to find. */
    if (SUCCEEDED(marshal_decode_arguments(method, a.data, a.size, &pointers, NULL, &second))) {
        if (!encode(method, second, &b) || a.size != b.size ||
            (a.size && memcmp(a.data, b.data, a.size)))
            fuzz_fail("arguments change when they are encoded again");
        marshal_invocation_free(second);
        buffer_deinit(&b);
    } else if (error_get() && !strstr(error_get()->text, "no object has index")) {
        fuzz_fail("what was encoded cannot be decoded");
    }
    buffer_deinit(&a);
}

/* Some arrays lie beside the payload: those at even multiples of 4. */
static HRESULT borrow(void *context, size_t position, size_t size, bool in_place, const void **data)
{
    static const uint64_t block[32] = {1, 2, 3};
    (void)context;
    (void)in_place;
    if (position % 8 != 0 || size > sizeof(block))
        return S_FALSE;
    *data = block;
    return S_OK;
}

#define BORROWS 0x01u /* in the second byte */
#define KEEPS   0x02u
#define N_FRONT 2u /* bytes in front of the payload */

static const struct marshal_interface *shapes_interface(void)
{
    static const struct marshal_interface *shapes;
    if (!shapes)
        shapes = marshal_interface_find(&IID_IShapes);
    return shapes;
}

/* Of all methods of IEcho, and of IShapes behind them. */
static const struct marshal_method *choose(uint8_t byte)
{
    const struct marshal_interface *itf = prepare();
    unsigned n = byte % (itf->n_methods + shapes_interface()->n_methods);
    return n < itf->n_methods ? &itf->methods[n] : &shapes_interface()->methods[n - itf->n_methods];
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct marshal_method *method = size >= N_FRONT ? choose(data[0]) : NULL;
    struct marshal_pointers pointers = loop_pointers(&proxy);
    struct marshal_invocation *invocation = NULL;
    struct marshal_scratch scratch;
    size_t n = method ? size - N_FRONT : 0;
    uint8_t *payload = method ? malloc(n ? n : 1) : NULL; /* aligned */
    if (payload)
        memcpy(payload, data + N_FRONT, n);
    pointers.borrow = method && data[1] & BORROWS ? borrow : NULL;
    pointers.keeps_payload = method && data[1] & KEEPS;
    if (payload &&
        SUCCEEDED(marshal_decode_arguments(method, payload, n, &pointers, &scratch, &invocation))) {
        fuzz_accepted = true;
        check_again(method, invocation);
        marshal_invocation_free(invocation);
    }
    free(payload);
    error_clear();
    return 0;
}

/* --- the corpus --- */

static struct wire_tap tap;

/* The call of a method of IEcho that `tap` holds. */
static void write_call_as(const char *directory, uint8_t slot, uint8_t where, const char *suffix)
{
    static uint8_t bytes[sizeof(tap.call) + N_FRONT];
    char name[32];
    bytes[0] = (uint8_t)(slot - prepare()->first_slot);
    bytes[1] = where;
    memcpy(bytes + N_FRONT, tap.call, tap.call_size);
    snprintf(name, sizeof(name), "slot%u%s", slot, suffix);
    fuzz_write_file(directory, name, bytes, tap.call_size + N_FRONT);
}

static void write_call(const char *directory, uint8_t slot)
{
    write_call_as(directory, slot, 0, "");
}

static void write_call_with_arrays(const char *directory, uint8_t slot)
{
    write_call(directory, slot);
    write_call_as(directory, slot, BORROWS, "-beside");
    write_call_as(directory, slot, KEEPS, "-kept");
}

static void write_records(const char *directory, IEcho *face)
{
    LONG values[] = {3, 1, 4};
    struct Pair extra = {9.5, 9};
    WCHAR title[] = {'t', 0};
    char note[] = "note";
    struct Record in = {
        .id = 12, .n = 3, .values = values, .title = title, .note = note, .extra = &extra};
    struct Record in_out = {0}, out = {0};
    IEcho_Records(face, &in, &in_out, &out);
    write_call_with_arrays(directory, 7);
    struct native_scope scope = {0};
    native_clear(marshal_interface_method(prepare(), 7)->params[2].type, &out, &scope);
}

static void write_arrays(const char *directory, IEcho *face)
{
    LONG in[] = {0, 1};
    double in_out[] = {1, 2};
    BSTR names[2] = {0};
    ULONG m = 0;
    struct Record *records = NULL;
    IEcho_Arrays(face, 2, in, in_out, names, &m, &records);
    write_call_with_arrays(directory, 8);
    SysFreeString(names[0]);
    SysFreeString(names[1]);
    if (records)
        SysFreeString(records[0].name);
    CoTaskMemFree(records);
}

static void write_strings(const char *directory, IEcho *face)
{
    BSTR in = SysAllocString(VIA_STR("text")), b = NULL;
    WCHAR *w = NULL;
    char *u = NULL;
    IEcho_Strings(face, in, VIA_STR("wide"), "narrow", VIA_STR("maybe"), &b, &w, &u);
    write_call(directory, 6);
    SysFreeString(in);
    SysFreeString(b);
    CoTaskMemFree(w);
    CoTaskMemFree(u);
}

static void write_replace(const char *directory, IEcho *face)
{
    BSTR text = SysAllocString(VIA_STR("old"));
    ULONG n = 2;
    LONG *values = CoTaskMemAlloc(2 * sizeof(LONG));
    values[0] = values[1] = 1;
    IEcho_Replace(face, &text, &n, &values);
    write_call(directory, 10);
    SysFreeString(text);
    CoTaskMemFree(values);
}

static void write_amounts(const char *directory, IEcho *face)
{
    CY cy = {.int64 = 12345}, cy_out;
    DECIMAL decimal = {.scale = 2, .Lo64 = 7}, decimal_out;
    DATE date;
    SCODE code;
    IEcho_Amounts(face, cy, 1.5, decimal, E_FAIL, &cy_out, &date, &decimal_out, &code);
    write_call(directory, 20);
}

/* An array with a text and an array in it, and a reference to a reference. */
static void write_variants(const char *directory, IEcho *face)
{
    LONG number = 5;
    VARIANT in = {0}, in_out = {0}, inner = {0}, out;
    V_VT(&in) = VT_ARRAY | VT_VARIANT;
    V_ARRAY(&in) = SafeArrayCreateVector(VT_VARIANT, 0, 2);
    VARIANT *elements = V_ARRAY(&in)->pvData;
    V_VT(&elements[0]) = VT_BSTR;
    V_BSTR(&elements[0]) = SysAllocString(VIA_STR("text"));
    V_VT(&elements[1]) = VT_ARRAY | VT_DECIMAL;
    V_ARRAY(&elements[1]) = SafeArrayCreateVector(VT_DECIMAL, 1, 1);
    V_VT(&inner) = VT_BYREF | VT_I4;
    V_I4REF(&inner) = &number;
    V_VT(&in_out) = VT_BYREF | VT_VARIANT;
    V_VARIANTREF(&in_out) = &inner;
    IEcho_Variants(face, in, &in_out, &out);
    write_call(directory, 21);
    VariantClear(&in);
    VariantClear(&out);
}

static void write_records_in_variants(const char *directory, IEcho *face)
{
    VARIANT in = {0}, in_out = {0}, out = {0};
    IRecordInfo *info = NULL;
    if (FAILED(via_record_info(&marshal_test_typelib, "Bundle", &info)))
        fuzz_fail("the corpus cannot be encoded");
    V_RECORD(&in) = IRecordInfo_RecordCreate(info);
    V_RECORDINFO(&in) = info;
    V_VT(&in) = VT_RECORD;
    V_VT(&in_out) = VT_ARRAY | VT_RECORD;
    V_ARRAY(&in_out) = SafeArrayCreateVectorEx(VT_RECORD, 0, 1, info);
    IEcho_Variants(face, in, &in_out, &out);
    write_call_as(directory, 21, 0, "-records");
    VariantClear(&in);
    VariantClear(&in_out);
    VariantClear(&out);
}

static void write_safearrays(const char *directory, IEcho *face)
{
    SAFEARRAYBOUND bounds[] = {{2, -1}, {1, 5}};
    IRecordInfo *info = NULL;
    via_record_info(&marshal_test_typelib, "Sample", &info);
    SAFEARRAY *texts = SafeArrayCreateVector(VT_BSTR, 0, 2);
    SAFEARRAY *all[9] = {SafeArrayCreate(VT_I4, 2, bounds), SafeArrayCreateVector(VT_VARIANT, 0, 1),
                         SafeArrayCreateVector(VT_UNKNOWN, 0, 1),
                         info ? SafeArrayCreateVectorEx(VT_RECORD, 0, 1, info) : NULL};
    IEcho_Safearrays(face, all[0], &texts, all[1], all[2], all[3], &all[4], &all[5], &all[6],
                     &all[7]);
    write_call(directory, 22);
    all[8] = texts;
    for (size_t i = 0; i < 9; i++)
        SafeArrayDestroy(all[i]);
}

/* The arguments of a method of IShapes. */
static void write_shapes(const char *directory, const char *name, void **arguments)
{
    const struct marshal_interface *shapes = shapes_interface();
    struct marshal_pointers pointers = loop_pointers(&proxy);
    struct buffer payload, encoded;
    unsigned index = 0;
    while (index < shapes->n_methods && strcmp(shapes->methods[index].method->name, name))
        index++;
    uint8_t front[N_FRONT] = {(uint8_t)(prepare()->n_methods + index)};
    buffer_init(&payload, 1 << 16);
    buffer_init(&encoded, 1 << 16);
    buffer_append(&payload, front, N_FRONT);
    if (index == shapes->n_methods ||
        FAILED(marshal_encode_arguments(&shapes->methods[index], arguments, &pointers, &encoded)))
        fuzz_fail("the corpus cannot be encoded");
    buffer_append(&payload, encoded.data, encoded.size);
    fuzz_write_file(directory, name, payload.data, payload.size);
    buffer_deinit(&encoded);
    buffer_deinit(&payload);
}

static void write_line(const char *directory)
{
    Triple one = {1, 2, 3}, many[2] = {{4, 5, 6}, {7, 8, 9}};
    Triple *one_at = &one, *many_at = many;
    Names names = {NULL, NULL};
    struct Vectors in = {.given = &one, .n = 2, .many = many, .more = &names};
    struct Vectors *in_at = &in;
    USHORT n = 2;
    void *out = &n;
    write_shapes(directory, "Line", (void *[]){&one_at, &one_at, &in_at, &n, &many_at, &out, &out});
}

static void write_needy(const char *directory)
{
    LONG kind = 4, one = 1, number = 5;
    void *out = &kind; /* what only comes back is not looked at */
    ULONG room = 3, n = 1;
    struct Pair pair = {1.5, 2};
    Shape shape = {.pair = &pair}, *shape_at = &shape;
    BSTR names[3] = {0}, *names_at = names;
    BYTE bytes[8] = {0}, *bytes_at = bytes;
    LONG *number_at = &number;
    const IID *iid = &IID_IEcho;
    IUnknown *none = NULL;
    struct Held held = {.kind = 6, .room = 2, .n = 1, .names = names}, *held_at = &held;
    Marked marked = {.kind = 1, .value = {.real = 2.5}};
    Real real = {.kind = 1, .value = {.real = 1.5}};
    held.marked[0].kind = 3;
    write_shapes(directory, "Choose", (void *[]){&kind, &shape_at, &out, &out});
    write_shapes(directory, "Vary", (void *[]){&room, &n, &names_at, &out, &out});
    write_shapes(directory, "Compute", (void *[]){&one, &number_at, &bytes_at});
    write_shapes(directory, "Query", (void *[]){&iid, &none, &out});
    write_shapes(directory, "Hold", (void *[]){&held_at, &marked, &real});
    write_line(directory);
}

void fuzz_write_corpus(const char *directory)
{
    LONGLONG integers;
    double reals;
    IEcho *out = NULL;
    ULONG n;
    IUnknown *list[] = {(IUnknown *)&echo.IEcho_iface, NULL};
    prepare();
    proxy.n_objects = 0;
    proxy.tap = &tap;
    IEcho *face = loop_proxy_face(&proxy);
    IEcho_Scalars(face, -5, 200, -30000, 60000, -2, 4, 7, 1.5f, 2.25, 'A', &integers, &reals);
    write_call(directory, 3);
    write_strings(directory, face);
    write_records(directory, face);
    write_arrays(directory, face);
    write_replace(directory, face);
    IEcho_Objects(face, &echo.IEcho_iface, &out, 2, list, &n);
    write_call(directory, 11);
    IEcho_put_Level(face, 7);
    write_call(directory, 15);
    LONG numbers[] = {1, 2}, *row = numbers, sum;
    struct Grid grid = {&row, 2};
    IEcho_Rows(face, &grid, &sum);
    write_call(directory, 16);
    struct Bits bits = {1, {VARIANT_TRUE, VARIANT_FALSE, VARIANT_TRUE}, 2};
    IEcho_Flip(face, &bits);
    write_call(directory, 17);
    write_amounts(directory, face);
    write_variants(directory, face);
    write_records_in_variants(directory, face);
    write_safearrays(directory, face);
    write_needy(directory);
}
