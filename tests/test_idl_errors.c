/* com/idl: what it says of wrong input. */
#include "com/idl/idl.h"
#include "core/os/file.h"
#include "core/os/path.h"
#include "tests/harness/harness.h"
#include "tests/idl/compiler.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct wrong {
    const char *text;
    const char *expected; /* errors without the file's path, one after the other */
};

static const struct wrong methods[] = {
    {"HRESULT A([in] Mystery a);", "5:16: error: Mystery is not a type that is known here"},
    {"HRESULT A([in] long double a);", "5:16: error: long double is not supported"},
    {"HRESULT A([in] unsigned long long a);", "5:16: error: long long is not supported"},
    {"HRESULT A([in] HANDLE a);", "5:23: error: a: a handle of what? write [VIA_SYSTEM_HANDLE"},
    {"HRESULT A([in, system_handle(sh_mutex)] HANDLE a);",
     "5:30: error: sh_mutex is no kind of handle that can be passed"},
    {"HRESULT A([in, system_handle(sh_file)] LONG a);",
     "5:45: error: a: VIA_SYSTEM_HANDLE is for VIA_HANDLE"},
    {"HRESULT A([in, system_handle(sh_file)] HANDLE *a);",
     "5:48: error: a: a handle is passed by value"},
    {"HRESULT A([in] LONG n, [in, system_handle(sh_file), size_is(n)] HANDLE *a);",
     "5:73: error: a: a handle is passed by value"},
    {"HRESULT A([out, system_handle(sh_file)] HANDLE a);",
     "5:48: error: a: a handle is passed by value"},
    {"HRESULT A([in] SAFEARRAY(HANDLE) a);", "5:26: error: the elements of a SAFEARRAY are"},
    {"HRESULT A([in] SAFEARRAY a);", "5:26: error: '(' is expected"},
    {"HRESULT A([in] SAFEARRAY(WCHAR) a);", "5:26: error: the elements of a SAFEARRAY are"},
    {"HRESULT A([in] SAFEARRAY(GUID) a);", "5:26: error: the elements of a SAFEARRAY are"},
    {"HRESULT A([in] SAFEARRAY(LONG *) a);", "5:26: error: the elements of a SAFEARRAY are"},
    {"HRESULT A([in] SAFEARRAY(LPWSTR) a);", "5:26: error: the elements of a SAFEARRAY are"},
    {"HRESULT A([in] SAFEARRAY(void) a);", "5:26: error: the elements of a SAFEARRAY are"},
    {"HRESULT A([in] SAFEARRAY(IUnknown) a);", "5:34: error: '*' is expected"},
    {"HRESULT A([in] SAFEARRAY(SAFEARRAY(LONG)) a);", "5:26: error: a SAFEARRAY of SAFEARRAYs"},
    {"HRESULT A([out] SAFEARRAY(LONG) a);", "a: an [out] parameter is a pointer to what is set"},
    {"HRESULT A([in, iid_is(b)] IUnknown *a, [in] LONG b);", "5:23: error: iid_is: b is no IID"},
    {"HRESULT A([in] REFIID b, [in, iid_is(b)] LONG *a);",
     "5:38: error: a: iid_is is for interface pointers and void *"},
    {"HRESULT A([out] IID *b, [in, iid_is(b)] IUnknown *a);",
     "5:37: error: iid_is: b has to be an [in] parameter"},
    {"HRESULT A([in] LONG n, [in, size_is(n), first_is(n)] LONG *a);",
     "5:50: error: first_is is not supported: arrays begin at their first element"},
    {"HRESULT A([in] LONG n, [in, length_is(n)] LONG *a);",
     "5:39: error: a: length_is is for arrays: say how large it is, by size_is"},
    {"HRESULT A([in] LONG n, [in, size_is(4), length_is(n, n)] LONG *a);",
     "5:64: error: a: length_is has more levels than pointers"},
    {"HRESULT A([out] LONG *n, [in, size_is(4), length_is(*n)] LONG *a);",
     "5:53: error: length_is: n has to be an [in] parameter"},
    {"HRESULT A([in] LONG n, [in, switch_is(n)] LONG *a);",
     "5:39: error: a: switch_is is for unions"},
    {"HRESULT A([in] LONG n, [in, size_is(n / 0)] LONG *a);",
     "5:41: error: this expression has no value"},
    {"HRESULT A([in, size_is(5 / 0)] LONG *a);", "5:28: error: this expression has no value"},
    {"HRESULT A([in] LONG n, [in, size_is(n +)] LONG *a);",
     "5:40: error: a number is expected before ')'"},
    {"HRESULT A([in] LONG n, [in, size_is(n ^ 2)] LONG *a);", "5:39: error: ')' is expected"},
    {"HRESULT A([in, range(0, 5)] LONG a);", "5:16: error: attribute range is not supported"},
    {"HRESULT A([in, custom(9e3d3e4a-1f0c-4f5c-8f6e-6a1b6f1d0002, 1)] LONG a);",
     "5:70: error: a: VIADUCT_IN_PLACE is for [in, size_is] arrays of numbers"},
    {"HRESULT A([in] LONG n, [out, size_is(n), custom(9e3d3e4a-1f0c-4f5c-8f6e-6a1b6f1d0002, 1)] "
     "LONG *a);",
     "5:97: error: a: VIADUCT_IN_PLACE is for [in, size_is] arrays of numbers"},
    {"HRESULT A([in] LONG n, [in, size_is(n), custom(9e3d3e4a-1f0c-4f5c-8f6e-6a1b6f1d0002, 1)] "
     "BSTR *a);",
     "5:96: error: a: VIADUCT_IN_PLACE is for [in, size_is] arrays of numbers"},
    {"[custom(9e3d3e4a-1f0c-4f5c-8f6e-6a1b6f1d0002, 1)] HRESULT A();",
     "5:8: error: VIADUCT_IN_PLACE belongs to a parameter"},
    {"[in] HRESULT A();", "5:2: error: attribute in has no meaning here"},
    {"[" ID "] HRESULT A();", "5:2: error: attribute uuid is not supported"},
    {"LONG A();", "5:1: error: a method returns HRESULT"},
    {"HRESULT A([in, optional] VARIANT a, [in] LONG b);",
     "error: b has to be given, but stands behind a, which is optional"},
    {"HRESULT A([in, defaultvalue(300)] BYTE a);", "A(a): its default value is not of its type"},
    {"HRESULT A([in, defaultvalue(1.5)] LONG a);", "A(a): its default value is not of its type"},
    {"HRESULT A([in, defaultvalue(\"x\")] LONG a);", "A(a): its default value is not of its type"},
    {"HRESULT A([in, defaultvalue(1)] IUnknown *a);", "A(a): its default value is not of its type"},
    {"HRESULT A([in, defaultvalue()] LONG a);", "error: a number is expected before ')'"},
    {"HRESULT A([in, defaultvalue(b)] LONG a);", "error: b is no constant that is known here"},
    {"HRESULT A([out, defaultvalue(1)] LONG *a);",
     "A(a): a default value, but not in and optional"},
    {"HRESULT A([out, retval, optional] LONG *a);",
     "error: a: a [retval] is not an argument that could be left out"},
    {"HRESULT A([in, optional] const GUID *a);",
     "A(a): optional, but there is nothing of its type"},
    {"[vararg] HRESULT A([in] LONG a);", "A: vararg, but its last argument is no [in] SAFEARRAY"},
    {"[vararg] HRESULT A([in, optional] VARIANT a, [in, optional] SAFEARRAY(VARIANT) b);",
     "A: vararg, but an argument is optional"},
    {"[vararg, propput] HRESULT A([in] SAFEARRAY(VARIANT) a);",
     "A: vararg, but it sets a property"},
    {"[optional] HRESULT A();", "5:2: error: attribute optional has no meaning here"},
    {"[readonly] HRESULT A();", "5:2: error: attribute readonly has no meaning here"},
    {"HRESULT __stdcall A();", "5:9: error: __stdcall: calling conventions are not supported"},
    {"HRESULT A([in] LONG a, ...);", "5:24: error: variable arguments are not supported"},
    {"HRESULT A([in] void *a);", "5:16: error: void is no type of a parameter or field"},
    {"HRESULT A([in] LONG class);", "5:21: error: class cannot be a name"},
    {"HRESULT A([in] IUnknown a);", "5:25: error: a: an interface is passed by pointer"},
    {"HRESULT A([in] LONG a, [in] LONG a);", "5:34: error: a is there twice"},
    {"HRESULT A(); HRESULT A();", "5:22: error: method A is there twice"},
    {"HRESULT m(); HRESULT M();", "5:22: error: method M is there twice"},
    {"HRESULT A(); [id(1)] HRESULT B();", "5:30: error: B has the id 1, which is that of A"},
    {"[id(2)] HRESULT A(); HRESULT B();", "5:30: error: B has the id 2, which is that of A"},
    {"[propget] HRESULT P([out, retval] LONG *a); HRESULT GET_p();",
     "5:53: error: method GET_p is there twice"},
    {"HRESULT Release([in] LONG a);",
     "5:9: error: method Release is there already, in the base interface IUnknown"},
    {"HRESULT queryinterface();", "5:9: error: method queryinterface is there already"},
    {"HRESULT AddRef();", "5:9: error: method AddRef is there already"},
    {"HRESULT lpVtbl();", "5:9: error: lpVtbl cannot be a name"},
    {"HRESULT A([in] LONG This);", "5:21: error: This cannot be a name"},
    {"HRESULT static_assert();", "5:9: error: static_assert cannot be a name"},
    {"HRESULT A([in] LONG linux);", "5:21: error: linux cannot be a name"},
    {"HRESULT A([in] LONG _Bool);", "5:21: error: _Bool cannot be a name: it has a meaning"},
    {"HRESULT A([in] LONG __x);", "5:21: error: __x cannot be a name: C reserves"},
    {"HRESULT A([in] LONG LONG);", "5:21: error: LONG names a type"},
    {"HRESULT IFoo();", "5:9: error: IFoo names a type"},
    {"[custom(9e3d3e4a-1f0c-4f5c-8f6e-6a1b6f1d0001, 1)] HRESULT A([out] LONG *a);",
     "5:73: error: a one-way method has no [out] parameters"},
    {"HRESULT A([out, retval] LONG *a, [in] LONG b);", "5:31: error: [retval] is for the last"},
    {"HRESULT A([in, out, retval] LONG *a);", "5:35: error: [retval] is for the last"},
    {"HRESULT A([out] LONG a);", "5:22: error: a: an [out] parameter is a pointer"},
    {"HRESULT A([out, string] WCHAR *a);", "5:32: error: a: an [out] parameter is a pointer"},
    {"HRESULT A([in, string] LONG *a);", "5:30: error: a: [string] is for char and wchar_t"},
    {"HRESULT A([in, size_is(n)] LONG *a);", "5:24: error: a: size_is names n"},
    {"HRESULT A([in] BSTR n, [in, size_is(n)] LONG *a);", "5:37: error: size_is: n is no integer"},
    {"HRESULT A([out] LONG *n, [in, size_is(*n)] LONG *a);",
     "5:39: error: size_is: n has to be an [in] parameter"},
    {"HRESULT A([out] LONG *n, [out, size_is(, n)] LONG **a);", "5:42: error: size_is: write *n"},
    {"HRESULT A([in] LONG a[]);", "5:21: error: a[]: size_is is missing"},
    {"HRESULT A([in] LONG a[0]);", "5:23: error: an array of 0 elements"},
    {"HRESULT A([in] LONG *********a);", "5:30: error: more than 8 levels of pointers and arrays"},
    {"HRESULT A([in] LONG", "6:1: error: a name is expected before '}'"},
};

