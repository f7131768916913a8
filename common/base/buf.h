/* Growing bytes. A zeroed struct buf is an empty one. The contents are followed by a NUL that does
 * not count, so buf.p is a C string whenever it is not NULL. */
#ifndef TOQUE_BUF_H
#define TOQUE_BUF_H

#include "common/base/str.h"

struct buf {
    char *p;
    size_t n, cap;
};

void buf_deinit(struct buf *b);
/* Empties it and keeps its memory. */
void buf_reset(struct buf *b);
/* Makes room for `more` bytes after the end and returns where they go. Write them, then add to
 * b->n. The NUL is put after `more` bytes; a caller that writes fewer puts its own if needed. */
char *buf_room(struct buf *b, size_t more);
void buf_add(struct buf *b, const void *p, size_t n);
void buf_str(struct buf *b, str s);
void buf_z(struct buf *b, const char *z);
void buf_char(struct buf *b, char c);
void buf_printf(struct buf *b, const char *fmt, ...) PRINTF_LIKE(2, 3);
void buf_i64(struct buf *b, i64 v);
void buf_u64(struct buf *b, u64 v);
/* Transfers the bytes to the caller, who frees them with mem_free; b is empty afterwards. */
char *buf_detach(struct buf *b);

static inline str buf_view(const struct buf *b)
{
    return (str){b->p ? b->p : "", b->n};
}

#endif
