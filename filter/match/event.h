/* The values of one message at the paths that policies name. */
#ifndef TOQUE_FILTER_EVENT_H
#define TOQUE_FILTER_EVENT_H

#include "common/base/mem.h"
#include "filter/policy/decimal.h"
#include "filter/match/path.h"

struct matcher;

enum value_kind {
    VALUE_STRING,
    VALUE_NUMBER,
    VALUE_TRUE,
    VALUE_FALSE,
    VALUE_NULL,
    VALUE_GONE, /* retracted: a later member has the same name */
};

/* How far a number's text was parsed. */
enum value_reading { READ_NOT, READ_DECIMAL, READ_LONG };

struct value {
    u8 kind;
    u8 reading;      /* enum value_reading */
    bool has_approx; /* approx is valid */
    u32 path;
    u32 next;    /* at the same path; 0 ends */
    u32 element; /* innermost array element that contains it; 0: none */
    str text;    /* STRING: decoded; NUMBER: spelling */
    union {
        u32 tag;                /* STRING: of the text as COND_STRING, if the path has any */
        struct decimal decimal; /* READ_DECIMAL */
    };
    double approx; /* as decimal_approx, or decimal_approx_of a long one */
};

/* An element of an array in the body. Elements form a tree: an array lies in an element. */
struct element {
    u32 parent; /* element that the array lies in; 0: none */
    u32 array;  /* number of the array in this message, from 1 */
};

struct event {
    struct value *values; /* from 1 */
    u32 value_n, value_cap;
    struct path_seen *seen;   /* of the matcher */
    u32 epoch;                /* of the match */
    struct element *elements; /* from 1 */
    u32 element_n, element_cap;
    u32 array_n;
    u32 *touched; /* paths with values */
    u32 touched_n, touched_cap;
    bool tied;     /* some value lies in an array element that others may have to agree with */
    bool has_gone; /* some value was retracted */
    char *texts;   /* decoded strings; reserved before the first one */
    size_t text_n, text_cap;
};

void event_init(struct event *e);
void event_deinit(struct event *e);
void event_reset(struct event *e);
/* Retracts all values, as if none had been added since the last reset. */
void event_forget(struct event *e);
/* Reserves `n` bytes for decoded strings in this event; only before the first of them. */
void event_reserve(struct event *e, size_t n);
u32 event_element(struct event *e, u32 parent, u32 array);
/* Ends the adding of values: prefetches what the strings will be looked up in. */
void event_close(struct matcher *m);

/* --- adding values ---------------------------------------------------------------------------- */

/* Makes room for one more value. */
void event_more(struct event *e);
/* The first value at its path. */
void event_touch(struct event *e, u32 path, u32 value);

/* Appends the value to those at its path. It can be retracted, by becoming VALUE_GONE, until the
 * event is looked up. */
static inline u32 event_add(struct event *e, enum value_kind kind, u32 path, u32 element, str text)
{
    u32 at = e->value_n++;

    if (UNLIKELY(at >= e->value_cap))
        event_more(e);
    struct value *v = &e->values[at];
    v->kind = (u8)kind;
    v->reading = READ_NOT;
    v->has_approx = false;
    v->path = path;
    v->next = 0;
    v->element = element;
    v->text = text;
    struct path_seen *seen = &e->seen[path];
    if (seen->epoch == e->epoch) {
        e->values[seen->last].next = at;
        seen->last = at;
        seen->n++;
    } else {
        event_touch(e, path, at);
    }
    if (UNLIKELY(element != 0))
        e->tied = seen->tied = true;
    return at;
}

/* --- reading numbers -------------------------------------------------------------------------- */

/* A number that is not a decimal, as number.h reads it; 0 for malformed text in a body that was not
 * checked. */
static inline struct number event_exact(const struct value *v)
{
    struct number n;

    return LIKELY(number_read(v->text, &n) == 0) ? n : (struct number){0};
}

/* Whether the number is a decimal, which is filled in then. */
static inline bool event_decimal(struct value *v)
{
    if (v->reading == READ_NOT)
        v->reading = decimal_read(v->text, &v->decimal) ? READ_DECIMAL : READ_LONG;
    return v->reading == READ_DECIMAL;
}

double event_long_approx(const struct value *v);
static inline double event_approx(struct value *v)
{
    if (!v->has_approx) {
        v->approx = LIKELY(event_decimal(v)) ? decimal_approx(&v->decimal) : event_long_approx(v);
        v->has_approx = true;
    }
    return v->approx;
}

#endif
