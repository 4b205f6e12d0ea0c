/*
 * Functions for the slots of vtables whose methods take words only: one for each slot and number of
 * arguments, which gathers the arguments and comes to thunk_arrive(). A libffi closure would sort
 * them anew for every call, and needs memory that is writable and executable.
 */
#ifndef COM_MARSHAL_THUNKS_H
#define COM_MARSHAL_THUNKS_H

#include <stdint.h>
#include <viaduct/hresult.h>

/* The function, or NULL where there is none and a closure has to do. */
const void *thunk_find(unsigned slot, unsigned n_words);
/* ffi.c: what all of them call. `words` are the arguments behind `This`. */
HRESULT thunk_arrive(void *pointer, unsigned slot, uintptr_t *words);

#endif
