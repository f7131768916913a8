/* User attributes of a message: their rules, their size and their digest. Rules and texts as Amazon
 * SQS has them ("Amazon SQS message metadata", and what the service was seen to answer). */
#ifndef TOQUE_QUEUED_MESSAGE_ATTR_H
#define TOQUE_QUEUED_MESSAGE_ATTR_H

#include "common/base/buf.h"
#include "common/aws/call.h"
#include "common/base/hash.h"

#define ATTR_COUNT_MAX 10
#define ATTR_NAME_MAX  256 /* bytes */
#define ATTR_TYPE_MAX  256 /* bytes, the label counted in */

struct attr {
    str name, type, value; /* value: text, or the bytes of a Binary */
};

struct attrs {
    u32 n;
    struct attr items[ATTR_COUNT_MAX]; /* in the order of their names' bytes */
};

static inline bool attr_is_binary(const struct attr *a)
{
    return str_starts(a->type, STR("Binary"));
}

/* The MessageAttributes map of a send (NULL: none), checked. Views point into it. E_FAULT and `f`.
 */
int attrs_read(const struct val *map, struct attrs *ret, struct fault *f) MUST_CHECK;
/* The MessageSystemAttributes map: AWSTraceHeader alone is known. *ret is its value, or "". */
int attrs_read_system(const struct val *map, str *ret, struct fault *f) MUST_CHECK;
/* Bytes that count against the limit: names, types and values. */
size_t attrs_size(const struct attrs *a);
/* Digest over all of them; `work` is emptied and used. */
char *attrs_md5(const struct attrs *a, struct buf *work, char ret[HASH_MD5_HEX]);
/* Puts one in its place by name; no more than ATTR_COUNT_MAX may be put. */
void attrs_put(struct attrs *a, const struct attr *item);

/* Whether text holds only characters that a message may hold: #x9 #xA #xD, #x20 to #xD7FF, #xE000
 * to #xFFFD, #x10000 to #x10FFFF. The text is well-formed UTF-8. */
bool attr_is_text(str s);
/* A MessageGroupId: 1 to 128 letters, digits and punctuation marks, ASCII. */
bool attr_is_group_id(str s);

#endif
