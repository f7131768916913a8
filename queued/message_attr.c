/* Checks come in the order in which a reader meets things: how many, then each attribute's name,
 * type and value. The first mistake is the answer. */
#include "queued/message_attr.h"

#include <endian.h>

#include "common/base/scan_word.h"
#include "queued/fault.h"

/* Java's BigDecimal as the service limits it: significant digits, and powers of ten. */
#define NUMBER_DIGITS_MAX   38
#define NUMBER_EXPONENT_MAX 126
#define NUMBER_EXPONENT_MIN (-128)
#define GROUP_ID_MAX        128

/* --- characters ------------------------------------------------------------------------------- */

/* A byte that begins a forbidden character. EF BF BE and EF BF BF are U+FFFE and U+FFFF. */
static bool is_bad_at(str s, size_t i)
{
    u8 c = (u8)s.p[i];
    if (c < 0x20)
        return c != '\t' && c != '\n' && c != '\r';
    return c == 0xEF && i + 2 < s.n && (u8)s.p[i + 1] == 0xBF && (u8)s.p[i + 2] >= 0xBE;
}

bool attr_is_text(str s)
{
    size_t i = 0;
    for (; i + 8 <= s.n; i += 8) {
        u64 w = scan_word_load((const u8 *)s.p + i);
        u64 control = (w - SCAN_WORD_ONES * 0x20) & ~w & SCAN_WORD_HIGHS;
        if (LIKELY(!(control | scan_word_equals(w, SCAN_WORD_ONES * 0xEF))))
            continue;
        for (size_t k = i; k < i + 8; k++)
            if (is_bad_at(s, k))
                return false;
    }
    for (; i < s.n; i++)
        if (is_bad_at(s, i))
            return false;
    return true;
}

bool attr_is_group_id(str s)
{
    for (size_t i = 0; i < s.n; i++)
        if ((u8)s.p[i] <= 0x20 || (u8)s.p[i] >= 0x7f)
            return false;
    return s.n >= 1 && s.n <= GROUP_ID_MAX;
}

/* --- names and types -------------------------------------------------------------------------- */

/* `text` with the attribute's name in the place of its '@'. */
static int wrong(struct fault *f, const char *text, str name)
{
    const char *at = strchr(text, '@');
    return fault_set(f, CALL_FAULT_INVALID_PARAMETER, "%.*s%.*s%s", (int)(at - text), text,
                     (int)MIN(name.n, ATTR_NAME_MAX), name.n ? name.p : "", at + 1);
}

/* Latin letters with diacritics pass, as the service lets them: U+00C0 to U+024F, two signs aside.
 */
static bool is_name_char(u32 c)
{
    if (c < 0x80)
        return (c >= '0' && c <= '9') || ((c | 0x20) >= 'a' && (c | 0x20) <= 'z') || c == '_' ||
               c == '-' || c == '.';
    return c >= 0xC0 && c <= 0x24F && c != 0xD7 && c != 0xF7;
}

static int check_name(str name, struct fault *f)
{
    if (name.n == 0)
        return fault_set(f, CALL_FAULT_INVALID_PARAMETER,
                         "The request must contain non-empty "
                         "message (user) attribute names.");
    if (name.n > ATTR_NAME_MAX)
        return fault_set(f, CALL_FAULT_INVALID_PARAMETER,
                         "Message (user) attribute name must be shorter than 256 bytes.");
    for (size_t at = 0; at < name.n;)
        if (!is_name_char(str_next_char(name, &at)))
            return fault_set(f, CALL_FAULT_INVALID_PARAMETER,
                             "Message (user) attributes name can only contain upper and lower "
                             "score characters, digits, periods, hyphens and underscores. ");
    if (name.p[0] == '.' || name.p[name.n - 1] == '.' || str_starts_nocase(name, STR("AWS.")) ||
        str_starts_nocase(name, STR("Amazon.")))
        return fault_set(f, CALL_FAULT_INVALID_PARAMETER,
                         "You can't use message attribute names beginning with 'AWS.' or "
                         "'Amazon.'. These strings are reserved for internal use. Additionally, "
                         "they cannot start or end with '.'.");
    return 0;
}

