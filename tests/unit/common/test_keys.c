/* A file of access keys: read, found, reloaded as a whole or not at all, and refused when others
 * could read it or when it says something wrong; signing keys are derived and kept. */
#include "common/base/base.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "common/aws/keys.h"
#include "common/base/hash.h"
#include "common/base/json.h"
#include "tests/key_file.h"

#define KEY(rest)                                                                                  \
    "{\"keys\":[{\"access_key_id\":\"AKID\",\"secret_access_key\":\"s3cret\",\"account\":"         \
    "\"123456789012\"" rest "}]}"

static struct fault f;
static char path[] = KEY_FILE_TEMPLATE;

static struct keys *open_keys(const char *text)
{
    struct keys *k = NULL;

    key_file_write(path, text);
    fault_clear(&f);
    if (keys_open(&k, path, &f))
        fail_msg("%s", f.text);
    return k;
}

static void test_read(void **state)
{
    struct keys *k = open_keys(
        "{\"// what\":\"comment\",\"keys\":[{\"access_key_id\":\"A\",\"secret_access_key\":\"a\","
        "\"account\":\"111111111111\"},{\"// who\":1,\"access_key_id\":\"B\","
        "\"secret_access_key\":\"b\",\"account\":\"222222222222\",\"user\":\"bob\","
        "\"session_token\":\"tok/"
        "en+=\",\"expires\":\"2026-01-02T03:04:05Z\",\"services\":[\"sqs\"],"
        "\"policy\":{\"Statement\":[]}}]}");
    const struct key *a = keys_find(k, STR("A")), *b = keys_find(k, STR("B"));

    assert_int_equal(keys_count(k), 2);
    assert_null(keys_find(k, STR("C")));
    assert_true(str_is(a->secret, "a") && str_is(a->account, "111111111111"));
    assert_true(a->user.n == 0 && a->session_token.n == 0 && !a->policy);
    assert_true(a->expires_ms == INT64_MAX);
    assert_true(key_serves(a, "sqs") && key_serves(a, "sns"));
    assert_true(str_is(b->user, "bob") && str_is(b->session_token, "tok/en+=") && b->policy);
    assert_true(b->expires_ms == INT64_C(1767323045000));
    assert_true(key_serves(b, "sqs") && !key_serves(b, "sns"));
    keys_free(k);
    keys_free(NULL);
}

static void test_reloaded(void **state)
{
    struct keys *k = open_keys(KEY(""));
    u8 signing[KEYS_SIGNING_SIZE] = {1}, again[KEYS_SIGNING_SIZE];
    const struct key *key = keys_find(k, STR("AKID"));

    keys_keep_signing_key(k, key, STR("20260102"), STR("r"), STR("sqs"), signing);
    assert_true(keys_signing_key(k, key, STR("20260102"), STR("r"), STR("sqs"), again));
    key_file_write(path, "{\"keys\":[");
    assert_int_equal(keys_reload(k, &f), E_FAULT);
    assert_ptr_equal(keys_find(k, STR("AKID")), key);
    fault_clear(&f);
    key_file_write(path, KEY(",\"user\":\"new\""));
    assert_int_equal(keys_reload(k, &f), 0);
    key = keys_find(k, STR("AKID"));
    assert_true(str_is(key->user, "new"));
    assert_false(keys_signing_key(k, key, STR("20260102"), STR("r"), STR("sqs"), again));
    keys_free(k);
}

