#include "pause.h"

#include <windows.h>

void pause_ms(unsigned milliseconds)
{
    Sleep(milliseconds);
}
