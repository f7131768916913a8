/* hash.[ch]: digests by the vectors of their standards, base64 there and back and nothing else. */
#include "common/base/hash.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>

#include "common/base/err.h"
#include "common/base/id.h"

static void digests(void **state)
{
    char hex[HASH_SHA256_HEX];
    u8 raw[32];
    assert_string_equal(hash_md5_hex(STR_NONE, hex), "d41d8cd98f00b204e9800998ecf8427e");
    assert_string_equal(hash_md5_hex(STR("message digest"), hex),
                        "f96b697d7cb7938d525a2f31aaf161d0"); /* RFC 1321 */
    assert_string_equal(hash_sha256_hex(STR("abc"), hex),    /* FIPS 180-2 */
                        "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    assert_string_equal(hash_sha256_hex(STR_NONE, hex),
                        "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    hash_hmac_sha256(STR("Jefe"), STR("what do ya want for nothing?"), raw); /* RFC 4231 */
    hash_hex(raw, sizeof raw, hex);
    assert_string_equal(hex, "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
    hash_hmac_sha256(STR_NONE, STR_NONE, raw);
    hash_hex(raw, sizeof raw, hex);
    assert_string_equal(hex, "b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad");
}

static void base64_vectors(void **state)
{
    static const char *const pairs[][2] = {{"", ""},
                                           {"f", "Zg=="},
                                           {"fo", "Zm8="},
                                           {"foo", "Zm9v"},
                                           {"foob", "Zm9vYg=="},
                                           {"fooba", "Zm9vYmE="},
                                           {"foobar", "Zm9vYmFy"}}; /* RFC 4648 */
    for (size_t i = 0; i < ARRAY_LEN(pairs); i++) {
        struct buf b = {0};
        buf_z(&b, ">");
        hash_base64(&b, str_of(pairs[i][0]));
        assert_string_equal(b.p + 1, pairs[i][1]);
        assert_int_equal(b.n - 1, hash_base64_size(strlen(pairs[i][0])));
        buf_reset(&b);
        assert_int_equal(hash_unbase64(str_of(pairs[i][1]), &b), 0);
        assert_true(str_is(buf_view(&b), pairs[i][0]));
        buf_deinit(&b);
    }
}

static void base64_there_and_back(void **state)
{
    struct id_source s;
    u8 bytes[300];
    id_init(&s, 3);
    for (size_t n = 0; n < sizeof bytes; n++) {
        struct buf text = {0}, back = {0};
        id_secret(&s, bytes, n);
        hash_base64(&text, str_from(bytes, n));
        assert_int_equal(hash_unbase64(buf_view(&text), &back), 0);
        assert_true(str_eq(buf_view(&back), str_from(bytes, n)));
        if (n)
            assert_int_equal(back.p[back.n], 0);
        buf_deinit(&text);
        buf_deinit(&back);
    }
}

static void base64_refused(void **state)
{
    static const char *const bad[] = {
        "Z",    "Zg",       "Zg=",  "Zm9v=", "====", "Z===", "Zg==\n",   " Zg=",   "Zm9-",
        "Zm9_", "Zg==Zg==", "Zm=v", "Zh==",  "Zm9=", "=Zm9", "Zm9v Zm9", "Zm9\x80"};
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        struct buf b = {0};
        buf_z(&b, "kept");
        assert_int_equal(hash_unbase64(str_of(bad[i]), &b), E_INVALID);
        assert_string_equal(b.p, "kept");
        assert_int_equal(b.n, 4);
        buf_deinit(&b);
    }
    struct buf b = {0};
    assert_int_equal(hash_unbase64(STR("Zm\0v"), &b), E_INVALID);
    buf_deinit(&b);
}

static void secrets(void **state)
{
    assert_true(hash_eq_secret(STR("abc"), STR("abc")));
    assert_true(hash_eq_secret(STR_NONE, STR("")));
    assert_false(hash_eq_secret(STR("abc"), STR("abd")));
    assert_false(hash_eq_secret(STR("abc"), STR("bbc")));
    assert_false(hash_eq_secret(STR("abc"), STR("abcd")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(digests),
        cmocka_unit_test(base64_vectors),
        cmocka_unit_test(base64_there_and_back),
        cmocka_unit_test(base64_refused),
        cmocka_unit_test(secrets),
    };
    return cmocka_run_group_tests_name("hash", tests, NULL, NULL);
}
