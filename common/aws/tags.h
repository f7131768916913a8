/* The tags of a resource: what TagQueue and TagResource set, ListQueueTags and ListTagsForResource
 * tell. Sources: Amazon SQS, "Amazon SQS cost allocation tags"; Amazon SNS API reference, Tag. */
#ifndef TOQUE_TAGS_H
#define TOQUE_TAGS_H

#include "common/base/buf.h"
#include "common/base/err.h"

#define TAGS_MAX      50  /* of one resource */
#define TAG_KEY_MAX   128 /* characters; at least one */
#define TAG_VALUE_MAX 256 /* characters; may be empty */

struct tag {
    str key, value; /* own bytes, in one block that begins with the key */
};

/* Sorted by the bytes of the keys, each key once. A zeroed one has none. */
struct tags {
    struct tag *items;
    u32 n;
};

void tags_deinit(struct tags *t);
void tags_copy(struct tags *to, const struct tags *from);
/* NULL: there is none. */
const struct tag *tags_find(const struct tags *t, str key);
/* Adds it, or replaces the value. Checks nothing. */
void tags_set(struct tags *t, str key, str value);
/* Nothing happens without it. */
void tags_remove(struct tags *t, str key);
/* Whether every tag of `part` is in `t` with the same value. */
bool tags_hold(const struct tags *t, const struct tags *part);

/* What the services refuse of a tag, as a sentence; NULL: it is fine. Both are UTF-8. */
const char *tags_refuse(str key, str value);

/* Appends {"key":"value",…}. */
void tags_write(const struct tags *t, struct buf *out);

#endif