/* "String", "Number", "Binary", alone or with a label behind a dot. */
static bool is_type(str type)
{
    static const char *const prefixes[] = {"String", "Number", "Binary"};
    if (type.n < 6 || (type.n > 6 && type.p[6] != '.'))
        return false;
    for (size_t i = 0; i < ARRAY_LEN(prefixes); i++)
        if (str_is(str_slice(type, 0, 6), prefixes[i]))
            return true;
    return false;
}

static int check_type(str name, str type, struct fault *f)
{
    if (type.n == 0)
        return wrong(f,
                     "The message (user) attribute '@' must contain a non-empty message "
                     "attribute type.",
                     name);
    if (type.n > ATTR_TYPE_MAX)
        return wrong(f,
                     "Invalid length of the type of message (user) attribute '@': it must be "
                     "shorter than 256 bytes.",
                     name);
    if (!is_type(type) || !attr_is_text(type))
        return wrong(f,
                     "The type of message (user) attribute '@' is invalid. You must use only "
                     "the following supported type prefixes: Binary, Number, String.",
                     name);
    return 0;
}

/* --- values ----------------------------------------------------------------------------------- */

static size_t digits(str s, size_t *at)
{
    size_t from = *at;
    while (*at < s.n && scan_is_digit((u8)s.p[*at]))
        ++*at;
    return *at - from;
}

static bool read_exponent(str s, size_t *at, i64 *ret)
{
    bool minus = false;
    i64 e = 0;
    if (*at == s.n || (s.p[*at] | 0x20) != 'e')
        return true;
    ++*at;
    if (*at < s.n && (s.p[*at] == '+' || s.p[*at] == '-'))
        minus = s.p[(*at)++] == '-';
    size_t from = *at, n = digits(s, at);
    if (n == 0 || n > 4)
        return false;
    for (size_t i = from; i < from + n; i++)
        e = e * 10 + (s.p[i] - '0');
    *ret = minus ? -e : e;
    return true;
}

/* [+-] digits [. digits] [e [+-] digits], within the service's precision and range. */
static bool is_number(str s)
{
    size_t at = s.n && (s.p[0] == '-' || s.p[0] == '+') ? 1 : 0, start = at, fraction = 0;
    i64 exponent = 0;
    size_t whole = digits(s, &at);
    if (at < s.n && s.p[at] == '.') {
        at++;
        fraction = digits(s, &at);
    }
    if (whole + fraction == 0)
        return false;
    size_t end = at;
    if (!read_exponent(s, &at, &exponent) || at != s.n)
        return false;
    size_t leading = 0, significant = 0;
    i64 power = (i64)whole - 1 + exponent;
    bool begun = false;
    for (size_t i = start; i < end; i++) {
        if (s.p[i] == '.')
            continue;
        begun = begun || s.p[i] != '0';
        if (begun)
            significant++;
        else
            leading++;
    }
    if (!begun)
        return true; /* nought */
    power -= (i64)leading;
    return significant <= NUMBER_DIGITS_MAX && power >= NUMBER_EXPONENT_MIN &&
           power <= NUMBER_EXPONENT_MAX;
}

static bool has_list(const struct val *v)
{
    const struct val *s = val_get(v, "StringListValues"), *b = val_get(v, "BinaryListValues");
    return (s && s->count) || (b && b->count);
}

static int check_value(const struct attr *a, str other, bool is_binary, struct fault *f)
{
    if (!a->value.p && !other.p)
        return wrong(f,
                     "The message (user) attribute '@' must contain a non-empty message "
                     "attribute value.",
                     a->name);
    if (a->value.p && other.p && a->value.n && other.n)
        return wrong(f, "Message (user) attribute '@' must have a single value.", a->name);
    if (other.n && !a->value.n)
        return wrong(f,
                     is_binary ? "Message (user) attribute '@' with type 'Binary' must use "
                                 "field 'Binary'."
                               : "Message (user) attribute '@' with type 'String' must use "
                                 "field 'String'.",
                     a->name);
    if (a->value.n == 0)
        return wrong(f,
                     is_binary ? "Message (user) attribute '@' must contain a non-empty value "
                                 "of type 'Binary'."
                               : "Message (user) attribute '@' must contain a non-empty value "
                                 "of type 'String'.",
                     a->name);
    if (is_binary)
        return 0;
    if (!attr_is_text(a->value))
        return wrong(f,
                     "Invalid characters found in the value of message (user) attribute '@'. "
                     "Valid unicode characters are #x9 | #xA | #xD | #x20 to #xD7FF | #xE000 to "
                     "#xFFFD | #x10000 to #x10FFFF.",
                     a->name);
    if (str_starts(a->type, STR("Number")) && !is_number(a->value))
        return wrong(f, "Can't cast the value of message (user) attribute '@' to a number.",
                     a->name);
    return 0;
}

