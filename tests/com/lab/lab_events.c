/*
 * Connection points, whose sinks lie in the Global Interface Table, as those of every COM object
 * that calls them on other threads than the one that has brought them.
 */
#include "lab_object.h"

static IGlobalInterfaceTable *table(void)
{
    static IGlobalInterfaceTable *the_table;
    if (the_table == NULL)
        CoCreateInstance(&CLSID_StdGlobalInterfaceTable, NULL, CLSCTX_INPROC_SERVER,
                         &IID_IGlobalInterfaceTable, (void **)&the_table);
    return the_table;
}

DWORD lab_keep(IUnknown *object, REFIID iid)
{
    DWORD cookie = 0;
    if (object == NULL || table() == NULL ||
        FAILED(IGlobalInterfaceTable_RegisterInterfaceInGlobal(table(), object, iid, &cookie)))
        return 0;
    return cookie;
}

HRESULT lab_get_kept(DWORD cookie, REFIID iid, void **object)
{
    IUnknown *unknown;
    *object = NULL;
    if (cookie == 0)
        return E_POINTER;
    HRESULT hr = IGlobalInterfaceTable_GetInterfaceFromGlobal(table(), cookie, &IID_IUnknown,
                                                              (void **)&unknown);
    if (FAILED(hr))
        return hr;
    hr = IUnknown_QueryInterface(unknown, iid, object);
    IUnknown_Release(unknown);
    return hr;
}

void lab_forget(DWORD cookie)
{
    if (cookie != 0)
        IGlobalInterfaceTable_RevokeInterfaceFromGlobal(table(), cookie);
}

/* --- connection points --- */

static struct lab_connection *from_point(IConnectionPoint *iface)
{
    return (struct lab_connection *)iface;
}

static const IID *iid_of(const struct lab_connection *self)
{
    return self == &self->lab->points[LAB_EVENTS] ? &DIID_DLabEvents : &IID_ILabSink;
}

static HRESULT WINAPI Point_QueryInterface(IConnectionPoint *iface, REFIID iid, void **object)
{
    *object = NULL;
    if (!IsEqualIID(iid, &IID_IUnknown) && !IsEqualIID(iid, &IID_IConnectionPoint))
        return E_NOINTERFACE;
    lab_add_ref(from_point(iface)->lab);
    *object = iface;
    return S_OK;
}

static ULONG WINAPI Point_AddRef(IConnectionPoint *iface)
{
    return lab_add_ref(from_point(iface)->lab);
}

static ULONG WINAPI Point_Release(IConnectionPoint *iface)
{
    return lab_release(from_point(iface)->lab);
}

static HRESULT WINAPI Point_GetConnectionInterface(IConnectionPoint *iface, IID *iid)
{
    *iid = *iid_of(from_point(iface));
    return S_OK;
}

static HRESULT WINAPI Point_GetConnectionPointContainer(IConnectionPoint *iface,
                                                        IConnectionPointContainer **container)
{
    return lab_query(from_point(iface)->lab, &IID_IConnectionPointContainer, (void **)container);
}

static HRESULT WINAPI Point_Advise(IConnectionPoint *iface, IUnknown *sink, DWORD *cookie)
{
    struct lab_connection *self = from_point(iface);
    IUnknown *typed = NULL;
    *cookie = 0;
    if (FAILED(IUnknown_QueryInterface(sink, iid_of(self), (void **)&typed)))
        return CONNECT_E_CANNOTCONNECT;
    DWORD kept = lab_keep(sink, &IID_IUnknown);
    IUnknown_Release(typed);
    if (kept == 0)
        return CONNECT_E_CANNOTCONNECT;
    AcquireSRWLockExclusive(&self->lab->lock);
    for (DWORD i = 0; i < LAB_MAX_SINKS && *cookie == 0; i++) {
        if (self->sinks[i] != 0)
            continue;
        self->sinks[i] = kept;
        *cookie = i + 1;
    }
    ReleaseSRWLockExclusive(&self->lab->lock);
    if (*cookie != 0)
        return S_OK;
    lab_forget(kept);
    return CONNECT_E_ADVISELIMIT;
}

