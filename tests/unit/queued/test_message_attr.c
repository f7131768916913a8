/* Message attributes: the service's vectors for their digest, its rules and its texts. */
#include "common/base/base.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "common/base/mem.h"
#include "queued/message_attr.h"
#include "queued/fault.h"

/* A map of at most twelve attributes as a call brings it. */
struct input {
    struct val map, attrs[12], members[12][2];
};

static void add(struct input *in, str name, str type, const char *field, str value)
{
    u32 i = in->map.count++;
    struct val *a = &in->attrs[i], *m = in->members[i];
    in->map.type = VAL_MAP;
    *a = (struct val){.type = VAL_STRUCT, .name = name, .first = m};
    m[0] = (struct val){.type = VAL_STRING, .name = STR("DataType"), .text = type};
    m[1] = (struct val){.type = str_is(str_of(field), "BinaryValue") ? VAL_BLOB : VAL_STRING,
                        .name = str_of(field),
                        .text = value};
    if (type.p) {
        m[0].next = field[0] ? &m[1] : NULL;
    } else {
        a->first = field[0] ? &m[1] : NULL;
    }
    if (i == 0)
        in->map.first = a;
    else
        in->attrs[i - 1].next = a;
}

static void digest_is(const struct input *in, const char *want)
{
    struct message_attrs attrs;
    struct fault f;
    struct buf work = {0};
    char md5[HASH_MD5_HEX];
    fault_clear(&f);
    assert_int_equal(message_attrs_read(&in->map, &attrs, &f), 0);
    assert_string_equal(message_attrs_md5(&attrs, &work, md5), want);
    buf_deinit(&work);
}

static void digests(void **state)
{
    static const struct {
        const char *name, *type, *value, *md5;
    } one[] = {
        {"k", "String", "x", "a45daa70926828a2f0a1db3418e6feb4"},
        {"Foo", "String", "Bar", "ae7155c6026991b6d54b11589678bf9c"},
        {"color", "String", "blue", "da1b33cc3cbfe8b1630921e78e6b9880"},
        {"timestamp", "Number", "1493147359900", "235c5c510d26fb653d073faed50ae77c"},
        {"timestamp", "Number.java.lang.Long", "1493147359900", "2e2e4876d8e0bd6b8c2c8f556831c349"},
        {"Hello", "String", "There", "a311262e065454b75da111d535b8dacd"},
        {"testname", "Binary", "123", "4969dd151b0a6c8b619ebb802f76e035"},
        {"testname", "Binary.label", "123", "14bf49aa3f28e4d8844701d2c02a57f1"},
        {"attr1", "Number", "19.12", "1f07082409022a373fa2a2601f82b3cb"},
    };
    for (size_t i = 0; i < ARRAY_LEN(one); i++) {
        struct input in = {0};
        add(&in, str_of(one[i].name), str_of(one[i].type),
            one[i].type[0] == 'B' ? "BinaryValue" : "StringValue", str_of(one[i].value));
        digest_is(&in, one[i].md5);
    }
    struct input three = {0};
    add(&three, STR("count"), STR("Number"), "StringValue", STR("3"));
    add(&three, STR("color"), STR("String"), "StringValue", STR("blue"));
    add(&three, STR("blob"), STR("Binary"), "BinaryValue", STR("\x01\x02\x03"));
    digest_is(&three, "d838729972a4b70e2d2acd9d59ac847c");
    struct input greeting = {0};
    add(&greeting, STR("Hello"), STR("String"), "StringValue", STR("There"));
    add(&greeting, STR("General"), STR("String"), "StringValue", STR("Kenobi"));
    digest_is(&greeting, "fca026605781cb4126a1e9044df24232");
    add(&greeting, STR("Help.Me"), STR("String"), "StringValue", STR("Me"));
    digest_is(&greeting, "4c360f3fdafd970e05fae2f149d997f5");
}

