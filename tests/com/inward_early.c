/*
 * A COM client in C that calls objects on Linux through the slots of their vtables, with headers
 * that viaduct-idl has made, and knows nothing else of Viaduct: callbacks and sinks, in a
 * single-threaded apartment and in the multi-threaded one.
 */
#define COBJMACROS
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <windows.h>

#include <ocidl.h>

#include "board.h"
#include "inward_bell.h"
#include "inward_named.h"
#include "shelf.h"

#define N_TOLD   5
#define N_TELLS  20
#define N_EVENTS 50
#define N_LEAVES 10
#define WAIT_MS  10000

static unsigned n_failed; /* a thread at a time */

void check(bool good, const char *what)
{
    if (!good)
        printf("not so: %s\n", what);
    n_failed += !good;
}

/* --- what the client hands out --- */

/* One object for both interfaces, which have one method each. The counts are any thread's. */
struct ears {
    IShelfListener IShelfListener_iface;
    IBoardEvents IBoardEvents_iface;
    volatile LONG references;
    IShelf *shelf;             /* asked in the callback; not a reference */
    DWORD thread;              /* which may call it; 0: any */
    bool leaves;               /* COM, in a callback */
    volatile LONG n_heard;     /* events */
    volatile LONG n_elsewhere; /* calls on another thread */
};

static HRESULT ears_query(struct ears *ears, REFIID iid, void **object)
{
    *object = NULL;
    if (IsEqualIID(iid, &IID_IUnknown) || IsEqualIID(iid, &IID_IShelfListener))
        *object = &ears->IShelfListener_iface;
    else if (IsEqualIID(iid, &IID_IBoardEvents))
        *object = &ears->IBoardEvents_iface;
    if (!*object)
        return E_NOINTERFACE;
    InterlockedIncrement(&ears->references);
    return S_OK;
}

static void note_thread(struct ears *ears)
{
    if (ears->thread && ears->thread != GetCurrentThreadId())
        InterlockedIncrement(&ears->n_elsewhere);
}

#define EARS_OF(iface, member) CONTAINING_RECORD(iface, struct ears, member##_iface)

static HRESULT STDMETHODCALLTYPE Listener_QueryInterface(IShelfListener *iface, REFIID iid,
                                                         void **object)
{
    return ears_query(EARS_OF(iface, IShelfListener), iid, object);
}

static ULONG STDMETHODCALLTYPE Listener_AddRef(IShelfListener *iface)
{
    return (ULONG)InterlockedIncrement(&EARS_OF(iface, IShelfListener)->references);
}

static ULONG STDMETHODCALLTYPE Listener_Release(IShelfListener *iface)
{
    return (ULONG)InterlockedDecrement(&EARS_OF(iface, IShelfListener)->references);
}

/* Within the call that it is told in, it calls the object that tells. */
static HRESULT STDMETHODCALLTYPE Listener_Heard(IShelfListener *iface, LONG n, LONG *answer)
{
    struct ears *ears = EARS_OF(iface, IShelfListener);
    LONG count = 0;
    HRESULT hr = IShelf_get_Count(ears->shelf, &count);

    note_thread(ears);
    *answer = n * count;
    if (ears->leaves && n == N_TOLD - 1)
        CoUninitialize();
    return hr;
}

static HRESULT STDMETHODCALLTYPE Events_QueryInterface(IBoardEvents *iface, REFIID iid,
                                                       void **object)
{
    return ears_query(EARS_OF(iface, IBoardEvents), iid, object);
}

static ULONG STDMETHODCALLTYPE Events_AddRef(IBoardEvents *iface)
{
    return (ULONG)InterlockedIncrement(&EARS_OF(iface, IBoardEvents)->references);
}

static ULONG STDMETHODCALLTYPE Events_Release(IBoardEvents *iface)
{
    return (ULONG)InterlockedDecrement(&EARS_OF(iface, IBoardEvents)->references);
}

static HRESULT STDMETHODCALLTYPE Events_Posted(IBoardEvents *iface, ULONG number, BSTR text)
{
    struct ears *ears = EARS_OF(iface, IBoardEvents);

    note_thread(ears);
    if (number > 0 && SysStringLen(text) > 0)
        InterlockedIncrement(&ears->n_heard);
    return S_OK;
}

static const IShelfListenerVtbl listener_vtable = {Listener_QueryInterface, Listener_AddRef,
                                                   Listener_Release, Listener_Heard};
static const IBoardEventsVtbl events_vtable = {Events_QueryInterface, Events_AddRef, Events_Release,
                                               Events_Posted};

