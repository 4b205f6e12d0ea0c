#include "tests/transfer/transfer_object.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "core/os/clock.h"
#include "tests/transfer/pattern.h"
#include "tests/transfer/points.h"
#include "tests/transfer/system.h"

struct transfer {
    ITransfer ITransfer_iface;
    atomic_uint refs;
    VIA_HANDLE kept; /* the test calls one method at a time */
    _Atomic int64_t generated;
};

static atomic_long the_count;

static struct transfer *from_iface(ITransfer *iface)
{
    return (struct transfer *)((char *)iface - offsetof(struct transfer, ITransfer_iface));
}

LONG transfer_count(void)
{
    return (LONG)atomic_load(&the_count);
}

BSTR transfer_text(const char *ascii)
{
    size_t n = strlen(ascii);
    BSTR text = SysAllocStringLen(NULL, (UINT)n);
    for (size_t i = 0; text != NULL && i < n; i++)
        text[i] = (WCHAR)ascii[i];
    return text;
}

static HRESULT STDMETHODCALLTYPE Transfer_QueryInterface(ITransfer *iface, REFIID iid,
                                                         void **object)
{
    bool is_known = IsEqualIID(iid, &IID_IUnknown) || IsEqualIID(iid, &IID_ITransfer);
    *object = is_known ? iface : NULL;
    if (is_known)
        ITransfer_AddRef(iface);
    return is_known ? S_OK : E_NOINTERFACE;
}

static ULONG STDMETHODCALLTYPE Transfer_AddRef(ITransfer *iface)
{
    return (ULONG)atomic_fetch_add(&from_iface(iface)->refs, 1) + 1;
}

static ULONG STDMETHODCALLTYPE Transfer_Release(ITransfer *iface)
{
    struct transfer *self = from_iface(iface);
    ULONG refs = (ULONG)atomic_fetch_sub(&self->refs, 1) - 1;
    if (refs > 0)
        return refs;
    via_handle_close(self->kept);
    free(self);
    atomic_fetch_sub(&the_count, 1);
    return 0;
}

static HRESULT STDMETHODCALLTYPE Transfer_Exit(ITransfer *iface)
{
    (void)iface;
    _Exit(0);
}

static HRESULT STDMETHODCALLTYPE Transfer_CountHandles(ITransfer *iface, LONG *n)
{
    (void)iface;
    *n = system_count_handles();
    return S_OK;
}

static HRESULT STDMETHODCALLTYPE Transfer_Write(ITransfer *iface, VIA_HANDLE file, BSTR text)
{
    char bytes[256];
    size_t n = SysStringLen(text) < sizeof bytes ? SysStringLen(text) : sizeof bytes;
    (void)iface;
    for (size_t i = 0; i < n; i++)
        bytes[i] = (char)text[i];
    return system_write(file, bytes, n) == (long)n ? S_OK : E_FAIL;
}

static HRESULT STDMETHODCALLTYPE Transfer_Read(ITransfer *iface, VIA_HANDLE file, BSTR *text)
{
    char bytes[256];
    (void)iface;
    long n = system_read(file, bytes, sizeof bytes - 1);
    if (n < 0)
        return E_FAIL;
    bytes[n] = '\0';
    *text = transfer_text(bytes);
    return S_OK;
}

static HRESULT STDMETHODCALLTYPE Transfer_MakePipe(ITransfer *iface, VIA_HANDLE *reader,
                                                   VIA_HANDLE *writer)
{
    (void)iface;
    return system_pipe(reader, writer) ? S_OK : E_FAIL;
}

static HRESULT STDMETHODCALLTYPE Transfer_Keep(ITransfer *iface, VIA_HANDLE file)
{
    struct transfer *self = from_iface(iface);
    via_handle_close(self->kept);
    return via_handle_duplicate(file, &self->kept);
}

static HRESULT STDMETHODCALLTYPE Transfer_GetKept(ITransfer *iface, VIA_HANDLE *file)
{
    return via_handle_duplicate(from_iface(iface)->kept, file);
}

static HRESULT STDMETHODCALLTYPE Transfer_Swap(ITransfer *iface, VIA_HANDLE *file)
{
    struct transfer *self = from_iface(iface);
    VIA_HANDLE old = self->kept;
    self->kept = *file;
    *file = old;
    return S_OK;
}

static HRESULT STDMETHODCALLTYPE Transfer_Fail(ITransfer *iface, VIA_HANDLE *file)
{
    (void)iface;
    return system_file(file) ? E_ABORT : E_FAIL;
}

static HRESULT STDMETHODCALLTYPE Transfer_Fill(ITransfer *iface, VIA_HANDLE memory, ULONG size,
                                               BYTE value)
{
    (void)iface;
    void *at = system_map(memory, size);
    if (at == NULL)
        return E_FAIL;
    memset(at, value, size);
    system_unmap(at, size);
    return S_OK;
}