static void refused(str name, str type, const char *field, str value, int code, const char *text)
{
    struct input in = {0};
    struct message_attrs attrs;
    struct fault f;
    fault_clear(&f);
    add(&in, name, type, field, value);
    assert_int_equal(message_attrs_read(&in.map, &attrs, &f), E_FAULT);
    assert_int_equal(f.code, code);
    if (!strstr(f.text, text))
        fail_msg("%s instead of %s", f.text, text);
}

static void taken(str name, str type, const char *field, str value)
{
    struct input in = {0};
    struct message_attrs attrs;
    struct fault f;
    fault_clear(&f);
    add(&in, name, type, field, value);
    if (message_attrs_read(&in.map, &attrs, &f))
        fail_msg("%s", f.text);
    assert_int_equal(attrs.n, 1);
    assert_int_equal(message_attrs_size(&attrs), name.n + type.n + value.n);
}

#define SV "StringValue"
#define BV "BinaryValue"
#define IP CALL_FAULT_INVALID_PARAMETER

static void names(void **state)
{
    static char long_name[258];
    memset(long_name, 'n', 257);
    const char *bad[] = {"aWs.x", "AMAZON.x", ".x", "x.", "a!", "a\"", "a§", "a(", "a?", "a b", ""};
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        refused(str_of(bad[i]), STR("String"), SV, STR("v"), IP, "attribute");
    refused(str_from(long_name, 257), STR("String"), SV, STR("v"), IP,
            "Message (user) attribute name must be shorter than 256 bytes.");
    taken(str_from(long_name, 256), STR("String"), SV, STR("v"));
    taken(STR("attr.1øßä"), STR("String"), SV, STR("v"));
    taken(STR("AWSx"), STR("String"), SV, STR("v"));
}

static void types(void **state)
{
    static char long_type[300] = "Number.";
    memset(long_type + 7, 'x', 256);
    refused(STR("k"), STR(""), SV, STR("v"), IP,
            "must contain a non-empty message attribute type.");
    refused(STR("k"), STR_NONE, SV, STR("v"), IP,
            "must contain a non-empty message attribute type.");
    refused(STR("k"), STR("Invalid"), SV, STR("v"), IP,
            "The type of message (user) attribute 'k' is invalid. You must use only the following "
            "supported type prefixes: Binary, Number, String.");
    refused(STR("k"), STR("string"), SV, STR("v"), IP, "is invalid");
    refused(STR("k"), STR("Stringent"), SV, STR("v"), IP, "is invalid");
    refused(STR("k"), str_of(long_type), SV, STR("1"), IP, "Invalid");
    taken(STR("k"), STR("String.json"), SV, STR("{}"));
    taken(STR("k"), STR("Binary.png"), BV, STR("x"));
}

static void values(void **state)
{
    refused(STR("k"), STR("String"), SV, STR(""), IP,
            "Message (user) attribute 'k' must contain a non-empty value of type 'String'.");
    refused(STR("k"), STR("Binary"), BV, STR(""), IP,
            "Message (user) attribute 'k' must contain a non-empty value of type 'Binary'.");
    refused(STR("k"), STR("String"), "", STR(""), IP,
            "The message (user) attribute 'k' must contain a non-empty message attribute value.");
    refused(STR("k"), STR("Binary"), SV, STR("x"), IP, "must use field 'Binary'.");
    refused(STR("k"), STR("String"), BV, STR("x"), IP, "must use field 'String'.");
    refused(STR("k"), STR("String"), SV, STR("a\x08"), IP, "Invalid characters");
    refused(STR("k"), STR("String"), SV, STR("12345678\x0b"), IP, "Invalid characters");
}

