#include "com/inproc/sides.h"

#include <viaduct/proxies.h>

#include <windows.h>

#include <oaidl.h>

#include "com/inproc/bind.h"

/* A failure of any interface leaves error information, as the runtime's proxies do. */
static HRESULT STDMETHODCALLTYPE Errors_InterfaceSupportsErrorInfo(void *pointer, REFIID iid)
{
    (void)pointer, (void)iid;
    return S_OK;
}

static const void *const error_slots[] = {
    (const void *)(uintptr_t)Errors_InterfaceSupportsErrorInfo,
};

/* Script engines ask for these first. Under Wine an object that has a site is not made in
 * VBScript; IDispatchEx would have members come and go. */
static const IID iid_site = {
    0xfc4801a3, 0x2ba9, 0x11cf, {0xa2, 0x29, 0x00, 0xaa, 0x00, 0x3d, 0x73, 0x52}};
static const IID iid_dispatch_ex = {
    0xa6ef9860, 0xc720, 0x11d0, {0x93, 0x37, 0x00, 0xa0, 0xc9, 0x0d, 0xca, 0xa9}};
static const IID iid_object_safety = {
    0xcb5bdc81, 0x93c1, 0x11cf, {0x8f, 0x20, 0x00, 0x80, 0x5f, 0x2c, 0xd0, 0x64}};

static const struct via_proxy_side all[] = {
    {.iid = &IID_ISupportErrorInfo, .slots = error_slots, .n_slots = 1},
    {.iid = &bind_iid,
     .slots = bind_slots,
     .n_slots = BIND_N_SLOTS,
     .data_size = sizeof(struct bind_data),
     .end = bind_end},
    {.iid = &iid_site},
    {.iid = &iid_dispatch_ex},
    {.iid = &iid_object_safety},
};

const struct via_proxy_side *sides_all(uint32_t *n)
{
    *n = sizeof(all) / sizeof(all[0]);
    return all;
}
