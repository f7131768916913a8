/* What the generators of the matcher's workloads draw from: numbers that depend on a seed, an item
 * and the draw's own number only. And lines made of them, printed or digested. */
#ifndef TOQUE_TESTS_BENCH_DRAWS_H
#define TOQUE_TESTS_BENCH_DRAWS_H

#include "common/base/buf.h"
#include "common/base/hash.h"

#define DRAW_FLUSH_SIZE (1u << 20)

static inline u64 draw_mix(u64 z)
{
    z += 0x9E3779B97F4A7C15ull;
    z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9ull;
    z = (z ^ z >> 27) * 0x94D049BB133111EBull;
    return z ^ z >> 31;
}

static inline u64 draw(u64 seed, u64 i, u64 j)
{
    return draw_mix(draw_mix(draw_mix(seed) ^ i) ^ j);
}

static inline u64 draw_below(u64 n, u64 seed, u64 i, u64 j)
{
    __extension__ unsigned __int128 product = (unsigned __int128)draw(seed, i, j) * n;
    return (u64)(product >> 64);
}

/* Appends line i with its newline. */
typedef void draw_line(const void *of, u64 i, struct buf *out);

static inline int draw_print(draw_line *line, const void *of, u64 n)
{
    struct buf b = {0};
    for (u64 i = 0; i < n; i++) {
        line(of, i, &b);
        if (b.n >= DRAW_FLUSH_SIZE || i + 1 == n) {
            fwrite(b.p, 1, b.n, stdout);
            buf_reset(&b);
        }
    }
    buf_deinit(&b);
    return fflush(stdout) ? 1 : 0;
}

/* Whether the lines have the digest, or one that begins so; says so on a line. */
static inline bool draw_digest(const char *name, draw_line *line, const void *of, u64 n,
                               const char *wanted)
{
    char got[HASH_SHA256_HEX];
    struct buf b = {0};
    for (u64 i = 0; i < n; i++)
        line(of, i, &b);
    hash_sha256_hex(buf_view(&b), got);
    buf_deinit(&b);
    bool good = str_starts(str_of(got), str_of(wanted));
    printf("%s %s %s\n", good ? "ok" : "WRONG", name, got);
    return good;
}

#endif
