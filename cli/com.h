/* What `viaduct com` does on each system. */
#ifndef CLI_COM_H
#define CLI_COM_H

#include "cli/cli.h"

/* -1, or the exit code after saying why there is no COM. */
int com_check(void);

int com_register(IViaductHost *host, const struct cli_options *options);
int com_unregister(const struct cli_options *options);
int com_list(const struct cli_options *options);

#endif
