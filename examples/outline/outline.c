/*
 * The outline: an object for each section of a small text that somebody asks for. The text is part
 * of the program, so that an object is no more than a place in it.
 */
#include "outline.h"

#include <viaduct/component.h>
#include <viaduct/object.h>

/* --- the text --- */

/* Sections follow what they are in; `depth` says which that is. */
struct part {
    unsigned depth;
    const WCHAR *title;
    const WCHAR *text;
};

static const struct part parts[] = {
    {0, VIA_STR("Bridges"), VIA_STR("How to get across.")},
    {1, VIA_STR("Materials"), VIA_STR("Wood, stone, iron.")},
    {2, VIA_STR("Stone"), VIA_STR("Heavy, and it lasts.")},
    {2, VIA_STR("Iron"), VIA_STR("Light, and it rusts.")},
    {1, VIA_STR("Shapes"), VIA_STR("What holds it up.")},
    {2, VIA_STR("Arch"), VIA_STR("Each stone holds the next one.")},
};

static const struct part *const end_of_parts = parts + sizeof(parts) / sizeof(parts[0]);

/* The first section in `section`, or the next one behind `last`; NULL: there is none. */
static const struct part *next_part(const struct part *section, const struct part *last)
{
    const struct part *part = last ? last + 1 : section + 1;

    while (part < end_of_parts && part->depth > section->depth + 1)
        part++;
    return part < end_of_parts && part->depth == section->depth + 1 ? part : NULL;
}

/* A BSTR has its length with it, and may contain zeroes. */
static int is_title(const struct part *part, BSTR title)
{
    UINT n = 0;

    while (n < SysStringLen(title) && part->title[n] == title[n])
        n++;
    return n == SysStringLen(title) && !part->title[n];
}

/* --- objects --- */

struct section {
    struct via_object object;
    ISection ISection_iface;
    const struct part *part; /* NULL: all of it */
};

static const struct part *part_of(ISection *iface)
{
    const struct section *self = VIA_OBJECT_OF(iface, struct section, ISection);

    return self->part ? self->part : parts;
}

/* Gives a failure its text, which the caller gets with the code, wherever it is. */
static HRESULT fail(HRESULT code, const WCHAR *why)
{
    ICreateErrorInfo *writer;
    IErrorInfo *info;

    if (FAILED(CreateErrorInfo(&writer)))
        return code;
    ICreateErrorInfo_SetSource(writer, (LPOLESTR)VIA_STR("Viaduct.Outline"));
    ICreateErrorInfo_SetDescription(writer, (LPOLESTR)why);
    if (SUCCEEDED(ICreateErrorInfo_QueryInterface(writer, &IID_IErrorInfo, (void **)&info))) {
        SetErrorInfo(0, info);
        IErrorInfo_Release(info);
    }
    ICreateErrorInfo_Release(writer);
    return code;
}

VIA_OBJECT_METHODS(Section, struct section, ISection)

static HRESULT give_text(const WCHAR *from, BSTR *to)
{
    *to = SysAllocString(from);
    return *to ? S_OK : E_OUTOFMEMORY;
}

static HRESULT STDMETHODCALLTYPE Section_get_Title(ISection *iface, BSTR *title)
{
    return give_text(part_of(iface)->title, title);
}

static HRESULT STDMETHODCALLTYPE Section_get_Text(ISection *iface, BSTR *text)
{
    return give_text(part_of(iface)->text, text);
}

static HRESULT STDMETHODCALLTYPE Section_get_Titles(ISection *iface, SAFEARRAY **titles)
{
    const struct part *section = part_of(iface);
    ULONG n = 0;
    BSTR *texts;

    for (const struct part *part = NULL; (part = next_part(section, part)) != NULL;)
        n++;
    *titles = SafeArrayCreateVector(VT_BSTR, 0, n);
    if (!*titles)
        return E_OUTOFMEMORY;
    texts = (*titles)->pvData;
    for (const struct part *part = NULL; (part = next_part(section, part)) != NULL;)
        *texts++ = SysAllocString(part->title);
    return S_OK;
}

static HRESULT make_section(const struct part *part, ISection **section);

static HRESULT STDMETHODCALLTYPE Section_Find(ISection *iface, BSTR title, ISection **section)
{
    const struct part *part = NULL;

    *section = NULL;
    do
        part = next_part(part_of(iface), part);
    while (part && !is_title(part, title));
    return part ? make_section(part, section)
                : fail(E_INVALIDARG, VIA_STR("there is no section with this title here"));
}

static const ISectionVtbl section_vtable = {
    Section_QueryInterface, Section_AddRef,     Section_Release, Section_get_Title,
    Section_get_Text,       Section_get_Titles, Section_Find,
};

static const struct via_object_interface section_interfaces[] = {
    VIA_OBJECT_INTERFACE(struct section, ISection, section_vtable),
    {.iid = NULL},
};

static struct via_module module;

static const struct via_object_kind section_kind = {
    .size = sizeof(struct section),
    .interfaces = section_interfaces,
    .module = &module,
};

static HRESULT make_section(const struct part *part, ISection **section)
{
    struct section *self = via_object_new(&section_kind);

    if (!self)
        return E_OUTOFMEMORY;
    self->part = part;
    *section = &self->ISection_iface;
    return S_OK;
}

/* --- the component --- */

/* The class object: a new object is all of the text. */
static struct via_factory factory = VIA_FACTORY(&section_kind, NULL);

static HRESULT STDMETHODCALLTYPE get_class_object(REFCLSID clsid, REFIID iid, void **object)
{
    *object = NULL;
    if (!IsEqualCLSID(clsid, &CLSID_Outline))
        return CLASS_E_CLASSNOTAVAILABLE;
    return via_factory_get(&factory, iid, object);
}

static HRESULT STDMETHODCALLTYPE can_unload_now(void)
{
    return via_module_is_idle(&module) ? S_OK : S_FALSE;
}

static const struct via_component_class classes[] = {{
    .clsid = &CLSID_Outline,
    .progid = "Viaduct.Outline",
    .description = "Sections within sections of a small text",
    .threading = VIA_THREADING_FREE,
    .coclass = "Outline",
}};

static const struct via_typelib *const typelibs[] = {&outline_typelib};

VIADUCT_COMPONENT_EXPORT const struct via_component viaduct_component = {
    .abi = VIA_COMPONENT_ABI,
    .size = sizeof(struct via_component),
    .name = "outline",
    .version = "1.0.0",
    .typelibs = typelibs,
    .n_typelibs = 1,
    .n_classes = 1,
    .classes = classes,
    .get_class_object = get_class_object,
    .can_unload_now = can_unload_now,
};
