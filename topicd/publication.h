/* One message as it is published: what Publish, or one entry of PublishBatch, says; read from the
 * call and checked as the service does, with what it is given when it is accepted. */
#ifndef TOQUE_PUBLICATION_H
#define TOQUE_PUBLICATION_H

#include "common/base/id.h"
#include "topicd/message_attr.h"

#define PUBLICATION_SUBJECT_MAX 100 /* UTF-16 units */

/* What one protocol gets of a message with MessageStructure=json. */
struct publication_text {
    struct publication_text *next;
    const char *protocol;
    str text;
};

struct publication {
    str entry_id; /* PublishBatch: the entry's Id */
    str message;  /* as published; publication_text says what a subscription gets */
    str subject;  /* p NULL: none */
    str group_id; /* p NULL: none */
    struct attr_list attrs;
    bool structured; /* MessageStructure=json */
    str fallback;    /* structured: for protocols that it does not name */
    struct publication_text *texts;
    struct arena *arena; /* the call's */
    char message_id[ID_UUID_SIZE];
    i64 time_ms;           /* of acceptance */
    str topic;             /* its ARN */
    str public_url, trace; /* base of the URLs in notifications; X-Amzn-Trace-Id or "" */
};

/* Bytes that count against the topic's limit: message and attributes, before anything is checked.
 */
u64 publication_size(const struct val *in);
/* Reads and checks all but the topic. `attrs_path` is the place of the attributes in validation
 * errors. Views live as long as the call. E_FAULT otherwise. */
int publication_read(struct publication *p, const struct val *in, const char *attrs_path,
                     u64 size_max, struct arena *arena, struct fault *f) MUST_CHECK;
/* It is published: gives it its id and its time. */
void publication_accept(struct publication *p, struct id_source *ids, i64 now_ms);
/* What subscriptions of that protocol ("sqs") get; found once, when it is first asked for. */
str publication_text(struct publication *p, const char *protocol);

#endif
