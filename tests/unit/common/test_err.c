/* err.[ch]: the first fault stays, and a text that is too long is cut between characters. */
#include "common/base/err.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>

static void texts(void **state)
{
    for (int err = 0; err >= E_SHORT; err--) {
        assert_non_null(err_text(err));
        assert_string_not_equal(err_text(err), "unknown error");
        for (int other = 0; other > err; other--)
            assert_string_not_equal(err_text(err), err_text(other));
    }
    assert_string_equal(err_text(-1000), "unknown error");
    assert_string_equal(err_text(1), "unknown error");
}

static void first_fault_stays(void **state)
{
    static struct fault f;
    fault_clear(&f);
    assert_int_equal(fault_set_at(&f, 3, 7, 9, "no %s", "topic"), E_FAULT);
    assert_int_equal(fault_set(&f, 4, "another"), E_FAULT);
    assert_int_equal(f.code, 3);
    assert_int_equal(f.line, 7);
    assert_int_equal(f.column, 9);
    assert_string_equal(f.text, "no topic");
    fault_clear(&f);
    assert_int_equal(f.code, 0);
    fault_set(&f, 4, "another");
    assert_string_equal(f.text, "another");
    assert_int_equal(f.line, 0);
}

/* Characters of 1 to 4 bytes, pushed over the end by 0 to 3 bytes of ASCII. */
static void cut_between_characters(void **state)
{
    static const char *const characters[] = {"a", "\xC3\xA9", "\xE2\x82\xAC", "\xF0\x9F\x92\xB6"};
    static struct fault f;
    static char text[8000];
    for (size_t k = 0; k < ARRAY_LEN(characters); k++)
        for (size_t shift = 0; shift < 4; shift++) {
            size_t size = strlen(characters[k]), n = shift;
            memset(text, 'x', shift);
            while (n + size < sizeof text) {
                memcpy(text + n, characters[k], size);
                n += size;
            }
            text[n] = '\0';
            fault_clear(&f);
            fault_set(&f, 1, "%s", text);
            size_t got = strlen(f.text);
            assert_int_equal(got, shift + (FAULT_TEXT_MAX - shift) / size * size);
            assert_true(str_is_utf8(str_of(f.text)));
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(texts),
        cmocka_unit_test(first_fault_stays),
        cmocka_unit_test(cut_between_characters),
    };
    return cmocka_run_group_tests_name("err", tests, NULL, NULL);
}