static int read_one(const struct val *v, struct attr *ret, struct fault *f)
{
    ret->name = v->name;
    ret->type = val_text(v, "DataType");
    if (check_name(ret->name, f) || check_type(ret->name, ret->type, f))
        return E_FAULT;
    if (has_list(v))
        return fault_set(f, CALL_FAULT_UNSUPPORTED,
                         "Message attribute list values in SendMessage "
                         "operation are not supported.");
    bool is_binary = attr_is_binary(ret);
    ret->value = val_text(v, is_binary ? "BinaryValue" : "StringValue");
    return check_value(ret, val_text(v, is_binary ? "StringValue" : "BinaryValue"), is_binary, f);
}

/* --- sets ------------------------------------------------------------------------------------- */

void attrs_put(struct attrs *a, const struct attr *item)
{
    u32 at = a->n++;
    assert(a->n <= ATTR_COUNT_MAX);
    for (; at > 0 && str_cmp(a->items[at - 1].name, item->name) > 0; at--)
        a->items[at] = a->items[at - 1];
    a->items[at] = *item;
}

int attrs_read(const struct val *map, struct attrs *ret, struct fault *f)
{
    ret->n = 0;
    if (!map)
        return 0;
    if (map->count > ATTR_COUNT_MAX)
        return fault_set(f, CALL_FAULT_INVALID_PARAMETER,
                         "Number of message attributes [%u] exceeds the allowed maximum [%d].",
                         map->count, ATTR_COUNT_MAX);
    for (const struct val *v = map->first; v; v = v->next) {
        struct attr a;
        if (read_one(v, &a, f))
            return E_FAULT;
        attrs_put(ret, &a);
    }
    return 0;
}

int attrs_read_system(const struct val *map, str *ret, struct fault *f)
{
    *ret = STR("");
    for (const struct val *v = map ? map->first : NULL; v; v = v->next) {
        str type = val_text(v, "DataType"), value = val_text(v, "StringValue");
        if (!str_is(v->name, "AWSTraceHeader"))
            return wrong(f, "Message system attribute name '@' is invalid.", v->name);
        if (type.n == 0 || !str_is(type, "String"))
            return wrong(f,
                         "The type of message (system) attribute '@' is invalid. You must use "
                         "only the following supported type prefixes: String.",
                         v->name);
        if (value.n == 0)
            return wrong(f,
                         "Message (system) attribute '@' must contain a non-empty value of "
                         "type 'String'.",
                         v->name);
        if (!attr_is_text(value))
            return wrong(f,
                         "Invalid characters found in the value of message (system) attribute "
                         "'@'.",
                         v->name);
        *ret = value;
    }
    return 0;
}

size_t attrs_size(const struct attrs *a)
{
    size_t n = 0;
    for (u32 i = 0; i < a->n; i++)
        n += a->items[i].name.n + a->items[i].type.n + a->items[i].value.n;
    return n;
}

static void put_counted(struct buf *b, str s)
{
    u32 n = htobe32((u32)s.n);
    buf_add(b, &n, sizeof n);
    buf_str(b, s);
}

char *attrs_md5(const struct attrs *a, struct buf *work, char ret[HASH_MD5_HEX])
{
    buf_reset(work);
    for (u32 i = 0; i < a->n; i++) {
        const struct attr *it = &a->items[i];
        put_counted(work, it->name);
        put_counted(work, it->type);
        buf_char(work, attr_is_binary(it) ? 2 : 1);
        put_counted(work, it->value);
    }
    return hash_md5_hex(buf_view(work), ret);
}
