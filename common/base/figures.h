/* A daemon's statistics: numbers and states, reported once by one list of calls to a writer, such
 * as that of GET /health in JSON.
 *
 *     figure_gauge(to, "queues", "", n, "Queues of all accounts and regions.");
 *     figures_begin(to, "queueds");
 *     for (…) {
 *         figures_of(to, "url", url);
 *         figure_counter(to, "delivered", "", n, "Frames that were acknowledged.");
 *     }
 *     figures_end(to);
 *
 * A name has its unit at the end. A counter only grows since the start of the daemon; a gauge can
 * fall; a state is a word. Reporting has no side effects. To add a figure, report it. */
#ifndef TOQUE_FIGURES_H
#define TOQUE_FIGURES_H

#include "common/base/buf.h"

enum figure_kind { FIGURE_COUNTER, FIGURE_GAUGE, FIGURE_STATE };

struct figure {
    enum figure_kind kind;
    const char *name;
    const char *unit; /* "bytes", "s", "us"; "": a count */
    const char *help; /* one sentence */
    u64 number;
    const char *state; /* FIGURE_STATE: instead */
};

/* The writer. */
struct figures {
    void (*figure)(struct figures *to, const struct figure *f);
    /* A list of similar objects: begin, then `of` before the figures of each object, then end. */
    void (*begin)(struct figures *to, const char *list);
    void (*of)(struct figures *to, const char *label, const char *value);
    void (*end)(struct figures *to);
};

static inline void figure_counter(struct figures *to, const char *name, const char *unit,
                                  u64 number, const char *help)
{
    to->figure(to, &(struct figure){FIGURE_COUNTER, name, unit, help, number, NULL});
}

static inline void figure_gauge(struct figures *to, const char *name, const char *unit, u64 number,
                                const char *help)
{
    to->figure(to, &(struct figure){FIGURE_GAUGE, name, unit, help, number, NULL});
}

static inline void figure_state(struct figures *to, const char *name, const char *state,
                                const char *help)
{
    to->figure(to, &(struct figure){FIGURE_STATE, name, "", help, 0, state});
}

static inline void figures_begin(struct figures *to, const char *list)
{
    to->begin(to, list);
}

static inline void figures_of(struct figures *to, const char *label, const char *value)
{
    to->of(to, label, value);
}

static inline void figures_end(struct figures *to)
{
    to->end(to);
}

/* Writes one JSON object into `out`, lists as arrays of objects. */
struct figures_json {
    struct figures to;
    struct buf *out;
    bool first; /* no comma is due */
    bool open;  /* an object of a list is */
};
void figures_json_begin(struct figures_json *j, struct buf *out);
void figures_json_end(struct figures_json *j);

#endif
