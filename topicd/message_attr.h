/* Message attributes of a publish: read from the call and checked as Amazon SNS does ("Message
 * attributes", developer guide). */
#ifndef TOQUE_TOPICD_MESSAGE_ATTR_H
#define TOQUE_TOPICD_MESSAGE_ATTR_H

#include "common/aws/call.h"
#include "common/aws/message_attr.h"
#include "filter/filter.h"

struct attr_list {
    struct filter_attr *items; /* in the arena; Binary values are decoded */
    size_t n;
    u64 size; /* bytes of names, types and values */
};

/* Members of a MessageAttributes value, for the tables of actions. */
extern const struct member ATTR_MEMBERS[];

/* `map` is a MAP of ATTR_MEMBERS, or NULL. `path` is its path in validation errors, such as
 * "messageAttributes". E_FAULT: refused. */
int attr_read(struct attr_list *ret, const struct val *map, const char *path, struct arena *arena,
              struct fault *f) MUST_CHECK;
/* With raw delivery a message with other attributes is not delivered: SQS accepts ten at most
 * (Amazon SNS raw message delivery), and no control characters in their values. */
bool attr_fits_raw(const struct filter_attr *attrs, size_t n);

#endif
