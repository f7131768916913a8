/* Form data. A part without escapes remains a view into the text; others are decoded into the
 * arena, where they never take more bytes than before. */
#include "common/base/form.h"

#include "common/base/ascii.h"
#include "common/base/err.h"

/* Bytes of s before the first one that needs decoding. */
static size_t plain_prefix(str s, bool plus)
{
    size_t n = s.n;
    const char *at = n ? memchr(s.p, '%', n) : NULL;

    if (at)
        n = (size_t)(at - s.p);
    at = n && plus ? memchr(s.p, '+', n) : NULL;
    return at ? (size_t)(at - s.p) : n;
}

int form_unescape(str part, bool plus, struct arena *a, str *ret)
{
    size_t i = plain_prefix(part, plus);

    if (i == part.n) {
        *ret = part;
        return 0;
    }
    char *start = arena_alloc(a, part.n), *to = start + i;
    memcpy(start, part.p, i);
    while (i < part.n) {
        char c = part.p[i++];
        if (c == '%') {
            int high = i < part.n ? ascii_hex_value(part.p[i]) : -1;
            int low = i + 1 < part.n ? ascii_hex_value(part.p[i + 1]) : -1;
            if (high < 0 || low < 0)
                return E_INVALID;
            c = (char)(high << 4 | low);
            i += 2;
        } else if (c == '+' && plus) {
            c = ' ';
        }
        *to++ = c;
    }
    *ret = (str){start, (size_t)(to - start)};
    return 0;
}

static size_t count_pairs(str text)
{
    size_t n = 0;

    while (text.n)
        n += str_cut(&text, '&').n > 0;
    return n;
}

int form_decode(struct form *f, str text, struct arena *a)
{
    size_t more = count_pairs(text), n = f->n;

    if (more > FORM_PAIRS_MAX || f->n + more > FORM_PAIRS_MAX)
        return E_TOO_LARGE;
    if (!more)
        return 0;
    struct form_pair *pairs = arena_alloc(a, (n + more) * sizeof(*pairs));
    if (n)
        memcpy(pairs, f->pairs, n * sizeof(*pairs));
    while (text.n) {
        str value = str_cut(&text, '&');
        if (!value.n)
            continue;
        str name = str_cut(&value, '=');
        if (!value.p)
            value = STR("");
        if (form_unescape(name, true, a, &pairs[n].name) != 0 ||
            form_unescape(value, true, a, &pairs[n].value) != 0)
            return E_INVALID;
        n++;
    }
    f->pairs = pairs;
    f->n = n;
    return 0;
}

str form_get(const struct form *f, str name)
{
    for (size_t i = 0; i < f->n; i++)
        if (str_eq(f->pairs[i].name, name))
            return f->pairs[i].value;
    return STR_NONE;
}

static bool is_unreserved(char c)
{
    char letter = (char)(c | 0x20);

    return (letter >= 'a' && letter <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '.' ||
           c == '_' || c == '~';
}

void form_escape(struct buf *out, str s)
{
    static const char digits[] = "0123456789ABCDEF";

    for (size_t i = 0; i < s.n; i++) {
        if (is_unreserved(s.p[i])) {
            buf_char(out, s.p[i]);
            continue;
        }
        unsigned char c = (unsigned char)s.p[i];
        const char escaped[3] = {'%', digits[c >> 4], digits[c & 15]};
        buf_add(out, escaped, sizeof(escaped));
    }
}