static void numbers(void **state)
{
    const char *good[] = {"0",
                          "-1",
                          "+7",
                          "1.5",
                          ".5",
                          "5.",
                          "1e10",
                          "1E-10",
                          "-0.00e0",
                          "1e126",
                          "0.1e-127",
                          "99999999999999999999999999999999999999",
                          "0000000000000000000000000000000000000000001",
                          "99.120"};
    const char *bad[] = {
        "x1",      "",      "1x",       "--1",    "1e",
        "1e+",     "e5",    ".",        "1 ",     " 1",
        "NaN",     "0x10",  "1e127",    "1e-129", "123456789012345678901234567890123456789",
        "1e99999", "1.2.3", "Infinity", "١"};
    for (size_t i = 0; i < ARRAY_LEN(good); i++)
        taken(STR("n"), STR("Number"), SV, str_of(good[i]));
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        refused(STR("n"), STR("Number"), SV, str_of(bad[i]), IP,
                bad[i][0] ? "Can't cast the value of message (user) attribute 'n' to a number."
                          : "non-empty");
}

static void no_more_than_ten(void **state)
{
    static const char *const names_[] = {"a", "b", "c", "d", "e", "f", "g", "h", "i", "j", "k"};
    struct input in = {0};
    struct message_attrs attrs;
    struct fault f;
    fault_clear(&f);
    for (size_t i = 0; i < 10; i++)
        add(&in, str_of(names_[9 - i]), STR("String"), SV, STR("v"));
    assert_int_equal(message_attrs_read(&in.map, &attrs, &f), 0);
    for (u32 i = 0; i < 10; i++)
        assert_true(str_is(attrs.items[i].name, names_[i]));
    add(&in, STR("k"), STR("String"), SV, STR("v"));
    assert_int_equal(message_attrs_read(&in.map, &attrs, &f), E_FAULT);
    assert_string_equal(f.text,
                        "Number of message attributes [11] exceeds the allowed maximum [10].");
}

static void system_attributes(void **state)
{
    struct input in = {0};
    struct fault f;
    str trace;
    fault_clear(&f);
    add(&in, STR("AWSTraceHeader"), STR("String"), SV, STR("Root=1"));
    assert_int_equal(message_attrs_read_system(&in.map, &trace, &f), 0);
    assert_true(str_is(trace, "Root=1"));
    assert_int_equal(message_attrs_read_system(NULL, &trace, &f), 0);
    assert_int_equal(trace.n, 0);
    add(&in, STR("Other"), STR("String"), SV, STR("x"));
    assert_int_equal(message_attrs_read_system(&in.map, &trace, &f), E_FAULT);
    assert_string_equal(f.text, "Message system attribute name 'Other' is invalid.");
}

static void characters(void **state)
{
    assert_true(message_is_text(STR("tab\tline\nreturn\r Grüße 😀 \x7f\xc2\x85")));
    assert_true(message_is_text(STR("\xef\xbf\xbd and \xee\x80\x80")));
    const char *bad[] = {"\x01",
                         "1234567\x1f",
                         "12345678\x1f",
                         "\x08",
                         "\x0b",
                         "\xef\xbf\xbe",
                         "\xef\xbf\xbf",
                         "123456\xef\xbf\xbf",
                         "1234567\xef\xbf\xbe"
                         "89"};
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        assert_false(message_is_text(str_of(bad[i])));
    assert_false(message_is_text(str_from("a\0b", 3)));
}

static void group_ids(void **state)
{
    static char name[130];
    memset(name, '~', 129);
    assert_true(message_is_group_id(STR("tenant-1!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~")));
    assert_true(message_is_group_id(str_from(name, 128)));
    assert_false(message_is_group_id(str_from(name, 129)));
    assert_false(message_is_group_id(STR("")));
    assert_false(message_is_group_id(STR("a b")));
    assert_false(message_is_group_id(STR("ä")));
    assert_false(message_is_group_id(STR("\x7f")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(digests),
        cmocka_unit_test(names),
        cmocka_unit_test(types),
        cmocka_unit_test(values),
        cmocka_unit_test(numbers),
        cmocka_unit_test(no_more_than_ten),
        cmocka_unit_test(system_attributes),
        cmocka_unit_test(characters),
        cmocka_unit_test(group_ids),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
