/* Processes on Windows: a command line where POSIX has a list, and handles that are inherited one
 * by one. */
#include "core/os/process.h"
#include "core/os/quit.h"
#include "core/os/unix_calls.h"
#include "core/os/clock.h"
#include "core/os/windows/text.h"
#include "core/util/error.h"

#include <fcntl.h>
#include <io.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <windows.h>

struct os_process {
    HANDLE handle;
    uint32_t pid;
};

/* What a killed process ends with. */
#define KILLED_STATUS 1
/* How often a process is tried to be started; create() says why. */
#define MAX_STARTS 3

uint32_t os_process_id(void)
{
    return GetCurrentProcessId();
}

_Noreturn void os_process_quit(int code)
{
    TerminateProcess(GetCurrentProcess(), (UINT)code);
    abort(); /* not reached */
}

/* Quotes one argument the way that the C runtime of the child takes it apart: backslashes count
 * double before a quotation mark. Returns the end; at most twice the argument and two are written.
 */
static char *quote(char *end, const char *argument)
{
    if (*argument && !strpbrk(argument, " \t\n\v\"")) {
        size_t size = strlen(argument);
        memcpy(end, argument, size);
        return end + size;
    }
    *end++ = '"';
    for (const char *at = argument;; at++) {
        size_t n_backslashes = strspn(at, "\\");
        at += n_backslashes;
        size_t n_written = *at == '"' ? n_backslashes * 2 + 1
                           : *at      ? n_backslashes
                                      : n_backslashes * 2;
        memset(end, '\\', n_written);
        end += n_written;
        if (!*at)
            break;
        *end++ = *at;
    }
    *end++ = '"';
    return end;
}

static wchar_t *make_command_line(const char *const *arguments)
{
    size_t size = 1;
    for (size_t i = 0; arguments[i]; i++)
        size += 2 * strlen(arguments[i]) + 3;
    char *line = malloc(size);
    if (!line)
        return NULL;
    char *end = line;
    for (size_t i = 0; arguments[i]; i++) {
        if (i > 0)
            *end++ = ' ';
        end = quote(end, arguments[i]);
    }
    *end = 0;
    wchar_t *wide = wide_from_text(line);
    free(line);
    return wide;
}

/* Same variable; names differ in case only on POSIX. */
static bool is_replaced(const wchar_t *entry, wchar_t *const *additions)
{
    for (size_t i = 0; additions[i]; i++) {
        const wchar_t *end = wcschr(additions[i], L'=');
        size_t size = end ? (size_t)(end - additions[i]) + 1 : 0;
        if (size && _wcsnicmp(entry, additions[i], size) == 0)
            return true;
    }
    return false;
}

/* One block: our variables less what is replaced, the additions, and a zero at the end. */
static wchar_t *join_environment(const wchar_t *ours, wchar_t *const *additions)
{
    size_t size = 1;
    for (const wchar_t *entry = ours; *entry; entry += wcslen(entry) + 1)
        size += wcslen(entry) + 1;
    for (size_t i = 0; additions[i]; i++)
        size += wcslen(additions[i]) + 1;
    wchar_t *block = malloc((size + 1) * sizeof(*block));
    if (!block)
        return NULL;
    wchar_t *end = block;
    for (const wchar_t *entry = ours; *entry; entry += wcslen(entry) + 1)
        if (!is_replaced(entry, additions))
            end = wcscpy(end, entry) + wcslen(entry) + 1;
    for (size_t i = 0; additions[i]; i++)
        end = wcscpy(end, additions[i]) + wcslen(additions[i]) + 1;
    end[0] = L'\0';
    end[1] = L'\0';
    return block;
}

static wchar_t *make_environment(const char *const *additions)
{
    size_t n = 0;
    while (additions && additions[n])
        n++;
    wchar_t **wide = calloc(n + 1, sizeof(*wide));
    bool complete = wide;
    for (size_t i = 0; complete && i < n; i++)
        complete = (wide[i] = wide_from_text(additions[i])) != NULL;
    wchar_t *ours = GetEnvironmentStringsW();
    wchar_t *block = complete && ours ? join_environment(ours, wide) : NULL;
    if (ours)
        FreeEnvironmentStringsW(ours);
    for (size_t i = 0; wide && i < n; i++)
        free(wide[i]);
    free(wide);
    return block;
}

struct standard_handles {
    HANDLE in, out, err;
    bool owns_out, owns_err;
};

static HANDLE open_inheritable(const wchar_t *path, DWORD access, DWORD disposition)
{
    SECURITY_ATTRIBUTES inherit = {.nLength = sizeof(inherit), .bInheritHandle = TRUE};
    return CreateFileW(path, access, FILE_SHARE_READ | FILE_SHARE_WRITE, &inherit, disposition,
                       FILE_ATTRIBUTE_NORMAL, NULL);
}

