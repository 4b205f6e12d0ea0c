/*
 * The table itself is agile, and there is one in each process; the pointer to it is kept as long as
 * the process.
 */
#include "com/remote/global_table.h"

#include <stdatomic.h>

#include "core/util/error.h"

static HRESULT table(IGlobalInterfaceTable **result)
{
    static _Atomic(IGlobalInterfaceTable *) the_table;
    IGlobalInterfaceTable *known = atomic_load(&the_table);
    IGlobalInterfaceTable *made = NULL;
    HRESULT hr = known != NULL
                     ? S_OK
                     : CoCreateInstance(&CLSID_StdGlobalInterfaceTable, NULL, CLSCTX_INPROC_SERVER,
                                        &IID_IGlobalInterfaceTable, (void **)&made);
    if (FAILED(hr))
        return error_set(hr, "COM has no Global Interface Table for this thread");
    if (known == NULL && atomic_compare_exchange_strong(&the_table, &known, made))
        known = made;
    else if (made != NULL)
        IGlobalInterfaceTable_Release(made); /* another thread was first */
    *result = known;
    return S_OK;
}

HRESULT global_table_put(IUnknown *object, uint32_t *cookie)
{
    IGlobalInterfaceTable *all;
    DWORD given = 0;
    *cookie = 0;
    HRESULT hr = table(&all);
    if (FAILED(hr))
        return hr;
    hr = IGlobalInterfaceTable_RegisterInterfaceInGlobal(all, object, &IID_IUnknown, &given);
    if (FAILED(hr))
        return error_set(hr, "the Global Interface Table does not take an object");
    *cookie = given;
    return S_OK;
}

HRESULT global_table_get(uint32_t cookie, const GUID *iid, void **pointer)
{
    IGlobalInterfaceTable *all;
    void *unknown = NULL;
    *pointer = NULL;
    HRESULT hr = table(&all);
    if (FAILED(hr))
        return hr;
    hr = IGlobalInterfaceTable_GetInterfaceFromGlobal(all, cookie, &IID_IUnknown, &unknown);
    if (FAILED(hr))
        return error_set(hr, "the object cannot be had from its apartment");
    hr = IUnknown_QueryInterface((IUnknown *)unknown, iid, pointer);
    IUnknown_Release((IUnknown *)unknown);
    if (FAILED(hr))
        error_set(hr, "COM has no way of passing an interface of the object to another apartment");
    return hr;
}

void global_table_remove(uint32_t cookie)
{
    IGlobalInterfaceTable *all;
    if (cookie == 0)
        return;
    if (SUCCEEDED(table(&all)))
        IGlobalInterfaceTable_RevokeInterfaceFromGlobal(all, cookie);
    else
        error_clear();
}
