#include "com/automation/number.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Of DECIMAL's 96 bits. */
static const unsigned __int128 most = ((unsigned __int128)1 << 96) - 1;
/* Beyond, a number is 0 or infinite whatever its digits are. */
#define MAX_EXPONENT 100000

/* Takes zeroes away at both ends. */
static void normalize(struct number *self)
{
    int n_zeroes = 0;
    while (n_zeroes < self->n_digits && self->digits[n_zeroes] == 0)
        n_zeroes++;
    self->n_digits -= n_zeroes;
    memmove(self->digits, self->digits + n_zeroes, (size_t)self->n_digits);
    while (self->n_digits > 0 && self->digits[self->n_digits - 1] == 0) {
        self->n_digits--;
        self->exponent++;
    }
    if (self->n_digits == 0)
        self->exponent = 0;
}

static void from_magnitude(struct number *self, bool is_negative, unsigned __int128 magnitude,
                           int exponent)
{
    char reversed[40];
    int n = 0;
    for (; magnitude; magnitude /= 10)
        reversed[n++] = (char)(magnitude % 10);
    *self = (struct number){.is_negative = is_negative, .n_digits = n, .exponent = exponent};
    for (int i = 0; i < n; i++)
        self->digits[i] = reversed[n - 1 - i];
    normalize(self);
}

void number_from_u64(struct number *self, bool is_negative, uint64_t magnitude)
{
    from_magnitude(self, is_negative, magnitude, 0);
}

void number_from_decimal(struct number *self, const DECIMAL *decimal)
{
    from_magnitude(self, decimal->sign != 0, (unsigned __int128)decimal->Hi32 << 64 | decimal->Lo64,
                   -(int)decimal->scale);
}

void number_from_cy(struct number *self, CY cy)
{
    bool is_negative = cy.int64 < 0;
    uint64_t bits = (uint64_t)cy.int64;
    from_magnitude(self, is_negative, is_negative ? 0 - bits : bits, -4);
}

void number_from_double(struct number *self, double value, int n_digits)
{
    char text[64];
    snprintf(text, sizeof(text), "%.*e", n_digits - 1, value);
    *self = (struct number){.is_negative = text[0] == '-'};
    /* The decimal point is whatever the C locale of the program makes it. */
    const char *c = text;
    for (; *c != 'e'; c++)
        if (*c >= '0' && *c <= '9')
            self->digits[self->n_digits++] = (char)(*c - '0');
    self->exponent = atoi(c + 1) - (self->n_digits - 1);
    normalize(self);
}

/* --- text --- */

struct scanner {
    const OLECHAR *at;
    struct number *number;
    bool has_sign;
    bool has_currency;
    bool has_parenthesis;
    bool has_digits;
    bool has_point;
};

