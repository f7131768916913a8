/* The compiled matcher against the reference: policies in one matcher, messages, policies taken out
 * and others put in with their ids, the messages going on. */
#ifndef TOQUE_TESTS_FILTER_DIFFERENTIAL_H
#define TOQUE_TESTS_FILTER_DIFFERENTIAL_H

#include "tests/filter_generator.h"

struct differential_stats {
    u64 policies, refused; /* generated, and how many of them were refused */
    u64 pairs, hits;       /* of a policy and a message, and how many matched */
};

/* Some policies, some messages. False: the two differ, which was printed. */
bool differential_round(struct generator *g, struct differential_stats *stats);
/* The same with so many policies that indexes grow, split and are compacted. */
bool differential_crowd(struct generator *g, u32 policies, u32 messages,
                        struct differential_stats *stats);

#endif
