/*
 * Whether hosts are in the path of calls:
 *
 *     path_client CLASS N ADDRESS...
 *
 * makes a calculator, calls Add N times, and says what the hosts at the addresses have seen of
 * that.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <viaduct/node.h>
#include <viaduct/runtime.h>

#include "calculator.h"

#define MAX_HOSTS 4

struct seen {
    unsigned long long n_calls;
    unsigned long long n_bytes;
};

struct host {
    const char *address;
    INode *node;
    struct seen seen[3];
};

static unsigned long long sum_of(const char *text, const char *name)
{
    unsigned long long sum = 0;

    while ((text = strstr(text, name))) {
        text += strlen(name);
        sum += strtoull(text, NULL, 10);
    }
    return sum;
}

static HRESULT look(INode *node, struct seen *seen)
{
    char text[16384];
    BSTR json;
    HRESULT hr = INode_GetStatistics(node, &json);
    UINT length = SUCCEEDED(hr) ? SysStringLen(json) : 0;

    if (FAILED(hr))
        return hr;
    for (UINT i = 0; i <= length && i < sizeof(text); i++)
        text[i] = (char)json[i];
    text[sizeof(text) - 1] = 0;
    SysFreeString(json);
    seen->n_calls = sum_of(text, "\"calls_sent\":") + sum_of(text, "\"calls_received\":");
    seen->n_bytes = sum_of(text, "\"bytes_sent\":") + sum_of(text, "\"bytes_received\":");
    return S_OK;
}

static HRESULT look_at_all(struct host *hosts, int n_hosts, int time)
{
    HRESULT hr = S_OK;

    for (int i = 0; i < n_hosts && SUCCEEDED(hr); i++)
        hr = look(hosts[i].node, &hosts[i].seen[time]);
    return hr;
}

/* To look is a call of the host too: what two looks without anything between them see is taken
 * off. */
static void tell(const struct host *host, int n)
{
    const struct seen *seen = host->seen;

    printf("of %d calls %s saw %lld, and %lld bytes\n", n, host->address,
           (long long)(seen[2].n_calls - seen[1].n_calls) -
               (long long)(seen[1].n_calls - seen[0].n_calls),
           (long long)(seen[2].n_bytes - seen[1].n_bytes) -
               (long long)(seen[1].n_bytes - seen[0].n_bytes));
}

static HRESULT run(const char *class_name, int n, struct host *hosts, int n_hosts)
{
    ICalculator *calculator = NULL;
    HRESULT hr = via_create_instance(class_name, &IID_ICalculator, (void **)&calculator);

    for (int i = 0; i < n_hosts && SUCCEEDED(hr); i++)
        hr = via_connect(hosts[i].address, &IID_INode, (void **)&hosts[i].node);
    if (SUCCEEDED(hr))
        hr = look_at_all(hosts, n_hosts, 0);
    if (SUCCEEDED(hr))
        hr = look_at_all(hosts, n_hosts, 1);
    for (LONG i = 0, sum; SUCCEEDED(hr) && i < n; i++)
        hr = ICalculator_Add(calculator, i, 1, &sum);
    if (SUCCEEDED(hr))
        hr = look_at_all(hosts, n_hosts, 2);
    for (int i = 0; i < n_hosts; i++) {
        if (SUCCEEDED(hr))
            tell(&hosts[i], n);
        if (hosts[i].node)
            INode_Release(hosts[i].node);
    }
    if (calculator)
        ICalculator_Release(calculator);
    return hr;
}

int main(int argc, char **argv)
{
    struct host hosts[MAX_HOSTS] = {{0}};
    int n_hosts = argc - 3;
    char text[2048];
    HRESULT hr;

    if (n_hosts < 1 || n_hosts > MAX_HOSTS)
        return 2;
    for (int i = 0; i < n_hosts; i++)
        hosts[i].address = argv[3 + i];
    hr = via_initialize(NULL);
    if (SUCCEEDED(hr))
        hr = via_register_typelib(&calculator_typelib);
    if (SUCCEEDED(hr))
        hr = run(argv[1], atoi(argv[2]), hosts, n_hosts);
    if (FAILED(hr))
        printf("error: %s (0x%08x)\n", via_error_message(hr, text, sizeof(text)), (unsigned)hr);
    via_uninitialize();
    return FAILED(hr);
}
