/* Message attributes as Amazon SQS and Amazon SNS share them: valid types and values, size and
 * digest. Error texts and the order of checks differ between the services and are in message_attr.c
 * of queued and of topicd. */
#ifndef TOQUE_MESSAGE_ATTR_H
#define TOQUE_MESSAGE_ATTR_H

#include "common/base/buf.h"
#include "common/base/hash.h"

#define MESSAGE_ATTRS_MAX     10  /* of a message of SQS */
#define MESSAGE_ATTR_NAME_MAX 256 /* bytes */
#define MESSAGE_ATTR_TYPE_MAX 256 /* bytes, including the label */

struct message_attr {
    str name, type, value; /* value: text, or the bytes of a Binary */
};

struct message_attrs {
    u32 n;
    struct message_attr items[MESSAGE_ATTRS_MAX]; /* sorted by the bytes of their names */
};

/* "String", "Number" or "Binary", alone or followed by a dot and a label; the label may be empty.
 * */
#define MESSAGE_ATTR_BASE_SIZE 6 /* bytes of each */
enum message_attr_base {
    MESSAGE_ATTR_NONE,
    MESSAGE_ATTR_STRING,
    MESSAGE_ATTR_NUMBER,
    MESSAGE_ATTR_BINARY
};
enum message_attr_base message_attr_base(str type);
static inline bool message_attr_is_binary(const struct message_attr *a)
{
    return str_starts(a->type, STR("Binary"));
}

/* Whether a value may be a Number: a decimal as Java's BigDecimal reads it, of at most 38
 * significant digits, the first of them at 10^-128 to 10^126. */
enum message_number {
    MESSAGE_NUMBER_FINE,
    MESSAGE_NUMBER_SPELLING,
    MESSAGE_NUMBER_RANGE,
    MESSAGE_NUMBER_PRECISION
};
enum message_number message_number(str value);

/* Inserts an attribute in the order of names; at most MESSAGE_ATTRS_MAX in total. */
void message_attrs_put(struct message_attrs *a, const struct message_attr *item);
/* Bytes that count against the limit: names, types and values. */
size_t message_attrs_size(const struct message_attrs *a);
/* Digest over all of them; `work` is emptied and used. */
char *message_attrs_md5(const struct message_attrs *a, struct buf *work, char ret[HASH_MD5_HEX]);

/* Whether the text has only characters that are valid in a message: #x9 #xA #xD, #x20 to #xD7FF,
 * #xE000 to #xFFFD, #x10000 to #x10FFFF. The text is well-formed UTF-8. */
bool message_is_text(str s);
/* A MessageGroupId: 1 to 128 letters, digits and punctuation marks, ASCII. */
bool message_is_group_id(str s);

#endif
