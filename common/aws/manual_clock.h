/* The manual clock, shared by all daemons that are linked with one another.
 *
 * POST /_toque/clock {"advance_ms":N} advances this daemon's time and sends it to every peer; it
 * answers when each has echoed that time or is down. Time that was advanced at another daemon
 * arrives as a CLOCK frame; it is applied and sent to all peers including the sender, which waits
 * for that echo. A frame with a known time is not echoed, so no loop occurs. With a peer whose
 * clock is not manual the page fails and changes nothing.
 *
 * The time is stored, so that it survives a restart. */
#ifndef TOQUE_MANUAL_CLOCK_H
#define TOQUE_MANUAL_CLOCK_H

#include "common/aws/desk.h"
#include "common/io/engine.h"

#define MANUAL_CLOCK_PEERS_MAX 64

struct manual_clock_peers {
    u32 count;
    /* Sends a CLOCK frame; a peer that is down gets the time with its next greeting. */
    void (*tell)(void *arg, u32 peer, i64 now_ms);
    const char *(*name)(void *arg, u32 peer); /* for error texts */
    void *arg;
};

struct manual_clock {
    struct loop *loop;
    struct clock *clock;
    struct engine *engine;
    bool failing;
    struct manual_clock_peers peers;
    u64 up;                               /* a bit for each peer that has greeted */
    i64 shown_ms[MANUAL_CLOCK_PEERS_MAX]; /* of those: their time; 0: their clock is not manual */
    struct list waits;                    /* struct call: the page's, parked */
};

/* A manual clock continues with the stored time. Peers are added later. */
void manual_clock_init(struct manual_clock *m, struct loop *l, struct engine *e);
void manual_clock_set_peers(struct manual_clock *m, const struct manual_clock_peers *peers);
void manual_clock_add_page(struct manual_clock *m, struct desk *d);

/* While the store fails the time is not stored; it is stored when the store works again. */
void manual_clock_set_failing(struct manual_clock *m, bool failing);

/* This daemon's time for a greeting; 0: its clock is not manual. */
i64 manual_clock_shown_ms(const struct manual_clock *m);
/* A peer has greeted with its own time. */
void manual_clock_greeted(struct manual_clock *m, u32 peer, i64 shown_ms);
/* A CLOCK frame of a peer arrived. */
void manual_clock_heard(struct manual_clock *m, u32 peer, i64 now_ms);
void manual_clock_gone(struct manual_clock *m, u32 peer);
/* Stops waiting for peers. */
void manual_clock_release(struct manual_clock *m);

#endif
