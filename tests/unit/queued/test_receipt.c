/* Receipt handles: they come back as they were made, and nothing else opens. */
#include "common/base/base.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "common/base/err.h"
#include "queued/receipt.h"

static const u8 secret[16] = "sixteen secret b", other[16] = "another secret b";

static void round_trip(void **state)
{
    static const struct receipt all[] = {
        {.queue = 1, .message = 2, .delivery = 1, .received_ms = 1700000000000},
        {.queue = UINT64_MAX - 1,
         .message = UINT64_MAX,
         .delivery = UINT32_MAX,
         .received_ms = INT64_MAX},
    };
    for (size_t i = 0; i < ARRAY_LEN(all); i++) {
        char text[RECEIPT_SIZE];
        struct receipt h = {0};
        str s = receipt_issue(secret, &all[i], text);
        assert_int_equal(s.n, strlen(text));
        assert_int_equal(receipt_read(secret, s, &h), 0);
        assert_int_equal(h.queue, all[i].queue);
        assert_int_equal(h.message, all[i].message);
        assert_int_equal(h.delivery, all[i].delivery);
        assert_int_equal(h.received_ms, all[i].received_ms);
        assert_null(strchr(text, '-'));
        assert_int_equal(receipt_read(other, s, &h), E_INVALID);
    }
}

static void every_change_is_noticed(void **state)
{
    char text[RECEIPT_SIZE];
    struct receipt h = {.queue = 3, .message = 4, .delivery = 5, .received_ms = 6}, got;
    str s = receipt_issue(secret, &h, text);
    for (size_t i = 0; i < s.n; i++) {
        char was = text[i];
        for (int c = 0; c < 256; c++) {
            text[i] = (char)c;
            if (c != (u8)was)
                assert_int_equal(receipt_read(secret, s, &got), E_INVALID);
        }
        text[i] = was;
    }
    for (size_t n = 0; n < s.n; n++)
        assert_int_equal(receipt_read(secret, str_slice(s, 0, n), &got), E_INVALID);
    assert_int_equal(receipt_read(secret, str_from(text, sizeof text), &got), E_INVALID);
    assert_int_equal(receipt_read(secret, STR("garbage"), &got), E_INVALID);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(round_trip),
        cmocka_unit_test(every_change_is_noticed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
