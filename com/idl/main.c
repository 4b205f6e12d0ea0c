#include "com/idl/idl.h"
#include "core/os/program.h"

int main(int argc, char **argv)
{
    char **arguments = os_program_start(argc, argv);

    return os_program_end("viaduct-idl", idl_main("viaduct-idl", argc, arguments));
}
