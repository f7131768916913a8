/* A chunked body (RFC 9112, 7.1) taken apart as it comes: sizes, extensions and trailer fields are
 * read and dropped, the data is handed on. */
#ifndef TOQUE_HTTP_CHUNKS_H
#define TOQUE_HTTP_CHUNKS_H

#include "common/base/err.h"
#include "common/base/str.h"

/* Bytes of one line of framing (a size with its extensions, a trailer field), and of all trailer
 * fields. */
#define HTTP_CHUNK_LINE_MAX     4096
#define HTTP_CHUNK_TRAILERS_MAX (16 * 1024)

/* Zeroed before the first byte. */
struct http_chunks {
    u8 state;
    u8 digits;    /* of the size being read */
    u32 line;     /* bytes of the line being read */
    u32 trailers; /* bytes of all trailer fields */
    u64 left;     /* of the chunk */
};

/* Takes what it can up to and with the next piece of data, which *ret_data is, or the end. Returns
 * how many bytes of `bytes` were taken; E_INVALID when they are no chunked body. */
ptrdiff_t http_chunks_read(struct http_chunks *c, str bytes, str *ret_data);
/* The last chunk and the trailer fields have been taken. */
bool http_chunks_done(const struct http_chunks *c);

#endif
