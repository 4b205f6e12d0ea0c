/* Where things are. Every function that returns a path gives it for free(), or NULL without memory.
 */
#ifndef CORE_OS_PATH_H
#define CORE_OS_PATH_H

#include <stdbool.h>
#include <viaduct/hresult.h>

extern const char os_path_separator;      /* '/' or '\\' */
extern const char os_path_list_separator; /* ':' or ';' */

bool os_path_is_absolute(const char *path);
/* `directory` and `name` with one separator between. */
char *os_path_join(const char *directory, const char *name);
/* The part before the last separator; "." without one. */
char *os_path_directory(const char *path);
/* The part behind the last separator; points into `path`. */
const char *os_path_name(const char *path);
/* Absolute, from the working directory, without "." and without ".." but where that would lead
 * elsewhere: behind a symbolic link. */
char *os_path_absolute(const char *path);
/* The directory of the running program. */
char *os_path_program_directory(void);
/* The directory of the module that this code is in: the program, or the library. */
char *os_path_module_directory(void);
/* The running program itself. */
char *os_path_program(void);
/* "/etc/viaduct", "$XDG_CONFIG_HOME/viaduct"; "%ProgramData%\Viaduct", "%APPDATA%\Viaduct". */
char *os_path_configuration(bool system);
/* Where sockets of this user's (or the system's) nodes live: VIADUCT_RUNTIME_DIR, else
 * "/run/viaduct" for the system and "$XDG_RUNTIME_DIR/viaduct" or "/tmp/viaduct-UID" for a user.
 * Under Wine this is a Unix path. Not created. */
char *os_path_runtime(bool system);
/* What can be made again, and should outlive a restart: "/var/cache/viaduct",
 * "$XDG_CACHE_HOME/viaduct"; "%ProgramData%\Viaduct\cache", "%LOCALAPPDATA%\Viaduct\cache". Not
 * created. */
char *os_path_cache(bool system);
/* The system's directory for temporary files. */
char *os_path_temporary(void);
/* The environment's value in UTF-8, for free(); NULL when it is not set. */
char *os_environment(const char *name);

#endif