static void test_refused(void **state)
{
    static const char *const cases[][2] = {
        {"", ":1:"},
        {"[]", "must be an object"},
        {"{}", "needs keys"},
        {"{\"key\":[]}", "has no member key"},
        {"{\"keys\":{}}", "keys: must be an array"},
        {"{\"keys\":[1]}", "keys[0]: must be an object"},
        {"{\"keys\":[{}]}", "keys[0]: needs access_key_id"},
        {"{\"keys\":[{\"access_key_id\":\"a\"}]}", "needs secret_access_key"},
        {"{\"keys\":[{\"access_key_id\":\"\"}]}", "access_key_id must have 1 to 128 characters"},
        {"{\"keys\":[{\"access_key_id\":\"a b\"}]}", "printable ASCII"},
        {"{\"keys\":[{\"access_key_id\":\"a\",\"secret_access_key\":\"b\"}]}", "needs account"},
        {"{\"keys\":[{\"access_key_id\":\"a\",\"secret_access_key\":\"b\",\"account\":\"12\"}]}",
         "account must have twelve digits"},
        {KEY(",\"foo\":1"), "has no member foo"},
        {KEY(",\"user\":1"), "user: must be a string"},
        {KEY(",\"services\":[]"), "services: must have 1 to 8 items"},
        {KEY(",\"services\":[1]"), "services[0]: must be a string"},
        {KEY(",\"expires\":\"soon\""), "expires must be a time"},
        {KEY(",\"policy\":{}"), "policy: is not a valid policy of a key"},
        {KEY(",\"policy\":{\"Statement\":[{\"Effect\":\"Allow\",\"Principal\":\"*\",\"Action\":"
             "\"*\",\"Resource\":\"*\"}]}"),
         "has a Principal"},
        {"{\"keys\":[{\"access_key_id\":\"a\",\"secret_access_key\":\"b\",\"account\":"
         "\"123456789012\"},{\"access_key_id\":\"a\",\"secret_access_key\":\"b\",\"account\":"
         "\"123456789012\"}]}",
         "keys[1]: access_key_id a appears twice"},
    };

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct keys *k = NULL;

        key_file_write(path, cases[i][0]);
        fault_clear(&f);
        assert_int_equal(keys_open(&k, path, &f), E_FAULT);
        assert_null(k);
        assert_non_null(strstr(f.text, path));
        if (!strstr(f.text, cases[i][1]))
            fail_msg("%s\nsays: %s", cases[i][0], f.text);
    }
}

static void test_others_may_not_read_it(void **state)
{
    static const mode_t modes[] = {0644, 0640, 0604, 0620, 0601, 0660};
    struct keys *k = NULL;

    key_file_write(path, KEY(""));
    for (size_t i = 0; i < ARRAY_LEN(modes); i++) {
        assert_int_equal(chmod(path, modes[i]), 0);
        fault_clear(&f);
        assert_int_equal(keys_open(&k, path, &f), E_FAULT);
        assert_non_null(strstr(f.text, "its mode must be 0600, not 06"));
    }
    assert_int_equal(chmod(path, 0400), 0);
    fault_clear(&f);
    assert_int_equal(keys_open(&k, path, &f), 0);
    keys_free(k);
    assert_int_equal(chmod(path, 0600), 0);
    fault_clear(&f);
    assert_int_equal(keys_open(&k, "/nowhere/keys.json", &f), E_FAULT);
    assert_string_equal(f.text, "/nowhere/keys.json: No such file or directory");
    fault_clear(&f);
    assert_int_equal(keys_open(&k, "/tmp", &f), E_FAULT);
    assert_string_equal(f.text, "/tmp: is not a regular file");
}

/* The signing key of the vectors in tests/cases/sigv4. */
static void test_signing_key(void **state)
{
    struct keys *k = open_keys("{\"keys\":[{\"access_key_id\":\"AKIDEXAMPLE\","
                               "\"secret_access_key\":\"wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY\","
                               "\"account\":\"000000000000\"}]}");
    const struct key *key = keys_find(k, STR("AKIDEXAMPLE"));
    u8 signing[KEYS_SIGNING_SIZE], kept[KEYS_SIGNING_SIZE];
    char hex[2 * KEYS_SIGNING_SIZE + 1];
    str date = STR("20260102"), region = STR("us-east-1"), service = STR("sqs");

    assert_false(keys_signing_key(k, key, date, region, service, signing));
    hash_hex(signing, sizeof signing, hex);
    assert_string_equal(hex, "2ff297a9677e4dae14c807deddfda42a648728a19457402a48e239ed0efff414");
    keys_keep_signing_key(k, key, date, region, service, signing);
    assert_true(keys_signing_key(k, key, date, region, service, kept));
    assert_memory_equal(kept, signing, sizeof kept);
    assert_false(keys_signing_key(k, key, STR("20260103"), region, service, kept));
    assert_false(keys_signing_key(k, key, date, STR("us-east-2"), service, kept));
    assert_false(keys_signing_key(k, key, date, region, STR("sns"), kept));
    assert_memory_not_equal(kept, signing, sizeof kept);
    /* A scope that is no scope is derived, never kept. */
    keys_keep_signing_key(k, key, STR("2026"), region, service, signing);
    assert_false(keys_signing_key(k, key, STR("2026"), region, service, kept));
    keys_free(k);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_read),        cmocka_unit_test(test_reloaded),
        cmocka_unit_test(test_refused),     cmocka_unit_test(test_others_may_not_read_it),
        cmocka_unit_test(test_signing_key),
    };

    json_setup();
    key_file_make(path, "");
    int failed = cmocka_run_group_tests(tests, NULL, NULL);

    unlink(path);
    return failed;
}
