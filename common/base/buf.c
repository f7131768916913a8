/* Growing bytes. Invariant: if p is not NULL, n < cap, and p[n] is NUL unless a caller of buf_room
 * wrote less than it requested. */
#include "common/base/buf.h"

#include <stdarg.h>

#include "common/base/mem.h"

#define BUF_CAP_MIN 64

void buf_deinit(struct buf *b)
{
    mem_free(b->p);
    *b = (struct buf){0};
}

void buf_reset(struct buf *b)
{
    b->n = 0;
    if (b->p)
        b->p[0] = '\0';
}

static void buf_grow(struct buf *b, size_t more)
{
    size_t need;

    if (__builtin_add_overflow(b->n, more, &need) || need == SIZE_MAX)
        need = SIZE_MAX - 1; /* no machine has that much: mem_grow ends the program */
    need++;
    size_t cap = MAX(b->cap, (size_t)BUF_CAP_MIN);
    while (cap < need)
        cap = cap > SIZE_MAX / 2 ? need : cap * 2;
    b->p = mem_grow(b->p, cap);
    b->cap = cap;
}

char *buf_room(struct buf *b, size_t more)
{
    if (UNLIKELY(b->cap <= more || b->cap - more <= b->n))
        buf_grow(b, more);
    b->p[b->n + more] = '\0';
    return b->p + b->n;
}

void buf_add(struct buf *b, const void *p, size_t n)
{
    char *to = buf_room(b, n);

    if (n)
        memcpy(to, p, n);
    b->n += n;
}

void buf_str(struct buf *b, str s)
{
    buf_add(b, s.p, s.n);
}

void buf_z(struct buf *b, const char *z)
{
    buf_add(b, z, strlen(z));
}

void buf_char(struct buf *b, char c)
{
    *buf_room(b, 1) = c;
    b->n++;
}

void buf_printf(struct buf *b, const char *fmt, ...)
{
    va_list args, again;

    va_start(args, fmt);
    va_copy(again, args);
    char *to = buf_room(b, BUF_CAP_MIN);
    size_t room = b->cap - b->n;
    int n = vsnprintf(to, room, fmt, args);
    va_end(args);
    assert(n >= 0);
    if ((size_t)n >= room) {
        to = buf_room(b, (size_t)n);
        vsnprintf(to, (size_t)n + 1, fmt, again);
    }
    va_end(again);
    b->n += (size_t)n;
}

void buf_u64(struct buf *b, u64 v)
{
    char digits[20];
    size_t at = sizeof(digits);

    do {
        digits[--at] = (char)('0' + v % 10);
        v /= 10;
    } while (v);
    buf_add(b, digits + at, sizeof(digits) - at);
}

void buf_i64(struct buf *b, i64 v)
{
    if (v < 0)
        buf_char(b, '-');
    buf_u64(b, v < 0 ? 0 - (u64)v : (u64)v);
}

char *buf_detach(struct buf *b)
{
    if (!b->p)
        buf_room(b, 0);
    char *p = b->p;
    *b = (struct buf){0};
    return p;
}
