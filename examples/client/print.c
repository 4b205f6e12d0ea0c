#include "print.h"

#include <stdio.h>

/* UTF-8; characters beyond the first 65536 as '?', since names of systems have none. */
void print_text(BSTR text)
{
    UINT length = SysStringLen(text);

    for (UINT i = 0; i < length; i++) {
        unsigned unit = text[i];

        if (unit < 0x80) {
            putchar((int)unit);
        } else if (unit < 0x800) {
            putchar((int)(0xC0 | unit >> 6));
            putchar((int)(0x80 | (unit & 0x3F)));
        } else if (unit >> 11 == 0x1B) {
            putchar('?');
        } else {
            putchar((int)(0xE0 | unit >> 12));
            putchar((int)(0x80 | (unit >> 6 & 0x3F)));
            putchar((int)(0x80 | (unit & 0x3F)));
        }
    }
}

static void print_line(const char *title, BSTR string)
{
    printf("%-10s ", title);
    print_text(string);
    putchar('\n');
    SysFreeString(string);
}

void print_system(struct SystemDescription *system)
{
    print_line("system", system->name);
    print_line("version", system->version);
    print_line("host", system->hostName);
    print_line("user", system->user);
    print_line("directory", system->directory);
    printf("%-10s %u, answered by process %u\n", "CPUs", (unsigned)system->processorCount,
           (unsigned)system->processId);
    printf("%-10s %lld of %lld MiB free\n", "memory", (long long)(system->freeMemory >> 20),
           (long long)(system->totalMemory >> 20));
}

void print_processes(ULONG count, struct ProcessDescription *processes)
{
    printf("%-10s %u:", "processes", (unsigned)count);
    for (ULONG i = 0; i < count; i++) {
        if (i < 8) {
            putchar(' ');
            print_text(processes[i].name);
        }
        SysFreeString(processes[i].name);
    }
    puts(count > 8 ? " ..." : "");
    CoTaskMemFree(processes);
}
