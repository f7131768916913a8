/* Shared by call.c and its two dialects only. */
#ifndef TOQUE_DIALECT_H
#define TOQUE_DIALECT_H

#include "common/aws/call.h"

/* Input: reads the call's parameters by its action's members into c->in, or sets c->fault. */
void dialect_json_read(struct call *c, str body);
void dialect_query_read(struct call *c, const struct form *params);

/* A new value without children; NULL, and the fault is set, when the call has too many. */
struct val *val_new(struct call *c, enum val_type type);
/* Appends `v` to `parent`; *tail is the link to set, &parent->first at the beginning. */
static inline void val_add(struct val *parent, struct val ***tail, struct val *v)
{
    **tail = v;
    *tail = &v->next;
    parent->count++;
}
/* Removes duplicate names from a MAP: keeps the last value at the position of the first. */
void val_map_unique(struct call *c, struct val *map);

/* Completes what call_out_* wrote as an answer with status 200. */
void call_out_finish(struct call *c);

/* Render an error answer; f has the public names of the call's fault. */
void dialect_json_error(struct call *c, const struct fault_name *f);
void dialect_query_error(struct call *c, const struct fault_name *f);
/* Appends a fault's text as a JSON string. It may quote unchecked header bytes: invalid UTF-8
 * becomes question marks. */
void dialect_json_text(struct call *c, str text);

#endif
