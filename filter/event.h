/* The values that one message offers on the paths that policies name. */
#ifndef TOQUE_FILTER_EVENT_H
#define TOQUE_FILTER_EVENT_H

#include "common/mem.h"
#include "filter/decimal.h"

struct matcher;

enum value_kind {
    VALUE_STRING,
    VALUE_NUMBER,
    VALUE_TRUE,
    VALUE_FALSE,
    VALUE_NULL,
    VALUE_GONE, /* taken back: a later member has the same name */
};

struct value {
    u8 kind;
    bool has_number; /* it was read already */
    u32 path;
    u32 next;    /* at the same path; 0 ends */
    u32 element; /* innermost array element that it lies in; 0: none */
    str text;    /* STRING: decoded; NUMBER: spelling */
    u32 tag;     /* of the text as COND_STRING, where the path has any */
};

/* A number that somebody asked for. */
struct value_number {
    bool is_decimal, is_read; /* which of the two forms are filled in */
    struct decimal decimal;
    double approx; /* as decimal_approx */
    struct number number;
};

/* An element of an array in the body. Elements form a tree: an array lies in an element. */
struct element {
    u32 parent; /* element that the array lies in; 0: none */
    u32 array;  /* number of the array in this message, from 1 */
};

struct event {
    struct value *values;         /* from 1 */
    struct value_number *numbers; /* of those that are, and were asked for; as many as values */
    u32 value_n, value_cap;
    struct element *elements; /* from 1 */
    u32 element_n, element_cap;
    u32 array_n;
    u32 *touched; /* paths with values */
    u32 touched_n, touched_cap;
    bool tied;   /* some value lies in an array element that has siblings to agree with */
    char *texts; /* decoded strings; room is made before the first one */
    size_t text_n, text_cap;
};

void event_init(struct event *e);
void event_deinit(struct event *e);
void event_reset(struct event *e);
/* Room for `n` bytes of decoded strings in this event; before the first of them only. */
void event_reserve(struct event *e, size_t n);
u32 event_add(struct event *e, enum value_kind kind, u32 path, u32 element, str text);
u32 event_element(struct event *e, u32 parent, u32 array);
/* Links the values to their paths, and sends for what they will be looked up in. */
void event_close(struct matcher *m);

/* The same number as number.h has it. */
static inline const struct number *event_exact(struct event *e, const struct value *v)
{
    struct value_number *n = &e->numbers[v - e->values];
    if (!n->is_read) {
        int err = number_read(v->text, &n->number);
        assert(err == 0);
        (void)err;
        n->is_read = true;
    }
    return &n->number;
}

/* The number that the value is; kept until the next message. */
static inline const struct value_number *event_number(struct event *e, struct value *v)
{
    struct value_number *n = &e->numbers[v - e->values];
    if (v->has_number)
        return n;
    v->has_number = true;
    n->is_decimal = decimal_read(v->text, &n->decimal);
    n->is_read = false;
    n->approx = n->is_decimal ? decimal_approx(&n->decimal) : number_approx(event_exact(e, v));
    return n;
}

#endif
