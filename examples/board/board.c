/*
 * The board: an object with events, the same source for both systems.
 *
 * There is one board in a process, which every client gets, and which lives as long as the process.
 * What makes events of it are three lines in make_board() and one in Board_Post().
 */
#include "board.h"

#include <stdatomic.h>
#include <stddef.h>
#include <stdlib.h>
#include <viaduct/component.h>
#include <viaduct/events.h>

struct board {
    IBoard IBoard_iface;
    atomic_uint references;
    atomic_uint n_posted;
    struct via_events events; /* answers for IConnectionPointContainer */
    IBoardEvents *fire;       /* a call of it goes to all who listen */
};

/* With a reference of the process' own. */
static _Atomic(struct board *) the_board;
static atomic_uint n_locks;

static struct board *board_from_IBoard(IBoard *iface)
{
    return (struct board *)((char *)iface - offsetof(struct board, IBoard_iface));
}

static HRESULT STDMETHODCALLTYPE Board_QueryInterface(IBoard *iface, REFIID iid, void **object)
{
    *object = NULL;
    if (IsEqualIID(iid, &IID_IUnknown) || IsEqualIID(iid, &IID_IBoard))
        *object = iface;
    else if (IsEqualIID(iid, &IID_IConnectionPointContainer))
        *object = via_events_container(&board_from_IBoard(iface)->events);
    else
        return E_NOINTERFACE;
    IBoard_AddRef(iface);
    return S_OK;
}

static ULONG STDMETHODCALLTYPE Board_AddRef(IBoard *iface)
{
    return atomic_fetch_add(&board_from_IBoard(iface)->references, 1) + 1;
}

static ULONG STDMETHODCALLTYPE Board_Release(IBoard *iface)
{
    struct board *board = board_from_IBoard(iface);
    ULONG left = atomic_fetch_sub(&board->references, 1) - 1;

    if (left == 0) {
        via_events_deinit(&board->events);
        free(board);
    }
    return left;
}

static HRESULT STDMETHODCALLTYPE Board_Post(IBoard *iface, BSTR text, ULONG *number)
{
    struct board *board = board_from_IBoard(iface);

    *number = atomic_fetch_add(&board->n_posted, 1) + 1;
    /* Returns at once, however slow they are who listen. */
    return IBoardEvents_Posted(board->fire, *number, text);
}

static HRESULT STDMETHODCALLTYPE Board_CountListeners(IBoard *iface, ULONG *count)
{
    struct via_event_counters counters = {.size = sizeof(counters)};
    HRESULT hr =
        via_events_get_counters(&board_from_IBoard(iface)->events, &IID_IBoardEvents, &counters);

    *count = counters.n_sinks;
    return hr;
}

static const IBoardVtbl board_vtable = {
    Board_QueryInterface, Board_AddRef, Board_Release, Board_Post, Board_CountListeners,
};

static HRESULT make_board(struct board **result)
{
    struct board *board = calloc(1, sizeof(*board));
    HRESULT hr;

    if (!board)
        return E_OUTOFMEMORY;
    board->IBoard_iface.lpVtbl = &board_vtable;
    board->references = 1;
    hr = via_events_init(&board->events, (IUnknown *)&board->IBoard_iface);
    if (SUCCEEDED(hr))
        hr = via_events_add(&board->events, &IID_IBoardEvents, NULL, (void **)&board->fire);
    if (FAILED(hr)) {
        Board_Release(&board->IBoard_iface);
        return hr;
    }
    *result = board;
    return S_OK;
}

/* Two clients may want the first board at once. */
static HRESULT get_board(struct board **result)
{
    struct board *board = atomic_load(&the_board);
    struct board *made;
    HRESULT hr;

    if (!board) {
        hr = make_board(&made);
        if (FAILED(hr))
            return hr;
        if (atomic_compare_exchange_strong(&the_board, &board, made))
            board = made;
        else
            Board_Release(&made->IBoard_iface);
    }
    *result = board;
    return S_OK;
}

/* The class object: a factory, of which there is one for ever, so that it counts nothing. */

static HRESULT STDMETHODCALLTYPE Factory_QueryInterface(IClassFactory *iface, REFIID iid,
                                                        void **object)
{
    *object = NULL;
    if (!IsEqualIID(iid, &IID_IUnknown) && !IsEqualIID(iid, &IID_IClassFactory))
        return E_NOINTERFACE;
    *object = iface;
    return S_OK;
}

static ULONG STDMETHODCALLTYPE Factory_AddRef(IClassFactory *iface)
{
    (void)iface;
    return 2;
}

static ULONG STDMETHODCALLTYPE Factory_Release(IClassFactory *iface)
{
    (void)iface;
    return 1;
}

static HRESULT STDMETHODCALLTYPE Factory_CreateInstance(IClassFactory *iface, IUnknown *outer,
                                                        REFIID iid, void **object)
{
    struct board *board;
    HRESULT hr;

    (void)iface;
    *object = NULL;
    if (outer)
        return CLASS_E_NOAGGREGATION;
    hr = get_board(&board);
    return FAILED(hr) ? hr : Board_QueryInterface(&board->IBoard_iface, iid, object);
}

static HRESULT STDMETHODCALLTYPE Factory_LockServer(IClassFactory *iface, BOOL lock)
{
    (void)iface;
    n_locks += lock ? 1u : -1u;
    return S_OK;
}

static IClassFactoryVtbl factory_vtable = {
    Factory_QueryInterface, Factory_AddRef,     Factory_Release,
    Factory_CreateInstance, Factory_LockServer,
};
static IClassFactory factory = {&factory_vtable};

static HRESULT STDMETHODCALLTYPE get_class_object(REFCLSID clsid, REFIID iid, void **object)
{
    *object = NULL;
    if (!IsEqualCLSID(clsid, &CLSID_Board))
        return CLASS_E_CLASSNOTAVAILABLE;
    return IClassFactory_QueryInterface(&factory, iid, object);
}

/* The process' own reference is no reason to stay. */
static HRESULT STDMETHODCALLTYPE can_unload_now(void)
{
    struct board *board = atomic_load(&the_board);

    return n_locks == 0 && (!board || board->references == 1) ? S_OK : S_FALSE;
}

static const struct via_component_class classes[] = {{
    .clsid = &CLSID_Board,
    .progid = "Viaduct.Board",
    .description = "Tells everybody who listens what is posted",
    .threading = VIA_THREADING_FREE,
    .coclass = "Board",
}};

static const struct via_typelib *const typelibs[] = {&board_typelib};

VIADUCT_COMPONENT_EXPORT const struct via_component viaduct_component = {
    .abi = VIA_COMPONENT_ABI,
    .size = sizeof(struct via_component),
    .name = "board",
    .version = "1.0.0",
    .typelibs = typelibs,
    .n_typelibs = 1,
    .n_classes = 1,
    .classes = classes,
    .get_class_object = get_class_object,
    .can_unload_now = can_unload_now,
};