static void ears_init(struct ears *ears, IShelf *shelf, DWORD thread)
{
    memset(ears, 0, sizeof *ears);
    ears->IShelfListener_iface.lpVtbl = &listener_vtable;
    ears->IBoardEvents_iface.lpVtbl = &events_vtable;
    ears->references = 1;
    ears->shelf = shelf;
    ears->thread = thread;
}

/* --- what it does --- */

static void use_slots(IShelf *shelf)
{
    VARIANT a = {.vt = VT_I4, .lVal = 7}, b = {.vt = VT_EMPTY};
    LONG tens = 0, ones = 0;
    BSTR text = NULL;
    IErrorInfo *info = NULL;

    check(SUCCEEDED(IShelf_Split(shelf, 42, &tens, &ones)) && tens == 4 && ones == 2, "Split");
    check(SUCCEEDED(IShelf_get_Item(shelf, 1, &text)) && text && !wcscmp(text, L"two"), "Item");
    SysFreeString(text);
    check(SUCCEEDED(IShelf_Swap(shelf, &a, &b)) && a.vt == VT_EMPTY && b.lVal == 7, "Swap");
    check(IShelf_get_Item(shelf, 9, &text) == DISP_E_BADINDEX && !text, "Item(9)");
    text = NULL;
    check(GetErrorInfo(0, &info) == S_OK && SUCCEEDED(IErrorInfo_GetDescription(info, &text)) &&
              text && !wcscmp(text, L"there is nothing at that place"),
          "the error's description");
    SysFreeString(text);
    if (info)
        IErrorInfo_Release(info);
}

static bool has(IShelf *shelf, const IID *iid)
{
    IUnknown *found = NULL;
    HRESULT hr = IShelf_QueryInterface(shelf, iid, (void **)&found);

    if (found)
        IUnknown_Release(found);
    return SUCCEEDED(hr) && found;
}

/* What script engines ask for first, and what they must not find. */
static void look_at_sides(IShelf *shelf)
{
    static const IID bind = {
        0x63cdbcb0, 0xc1b1, 0x11d0, {0x93, 0x36, 0x00, 0xa0, 0xc9, 0x0d, 0xca, 0xa9}};
    static const IID site = {
        0xfc4801a3, 0x2ba9, 0x11cf, {0xa2, 0x29, 0x00, 0xaa, 0x00, 0x3d, 0x73, 0x52}};
    IProvideClassInfo *provider = NULL;
    ISupportErrorInfo *errors = NULL;
    ITypeInfo *info = NULL;
    TYPEATTR *attributes = NULL;

    check(has(shelf, &IID_IDispatch) && has(shelf, &IID_IMarshal) && has(shelf, &bind),
          "IDispatch, IMarshal and IBindEventHandler");
    check(!has(shelf, &site), "no IObjectWithSite");
    check(SUCCEEDED(IShelf_QueryInterface(shelf, &IID_ISupportErrorInfo, (void **)&errors)) &&
              ISupportErrorInfo_InterfaceSupportsErrorInfo(errors, &IID_IShelf) == S_OK,
          "ISupportErrorInfo");
    check(SUCCEEDED(IShelf_QueryInterface(shelf, &IID_IProvideClassInfo, (void **)&provider)) &&
              SUCCEEDED(IProvideClassInfo_GetClassInfo(provider, &info)) &&
              SUCCEEDED(ITypeInfo_GetTypeAttr(info, &attributes)) &&
              IsEqualGUID(&attributes->guid, &CLSID_Shelf),
          "IProvideClassInfo");
    if (attributes)
        ITypeInfo_ReleaseTypeAttr(info, attributes);
    if (info)
        ITypeInfo_Release(info);
    if (provider)
        IProvideClassInfo_Release(provider);
    if (errors)
        ISupportErrorInfo_Release(errors);
}

static void pump_until(const struct ears *ears, LONG n)
{
    ULONGLONG end = GetTickCount64() + WAIT_MS;
    MSG message;

    while (ears->n_heard < n && GetTickCount64() < end) {
        MsgWaitForMultipleObjects(0, NULL, FALSE, 20, QS_ALLINPUT);
        while (PeekMessageW(&message, NULL, 0, 0, PM_REMOVE))
            DispatchMessageW(&message);
    }
}

/* The other side lets go on its own time. */
static bool is_released(const struct ears *ears)
{
    ULONGLONG end = GetTickCount64() + WAIT_MS;

    while (ears->references > 1 && GetTickCount64() < end)
        Sleep(5);
    return ears->references == 1;
}

