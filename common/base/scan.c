/* A pull tokenizer for JSON. Between two tokens the grammar depends only on `state` and on the
 * innermost container, so only these are kept. A name includes its colon, and a comma is consumed
 * with the token after it, so the caller sees only tokens with a meaning.
 *
 * Invariants:
 * 1. s->at never passes s->text.n, and every byte before it has been checked.
 * 2. Bit depth-1 of `kinds` is the kind of the innermost container; bits at and above depth are
 *    undefined, which is why scan_init does not clear them.
 * 3. Once state is STOPPED, scan_next always returns s->last.
 *
 * Strings are skipped eight bytes at a time; only a quote, a backslash, a control character or a
 * byte of a longer UTF-8 sequence is examined individually. */
#include "common/base/scan.h"
#include "common/base/ascii.h"
#include "common/base/scan_word.h"

enum state {
    VALUE,       /* a value must follow */
    FIRST_VALUE, /* after [: a value or ] */
    FIRST_NAME,  /* after {: a name or } */
    AFTER,       /* after a value in a container: a comma or its end */
    DONE,        /* after the one value: blanks */
    STOPPED,
};

static const char WHY_ENDS[] = "the text ends before the value does";
static const char WHY_NAME[] = "a member name in double quotes was expected";
static const char WHY_COLON[] = "a colon was expected";
static const char WHY_VALUE[] = "a value was expected";
static const char WHY_COMMA_OBJECT[] = "a comma or a closing brace was expected";
static const char WHY_COMMA_ARRAY[] = "a comma or a closing bracket was expected";
static const char WHY_BEHIND[] = "nothing but blanks may follow the value";
static const char WHY_CONTROL[] = "a control character in a string must be escaped";
static const char WHY_ESCAPE[] = "no such escape";
static const char WHY_UTF8[] = "the string is not well-formed UTF-8";
static const char WHY_NUMBER[] = "the number is not spelled as JSON demands";
static const char WHY_DEPTH[] = "the text is nested too deeply";

void scan_init(struct scan *s, str text)
{
    s->text = text;
    s->at = 0;
    s->token_at = 0;
    s->why = NULL;
    s->depth = 0;
    s->state = VALUE;
    s->last = SCAN_ERROR;
}

static enum scan_token scan_fail(struct scan *s, size_t at, const char *why)
{
    s->at = at;
    s->why = at >= s->text.n && why != WHY_DEPTH ? WHY_ENDS : why;
    s->state = STOPPED;
    s->last = SCAN_ERROR;
    return SCAN_ERROR;
}

/* The next byte that is not a blank, at s->at afterwards; 0 at the end (a NUL is never valid
 * here). */
static inline u8 scan_peek(struct scan *s)
{
    while (s->at < s->text.n) {
        u8 c = (u8)s->text.p[s->at];
        if (LIKELY(!ascii_is_blank((char)c)))
            return c;
        s->at++;
    }
    return 0;
}

static inline bool in_object(const struct scan *s)
{
    return s->kinds[(s->depth - 1) / 64] >> ((s->depth - 1) % 64) & 1;
}

/* --- strings ---------------------------------------------------------------------------------- */

/* Length of the well-formed UTF-8 character at p; 0 when it is malformed. The first byte is >=
 * 0x80. */
static size_t utf8_length(const u8 *p, size_t n)
{
    u8 c = p[0];

    if (c < 0xC2 || c > 0xF4)
        return 0;
    size_t len = c < 0xE0 ? 2 : c < 0xF0 ? 3 : 4;
    if (n < len)
        return 0;
    for (size_t i = 1; i < len; i++)
        if ((p[i] & 0xC0) != 0x80)
            return 0;
    if ((c == 0xE0 && p[1] < 0xA0) || (c == 0xED && p[1] > 0x9F) || (c == 0xF0 && p[1] < 0x90) ||
        (c == 0xF4 && p[1] > 0x8F))
        return 0;
    return len;
}

static inline bool is_hex(u8 c)
{
    return scan_is_digit(c) || (u8)((c | 0x20) - 'a') < 6;
}

/* Length of the escape whose backslash is at p; 0 when it is invalid. */
static size_t escape_length(const u8 *p, size_t n)
{
    if (n < 2)
        return 0;
    switch (p[1]) {
    case '"':
    case '\\':
    case '/':
    case 'b':
    case 'f':
    case 'n':
    case 'r':
    case 't': return 2;
    case 'u':
        for (size_t i = 2; i < 6; i++)
            if (i >= n || !is_hex(p[i]))
                return 0;
        return 6;
    }
    return 0;
}

/* Reads the string whose opening quote is at s->at; false after scan_fail(). */
static inline bool scan_string(struct scan *s, struct scan_text *ret)
{
    const u8 *p = (const u8 *)s->text.p;
    size_t n = s->text.n, from = s->at + 1, at = from;
    bool escaped = false;

    for (;;) {
        u64 hit = 0;
        while (at + 8 <= n) {
            u64 w = scan_word_load(p + at);
            hit = scan_word_specials(w) | (w & SCAN_WORD_HIGHS);
            if (hit)
                break;
            at += 8;
        }
        if (hit)
            at += (size_t)__builtin_ctzll(hit) / 8;
        if (UNLIKELY(at >= n))
            return scan_fail(s, n, WHY_ENDS), false;
        u8 c = p[at];
        if (c == '"')
            break;
        if (c == '\\') {
            size_t len = escape_length(p + at, n - at);
            if (!len)
                return scan_fail(s, at, WHY_ESCAPE), false;
            escaped = true;
            at += len;
        } else if (c < 0x20) {
            return scan_fail(s, at, WHY_CONTROL), false;
        } else if (c >= 0x80) {
            size_t len = utf8_length(p + at, n - at);
            if (!len)
                return scan_fail(s, at, WHY_UTF8), false;
            at += len;
        } else {
            at++;
        }
    }
    ret->raw = str_from(p + from, at - from);
    ret->escaped = escaped;
    s->at = at + 1;
    return true;
}

