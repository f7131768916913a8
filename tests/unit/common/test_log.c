/* log.[ch]: one event is one line, whatever stands in it. */
#include "common/base/log.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <unistd.h>
#include <cmocka.h>

#include "common/base/err.h"

static void lines(void **state)
{
    char line[LOG_LINE_MAX], text[4 * LOG_LINE_MAX];
    size_t n = log_line(line, 1767323045678, LOG_LEVEL_WARNING, "queued", "slow queue=a ms=5");
    assert_true(str_eq(str_from(line, n),
                       STR("2026-01-02T03:04:05.678Z warning queued: slow queue=a ms=5\n")));
    n = log_line(line, 0, LOG_LEVEL_ERROR, "t", "a\nb\r\t\x1B[31m\x7F\xC3\xA9");
    assert_true(str_ends(str_from(line, n), STR(" t: a\\nb\\r\\t\\x1b[31m\\x7f\xC3\xA9\n")));
    memset(text, '\n', sizeof text);
    text[sizeof text - 1] = '\0';
    n = log_line(line, 0, LOG_LEVEL_INFO, "t", text);
    assert_true(n <= LOG_LINE_MAX && n > LOG_LINE_MAX - 4);
    assert_ptr_equal(memchr(line, '\n', n), line + n - 1);
    memset(text, 'n', sizeof text - 1);
    n = log_line(line, 0, LOG_LEVEL_INFO, text, "x"); /* not even a name can do harm */
    assert_true(n <= LOG_LINE_MAX && line[n - 1] == '\n');
}

static void values(void **state)
{
    char v[LOG_VALUE_SIZE], text[1000];
    assert_string_equal(log_value(STR("receipts"), v), "receipts");
    assert_string_equal(log_value(STR("arn:aws:sns:x"), v), "arn:aws:sns:x");
    assert_string_equal(log_value(STR(""), v), "\"\"");
    assert_string_equal(log_value(STR("two words"), v), "\"two words\"");
    assert_string_equal(log_value(STR("a=b"), v), "\"a=b\"");
    assert_string_equal(log_value(STR("q\"\\\n\0z"), v), "\"q\\\"\\\\\\n\\x00z\"");
    memset(text, 'a', sizeof text);
    for (size_t n = 250; n < 260; n++) {
        log_value((str){text, n}, v);
        assert_int_equal(strlen(v), MIN(n, (size_t)LOG_VALUE_SIZE - 1));
    }
    memset(text, '\x01', sizeof text);
    log_value((str){text, sizeof text}, v);
    assert_true(strlen(v) < LOG_VALUE_SIZE && v[strlen(v) - 1] == '"');
}

static void levels(void **state)
{
    static const char *const names[] = {"error", "warning", "info", "debug"};
    for (int i = LOG_LEVEL_ERROR; i <= LOG_LEVEL_DEBUG; i++)
        assert_string_equal(log_level_name((enum log_level)i), names[i]);
}

/* What goes to standard error: what the level lets through, in one write a line; errno survives. */
static void writing(void **state)
{
    int end[2], before = dup(STDERR_FILENO);
    char got[1000];
    assert_int_equal(pipe2(end, O_DIRECT), 0); /* keeps writes apart */
    assert_true(dup2(end[1], STDERR_FILENO) >= 0);
    errno = ENOSPC;
    log_open("unit", LOG_LEVEL_WARNING);
    log_error("first n=%d", 1);
    log_warning("second");
    log_info("never");
    log_debug("never");
    int err = errno;
    dup2(before, STDERR_FILENO);
    close(before);
    close(end[1]);
    assert_int_equal(err, ENOSPC);
    ssize_t n = read(end[0], got, sizeof got);
    assert_true(n > 0 && str_ends(str_from(got, (size_t)n), STR("Z error unit: first n=1\n")));
    n = read(end[0], got, sizeof got);
    assert_true(n > 0 && str_ends(str_from(got, (size_t)n), STR("Z warning unit: second\n")));
    assert_int_equal(read(end[0], got, sizeof got), 0);
    close(end[0]);
    assert_true(log_is_on(LOG_LEVEL_ERROR) && !log_is_on(LOG_LEVEL_INFO));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lines),
        cmocka_unit_test(values),
        cmocka_unit_test(levels),
        cmocka_unit_test(writing),
    };
    return cmocka_run_group_tests_name("log", tests, NULL, NULL);
}
