/*
 * DATEs. A day is a whole number, and the fraction, without its sign, is the time of that day:
 * -1.25 is 6 o'clock of the day before 1899-12-30. Years of two digits are 1950 to 2049.
 */
#include "com/automation/date.h"

#include <math.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <viaduct/variant.h>

#define FIRST_DATE  (-657434.0) /* 0100-01-01 */
#define LAST_DATE   2958465.0   /* 9999-12-31 */
#define DAY_SECONDS 86400

bool date_is_valid(double value)
{
    return value > FIRST_DATE - 1 && value < LAST_DATE + 1;
}

static bool is_leap(int year)
{
    return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
}

static int days_of_month(int year, int month)
{
    static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    return days[month - 1] + (month == 2 && is_leap(year));
}

/* Days since 1899-12-30. Years begin in March here, so that leap days come last. */
static int day_of(int year, int month, int day)
{
    int y = month > 2 ? year : year - 1;
    int m = month > 2 ? month - 3 : month + 9;
    return 365 * y + y / 4 - y / 100 + y / 400 + (153 * m + 2) / 5 + day - 693900;
}

static void split_day(int value, int *year, int *month, int *day)
{
    int days = value + 693899; /* since 0000-03-01 */
    int era = days / 146097;
    int of_era = days % 146097;
    int y = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
    int of_year = of_era - (365 * y + y / 4 - y / 100);
    int m = (5 * of_year + 2) / 153;
    *day = of_year - (153 * m + 2) / 5 + 1;
    *month = m < 10 ? m + 3 : m - 9;
    *year = y + era * 400 + (*month <= 2);
}

/* The nearest second. */
static void split(double value, int *day, int *second)
{
    double whole = trunc(value);
    *day = (int)whole;
    *second = (int)(fabs(value - whole) * DAY_SECONDS + 0.5);
    if (*second == DAY_SECONDS) {
        *second = 0;
        (*day)++;
    }
}

static double join(int day, double second)
{
    double time = second / DAY_SECONDS;
    return day < 0 ? day - time : day + time;
}

INT VariantTimeToSystemTime(DOUBLE variant_time, SYSTEMTIME *system_time)
{
    int year, month, day, second, days;
    if (!date_is_valid(variant_time))
        return FALSE;
    split(variant_time, &days, &second);
    if (days > (int)LAST_DATE)
        return FALSE;
    split_day(days, &year, &month, &day);
    int weekday = (days + 6) % 7; /* 1899-12-30 was a Saturday */
    *system_time = (SYSTEMTIME){.wYear = (WORD)year,
                                .wMonth = (WORD)month,
                                .wDayOfWeek = (WORD)(weekday < 0 ? weekday + 7 : weekday),
                                .wDay = (WORD)day,
                                .wHour = (WORD)(second / 3600),
                                .wMinute = (WORD)(second / 60 % 60),
                                .wSecond = (WORD)(second % 60)};
    return TRUE;
}

static int full_year(int year)
{
    return year >= 100 ? year : year < 50 ? year + 2000 : year + 1900;
}

INT SystemTimeToVariantTime(SYSTEMTIME *system_time, DOUBLE *variant_time)
{
    const SYSTEMTIME *time = system_time;
    int year = full_year(time->wYear);
    if (year > 9999 || time->wMonth < 1 || time->wMonth > 12 || time->wDay < 1 ||
        time->wDay > days_of_month(year, time->wMonth) || time->wHour > 23 || time->wMinute > 59 ||
        time->wSecond > 59)
        return FALSE;
    *variant_time = join(day_of(year, time->wMonth, time->wDay),
                         time->wHour * 3600 + time->wMinute * 60 + time->wSecond);
    return TRUE;
}

