/*
 * What script engines have, and what they take: they know fewer types than Automation. An array of
 * JScript is an object with a length and members that are numbers; an array of anything but
 * VARIANTs can be indexed by no engine, and a number is a LONG or a double.
 */
#ifndef COM_DISPATCH_SCRIPT_H
#define COM_DISPATCH_SCRIPT_H

#include <stdbool.h>
#include <viaduct/com.h>

struct plan_type;

/* An object where `type` wants an array, with a length: its elements as a SAFEARRAY of VARIANTs,
 * for VariantClear(). S_FALSE: it is something else, and `array` is empty. Calls the object. */
HRESULT script_array(const struct plan_type *type, const VARIANT *given, VARIANT *array);
/* IDispatch::GetIDsOfNames() of one name; objects of Wine's VBScript have IDispatchEx::GetDispID()
 * only. DISP_E_UNKNOWNNAME: there is no such member. */
HRESULT script_get_id(IDispatch *object, const WCHAR *name, DISPID *id);
/* What a script engine can hold of the same: an array becomes one of VARIANTs, a number of which it
 * has no type a LONG, or, where that is too small, a double. What there is no memory for stays. */
void script_simplify(VARIANT *value);

#endif
