/* Refusals of a policy's JSON, in the words of the service's own parser and with its notation of
 * places: lines and UTF-16 units, the source text withheld. */
#include "filter/policy/tree_reader.h"

#include "common/base/buf.h"
#include "filter/filter.h"

/* Characters of an unknown word that are quoted. */
#define TOKEN_SHOWN_MAX 256

#define SOURCE_HIDDEN                                                                              \
    "[Source: REDACTED (`StreamReadFeature.INCLUDE_SOURCE_IN_LOCATION` disabled); "

void tree_place(str text, size_t at, u32 *ret_line, u32 *ret_column)
{
    u32 line = 1, column = 1;

    for (size_t i = 0; i < at && i < text.n; i++) {
        u8 c = (u8)text.p[i];
        if (c == '\n' || (c == '\r' && !(i + 1 < text.n && text.p[i + 1] == '\n'))) {
            line++;
            column = 1;
        } else if ((c & 0xc0) != 0x80) {
            column += c >= 0xf0 ? 2 : 1;
        }
    }
    *ret_line = line;
    *ret_column = column;
}

/* Refuses at byte `at` with a text to which the place is appended. */
int tree_refuse(struct tree_reader *r, size_t at, const char *words)
{
    u32 line, column;

    tree_place(r->text, at, &line, &column);
    return fault_set_at(r->fault, FILTER_FAULT_POLICY, line, column,
                        "failed to parse JSON. %s\n at " SOURCE_HIDDEN "line: %u, column: %u]",
                        words, line, column);
}

/* A character as the parser describes it: 'x' (code 120). */
static void describe_char(struct tree_reader *r, size_t at, struct buf *out)
{
    size_t next = at;
    u32 c = str_next_char(r->text, &next);

    if (c < 0x20 || (c >= 0x7f && c < 0xa0))
        buf_printf(out, "(CTRL-CHAR, code %u)", c);
    else if (c > 255)
        buf_printf(out, "'%.*s' (code %u / 0x%x)", (int)(next - at), r->text.p + at, c, c);
    else
        buf_printf(out, "'%.*s' (code %u)", (int)(next - at), r->text.p + at, c);
}

int tree_refuse_char(struct tree_reader *r, size_t at, const char *before, const char *after)
{
    struct buf b = {0};

    buf_z(&b, before);
    describe_char(r, at, &b);
    buf_z(&b, after);
    int err = tree_refuse(r, at, b.p);
    buf_deinit(&b);
    return err;
}

int tree_refuse_unexpected(struct tree_reader *r, const char *why)
{
    struct buf b = {0};

    buf_printf(&b, "): %s", why);
    int err = tree_refuse_char(r, r->at, "Unexpected character (", b.p);
    buf_deinit(&b);
    return err;
}

int tree_refuse_token(struct tree_reader *r, const char *why)
{
    u8 c = (u8)r->text.p[r->at];

    if (c < 0x20)
        return tree_refuse_char(r, r->at, "Illegal character (",
                                "): only regular white space (\\r, \\n, \\t) is allowed between "
                                "tokens");
    if (c == '/')
        why = "maybe a (non-standard) comment? (not recognized as one since Feature "
              "'ALLOW_COMMENTS' not enabled for parser)";
    return tree_refuse_unexpected(r, why);
}

/* The text ends inside `open`, whose first byte is at `from`. */
int tree_refuse_open_end(struct tree_reader *r, bool is_object, size_t from)
{
    u32 line, column;

    tree_place(r->text, from, &line, &column);
    struct buf b = {0};
    buf_printf(
        &b,
        "Unexpected end-of-input: expected close marker for %s (start marker at " SOURCE_HIDDEN
        "line: %u, column: %u])",
        is_object ? "Object" : "Array", line, column);
    int err = tree_refuse(r, r->text.n, b.p);
    buf_deinit(&b);
    return err;
}

int tree_refuse_close(struct tree_reader *r, bool is_object, size_t from)
{
    u32 line, column;

    tree_place(r->text, from, &line, &column);
    struct buf b = {0};
    buf_printf(&b,
               "Unexpected close marker '%c': expected '%c' (for %s starting at " SOURCE_HIDDEN
               "line: %u, column: %u])",
               r->text.p[r->at], is_object ? '}' : ']', is_object ? "Object" : "Array", line,
               column);
    int err = tree_refuse(r, r->at, b.p);
    buf_deinit(&b);
    return err;
}

bool tree_starts_word(str text, size_t at)
{
    /* Beyond ASCII, letters and similar characters begin a word; of the rest, the likely ones are
     * excluded: Latin-1 signs, punctuation and blanks, byte order marks, pictographs. */
    static const u32 no_letters[][2] = {
        {0x80, 0xa9},     {0xab, 0xb4},     {0xb6, 0xb9},     {0xbb, 0xbf},     {0xd7, 0xd7},
        {0xf7, 0xf7},     {0x2000, 0x203e}, {0x2041, 0x2053}, {0x2055, 0x2070}, {0x2190, 0x2bff},
        {0x3000, 0x3004}, {0xfe00, 0xfe0f}, {0xfeff, 0xfeff}, {0xfff0, 0xffff}, {0x1f000, 0x1faff}};
    u32 c = str_next_char(text, &at);
    for (size_t i = 0; i < ARRAY_LEN(no_letters); i++)
        if (c >= no_letters[i][0] && c <= no_letters[i][1])
            return false;
    return c >= 0x80 || tree_is_word((char)c);
}

bool tree_is_word(char c)
{
    return (u8)c >= 0x80 || c == '_' || c == '$' || (c >= '0' && c <= '9') ||
           ((c | 0x20) >= 'a' && (c | 0x20) <= 'z');
}

int tree_refuse_word(struct tree_reader *r)
{
    size_t from = r->at;

    while (r->at < r->text.n && tree_is_word(r->text.p[r->at]))
        r->at++;
    str word = str_slice(r->text, from, r->at);
    if (str_is(word, "NaN") || str_is(word, "Infinity")) {
        struct buf b = {0};
        buf_printf(&b,
                   "Non-standard token '%.*s': enable `JsonReadFeature.ALLOW_NON_NUMERIC_NUMBERS` "
                   "to allow",
                   STR_ARG(word));
        int err = tree_refuse(r, r->at, b.p);
        buf_deinit(&b);
        return err;
    }
    size_t shown = 0;
    for (u32 i = 0; i < TOKEN_SHOWN_MAX && shown < word.n; i++)
        str_next_char(word, &shown);
    struct buf b = {0};
    buf_printf(&b, "Unrecognized token '%.*s%s': was expecting " TREE_VALUE_LIST, (int)shown,
               word.p, shown < word.n ? "..." : "");
    int err = tree_refuse(r, r->at, b.p);
    buf_deinit(&b);
    return err;
}
