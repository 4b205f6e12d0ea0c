/*
 * Exact decimal numbers, between text, DECIMAL, CY, integers and floating-point numbers: what the
 * conversions of VARIANTs go through where a double would lose something.
 */
#ifndef COM_AUTOMATION_NUMBER_H
#define COM_AUTOMATION_NUMBER_H

#include <stdbool.h>
#include <viaduct/automation.h>

/* More digits than any text that makes sense has; those behind are rounded away. */
#define NUMBER_MAX_DIGITS 128
/* Of a DECIMAL. */
#define NUMBER_MAX_SCALE 28

/* The digits as a whole number, times 10 to the power of `exponent`. No digit in front or at the
 * end is 0; zero has none. */
struct number {
    bool is_negative;
    bool has_more; /* digits behind the last one that are not all 0 */
    int n_digits;
    int exponent;
    char digits[NUMBER_MAX_DIGITS]; /* 0 to 9 */
};

void number_from_u64(struct number *self, bool is_negative, uint64_t magnitude);
void number_from_decimal(struct number *self, const DECIMAL *decimal);
void number_from_cy(struct number *self, CY cy);
/* So many significant digits of it, which is finite. */
void number_from_double(struct number *self, double value, int n_digits);
/* "-1,234.50", "$12", "(5)", "1.5E+10", "&HFF", "&O17", with spaces around. `hex_bits`: of a
 * hexadecimal or octal number, 8, 16, 32 or 64; 0: none of those. False: no number. */
bool number_parse(struct number *self, const OLECHAR *text, unsigned *hex_bits);

/* The magnitude times 10 to the power of `scale`, rounded to the nearest, halves to even. False:
 * more than 2^96 - 1. */
bool number_to_scaled(const struct number *self, int scale, unsigned __int128 *magnitude);
double number_to_double(const struct number *self);
/* DISP_E_OVERFLOW. As many decimals as there are, and fit. */
HRESULT number_to_decimal(const struct number *self, DECIMAL *decimal);
/* "-1234.5", for free(); NULL without memory. */
char *number_format(const struct number *self);

#endif
