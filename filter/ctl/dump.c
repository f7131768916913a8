/* Each text is read once from beginning to end, whatever its bytes are; the scanner decides whether
 * the result is JSON. */
#include "filter/ctl/dump.h"

#include "common/base/buf.h"
#include "common/base/scan.h"

static bool is_date_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

/* Every sortable date begins like "2026-". */
static bool is_date(str text)
{
    for (size_t i = 0; i < 4 && i < text.n; i++)
        if (!is_date_digit(text.p[i]))
            return false;
    return text.n > 5 && text.p[4] == '-';
}

bool dump_is_tagged(str text)
{
    if (text.n < 2 || text.p[0] != '[')
        return false;
    return (text.p[1] >= 'A' && text.p[1] <= 'Z') || is_date(str_slice(text, 1, text.n));
}

bool dump_is_log(str line)
{
    static const str heads[] = {STR_INIT("START RequestId"),  STR_INIT("END RequestId"),
                                STR_INIT("REPORT RequestId"), STR_INIT("INIT_START"),
                                STR_INIT("timestamp,"),       STR_INIT("@"),
                                STR_INIT("EVENTS\t"),         STR_INIT("SEARCHEDLOGSTREAMS\t")};

    for (size_t i = 0; i < ARRAY_LEN(heads); i++)
        if (str_starts(line, heads[i]))
            return true;
    return is_date(line) || dump_is_tagged(line);
}

str dump_csv_field(struct arena *a, str text)
{
    char *out = arena_alloc(a, text.n + 1);
    size_t n = 0;

    for (size_t i = 0; i < text.n; i++) {
        if (text.p[i] == '"' && (++i == text.n || text.p[i] != '"'))
            break;
        out[n++] = text.p[i];
    }
    return str_from(out, n);
}

/* --- Python ----------------------------------------------------------------------------------- */

bool dump_is_python(str text)
{
    size_t at = 0;

    while (at < text.n && (text.p[at] == '[' || text.p[at] == ' '))
        at++;
    return at + 1 < text.n && text.p[at] == '{' && text.p[at + 1] == '\'';
}

static size_t utf8(u32 c, char *out)
{
    if (c < 0x80) {
        out[0] = (char)c;
        return 1;
    }
    size_t n = c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;
    static const u8 heads[] = {0, 0, 0xc0, 0xe0, 0xf0};
    for (size_t i = n; --i > 0; c >>= 6)
        out[i] = (char)(0x80 | (c & 0x3f));
    out[0] = (char)(heads[n] | c);
    return n;
}

static u32 read_hex(str text, size_t at, size_t digits)
{
    u32 v = 0;

    for (size_t i = at; i < at + digits && i < text.n; i++) {
        char c = text.p[i];
        u32 digit = is_date_digit(c)         ? (u32)(c - '0')
                    : c >= 'a' && c <= 'f'   ? (u32)(c - 'a' + 10)
                    : (c >= 'A' && c <= 'F') ? (u32)(c - 'A' + 10)
                                             : 0;
        v = v << 4 | digit;
    }
    return v <= 0x10ffff ? v : 0xfffd;
}

/* The character of the escape whose backslash is at `at`; *ret_n bytes of it are read. */
static u32 read_escape(str text, size_t at, size_t *ret_n)
{
    static const char letters[] = "nrtabfv", codes[] = "\n\r\t\a\b\f\v";
    char c = text.p[at];
    size_t digits = c == 'x' ? 2 : c == 'u' ? 4 : c == 'U' ? 8 : 0;

    *ret_n = MIN(1 + digits, text.n - at);
    if (digits)
        return read_hex(text, at + 1, digits);
    const char *letter = c ? strchr(letters, c) : NULL;
    return letter ? (u8)codes[letter - letters] : (u8)c;
}

/* Converts a string from its quote on; returns where it ends. */
static size_t put_python_string(struct buf *out, struct buf *decoded, str text, size_t at)
{
    char quote = text.p[at++];

    buf_reset(decoded);
    while (at < text.n && text.p[at] != quote) {
        if (text.p[at] != '\\' || at + 1 == text.n) {
            buf_char(decoded, text.p[at++]);
            continue;
        }
        char bytes[4];
        size_t n;
        u32 c = read_escape(text, at + 1, &n);
        buf_add(decoded, bytes, utf8(c, bytes));
        at += 1 + n;
    }
    scan_quote(out, buf_view(decoded));
    return MIN(at + 1, text.n);
}

/* From an opening parenthesis past the matching closing one. */
static size_t pass_call(str text, size_t at)
{
    i64 depth = 0;

    for (; at < text.n; at++) {
        depth += (text.p[at] == '(') - (text.p[at] == ')');
        if (depth == 0)
            return at + 1;
    }
    return at;
}

/* A name that begins at `at`: a literal, or the name of a call. */
static size_t put_python_word(struct buf *out, str text, size_t at)
{
    size_t end = at;

    while (end < text.n &&
           (is_letter(text.p[end]) || is_date_digit(text.p[end]) || text.p[end] == '.'))
        end++;
    str word = str_slice(text, at, end);
    if (end < text.n && text.p[end] == '(') {
        buf_z(out, "null");
        return pass_call(text, end);
    }
    if (str_is(word, "None"))
        buf_z(out, "null");
    else if (str_is(word, "True"))
        buf_z(out, "true");
    else if (str_is(word, "False"))
        buf_z(out, "false");
    else
        buf_str(out, word);
    return end;
}

str dump_python(struct arena *a, str text)
{
    struct buf out = {0}, decoded = {0};

    for (size_t at = 0; at < text.n;) {
        char c = text.p[at];
        bool is_bytes =
            c == 'b' && at + 1 < text.n && (text.p[at + 1] == '\'' || text.p[at + 1] == '"');
        if (c == '\'' || c == '"' || is_bytes) {
            at = put_python_string(&out, &decoded, text, at + is_bytes);
        } else if (is_letter(c)) {
            at = put_python_word(&out, text, at);
        } else {
            buf_char(&out, c);
            at++;
        }
    }
    str json = arena_dup(a, buf_view(&out));
    buf_deinit(&out);
    buf_deinit(&decoded);
    return json;
}
