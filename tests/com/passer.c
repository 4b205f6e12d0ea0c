/*
 * A COM client in C that knows nothing of Viaduct, and passes an object on: to another apartment of
 * its own, and to another process. What it calls has an array in a method, which Windows' universal
 * marshaler does not take.
 *
 *     passer PROGID          does everything, and says how it went
 *     passer PROGID give     the other process: writes marshalled objects to its standard output
 *
 * The two talk over pipes: who gives writes the size and the bytes of a marshalled object, and
 * waits for a byte before it does the next, or ends.
 */
#define COBJMACROS
#include <stdio.h>
#include <string.h>
#include <windows.h>

#include <initguid.h>

#include <fcntl.h>
#include <io.h>
#include <oleauto.h>

/* calculator.idl's, as a client has it that compiled it with Windows' tools. */
DEFINE_GUID(IID_ICalculator, 0x181a8802, 0xeeac, 0x43c2, 0x8a, 0xaa, 0x4a, 0x4f, 0x91, 0x03, 0x8b,
            0x3d);

struct calculator_vtable {
    HRESULT(STDMETHODCALLTYPE *QueryInterface)(void *self, REFIID iid, void **object);
    ULONG(STDMETHODCALLTYPE *AddRef)(void *self);
    ULONG(STDMETHODCALLTYPE *Release)(void *self);
    HRESULT(STDMETHODCALLTYPE *Add)(void *self, LONG a, LONG b, LONG *sum);
    HRESULT(STDMETHODCALLTYPE *Divide)(void *self, double dividend, double divisor, double *result);
    HRESULT(STDMETHODCALLTYPE *Sum)(void *self, ULONG count, const double *values, double *total);
};

struct calculator {
    const struct calculator_vtable *vtable;
};

#define ROOM 8192u

struct bytes {
    BYTE data[ROOM];
    DWORD size;
};

/* Of OBJREF_CUSTOM: where the bytes of the class that unmarshals begin. */
#define AT_CUSTOM 48u
/* And in them, somewhere in the token that the object's owner has to know. */
#define AT_TOKEN (AT_CUSTOM + 55u)
/* Far below the time that what was marshalled is kept for. */
#define AT_ONCE_MS 15000u

static int n_failures;

static void expect(BOOL holds, const char *what)
{
    if (holds)
        return;
    n_failures++;
    printf("not so: %s\n", what);
}

static void expect_hr(HRESULT hr, HRESULT wanted, const char *what)
{
    if (hr == wanted)
        return;
    n_failures++;
    printf("%s: 0x%08lx, not 0x%08lx\n", what, (unsigned long)hr, (unsigned long)wanted);
}

/* --- the object --- */

static struct calculator *create(const char *progid)
{
    WCHAR wide[100];
    CLSID clsid;
    struct calculator *made = NULL;
    HRESULT hr = E_INVALIDARG;

    if (MultiByteToWideChar(CP_ACP, 0, progid, -1, wide, 100) > 0)
        hr = CLSIDFromProgID(wide, &clsid);
    if (SUCCEEDED(hr))
        hr = CoCreateInstance(&clsid, NULL, CLSCTX_INPROC_SERVER, &IID_ICalculator, (void **)&made);
    expect_hr(hr, S_OK, "creating the object");
    return made;
}

static BOOL works(struct calculator *calculator)
{
    static const double values[] = {1, 2, 3, 36};
    double total = 0;

    return calculator != NULL &&
           SUCCEEDED(calculator->vtable->Sum(calculator, 4, values, &total)) && total == 42;
}

/* --- its marshalled form --- */

static HRESULT marshal(struct calculator *calculator, DWORD flags, struct bytes *bytes)
{
    IStream *stream;
    LARGE_INTEGER start = {.QuadPart = 0};
    HRESULT hr = CreateStreamOnHGlobal(NULL, TRUE, &stream);

    bytes->size = 0;
    if (FAILED(hr))
        return hr;
    hr = CoMarshalInterface(stream, &IID_ICalculator, (IUnknown *)(void *)calculator, MSHCTX_LOCAL,
                            NULL, flags);
    if (SUCCEEDED(hr))
        hr = IStream_Seek(stream, start, STREAM_SEEK_SET, NULL);
    if (SUCCEEDED(hr))
        hr = IStream_Read(stream, bytes->data, ROOM, &bytes->size);
    IStream_Release(stream);
    return FAILED(hr) ? hr : S_OK;
}

static HRESULT open_stream(const struct bytes *bytes, IStream **stream)
{
    LARGE_INTEGER start = {.QuadPart = 0};
    HRESULT hr = CreateStreamOnHGlobal(NULL, TRUE, stream);

    if (FAILED(hr))
        return hr;
    hr = IStream_Write(*stream, bytes->data, bytes->size, NULL);
    return SUCCEEDED(hr) ? IStream_Seek(*stream, start, STREAM_SEEK_SET, NULL) : hr;
}

