/*
 * The laboratory's one kind of object. It has a lock for what is kept only; all else is read-only,
 * or a test's own affair.
 */
#ifndef TESTS_COM_LAB_OBJECT_H
#define TESTS_COM_LAB_OBJECT_H

#define COBJMACROS
#include <windows.h>

#include <ocidl.h>
#include <oleauto.h>
#include <olectl.h>

#include "lab.h"

#define LAB_MAX_SINKS 16

enum lab_point { LAB_EVENTS, LAB_SINKS, LAB_N_POINTS };

struct lab;

struct lab_connection {
    IConnectionPoint IConnectionPoint_iface;
    struct lab *lab;
    DWORD sinks[LAB_MAX_SINKS]; /* in the Global Interface Table; lab->lock */
};

struct lab {
    ILab ILab_iface;
    ILabSized ILabSized_iface;
    ILabText ILabText_iface;
    IDispatch DLab_iface;
    IConnectionPointContainer IConnectionPointContainer_iface;
    IProvideClassInfo IProvideClassInfo_iface;
    ISupportErrorInfo ISupportErrorInfo_iface;
    LONG refs;
    const CLSID *clsid;
    BOOL is_disp; /* the object is a DLab in the first place, and an ILab too */
    SRWLOCK lock;
    struct lab_connection points[LAB_N_POINTS];
    DWORD kept;    /* lock: in the Global Interface Table */
    DWORD met;     /* lock: the thread of lab_meet() */
    LONG level;    /* lock */
    BSTR cell;     /* lock */
    VARIANT mixed; /* lock */
};

#define LAB_FROM(member, iface) ((struct lab *)((char *)(iface)-offsetof(struct lab, member)))

/* lab_server.c */
extern LONG lab_n_alive;
HRESULT lab_type_info(REFGUID guid, ITypeInfo **info);

/* lab.c */
HRESULT lab_new(const CLSID *clsid, REFIID iid, void **object);
HRESULT lab_query(struct lab *self, REFIID iid, void **object);
ULONG lab_add_ref(struct lab *self);
ULONG lab_release(struct lab *self);

/* lab_row.c */
extern const GUID lab_row_library;
HRESULT lab_row_new(REFIID iid, void **object);
/* Makes the class' own type library, and registers it. */
HRESULT lab_row_register(const WCHAR *path);

/* lab_dispatch.c */
void lab_dispatch_init(struct lab *self);
HRESULT lab_fail(LabFailure how);
/* The same of Invoke. */
HRESULT lab_fail_late(LabFailure how, EXCEPINFO *exception);
BSTR lab_cell_text(struct lab *self, LONG row, LONG column);
void lab_set_cell(struct lab *self, BSTR text);
HRESULT lab_item(VARIANT key, VARIANT *value);
HRESULT lab_split(BSTR text, BSTR *head, BSTR *tail);
HRESULT lab_join(BSTR separator, SAFEARRAY *parts, BSTR *text);
/* The same of Invoke. */
HRESULT lab_join_arguments(const DISPPARAMS *params, VARIANT *result);
HRESULT lab_give_number(LONG number, VARIANT *result);
HRESULT lab_new_items(IUnknown **items);

/* lab_events.c */
void lab_events_init(struct lab *self);
void lab_events_clear(struct lab *self);
HRESULT lab_say(struct lab *self, BSTR text, LONG number);
/* What is in the Global Interface Table; 0 where there is nothing. `iid` is the interface that the
 * object came with: of another one's proxy Wine's table holds no reference, and who fetches it a
 * second time finds nothing behind it. */
DWORD lab_keep(IUnknown *object, REFIID iid);
HRESULT lab_get_kept(DWORD cookie, REFIID iid, void **object);
void lab_forget(DWORD cookie);
/* Runs it on a thread of another apartment, and waits. */
HRESULT lab_elsewhere(HRESULT (*run)(void *context), void *context);
/* Starts a thread that is an apartment, makes an object there, and fires Met with it. */
HRESULT lab_meet(struct lab *self, LONG *id);
/* The same on a thread of the multithreaded apartment. */
HRESULT lab_meet_free(struct lab *self);

#endif
