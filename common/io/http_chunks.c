/* One state per position in the grammar:
 *
 *   SIZE ──> EXTENSION ──> SIZE_LF ──> DATA ──> DATA_CR ──> DATA_LF ──> SIZE
 *                             └── size 0 ──> FIELD ──> NAME ──> VALUE ──> VALUE_LF ──> FIELD
 *                                              └──> END_LF ──> DONE */
#include "common/io/http_chunks.h"

#include "common/base/ascii.h"
#include "common/io/http_head.h"

/* Digits of a size: no body comes near 2^60 bytes. */
#define DIGITS_MAX 15

enum {
    SIZE,
    EXTENSION,
    SIZE_LF,
    DATA,
    DATA_CR,
    DATA_LF,
    FIELD, /* the beginning of a trailer field, or the empty line */
    NAME,
    VALUE,
    VALUE_LF,
    END_LF,
    DONE
};

bool http_chunks_done(const struct http_chunks *c)
{
    return c->state == DONE;
}

static int take_size(struct http_chunks *c, u8 byte)
{
    int value = ascii_hex_value((char)byte);

    if (value >= 0) {
        if (c->digits == DIGITS_MAX)
            return E_INVALID;
        c->digits++;
        c->left = c->left * 16 + (u64)value;
        return SIZE;
    }
    if (!c->digits)
        return E_INVALID;
    if (byte == '\r')
        return SIZE_LF;
    return byte == ';' || byte == ' ' || byte == '\t' ? EXTENSION : E_INVALID;
}

/* The state after one byte of framing; E_INVALID where the byte is not allowed. */
static int take_byte(struct http_chunks *c, u8 byte)
{
    switch (c->state) {
    case SIZE: return take_size(c, byte);
    case EXTENSION: return byte == '\r' ? SIZE_LF : http_is_text(byte) ? EXTENSION : E_INVALID;
    case SIZE_LF: return byte != '\n' ? E_INVALID : c->left ? DATA : FIELD;
    case DATA_CR: return byte == '\r' ? DATA_LF : E_INVALID;
    case DATA_LF: return byte == '\n' ? SIZE : E_INVALID;
    case FIELD: return byte == '\r' ? END_LF : http_is_token(byte) ? NAME : E_INVALID;
    case NAME: return byte == ':' ? VALUE : http_is_token(byte) ? NAME : E_INVALID;
    case VALUE: return byte == '\r' ? VALUE_LF : http_is_text(byte) ? VALUE : E_INVALID;
    case VALUE_LF: return byte == '\n' ? FIELD : E_INVALID;
    case END_LF: return byte == '\n' ? DONE : E_INVALID;
    default: return E_INVALID;
    }
}

static int take_framing(struct http_chunks *c, u8 byte)
{
    int next = take_byte(c, byte);

    if (next < 0)
        return next;
    if (c->state >= FIELD && ++c->trailers > HTTP_CHUNK_TRAILERS_MAX)
        return E_INVALID;
    c->line = byte == '\n' ? 0 : c->line + 1;
    if (c->line > HTTP_CHUNK_LINE_MAX)
        return E_INVALID;
    if (next == SIZE && c->state == DATA_LF) {
        c->digits = 0;
        c->left = 0;
    }
    c->state = (u8)next;
    return 0;
}

ptrdiff_t http_chunks_read(struct http_chunks *c, str bytes, str *ret_data)
{
    size_t at = 0;

    *ret_data = STR("");
    while (at < bytes.n && c->state != DONE) {
        if (c->state == DATA) {
            size_t n = (size_t)MIN(c->left, bytes.n - at);

            *ret_data = str_slice(bytes, at, at + n);
            c->left -= n;
            if (!c->left)
                c->state = DATA_CR;
            return (ptrdiff_t)(at + n);
        }
        if (take_framing(c, (u8)bytes.p[at++]) < 0)
            return E_INVALID;
    }
    return (ptrdiff_t)at;
}
