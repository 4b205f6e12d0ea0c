/* The hard end of this process. */
#ifndef CORE_OS_QUIT_H
#define CORE_OS_QUIT_H

/* At once, whatever the other threads do: nothing more is called or flushed. */
_Noreturn void os_process_quit(int code);

#endif
