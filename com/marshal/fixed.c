#include "com/marshal/fixed.h"
#include "com/marshal/native.h"

#include <stdlib.h>
#include <string.h>

/* Longer forms (arrays of booleans, of structs with holes) are left to the general walkers. */
#define MAX_STEPS 64

/* --- preparing --- */

struct builder {
    struct plan_form *form;
    const struct marshal_method *method;
    uint16_t param;
    bool is_too_long;
    uint32_t n_bytes; /* that steps copy */
    struct plan_step steps[MAX_STEPS];
};

static void align(struct builder *self, const struct plan_type *type)
{
    uint32_t alignment = type->wire_alignment;
    self->form->size = (self->form->size + alignment - 1) / alignment * alignment;
}

static void add_step(struct builder *self, const struct plan_type *type, uint32_t at)
{
    struct plan_form *form = self->form;
    if (form->n_steps == MAX_STEPS) {
        self->is_too_long = true;
        return;
    }
    align(self, type);
    self->steps[form->n_steps++] =
        (struct plan_step){.param = self->param,
                           .is_bool = type->kind == VIA_TYPE_BOOL,
                           .size = type->size,
                           .value = at,
                           .storage = self->method->params[self->param].storage + at,
                           .payload = form->size};
    form->size += type->size;
    self->n_bytes += type->size;
}

/* What the general encoder would write, step by step. */
static void add_value(struct builder *self, const struct plan_type *type, uint32_t at)
{
    if (type->is_verbatim || type->kind == VIA_TYPE_BOOL) {
        add_step(self, type, at);
    } else if (type->kind == VIA_TYPE_UNION || type->length_from != VIA_SIZE_NONE) {
        self->is_too_long = true; /* it has no size of its own */
    } else if (type->kind == VIA_TYPE_ARRAY) {
        for (uint32_t i = 0; i < type->count && !self->is_too_long; i++)
            add_value(self, type->element, at + i * type->element->size);
    } else if (type->kind == VIA_TYPE_DECIMAL) {
        self->is_too_long = true; /* it is looked into: that is left to the general walkers */
    } else {
        align(self, type);
        for (uint16_t i = 0; i < type->record->n_fields && !self->is_too_long; i++)
            add_value(self, type->record->fields[i].type, at + type->record->fields[i].offset);
    }
}

HRESULT fixed_prepare(struct plan_form *form, const struct marshal_method *method, bool is_out)
{
    struct builder builder = {.form = form, .method = method};
    bool is_fixed = true;
    for (uint16_t i = 0; i < method->n_params && is_fixed; i++) {
        const struct plan_param *plan = &method->params[i];
        if (is_out ? !plan->is_out : !plan->is_in)
            continue;
        is_fixed = plan->type->is_plain && !plan->is_nullable;
        builder.param = i;
        if (is_fixed)
            add_value(&builder, plan->type, 0);
        is_fixed &= !builder.is_too_long;
    }
    if (!is_fixed) {
        *form = (struct plan_form){0};
        return S_OK;
    }
    form->steps = calloc((size_t)form->n_steps + 1, sizeof(*form->steps));
    if (!form->steps)
        return E_OUTOFMEMORY;
    memcpy(form->steps, builder.steps, form->n_steps * sizeof(*form->steps));
    form->has_holes = builder.n_bytes != form->size;
    form->is_fixed = true;
    return S_OK;
}

/* --- calls --- */

/* Sizes that a register holds are one load and one store. */
static inline void copy(void *to, const void *from, uint32_t size)
{
    switch (size) {
    case 1:
        memcpy(to, from, 1);
        break;
    case 2:
        memcpy(to, from, 2);
        break;
    case 4:
        memcpy(to, from, 4);
        break;
    case 8:
        memcpy(to, from, 8);
        break;
    case 16:
        memcpy(to, from, 16);
        break;
    default:
        memcpy(to, from, size);
    }
}

static inline void encode_step(const struct plan_step *step, const void *value, uint8_t *payload)
{
    VARIANT_BOOL boolean;
    if (!step->is_bool) {
        copy(payload + step->payload, value, step->size);
        return;
    }
    /* Anything but 0 is true to COM; only -1 goes on the wire. */
    memcpy(&boolean, value, sizeof(boolean));
    boolean = boolean ? VARIANT_TRUE : VARIANT_FALSE;
    memcpy(payload + step->payload, &boolean, sizeof(boolean));
}

void fixed_encode_arguments(const struct marshal_method *method, void *const *arguments,
                            uint8_t *payload)
{
    const struct plan_form *form = &method->in;
    if (form->has_holes)
        memset(payload, 0, form->size);
    for (uint16_t i = 0; i < form->n_steps; i++) {
        const struct plan_step *step = &form->steps[i];
        const char *value = native_target(&method->params[step->param], arguments[step->param]);
        encode_step(step, value + step->value, payload);
    }
}

void fixed_encode_storage(const struct plan_form *form, const char *storage, uint8_t *payload)
{
    if (form->has_holes)
        memset(payload, 0, form->size);
    for (uint16_t i = 0; i < form->n_steps; i++)
        encode_step(&form->steps[i], storage + form->steps[i].storage, payload);
}

bool fixed_decode(const struct plan_form *form, const uint8_t *payload, size_t size, char *storage)
{
    bool is_right = size == form->size;
    for (uint16_t i = 0; i < form->n_steps && is_right; i++) {
        const struct plan_step *step = &form->steps[i];
        copy(storage + step->storage, payload + step->payload, step->size);
        if (step->is_bool) {
            VARIANT_BOOL boolean; /* the copy is judged: the payload may change under us */
            memcpy(&boolean, storage + step->storage, sizeof(boolean));
            is_right = boolean == VARIANT_TRUE || boolean == VARIANT_FALSE;
        }
    }
    return is_right;
}

void fixed_deliver(const struct marshal_method *method, const char *storage, void *const *arguments)
{
    const struct plan_form *form = &method->out;
    for (uint16_t i = 0; i < form->n_steps; i++) {
        const struct plan_step *step = &form->steps[i];
        char *value = native_target(&method->params[step->param], arguments[step->param]);
        copy(value + step->value, storage + step->storage, step->size);
    }
}
