/* DATEs as text, in the US-English form. */
#ifndef COM_AUTOMATION_DATE_H
#define COM_AUTOMATION_DATE_H

#include <stdbool.h>
#include <viaduct/automation.h>

#define DATE_TEXT_SIZE 40

/* Of the years 100 to 9999. */
bool date_is_valid(double value);
/* "12/31/1999 6:00:00 PM", without the date for day 0, without the time at midnight.
 * E_INVALIDARG: no valid date. */
HRESULT date_format(double value, char text[DATE_TEXT_SIZE]);
/* DISP_E_TYPEMISMATCH. */
HRESULT date_parse(const OLECHAR *text, DATE *value);

#endif
