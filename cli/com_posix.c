#include "cli/com.h"

int com_check(void)
{
    return cli_fail(E_NOTIMPL, "there is no COM here to register classes with: run viaduct.exe on "
                               "Windows or under Wine, in the prefix of the program that is to use "
                               "them");
}

int com_register(IViaductHost *host, const struct cli_options *options)
{
    (void)host;
    (void)options;
    return com_check();
}

int com_unregister(const struct cli_options *options)
{
    (void)options;
    return com_check();
}

int com_list(const struct cli_options *options)
{
    (void)options;
    return com_check();
}
