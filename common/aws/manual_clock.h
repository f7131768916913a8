/* The clock that is moved by hand, of all daemons that are linked with one another.
 *
 * POST /_toque/clock {"advance_ms":N} moves this daemon's time and tells every peer; it answers
 * when each has said that it has that time, too, or is gone. Time that was moved elsewhere comes as
 * a CLOCK frame, is taken over and goes on to the others, who sent it among them: that is the echo
 * they wait for. A frame that says what is known already is not answered, so nothing goes round in
 * circles. A peer whose clock runs by itself cannot follow: the page says so and moves nothing.
 *
 * The time is kept in the store, so that it outlives the daemon. */
#ifndef TOQUE_MANUAL_CLOCK_H
#define TOQUE_MANUAL_CLOCK_H

#include "common/aws/desk.h"
#include "common/io/engine.h"

#define MANUAL_CLOCK_PEERS_MAX 64

struct manual_clock_peers {
    u32 count;
    /* Sends a CLOCK frame; one that is away hears the time with its next greeting. */
    void (*tell)(void *arg, u32 peer, i64 now_ms);
    const char *(*name)(void *arg, u32 peer); /* for complaints */
    void *arg;
};

struct manual_clock {
    struct loop *loop;
    struct clock *clock;
    struct engine *engine;
    bool failing;
    struct manual_clock_peers peers;
    u64 up;                               /* a bit for each peer that has greeted */
    i64 shown_ms[MANUAL_CLOCK_PEERS_MAX]; /* of those: their time, 0 where it runs by itself */
    struct list waits;                    /* struct call: the page's, parked */
};

/* A manual clock takes over the time that is kept. Peers come when there are some. */
void manual_clock_init(struct manual_clock *m, struct loop *l, struct engine *e);
void manual_clock_set_peers(struct manual_clock *m, const struct manual_clock_peers *peers);
void manual_clock_add_page(struct manual_clock *m, struct desk *d);

/* While the store fails the time is not kept; when it works again, it is. */
void manual_clock_set_failing(struct manual_clock *m, bool failing);

/* What a greeting says of this daemon's clock: its time, 0 where it runs by itself. */
i64 manual_clock_shown_ms(const struct manual_clock *m);
/* A peer has greeted, with what it says of its own. */
void manual_clock_greeted(struct manual_clock *m, u32 peer, i64 shown_ms);
/* A peer's CLOCK frame. */
void manual_clock_heard(struct manual_clock *m, u32 peer, i64 now_ms);
void manual_clock_gone(struct manual_clock *m, u32 peer);
/* Nobody is waited for any more. */
void manual_clock_release(struct manual_clock *m);

#endif