static HRESULT WINAPI Point_Unadvise(IConnectionPoint *iface, DWORD cookie)
{
    struct lab_connection *self = from_point(iface);
    DWORD kept = 0;
    if (cookie == 0 || cookie > LAB_MAX_SINKS)
        return CONNECT_E_NOCONNECTION;
    AcquireSRWLockExclusive(&self->lab->lock);
    kept = self->sinks[cookie - 1];
    self->sinks[cookie - 1] = 0;
    ReleaseSRWLockExclusive(&self->lab->lock);
    lab_forget(kept);
    return kept != 0 ? S_OK : CONNECT_E_NOCONNECTION;
}

static HRESULT WINAPI Point_EnumConnections(IConnectionPoint *iface, IEnumConnections **all)
{
    (void)iface;
    *all = NULL;
    return E_NOTIMPL;
}

static const IConnectionPointVtbl point_vtable = {
    Point_QueryInterface,
    Point_AddRef,
    Point_Release,
    Point_GetConnectionInterface,
    Point_GetConnectionPointContainer,
    Point_Advise,
    Point_Unadvise,
    Point_EnumConnections,
};

/* --- their container --- */

static HRESULT WINAPI Container_QueryInterface(IConnectionPointContainer *iface, REFIID iid,
                                               void **object)
{
    return lab_query(LAB_FROM(IConnectionPointContainer_iface, iface), iid, object);
}

static ULONG WINAPI Container_AddRef(IConnectionPointContainer *iface)
{
    return lab_add_ref(LAB_FROM(IConnectionPointContainer_iface, iface));
}

static ULONG WINAPI Container_Release(IConnectionPointContainer *iface)
{
    return lab_release(LAB_FROM(IConnectionPointContainer_iface, iface));
}

/* An enumerator that gives both, and knows no more than `viaduct watch` asks for. */
struct point_list {
    IEnumConnectionPoints IEnumConnectionPoints_iface;
    LONG refs;
    struct lab *lab;
    ULONG next;
};

static HRESULT WINAPI List_QueryInterface(IEnumConnectionPoints *iface, REFIID iid, void **object)
{
    *object = NULL;
    if (!IsEqualIID(iid, &IID_IUnknown) && !IsEqualIID(iid, &IID_IEnumConnectionPoints))
        return E_NOINTERFACE;
    IEnumConnectionPoints_AddRef(iface);
    *object = iface;
    return S_OK;
}

static ULONG WINAPI List_AddRef(IEnumConnectionPoints *iface)
{
    return (ULONG)InterlockedIncrement(&((struct point_list *)iface)->refs);
}

static ULONG WINAPI List_Release(IEnumConnectionPoints *iface)
{
    struct point_list *self = (struct point_list *)iface;
    LONG left = InterlockedDecrement(&self->refs);
    if (left > 0)
        return (ULONG)left;
    lab_release(self->lab);
    free(self);
    return 0;
}

static HRESULT WINAPI List_Next(IEnumConnectionPoints *iface, ULONG n, IConnectionPoint **points,
                                ULONG *fetched)
{
    struct point_list *self = (struct point_list *)iface;
    ULONG given = 0;
    while (given < n && self->next < LAB_N_POINTS) {
        lab_add_ref(self->lab);
        points[given++] = &self->lab->points[self->next++].IConnectionPoint_iface;
    }
    if (fetched != NULL)
        *fetched = given;
    return given == n ? S_OK : S_FALSE;
}

static HRESULT WINAPI List_Skip(IEnumConnectionPoints *iface, ULONG n)
{
    ((struct point_list *)iface)->next += n;
    return S_OK;
}

static HRESULT WINAPI List_Reset(IEnumConnectionPoints *iface)
{
    ((struct point_list *)iface)->next = 0;
    return S_OK;
}

static HRESULT WINAPI List_Clone(IEnumConnectionPoints *iface, IEnumConnectionPoints **copy)
{
    (void)iface;
    *copy = NULL;
    return E_NOTIMPL;
}

static const IEnumConnectionPointsVtbl list_vtable = {
    List_QueryInterface, List_AddRef, List_Release, List_Next, List_Skip, List_Reset, List_Clone,
};

