/* One message on the publish road: what Publish, or one entry of PublishBatch, says; read from the
 * call, checked as the service does, and then given to fan-out and delivery. */
#ifndef TOQUE_PUBLISH_H
#define TOQUE_PUBLISH_H

#include "topicd/message_attr.h"
#include "topicd/sender.h"
#include "topicd/fanout.h"

#define PUBLISH_SUBJECT_MAX  100 /* UTF-16 units */
#define PUBLISH_GROUP_ID_MAX 128

struct publication {
    str entry_id;    /* PublishBatch: the entry's Id */
    str message;     /* as published */
    str sqs_message; /* what the sqs protocol gets of it */
    str subject;     /* p NULL: none */
    str group_id;    /* p NULL: none */
    struct attr_list attrs;
    char message_id[ID_UUID_SIZE];
};

/* Bytes that count against the topic's limit: message and attributes, before anything is checked.
 */
u64 publication_size(const struct val *in);
/* Reads and checks all but the topic. `attrs_path` is the place of the attributes in validation
 * errors. Views live as long as the call. E_FAULT otherwise. */
int publication_read(struct publication *p, const struct val *in, const char *attrs_path,
                     u64 size_max, struct arena *arena, struct fault *f) MUST_CHECK;

/* What a message gets on its way, the same for all of one call. */
struct publish_context {
    struct fanout *fanout;
    struct sender *sender;
    struct id_source *ids;
    str public_url, trace_header;
    i64 now_ms;
};
/* Gives the message its id, asks who gets it, and puts it into the frames of this turn; `flight`
 * waits for them. */
void publish_apply(const struct publish_context *context, struct topic *t, struct publication *p,
                   struct flight *flight);

#endif
