/*
 * A COM client in C that knows nothing of Viaduct: creates an object, calls it, lets everything go,
 * a hundred times. Each time the DLL can be unloaded, and no thread or handle of it is left, but
 * where the client has locked it.
 *
 *     inward_client PROGID
 *     inward_client PROGID fails    # says why the object cannot be had
 */
#define COBJMACROS
#include <stdio.h>
#include <windows.h>

#include <oleauto.h>
#include <tlhelp32.h>

#define N_ROUNDS 100

static unsigned count_threads(void)
{
    THREADENTRY32 entry = {.dwSize = sizeof(entry)};
    HANDLE all = CreateToolhelp32Snapshot(TH32CS_SNAPTHREAD, 0);
    unsigned n = 0;

    for (BOOL more = Thread32First(all, &entry); more; more = Thread32Next(all, &entry))
        n += entry.th32OwnerProcessID == GetCurrentProcessId();
    CloseHandle(all);
    return n;
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

static void print_why(void)
{
    IErrorInfo *info = NULL;
    BSTR text = NULL;

    if (GetErrorInfo(0, &info) != S_OK)
        return;
    IErrorInfo_GetDescription(info, &text);
    printf("%ls\n", text ? text : L"");
    SysFreeString(text);
    IErrorInfo_Release(info);
}

static int use(const CLSID *clsid)
{
    IDispatch *calculator;
    HRESULT hr =
        CoCreateInstance(clsid, NULL, CLSCTX_INPROC_SERVER, &IID_IDispatch, (void **)&calculator);
    int sum;

    if (FAILED(hr)) {
        printf("CoCreateInstance: 0x%08lx\n", (unsigned long)hr);
        print_why();
        return -1;
    }
    sum = add(calculator);
    IDispatch_Release(calculator);
    return sum;
}

static BOOL is_loaded(void)
{
    CoFreeUnusedLibrariesEx(0, 0);
    CoFreeUnusedLibrariesEx(0, 0);
    return GetModuleHandleW(L"viaduct-inproc.dll") != NULL;
}

/* On a class object that is let go at once: the lock is what keeps the DLL. */
static HRESULT lock_server(const CLSID *clsid, BOOL lock)
{
    IClassFactory *factory;
    HRESULT hr =
        CoGetClassObject(clsid, CLSCTX_INPROC_SERVER, NULL, &IID_IClassFactory, (void **)&factory);

    if (FAILED(hr))
        return hr;
    hr = IClassFactory_LockServer(factory, lock);
    IClassFactory_Release(factory);
    return hr;
}

static BOOL lock(const CLSID *clsid)
{
    BOOL good = SUCCEEDED(lock_server(clsid, TRUE)) && SUCCEEDED(lock_server(clsid, TRUE));

    if (!is_loaded())
        printf("a lock does not keep the DLL\n");
    good = good && use(clsid) == 42 && SUCCEEDED(lock_server(clsid, FALSE));
    if (!is_loaded())
        printf("the second lock does not keep the DLL\n");
    good = good && SUCCEEDED(lock_server(clsid, FALSE));
    if (is_loaded())
        printf("the DLL is there still, without a lock\n");
    return good;
}

int main(int argc, char **argv)
{
    WCHAR progid[100];
    CLSID clsid;
    unsigned n_threads[N_ROUNDS] = {0};
    DWORD n_handles[N_ROUNDS] = {0};
    BOOL good = argc == 2 || argc == 3;

    CoInitializeEx(NULL, COINIT_APARTMENTTHREADED);
    good = good && MultiByteToWideChar(CP_ACP, 0, argv[1], -1, progid, 100) > 0 &&
           SUCCEEDED(CLSIDFromProgID(progid, &clsid));
    if (good && argc == 3) {
        good = use(&clsid) == -1 && !is_loaded();
        CoUninitialize();
        printf(good ? "done\n" : "failed\n");
        return good ? 0 : 1;
    }
    for (int i = 0; i < N_ROUNDS && good; i++) {
        good = use(&clsid) == 42;
        n_threads[i] = count_threads();
        if (is_loaded())
            printf("round %d: the DLL is there still\n", i);
        GetProcessHandleCount(GetCurrentProcess(), &n_handles[i]);
    }
    good = good && lock(&clsid);
    /* What the first round leaves is the system's, and the runtime library's own. */
    if (n_threads[N_ROUNDS - 1] > n_threads[1] || n_handles[N_ROUNDS - 1] > n_handles[1])
        printf("threads %u, then %u; handles %lu, then %lu\n", n_threads[1],
               n_threads[N_ROUNDS - 1], (unsigned long)n_handles[1],
               (unsigned long)n_handles[N_ROUNDS - 1]);
    printf("threads beside this one: %u\n", n_threads[N_ROUNDS - 1] - 1);
    CoUninitialize();
    printf(good ? "done\n" : "failed\n");
    return good ? 0 : 1;
}
