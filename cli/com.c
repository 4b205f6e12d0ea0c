/* viaduct com register, viaduct com unregister, viaduct com list. */
#include "cli/com.h"

int command_com_register(int argc, char **argv)
{
    struct cli_options options;
    IViaductHost *host;
    int code = cli_read_options(argc, argv, "com register", 1, 1, &options);

    if (code < 0)
        code = com_check();
    if (code < 0)
        code = cli_connect(&options, &host);
    if (code >= 0)
        return code;
    return cli_disconnect(host, com_register(host, &options));
}

int command_com_unregister(int argc, char **argv)
{
    struct cli_options options;
    int code = cli_read_options(argc, argv, "com unregister", 1, 1, &options);

    if (code < 0)
        code = com_check();
    return code < 0 ? com_unregister(&options) : code;
}

int command_com_list(int argc, char **argv)
{
    struct cli_options options;
    int code = cli_read_options(argc, argv, "com list", 0, 0, &options);

    if (code < 0)
        code = com_check();
    return code < 0 ? com_list(&options) : code;
}
