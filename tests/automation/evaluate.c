/*
 * Fills in the last column of a table of conversions, from the standard input to the standard
 * output, with what this system does. It makes new rows, under Windows; what it says has to be
 * looked at before the table believes it.
 */
#include "tests/automation/cases.h"

#include <stdio.h>
#include <string.h>

int main(void)
{
    char line[1024], result[CASES_TEXT_SIZE];
    char type[32], value[CASES_TEXT_SIZE], target[32];
    while (fgets(line, sizeof(line), stdin)) {
        line[strcspn(line, "\r\n")] = 0;
        bool is_row = sscanf(line, "%31[^\t]\t%255[^\t]\t%31[^\t]", type, value, target) == 3;
        if (is_row && cases_evaluate(type, value, target, result))
            printf("%s\t%s\t%s\t%s\n", type, value, target, result);
        else
            printf("%s\n", line);
    }
    return 0;
}
