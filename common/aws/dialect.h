/* What call.c lends to its two dialects, and they to it. Nobody else includes this. */
#ifndef TOQUE_DIALECT_H
#define TOQUE_DIALECT_H

#include "common/aws/call.h"

/* Input: reads the call's parameters by its action's members into c->in, or sets c->fault. */
void dialect_json_read(struct call *c, str body);
void dialect_query_read(struct call *c, const struct form *params);

/* A new value without children; NULL, and the fault is set, when the call has too many. */
struct val *val_new(struct call *c, enum val_type type);
/* Hangs `v` on `parent`; *tail is where the next one goes, &parent->first at the beginning. */
static inline void val_add(struct val *parent, struct val ***tail, struct val *v)
{
    **tail = v;
    *tail = &v->next;
    parent->count++;
}
/* Leaves one child of every name in a MAP: the last value, at the place of the first. */
void val_map_unique(struct call *c, struct val *map);

/* Ends what call_out_* wrote as a whole answer of status 200. */
void call_out_finish(struct call *c);

/* Errors, whole: f is how the call's fault is called. */
void dialect_json_error(struct call *c, const struct fault_name *f);
void dialect_query_error(struct call *c, const struct fault_name *f);
/* A fault's text as a JSON string. It may quote bytes of a header, which nobody has checked: those
 * that are no UTF-8 become question marks. */
void dialect_json_text(struct call *c, str text);

#endif
