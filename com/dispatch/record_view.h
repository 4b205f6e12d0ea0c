/*
 * A struct as an object of properties, for script engines: what they do with a VT_RECORD is to hold
 * it. It is a value still: its fields can be read, and never change.
 */
#ifndef COM_DISPATCH_RECORD_VIEW_H
#define COM_DISPATCH_RECORD_VIEW_H

#include <viaduct/com.h>

struct plan_struct;

/* Of a VT_RECORD, which stays. DISP_E_BADVARTYPE: nobody here describes its struct. */
HRESULT record_view_new(const VARIANT *record, IDispatch **view);
/* The VT_RECORD of a view, for automation_clear(). S_FALSE: the object is none, or of another
 * struct. */
HRESULT record_view_open(IDispatch *object, const struct plan_struct *record, VARIANT *opened);

#endif
