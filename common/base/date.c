/* One cursor over the text; each parser is the sequence of its parts. */
#include "common/base/date.h"

#include "common/base/clock.h"
#include "common/base/err.h"

#define YEAR_MIN 1970

struct civil {
    u32 year, month, day, hour, minute, second, ms;
    i32 offset_min; /* of its zone, east of Greenwich */
};

static bool date_take_char(str *rest, char c)
{
    if (!rest->n || rest->p[0] != c)
        return false;
    *rest = str_slice(*rest, 1, rest->n);
    return true;
}

/* Exactly `width` digits. */
static bool date_take_number(str *rest, size_t width, u32 *ret)
{
    u32 v = 0;

    if (rest->n < width)
        return false;
    for (size_t i = 0; i < width; i++) {
        char c = rest->p[i];

        if (c < '0' || c > '9')
            return false;
        v = v * 10 + (u32)(c - '0');
    }
    *ret = v;
    *rest = str_slice(*rest, width, rest->n);
    return true;
}

static bool is_leap(u32 year)
{
    return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
}

static u32 month_days(u32 year, u32 month)
{
    static const u8 days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};

    return days[month - 1] + (month == 2 && is_leap(year));
}

/* Days from 1970-01-01; years begin in March, so that the leap day comes last. */
static i64 civil_days(const struct civil *c)
{
    u32 year = c->year - (c->month <= 2), march_month = (c->month + 9) % 12;
    u32 in_year = (153 * march_month + 2) / 5 + c->day - 1;

    return (i64)365 * year + year / 4 - year / 100 + year / 400 + in_year - 719468;
}

static int civil_finish(const struct civil *c, i64 *ret_ms)
{
    i64 minutes;

    if (c->year < YEAR_MIN || c->month < 1 || c->month > 12 || c->day < 1 ||
        c->day > month_days(c->year, c->month) || c->hour > 23 || c->minute > 59 || c->second > 59)
        return E_INVALID;
    minutes = (civil_days(c) * 24 + c->hour) * 60 + c->minute - c->offset_min;
    *ret_ms = (minutes * 60 + c->second) * 1000 + c->ms;
    return 0;
}

/* ".678", or nothing. */
static bool date_take_fraction(str *rest, u32 *ret_ms)
{
    u32 digit, scale = 100, ms = 0;

    if (!date_take_char(rest, '.'))
        return true;
    if (!date_take_number(rest, 1, &digit))
        return false;
    do {
        ms += digit * scale;
        scale /= 10;
    } while (date_take_number(rest, 1, &digit));
    *ret_ms = ms;
    return true;
}

static bool date_take_zone(str *rest, i32 *ret_min)
{
    u32 hours, minutes;
    i32 sign = 1;

    if (date_take_char(rest, 'Z'))
        return true;
    if (date_take_char(rest, '-'))
        sign = -1;
    else if (!date_take_char(rest, '+'))
        return false;
    if (!date_take_number(rest, 2, &hours) || !date_take_char(rest, ':') ||
        !date_take_number(rest, 2, &minutes) || hours > 23 || minutes > 59)
        return false;
    *ret_min = sign * (i32)(hours * 60 + minutes);
    return true;
}

static bool date_take_time(str *rest, struct civil *c)
{
    if (!date_take_number(rest, 2, &c->hour) || !date_take_char(rest, ':') ||
        !date_take_number(rest, 2, &c->minute))
        return false;
    if (date_take_char(rest, ':') &&
        (!date_take_number(rest, 2, &c->second) || !date_take_fraction(rest, &c->ms)))
        return false;
    return date_take_zone(rest, &c->offset_min);
}

int date_read_iso(str text, i64 *ret_ms)
{
    struct civil c = {.month = 1, .day = 1};
    str rest = text;
    bool ok = date_take_number(&rest, 4, &c.year);

    if (ok && date_take_char(&rest, '-')) {
        ok = date_take_number(&rest, 2, &c.month);
        if (ok && date_take_char(&rest, '-')) {
            ok = date_take_number(&rest, 2, &c.day);
            if (ok && date_take_char(&rest, 'T'))
                ok = date_take_time(&rest, &c);
        }
    }
    return ok && !rest.n ? civil_finish(&c, ret_ms) : E_INVALID;
}

int date_read_basic(str text, i64 *ret_ms)
{
    struct civil c = {0};
    str rest = text;
    bool ok = date_take_number(&rest, 4, &c.year) && date_take_number(&rest, 2, &c.month) &&
              date_take_number(&rest, 2, &c.day) && date_take_char(&rest, 'T') &&
              date_take_number(&rest, 2, &c.hour) && date_take_number(&rest, 2, &c.minute) &&
              date_take_number(&rest, 2, &c.second) && date_take_char(&rest, 'Z') && !rest.n;

    return ok ? civil_finish(&c, ret_ms) : E_INVALID;
}

/* Index, from 1, of the text's first three letters among `names`, three letters each; 0: none. */
static u32 date_take_name(str *rest, const char *names)
{
    for (u32 i = 0; names[3 * i]; i++) {
        if (str_starts(*rest, str_from(names + (size_t)3 * i, 3))) {
            *rest = str_slice(*rest, 3, rest->n);
            return i + 1;
        }
    }
    return 0;
}

int date_read_http(str text, i64 *ret_ms)
{
    struct civil c = {0};
    str rest = text;
    bool ok = date_take_name(&rest, "SunMonTueWedThuFriSat") && date_take_char(&rest, ',') &&
              date_take_char(&rest, ' ') && date_take_number(&rest, 2, &c.day) &&
              date_take_char(&rest, ' ');

    c.month = ok ? date_take_name(&rest, "JanFebMarAprMayJunJulAugSepOctNovDec") : 0;
    ok = c.month && date_take_char(&rest, ' ') && date_take_number(&rest, 4, &c.year) &&
         date_take_char(&rest, ' ') && date_take_number(&rest, 2, &c.hour) &&
         date_take_char(&rest, ':') && date_take_number(&rest, 2, &c.minute) &&
         date_take_char(&rest, ':') && date_take_number(&rest, 2, &c.second) &&
         (str_is(rest, " GMT") || str_is(rest, " +0000") || str_is(rest, " -0000"));
    return ok ? civil_finish(&c, ret_ms) : E_INVALID;
}

char *date_basic(i64 ms, char *buf)
{
    char iso[CLOCK_ISO_SIZE], *to = buf;

    for (const char *at = clock_iso(ms, iso); *at != '.'; at++)
        if (*at != '-' && *at != ':')
            *to++ = *at;
    *to++ = 'Z';
    *to = '\0';
    return buf;
}
