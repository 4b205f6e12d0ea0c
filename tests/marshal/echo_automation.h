/* The methods of IEcho that take VARIANTs and their relatives. */
#ifndef TESTS_MARSHAL_ECHO_AUTOMATION_H
#define TESTS_MARSHAL_ECHO_AUTOMATION_H

#include "marshal_test.h"

HRESULT STDMETHODCALLTYPE Echo_Amounts(IEcho *self, CY cy, DATE date, DECIMAL decimal, SCODE code,
                                       CY *cy_out, DATE *date_out, DECIMAL *decimal_out,
                                       SCODE *code_out);
/* `out` is `value`; a number in `in_out` becomes the next one, where it refers to it too; a text
 * becomes "new"; anything else VT_NULL. */
HRESULT STDMETHODCALLTYPE Echo_Variants(IEcho *self, VARIANT value, VARIANT *in_out, VARIANT *out);
/* Copies; `texts` becomes an array of two other ones. */
HRESULT STDMETHODCALLTYPE Echo_Safearrays(IEcho *self, SAFEARRAY *numbers, SAFEARRAY **texts,
                                          SAFEARRAY *values, SAFEARRAY *objects, SAFEARRAY *samples,
                                          SAFEARRAY **numbers_out, SAFEARRAY **values_out,
                                          SAFEARRAY **objects_out, SAFEARRAY **samples_out);
/* `out` is what `in_out` was, and that becomes `in`. */
HRESULT STDMETHODCALLTYPE Echo_Bundles(IEcho *self, const struct Bundle *in, struct Bundle *in_out,
                                       struct Bundle *out);

#endif