/* --- values ----------------------------------------------------------------------------------- */

static inline enum scan_token value_done(struct scan *s, enum scan_token token)
{
    s->state = s->depth ? AFTER : DONE;
    return token;
}

static enum scan_token scan_number(struct scan *s, struct scan_text *ret)
{
    const u8 *p = (const u8 *)s->text.p;
    size_t n = s->text.n, at = s->at;

    at += p[at] == '-';
    if (at >= n || !scan_is_digit(p[at]))
        return scan_fail(s, at, WHY_NUMBER);
    if (p[at++] != '0')
        while (at < n && scan_is_digit(p[at]))
            at++;
    else if (at < n && scan_is_digit(p[at]))
        return scan_fail(s, at, WHY_NUMBER);
    if (at < n && p[at] == '.') {
        at++;
        if (at >= n || !scan_is_digit(p[at]))
            return scan_fail(s, at, WHY_NUMBER);
        while (at < n && scan_is_digit(p[at]))
            at++;
    }
    if (at < n && (p[at] | 0x20) == 'e') {
        at++;
        if (at < n && (p[at] == '+' || p[at] == '-'))
            at++;
        if (at >= n || !scan_is_digit(p[at]))
            return scan_fail(s, at, WHY_NUMBER);
        while (at < n && scan_is_digit(p[at]))
            at++;
    }
    ret->raw = str_from(p + s->at, at - s->at);
    ret->escaped = false;
    s->at = at;
    return value_done(s, SCAN_NUMBER);
}

static enum scan_token scan_word(struct scan *s, str word, enum scan_token token)
{
    if (s->text.n - s->at < word.n || memcmp(s->text.p + s->at, word.p, word.n) != 0)
        return scan_fail(s, s->at, WHY_VALUE);
    s->at += word.n;
    return value_done(s, token);
}

static enum scan_token open_container(struct scan *s, bool object)
{
    if (s->depth >= SCAN_DEPTH_MAX)
        return scan_fail(s, s->at, WHY_DEPTH);
    u64 bit = 1ull << (s->depth % 64), *word = &s->kinds[s->depth / 64];
    *word = object ? *word | bit : *word & ~bit;
    s->depth++;
    s->at++;
    s->state = object ? FIRST_NAME : FIRST_VALUE;
    return object ? SCAN_OBJECT : SCAN_ARRAY;
}

static inline enum scan_token close_container(struct scan *s, bool object)
{
    s->at++;
    s->depth--;
    return value_done(s, object ? SCAN_OBJECT_END : SCAN_ARRAY_END);
}

static inline enum scan_token scan_value(struct scan *s, u8 c, struct scan_text *ret)
{
    switch (c) {
    case '"': return scan_string(s, ret) ? value_done(s, SCAN_STRING) : SCAN_ERROR;
    case '{': return open_container(s, true);
    case '[': return open_container(s, false);
    case 't': return scan_word(s, STR("true"), SCAN_TRUE);
    case 'f': return scan_word(s, STR("false"), SCAN_FALSE);
    case 'n': return scan_word(s, STR("null"), SCAN_NULL);
    }
    if (c == '-' || scan_is_digit(c))
        return scan_number(s, ret);
    return scan_fail(s, s->at, WHY_VALUE);
}

static inline enum scan_token scan_name(struct scan *s, u8 c, struct scan_text *ret)
{
    if (c != '"')
        return scan_fail(s, s->at, WHY_NAME);
    if (!scan_string(s, ret))
        return SCAN_ERROR;
    if (scan_peek(s) != ':')
        return scan_fail(s, s->at, WHY_COLON);
    s->at++;
    s->state = VALUE;
    return SCAN_NAME;
}

/* After a value in a container. */
static inline enum scan_token read_after(struct scan *s, u8 c, struct scan_text *ret)
{
    bool object = in_object(s);

    if (c == ',') {
        s->at++;
        c = scan_peek(s);
        s->token_at = s->at;
        return object ? scan_name(s, c, ret) : scan_value(s, c, ret);
    }
    if (c == (object ? '}' : ']'))
        return close_container(s, object);
    return scan_fail(s, s->at, object ? WHY_COMMA_OBJECT : WHY_COMMA_ARRAY);
}

static inline enum scan_token scan_token_next(struct scan *s, struct scan_text *ret)
{
    if (UNLIKELY(s->state == STOPPED))
        return (enum scan_token)s->last;
    u8 c = scan_peek(s);
    s->token_at = s->at;
    switch (s->state) {
    case AFTER: return read_after(s, c, ret);
    case FIRST_NAME: return c == '}' ? close_container(s, true) : scan_name(s, c, ret);
    case FIRST_VALUE: return c == ']' ? close_container(s, false) : scan_value(s, c, ret);
    case VALUE: return scan_value(s, c, ret);
    }
    if (s->at < s->text.n)
        return scan_fail(s, s->at, WHY_BEHIND);
    s->state = STOPPED;
    s->last = SCAN_END;
    return SCAN_END;
}

enum scan_token scan_next(struct scan *s, struct scan_text *ret)
{
    return scan_token_next(s, ret);
}

enum scan_token scan_skip(struct scan *s)
{
    struct scan_text ignored;
    u32 depth = s->depth;
    enum scan_token token;

    assert(s->state == FIRST_NAME || s->state == FIRST_VALUE);
    do
        token = scan_token_next(s, &ignored);
    while (s->depth >= depth && token != SCAN_ERROR);
    return token;
}
