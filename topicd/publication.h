/* One published message: the parameters of Publish or of one PublishBatch entry, read from the call
 * and checked as the service does; acceptance adds its id and time. */
#ifndef TOQUE_PUBLICATION_H
#define TOQUE_PUBLICATION_H

#include "common/base/id.h"
#include "topicd/message_attr.h"

#define PUBLICATION_SUBJECT_MAX 100 /* UTF-16 units */

/* The text for one protocol in a message with MessageStructure=json. */
struct publication_text {
    struct publication_text *next;
    const char *protocol;
    str text;
};

struct publication {
    str entry_id; /* PublishBatch: the entry's Id */
    str message;  /* as published; a subscription gets publication_text */
    str subject;  /* p NULL: none */
    str group_id; /* p NULL: none */
    str dedup_id; /* of a FIFO topic: as given, or the digest of the message; else p NULL */
    str fifo;     /* of a FIFO topic: as in struct frame_publication, set by fifo_dedup_begin; "" */
    struct attr_list attrs;
    bool structured; /* MessageStructure=json */
    str fallback;    /* structured: for protocols that have no text of their own */
    struct publication_text *texts;
    struct arena *arena; /* the call's */
    char message_id[ID_UUID_SIZE];
    i64 time_ms;           /* of acceptance */
    str topic;             /* its ARN */
    str public_url, trace; /* base of the URLs in notifications; X-Amzn-Trace-Id or "" */
};

/* Bytes that count against the topic's limit: message and attributes, not yet checked.
 * */
u64 publication_size(const struct val *in);
/* What the topic demands. */
struct publication_rules {
    u64 size_max;
    bool fifo;          /* a FIFO topic; and its */
    bool content_dedup; /* ContentBasedDeduplication */
    bool no_default;    /* a structured message needs no text for other protocols */
};

/* Reads and checks everything but the topic. `attrs_path` is the path of the attributes in
 * validation errors. Views live as long as the call. E_FAULT: refused. */
int publication_read(struct publication *p, const struct val *in, const char *attrs_path,
                     const struct publication_rules *rules, struct arena *arena,
                     struct fault *f) MUST_CHECK;
/* Assigns its message id and time. */
void publication_accept(struct publication *p, struct id_source *ids, i64 now_ms);
/* The text for subscriptions of that protocol ("sqs"); looked up at the first call. p NULL: there is
 * none, where none is needed. `protocol` lives as long as the call. */
str publication_text(struct publication *p, const char *protocol);

#endif