static HRESULT STDMETHODCALLTYPE Transfer_Signal(ITransfer *iface, VIA_HANDLE event)
{
    (void)iface;
    return system_event_set(event) ? S_OK : E_FAIL;
}

static HRESULT STDMETHODCALLTYPE Transfer_Forward(ITransfer *iface, ITransfer *other,
                                                  VIA_HANDLE file, BSTR text)
{
    (void)iface;
    return ITransfer_Write(other, file, text);
}

/* The number behind the file's last one, which a frame out of order would break. */
static HRESULT STDMETHODCALLTYPE Transfer_Pass(ITransfer *iface, ULONG size, BYTE *data,
                                               VIA_HANDLE file, ULONG number)
{
    (void)iface;
    for (ULONG i = 0; i < size; i++)
        if (data[i] != (BYTE)(i + number))
            return E_FAIL;
    return system_write(file, &number, sizeof number) == (long)sizeof number ? S_OK : E_FAIL;
}

static HRESULT STDMETHODCALLTYPE Transfer_GetMemoryInUse(ITransfer *iface, LONGLONG *size)
{
    (void)iface;
    *size = system_memory_in_use();
    return S_OK;
}

static HRESULT STDMETHODCALLTYPE Transfer_MakePattern(ITransfer *iface, LONGLONG size,
                                                      LONGLONG fails_at, ISequentialStream **stream)
{
    (void)iface;
    *stream = pattern_new(size, fails_at);
    return *stream != NULL ? S_OK : E_OUTOFMEMORY;
}

static HRESULT STDMETHODCALLTYPE Transfer_Generate(ITransfer *iface, ISequentialStream *to,
                                                   LONGLONG size, ULONG piece)
{
    struct transfer *self = from_iface(iface);
    BYTE *bytes = malloc(piece);
    HRESULT hr = bytes != NULL ? S_OK : E_OUTOFMEMORY;
    atomic_store(&self->generated, 0);
    for (LONGLONG done = 0; SUCCEEDED(hr) && done < size;) {
        ULONG wanted = size - done < piece ? (ULONG)(size - done) : piece;
        ULONG n = 0;
        pattern_fill(bytes, done, wanted);
        hr = ISequentialStream_Write(to, bytes, wanted, &n);
        done += n;
        atomic_store(&self->generated, done);
    }
    free(bytes);
    return hr;
}

static HRESULT STDMETHODCALLTYPE Transfer_GetGenerated(ITransfer *iface, LONGLONG *size)
{
    *size = atomic_load(&from_iface(iface)->generated);
    return S_OK;
}

static HRESULT STDMETHODCALLTYPE Transfer_MakeMemory(ITransfer *iface, ULONG size, IStream **stream)
{
    (void)iface;
    BYTE *bytes = malloc(size + 1);
    if (bytes == NULL)
        return E_OUTOFMEMORY;
    pattern_fill(bytes, 0, size);
    HRESULT hr = via_stream_on_memory(bytes, size, stream);
    free(bytes);
    return hr;
}

static HRESULT STDMETHODCALLTYPE Transfer_MakeStreamOn(ITransfer *iface, VIA_HANDLE file,
                                                       IStream **stream)
{
    VIA_HANDLE own;
    (void)iface;
    HRESULT hr = via_handle_duplicate(file, &own);
    if (SUCCEEDED(hr) && FAILED(hr = via_stream_on_handle(own, stream)))
        via_handle_close(own);
    return hr;
}

#define MOST 200u

static HRESULT STDMETHODCALLTYPE Transfer_EnumTexts(ITransfer *iface, ULONG n, IEnumString **texts)
{
    WCHAR bytes[MOST][2] = {0};
    const WCHAR *items[MOST] = {NULL};
    (void)iface;
    for (ULONG i = 0; i < n && i < MOST; i++) {
        bytes[i][0] = (WCHAR)('a' + i % 26);
        bytes[i][1] = 0;
        items[i] = bytes[i];
    }
    return via_enum_strings(items, n, texts);
}

static HRESULT STDMETHODCALLTYPE Transfer_EnumValues(ITransfer *iface, ULONG n,
                                                     IEnumVARIANT **values)
{
    VARIANT items[MOST];
    memset(items, 0, sizeof items);
    (void)iface;
    for (ULONG i = 0; i < n && i < MOST; i++) {
        VariantInit(&items[i]);
        V_VT(&items[i]) = i % 2 == 0 ? VT_I4 : VT_BSTR;
        if (i % 2 == 0)
            V_I4(&items[i]) = (LONG)i;
        else
            V_BSTR(&items[i]) = transfer_text("odd");
    }
    HRESULT hr = via_enum_variants(items, n, values);
    for (ULONG i = 0; i < n && i < MOST; i++)
        VariantClear(&items[i]);
    return hr;
}

