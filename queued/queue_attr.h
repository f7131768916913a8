/* What can be set on a queue: one table says each attribute's name, kind, bounds and default. Rules
 * and texts: Amazon SQS, SetQueueAttributes and CreateQueue. */
#ifndef TOQUE_QUEUE_ATTR_H
#define TOQUE_QUEUE_ATTR_H

#include "common/base/buf.h"
#include "common/aws/call.h"

#define QUEUE_ATTR_STATEMENTS_MAX 20 /* of a policy; the service's own limit */

struct queue_attrs {
    i64 delay_s, size_max, retention_s, wait_s, visibility_s;
    i64 kms_reuse_s; /* of the data key; told only where there is a key */
    i64 managed_sse; /* 0 or 1 */
    i64 fifo;        /* 1: a FIFO queue, for ever; the next three are told and set on those only */
    i64 content_dedup, dedup_by_group, limit_by_group; /* 0 or 1 */
    char *policy;                                      /* JSON text as it was given; NULL: none */
    char *kms_key;                                     /* likewise */
    char *redrive_policy, *redrive_allow_policy; /* redrive_policy.h; JSON texts without blanks */
};

void queue_attr_init(struct queue_attrs *a); /* the defaults */
void queue_attr_deinit(struct queue_attrs *a);
void queue_attr_copy(struct queue_attrs *to, const struct queue_attrs *from);

/* Sets what the map (name to text) says, all of it or, with a fault, nothing. `creating`: it may say
 * that the queue is a FIFO queue. */
int queue_attr_set(struct queue_attrs *a, const struct val *map, bool creating,
                   struct fault *f) MUST_CHECK;
/* Whether what a CreateQueue says is what the queue has: else FAULT_QUEUE_EXISTS names the first
 * that is not. The map was taken by queue_attr_set before. */
int queue_attr_same(const struct queue_attrs *a, const struct val *map, struct fault *f) MUST_CHECK;

/* How a name is to be read in GetQueueAttributes. */
enum queue_attr_known {
    QUEUE_ATTR_UNKNOWN,
    QUEUE_ATTR_OTHER, /* known, but not of these: the queue's own */
    QUEUE_ATTR_SETTABLE,
};
enum queue_attr_known queue_attr_known(str name);
/* Appends the value's text; false when it is unset (or not of these). */
bool queue_attr_text(const struct queue_attrs *a, str name, struct buf *out);
/* The i-th settable attribute's name, by name; NULL at the end. */
const char *queue_attr_name(size_t i);

/* As members of a JSON object that is being written: `"DelaySeconds":0,…` without braces. */
void queue_attr_write(const struct queue_attrs *a, struct buf *out);
/* One member that queue_attr_write wrote; others are left alone. */
void queue_attr_read_int(struct queue_attrs *a, str name, i64 value);
void queue_attr_read_text(struct queue_attrs *a, str name, str value);

#endif
