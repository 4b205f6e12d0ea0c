/*
 * IFoo_Method_begin() and IFoo_Method_finish(): inline functions that gather pointers to the
 * arguments that go one way, as <viaduct/async.h> takes them.
 */
#include "com/idl/emit.h"

#include <string.h>

#define SLOTS_OF_UNKNOWN  3u
#define SLOTS_OF_DISPATCH 4u

/* Whether a call macro has the name that the function would have: the method is called so then. */
static bool is_taken(const struct unit *unit, const size_t *chain, size_t n, const char *method,
                     const char *suffix)
{
    size_t length = strlen(method);
    for (size_t i = 0; i < n; i++) {
        const struct unit_interface *self = &unit->interfaces[chain[i]];
        for (size_t j = 0; j < self->n_methods; j++) {
            const char *name = self->methods[j].c_name;
            if (!strncmp(name, method, length) && !strcmp(name + length, suffix))
                return true;
        }
    }
    return false;
}

static unsigned emit_parameters(const struct unit_method *method, uint16_t way, const char *before,
                                struct buffer *out)
{
    unsigned n = 0;
    for (uint16_t i = 0; i < method->method.n_params; i++) {
        if (!(method->method.params[i].flags & way))
            continue;
        buffer_print(out, "%s%s", before, method->declarations[i].text);
        before = ", ";
        n++;
    }
    return n;
}

/* The names of our own cannot be those of parameters. */
static void emit_list(const struct unit_method *method, uint16_t way, unsigned n,
                      struct buffer *out)
{
    const char *before = "";
    if (n == 0)
        return;
    buffer_print(out, "    void *via_list_[] = {");
    for (uint16_t i = 0; i < method->method.n_params; i++) {
        if (!(method->method.params[i].flags & way))
            continue;
        buffer_print(out, "%s(void *)&%s", before, method->method.params[i].name);
        before = ", ";
    }
    buffer_print(out, "};\n");
}

static void emit_method(const char *name, const struct unit_method *method, unsigned slot,
                        struct buffer *out)
{
    buffer_print(out, "static inline HRESULT %s_%s_begin(%s *This", name, method->c_name, name);
    unsigned n = emit_parameters(method, VIA_PARAM_IN, ", ", out);
    buffer_print(out, ", struct via_call **via_call_)\n{\n");
    emit_list(method, VIA_PARAM_IN, n, out);
    buffer_print(out, "    return via_call_begin(This, &IID_%s, %u, %s, via_call_);\n}\n", name,
                 slot, n != 0 ? "via_list_" : "NULL");
    buffer_print(out, "static inline HRESULT %s_%s_finish(struct via_call *via_call_", name,
                 method->c_name);
    n = emit_parameters(method, VIA_PARAM_OUT, ", ", out);
    buffer_print(out, ")\n{\n");
    emit_list(method, VIA_PARAM_OUT, n, out);
    buffer_print(out, "    return via_call_finish(via_call_, &IID_%s, %u, %s);\n}\n", name, slot,
                 n != 0 ? "via_list_" : "NULL");
}

void emit_async(const struct unit *unit, const char *name, const size_t *chain, size_t n,
                struct buffer *out)
{
    unsigned slot = 0;
    for (size_t i = 0; i < n; i++) {
        const struct unit_interface *self = &unit->interfaces[chain[i]];
        if (!strcmp(self->itf.name, "IUnknown"))
            slot += SLOTS_OF_UNKNOWN;
        else if (!strcmp(self->itf.name, "IDispatch"))
            slot += SLOTS_OF_DISPATCH;
        for (size_t j = 0; j < self->n_methods; j++, slot++) {
            const struct unit_method *method = &self->methods[j];
            if (!is_taken(unit, chain, n, method->c_name, "_begin") &&
                !is_taken(unit, chain, n, method->c_name, "_finish"))
                emit_method(name, method, slot, out);
        }
    }
}
