/* The interface compiler as a function, for the program viaduct-idl and for `viaduct idl`. */
#ifndef COM_IDL_IDL_H
#define COM_IDL_IDL_H

/* Exit status: 0, 1 after errors in the file, 2 after wrong arguments. `program` is what help calls
 * it. */
int idl_main(const char *program, int argc, char **argv);

#endif