static const struct wrong files[] = {
    {"union U { LONG a; };", "1:11: error: an arm of a union has case() or default"},
    {"union U { [case(1)] ; };", "1:23: error: union U has no arm that holds something"},
    {"union U { [case(1)] LONG a; [case(2, 1)] LONG b; };",
     "1:38: error: there are two arms for 1"},
    {"union U { [default] LONG a; [default] LONG b; };", "1:29: error: there are two default arms"},
    {"[switch_type(small)] union U { [case(300)] LONG a; };",
     "1:38: error: the discriminant cannot be 300"},
    {"[switch_type(hyper)] union U { [case(3)] LONG a; };",
     "1:14: error: a discriminant is an integer of at most 32 bits or an enum"},
    {"union U { [case(1)] LONG a; [case(2)] LONG a; };", "1:44: error: a is there twice"},
    {"union U { [case(1)] LONG n; [case(2), size_is(n)] LONG *a; };",
     "1:47: error: size_is in an arm of a union is a number"},
    {"union U { [case(A)] LONG a; };", "1:17: error: A is no constant that is known here"},
    {"union U { [case(1)] LONG a; };\nstruct S { union U u; };",
     "2:20: error: u: switch_is is missing: it names what says which arm of union U is there"},
    {"[switch_type(short)] union U { [case(1)] LONG a; };\n"
     "struct S { LONG k; [switch_is(k)] union U u; };",
     "2:31: error: switch_is: k is of another type than the switch_type of union U"},
    {"struct S { double k; [switch_is(k)] union { [case(1)] LONG a; } u; };",
     "1:33: error: switch_is: k is no integer of at most 32 bits"},
    {"union U { [case(1)] union U a; };", "1:29: error: a: switch_is is missing"},
    {"typedef union switch (long k) { LONG a; } U;",
     "1:33: error: case or default is expected before 'LONG'"},
    {"typedef union switch (long k) { case 1: case 1: LONG a; } U;",
     "1:41: error: there are two arms for 1"},
    {"[object, local, " ID "]\ninterface I : IUnknown { }",
     "1:10: error: attribute local is not supported"},
    {"[object, async_uuid(7d2f1b00-3c57-4f6e-8a11-0c1d2e3f4a02), " ID
     "] interface I : IUnknown { }",
     "1:10: error: attribute async_uuid is not supported"},
    {"[object, uuid(7d2f1b00-3c57)] interface I : IUnknown { }", "1:15: error: a GUID"},
    {"[object]\ninterface I : IUnknown { }", "2:11: error: interface I has no uuid()"},
    {"[object, " ID "]\ninterface I { }", "2:13: error: ':' is expected before '{'"},
    {"[object, " ID "]\ninterface I : IOther { }",
     "2:13: error: base interface IOther is not defined before this"},
    {"interface IMissing;\nstruct S { IMissing *m; };",
     "1:11: error: interface IMissing is never defined"},
    {"struct Missing;", "1:8: error: struct Missing is never defined"},
    {"struct N {\n LONG a;\n struct N next;\n};", "3:2: error: struct N is not complete here"},
    {"struct E { };", "1:12: error: struct E has no fields"},
    {"struct P { LONG a, b; };", "1:18: error: declare each field on its own"},
    {"struct H { HANDLE a; };", "1:19: error: a: handles are parameters"},
    {"struct B { LONG a : 3; };", "1:19: error: bit fields are not supported"},
    {"enum Big { BIG = 0x1FFFFFFFF };", "1:12: error: BIG does not fit into 32 bits"},
    {"typedef LONG Open[];", "1:14: error: Open[]: a typedef says how many elements an array has"},
    {"typedef LONG None[0];", "1:19: error: an array of 0 elements"},
    {"typedef struct Missing Few[2];", "1:9: error: struct Missing is not complete here"},
    {"typedef LONG Four[4]; typedef LONG Four[4];", "1:36: error: Four is defined twice"},
    {"typedef IUnknown Objects[4];", "1:18: error: a typedef of IUnknown is not supported"},
    {"typedef LONG Four[4]; struct S { SAFEARRAY(Four) a; };",
     "error: the elements of a SAFEARRAY are numbers"},
    {"typedef IUnknown *Two[2]; struct S { SAFEARRAY(Two) a; };",
     "error: the elements of a SAFEARRAY are numbers"},
    {"typedef WCHAR Name[8]; struct S { [string] Name a; };",
     "error: a: [string] needs a pointer to characters"},
    {"struct S { LONG (*a)(LONG b); };", "1:17: error: pointers to functions are not supported"},
    {"struct S { LONG (*a; };", "error: ')' is expected before ';'"},
    {HEAD "HRESULT A([in] LONG (*a)[]);" TAIL, "a[]: size_is is missing"},
    {"typedef HRESULT (*F)(LONG a);", "1:17: error: pointers to functions are not supported"},
    {"[" ID "] dispinterface D { LONG a; };",
     "error: properties:, methods: or interface is expected before 'LONG'"},
    {"dispinterface D { methods: };", "1:15: error: interface D has no uuid()"},
    {"[object, " ID "] dispinterface D { };", "error: a dispinterface is neither object nor dual"},
    {"[" ID "] dispinterface D { methods: void A([in] GUID *a); };",
     "D.A(a): a member of a dispinterface has arguments that a VARIANT can hold"},
    {"[" ID "] dispinterface D { properties: void A; };", "error: property A has no type"},
    {"[" ID "] dispinterface D { interface IUnknown; };",
     "error: IUnknown is no interface that is defined before this"},
    {"[" ID "] dispinterface D { }; [object, uuid(00000000-0000-0000-0000-000000000077)] interface "
     "I : D { }",
     "error: D is a dispinterface: nothing can derive from it"},
    {"[" ID "] library L { importlib(\"other.tlb\"); }", "error: cannot import other.idl: "},
    {"[" ID "] library L { importlib(\"other.dll\"); }",
     "error: importlib of other.dll is not supported"},
    {"import \"nowhere.idl\";", "1:8: error: cannot import nowhere.idl"},
    {"#include \"nowhere.h\"", "1:1: error: cannot include nowhere.h"},
    {"#define F(x) x", "1:1: error: macros with parameters are not supported"},
    {"#else", "1:1: error: there is no #if that this belongs to"},
    {"#ifdef X\n", "2:1: error: an #if of this file has no #endif"},
    {"#if X > 3\n#endif\n", "1:1: error: #if knows only"},
    {"#error not today\n", "1:1: error: #error not today"},
    {"/* never ends", "1:1: error: this comment does not end"},
    {"cpp_quote(\"never ends)\n", "1:11: error: this string does not end on its line"},
    {"const LONG A = 99999999999999999999;",
     "error: 99999999999999999999 is no integer of 64 bits"},
    {"const GUID A = 1;", "1:7: error: a constant is a number or a text"},
    {"const double **A = 1.5;", "1:7: error: a constant is a number or a text"},
    {"const char *A = 1;", "1:17: error: a string is expected"},
    {"const double A = \"a\";", "1:18: error: "},
    {"const char *A = \"a\";\nconst LONG B = A;",
     "2:16: error: A is no constant that is known here"},
    {"const LONG A = 1;\nconst LONG A = 1;", "2:12: error: constant A is defined twice"},
    {"const LONG A = 1;\nstruct S { LONG A; };", "2:17: error: A is a constant"},
    {"struct S { LONG template; };", "1:17: error: template cannot be a name"},
    {"struct S { LONG S; };", "1:17: error: S names a type"},
    {HEAD "HRESULT A();" TAIL "[object, uuid(7d2f1b00-3c57-4f6e-8a11-0c1d2e3f4a02)]\n"
          "interface IBar : IFoo { HRESULT a(); }",
     "8:33: error: method a is there already, in the base interface IFoo"},
    {"[object, dual, " ID "]\ninterface IFoo : IDispatch { HRESULT Invoke(); }",
     "2:38: error: method Invoke is there already, in the base interface IDispatch"},
    {"\x01", "1:1: error: interface, dispinterface, coclass, library"},
};

