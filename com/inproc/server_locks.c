#include "com/inproc/server_locks.h"

#include <windows.h>

#include <rpc.h>
#include <rpcdcep.h>

#define MAX_HOLDERS 256u

struct holder {
    DWORD process_id;
    HANDLE process; /* keeps the id from being given to another process */
    unsigned n_locks;
};

static struct {
    SRWLOCK lock;
    unsigned n;                         /* lock */
    struct holder holders[MAX_HOLDERS]; /* lock; the first n, in no order */
} the_locks = {.lock = SRWLOCK_INIT};

static void forget(unsigned i)
{
    CloseHandle(the_locks.holders[i].process);
    the_locks.holders[i] = the_locks.holders[--the_locks.n];
}

static HRESULT take(DWORD process_id)
{
    if (the_locks.n == MAX_HOLDERS)
        return E_OUTOFMEMORY;
    HANDLE process = OpenProcess(SYNCHRONIZE, FALSE, process_id);
    if (process == NULL)
        return HRESULT_FROM_WIN32(GetLastError());
    the_locks.holders[the_locks.n++] =
        (struct holder){.process_id = process_id, .process = process, .n_locks = 1};
    return S_OK;
}

static unsigned find(DWORD process_id)
{
    unsigned i = 0;
    while (i < the_locks.n && the_locks.holders[i].process_id != process_id)
        i++;
    return i;
}

HRESULT locks_change(bool is_taken)
{
    unsigned long process_id;
    RPC_STATUS status = I_RpcBindingInqLocalClientPID(NULL, &process_id);
    if (status != RPC_S_OK)
        return HRESULT_FROM_WIN32((DWORD)status);
    HRESULT hr = S_OK;
    AcquireSRWLockExclusive(&the_locks.lock);
    unsigned i = find(process_id);
    if (i == the_locks.n)
        hr = is_taken ? take(process_id) : E_UNEXPECTED;
    else if (is_taken)
        the_locks.holders[i].n_locks++;
    else if (--the_locks.holders[i].n_locks == 0)
        forget(i);
    ReleaseSRWLockExclusive(&the_locks.lock);
    return hr;
}

bool locks_are_held(void)
{
    AcquireSRWLockExclusive(&the_locks.lock);
    for (unsigned i = the_locks.n; i-- > 0;)
        if (WaitForSingleObject(the_locks.holders[i].process, 0) == WAIT_OBJECT_0)
            forget(i);
    bool are_held = the_locks.n > 0;
    ReleaseSRWLockExclusive(&the_locks.lock);
    return are_held;
}
