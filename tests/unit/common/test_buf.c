/* buf.[ch]: bytes grow in order and a NUL stands behind them. */
#include "common/base/buf.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>

#include "common/base/mem.h"

static void appending(void **state)
{
    struct buf b = {0};
    assert_true(str_is(buf_view(&b), ""));
    buf_z(&b, "a");
    buf_str(&b, STR("bc"));
    buf_str(&b, STR_NONE);
    buf_char(&b, 'd');
    buf_add(&b, "\0e", 2);
    assert_int_equal(b.n, 6);
    assert_memory_equal(b.p, "abcd\0e", 7); /* the NUL behind it too */
    buf_reset(&b);
    assert_string_equal(b.p, "");
    assert_true(b.cap > 0);
    buf_deinit(&b);
    assert_null(b.p);
}

static void numbers(void **state)
{
    struct buf b = {0};
    const i64 v[] = {0, 7, -7, INT64_MAX, INT64_MIN};
    for (size_t i = 0; i < ARRAY_LEN(v); i++) {
        buf_i64(&b, v[i]);
        buf_char(&b, ' ');
    }
    buf_u64(&b, UINT64_MAX);
    assert_string_equal(b.p, "0 7 -7 9223372036854775807 -9223372036854775808 "
                             "18446744073709551615");
    buf_deinit(&b);
}

/* All lengths over several growths, against the same text made with one snprintf. */
static void printing(void **state)
{
    for (int n = 0; n < 300; n++) {
        struct buf b = {0};
        char want[400];
        buf_z(&b, ">");
        buf_printf(&b, "%0*d", n, 5);
        snprintf(want, sizeof want, ">%0*d", n, 5);
        assert_string_equal(b.p, want);
        assert_int_equal(b.n, strlen(want));
        buf_deinit(&b);
    }
}

static void growing(void **state)
{
    struct buf b = {0};
    for (int i = 0; i < 100000; i++) {
        buf_char(&b, (char)('a' + i % 26));
        assert_true(b.n < b.cap);
    }
    for (int i = 0; i < 100000; i++)
        assert_true(b.p[i] == (char)('a' + i % 26));
    assert_int_equal(strlen(b.p), 100000);
    char *room = buf_room(&b, 1000);
    memset(room, 'z', 1000);
    b.n += 1000;
    assert_int_equal(strlen(b.p), 101000);
    buf_deinit(&b);
}

static void detaching(void **state)
{
    struct buf b = {0};
    buf_z(&b, "mine");
    char *p = buf_detach(&b);
    assert_string_equal(p, "mine");
    assert_null(b.p);
    assert_int_equal(b.n, 0);
    mem_free(p);
    p = buf_detach(&b);
    assert_string_equal(p, "");
    mem_free(p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(appending), cmocka_unit_test(numbers),   cmocka_unit_test(printing),
        cmocka_unit_test(growing),   cmocka_unit_test(detaching),
    };
    return cmocka_run_group_tests_name("buf", tests, NULL, NULL);
}
