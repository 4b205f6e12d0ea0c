#include "com/idl/idl.h"

int main(int argc, char **argv)
{
    return idl_main("viaduct-idl", argc, argv);
}
