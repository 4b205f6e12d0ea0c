#include "tests/link/callers.h"

#include "core/os/thread.h"
#include "core/util/error.h"

void call_often(void *argument)
{
    struct caller *caller = argument;
    for (unsigned i = 0; i < caller->n_calls; i++) {
        uint32_t result = 0;
        HRESULT hr;
        bool right;
        if (caller->method == METHOD_ADD) {
            hr = call_add(caller->connection, caller->argument, i, &result);
            right = result == caller->argument + i;
        } else {
            hr = call_number(caller->connection, caller->method, caller->argument, LINK_PATIENCE_MS,
                             &result);
            right = caller->method != METHOD_NEST ||
                    result == caller->argument * (caller->argument + 1) / 2;
        }
        if (FAILED(hr) || !right)
            caller->n_failed++;
    }
    error_clear();
}

void run_callers(struct caller *callers, size_t n)
{
    for (size_t i = 0; i < n; i++)
        CHECK_OK(os_thread_start(call_often, &callers[i], "caller", &callers[i].thread));
    for (size_t i = 0; i < n; i++) {
        os_thread_join(callers[i].thread);
        CHECK_EQ(callers[i].n_failed, 0);
    }
}
