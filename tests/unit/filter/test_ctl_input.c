/* ctl_input.[ch]: lines and documents, wherever the blocks that are read happen to end. */
#include "filter/ctl/input.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <unistd.h>
#include <cmocka.h>

#include "common/base/mem.h"

#define LINES      3000
#define LENGTH_MAX 3000 /* together several blocks */
#define LONG_LINE  ((size_t)3 << 20)

static void next_is(struct input *in, bool as_document, const char *text, u64 line)
{
    str got;
    assert_int_equal(as_document ? input_document(in, &got) : input_line(in, &got), 0);
    assert_int_equal(got.n, strlen(text));
    assert_memory_equal(got.p, text, got.n);
    assert_int_equal(in->line, line);
}

static void is_over(struct input *in)
{
    str got;
    assert_int_equal(input_line(in, &got), E_NOT_FOUND);
    assert_int_equal(input_document(in, &got), E_NOT_FOUND);
}

static size_t length_of(size_t i)
{
    return i == LINES / 2 ? LONG_LINE : i * 7919 % LENGTH_MAX;
}

static void fill_line(struct buf *b, size_t i)
{
    char *p = buf_room(b, length_of(i));
    memset(p, 'a' + (char)(i % 26), length_of(i));
    b->n += length_of(i);
}

static void test_blocks(void **state)
{
    char path[] = "/tmp/test_ctl_input_XXXXXX";
    int fd = mkstemp(path);
    struct buf line = {0};
    struct input in;
    str got;
    (void)state;
    assert_true(fd >= 0);
    FILE *f = fdopen(fd, "w");
    for (size_t i = 0; i < LINES; i++) {
        buf_reset(&line);
        fill_line(&line, i);
        fwrite(line.p, 1, line.n, f);
        fputs(i % 2 ? "\n" : "\r\n", f);
    }
    assert_int_equal(fclose(f), 0);
    assert_int_equal(input_open(&in, str_of(path)), 0);
    for (size_t i = 0; i < LINES; i++) {
        buf_reset(&line);
        fill_line(&line, i);
        assert_int_equal(input_line(&in, &got), 0);
        assert_int_equal(in.line, i + 1);
        assert_true(str_eq(got, buf_view(&line)));
    }
    is_over(&in);
    input_close(&in);
    unlink(path);
    buf_deinit(&line);
}

static void test_lines(void **state)
{
    struct input in;
    (void)state;
    input_open_text(&in, STR("a\n\nb\r\nc"), "");
    next_is(&in, false, "a", 1);
    next_is(&in, false, "", 2);
    next_is(&in, false, "b", 3);
    next_is(&in, false, "c", 4);
    is_over(&in);
    input_close(&in);
    input_open_text(&in, STR(""), "");
    is_over(&in);
    input_close(&in);
}

static void test_documents(void **state)
{
    struct input in;
    (void)state;
    input_open_text(
        &in,
        STR("{\"a\":1}\n{\n  \"b\": \"}{\\\"\",\n  \"c\": [\n  ]\n}\n[\n{\"d\":1},\n{\"e\":1}\n"
            "]\n{\"f\":1}\n"),
        "");
    next_is(&in, true, "{\"a\":1}", 1);
    next_is(&in, true, "{\n  \"b\": \"}{\\\"\",\n  \"c\": [\n  ]\n}", 2);
    next_is(&in, true, "[\n{\"d\":1},\n{\"e\":1}\n]", 7);
    next_is(&in, true, "{\"f\":1}", 11);
    is_over(&in);
    input_close(&in);
}

static void test_marks(void **state)
{
    struct input in;
    (void)state;
    input_open_text(&in, STR("\xef\xbb\xbf{\n\"a\":1}\n\xef\xbb\xbf{}"), "");
    next_is(&in, true, "{\n\"a\":1}", 1);
    next_is(&in, true, "\xef\xbb\xbf{}", 3);
    is_over(&in);
    input_close(&in);
    input_open_text(&in, STR("\xef\xbb\xbf"), "");
    is_over(&in);
    input_close(&in);
    input_open_text(&in, STR("\xef\xbb"), "");
    next_is(&in, false, "\xef\xbb", 1);
    is_over(&in);
    input_close(&in);
}

static void test_log_documents(void **state)
{
    struct input in;
    (void)state;
    input_open_text(&in, STR("2026-01-02 INFO {\n  \"a\": {\n  }\n}\nEND {\n{\"b\":1}\n"), "");
    next_is(&in, true, "2026-01-02 INFO {\n  \"a\": {\n  }\n}", 1);
    next_is(&in, true, "END {", 5);
    next_is(&in, true, "{\"b\":1}", 6);
    is_over(&in);
    input_close(&in);
}

/* A message that was cut off takes no other with it. */
static void test_cut_off(void **state)
{
    struct input in;
    (void)state;
    input_open_text(&in, STR("{\"a\":[1,\n{\"b\":1}\n{\"c\":\"x\n{\"d\":1}\n{\n"), "");
    next_is(&in, true, "{\"a\":[1,", 1);
    next_is(&in, true, "{\"b\":1}", 2);
    next_is(&in, true, "{\"c\":\"x", 3);
    next_is(&in, true, "{\"d\":1}", 4);
    next_is(&in, true, "{", 5);
    is_over(&in);
    input_close(&in);
}

static void test_absent(void **state)
{
    struct input in;
    struct buf b = {0};
    (void)state;
    assert_int_equal(input_open(&in, STR("/nowhere/at/all")), E_IO);
    assert_int_equal(input_file(&b, STR("/nowhere/at/all")), E_IO);
    assert_int_equal(input_file(&b, STR("/dev/zero")), E_TOO_LARGE);
    buf_deinit(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_blocks),        cmocka_unit_test(test_lines),
        cmocka_unit_test(test_documents),     cmocka_unit_test(test_cut_off),
        cmocka_unit_test(test_absent),        cmocka_unit_test(test_marks),
        cmocka_unit_test(test_log_documents),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
