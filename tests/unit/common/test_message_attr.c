/* message_attr.[ch]: what both services accept as a type, a Number, a text and a group id. Digests
 * are held against the service's own values in queued's test. */
#include "common/aws/message_attr.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>

#define DIGITS_38 "12345678901234567890123456789012345678"

static void numbers(void **state)
{
    static const struct {
        const char *text;
        enum message_number want;
    } cases[] = {
        {"0", MESSAGE_NUMBER_FINE},
        {"-0.0e-9999", MESSAGE_NUMBER_FINE},
        {"+12.50", MESSAGE_NUMBER_FINE},
        {".5", MESSAGE_NUMBER_FINE},
        {"5.", MESSAGE_NUMBER_FINE},
        {"007", MESSAGE_NUMBER_FINE},
        {"1E+5", MESSAGE_NUMBER_FINE},
        {"1e00000000000000000005", MESSAGE_NUMBER_FINE},
        {DIGITS_38, MESSAGE_NUMBER_FINE},
        {"0.000" DIGITS_38, MESSAGE_NUMBER_FINE},
        {"1e126", MESSAGE_NUMBER_FINE},
        {"9.9e126", MESSAGE_NUMBER_FINE},
        {"1e-128", MESSAGE_NUMBER_FINE},
        {"0.001e-125", MESSAGE_NUMBER_FINE},
        {"1e127", MESSAGE_NUMBER_RANGE},
        {"10e126", MESSAGE_NUMBER_RANGE},
        {"0.1e-128", MESSAGE_NUMBER_RANGE},
        {"1e2147483647", MESSAGE_NUMBER_RANGE},
        {DIGITS_38 "0", MESSAGE_NUMBER_PRECISION},
        {DIGITS_38 ".9", MESSAGE_NUMBER_PRECISION},
        {"", MESSAGE_NUMBER_SPELLING},
        {".", MESSAGE_NUMBER_SPELLING},
        {"+", MESSAGE_NUMBER_SPELLING},
        {"e5", MESSAGE_NUMBER_SPELLING},
        {"1e", MESSAGE_NUMBER_SPELLING},
        {"1e+", MESSAGE_NUMBER_SPELLING},
        {"1e+-5", MESSAGE_NUMBER_SPELLING},
        {"1e2147483648", MESSAGE_NUMBER_SPELLING},
        {"1e12345678901", MESSAGE_NUMBER_SPELLING},
        {"--1", MESSAGE_NUMBER_SPELLING},
        {"1.2.3", MESSAGE_NUMBER_SPELLING},
        {" 1", MESSAGE_NUMBER_SPELLING},
        {"1 ", MESSAGE_NUMBER_SPELLING},
        {"0x10", MESSAGE_NUMBER_SPELLING},
        {"NaN", MESSAGE_NUMBER_SPELLING},
    };

    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        if (message_number(str_of(cases[i].text)) != cases[i].want)
            fail_msg("%s: %d", cases[i].text, (int)message_number(str_of(cases[i].text)));
}

static void types(void **state)
{
    assert_int_equal(message_attr_base(STR("String")), MESSAGE_ATTR_STRING);
    assert_int_equal(message_attr_base(STR("Number.int.more")), MESSAGE_ATTR_NUMBER);
    assert_int_equal(message_attr_base(STR("Binary.")), MESSAGE_ATTR_BINARY);
    assert_int_equal(message_attr_base(STR("Strin")), MESSAGE_ATTR_NONE);
    assert_int_equal(message_attr_base(STR("Strings")), MESSAGE_ATTR_NONE);
    assert_int_equal(message_attr_base(STR("string")), MESSAGE_ATTR_NONE);
    assert_int_equal(message_attr_base(STR_NONE), MESSAGE_ATTR_NONE);
    assert_true(message_attr_is_binary(&(struct message_attr){.type = STR("Binary.label")}));
}

/* A forbidden character is found at every place of a word of eight bytes, and behind the last. */
static void texts(void **state)
{
    static const char *const bad[] = {"\x01", "\x1f", "\v", "\xEF\xBF\xBE", "\xEF\xBF\xBF"};
    static const char *const good[] = {"\t", "\n", "\r", "\x7f", "\xEF\xBF\xBD", "\xEE\x80\x80"};
    char text[32];

    assert_true(message_is_text(STR_NONE));
    for (size_t at = 0; at < 20; at++) {
        for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
            memset(text, 'x', sizeof(text));
            memcpy(text + at, bad[i], strlen(bad[i]));
            assert_false(message_is_text(str_from(text, at + strlen(bad[i]))));
            assert_false(message_is_text(str_from(text, 24)));
        }
        for (size_t i = 0; i < ARRAY_LEN(good); i++) {
            memset(text, 'x', sizeof(text));
            memcpy(text + at, good[i], strlen(good[i]));
            assert_true(message_is_text(str_from(text, at + strlen(good[i]))));
        }
    }
}

static void group_ids(void **state)
{
    char longest[129];

    memset(longest, 'g', sizeof(longest));
    assert_true(message_is_group_id(STR("!a-Z_9~")));
    assert_true(message_is_group_id(str_from(longest, 128)));
    assert_false(message_is_group_id(str_from(longest, 129)));
    assert_false(message_is_group_id(STR_NONE));
    assert_false(message_is_group_id(STR("a b")));
    assert_false(message_is_group_id(STR("\x7f")));
    assert_false(message_is_group_id(STR("\xC3\xA9")));
}

/* In the order of their names' bytes, whatever order they come in. */
static void sets(void **state)
{
    struct message_attrs a = {0};

    message_attrs_put(&a, &(struct message_attr){STR("b"), STR("String"), STR("12")});
    message_attrs_put(&a, &(struct message_attr){STR("a"), STR("Number"), STR("3")});
    message_attrs_put(&a, &(struct message_attr){STR("B"), STR("Binary"), STR("\0\0\0")});
    assert_true(str_is(a.items[0].name, "B") && str_is(a.items[1].name, "a") &&
                str_is(a.items[2].name, "b"));
    assert_int_equal(message_attrs_size(&a), 3 + 18 + 6);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers),   cmocka_unit_test(types), cmocka_unit_test(texts),
        cmocka_unit_test(group_ids), cmocka_unit_test(sets),
    };

    return cmocka_run_group_tests_name("message_attr", tests, NULL, NULL);
}
