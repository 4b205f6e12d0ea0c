/* Loadable modules: plugins and components. */
#ifndef CORE_OS_MODULE_H
#define CORE_OS_MODULE_H

#include <viaduct/hresult.h>

struct os_module;

/* ".so" or ".dll" */
extern const char os_module_suffix[];

/* May block. Loads the module at an absolute path, all symbols bound, none made global. Refused
 * with E_ACCESSDENIED when the file or a directory that holds it can be written by another
 * unprivileged user. */
HRESULT os_module_open(const char *path, struct os_module **module);
/* NULL, and no error text, when there is none. */
void *os_module_symbol(struct os_module *module, const char *name);
void os_module_close(struct os_module *module);

#endif
