/* Waits for several operations: counts those that are outstanding and keeps the first error. The
 * creator itself holds one count while it adds operations, so it cannot complete too early. */
#ifndef TOQUE_COMPLETION_H
#define TOQUE_COMPLETION_H

#include "common/base/base.h"

struct completion {
    u32 outstanding;
    int err; /* the first; 0: all succeeded */
    /* Called once, when nothing is outstanding; the completion is not accessed afterwards. */
    void (*done)(struct completion *c, int err);
};

/* Starts with one count, the creator's own, which completion_end releases. */
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
