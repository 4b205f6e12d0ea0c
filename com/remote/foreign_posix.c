#include "com/remote/foreign.h"

bool foreign_loses_errors(void)
{
    return false;
}
