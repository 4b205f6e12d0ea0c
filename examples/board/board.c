/*
 * The board: an object with events, the same source for both systems.
 *
 * There is one board in a process, which every client gets, and which lives as long as the process.
 * What makes events of it are three lines in make_board() and one in Board_Post().
 */
#include "board.h"

#include <stdatomic.h>
#include <viaduct/component.h>
#include <viaduct/events.h>
#include <viaduct/object.h>

#include "pause.h"

/* Between two posts of WaitFor. */
#define INTERVAL_MS 20

struct board {
    struct via_object object;
    IBoard IBoard_iface;
    atomic_uint n_posted;
    struct via_events events; /* answers for IConnectionPointContainer */
    IBoardEvents *fire;       /* a call of it goes to all who listen */
};

/* With a reference of the process' own. */
static _Atomic(struct board *) the_board;

static struct board *board_from_IBoard(IBoard *iface)
{
    return VIA_OBJECT_OF(iface, struct board, IBoard);
}

VIA_OBJECT_METHODS(Board, struct board, IBoard)

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

/* Whoever calls it listens as well: the events come to where the caller waits for this method. */
static HRESULT STDMETHODCALLTYPE Board_WaitFor(IBoard *iface, ULONG milliseconds, ULONG *count)
{
    BSTR text = SysAllocString(VIA_STR("still here"));
    HRESULT hr = text ? S_OK : E_OUTOFMEMORY;

    *count = 0;
    for (ULONG waited = 0; waited < milliseconds && SUCCEEDED(hr); waited += INTERVAL_MS) {
        ULONG number;

        hr = Board_Post(iface, text, &number);
        *count += 1;
        pause_ms(INTERVAL_MS);
    }
    SysFreeString(text);
    return FAILED(hr) ? hr : S_OK;
}

static const IBoardVtbl board_vtable = {
    Board_QueryInterface, Board_AddRef,         Board_Release,
    Board_Post,           Board_CountListeners, Board_WaitFor,
};

static void end_board(struct via_object *object)
{
    via_events_deinit(&((struct board *)object)->events);
}

static const struct via_object_interface board_interfaces[] = {
    VIA_OBJECT_INTERFACE(struct board, IBoard, board_vtable),
    {&IID_IConnectionPointContainer, offsetof(struct board, events), NULL},
    {.iid = NULL},
};

static struct via_module module;

static const struct via_object_kind board_kind = {
    .size = sizeof(struct board),
    .interfaces = board_interfaces,
    .module = &module,
    .end = end_board,
};

static HRESULT make_board(struct board **result)
{
    struct board *board = via_object_new(&board_kind);
    HRESULT hr;

    if (!board)
        return E_OUTOFMEMORY;
    hr = via_events_init(&board->events, (IUnknown *)&board->IBoard_iface);
    if (SUCCEEDED(hr))
        hr = via_events_add(&board->events, &IID_IBoardEvents, NULL, (void **)&board->fire);
    if (FAILED(hr)) {
        via_object_release(&board->object);
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
            via_object_release(&made->object);
    }
    *result = board;
    return S_OK;
}

static HRESULT give_board(REFIID iid, void **object)
{
    struct board *board;
    HRESULT hr = get_board(&board);

    return FAILED(hr) ? hr : via_object_query(&board->object, iid, object);
}

/* The class object. */
static struct via_factory factory = VIA_FACTORY(&board_kind, give_board);

static HRESULT STDMETHODCALLTYPE get_class_object(REFCLSID clsid, REFIID iid, void **object)
{
    *object = NULL;
    if (!IsEqualCLSID(clsid, &CLSID_Board))
        return CLASS_E_CLASSNOTAVAILABLE;
    return via_factory_get(&factory, iid, object);
}

/* The board itself, with the process' own reference, is no reason to stay. */
static HRESULT STDMETHODCALLTYPE can_unload_now(void)
{
    struct board *board = atomic_load(&the_board);

    if (!board)
        return via_module_is_idle(&module) ? S_OK : S_FALSE;
    return via_count_read(&module.n_held) == 1 && via_count_read(&board->object.references) == 1
               ? S_OK
               : S_FALSE;
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
