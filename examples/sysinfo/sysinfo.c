/*
 * SysInfo: the component around the questions of platform.h. This file is the same on both systems.
 */
#include "fail.h"
#include "platform.h"

#include <viaduct/component.h>
#include <viaduct/object.h>
#include <viaduct/runtime.h>

struct sysinfo_object {
    struct via_object object;
    ISysInfo ISysInfo_iface;
};

VIA_OBJECT_METHODS(SysInfo, struct sysinfo_object, ISysInfo)

static HRESULT STDMETHODCALLTYPE SysInfo_Describe(ISysInfo *iface, struct SystemDescription *system)
{
    HRESULT hr;

    (void)iface;
    memset(system, 0, sizeof(*system));
    hr = platform_describe(system);
    if (FAILED(hr)) {
        SysFreeString(system->name);
        SysFreeString(system->version);
        SysFreeString(system->hostName);
        SysFreeString(system->user);
        SysFreeString(system->directory);
        memset(system, 0, sizeof(*system));
    }
    return hr;
}

static HRESULT STDMETHODCALLTYPE SysInfo_ListProcesses(ISysInfo *iface, ULONG *count,
                                                       struct ProcessDescription **processes)
{
    (void)iface;
    *count = 0;
    *processes = NULL;
    return platform_list_processes(count, processes);
}

static HRESULT STDMETHODCALLTYPE SysInfo_ReadVariable(ISysInfo *iface, BSTR name, BSTR *value)
{
    (void)iface;
    *value = NULL;
    if (!SysStringLen(name))
        return fail(E_INVALIDARG, "an environment variable's name is empty");
    return platform_read_variable(name, value);
}

static HRESULT STDMETHODCALLTYPE SysInfo_ReadTextFile(ISysInfo *iface, BSTR path, BSTR *text)
{
    (void)iface;
    *text = NULL;
    if (!SysStringLen(path))
        return fail(E_INVALIDARG, "a file's path is empty");
    return platform_read_text_file(path, text);
}

static HRESULT STDMETHODCALLTYPE SysInfo_ReadRegistry(ISysInfo *iface, BSTR key, BSTR name,
                                                      BSTR *value)
{
    (void)iface;
    *value = NULL;
    if (!SysStringLen(key))
        return fail(E_INVALIDARG, "a registry key is empty");
    return platform_read_registry(key, name, value);
}

/* Sleeps in small pieces, so that a caller that has given up is noticed soon. */
static HRESULT pause_between_samples(ULONG milliseconds)
{
    while (milliseconds > 0) {
        ULONG piece = milliseconds < 20 ? milliseconds : 20;

        if (via_call_is_cancelled())
            return RPC_E_CALL_CANCELED;
        platform_sleep_ms(piece);
        milliseconds -= piece;
    }
    return S_OK;
}

static HRESULT STDMETHODCALLTYPE SysInfo_Watch(ISysInfo *iface, ULONG count, ULONG interval_ms,
                                               ISysInfoWatcher *watcher)
{
    HRESULT hr = S_OK;

    (void)iface;
    if (!watcher)
        return fail(E_POINTER, "Watch needs a watcher");
    for (ULONG i = 0; SUCCEEDED(hr) && i < count; i++) {
        LONGLONG bytes;
        ULONG processes;

        hr = i ? pause_between_samples(interval_ms) : S_OK;
        if (SUCCEEDED(hr))
            hr = platform_sample(&bytes, &processes);
        if (SUCCEEDED(hr))
            hr = ISysInfoWatcher_Sampled(watcher, i, bytes, processes);
    }
    return hr;
}

static HRESULT STDMETHODCALLTYPE SysInfo_ReadProcessId(ISysInfo *iface, ULONG *process_id)
{
    (void)iface;
    *process_id = platform_process_id();
    return S_OK;
}

static const ISysInfoVtbl sysinfo_vtable = {
    SysInfo_QueryInterface, SysInfo_AddRef,        SysInfo_Release,      SysInfo_Describe,
    SysInfo_ListProcesses,  SysInfo_ReadVariable,  SysInfo_ReadTextFile, SysInfo_ReadRegistry,
    SysInfo_Watch,          SysInfo_ReadProcessId,
};

static const struct via_object_interface sysinfo_interfaces[] = {
    VIA_OBJECT_INTERFACE(struct sysinfo_object, ISysInfo, sysinfo_vtable),
    {.iid = NULL},
};

static struct via_module module;

static const struct via_object_kind sysinfo_kind = {
    .size = sizeof(struct sysinfo_object),
    .interfaces = sysinfo_interfaces,
    .module = &module,
};

/* The class object. */
static struct via_factory factory = VIA_FACTORY(&sysinfo_kind, NULL);

static HRESULT STDMETHODCALLTYPE get_class_object(REFCLSID clsid, REFIID iid, void **object)
{
    *object = NULL;
    if (!IsEqualCLSID(clsid, &CLSID_SysInfo))
        return CLASS_E_CLASSNOTAVAILABLE;
    return via_factory_get(&factory, iid, object);
}

static HRESULT STDMETHODCALLTYPE can_unload_now(void)
{
    return via_module_is_idle(&module) ? S_OK : S_FALSE;
}

/* What `viaduct register` reads, and what a host loads. */

static const struct via_component_class classes[] = {{
    .clsid = &CLSID_SysInfo,
    .progid = "Viaduct.SysInfo",
    .description = "Tells about the system that it runs on",
    .threading = VIA_THREADING_FREE,
    .coclass = "SysInfo",
}};

static const struct via_typelib *const typelibs[] = {&sysinfo_typelib};

VIADUCT_COMPONENT_EXPORT const struct via_component viaduct_component = {
    .abi = VIA_COMPONENT_ABI,
    .size = sizeof(struct via_component),
    .name = "sysinfo",
    .version = "1.0.0",
    .typelibs = typelibs,
    .n_typelibs = 1,
    .n_classes = 1,
    .classes = classes,
    .get_class_object = get_class_object,
    .can_unload_now = can_unload_now,
};