static void listen_to(IBoard *board, struct ears *ears)
{
    IConnectionPointContainer *container = NULL;
    IConnectionPoint *point = NULL;
    BSTR text = SysAllocString(L"from C");
    DWORD cookie = 0;
    ULONG number;
    bool posted = true;

    check(SUCCEEDED(
              IBoard_QueryInterface(board, &IID_IConnectionPointContainer, (void **)&container)) &&
              SUCCEEDED(IConnectionPointContainer_FindConnectionPoint(container, &IID_IBoardEvents,
                                                                      &point)) &&
              SUCCEEDED(IConnectionPoint_Advise(
                  point, (IUnknown *)(void *)&ears->IShelfListener_iface, &cookie)),
          "a sink");
    /* They queue here: nobody has to wait for what a one-way call does. */
    for (int i = 0; i < N_EVENTS; i++)
        posted &= SUCCEEDED(IBoard_Post(board, text, &number));
    check(posted, "Post");
    SysFreeString(text);
    pump_until(ears, N_EVENTS);
    check(ears->n_heard >= N_EVENTS, "events");
    check(SUCCEEDED(IConnectionPoint_Unadvise(point, cookie)), "Unadvise");
    IConnectionPoint_Release(point);
    IConnectionPointContainer_Release(container);
}

/* Each time it is handed out and given back again, which may come while it still runs. */
static void be_told(IShelf *shelf, struct ears *ears)
{
    LONG sum = 0;

    for (int i = 0; i < N_TELLS; i++) {
        check(SUCCEEDED(IShelf_Tell(shelf, &ears->IShelfListener_iface, N_TOLD, &sum)) && sum == 30,
              "a callback, and a call in it");
    }
}

static void use(DWORD apartment)
{
    struct ears *ears = malloc(sizeof *ears);
    IShelf *shelf = NULL;
    IBoard *board = NULL;

    check(ears != NULL, "memory");
    check(SUCCEEDED(CoInitializeEx(NULL, apartment)), "COM");
    check(SUCCEEDED(CoCreateInstance(&CLSID_Shelf, NULL, CLSCTX_INPROC_SERVER, &IID_IShelf,
                                     (void **)&shelf)) &&
              SUCCEEDED(CoCreateInstance(&CLSID_Board, NULL, CLSCTX_INPROC_SERVER, &IID_IBoard,
                                         (void **)&board)),
          "objects");
    if (n_failed)
        return;
    ears_init(ears, shelf, apartment == COINIT_APARTMENTTHREADED ? GetCurrentThreadId() : 0);
    use_slots(shelf);
    look_at_sides(shelf);
    use_names(shelf);
    fail_late(shelf);
    be_told(shelf, ears);
    listen_to(board, ears);
    check(ears->n_elsewhere == 0, "calls on the apartment's thread");
    IBoard_Release(board);
    IShelf_Release(shelf);
    CoUninitialize();
    check(is_released(ears), "nobody holds what was handed out");
    if (ears->references == 1)
        free(ears);
}

/* The last CoUninitialize() of a thread stands in a callback: that is answered still, and the
 * thread goes on in the multi-threaded apartment, which others have. */
static DWORD WINAPI leave_in_a_callback(void *context)
{
    struct ears *ears = malloc(sizeof *ears);
    IShelf *shelf = NULL;
    LONG sum = 0, count = 0;

    (void)context;
    check(ears != NULL && SUCCEEDED(CoInitializeEx(NULL, COINIT_APARTMENTTHREADED)) &&
              SUCCEEDED(CoCreateInstance(&CLSID_Shelf, NULL, CLSCTX_INPROC_SERVER, &IID_IShelf,
                                         (void **)&shelf)),
          "an object to leave");
    if (n_failed)
        return 1;
    ears_init(ears, shelf, GetCurrentThreadId());
    ears->leaves = true;
    check(SUCCEEDED(IShelf_Tell(shelf, &ears->IShelfListener_iface, N_TOLD, &sum)) && sum == 30,
          "a callback that leaves COM");
    check(SUCCEEDED(IShelf_get_Count(shelf, &count)) && count == 3, "a call behind it");
    IShelf_Release(shelf);
    check(ears->n_elsewhere == 0, "calls on the apartment's thread");
    check(is_released(ears), "nobody holds what was handed out");
    if (ears->references == 1)
        free(ears);
    return 0;
}

static void leave_in_callbacks(void)
{
    CoInitializeEx(NULL, COINIT_MULTITHREADED);
    for (int i = 0; i < N_LEAVES && !n_failed; i++) {
        HANDLE thread = CreateThread(NULL, 0, leave_in_a_callback, NULL, 0, NULL);

        check(thread && WaitForSingleObject(thread, WAIT_MS) == WAIT_OBJECT_0, "a thread");
        CloseHandle(thread);
    }
    CoUninitialize();
}

int main(void)
{
    use(COINIT_APARTMENTTHREADED);
    use(COINIT_MULTITHREADED);
    use_bells();
    leave_in_callbacks();
    printf(n_failed ? "failed\n" : "done\n");
    return n_failed ? 1 : 0;
}
