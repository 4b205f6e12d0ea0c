/*
 * The interfaces of one object as one IDispatch: its default interface with the ids that its
 * description gives, the others behind it with ids of our own. A name means the first member that
 * has it; "Interface.Member" says which.
 */
#ifndef COM_DISPATCH_SET_H
#define COM_DISPATCH_SET_H

#include <viaduct/com.h>

struct marshal_interface;
struct marshal_method;

/* Interfaces of one object that late-bound callers reach; the others they cast to. */
#define DISPATCH_MAX_INTERFACES 16

struct dispatch_set {
    unsigned n;
    const struct marshal_interface *interfaces[DISPATCH_MAX_INTERFACES];
};

/* IDispatch::GetIDsOfNames, arguments checked already. */
HRESULT dispatch_set_get_ids(const struct dispatch_set *set, LPOLESTR *names, UINT n_names,
                             DISPID *ids);
/* The interface that has the member; *id becomes its id there. NULL, with DISP_E_MEMBERNOTFOUND as
 * the thread's error: none has. */
const struct marshal_interface *dispatch_set_find(const struct dispatch_set *set, DISPID *id);
/* The method of that name ("Member", "get_Member", "Interface.Member"), in one of the forms
 * `flags`; 0: any. NULL, with DISP_E_UNKNOWNNAME and the names that there are as the thread's
 * error. */
const struct marshal_method *dispatch_set_named(const struct dispatch_set *set, const char *name,
                                                WORD flags);

#endif
