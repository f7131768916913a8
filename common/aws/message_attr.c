#include "common/aws/message_attr.h"

#include <endian.h>

#include "common/base/scan_word.h"

/* "Amazon SQS message metadata" and "Amazon SNS message attributes". */
#define NUMBER_DIGITS_MAX 38
#define NUMBER_POWER_MIN  (-128)
#define NUMBER_POWER_MAX  126
#define EXPONENT_DIGITS   10 /* of a BigDecimal, leading zeros aside */
#define GROUP_ID_MAX      128

/* --- characters ------------------------------------------------------------------------------- */

/* A byte that may begin a forbidden character. EF BF BE and EF BF BF are U+FFFE and U+FFFF. */
static bool is_bad_at(str s, size_t i)
{
    u8 c = (u8)s.p[i];

    if (c < 0x20)
        return c != '\t' && c != '\n' && c != '\r';
    return c == 0xEF && i + 2 < s.n && (u8)s.p[i + 1] == 0xBF && (u8)s.p[i + 2] >= 0xBE;
}

bool message_is_text(str s)
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

bool message_is_group_id(str s)
{
    for (size_t i = 0; i < s.n; i++)
        if ((u8)s.p[i] <= 0x20 || (u8)s.p[i] >= 0x7f)
            return false;
    return s.n >= 1 && s.n <= GROUP_ID_MAX;
}

/* --- types and numbers ------------------------------------------------------------------------ */

enum message_attr_base message_attr_base(str type)
{
    static const char *const names[] = {[MESSAGE_ATTR_STRING] = "String",
                                        [MESSAGE_ATTR_NUMBER] = "Number",
                                        [MESSAGE_ATTR_BINARY] = "Binary"};
    const size_t n = MESSAGE_ATTR_BASE_SIZE;

    if (type.n < n || (type.n > n && type.p[n] != '.'))
        return MESSAGE_ATTR_NONE;
    for (int i = MESSAGE_ATTR_STRING; i <= MESSAGE_ATTR_BINARY; i++)
        if (str_is(str_slice(type, 0, n), names[i]))
            return (enum message_attr_base)i;
    return MESSAGE_ATTR_NONE;
}

static size_t digits_at(str s, size_t *at)
{
    size_t from = *at;

    while (*at < s.n && scan_is_digit((u8)s.p[*at]))
        ++*at;
    return *at - from;
}

static bool is_sign_at(str s, size_t at)
{
    return at < s.n && (s.p[at] == '+' || s.p[at] == '-');
}

/* The exponent, from "e" to the end; 0 if there is none. */
static bool exponent_read(str s, i64 *ret)
{
    size_t at = 1, n;

    *ret = 0;
    if (s.n == 0)
        return true;
    if ((s.p[0] | 0x20) != 'e')
        return false;
    bool minus = is_sign_at(s, at) && s.p[at] == '-';

    at += is_sign_at(s, at);
    size_t from = at;

    n = digits_at(s, &at);
    if (n == 0 || at != s.n)
        return false;
    for (; n > EXPONENT_DIGITS && s.p[from] == '0'; n--)
        from++;
    if (n > EXPONENT_DIGITS)
        return false;
    for (; from < s.n; from++)
        *ret = *ret * 10 + (s.p[from] - '0');
    *ret = minus ? -*ret : *ret;
    return *ret >= INT32_MIN && *ret <= INT32_MAX;
}

enum message_number message_number(str value)
{
    size_t start = is_sign_at(value, 0), at = start, fraction = 0, zeros = 0, significant = 0;
    size_t whole = digits_at(value, &at);
    i64 exponent;

    if (at < value.n && value.p[at] == '.') {
        at++;
        fraction = digits_at(value, &at);
    }
    if (whole + fraction == 0 || !exponent_read(str_slice(value, at, value.n), &exponent))
        return MESSAGE_NUMBER_SPELLING;
    for (size_t i = start; i < at; i++) {
        if (value.p[i] == '.')
            continue;
        if (value.p[i] == '0' && !significant)
            zeros++;
        else
            significant++;
    }
    if (!significant)
        return MESSAGE_NUMBER_FINE; /* zero */
    i64 power = (i64)whole - 1 - (i64)zeros + exponent;

    if (power < NUMBER_POWER_MIN || power > NUMBER_POWER_MAX)
        return MESSAGE_NUMBER_RANGE;
    return significant > NUMBER_DIGITS_MAX ? MESSAGE_NUMBER_PRECISION : MESSAGE_NUMBER_FINE;
}

/* --- sets ------------------------------------------------------------------------------------- */

void message_attrs_put(struct message_attrs *a, const struct message_attr *item)
{
    u32 at = a->n++;

    assert(a->n <= MESSAGE_ATTRS_MAX);
    for (; at > 0 && str_cmp(a->items[at - 1].name, item->name) > 0; at--)
        a->items[at] = a->items[at - 1];
    a->items[at] = *item;
}

size_t message_attrs_size(const struct message_attrs *a)
{
    size_t n = 0;

    for (u32 i = 0; i < a->n; i++)
        n += a->items[i].name.n + a->items[i].type.n + a->items[i].value.n;
    return n;
}

static void put_counted(struct buf *b, str s)
{
    u32 n = htobe32((u32)s.n);

    buf_add(b, &n, sizeof(n));
    buf_str(b, s);
}

char *message_attrs_md5(const struct message_attrs *a, struct buf *work, char ret[HASH_MD5_HEX])
{
    buf_reset(work);
    for (u32 i = 0; i < a->n; i++) {
        const struct message_attr *one = &a->items[i];

        put_counted(work, one->name);
        put_counted(work, one->type);
        buf_char(work, message_attr_is_binary(one) ? 2 : 1);
        put_counted(work, one->value);
    }
    return hash_md5_hex(buf_view(work), ret);
}
