/* The settable attributes of a queue: one table with each attribute's name, kind, bounds and
 * default. Rules and texts: Amazon SQS, SetQueueAttributes and CreateQueue. */
#ifndef TOQUE_QUEUE_ATTR_H
#define TOQUE_QUEUE_ATTR_H

#include "common/base/buf.h"
#include "common/aws/call.h"

#define QUEUE_ATTR_STATEMENTS_MAX 20 /* of a policy; the service's limit */

struct queue_attrs {
    i64 delay_s, size_max, retention_s, wait_s, visibility_s;
    i64 kms_reuse_s; /* of the data key; returned only with a key */
    i64 managed_sse; /* 0 or 1 */
    i64 fifo;        /* 1: a FIFO queue; never changes. The next three are for FIFO queues only */
    i64 content_dedup, dedup_by_group, limit_by_group; /* 0 or 1 */
    char *policy;                                      /* JSON text as given; NULL: none */
    char *kms_key;                                     /* likewise */
    char *redrive_policy, *redrive_allow_policy; /* JSON without whitespace; redrive_policy.h */
};

void queue_attr_init(struct queue_attrs *a); /* the defaults */
void queue_attr_deinit(struct queue_attrs *a);
void queue_attr_copy(struct queue_attrs *to, const struct queue_attrs *from);

/* Sets the attributes of the map (name to text), all of them or, with a fault, none. `creating`:
 * FifoQueue is allowed. */
int queue_attr_set(struct queue_attrs *a, const struct val *map, bool creating,
                   struct fault *f) MUST_CHECK;
/* Compares the attributes of a CreateQueue with the existing queue's: FAULT_QUEUE_EXISTS names the
 * first that differs. queue_attr_set has accepted the map before. */
int queue_attr_same(const struct queue_attrs *a, const struct val *map, struct fault *f) MUST_CHECK;

/* What an attribute name means in GetQueueAttributes. */
enum queue_attr_known {
    QUEUE_ATTR_UNKNOWN,
    QUEUE_ATTR_OTHER, /* read-only: the queue computes it */
    QUEUE_ATTR_SETTABLE,
};
enum queue_attr_known queue_attr_known(str name);
/* Appends the value's text; false when it is unset (or not of these). */
bool queue_attr_text(const struct queue_attrs *a, str name, struct buf *out);
/* The i-th settable attribute's name, by name; NULL at the end. */
const char *queue_attr_name(size_t i);

/* As members of a JSON object that is being written: `"DelaySeconds":0,…` without braces. */
void queue_attr_write(const struct queue_attrs *a, struct buf *out);
/* Reads one member that queue_attr_write wrote; other names are ignored. */
void queue_attr_read_int(struct queue_attrs *a, str name, i64 value);
void queue_attr_read_text(struct queue_attrs *a, str name, str value);

#endif
