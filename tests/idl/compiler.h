/* The interface compiler, run within the test on a text, and the frame that a method needs. */
#ifndef TESTS_IDL_COMPILER_H
#define TESTS_IDL_COMPILER_H

#include <stddef.h>

/* Of what is read of files. */
#define MAX_TEXT (1u << 20)

#define ID   "uuid(7d2f1b00-3c57-4f6e-8a11-0c1d2e3f4a01)"
#define HEAD "import \"unknwn.idl\";\n[object, " ID "]\ninterface IFoo : IUnknown\n{\n"
#define TAIL "\n}\n"

/* Compiles the text, as "wrong.idl" of the test's directory. The compiler's exit code; what it says
 * on standard error is for free(). */
int compile_text(const char *text, size_t size, char **said);

#endif
