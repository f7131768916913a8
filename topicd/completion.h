/* What waits for several things to end: how many are outstanding, and the first error among them.
 * Its maker holds one of them while it adds the others, so it cannot complete too early. */
#ifndef TOQUE_COMPLETION_H
#define TOQUE_COMPLETION_H

#include "common/base/base.h"

struct completion {
    u32 outstanding;
    int err; /* the first; 0: all went well */
    /* Called once, when nothing is outstanding; the completion is not touched afterwards. */
    void (*done)(struct completion *c, int err);
};

/* One is outstanding: the maker's own, which completion_end ends. */
static inline void completion_begin(struct completion *c,
                                    void (*done)(struct completion *c, int err))
{
    *c = (struct completion){.outstanding = 1, .done = done};
}

static inline void completion_add(struct completion *c)
{
    c->outstanding++;
}

static inline void completion_end(struct completion *c, int err)
{
    assert(c->outstanding > 0);
    if (err && !c->err)
        c->err = err;
    if (--c->outstanding == 0)
        c->done(c, c->err);
}

#endif
