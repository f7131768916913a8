/* One round of the compiled matcher against the reference: some policies in one matcher, some
 * messages, some policies taken out again, the messages going on. */
#ifndef TOQUE_TESTS_FILTER_DIFFERENTIAL_H
#define TOQUE_TESTS_FILTER_DIFFERENTIAL_H

#include "tests/filter_generator.h"

struct differential_stats {
    u64 policies, refused; /* generated, and how many of them were refused */
    u64 pairs, hits;       /* of a policy and a message, and how many matched */
};

/* False: the two differ, which was printed. */
bool differential_round(struct generator *g, struct differential_stats *stats);

#endif