static void check_wrong(const char *text, const char *expected)
{
    char *said;

    if (!CHECK_EQ(compile_text(text, strlen(text), &said), 1))
        harness_note("accepted: %s", text);
    CHECK_STR_HAS(said ? said : "", expected);
    free(said);
}

TEST(wrong_methods_are_named)
{
    char text[1024];

    for (size_t i = 0; i < sizeof(methods) / sizeof(methods[0]); i++) {
        snprintf(text, sizeof(text), "%s%s%s", HEAD, methods[i].text, TAIL);
        check_wrong(text, methods[i].expected);
    }
}

TEST(wrong_statements_are_named)
{
    for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++)
        check_wrong(files[i].text, files[i].expected);
}

TEST(an_error_shows_its_line)
{
    static const char text[] = HEAD "\tHRESULT A([in] Mystery a);" TAIL;
    char *path = os_path_join(harness_temporary_directory(), "wrong.idl");
    char expected[1024];
    char *said;

    CHECK_EQ(compile_text(text, strlen(text), &said), 1);
    snprintf(expected, sizeof(expected),
             "%s:5:17: error: Mystery is not a type that is known here\n"
             "    \tHRESULT A([in] Mystery a);\n"
             "    \t               ^\n",
             path);
    CHECK_STR_EQ(said, expected);
    free(said);
    free(path);
}