/* Our own handle, made inheritable, or the null device where there is none. */
static HANDLE inherit_or_null(DWORD which, bool *owns)
{
    HANDLE ours = GetStdHandle(which);
    HANDLE copy;
    *owns = true;
    if (ours && ours != INVALID_HANDLE_VALUE &&
        DuplicateHandle(GetCurrentProcess(), ours, GetCurrentProcess(), &copy, 0, TRUE,
                        DUPLICATE_SAME_ACCESS))
        return copy;
    return open_inheritable(L"NUL", GENERIC_WRITE, OPEN_EXISTING);
}

/* One pipe: the child's end, which it inherits, and ours as a stream. */
static HANDLE open_pipe(bool is_input, FILE **ours)
{
    HANDLE reading, writing;
    if (!CreatePipe(&reading, &writing, NULL, 0))
        return NULL;
    HANDLE theirs = is_input ? reading : writing;
    HANDLE own = is_input ? writing : reading;
    int descriptor = _open_osfhandle((intptr_t)own, is_input ? _O_BINARY : _O_BINARY | _O_RDONLY);
    *ours = descriptor >= 0 ? _fdopen(descriptor, is_input ? "wb" : "rb") : NULL;
    if (*ours && SetHandleInformation(theirs, HANDLE_FLAG_INHERIT, HANDLE_FLAG_INHERIT))
        return theirs;
    if (*ours)
        fclose(*ours);
    else if (descriptor >= 0)
        _close(descriptor);
    else
        CloseHandle(own);
    CloseHandle(theirs);
    return NULL;
}

/* Standard input and output as pipes. Failing, nothing is open. */
static HRESULT open_pipes(const struct os_spawn_options *options, struct standard_handles *handles)
{
    handles->in = open_pipe(true, options->to_stdin);
    handles->out = handles->in ? open_pipe(false, options->from_stdout) : NULL;
    handles->owns_out = handles->out != NULL;
    if (handles->owns_out)
        return S_OK;
    if (handles->in)
        fclose(*options->to_stdin);
    return error_set(VIA_E_LIMIT, "no pipes to %s", options->arguments[0]);
}

static HRESULT open_input_and_output(const struct os_spawn_options *options,
                                     struct standard_handles *handles)
{
    if (options->to_stdin)
        return open_pipes(options, handles);
    handles->in = open_inheritable(L"NUL", GENERIC_READ, OPEN_EXISTING);
    if (options->inherit_stdout) {
        handles->out = inherit_or_null(STD_OUTPUT_HANDLE, &handles->owns_out);
    } else {
        handles->out = open_inheritable(L"NUL", GENERIC_WRITE, OPEN_EXISTING);
        handles->owns_out = true;
    }
    return S_OK;
}

static HRESULT open_standard_handles(const struct os_spawn_options *options,
                                     struct standard_handles *handles)
{
    HRESULT hr = open_input_and_output(options, handles);
    if (FAILED(hr))
        return hr;
    if (!options->stderr_path) {
        handles->err = inherit_or_null(STD_ERROR_HANDLE, &handles->owns_err);
        return S_OK;
    }
    wchar_t *path = wide_from_text(options->stderr_path);
    handles->err = path ? open_inheritable(path, FILE_APPEND_DATA | SYNCHRONIZE, OPEN_ALWAYS)
                        : INVALID_HANDLE_VALUE;
    handles->owns_err = true;
    free(path);
    if (handles->err == INVALID_HANDLE_VALUE)
        return windows_fail(GetLastError(), options->stderr_path, "open");
    return S_OK;
}

static void close_standard_handles(const struct standard_handles *handles)
{
    if (handles->in && handles->in != INVALID_HANDLE_VALUE)
        CloseHandle(handles->in);
    if (handles->owns_out && handles->out != INVALID_HANDLE_VALUE)
        CloseHandle(handles->out);
    if (handles->owns_err && handles->err != INVALID_HANDLE_VALUE)
        CloseHandle(handles->err);
}

