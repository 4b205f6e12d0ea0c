/*
 * What script engines have, and what they take: they know fewer types than Automation. An array of
 * JScript is an object with a length and members that are numbers; an array of anything but
 * VARIANTs can be indexed by no engine, and a number is a LONG or a double. A struct is an object
 * with a property for each field.
 */
#ifndef COM_DISPATCH_SCRIPT_H
#define COM_DISPATCH_SCRIPT_H

#include <stdbool.h>
#include <viaduct/com.h>

struct plan_type;

/* What `type` wants where an engine has given an object: the elements of one with a length as an
 * array, the properties of one as a record; also in arrays and records. For automation_clear().
 * S_FALSE: it is as good as it is, and `made` is empty. Calls the object. */
HRESULT script_argument(const struct plan_type *type, const VARIANT *given, VARIANT *made);
/* IDispatch::GetIDsOfNames() of one name; objects of Wine's VBScript have IDispatchEx::GetDispID()
 * only. DISP_E_UNKNOWNNAME: there is no such member. */
HRESULT script_get_id(IDispatch *object, const WCHAR *name, DISPID *id);
/* What a script engine can hold of the same: an array becomes one of VARIANTs, a number of which it
 * has no type a LONG, or, where that is too small, a double, a record an object (record_view.h).
 * What there is no memory for stays. */
void script_simplify(VARIANT *value);

/* The element of such an array that arguments are the indices of: "object.Items(3)" where Items is
 * an array. S_FALSE: it is none, or has not so many dimensions. */
HRESULT script_element(const VARIANT *array, const DISPPARAMS *params, VARIANT *element);

#endif