static HRESULT WINAPI Container_EnumConnectionPoints(IConnectionPointContainer *iface,
                                                     IEnumConnectionPoints **all)
{
    struct point_list *list = calloc(1, sizeof *list);
    *all = NULL;
    if (list == NULL)
        return E_OUTOFMEMORY;
    list->IEnumConnectionPoints_iface.lpVtbl = (IEnumConnectionPointsVtbl *)&list_vtable;
    list->refs = 1;
    list->lab = LAB_FROM(IConnectionPointContainer_iface, iface);
    lab_add_ref(list->lab);
    *all = &list->IEnumConnectionPoints_iface;
    return S_OK;
}

static HRESULT WINAPI Container_FindConnectionPoint(IConnectionPointContainer *iface, REFIID iid,
                                                    IConnectionPoint **point)
{
    struct lab *self = LAB_FROM(IConnectionPointContainer_iface, iface);
    *point = NULL;
    for (int i = 0; i < LAB_N_POINTS && *point == NULL; i++)
        if (IsEqualIID(iid, iid_of(&self->points[i])))
            *point = &self->points[i].IConnectionPoint_iface;
    if (*point == NULL)
        return CONNECT_E_NOCONNECTION;
    lab_add_ref(self);
    return S_OK;
}

static const IConnectionPointContainerVtbl container_vtable = {
    Container_QueryInterface,
    Container_AddRef,
    Container_Release,
    Container_EnumConnectionPoints,
    Container_FindConnectionPoint,
};

void lab_events_init(struct lab *self)
{
    self->IConnectionPointContainer_iface.lpVtbl =
        (IConnectionPointContainerVtbl *)&container_vtable;
    for (int i = 0; i < LAB_N_POINTS; i++) {
        self->points[i].IConnectionPoint_iface.lpVtbl = (IConnectionPointVtbl *)&point_vtable;
        self->points[i].lab = self;
    }
}

void lab_events_clear(struct lab *self)
{
    for (int i = 0; i < LAB_N_POINTS; i++)
        for (int j = 0; j < LAB_MAX_SINKS; j++)
            lab_forget(self->points[i].sinks[j]);
    lab_forget(self->kept);
    if (self->met != 0)
        PostThreadMessageW(self->met, WM_QUIT, 0, 0);
}

/* --- events --- */

static HRESULT say_to(DWORD kept, enum lab_point point, BSTR text, LONG number)
{
    VARIANT arguments[2];
    DISPPARAMS params = {arguments, NULL, 2, 0};
    void *sink;
    V_VT(&arguments[0]) = VT_I4;
    V_VT(&arguments[1]) = VT_BSTR;
    V_I4(&arguments[0]) = number;
    V_BSTR(&arguments[1]) = text;
    HRESULT hr = lab_get_kept(kept, point == LAB_EVENTS ? &DIID_DLabEvents : &IID_ILabSink, &sink);
    if (FAILED(hr))
        return hr;
    if (point == LAB_EVENTS)
        hr = IDispatch_Invoke((IDispatch *)sink, 1, &IID_NULL, LOCALE_USER_DEFAULT, DISPATCH_METHOD,
                              &params, NULL, NULL, NULL);
    else
        hr = ILabSink_Noted((ILabSink *)sink, text, number);
    IUnknown_Release((IUnknown *)sink);
    return hr;
}

HRESULT lab_say(struct lab *self, BSTR text, LONG number)
{
    HRESULT result = S_OK;
    for (int i = 0; i < LAB_N_POINTS; i++) {
        for (int j = 0; j < LAB_MAX_SINKS; j++) {
            AcquireSRWLockExclusive(&self->lock);
            DWORD kept = self->points[i].sinks[j];
            ReleaseSRWLockExclusive(&self->lock);
            HRESULT hr = kept != 0 ? say_to(kept, (enum lab_point)i, text, number) : S_OK;
            if (FAILED(hr))
                result = hr;
        }
    }
    return result;
}

/* --- another apartment --- */

struct errand {
    DWORD model;
    HRESULT (*run)(void *context);
    void *context;
    HRESULT result;
};

static DWORD WINAPI run_errand(void *argument)
{
    struct errand *errand = argument;
    CoInitializeEx(NULL, errand->model);
    errand->result = errand->run(errand->context);
    CoUninitialize();
    return 0;
}