static bool is_space(OLECHAR c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

static bool is_digit(OLECHAR c)
{
    return c >= '0' && c <= '9';
}

static void skip_spaces(struct scanner *self)
{
    while (is_space(*self->at))
        self->at++;
}

/* Signs, "$" and "(" in front of the digits, each once, in any order. */
static void scan_prefix(struct scanner *self)
{
    for (;; self->at++) {
        if (is_space(*self->at))
            continue;
        if ((*self->at == '-' || *self->at == '+') && !self->has_sign) {
            self->has_sign = true;
            self->number->is_negative |= *self->at == '-';
        } else if (*self->at == '$' && !self->has_currency) {
            self->has_currency = true;
        } else if (*self->at == '(' && !self->has_parenthesis && !self->has_sign) {
            self->has_parenthesis = true;
            self->number->is_negative = true;
        } else {
            return;
        }
    }
}

static void add_digit(struct number *number, char digit, bool is_decimal)
{
    bool is_leading_zero = number->n_digits == 0 && digit == 0;
    if (is_leading_zero) {
        number->exponent -= is_decimal;
        return;
    }
    if (number->n_digits < NUMBER_MAX_DIGITS) {
        number->digits[number->n_digits++] = digit;
        number->exponent -= is_decimal;
        return;
    }
    number->has_more |= digit != 0;
    number->exponent += !is_decimal;
}

static void scan_digits(struct scanner *self)
{
    for (;; self->at++) {
        bool is_thousands = *self->at == ',' && self->has_digits && !self->has_point;
        if (is_digit(*self->at)) {
            self->has_digits = true;
            add_digit(self->number, (char)(*self->at - '0'), self->has_point);
        } else if (*self->at == '.' && !self->has_point) {
            self->has_point = true;
        } else if (!is_thousands) {
            return;
        }
    }
}

static bool scan_exponent(struct scanner *self)
{
    int exponent = 0;
    if (*self->at != 'e' && *self->at != 'E')
        return true;
    self->at++;
    bool is_negative = *self->at == '-';
    if (*self->at == '-' || *self->at == '+')
        self->at++;
    if (!is_digit(*self->at))
        return false;
    for (; is_digit(*self->at); self->at++)
        exponent = exponent > MAX_EXPONENT ? exponent : exponent * 10 + (*self->at - '0');
    self->number->exponent += is_negative ? -exponent : exponent;
    return true;
}

/* ")" , "-", "$" behind the digits. */
static bool scan_suffix(struct scanner *self)
{
    bool is_closed = !self->has_parenthesis;
    for (; *self->at; self->at++) {
        if (is_space(*self->at))
            continue;
        if (*self->at == ')' && !is_closed) {
            is_closed = true;
        } else if ((*self->at == '-' || *self->at == '+') && !self->has_sign &&
                   !self->has_parenthesis) {
            self->has_sign = true;
            self->number->is_negative |= *self->at == '-';
        } else if (*self->at == '$' && !self->has_currency) {
            self->has_currency = true;
        } else {
            return false;
        }
    }
    return is_closed;
}

static int digit_of_base(OLECHAR c, int base)
{
    int digit = -1;
    if (is_digit(c))
        digit = c - '0';
    else if (c >= 'a' && c <= 'f')
        digit = c - 'a' + 10;
    else if (c >= 'A' && c <= 'F')
        digit = c - 'A' + 10;
    return digit < base ? digit : -1;
}

/* Behind "&H" or "&O". */
static bool scan_base(struct scanner *self, int base, unsigned *hex_bits)
{
    uint64_t value = 0;
    bool has_digits = false;
    for (int digit; (digit = digit_of_base(*self->at, base)) >= 0; self->at++) {
        if (value > (UINT64_MAX - (uint64_t)digit) / (uint64_t)base)
            return false;
        value = value * (uint64_t)base + (uint64_t)digit;
        has_digits = true;
    }
    skip_spaces(self);
    *hex_bits = value <= UINT8_MAX ? 8 : value <= UINT16_MAX ? 16 : value <= UINT32_MAX ? 32 : 64;
    number_from_u64(self->number, false, value);
    return has_digits && !*self->at;
}

bool number_parse(struct number *self, const OLECHAR *text, unsigned *hex_bits)
{
    struct scanner scanner = {.at = text, .number = self};
    *self = (struct number){0};
    *hex_bits = 0;
    skip_spaces(&scanner);
    if (scanner.at[0] == '&' && (scanner.at[1] == 'H' || scanner.at[1] == 'h')) {
        scanner.at += 2;
        return scan_base(&scanner, 16, hex_bits);
    }
    if (scanner.at[0] == '&' && (scanner.at[1] == 'O' || scanner.at[1] == 'o')) {
        scanner.at += 2;
        return scan_base(&scanner, 8, hex_bits);
    }
    scan_prefix(&scanner);
    scan_digits(&scanner);
    if (!scanner.has_digits || !scan_exponent(&scanner) || !scan_suffix(&scanner))
        return false;
    normalize(self);
    return true;
}

/* --- from digits --- */

bool number_to_scaled(const struct number *self, int scale, unsigned __int128 *magnitude)
{
    int point = self->n_digits + self->exponent + scale; /* digits in front of the point */
    unsigned __int128 value = 0;
    *magnitude = 0;
    if (self->n_digits == 0 || point < 0)
        return true;
    for (int i = 0; i < point; i++) {
        value = value * 10 + (unsigned)(i < self->n_digits ? self->digits[i] : 0);
        if (value > most)
            return false;
    }
    int next = point < self->n_digits ? self->digits[point] : 0;
    bool is_half = next == 5 && point + 1 >= self->n_digits && !self->has_more;
    bool is_up = is_half ? value % 2 : next >= 5;
    value += is_up;
    *magnitude = value;
    return value <= most;
}

double number_to_double(const struct number *self)
{
    char text[NUMBER_MAX_DIGITS + 32];
    size_t n = 0;
    text[n++] = self->is_negative ? '-' : '+';
    if (self->n_digits == 0)
        text[n++] = '0';
    for (int i = 0; i < self->n_digits; i++)
        text[n++] = (char)('0' + self->digits[i]);
    snprintf(text + n, sizeof(text) - n, "e%d", self->exponent);
    return strtod(text, NULL);
}

HRESULT number_to_decimal(const struct number *self, DECIMAL *decimal)
{
    unsigned __int128 magnitude = 0;
    int scale = self->exponent < 0 ? -self->exponent : 0;
    if (scale > NUMBER_MAX_SCALE)
        scale = NUMBER_MAX_SCALE;
    while (!number_to_scaled(self, scale, &magnitude))
        if (scale-- == 0)
            return DISP_E_OVERFLOW;
    decimal->scale = (BYTE)(magnitude ? scale : 0);
    decimal->sign = self->is_negative ? DECIMAL_NEG : 0;
    decimal->Hi32 = (ULONG)(magnitude >> 64);
    decimal->Lo64 = (ULONGLONG)magnitude;
    return S_OK;
}

char *number_format(const struct number *self)
{
    int n_whole = self->n_digits + self->exponent;
    size_t room = (size_t)(n_whole > 0 ? n_whole : 1) +
                  (size_t)(self->exponent < 0 ? -self->exponent : 0) + 3;
    char *text = malloc(room);
    size_t n = 0;
    if (!text)
        return NULL;
    if (self->is_negative && self->n_digits > 0)
        text[n++] = '-';
    if (n_whole <= 0)
        text[n++] = '0';
    for (int i = 0; i < n_whole; i++)
        text[n++] = (char)('0' + (i < self->n_digits ? self->digits[i] : 0));
    if (self->exponent < 0)
        text[n++] = '.';
    for (int i = n_whole; i < self->n_digits; i++)
        text[n++] = (char)('0' + (i >= 0 ? self->digits[i] : 0));
    text[n] = 0;
    return text;
}
