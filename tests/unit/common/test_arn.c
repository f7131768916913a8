/* arn.[ch]: names are read and written back, and only proper ones are names. */
#include "common/aws/arn.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>

#include "common/base/err.h"

static void parts(void **state)
{
    assert_int_equal(arn_parts(STR_NONE), 1);
    assert_int_equal(arn_parts(STR("bogus")), 1);
    assert_int_equal(arn_parts(STR("a:b")), 2);
    assert_int_equal(arn_parts(STR(":")), 2);
    assert_int_equal(arn_parts(STR("arn:aws:sns:us-east-1:123456789012:demo:id")), 7);
}

static void there_and_back(void **state)
{
    static const char *const texts[] = {
        "arn:aws:sns:us-east-1:123456789012:demo", "arn:aws:sqs:eu-west-3:000000000000:q.fifo",
        "arn:aws-cn:sns:cn-north-1:123456789012:demo:0b6c1a1e-96ef-4a4e-9a7b-0e4c1d2f3a4b",
        "arn:::::"};
    for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
        struct arn a;
        struct buf b = {0};
        assert_int_equal(arn_read(str_of(texts[i]), &a), 0);
        arn_write(&b, &a);
        assert_string_equal(b.p, texts[i]);
        buf_deinit(&b);
    }
    struct arn a;
    assert_int_equal(arn_read(str_of(texts[2]), &a), 0);
    assert_true(str_is(a.partition, "aws-cn") && str_is(a.service, "sns"));
    assert_true(str_is(a.region, "cn-north-1") && str_is(a.account, "123456789012"));
    assert_true(str_is(a.resource, "demo:0b6c1a1e-96ef-4a4e-9a7b-0e4c1d2f3a4b"));
}

static void refused(void **state)
{
    static const char *const texts[] = {"",
                                        "arn",
                                        "arn:aws:sns:us-east-1:123456789012",
                                        "ARN:aws:sns:us-east-1:123456789012:demo",
                                        " arn:aws:sns:us-east-1:123456789012:demo",
                                        ":aws:sns:us-east-1:123456789012:demo",
                                        "arnx:aws:sns:us-east-1:123456789012:demo"};
    for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
        struct arn a;
        assert_int_equal(arn_read(str_of(texts[i]), &a), E_INVALID);
    }
}

static void accounts(void **state)
{
    assert_true(arn_is_account(STR("000000000000")));
    assert_false(arn_is_account(STR("00000000000")));
    assert_false(arn_is_account(STR("0000000000000")));
    assert_false(arn_is_account(STR("00000000000a")));
    assert_false(arn_is_account(STR_NONE));
}

static void names(void **state)
{
    char longest[300];
    memset(longest, 'q', sizeof longest);
    assert_true(arn_is_queue_name((str){longest, 80}));
    assert_false(arn_is_queue_name((str){longest, 81}));
    assert_true(arn_is_topic_name((str){longest, 256}));
    assert_false(arn_is_topic_name((str){longest, 257}));
    memcpy(longest + 75, ".fifo", 5);
    assert_true(arn_is_queue_name((str){longest, 80}));
    memcpy(longest + 76, ".fifo", 5);
    assert_false(arn_is_queue_name((str){longest, 81}));
    static const char *const good[] = {"a", "Z-9_", "x.fifo", "-", "fifo"};
    static const char *const bad[] = {"",         ".fifo",  "a.b", "a.fifo.fifo", "a.fif",
                                      "a b",      "a/b",    "a@",  "[",           "`",
                                      "\xC3\xA9", "a.FIFO", "a:b", "{",           "^"};
    for (size_t i = 0; i < ARRAY_LEN(good); i++)
        assert_true(arn_is_queue_name(str_of(good[i])) && arn_is_topic_name(str_of(good[i])));
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        assert_false(arn_is_queue_name(str_of(bad[i])) || arn_is_topic_name(str_of(bad[i])));
    assert_false(arn_is_queue_name(STR("a\0b")));
    assert_true(arn_is_fifo_name(STR("x.fifo")));
    assert_false(arn_is_fifo_name(STR("xfifo")));
}

static void partitions(void **state)
{
    static const char *const cases[][2] = {
        {"us-east-1", "aws"},
        {"eu-central-1", "aws"},
        {"", "aws"},
        {"mars-1", "aws"},
        {"cn-northwest-1", "aws-cn"},
        {"us-gov-west-1", "aws-us-gov"},
        {"us-iso-east-1", "aws-iso"},
        {"us-isob-east-1", "aws-iso-b"},
        {"eu-isoe-west-1", "aws-iso-e"},
        {"us-isof-south-1", "aws-iso-f"},
        {"eusc-de-east-1", "aws-eusc"},
        {"us-isolated-1", "aws"},
    };

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        str region = str_of(cases[i][0]);
        struct arn a = arn_of("sqs", region, STR("000000000000"), STR("q"));
        struct buf text = {0};

        assert_true(str_is(arn_partition(region), cases[i][1]));
        assert_true(arn_is_in_partition(&a));
        arn_write(&text, &a);
        assert_true(str_starts(str_slice(buf_view(&text), 4, text.n), str_of(cases[i][1])));
        a.partition = STR("other");
        assert_false(arn_is_in_partition(&a));
        buf_deinit(&text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(parts),   cmocka_unit_test(partitions), cmocka_unit_test(there_and_back),
        cmocka_unit_test(refused), cmocka_unit_test(accounts),   cmocka_unit_test(names),
    };
    return cmocka_run_group_tests_name("arn", tests, NULL, NULL);
}