static HRESULT run_in(DWORD model, HRESULT (*run)(void *context), void *context)
{
    struct errand errand = {model, run, context, E_FAIL};
    DWORD index;
    HANDLE thread = CreateThread(NULL, 0, run_errand, &errand, 0, NULL);
    if (thread == NULL)
        return E_OUTOFMEMORY;
    /* An apartment goes on serving its calls; another thread just waits. */
    if (FAILED(CoWaitForMultipleHandles(0, INFINITE, 1, &thread, &index)))
        WaitForSingleObject(thread, INFINITE);
    CloseHandle(thread);
    return errand.result;
}

HRESULT lab_elsewhere(HRESULT (*run)(void *context), void *context)
{
    return run_in(COINIT_APARTMENTTHREADED, run, context);
}

struct meeting {
    struct lab *lab;
    HANDLE over;
    HRESULT result;
};

static HRESULT met_by(DWORD kept, ILab *who)
{
    VARIANT arguments[2];
    DISPPARAMS params = {arguments, NULL, 2, 0};
    void *sink;
    HRESULT hr = lab_get_kept(kept, &DIID_DLabEvents, &sink);
    if (FAILED(hr))
        return hr;
    V_VT(&arguments[0]) = VT_BSTR;
    V_VT(&arguments[1]) = VT_DISPATCH;
    V_BSTR(&arguments[0]) = SysAllocString(L"from another apartment");
    V_DISPATCH(&arguments[1]) = (IDispatch *)who;
    hr = IDispatch_Invoke((IDispatch *)sink, 2, &IID_NULL, LOCALE_USER_DEFAULT, DISPATCH_METHOD,
                          &params, NULL, NULL, NULL);
    SysFreeString(V_BSTR(&arguments[0]));
    IUnknown_Release((IUnknown *)sink);
    return hr;
}

static HRESULT met_by_all(void *context)
{
    struct lab *self = context;
    ILab *who;
    HRESULT hr = lab_new(self->clsid, &IID_ILab, (void **)&who);
    for (int i = 0; i < LAB_MAX_SINKS && SUCCEEDED(hr); i++) {
        AcquireSRWLockExclusive(&self->lock);
        DWORD kept = self->points[LAB_EVENTS].sinks[i];
        ReleaseSRWLockExclusive(&self->lock);
        hr = kept != 0 ? met_by(kept, who) : hr;
    }
    if (who != NULL)
        ILab_Release(who);
    return hr;
}

static DWORD WINAPI run_meeting(void *argument)
{
    struct meeting *meeting = argument;
    MSG message;
    CoInitializeEx(NULL, COINIT_APARTMENTTHREADED);
    PeekMessageW(&message, NULL, WM_USER, WM_USER, PM_NOREMOVE); /* makes the queue */
    meeting->result = met_by_all(meeting->lab);
    SetEvent(meeting->over);
    while (GetMessageW(&message, NULL, 0, 0) > 0)
        DispatchMessageW(&message);
    CoUninitialize();
    return 0;
}

HRESULT lab_meet(struct lab *self, LONG *id)
{
    struct meeting meeting = {self, CreateEventW(NULL, TRUE, FALSE, NULL), E_FAIL};
    DWORD index, thread_id = 0;
    HANDLE thread = CreateThread(NULL, 0, run_meeting, &meeting, 0, &thread_id);
    *id = (LONG)thread_id;
    if (thread == NULL)
        return E_OUTOFMEMORY;
    if (FAILED(CoWaitForMultipleHandles(0, INFINITE, 1, &meeting.over, &index)))
        WaitForSingleObject(meeting.over, INFINITE);
    CloseHandle(meeting.over);
    CloseHandle(thread);
    AcquireSRWLockExclusive(&self->lock);
    DWORD old = self->met;
    self->met = thread_id;
    ReleaseSRWLockExclusive(&self->lock);
    if (old != 0)
        PostThreadMessageW(old, WM_QUIT, 0, 0);
    return meeting.result;
}

HRESULT lab_meet_free(struct lab *self)
{
    return run_in(COINIT_MULTITHREADED, met_by_all, self);
}