TEST(several_errors_are_found_in_one_run)
{
    char *said;
    static const char text[] =
        HEAD "HRESULT A([in] Mystery a);\nHRESULT B([in] LONG a);\n"
             "HRESULT C([out] LONG b);\nHRESULT D([in] HWND a)" TAIL "struct E { };\n";

    CHECK_EQ(compile_text(text, strlen(text), &said), 1);
    CHECK_STR_HAS(said, ":5:16: error: ");
    CHECK_STR_HAS(said, ":7:22: error: ");
    CHECK_STR_HAS(said, ":8:16: error: ");
    CHECK_STR_HAS(said, ":10:12: error: ");
    /* Line 6 is right. */
    CHECK_NULL(strstr(said, ":6:"));
    free(said);
}

/* "other.tlb" is known by "other.idl". */
TEST(a_library_is_read_in_the_place_of_its_tlb)
{
    static const char other[] = "const LONG MOST = 5;\n[object, " ID "]\n"
                                "interface IOther : IUnknown { HRESULT A(); }\n";
    static const char text[] =
        "[uuid(7d2f1b00-3c57-4f6e-8a11-0c1d2e3f4a02)] library L {\n"
        "importlib(\"stdole2.tlb\");\nimportlib(\"other.tlb\");\n"
        "[uuid(7d2f1b00-3c57-4f6e-8a11-0c1d2e3f4a03)] coclass C { interface IOther; }\n"
        "struct S { LONG a[MOST]; };\n}\n";
    char *path = os_path_join(harness_temporary_directory(), "other.idl");
    char *said;

    CHECK_OK(os_file_write(path, other, strlen(other)));
    if (!CHECK_EQ(compile_text(text, strlen(text), &said), 0))
        harness_note("%s", said);
    free(said);
    free(path);
}

