/*
 * Late binding: calls by name without a header of the interface, in one line.
 *
 *     int32_t sum;
 *     char *text;
 *     hr = via_invoke(calculator, "Add", 2, 3, &sum);
 *     hr = via_invoke(board, "Move", via_named("y", 2), via_named("x", 1));
 *     hr = via_get(board, "Title", &text);
 *     hr = via_put(board, "Title", "a title");
 *     hr = via_invoke(board, "Draw", via_json("[{\"x\": 1, \"y\": 2}]"));
 *
 * The arguments are those of the method in C, in that order. A value goes in; a pointer receives a
 * result, and where the method takes its parameter [in, out] what the pointer points to goes in
 * first. The compiler refuses types that no method can have; whether the rest fits the method is
 * checked against its description before it is called: numbers have to be in range, texts become
 * BSTRs, GUIDs and names of enum values, and a failure names the parameter. What counts arrays may
 * be left out.
 *
 * The description is this process' own or comes from the object's owner. What only an object's own
 * IDispatch knows is called by that, with VARIANTs in the order in which they are given; then there
 * is one pointer at most, for the result, and no named arguments.
 */
#ifndef VIADUCT_LATE_H
#define VIADUCT_LATE_H

#include <viaduct/com.h>
#include <viaduct/late_arguments.h>

#ifdef __cplusplus
extern "C" {
#endif

/* What a call may be; via_invoke() and the others below choose. */
#define VIA_LATE_CALL 0u /* a method, or the getter of a property */
#define VIA_LATE_GET  1u
#define VIA_LATE_PUT  2u /* the new value is the last argument */

/*
 * Blocks. What the macros below come to: `arguments[0]` is the member's name, "Member" or
 * "Interface.Member" (a getter or setter also "get_Member", "put_Member"); `n` counts it.
 *
 * Results are written only when the call has succeeded and all of them fit; else texts, objects and
 * values are NULL, but those that went in, too, are as they were. Returns what the method returned,
 * with its error information. DISP_E_UNKNOWNNAME lists the members that there are;
 * DISP_E_BADPARAMCOUNT, DISP_E_PARAMNOTFOUND, DISP_E_PARAMNOTOPTIONAL, DISP_E_TYPEMISMATCH,
 * DISP_E_OVERFLOW: the arguments, or results, do not fit; E_NOINTERFACE: nobody describes the
 * object.
 */
VIA_API HRESULT via_invoke_list(IUnknown *object, uint32_t form,
                                const struct via_argument *arguments, size_t n);

/* Blocks. An IDispatch of any object: its own, or one made from the description of its interfaces.
 * E_NOINTERFACE: nobody describes one. With a reference for the caller; NULL on failure. */
VIA_API HRESULT via_get_dispatch(IUnknown *object, IDispatch **dispatch);

#ifdef __cplusplus
}
#endif

/* --- arguments --- */

/* A parameter by its name; those without names come first. */
#define via_named(name, x) via_argument_named(name, VIA_ARGUMENT(x))
/* A list, a struct, or anything else, as JSON goes in, and comes out: char *, for
 * via_value_free_text(). */
#define via_json(text)        via_argument_json(text)
#define via_json_result(text) via_result_json(text)
/* In the place of a pointer: the result is of no interest. */
#define via_ignore() via_argument_make(VIA_RESULT_IGNORED)

/* --- calls --- */

#define VIA_MAX_ARGUMENTS 16 /* the member's name among them; more by via_invoke_list() */

/* HRESULT via_invoke(IUnknown *object, const char *method, ...): calls a method. */
#define via_invoke(object, ...) VIA_LATE(object, VIA_LATE_CALL, __VA_ARGS__)
/* HRESULT via_get(IUnknown *object, const char *property, ..., value): reads a property. */
#define via_get(object, ...) VIA_LATE(object, VIA_LATE_GET, __VA_ARGS__)
/* HRESULT via_put(IUnknown *object, const char *property, ..., value): sets a property. */
#define via_put(object, ...) VIA_LATE(object, VIA_LATE_PUT, __VA_ARGS__)

#endif
