#include "tests/abi/cpp_object.h"

#include <cstdlib>
#include <new>
#include <viaduct/component.h>
#include <viaduct/runtime.h>
#include <viaduct/server.h>
#include <viaduct/typelib.h>

namespace
{

struct Factory : public IClassFactory {
    ULONG references = 1;
    LONG locks = 0;

    HRESULT STDMETHODCALLTYPE QueryInterface(REFIID iid, void **object) override
    {
        *object = nullptr;
        if (!IsEqualGUID(iid, IID_IUnknown) && !IsEqualGUID(iid, IID_IClassFactory))
            return E_NOINTERFACE;
        *object = static_cast<IClassFactory *>(this);
        references++;
        return S_OK;
    }
    ULONG STDMETHODCALLTYPE AddRef() override
    {
        return ++references;
    }
    ULONG STDMETHODCALLTYPE Release() override
    {
        ULONG left = --references;
        if (left == 0) {
            this->~Factory();
            std::free(this);
        }
        return left;
    }
    HRESULT STDMETHODCALLTYPE CreateInstance(IUnknown *, REFIID iid, void **object) override
    {
        return QueryInterface(iid, object);
    }
    HRESULT STDMETHODCALLTYPE LockServer(BOOL lock) override
    {
        locks += lock ? 1 : -1;
        return S_OK;
    }
};

} // namespace

IClassFactory *cpp_factory_new(void)
{
    /* Memory by malloc(): the test program links no C++ library. */
    void *memory = std::malloc(sizeof(Factory));
    return memory ? new (memory) Factory : nullptr;
}

LONG cpp_locks(IClassFactory *factory)
{
    return static_cast<Factory *>(factory)->locks;
}

ULONG cpp_release(IUnknown *object)
{
    return object->Release();
}
