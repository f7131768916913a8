/* Decodes a chunked body (RFC 9112, 7.1) incrementally: sizes, extensions and trailer fields are
 * read and dropped, the data is returned. */
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

/* Consumes bytes up to and including the next piece of data, returned in *ret_data, or the end.
 * Returns how many bytes were consumed. E_INVALID: not a chunked body. */
ptrdiff_t http_chunks_read(struct http_chunks *c, str bytes, str *ret_data);
/* The last chunk and the trailer fields have been read. */
bool http_chunks_done(const struct http_chunks *c);

#endif
