/* address.[ch]: spellings of both families, against inet_pton where the two agree by design; masks.
 */
#include "common/base/address.h"

#include <arpa/inet.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>

static void test_spelling(void **state)
{
    (void)state;
    static const char *const good[] = {
        "0.0.0.0",
        "255.255.255.255",
        "10.0.0.1",
        "::",
        "::1",
        "1::",
        "2001:db8::5",
        "2001:0DB8:0000:0000:0000:0000:0000:0005",
        "0:0:0:0:0:0:0:1",
        "1:2:3:4:5:6:7::",
        "::2:3:4:5:6:7:8",
        "::ffff:10.0.0.1",
        "1:2:3:4:5:6:1.2.3.4",
        "64:ff9b::192.0.2.33",
    };
    static const char *const bad[] = {
        "",
        "1",
        "1.2.3",
        "1.2.3.4.5",
        "256.0.0.1",
        "1.2.3.",
        ".1.2.3",
        "1..2.3",
        "a.b.c.d",
        "1.2.3.4 ",
        ":",
        ":::",
        "1:",
        ":1",
        "1:2:3:4:5:6:7",
        "1:2:3:4:5:6:7:8:9",
        "1::2::3",
        "12345::",
        "g::",
        "::1%eth0",
        "[::1]",
        "1:2:3:4:5:6:7:1.2.3.4",
        "::1.2.3",
        "10:45",
        "1:2:3:4:5:6:7:8::",
        "::1:2:3:4:5:6:7:8",
        "1.2.3.4::",
        "+1.2.3.4",
    };
    for (size_t i = 0; i < ARRAY_LEN(good); i++) {
        struct address a;
        u8 want[16] = {0};
        bool is_v6 = strchr(good[i], ':');
        assert_int_equal(inet_pton(is_v6 ? AF_INET6 : AF_INET, good[i], want), 1);
        assert_true(address_read(str_of(good[i]), &a));
        assert_true(address_is_shaped(str_of(good[i])));
        assert_int_equal(a.family, is_v6 ? 6 : 4);
        assert_memory_equal(a.bytes, want, 16);
    }
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        struct address a;
        u8 out[16];
        if (address_read(str_of(bad[i]), &a))
            fail_msg("%s is taken", bad[i]);
        assert_int_not_equal(inet_pton(AF_INET6, bad[i], out), 1);
    }
}

/* Unlike the C library: leading zeros are decimal. */
static void test_leading_zeros(void **state)
{
    (void)state;
    struct address a, b;
    assert_true(address_read(STR("010.000.0.08"), &a));
    assert_true(address_read(STR("10.0.0.8"), &b));
    assert_true(address_eq(&a, &b));
}

static void test_shape(void **state)
{
    (void)state;
    assert_true(address_is_shaped(STR("10.0.0.256")));
    assert_true(address_is_shaped(STR("1:2:3")));
    assert_false(address_is_shaped(STR("bad-filter")));
    assert_false(address_is_shaped(STR("xx.11.xx")));
    assert_false(address_is_shaped(STR("10.0.0")));
    assert_false(address_is_shaped(STR("10.0.0.")));
    assert_false(address_is_shaped(STR("")));
}

static void test_networks(void **state)
{
    (void)state;
    static const struct {
        const char *net;
        u32 bits;
        const char *address;
        bool in;
    } cases[] = {
        {"10.0.0.0", 24, "10.0.0.255", true},
        {"10.0.0.0", 24, "10.0.1.0", false},
        {"10.0.0.77", 31, "10.0.0.76", true},
        {"10.0.0.77", 31, "10.0.0.78", false},
        {"0.0.0.0", 0, "200.1.2.3", true},
        {"0.0.0.0", 0, "::1", false},
        {"::", 0, "ffff::", true},
        {"::", 0, "1.2.3.4", false},
        {"2001:db8:40::", 47, "2001:db8:41::9", true},
        {"2001:db8:40::", 48, "2001:db8:41::", false},
        {"2001:db8::4", 127, "2001:db8::5", true},
        {"2001:db8::4", 127, "2001:db8::6", false},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct address net, a;
        assert_true(address_read(str_of(cases[i].net), &net));
        assert_true(address_read(str_of(cases[i].address), &a));
        assert_int_equal(address_in(&a, &net, cases[i].bits), cases[i].in);
        address_mask(&net, cases[i].bits);
        assert_int_equal(address_in(&a, &net, cases[i].bits), cases[i].in);
        if (a.family == net.family) {
            address_mask(&a, cases[i].bits);
            assert_int_equal(address_eq(&a, &net), cases[i].in);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_spelling),
        cmocka_unit_test(test_leading_zeros),
        cmocka_unit_test(test_shape),
        cmocka_unit_test(test_networks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