static HRESULT unmarshal(const struct bytes *bytes, struct calculator **calculator)
{
    IStream *stream;
    HRESULT hr = open_stream(bytes, &stream);

    *calculator = NULL;
    if (FAILED(hr))
        return hr;
    hr = CoUnmarshalInterface(stream, &IID_ICalculator, (void **)calculator);
    IStream_Release(stream);
    return hr;
}

static HRESULT release_data(const struct bytes *bytes)
{
    IStream *stream;
    HRESULT hr = open_stream(bytes, &stream);

    if (FAILED(hr))
        return hr;
    hr = CoReleaseMarshalData(stream);
    IStream_Release(stream);
    return hr;
}

static void release(struct calculator *calculator)
{
    if (calculator != NULL)
        calculator->vtable->Release(calculator);
}

/* --- within a process --- */

struct visit {
    IStream *stream;
    struct calculator *there;
    BOOL worked;
};

static DWORD WINAPI visit_mta(void *argument)
{
    struct visit *visit = argument;

    CoInitializeEx(NULL, COINIT_MULTITHREADED);
    if (SUCCEEDED(CoGetInterfaceAndReleaseStream(visit->stream, &IID_ICalculator,
                                                 (void **)&visit->there)))
        visit->worked = works(visit->there);
    release(visit->there);
    CoUninitialize();
    return 0;
}

static void between_apartments(struct calculator *calculator)
{
    struct visit visit = {0};
    HANDLE thread;
    HRESULT hr = CoMarshalInterThreadInterfaceInStream(
        &IID_ICalculator, (IUnknown *)(void *)calculator, &visit.stream);

    expect_hr(hr, S_OK, "marshalling for another apartment");
    if (FAILED(hr))
        return;
    thread = CreateThread(NULL, 0, visit_mta, &visit, 0, NULL);
    WaitForSingleObject(thread, 60000);
    CloseHandle(thread);
    expect(visit.there == calculator, "another apartment has the same pointer");
    expect(visit.worked, "it works in another apartment");
}

/* As COM's own marshaler has it, which keeps objects in tables. */
static void by_com_itself(struct calculator *calculator)
{
    struct bytes bytes;

    expect(FAILED(marshal(calculator, MSHLFLAGS_TABLESTRONG, &bytes)),
           "nobody else can marshal the interface");
}

static void released(struct calculator *calculator)
{
    struct bytes bytes;
    struct calculator *again;

    expect_hr(marshal(calculator, MSHLFLAGS_NORMAL, &bytes), S_OK, "marshalling");
    expect_hr(release_data(&bytes), S_OK, "releasing what was marshalled");
    expect_hr(unmarshal(&bytes, &again), RPC_E_INVALID_OBJECT, "unmarshalling what was released");
    release(again);
}

static void garbage(struct calculator *calculator)
{
    struct bytes bytes;
    struct bytes bad;
    struct calculator *again;

    expect_hr(marshal(calculator, MSHLFLAGS_NORMAL, &bytes), S_OK, "marshalling");
    for (DWORD i = AT_CUSTOM; i < AT_CUSTOM + 19; i++) {
        bad = bytes;
        bad.data[i] ^= 0xff;
        expect_hr(unmarshal(&bad, &again), RPC_E_INVALID_DATA, "unmarshalling garbage");
    }
    for (bad = bytes; bad.size > AT_CUSTOM; bad.size--)
        ;
    expect_hr(unmarshal(&bad, &again), RPC_E_INVALID_DATA, "unmarshalling nothing");
    memset(bad.data + AT_CUSTOM, 0xff, ROOM - AT_CUSTOM);
    bad.size = ROOM;
    expect_hr(unmarshal(&bad, &again), RPC_E_INVALID_DATA, "unmarshalling much garbage");
    expect_hr(unmarshal(&bytes, &again), S_OK, "unmarshalling what is good");
    expect(again == calculator, "it is the object that this process has already");
    release(again);
}

/* The owner says at once that it does not know it. */
static void invented(struct calculator *calculator)
{
    ULONGLONG began = GetTickCount64();
    struct bytes bytes;
    struct calculator *again;

    expect_hr(marshal(calculator, MSHLFLAGS_NORMAL, &bytes), S_OK, "marshalling");
    bytes.data[AT_TOKEN] ^= 0x10;
    expect_hr(unmarshal(&bytes, &again), RPC_E_INVALID_OBJECT, "unmarshalling an invented token");
    expect(GetTickCount64() - began < AT_ONCE_MS, "an invented token is refused at once");
    release(again);
    bytes.data[AT_TOKEN] ^= 0x10;
    expect_hr(release_data(&bytes), S_OK, "releasing what was marshalled");
}

/* --- between processes --- */

