/* id.[ch]: chance that can be repeated, UUIDs in their one spelling, ids derived from numbers. */
#include "common/base/id.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>

#include "common/base/err.h"

static void seeds(void **state)
{
    struct id_source a, b, c;
    id_init(&a, 42);
    id_init(&b, 42);
    id_init(&c, 43);
    u8 x[33] = {0}, y[33] = {0};
    for (int i = 0; i < 100; i++) {
        u64 v = id_u64(&a);
        assert_true(v == id_u64(&b));
        assert_true(v != id_u64(&c));
    }
    id_secret(&a, x, 29);
    id_secret(&b, y, 29);
    assert_memory_equal(x, y, 33); /* and nothing behind the 29 */
    assert_int_equal(x[29], 0);
    id_init(&a, 0);
    id_init(&b, 0);
    assert_true(id_u64(&a) != id_u64(&b));
    id_secret(&a, x, 32);
    id_secret(&b, y, 32);
    assert_memory_not_equal(x, y, 32);
}

/* The first numbers of xoshiro256** from the state that its authors' own test uses: 1, 2, 3, 4. */
static void known_sequence(void **state)
{
    struct id_source s = {.state = {1, 2, 3, 4}, .seeded = true};
    assert_true(id_u64(&s) == 11520);
    assert_true(id_u64(&s) == 0);
    assert_true(id_u64(&s) == 1509978240);
    assert_true(id_u64(&s) == 1215971899390074240u);
}

static void uuids(void **state)
{
    struct id_source s;
    char text[ID_UUID_SIZE], again[ID_UUID_SIZE];
    u8 bytes[16];
    id_init(&s, 7);
    for (int i = 0; i < 1000; i++) {
        id_uuid(&s, text);
        assert_int_equal(strlen(text), 36);
        assert_int_equal(text[14], '4');
        assert_non_null(strchr("89ab", text[19]));
        assert_int_equal(id_uuid_read(str_of(text), bytes), 0);
        assert_string_equal(id_uuid_of(bytes, again), text);
    }
    const u8 zero[16] = {0};
    assert_string_equal(id_uuid_of(zero, text), "00000000-0000-4000-8000-000000000000");
    assert_int_equal(id_uuid_read(STR("00112233-4455-4677-8899-AAbbCCddEEff"), bytes), 0);
    assert_string_equal(id_uuid_of(bytes, text), "00112233-4455-4677-8899-aabbccddeeff");
}

static void bad_uuids(void **state)
{
    static const char *const bad[] = {"",
                                      "00112233-4455-4677-8899-aabbccddeef",
                                      "00112233-4455-4677-8899-aabbccddeefff",
                                      "00112233-4455-4677-8899-aabbccddeefg",
                                      "0011223304455-4677-8899-aabbccddeeff",
                                      "00112233-4455-4677-8899aaabbccddeeff",
                                      "00112233-4455-4677-889--aabbccddeeff",
                                      "{0112233-4455-4677-8899-aabbccddeeff"};
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        u8 bytes[16] = {0x55};
        assert_int_equal(id_uuid_read(str_of(bad[i]), bytes), E_INVALID);
        assert_int_equal(bytes[0], 0x55);
    }
}

/* SipHash-2-4-128 of eight bytes 00..07 under key 00..0f: the reference implementation's vector. */
static void derived(void **state)
{
    static const u8 want[16] = {0x3b, 0x62, 0xa9, 0xba, 0x62, 0x58, 0xf5, 0x61,
                                0x0f, 0x83, 0xe2, 0x64, 0xf3, 0x14, 0x97, 0xb4};
    u8 key[16], got[16], other[16];
    for (u8 i = 0; i < 16; i++)
        key[i] = i;
    id_derive(key, 0x0706050403020100u, got);
    assert_memory_equal(got, want, 16);
    id_derive(key, 0x0706050403020101u, other);
    assert_memory_not_equal(got, other, 16);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(seeds),     cmocka_unit_test(known_sequence), cmocka_unit_test(uuids),
        cmocka_unit_test(bad_uuids), cmocka_unit_test(derived),
    };
    return cmocka_run_group_tests_name("id", tests, NULL, NULL);
}
