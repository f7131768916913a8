/* What can be set on a queue: one table says each attribute's name, kind, bounds and default. Rules
 * and texts: Amazon SQS, SetQueueAttributes and CreateQueue. */
#ifndef TOQUE_ATTRIBUTES_H
#define TOQUE_ATTRIBUTES_H

#include "common/buf.h"
#include "common/call.h"

#define ATTRIBUTES_POLICY_MAX (256 * 1024) /* bytes; the service's own limit is lower */

struct attributes {
    i64 delay_s, size_max, retention_s, wait_s, visibility_s;
    i64 kms_reuse_s; /* of the data key; told only where there is a key */
    i64 managed_sse; /* 0 or 1 */
    char *policy;    /* JSON text as it was given; NULL: none */
    char *kms_key;   /* likewise */
};

void attributes_init(struct attributes *a); /* the defaults */
void attributes_deinit(struct attributes *a);
void attributes_copy(struct attributes *to, const struct attributes *from);

/* Sets what the map (name to text) says, all of it or, with a fault, nothing. `creating`: what
 * belongs to CreateQueue alone may be among it. */
int attributes_set(struct attributes *a, const struct val *map, bool creating,
                   struct fault *f) MUST_CHECK;
/* Whether what a CreateQueue says is what the queue has: else FAULT_QUEUE_EXISTS names the first
 * that is not. The map was taken by attributes_set before. */
int attributes_same(const struct attributes *a, const struct val *map, struct fault *f) MUST_CHECK;

/* How a name is to be read in GetQueueAttributes. */
enum attribute_known {
    ATTRIBUTE_UNKNOWN,
    ATTRIBUTE_OTHER, /* known, but not of these: the queue's own, or of queues of another kind */
    ATTRIBUTE_SETTABLE,
};
enum attribute_known attributes_known(str name);
/* Appends the value's text; false when it is unset (or not of these). */
bool attributes_text(const struct attributes *a, str name, struct buf *out);
/* The i-th settable attribute's name, by name; NULL at the end. */
const char *attributes_name(size_t i);

/* As members of a JSON object that is being written: `"DelaySeconds":0,…` without braces. */
void attributes_write(const struct attributes *a, struct buf *out);
/* One member that attributes_write wrote; others are left alone. */
void attributes_read_int(struct attributes *a, str name, i64 value);
void attributes_read_text(struct attributes *a, str name, str value);

#endif
