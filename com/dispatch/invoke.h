/*
 * IDispatch from a description: names become ids, and the VARIANTs of Invoke become the values of a
 * call by name.
 *
 * What is here knows an interface's description and a way to call its methods, not where the object
 * is: com/remote calls proxies by it, and objects of this process through their vtables.
 */
#ifndef COM_DISPATCH_INVOKE_H
#define COM_DISPATCH_INVOKE_H

#include <stdbool.h>
#include <viaduct/com.h>

struct marshal_interface;
struct marshal_method;
struct via_value;

struct dispatch_target {
    const struct marshal_interface *itf;
    /* Calls a method with values, as via_invoke_values() does. A failure's error information is the
     * thread's IErrorInfo. *is_called: the arguments fitted, and the method was called. */
    HRESULT(*call)
    (void *context, const struct marshal_method *method, const struct via_value *in,
     struct via_value *out, bool *is_called);
    /* May exchange objects among the [in] arguments for others; NULL: none are. */
    HRESULT (*adapt)(void *context, const struct marshal_method *method, struct via_value *in);
    void *context;
    bool is_for_scripts; /* results become what script engines can hold */
};

/* IDispatch::GetIDsOfNames for the member `method`: its id, and those of the parameters names[1]
 * and on. */
HRESULT dispatch_get_ids(const struct marshal_method *method, LPOLESTR *names, UINT n_names,
                         DISPID *ids);
/* IDispatch::Invoke. `exception` and `wrong` may be NULL. Failures but the method's own are the
 * thread's error record. */
HRESULT dispatch_invoke(const struct dispatch_target *target, DISPID id, WORD flags,
                        DISPPARAMS *params, VARIANT *result, EXCEPINFO *exception, UINT *wrong);

/* The other way: a method of a dispinterface, or another one that an object has by its IDispatch
 * only, is called with values. A failure is the thread's error record, and its error information
 * too. *is_called: the arguments fitted, and Invoke was called. */
HRESULT dispatch_pass_on(IDispatch *dispatch, const struct marshal_method *method,
                         const struct via_value *in, struct via_value *out, bool *is_called);
/* A member that `method` is only the signature of. */
struct dispatch_member {
    const char *owner; /* for messages: what it is a member of; or NULL */
    const char *name;
    DISPID id;
    WORD form;
    bool is_scripts; /* its [in] arguments are numbers and arrays as script engines know them */
};
/* The same. */
HRESULT dispatch_pass_on_as(IDispatch *dispatch, const struct dispatch_member *member,
                            const struct marshal_method *method, const struct via_value *in,
                            struct via_value *out, bool *is_called);
/* The same with arguments that are not taken back: an event. */
HRESULT dispatch_notify(IDispatch *dispatch, const struct marshal_method *method,
                        const struct via_value *in);

/* What both functions of IDispatch check first. */
HRESULT dispatch_check_names(REFIID iid, LPOLESTR *names, UINT n_names, DISPID *ids);
HRESULT dispatch_check_params(REFIID iid, const DISPPARAMS *params);

#endif