static BOOL create_once(const struct standard_handles *handles, wchar_t *line, wchar_t *environment,
                        PROCESS_INFORMATION *made)
{
    HANDLE inherited[3] = {handles->in, handles->out, handles->err};
    STARTUPINFOEXW start = {.StartupInfo = {.cb = sizeof(start),
                                            .dwFlags = STARTF_USESTDHANDLES,
                                            .hStdInput = handles->in,
                                            .hStdOutput = handles->out,
                                            .hStdError = handles->err}};
    union {
        max_align_t align;
        uint8_t bytes[256];
    } space;
    SIZE_T size = sizeof(space);
    start.lpAttributeList = (LPPROC_THREAD_ATTRIBUTE_LIST)(void *)&space;
    if (!InitializeProcThreadAttributeList(start.lpAttributeList, 1, 0, &size))
        return FALSE;
    /* Without a console, rather than with a hidden one: its conhost.exe outlives a child that is
     * killed under Wine, and keeps our standard error open. */
    BOOL done =
        UpdateProcThreadAttribute(start.lpAttributeList, 0, PROC_THREAD_ATTRIBUTE_HANDLE_LIST,
                                  inherited, sizeof(inherited), NULL, NULL) &&
        CreateProcessW(NULL, line, NULL, NULL, TRUE,
                       EXTENDED_STARTUPINFO_PRESENT | CREATE_UNICODE_ENVIRONMENT | DETACHED_PROCESS,
                       environment, NULL, &start.StartupInfo, made);
    DWORD error = GetLastError();
    DeleteProcThreadAttributeList(start.lpAttributeList);
    SetLastError(error);
    return done;
}

/* Wine loses a process now and then before anything of it has run, and says so by an error that
 * Windows does not have here: on a busy machine one in some thousands, of any program. */
static BOOL create(const struct standard_handles *handles, wchar_t *line, wchar_t *environment,
                   PROCESS_INFORMATION *made)
{
    for (unsigned i = 1; !create_once(handles, line, environment, made); i++) {
        if (GetLastError() != ERROR_INTERNAL_ERROR || i == MAX_STARTS)
            return FALSE;
    }
    return TRUE;
}

HRESULT os_process_spawn(const struct os_spawn_options *options, struct os_process **process)
{
    const char *program = options->arguments[0];
    struct os_process *self = calloc(1, sizeof(*self));
    wchar_t *line = make_command_line(options->arguments);
    wchar_t *environment = make_environment(options->environment);
    struct standard_handles handles = {0};
    HRESULT hr = self && line && environment
                     ? open_standard_handles(options, &handles)
                     : error_set(E_OUTOFMEMORY, "no memory to start %s", program);
    PROCESS_INFORMATION made;
    if (SUCCEEDED(hr) && !create(&handles, line, environment, &made)) {
        char reason[256];
        hr = error_set(CO_E_SERVER_EXEC_FAILURE, "cannot start %s: %s", program,
                       windows_reason(GetLastError(), reason, sizeof(reason)));
    }
    close_standard_handles(&handles);
    free(environment);
    free(line);
    if (FAILED(hr)) {
        if (options->to_stdin && handles.owns_out) {
            fclose(*options->to_stdin);
            fclose(*options->from_stdout);
        }
        free(self);
        return hr;
    }
    CloseHandle(made.hThread);
    self->handle = made.hProcess;
    self->pid = made.dwProcessId;
    *process = self;
    return S_OK;
}

uint32_t os_process_pid(const struct os_process *process)
{
    return process->pid;
}

HRESULT os_process_wait(struct os_process *process, uint64_t deadline_ns,
                        struct os_exit_status *status)
{
    for (;;) {
        uint64_t now = os_now_ns();
        uint64_t left = deadline_ns > now ? (deadline_ns - now + 999999u) / 1000000u : 0;
        DWORD ms = deadline_ns == OS_NEVER ? INFINITE : left < 3600000u ? (DWORD)left : 3600000u;
        if (WaitForSingleObject(process->handle, ms) == WAIT_OBJECT_0)
            break;
        if (deadline_ns != OS_NEVER && os_now_ns() >= deadline_ns)
            return RPC_E_TIMEOUT;
    }
    DWORD code = 0;
    GetExitCodeProcess(process->handle, &code);
    *status = (struct os_exit_status){.code = (int32_t)code};
    return S_OK;
}

void os_process_terminate(struct os_process *process)
{
    os_process_kill(process);
}

void os_process_kill(struct os_process *process)
{
    TerminateProcess(process->handle, KILLED_STATUS);
}

void os_process_free(struct os_process *process)
{
    if (!process)
        return;
    CloseHandle(process->handle);
    free(process);
}

char *os_exit_status_format(const struct os_exit_status *status, char *buffer, size_t size)
{
    uint32_t code = (uint32_t)status->code;
    if (code >= 0xC0000000u)
        snprintf(buffer, size, "crashed with exception 0x%08X", code);
    else if (code == 0 && os_is_wine()) /* its server knows no other code for SIGKILL */
        snprintf(buffer, size, "exited with status 0, as Wine says of killed ones too");
    else
        snprintf(buffer, size, "exited with status %d", status->code);
    return buffer;
}
