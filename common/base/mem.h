/* Allocation that never returns NULL: when memory is exhausted the program ends with one line to
 * stderr. Callers need no check; every size from outside must be bounded before. */
#ifndef TOQUE_MEM_H
#define TOQUE_MEM_H

#include "common/base/str.h"

/* Zeroed. */
void *mem_alloc(size_t size) __attribute__((returns_nonnull, malloc));
/* Zeroed array of `n` items of `size` bytes; stops the program when the product overflows. */
void *mem_array(size_t n, size_t size) __attribute__((returns_nonnull, malloc));
/* As realloc; new bytes are not zeroed. */
void *mem_grow(void *p, size_t size) __attribute__((returns_nonnull));
/* A copy that ends in a NUL. */
char *mem_dup(str s) __attribute__((returns_nonnull, malloc));
char *mem_printf(const char *fmt, ...) PRINTF_LIKE(1, 2) __attribute__((returns_nonnull));
/* NULL accepted. */
void mem_free(void *p);

/* Bytes that this thread got here and nobody has freed, less those of others that it freed. */
size_t mem_used(void);
/* Returns what is free to the system. Takes 0.1 ms a MiB, and as long again where what is in use lies
 * scattered. */
void mem_give_back(void);
/* From now on freed memory is kept until mem_give_back, but for large arrays, which are mappings of
 * their own. Process-wide. */
void mem_keep(void);

/* An arena: many small pieces that are freed together, such as the memory of one call. */
struct arena_block;
struct arena {
    struct arena_block *blocks;
    char *at, *end;
};

void arena_init(struct arena *a);
/* Frees all pieces; the arena is empty and usable again. Keeps one block for the next use. */
void arena_reset(struct arena *a);
void arena_deinit(struct arena *a);
/* Not zeroed, aligned to 8. */
void *arena_alloc(struct arena *a, size_t size) __attribute__((returns_nonnull));
/* Zeroed. */
void *arena_zalloc(struct arena *a, size_t size) __attribute__((returns_nonnull));
/* A copy that ends in a NUL (not counted). */
str arena_dup(struct arena *a, str s);
str arena_printf(struct arena *a, const char *fmt, ...) PRINTF_LIKE(2, 3);

#endif