HRESULT date_format(double value, char text[DATE_TEXT_SIZE])
{
    SYSTEMTIME time;
    int day, second;
    size_t n = 0;
    if (!VariantTimeToSystemTime(value, &time))
        return E_INVALIDARG;
    split(value, &day, &second);
    bool has_date = trunc(value) != 0;
    if (has_date)
        n = (size_t)snprintf(text, DATE_TEXT_SIZE, "%d/%d/%d", time.wMonth, time.wDay, time.wYear);
    if (second > 0 || !has_date)
        snprintf(text + n, DATE_TEXT_SIZE - n, "%s%d:%02d:%02d %s", has_date ? " " : "",
                 time.wHour % 12 ? time.wHour % 12 : 12, time.wMinute, time.wSecond,
                 time.wHour < 12 ? "AM" : "PM");
    return S_OK;
}

/* --- text --- */

#define MAX_NUMBER 9999

/* What has been found: numbers, the name of a month, AM or PM. */
enum half_day { WHOLE_DAY, MORNING, AFTERNOON };

struct scanner {
    const OLECHAR *at;
    int date[3]; /* in the order of the text */
    int n_digits[3];
    int n_date;
    int named_at; /* how many numbers stood before the month's name */
    int month;    /* by its name; 0: none */
    int time[3];
    int n_time;
    enum half_day half;
};

static OLECHAR lower(OLECHAR c)
{
    return c >= 'A' && c <= 'Z' ? (OLECHAR)(c + 32) : c;
}

static bool is_digit(OLECHAR c)
{
    return c >= '0' && c <= '9';
}

static bool is_space(OLECHAR c)
{
    return c == ' ' || c == '\t' || c == 0xA0;
}

static bool is_letter(OLECHAR c)
{
    return lower(c) >= 'a' && lower(c) <= 'z';
}

static bool read_number(struct scanner *self, int *number, int *n_digits)
{
    *number = 0;
    *n_digits = 0;
    for (; is_digit(*self->at); self->at++, (*n_digits)++)
        *number = *number > MAX_NUMBER ? *number : *number * 10 + (*self->at - '0');
    return *n_digits > 0 && *number <= MAX_NUMBER;
}

static size_t word_length(const OLECHAR *text)
{
    size_t n = 0;
    while (is_letter(text[n]))
        n++;
    return n;
}

static bool word_is(const OLECHAR *text, size_t n, const char *word)
{
    for (size_t i = 0; i < n; i++)
        if (!word[i] || lower(text[i]) != (OLECHAR)lower((OLECHAR)word[i]))
            return false;
    return true;
}

/* Three letters of a month or day are enough; more have to be the right ones. */
static bool read_word(struct scanner *self)
{
    static const char *const months[] = {"january",   "february", "march",    "april",
                                         "may",       "june",     "july",     "august",
                                         "september", "october",  "november", "december"};
    static const char *const days[] = {"sunday",   "monday", "tuesday", "wednesday",
                                       "thursday", "friday", "saturday"};
    size_t n = word_length(self->at);
    const OLECHAR *word = self->at;
    self->at += n;
    bool is_half = n == 2 && (word_is(word, n, "am") || word_is(word, n, "pm"));
    if (is_half && self->n_time > 0 && self->half == WHOLE_DAY) {
        self->half = word_is(word, n, "am") ? MORNING : AFTERNOON;
        return true;
    }
    for (int i = 0; i < 12 && !self->month; i++) {
        if (n != strlen(months[i]) && n != 3)
            continue;
        if (!word_is(word, n, months[i]))
            continue;
        self->month = i + 1;
        self->named_at = self->n_date;
        return true;
    }
    for (int i = 0; i < 7; i++)
        if ((n == strlen(days[i]) || n == 3) && word_is(word, n, days[i]))
            return true;
    return false;
}

/* Behind the first number of a time, at the ":" or "." or at "AM" or "PM". */
static bool read_time(struct scanner *self, int hour)
{
    int n_digits;
    if (self->n_time > 0)
        return false;
    self->time[self->n_time++] = hour;
    while ((*self->at == ':' || *self->at == '.') && self->n_time < 3) {
        self->at++;
        if (!read_number(self, &self->time[self->n_time++], &n_digits))
            return false;
    }
    return true;
}

