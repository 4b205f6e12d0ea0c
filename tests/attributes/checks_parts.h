/* What the files of checks share; checks.c has the list of all. */
#ifndef TESTS_ATTRIBUTES_CHECKS_PARTS_H
#define TESTS_ATTRIBUTES_CHECKS_PARTS_H

#include <stdbool.h>
#include <viaduct/com.h>

#include "attributes.h"

/* Notes what was expected; false. */
bool attribute_failed(int line, const char *what);

/* Ends the function that has `ok`. */
#define EXPECT(condition)                                \
    do {                                                 \
        if (!(condition)) {                              \
            ok = attribute_failed(__LINE__, #condition); \
            goto end;                                    \
        }                                                \
    } while (0)

extern const GUID attribute_no_iid; /* IDispatch's REFIID, which is always this */

bool attribute_is_text(BSTR text, const WCHAR *expected);
/* Whether the text has `part` in it, which is ASCII. */
bool attribute_has_text(BSTR text, const char *part);
/* For the caller; NULL where it has none. */
IAttributes *attribute_face(IUnknown *object);
/* Arguments in order, as they are written; at most four. */
HRESULT attribute_invoke(IDispatch *dispatch, DISPID id, WORD form, const VARIANT *arguments,
                         UINT n, VARIANT *result);
VARIANT attribute_i4(LONG number);
/* What says that an argument is left out. */
VARIANT attribute_missing(void);
/* In attributes_typelib. */
const struct via_method *attribute_method(const char *name);

bool attribute_optional_typed(IUnknown *object);
bool attribute_optional_by_name(IUnknown *object);
bool attribute_optional_late(IUnknown *object);
bool attribute_default_typed(IUnknown *object);
bool attribute_default_by_name(IUnknown *object);
bool attribute_default_late(IUnknown *object);
bool attribute_vararg_typed(IUnknown *object);
bool attribute_vararg_by_name(IUnknown *object);
bool attribute_vararg_late(IUnknown *object);
bool attribute_restricted_typed(IUnknown *object);
bool attribute_restricted_by_name(IUnknown *object);
bool attribute_restricted_late(IUnknown *object);
bool attribute_hidden_typed(IUnknown *object);
bool attribute_hidden_by_name(IUnknown *object);
bool attribute_hidden_late(IUnknown *object);
bool attribute_help_typed(IUnknown *object);
bool attribute_help_by_name(IUnknown *object);
bool attribute_putref_typed(IUnknown *object);
bool attribute_putref_by_name(IUnknown *object);
bool attribute_putref_late(IUnknown *object);
bool attribute_dispinterface_typed(IUnknown *object);
bool attribute_dispinterface_by_name(IUnknown *object);
bool attribute_dispinterface_late(IUnknown *object);
bool attribute_source_late(IUnknown *object);
bool attribute_source_typed(IUnknown *object);
bool attribute_const_typed(IUnknown *object);
bool attribute_typedef_typed(IUnknown *object);
bool attribute_typedef_by_name(IUnknown *object);
bool attribute_typedef_late(IUnknown *object);
bool attribute_importlib_typed(IUnknown *object);

#endif