TEST(wrong_arguments_are_refused)
{
    char program[] = "viaduct-idl", one[] = "a.idl", two[] = "b.idl";
    char *none[] = {program, NULL}, *both[] = {program, one, two, NULL};

    fflush(stderr);
    CHECK_EQ(idl_main(program, 1, none), 2);
    CHECK_EQ(idl_main(program, 3, both), 2);
    CHECK_EQ(idl_main(program, 2, both), 1);
}

/* Runs the compiler on right.idl with outputs, where it is to fail and leave right.idl alone. */
static void check_outputs_refused(const char *header, const char *json)
{
    static const char text[] = HEAD "HRESULT A();" TAIL;
    const char *directory = harness_temporary_directory();
    char program[] = "viaduct-idl", option[] = "--header", other[] = "--json";
    char *input = os_path_join(directory, "right.idl"), *first = os_path_join(directory, header);
    char *second = os_path_join(directory, json), *left = NULL;
    char *arguments[] = {program, input, option, first, other, second, NULL};
    size_t size;

    CHECK_OK(os_file_write(input, text, strlen(text)));
    fflush(stderr);
    CHECK_EQ(idl_main(program, 6, arguments), 1);
    CHECK_OK(os_file_read(input, MAX_TEXT, &left, &size));
    CHECK_STR_EQ(left ? left : "", text);
    free(left);
    free(input);
    free(first);
    free(second);
}

TEST(no_output_replaces_an_input_or_another_output)
{
    check_outputs_refused("right.idl", "right.json");
    check_outputs_refused("right.h", "right.idl");
    check_outputs_refused("./right.idl", "right.json");
    check_outputs_refused("same", "same");
    check_outputs_refused("missing/right.h", "right.json");
    check_outputs_refused(".", "right.json");
}

HARNESS_MAIN("idl_errors", TEST_ENTRY(wrong_methods_are_named),
             TEST_ENTRY(wrong_statements_are_named), TEST_ENTRY(an_error_shows_its_line),
             TEST_ENTRY(several_errors_are_found_in_one_run),
             TEST_ENTRY(a_library_is_read_in_the_place_of_its_tlb),
             TEST_ENTRY(wrong_arguments_are_refused),
             TEST_ENTRY(no_output_replaces_an_input_or_another_output))
