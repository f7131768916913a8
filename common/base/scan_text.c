/* Around the tokens: places of bytes, and strings converted from and to their JSON form. */
#include "common/base/scan.h"
#include "common/base/scan_word.h"

void scan_place(str text, size_t at, u32 *ret_line, u32 *ret_column)
{
    u32 line = 1, column = 1;

    for (size_t i = 0; i < at && i < text.n; i++) {
        if (text.p[i] == '\n') {
            line++;
            column = 1;
        } else if (((u8)text.p[i] & 0xC0) != 0x80) {
            column++;
        }
    }
    *ret_line = line;
    *ret_column = column;
}

static u32 hex4(const char *p)
{
    u32 v = 0;

    for (size_t i = 0; i < 4; i++) {
        u8 c = (u8)p[i];
        v = v << 4 | (u32)(scan_is_digit(c) ? c - '0' : (c | 0x20) - 'a' + 10);
    }
    return v;
}

static size_t utf8_put(char *out, u32 c)
{
    if (c < 0x80) {
        out[0] = (char)c;
        return 1;
    }
    if (c < 0x800) {
        out[0] = (char)(0xC0 | c >> 6);
        out[1] = (char)(0x80 | (c & 0x3F));
        return 2;
    }
    if (c < 0x10000) {
        out[0] = (char)(0xE0 | c >> 12);
        out[1] = (char)(0x80 | (c >> 6 & 0x3F));
        out[2] = (char)(0x80 | (c & 0x3F));
        return 3;
    }
    out[0] = (char)(0xF0 | c >> 18);
    out[1] = (char)(0x80 | (c >> 12 & 0x3F));
    out[2] = (char)(0x80 | (c >> 6 & 0x3F));
    out[3] = (char)(0x80 | (c & 0x3F));
    return 4;
}

/* The character of the \u escape at raw.p + at, `lone` for half a surrogate pair; returns the
 * length of the source, which is two escapes for a whole pair. */
static size_t unicode_escape(str raw, size_t at, u32 lone, u32 *ret)
{
    u32 c = hex4(raw.p + at + 2);

    *ret = c;
    if (c < 0xD800 || c > 0xDFFF)
        return 6;
    if (c < 0xDC00 && raw.n - at >= 12 && raw.p[at + 6] == '\\' && raw.p[at + 7] == 'u') {
        u32 low = hex4(raw.p + at + 8);
        if (low >= 0xDC00 && low <= 0xDFFF) {
            *ret = 0x10000 + ((c - 0xD800) << 10) + (low - 0xDC00);
            return 12;
        }
    }
    *ret = lone;
    return 6;
}

size_t scan_unescape(str raw, char *out)
{
    return scan_unescape_as(raw, out, 0xFFFD);
}

str scan_decode(const struct scan_text *t, struct arena *a)
{
    return scan_decode_as(t, 0xFFFD, a);
}

str scan_decode_as(const struct scan_text *t, u32 lone, struct arena *a)
{
    if (LIKELY(!t->escaped))
        return t->raw;
    char *out = arena_alloc(a, t->raw.n);

    return str_from(out, scan_unescape_as(t->raw, out, lone));
}

size_t scan_unescape_as(str raw, char *out, u32 lone)
{
    static const char from[] = "\"\\/bfnrt", to[] = "\"\\/\b\f\n\r\t";
    size_t n = 0, at = 0;

    while (at < raw.n) {
        const char *slash = memchr(raw.p + at, '\\', raw.n - at);
        size_t run = slash ? (size_t)(slash - raw.p) - at : raw.n - at;
        memmove(out + n, raw.p + at, run);
        n += run;
        at += run;
        if (!slash)
            break;
        if (raw.p[at + 1] == 'u') {
            u32 c;
            at += unicode_escape(raw, at, lone, &c);
            n += utf8_put(out + n, c);
        } else {
            out[n++] = to[strchr(from, raw.p[at + 1]) - from];
            at += 2;
        }
    }
    return n;
}

/* Length of the run from `at` on that needs no escape. */
static size_t plain_run(str s, size_t at)
{
    const u8 *p = (const u8 *)s.p;
    size_t i = at;

    for (; i + 8 <= s.n; i += 8) {
        u64 hit = scan_word_specials(scan_word_load(p + i));
        if (hit)
            return i + (size_t)__builtin_ctzll(hit) / 8 - at;
    }
    while (i < s.n && p[i] >= 0x20 && p[i] != '"' && p[i] != '\\')
        i++;
    return i - at;
}

void scan_quote(struct buf *out, str s)
{
    static const char hex[] = "0123456789abcdef", shorts[] = "btn_fr";
    char *room = buf_room(out, s.n + 2);

    if (LIKELY(plain_run(s, 0) == s.n)) {
        room[0] = room[s.n + 1] = '"';
        if (s.n)
            memcpy(room + 1, s.p, s.n);
        out->n += s.n + 2;
        return;
    }
    buf_char(out, '"');
    for (size_t at = 0; at < s.n; at++) {
        size_t run = plain_run(s, at);
        buf_add(out, s.p + at, run);
        at += run;
        if (at >= s.n)
            break;
        u8 c = (u8)s.p[at];
        char e[6] = {'\\', (char)c};
        size_t n = 2;
        if (c >= '\b' && c <= '\r' && c != '\v') {
            e[1] = shorts[c - '\b'];
        } else if (c < 0x20) {
            memcpy(e + 1, "u00", 3);
            e[4] = hex[c >> 4];
            e[5] = hex[c & 15];
            n = 6;
        }
        buf_add(out, e, n);
    }
    buf_char(out, '"');
}
