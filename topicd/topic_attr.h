/* Attributes that can be set on a topic, and those that GetTopicAttributes returns: Amazon SNS API
 * reference, SetTopicAttributes and CreateTopic. */
#ifndef TOQUE_TOPIC_ATTR_H
#define TOQUE_TOPIC_ATTR_H

#include "common/aws/call.h"
#include "topicd/topic.h"

/* Set by CreateTopic only: "true", or the topic is a standard one. A FIFO topic always has
 * ContentBasedDeduplication, too. */
#define TOPIC_FIFO            STR("FifoTopic")
#define TOPIC_CONTENT_DEDUP   STR("ContentBasedDeduplication")
#define TOPIC_DATA_PROTECTION STR("DataProtectionPolicy")

/* Settings of a topic that are not attributes: SetTopicAttributes and GetTopicAttributes do not
 * know them. */
bool topic_attr_is_hidden(str name);
/* A data protection policy: a JSON object of bounded size, or "". */
int topic_attr_check_protection(str policy, struct fault *f) MUST_CHECK;

/* Checks `value` for `name` and adds it to `settings` in its stored form; an empty value removes
 * the setting where the service allows that. `frame` is FAULT_PREFIX or FAULT_FRAME_CREATE, and
 * determines how an unknown name is refused. */
int topic_attr_set(struct settings *settings, str topic_arn, str name, str value, const char *frame,
                   struct fault *f) MUST_CHECK;
/* Whether the topic has every setting of `wanted` (made by topic_attr_set) with an equivalent
 * value. */
bool topic_attr_agree(const struct settings *wanted, const struct topic *t);
/* Appends the access policy in effect; `s` are the topic's settings. */
void topic_attr_policy(const struct topic *t, const struct settings *s, struct buf *out);
/* Writes the topic's attributes as the entries of the map that is open in c's answer. */
void topic_attr_out(struct call *c, const struct topic *t);

#endif
