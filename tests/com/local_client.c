/*
 * A COM client that asks for a server in another process.
 *
 *     local_client PROGID          creates a calculator there and calls it, or says the error
 *     local_client PROGID hold     holds all that it can get there, until it is killed
 */
#define COBJMACROS
#include <stdio.h>
#include <windows.h>

#include <oleauto.h>

static void say_error(HRESULT hr)
{
    IErrorInfo *info;
    BSTR text = NULL;

    printf("CoCreateInstance: 0x%08lx\n", (unsigned long)hr);
    if (GetErrorInfo(0, &info) != S_OK)
        return;
    IErrorInfo_GetDescription(info, &text);
    printf("%ls\n", text);
    SysFreeString(text);
    IErrorInfo_Release(info);
}

static int add(IDispatch *calculator)
{
    static const GUID none;
    LPOLESTR name = (LPOLESTR)L"Add";
    VARIANT arguments[2] = {{.vt = VT_I4, .lVal = 2}, {.vt = VT_I4, .lVal = 40}};
    DISPPARAMS params = {.rgvarg = arguments, .cArgs = 2};
    VARIANT result = {.vt = VT_EMPTY};
    DISPID id;
    HRESULT hr = IDispatch_GetIDsOfNames(calculator, &none, &name, 1, 0, &id);

    if (SUCCEEDED(hr))
        hr = IDispatch_Invoke(calculator, id, &none, 0, DISPATCH_METHOD, &params, &result, NULL,
                              NULL);
    return SUCCEEDED(hr) && result.vt == VT_I4 ? result.lVal : -1;
}

static int use(const CLSID *clsid)
{
    IDispatch *calculator;
    ULONGLONG began = GetTickCount64();
    HRESULT hr =
        CoCreateInstance(clsid, NULL, CLSCTX_LOCAL_SERVER, &IID_IDispatch, (void **)&calculator);
    int sum;

    if (FAILED(hr)) {
        say_error(hr);
        return 1;
    }
    fprintf(stderr, "created in %llu ms\n", GetTickCount64() - began);
    sum = add(calculator);
    IDispatch_Release(calculator);
    CoFreeUnusedLibrariesEx(0, 0);
    CoFreeUnusedLibrariesEx(0, 0);
    printf("sum: %d\n", sum);
    if (GetModuleHandleW(L"viaduct-inproc.dll") != NULL)
        printf("the DLL is there still\n");
    return sum != 42;
}

/* Has the class object, the server locked where that is possible, and an object, which is called
 * for ever. */
static int hold(const CLSID *clsid)
{
    IClassFactory *factory;
    IDispatch *calculator = NULL;
    HRESULT lock = E_FAIL, hr = CoGetClassObject(clsid, CLSCTX_LOCAL_SERVER, NULL,
                                                 &IID_IClassFactory, (void **)&factory);

    if (SUCCEEDED(hr)) {
        lock = IClassFactory_LockServer(factory, TRUE);
        hr = IClassFactory_CreateInstance(factory, NULL, &IID_IDispatch, (void **)&calculator);
    }
    printf("lock: 0x%08lx, object: 0x%08lx\n", (unsigned long)lock, (unsigned long)hr);
    for (int sum = 42; SUCCEEDED(hr) && sum == 42; Sleep(100)) {
        sum = add(calculator);
        printf("sum: %d\n", sum);
        fflush(stdout);
    }
    return 1;
}

int main(int argc, char **argv)
{
    WCHAR progid[100];
    CLSID clsid;
    int status = 1;

    CoInitializeEx(NULL, argc > 2 ? COINIT_MULTITHREADED : COINIT_APARTMENTTHREADED);
    if (argc >= 2 && MultiByteToWideChar(CP_ACP, 0, argv[1], -1, progid, 100) > 0 &&
        SUCCEEDED(CLSIDFromProgID(progid, &clsid)))
        status = argc > 2 ? hold(&clsid) : use(&clsid);
    CoUninitialize();
    printf("done\n");
    return status;
}
