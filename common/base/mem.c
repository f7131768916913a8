/* Zeroed memory, and arenas. Every allocation goes through mem_checked(), the only place that
 * handles exhausted memory and counts it. Allocations have no header: mem_* returns malloc's own
 * pointers.
 *
 * Arena: a list of blocks; the first one is being filled, from `at` to `end`.
 *   1. Every piece starts at a multiple of ARENA_ALIGN.
 *   2. A piece too large for a common block gets a block of its own, inserted after the first, so
 *      that the rest of the first is not lost.
 *   3. Under the address sanitizer every piece has a block of its own, of its exact size: reading
 *      past one is then detected. */
#include "common/base/mem.h"

#include <malloc.h>
#include <stdarg.h>
#include <stdlib.h>
#include <unistd.h>

#define ARENA_ALIGN     8
#define ARENA_BLOCK_MIN 4096
#define ARENA_BLOCK_MAX (128 * 1024) /* blocks double up to here */
#define ARENA_KEEP_MAX  (256 * 1024) /* a larger block is not kept over arena_reset */

#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define ARENA_APART 1
#endif
#elif defined(__SANITIZE_ADDRESS__)
#define ARENA_APART 1
#endif
#ifndef ARENA_APART
#define ARENA_APART 0
#endif

/* Larger arrays are mappings: they come without being touched, and go as a whole. Nothing that a client
 * sends is as large. */
#define MAPPED_FROM (4 << 20)

/* What one thread allocates another one may free: only their sum is exact. */
static _Thread_local i64 used;

struct arena_block {
    struct arena_block *next;
    size_t size; /* bytes after this header */
};

static NORETURN void end_of_memory(size_t size)
{
    /* No stdio here: it may allocate memory, too. */
    static const char line[] = "out of memory, stopping\n";
    ssize_t n = write(STDERR_FILENO, line, sizeof(line) - 1);

    (void)n;
    (void)size; /* stays visible in the core dump */
    abort();
}

static void *mem_checked(void *p, size_t size)
{
    if (UNLIKELY(!p))
        end_of_memory(size);
    used += (i64)malloc_usable_size(p);
    return p;
}

void *mem_alloc(size_t size)
{
    return mem_checked(calloc(1, size ? size : 1), size);
}

void *mem_array(size_t n, size_t size)
{
    size_t bytes;

    if (__builtin_mul_overflow(n, size, &bytes))
        end_of_memory(SIZE_MAX);
    return mem_checked(calloc(1, bytes ? bytes : 1), bytes);
}

void *mem_grow(void *p, size_t size)
{
    used -= (i64)malloc_usable_size(p);
    return mem_checked(realloc(p, size ? size : 1), size);
}

char *mem_dup(str s)
{
    char *p = mem_checked(malloc(s.n + 1), s.n + 1);

    if (s.n)
        memcpy(p, s.p, s.n);
    p[s.n] = '\0';
    return p;
}

char *mem_printf(const char *fmt, ...)
{
    va_list args;
    char *text = NULL;

    va_start(args, fmt);
    int n = vasprintf(&text, fmt, args);
    va_end(args);
    if (n < 0)
        end_of_memory(0);
    return mem_checked(text, (size_t)n);
}

void mem_free(void *p)
{
    used -= (i64)malloc_usable_size(p);
    free(p);
}

size_t mem_used(void)
{
    return used > 0 ? (size_t)used : 0;
}

#ifdef __GLIBC__
void mem_give_back(void)
{
    malloc_trim(0);
}

void mem_keep(void)
{
    mallopt(M_MMAP_THRESHOLD, MAPPED_FROM);
    mallopt(M_TRIM_THRESHOLD, INT32_MAX);
}
#else
void mem_give_back(void)
{
}

void mem_keep(void)
{
}
#endif

void arena_init(struct arena *a)
{
    *a = (struct arena){0};
}

static char *block_bytes(struct arena_block *b)
{
    return (char *)(b + 1);
}

static struct arena_block *arena_block_new(size_t size)
{
    size_t bytes;

    if (__builtin_add_overflow(size, sizeof(struct arena_block), &bytes))
        end_of_memory(SIZE_MAX);
    struct arena_block *b = mem_checked(malloc(bytes), bytes);
    b->next = NULL;
    b->size = size;
    return b;
}

static void fill_from(struct arena *a, struct arena_block *b)
{
    a->at = block_bytes(b);
    a->end = a->at + b->size;
}

void arena_reset(struct arena *a)
{
    if (ARENA_APART) {
        arena_deinit(a);
        return;
    }
    struct arena_block *keep = NULL;
    for (struct arena_block *b = a->blocks, *next; b; b = next) {
        next = b->next;
        if (b->size <= ARENA_KEEP_MAX && (!keep || b->size > keep->size)) {
            mem_free(keep);
            keep = b;
        } else {
            mem_free(b);
        }
    }
    arena_init(a);
    if (keep) {
        keep->next = NULL;
        a->blocks = keep;
        fill_from(a, keep);
    }
}

void arena_deinit(struct arena *a)
{
    for (struct arena_block *b = a->blocks, *next; b; b = next) {
        next = b->next;
        mem_free(b);
    }
    arena_init(a);
}

/* A block for this piece alone, after the one that is being filled. */
static void *alloc_apart(struct arena *a, size_t size)
{
    struct arena_block *own = arena_block_new(size);
    struct arena_block **at = a->blocks ? &a->blocks->next : &a->blocks;

    own->next = *at;
    *at = own;
    return block_bytes(own);
}

static void *alloc_slow(struct arena *a, size_t size)
{
    size_t room = a->blocks ? MIN(a->blocks->size * 2, (size_t)ARENA_BLOCK_MAX) : ARENA_BLOCK_MIN;

    room = MAX(room, (size_t)ARENA_BLOCK_MIN);
    if (size > room / 4 && a->blocks)
        return alloc_apart(a, size);
    struct arena_block *b = arena_block_new(MAX(room, size));
    b->next = a->blocks;
    a->blocks = b;
    fill_from(a, b);
    void *piece = a->at;
    a->at += size;
    return piece;
}

void *arena_alloc(struct arena *a, size_t size)
{
    if (ARENA_APART)
        return alloc_apart(a, size);
    if (UNLIKELY(size > SIZE_MAX - ARENA_ALIGN))
        end_of_memory(size);
    size = (size + ARENA_ALIGN - 1) & ~(size_t)(ARENA_ALIGN - 1);
    if (UNLIKELY(!a->at || (size_t)(a->end - a->at) < size))
        return alloc_slow(a, size);
    void *piece = a->at;
    a->at += size;
    return piece;
}

void *arena_zalloc(struct arena *a, size_t size)
{
    return memset(arena_alloc(a, size), 0, size);
}

str arena_dup(struct arena *a, str s)
{
    char *p = arena_alloc(a, s.n + 1);

    if (s.n)
        memcpy(p, s.p, s.n);
    p[s.n] = '\0';
    return (str){p, s.n};
}

str arena_printf(struct arena *a, const char *fmt, ...)
{
    va_list args, again;

    va_start(args, fmt);
    va_copy(again, args);
    int n = vsnprintf(NULL, 0, fmt, args);
    va_end(args);
    assert(n >= 0);
    char *p = arena_alloc(a, (size_t)n + 1);
    vsnprintf(p, (size_t)n + 1, fmt, again);
    va_end(again);
    return (str){p, (size_t)n};
}
