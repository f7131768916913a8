/* The tags of a topic. They are one of its settings, as the text of a JSON object. */
#ifndef TOQUE_TOPIC_TAGS_H
#define TOQUE_TOPIC_TAGS_H

#include "common/aws/call.h"
#include "common/aws/tags.h"
#include "topicd/settings.h"

#define TOPIC_TAGS STR("Tags")

/* Both return tags that the caller frees. */
struct tags topic_tags_of(const struct settings *s);
struct tags topic_tags_read(str attributes);
/* No tags: the setting is removed. */
void topic_tags_keep(struct settings *s, const struct tags *t);

/* Adds one tag of a request to `t`; `place`, from 1, is that in the request's list. E_FAULT:
 * refused. */
int topic_tags_add(struct tags *t, u32 place, str key, str value, struct fault *f) MUST_CHECK;
/* Adds every tag of a call's list (NULL: none) to `t`. */
int topic_tags_add_list(struct tags *t, const struct val *list, struct fault *f) MUST_CHECK;

#endif
