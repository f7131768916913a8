#include "common/aws/access_pattern.h"

#include "common/base/ascii.h"

/* A variable is VARIABLE, its name, DEFAULT and the text for its absence where there is one, and
 * VARIABLE again. */
enum { DEFAULT = 0xFC, VARIABLE = 0xFD, ONE = 0xFE, ANY = 0xFF };

static u8 byte_at(str s, size_t i)
{
    return (u8)s.p[i];
}

/* --- reading ---------------------------------------------------------------------------------- */

static char *pattern_put(char *to, str s)
{
    if (s.n)
        memcpy(to, s.p, s.n);
    return to + s.n;
}

/* What stands between "${" and "}", put in no more bytes than those three and it take. */
static char *pattern_put_variable(char *to, str inner)
{
    str name = inner, none = STR_NONE;

    if (str_is(inner, "*") || str_is(inner, "?") || str_is(inner, "$"))
        return pattern_put(to, inner);
    name = str_trim(str_cut(&inner, ','));
    str text = inner.p ? str_trim(inner) : none;

    *to++ = (char)VARIABLE;
    to = pattern_put(to, name);
    if (text.n >= 2 && text.p[0] == '\'' && str_ends(text, STR("'"))) {
        *to++ = (char)DEFAULT;
        to = pattern_put(to, str_slice(text, 1, text.n - 1));
    }
    *to++ = (char)VARIABLE;
    return to;
}

/* Length of the variable "${…}" that begins the text, or 0. */
static size_t variable_size(str text)
{
    ptrdiff_t end = str_starts(text, STR("${")) ? str_find(text, '}') : -1;

    return end > 2 ? (size_t)end + 1 : 0;
}

str access_pattern_read(struct arena *a, str text, unsigned parts)
{
    if (!text.n || (!memchr(text.p, '*', text.n) && !memchr(text.p, '?', text.n) &&
                    !memchr(text.p, '$', text.n)))
        return text;
    char *start = arena_alloc(a, text.n), *to = start;

    for (size_t i = 0; i < text.n; i++) {
        char c = text.p[i];
        size_t size = parts & ACCESS_VARIABLES ? variable_size(str_slice(text, i, text.n)) : 0;

        if (size) {
            to = pattern_put_variable(to, str_slice(text, i + 2, i + size - 1));
            i += size - 1;
        } else if (parts & ACCESS_WILDCARDS && c == '*') {
            if (to == start || (u8)to[-1] != ANY)
                *to++ = (char)ANY;
        } else {
            *to++ = parts & ACCESS_WILDCARDS && c == '?' ? (char)ONE : c;
        }
    }
    return str_from(start, (size_t)(to - start));
}

bool access_pattern_is_any(str pattern)
{
    return pattern.n == 1 && byte_at(pattern, 0) == ANY;
}

/* --- variables -------------------------------------------------------------------------------- */

/* Whether the text holds one of the special bytes: no UTF-8 does. */
static bool is_special(str s)
{
    for (size_t i = 0; i < s.n; i++)
        if (byte_at(s, i) >= DEFAULT)
            return true;
    return false;
}

static bool variable_value(str inner, const struct access_request *rq, str *ret)
{
    str name = str_cut(&inner, (char)DEFAULT), value;
    u32 at = 0;

    if (access_request_next(rq, name, &at, &value) && !is_special(value))
        *ret = value;
    else if (inner.p)
        *ret = inner;
    else
        return false;
    return true;
}

bool access_pattern_fill(str pattern, const struct access_request *rq, char *scratch, size_t room,
                         str *ret)
{
    size_t n = 0;

    if (str_find(pattern, (char)VARIABLE) < 0) {
        *ret = pattern;
        return true;
    }
    for (str rest = pattern; rest.p;) {
        str plain = str_cut(&rest, (char)VARIABLE), value = STR("");

        if (rest.p && !variable_value(str_cut(&rest, (char)VARIABLE), rq, &value))
            return false;
        if (plain.n + value.n > room - n)
            return false;
        n = (size_t)(pattern_put(pattern_put(scratch + n, plain), value) - scratch);
    }
    *ret = str_from(scratch, n);
    return true;
}

/* --- matching --------------------------------------------------------------------------------- */

/* A '*' that was matched: the place after it in the pattern, and the end of its match in the text.
 * */
struct star {
    size_t pattern, text;
    bool is_set;
};

/* Bytes of the text that the one element of the pattern takes; 0: it does not match. */
static size_t element_takes(u8 element, str text, size_t at, unsigned rules)
{
    size_t n = 1;
    char c = text.p[at];

    if (element != ONE)
        return (char)element == c ||
               (rules & ACCESS_NOCASE && ascii_lower((char)element) == ascii_lower(c));
    if (rules & ACCESS_SEGMENTS && c == ':')
        return 0;
    while (at + n < text.n && (byte_at(text, at + n) & 0xC0) == 0x80)
        n++;
    return n;
}

/* Extends the star's match by one byte, unless the text ends or that byte is `stop`. */
static bool star_grow(struct star *s, str text, char stop, size_t *i, size_t *j)
{
    if (!s->is_set || s->text >= text.n || (stop && text.p[s->text] == stop))
        return false;
    *i = s->pattern;
    *j = ++s->text;
    return true;
}

/* Backtracks only to the last star of a kind: a later star can match whatever an earlier one could.
 * A narrow star (it must not match a colon) is after the last wide one. */
bool access_pattern_match(str pattern, str text, unsigned rules, u64 *steps_left)
{
    struct star wide = {0}, narrow = {0};
    size_t i = 0, j = 0;

    while (i < pattern.n || j < text.n) {
        if (*steps_left == 0)
            return false;
        --*steps_left;
        if (i < pattern.n && byte_at(pattern, i) == ANY) {
            bool is_narrow =
                rules & ACCESS_SEGMENTS && i + 1 < pattern.n && pattern.p[i + 1] != ':';

            *(is_narrow ? &narrow : &wide) = (struct star){++i, j, true};
            if (!is_narrow)
                narrow.is_set = false;
            continue;
        }
        if (j == text.n)
            return false; /* a longer star would leave even less */
        size_t n = i < pattern.n ? element_takes(byte_at(pattern, i), text, j, rules) : 0;

        if (n) {
            i++;
            j += n;
        } else if (!star_grow(&narrow, text, ':', &i, &j)) {
            narrow.is_set = false;
            if (!star_grow(&wide, text, '\0', &i, &j))
                return false;
        }
    }
    return true;
}
