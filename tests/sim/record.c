#include "tests/sim/record.h"

#include <stdarg.h>

#include "common/base/mem.h"
#include "tests/sim/world.h"

#define TAIL_LINES 400
#define LINE_MAX   512

static FILE *out_file;
static u64 digest, lines;
static char (*tail)[LINE_MAX]; /* ring */

void record_begin(FILE *out)
{
    out_file = out;
    digest = 0x9E3779B97F4A7C15u;
    lines = 0;
    tail = mem_array(TAIL_LINES, LINE_MAX);
}

void record_end(void)
{
    mem_free(tail);
    tail = NULL;
}

void record_fold(u64 value)
{
    digest = (digest ^ value) * 0x100000001B3u;
    digest ^= digest >> 29;
}

void record_fold_bytes(const void *p, size_t n)
{
    const u8 *at = p;
    u64 word;

    for (; n >= sizeof(word); n -= sizeof(word), at += sizeof(word)) {
        memcpy(&word, at, sizeof(word));
        record_fold(word);
    }
    word = n;
    memcpy(&word, at, n);
    record_fold(word + ((u64)n << 56));
}

void record(const char *who, const char *fmt, ...)
{
    char *line = tail[lines % TAIL_LINES];
    i64 now_us = world_now_us();
    va_list args;
    int n = snprintf(line, LINE_MAX, "%6" PRId64 ".%06" PRId64 " %s: ", now_us / 1000000,
                     now_us % 1000000, who);

    va_start(args, fmt);
    n += vsnprintf(line + n, (size_t)(LINE_MAX - n), fmt, args);
    va_end(args);
    lines++;
    record_fold_bytes(line, (size_t)MIN(n, LINE_MAX - 1));
    if (out_file)
        fprintf(out_file, "%s\n", line);
}

u64 record_digest(void)
{
    return digest;
}

u64 record_lines(void)
{
    return lines;
}

void record_print_tail(FILE *out)
{
    for (u64 i = lines > TAIL_LINES ? lines - TAIL_LINES : 0; i < lines; i++)
        fprintf(out, "%s\n", tail[i % TAIL_LINES]);
}
