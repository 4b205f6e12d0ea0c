/*
 * Conversions of VARIANTs as text, so that one table serves every system. A row has four columns,
 * with tabs between them:
 *
 *   TYPE VALUE TARGET RESULT      "R8  2.5  I4  I4 2"      "BSTR  '1e3'  R8  R8 1000"
 *
 * TARGET may end in "/alpha" for VARIANT_ALPHABOOL. RESULT is a type and a value, or an error.
 */
#ifndef TESTS_AUTOMATION_CASES_H
#define TESTS_AUTOMATION_CASES_H

#include <stdbool.h>
#include <viaduct/com.h>

#define CASES_TEXT_SIZE 256

/* Makes the VARIANT that TYPE and VALUE say. False: they make no sense. */
bool cases_make(const char *type, const char *value, VARIANT *variant);
/* What RESULT is for it. */
void cases_print(HRESULT hr, const VARIANT *variant, char text[CASES_TEXT_SIZE]);
/* Does what the first three columns say. False: they make no sense. */
bool cases_evaluate(const char *type, const char *value, const char *target,
                    char text[CASES_TEXT_SIZE]);

#endif
