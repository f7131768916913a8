/* Policies and messages made up at random, close enough to one another that near misses and hits
 * are both common: keys, texts and numbers come from small sets, and a message likes to take what
 * the policies before it held, slightly changed. Decisions come from bytes (of a fuzzer) and, when
 * those end, from a seed. */
#ifndef TOQUE_TESTS_FILTER_GENERATOR_H
#define TOQUE_TESTS_FILTER_GENERATOR_H

#include "common/base/buf.h"
#include "common/base/mem.h"
#include "filter/filter.h"

#define GEN_POOL_MAX  64
#define GEN_ATTRS_MAX 6

struct generator {
    const u8 *bytes;
    size_t size, at;
    u64 seed;
    bool is_wide;           /* many different texts and numbers, for many policies at once */
    struct arena arena;     /* texts of the pool and of the message */
    str pool[GEN_POOL_MAX]; /* texts that the policies held */
    u32 pool_n;
    struct filter_attr attrs[GEN_ATTRS_MAX];
};

void gen_init(struct generator *g, u64 seed, const u8 *bytes, size_t size);
void gen_deinit(struct generator *g);
/* Forgets the texts of earlier policies and messages. */
void gen_reset(struct generator *g);
/* Evenly 0..n-1. */
u32 gen_below(struct generator *g, u32 n);
/* Appends the text of a policy; nearly always one that is accepted. */
void gen_policy(struct generator *g, enum filter_scope scope, struct buf *out);
/* A message with attributes and a body; it lives until gen_reset. */
struct filter_message gen_message(struct generator *g);

#endif