static bool is_at_half(const struct scanner *self)
{
    const OLECHAR *at = self->at;
    while (is_space(*at))
        at++;
    return word_length(at) == 2 && (word_is(at, 2, "am") || word_is(at, 2, "pm"));
}

static bool read_part(struct scanner *self)
{
    int number, n_digits;
    if (is_letter(*self->at))
        return read_word(self);
    if (!read_number(self, &number, &n_digits))
        return false;
    if (*self->at == ':' || *self->at == '.' || (is_at_half(self) && self->n_time == 0))
        return read_time(self, number);
    if (self->n_date == 3)
        return false;
    self->n_digits[self->n_date] = n_digits;
    self->date[self->n_date++] = number;
    return true;
}

static bool scan(struct scanner *self)
{
    for (bool is_first = true;; is_first = false) {
        bool is_separated = false;
        for (; is_space(*self->at) || *self->at == '/' || *self->at == '-' || *self->at == ',';
             self->at++)
            is_separated |= !is_space(*self->at);
        if (!*self->at)
            return !is_separated && (self->n_date > 0 || self->n_time > 0 || self->month);
        if ((is_first && is_separated) || !read_part(self))
            return false;
    }
}

static int current_year(void)
{
    time_t now = time(NULL);
    struct tm parts;
    return gmtime_r(&now, &parts) ? parts.tm_year + 1900 : 1900;
}

/* Which of the numbers is the year, the month and the day. */
static bool arrange(const struct scanner *self, int *year, int *month, int *day)
{
    const int *n = self->date;
    *year = -1;
    *day = 1;
    if (self->month) {
        *month = self->month;
        if (self->n_date == 2) {
            bool is_year_first = self->n_digits[0] > 2 || n[0] > 31;
            *year = n[is_year_first ? 0 : 1];
            *day = n[is_year_first ? 1 : 0];
        } else if (self->n_date == 1) {
            bool is_year = self->n_digits[0] > 2 || n[0] > 31;
            *(is_year ? year : day) = n[0];
        }
        return self->n_date > 0 && self->n_date < 3;
    }
    if (self->n_date == 3) {
        bool is_year_first = self->n_digits[0] > 2 || n[0] > 31;
        *year = n[is_year_first ? 0 : 2];
        *month = n[is_year_first ? 1 : 0];
        *day = n[is_year_first ? 2 : 1];
    } else if (self->n_date == 2) {
        bool is_year_last = self->n_digits[1] > 2 || n[1] > 31;
        *month = n[0];
        *(is_year_last ? year : day) = n[1];
    } else {
        return false;
    }
    /* Where the month cannot be one, day and month have changed their places. */
    if (*month > 12 && *day <= 12) {
        int other = *month;
        *month = *day;
        *day = other;
    }
    return true;
}

static bool seconds_of(const struct scanner *self, int *seconds)
{
    int hour = self->time[0];
    if (self->half == AFTERNOON && hour < 12)
        hour += 12;
    if (self->half == MORNING && hour == 12)
        hour = 0;
    *seconds = hour * 3600 + self->time[1] * 60 + self->time[2];
    return hour < 24 && self->time[1] < 60 && self->time[2] < 60;
}

HRESULT date_parse(const OLECHAR *text, DATE *value)
{
    struct scanner scanner = {.at = text};
    int year, month, day, seconds = 0, days = 0;
    if (!scan(&scanner))
        return DISP_E_TYPEMISMATCH;
    if (scanner.n_date > 0 || scanner.month) {
        if (!arrange(&scanner, &year, &month, &day))
            return DISP_E_TYPEMISMATCH;
        year = year < 0 ? current_year() : full_year(year);
        if (year > 9999 || month < 1 || month > 12 || day < 1 || day > days_of_month(year, month))
            return DISP_E_TYPEMISMATCH;
        days = day_of(year, month, day);
    }
    if (scanner.n_time > 0 && !seconds_of(&scanner, &seconds))
        return DISP_E_TYPEMISMATCH;
    *value = join(days, seconds);
    return S_OK;
}
