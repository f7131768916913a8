/* JSON as a stream of tokens: no tree, no allocation, views of the text. Frequent calls and the
 * matcher read their input with it, so it is strict (RFC 8259, UTF-8 checked, nesting bounded) and
 * fast.
 *
 * scan_next gives one token after the other and checks the whole grammar on the way: commas,
 * colons, literals, number spelling, string escapes and control characters, UTF-8, and that nothing
 * but blanks follows the end. After SCAN_ERROR or SCAN_END it keeps returning the same. */
#ifndef TOQUE_SCAN_H
#define TOQUE_SCAN_H

#include "common/base/buf.h"
#include "common/base/mem.h"
#include "common/base/str.h"

/* Deeper texts are refused: what current Java parsers allow. */
#define SCAN_DEPTH_MAX 1000

enum scan_token {
    SCAN_ERROR,      /* at byte s->at; s->why says what, s->line and s->column are computed by
                        scan_place */
    SCAN_END,        /* the one value is complete and nothing follows */
    SCAN_OBJECT,     /* { */
    SCAN_OBJECT_END, /* } */
    SCAN_ARRAY,      /* [ */
    SCAN_ARRAY_END,  /* ] */
    SCAN_NAME,       /* member name: text is between the quotes, still escaped */
    SCAN_STRING,     /* as SCAN_NAME */
    SCAN_NUMBER,     /* text is its spelling */
    SCAN_TRUE,
    SCAN_FALSE,
    SCAN_NULL,
};

struct scan {
    str text;        /* the whole input, borrowed */
    size_t at;       /* next byte to read */
    size_t token_at; /* first byte of the last token */
    const char *why; /* after SCAN_ERROR: a static sentence */
    u32 depth;
    u8 state;                              /* what may come next; private to scan.c */
    u8 last;                               /* the last token */
    u64 kinds[(SCAN_DEPTH_MAX + 64) / 64]; /* a bit a level: 1 object, 0 array */
};

/* The text of a token. */
struct scan_text {
    str raw;      /* NAME, STRING: between the quotes; NUMBER: its spelling */
    bool escaped; /* raw holds a backslash: use scan_unescape */
};

void scan_init(struct scan *s, str text);
enum scan_token scan_next(struct scan *s, struct scan_text *ret);
/* After SCAN_OBJECT or SCAN_ARRAY: skips everything up to and including its end, fully checked,
 * faster than token by token. Returns SCAN_OBJECT_END, SCAN_ARRAY_END or SCAN_ERROR. */
enum scan_token scan_skip(struct scan *s);
/* Line and column (in characters, both from 1) of byte `at`. */
void scan_place(str text, size_t at, u32 *ret_line, u32 *ret_column);

/* Decodes a raw string that scan_next gave; `out` has room for raw.n bytes. Returns the decoded
 * length. A \u escape of a lone surrogate becomes U+FFFD; \u0000 becomes a NUL byte. */
size_t scan_unescape(str raw, char *out);
/* The same with another character, U+0800 to U+FFFF, for a lone surrogate. */
size_t scan_unescape_as(str raw, char *out, u32 lone);

/* The decoded text of a NAME or STRING: the raw view itself, or a copy in the arena. */
str scan_decode(const struct scan_text *t, struct arena *a);
str scan_decode_as(const struct scan_text *t, u32 lone, struct arena *a);

/* Appends `s` as a JSON string, quotes included: escapes what JSON demands, leaves UTF-8 as it is.
 */
void scan_quote(struct buf *out, str s);

#endif
