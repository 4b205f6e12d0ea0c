/* The calculator as a program of its own: "activation": "program". */
#include <stdio.h>
#include <viaduct/runtime.h>
#include <viaduct/server.h>

extern const struct via_component viaduct_component;

int main(void)
{
    HRESULT hr = via_component_serve(&viaduct_component);
    char text[1024];

    if (SUCCEEDED(hr))
        return 0;
    fprintf(stderr, "calculator: %s\n", via_error_message(hr, text, sizeof(text)));
    return 1;
}
