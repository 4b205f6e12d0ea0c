#include "tests/idl/cpp_numbers.h"

#include <cstdlib>
#include <new>

namespace
{

struct Numbers : public IBroadNumbers {
    ULONG references = 1;

    STDMETHODIMP QueryInterface(REFIID iid, void **object) override
    {
        bool known = IsEqualGUID(iid, IID_IUnknown) || IsEqualGUID(iid, IID_IBroadNumbers);
        *object = known ? this : nullptr;
        references += known;
        return known ? S_OK : E_NOINTERFACE;
    }
    STDMETHODIMP_(ULONG) AddRef() override
    {
        return ++references;
    }
    STDMETHODIMP_(ULONG) Release() override
    {
        ULONG left = --references;
        if (left == 0) {
            this->~Numbers();
            std::free(this);
        }
        return left;
    }
    STDMETHODIMP Small(BYTE, char, INT8, UCHAR, INT8, BOOLEAN) override
    {
        return S_OK;
    }
    STDMETHODIMP Medium(SHORT, USHORT, SHORT, USHORT, WCHAR, WCHAR) override
    {
        return S_OK;
    }
    STDMETHODIMP Large(LONG, ULONG, INT, UINT, LONG, ULONG, DWORD, UINT, BOOL) override
    {
        return S_OK;
    }
    STDMETHODIMP Huge(LONGLONG, ULONGLONG, LONGLONG, ULONGLONG, LONGLONG, ULONGLONG) override
    {
        return S_OK;
    }
    STDMETHODIMP Real(float, double, FLOAT, DOUBLE) override
    {
        return S_OK;
    }
    STDMETHODIMP Others(VARIANT_BOOL, HRESULT code, GUID, REFIID iid, const GUID *,
                        REFCLSID) override
    {
        return IsEqualGUID(iid, IID_IBroadSink) ? code : E_UNEXPECTED;
    }
    STDMETHODIMP Enums(BroadKind, BroadPlain, BaseColor, BroadKind *, BroadKind *) override
    {
        return S_OK;
    }
    STDMETHODIMP Returns(BYTE *a, LONGLONG *b, double *c, GUID *d, LONG *e,
                         VARIANT_BOOL *f) override
    {
        *a = 200;
        *b = -5000000000;
        *c = 0.5;
        *d = IID_IBroadNumbers;
        ++*e;
        *f = VARIANT_TRUE;
        return S_OK;
    }
    STDMETHODIMP Optional(const GUID *, const BroadInner *, LONG *) override
    {
        return S_OK;
    }
    STDMETHODIMP Nothing() override
    {
        return S_OK;
    }
    STDMETHODIMP Void() override
    {
        return S_OK;
    }
};

} // namespace

IBroadNumbers *cpp_numbers_new(void)
{
    void *memory = std::malloc(sizeof(Numbers));
    return memory ? new (memory) Numbers : nullptr;
}
