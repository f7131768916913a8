/* date.[ch]: every form is read to the millisecond, what is not quite one is refused. */
#include "common/base/date.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>

#include "common/base/clock.h"
#include "common/base/err.h"

#define T0 INT64_C(1767323045000) /* 2026-01-02T03:04:05Z */

static void iso(void **state)
{
    static const struct {
        const char *text;
        i64 ms;
    } cases[] = {
        {"1970-01-01T00:00:00Z", 0},
        {"2026-01-02T03:04:05Z", T0},
        {"2026-01-02T03:04:05.6Z", T0 + 600},
        {"2026-01-02T03:04:05.678Z", T0 + 678},
        {"2026-01-02T03:04:05.6789999Z", T0 + 678},
        {"2026-01-02T03:04Z", T0 - 5000},
        {"2026-01-02T04:04:05+01:00", T0},
        {"2026-01-01T21:34:05-05:30", T0},
        {"2026-01-02", INT64_C(1767312000000)},
        {"2026-01", INT64_C(1767225600000)},
        {"2026", INT64_C(1767225600000)},
        {"2024-02-29", INT64_C(1709164800000)},
        {"2000-02-29", INT64_C(951782400000)},
        {"9999-12-31T23:59:59.999Z", INT64_C(253402300799999)},
    };

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        i64 ms = -1;

        assert_int_equal(date_read_iso(str_of(cases[i].text), &ms), 0);
        assert_int_equal(ms, cases[i].ms);
    }
}

static void refused(void **state)
{
    static const char *const isos[] = {"",
                                       "202",
                                       "2026-",
                                       "2026-1",
                                       "2026-13",
                                       "2026-00",
                                       "2026-02-29",
                                       "2100-02-29",
                                       "2026-01-32",
                                       "2026-01-00",
                                       "2026-01-2",
                                       "2026-01-02T",
                                       "2026-01-02T03",
                                       "2026-01-02T03:04",
                                       "2026-01-02T03:04:05",
                                       "2026-01-02T24:00Z",
                                       "2026-01-02T03:60Z",
                                       "2026-01-02T03:04:60Z",
                                       "2026-01-02T03:04:05.Z",
                                       "2026-01-02T03:04:05Zx",
                                       "2026-01-02 03:04:05Z",
                                       "2026-01-02T03:04:05+1:00",
                                       "2026-01-02T03:04:05+24:00",
                                       "1969-12-31",
                                       "+026-01-02",
                                       " 2026"};
    static const char *const basics[] = {"",
                                         "20260102",
                                         "20260102T030405",
                                         "20260102T030405z",
                                         "20260102t030405Z",
                                         "20260102T030405Z ",
                                         "20260102T030460Z",
                                         "20261302T030405Z",
                                         "2026-01-02T03:04:05Z"};
    static const char *const https[] = {"",
                                        "Fri, 02 Jan 2026 03:04:05",
                                        "Fri, 2 Jan 2026 03:04:05 GMT",
                                        "Fri 02 Jan 2026 03:04:05 GMT",
                                        "Fri, 02 Foo 2026 03:04:05 GMT",
                                        "Fri, 30 Feb 2026 03:04:05 GMT",
                                        "Dom, 02 Jan 2026 03:04:05 GMT",
                                        "Friday, 02-Jan-26 03:04:05 GMT",
                                        "Fri, 02 Jan 2026 03:04:05 UTC"};
    i64 ms = 7;

    for (size_t i = 0; i < ARRAY_LEN(isos); i++)
        assert_int_equal(date_read_iso(str_of(isos[i]), &ms), E_INVALID);
    for (size_t i = 0; i < ARRAY_LEN(basics); i++)
        assert_int_equal(date_read_basic(str_of(basics[i]), &ms), E_INVALID);
    for (size_t i = 0; i < ARRAY_LEN(https); i++)
        assert_int_equal(date_read_http(str_of(https[i]), &ms), E_INVALID);
    assert_int_equal(ms, 7);
}

/* What the writers write is read back, over days around every kind of leap year. */
static void there_and_back(void **state)
{
    for (i64 t = 0; t < INT64_C(253402300799999); t += INT64_C(86400000) * 97 + 12345678) {
        char iso_text[CLOCK_ISO_SIZE], http_text[CLOCK_HTTP_SIZE], basic_text[DATE_BASIC_SIZE];
        i64 ms = -1;

        assert_int_equal(date_read_iso(str_of(clock_iso(t, iso_text)), &ms), 0);
        assert_int_equal(ms, t);
        assert_int_equal(date_read_http(str_of(clock_http(t, http_text)), &ms), 0);
        assert_int_equal(ms, t - t % 1000);
        assert_int_equal(date_read_basic(str_of(date_basic(t, basic_text)), &ms), 0);
        assert_int_equal(ms, t - t % 1000);
    }
    char text[DATE_BASIC_SIZE];
    i64 ms;

    assert_int_equal(date_read_http(STR("Fri, 02 Jan 2026 03:04:05 -0000"), &ms), 0);
    assert_int_equal(ms, T0);

    assert_string_equal(date_basic(T0 + 678, text), "20260102T030405Z");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(iso),
        cmocka_unit_test(refused),
        cmocka_unit_test(there_and_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