static HRESULT STDMETHODCALLTYPE Transfer_EnumObjects(ITransfer *iface, ULONG n,
                                                      IEnumUnknown **objects)
{
    IUnknown *items[MOST] = {NULL};
    (void)iface;
    for (ULONG i = 0; i < n && i < MOST; i++)
        items[i] = (IUnknown *)transfer_new();
    HRESULT hr = via_enum_unknown(items, n, objects);
    for (ULONG i = 0; i < n && i < MOST; i++)
        IUnknown_Release(items[i]);
    return hr;
}

static HRESULT STDMETHODCALLTYPE Transfer_EnumPoints(ITransfer *iface, ULONG n, IEnumPoint **points)
{
    (void)iface;
    *points = points_new(n, 0);
    return *points != NULL ? S_OK : E_OUTOFMEMORY;
}

static HRESULT STDMETHODCALLTYPE Transfer_CountNext(ITransfer *iface, LONG *n)
{
    (void)iface;
    *n = points_count_next();
    return S_OK;
}

static HRESULT STDMETHODCALLTYPE Transfer_Adopt(ITransfer *iface, VIA_HANDLE file, VIA_HANDLE *same,
                                                ITransfer **adopter)
{
    (void)iface;
    *adopter = transfer_new();
    if (*adopter == NULL)
        return E_OUTOFMEMORY;
    HRESULT hr = ITransfer_Keep(*adopter, file);
    return SUCCEEDED(hr) ? via_handle_duplicate(file, same) : hr;
}

static HRESULT STDMETHODCALLTYPE Transfer_WriteLate(ITransfer *iface, VIA_HANDLE file, ULONG ms,
                                                    VIA_HANDLE *same)
{
    (void)iface;
    os_sleep_ms(ms);
    HRESULT hr = system_write(file, "late", 4) == 4 ? S_OK : E_FAIL;
    return SUCCEEDED(hr) ? via_handle_duplicate(file, same) : hr;
}

static HRESULT STDMETHODCALLTYPE Transfer_Echo(ITransfer *iface, ITransfer *object,
                                               ITransfer **same)
{
    (void)iface;
    if (object != NULL)
        ITransfer_AddRef(object);
    *same = object;
    return S_OK;
}

static HRESULT STDMETHODCALLTYPE Transfer_Join(ITransfer *iface, VIA_HANDLE first,
                                               VIA_HANDLE second)
{
    (void)iface;
    return first != second ? S_OK : E_FAIL;
}

static HRESULT STDMETHODCALLTYPE Transfer_Consume(ITransfer *iface, ISequentialStream *from,
                                                  ULONG piece, LONGLONG *size)
{
    BYTE *bytes = malloc(piece);
    HRESULT hr = bytes != NULL ? S_OK : E_OUTOFMEMORY;
    (void)iface;
    for (*size = 0; hr == S_OK;) {
        ULONG n = 0;
        hr = ISequentialStream_Read(from, bytes, piece, &n);
        if (SUCCEEDED(hr) && !pattern_is(bytes, *size, n))
            hr = E_FAIL;
        *size += n;
    }
    free(bytes);
    return FAILED(hr) ? hr : S_OK;
}

static HRESULT STDMETHODCALLTYPE Transfer_GetPosition(ITransfer *iface, ISequentialStream *made,
                                                      LONGLONG *position)
{
    (void)iface;
    *position = pattern_position(made);
    return S_OK;
}

static HRESULT STDMETHODCALLTYPE Transfer_SetGate(ITransfer *iface, ISequentialStream *made,
                                                  VARIANT_BOOL is_open)
{
    (void)iface;
    pattern_set_gate(made, is_open != VARIANT_FALSE);
    return S_OK;
}

static const ITransferVtbl transfer_vtbl = {
    Transfer_QueryInterface, Transfer_AddRef,       Transfer_Release,        Transfer_Exit,
    Transfer_CountHandles,   Transfer_Write,        Transfer_Read,           Transfer_Write,
    Transfer_MakePipe,       Transfer_Keep,         Transfer_GetKept,        Transfer_Swap,
    Transfer_Fail,           Transfer_Fill,         Transfer_Signal,         Transfer_Write,
    Transfer_Forward,        Transfer_Pass,         Transfer_GetMemoryInUse, Transfer_MakePattern,
    Transfer_Generate,       Transfer_GetGenerated, Transfer_MakeMemory,     Transfer_MakeStreamOn,
    Transfer_EnumTexts,      Transfer_EnumValues,   Transfer_EnumObjects,    Transfer_EnumPoints,
    Transfer_CountNext,      Transfer_Adopt,        Transfer_WriteLate,      Transfer_Echo,
    Transfer_Join,           Transfer_Consume,      Transfer_GetPosition,    Transfer_SetGate,
};

ITransfer *transfer_new(void)
{
    struct transfer *self = calloc(1, sizeof *self);
    if (self == NULL)
        return NULL;
    self->ITransfer_iface.lpVtbl = &transfer_vtbl;
    atomic_init(&self->refs, 1);
    self->kept = VIA_NO_HANDLE;
    atomic_fetch_add(&the_count, 1);
    return &self->ITransfer_iface;
}
