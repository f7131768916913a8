/* Message attributes of a publish: taken out of the call and checked as Amazon SNS does
 * ("Message attributes", developer guide). Also what may stand in texts at all. */
#ifndef TOQUE_TOPICD_MESSAGE_ATTR_H
#define TOQUE_TOPICD_MESSAGE_ATTR_H

#include "common/aws/call.h"
#include "filter/filter.h"

#define ATTR_NAME_MAX 256
/* With raw delivery a message with more attributes is not delivered: SQS takes no more. */
#define ATTR_RAW_MAX 10

struct attr_list {
    struct filter_attr *items; /* in the arena; values of Binary are decoded */
    size_t n;
    u64 size; /* bytes of names, types and values */
};

/* Members of a MessageAttributes value, for the tables of actions. */
extern const struct member ATTR_MEMBERS[];

/* `map` is a MAP of ATTR_MEMBERS, or NULL. `path` is its place for validation errors, such as
 * "messageAttributes". E_FAULT otherwise. */
int attr_read(struct attr_list *ret, const struct val *map, const char *path, struct arena *arena,
              struct fault *f) MUST_CHECK;

/* Whether all characters are of XML 1.0: tab, LF, CR, U+0020-D7FF, E000-FFFD, 10000-10FFFF. The
 * text is UTF-8 already. */
bool attr_is_xml_text(str text);

#endif