static int give(const char *progid)
{
    struct calculator *calculator = create(progid);
    struct bytes bytes;
    char more;

    _setmode(_fileno(stdout), _O_BINARY);
    for (int i = 0; i < 2 && calculator != NULL; i++) {
        if (FAILED(marshal(calculator, MSHLFLAGS_NORMAL, &bytes)))
            break;
        fwrite(&bytes.size, sizeof bytes.size, 1, stdout);
        fwrite(bytes.data, 1, bytes.size, stdout);
        fflush(stdout);
        if (i == 1) {
            release(calculator); /* what was marshalled keeps the object */
            calculator = NULL;
            CoFreeUnusedLibrariesEx(0, 0);
        }
        if (fread(&more, 1, 1, stdin) != 1)
            break;
    }
    release(calculator);
    return 0;
}

struct giver {
    HANDLE process;
    HANDLE in;
    HANDLE out;
};

static BOOL start(const char *progid, struct giver *giver)
{
    SECURITY_ATTRIBUTES inherit = {sizeof(inherit), NULL, TRUE};
    STARTUPINFOA startup = {.cb = sizeof(startup), .dwFlags = STARTF_USESTDHANDLES};
    PROCESS_INFORMATION process;
    char program[MAX_PATH];
    char line[MAX_PATH + 200];
    BOOL good;

    GetModuleFileNameA(NULL, program, sizeof program);
    snprintf(line, sizeof line, "\"%s\" %s give", program, progid);
    if (!CreatePipe(&startup.hStdInput, &giver->in, &inherit, 0) ||
        !CreatePipe(&giver->out, &startup.hStdOutput, &inherit, 0))
        return FALSE;
    startup.hStdError = GetStdHandle(STD_ERROR_HANDLE);
    SetHandleInformation(giver->in, HANDLE_FLAG_INHERIT, 0);
    SetHandleInformation(giver->out, HANDLE_FLAG_INHERIT, 0);
    good = CreateProcessA(program, line, NULL, NULL, TRUE, 0, NULL, NULL, &startup, &process);
    CloseHandle(startup.hStdInput);
    CloseHandle(startup.hStdOutput);
    if (!good)
        return FALSE;
    CloseHandle(process.hThread);
    giver->process = process.hProcess;
    return TRUE;
}

static BOOL read_exactly(HANDLE file, void *data, DWORD size)
{
    for (DWORD n; size > 0; size -= n, data = (BYTE *)data + n)
        if (!ReadFile(file, data, size, &n, NULL) || n == 0)
            return FALSE;
    return TRUE;
}

static BOOL receive(const struct giver *giver, struct bytes *bytes)
{
    return read_exactly(giver->out, &bytes->size, sizeof bytes->size) && bytes->size <= ROOM &&
           read_exactly(giver->out, bytes->data, bytes->size);
}

static void go_on(const struct giver *giver)
{
    DWORD n;

    WriteFile(giver->in, "+", 1, &n, NULL);
}

static void take(const struct giver *giver)
{
    struct bytes bytes;
    struct calculator *first = NULL;
    struct calculator *second = NULL;
    struct calculator *again;

    expect(receive(giver, &bytes), "something was marshalled");
    expect_hr(unmarshal(&bytes, &first), S_OK, "unmarshalling in another process");
    expect(works(first), "it works in another process");
    expect_hr(unmarshal(&bytes, &again), RPC_E_INVALID_OBJECT, "unmarshalling twice");
    go_on(giver);
    expect(receive(giver, &bytes), "it was marshalled once more");
    Sleep(200); /* who gave it has let it go meanwhile */
    expect_hr(unmarshal(&bytes, &second), S_OK, "unmarshalling once more");
    expect(second == first, "it is the same object");
    go_on(giver);
    expect(WaitForSingleObject(giver->process, 60000) == WAIT_OBJECT_0, "who gave it ends");
    expect(works(first), "it works when the other process has ended");
    release(first);
    release(second);
}

static void between_processes(const char *progid)
{
    struct giver giver;

    if (!start(progid, &giver)) {
        expect(FALSE, "the other process starts");
        return;
    }
    take(&giver);
    CloseHandle(giver.in);
    CloseHandle(giver.out);
    CloseHandle(giver.process);
}

int main(int argc, char **argv)
{
    struct calculator *calculator;

    CoInitializeEx(NULL, COINIT_APARTMENTTHREADED);
    if (argc > 2)
        return give(argv[1]);
    calculator = argc > 1 ? create(argv[1]) : NULL;
    if (calculator != NULL) {
        between_apartments(calculator);
        by_com_itself(calculator);
        released(calculator);
        garbage(calculator);
        invented(calculator);
        release(calculator);
        between_processes(argv[1]);
        CoFreeUnusedLibrariesEx(0, 0);
        CoFreeUnusedLibrariesEx(0, 0);
        expect(GetModuleHandleW(L"viaduct-inproc.dll") == NULL,
               "the DLL goes with its last object");
    }
    CoUninitialize();
    printf(n_failures == 0 && calculator != NULL ? "done\n" : "failed\n");
    return 0;
}
