/* Captured messages: what the service would send by e-mail, SMS, push or to Firehose is stored for
 * inspection instead. The most recent ones are kept in memory and in the store, and the oldest are
 * removed beyond the limit; a message is durable with the turn in which it is added.
 *
 * Each is a JSON object; its members are those that tests written for LocalStack read, and a few
 * more: id, protocol, endpoint, type, Timestamp. */
#ifndef TOQUE_CAPTURED_H
#define TOQUE_CAPTURED_H

#include "common/aws/desk.h"
#include "topicd/publication.h"
#include "topicd/topic_store.h"

struct captured_message {
    struct list link;
    u64 id;
    str protocol, endpoint; /* own bytes, as json; one block */
    str region, account;    /* of the topic or endpoint; of the caller for phone numbers */
    str json;
};

struct captured {
    struct topic_store *store;
    struct loop *loop;
    u64 count_max, bytes_max;
    struct list messages; /* oldest first */
    u64 count, bytes;
    bool changed; /* in this turn */
};

/* What is captured; strings that do not apply have p NULL. */
struct captured_new {
    const char *protocol, *type; /* type: "Notification", "SubscriptionConfirmation", … */
    str endpoint, account, region;
    str topic, subscription;
    str message_id, subject, message;
    bool structured; /* `message` is the document as published with MessageStructure=json */
    str payload;     /* structured: the text for that endpoint */
    const struct attr_list *attrs; /* or NULL */
    str token, url;                /* of confirmations */
    i64 time_ms;
};

void captured_init(struct captured *c, struct topic_store *store, struct loop *l, u64 count_max,
                   u64 bytes_max);
void captured_deinit(struct captured *c);
int captured_reload(struct captured *c) MUST_CHECK;
void captured_add(struct captured *c, const struct captured_new *n);
/* So many messages with `size` bytes of text or more are kept at most. */
static inline size_t captured_keeps(const struct captured *c, size_t size)
{
    return MIN(c->count_max, c->bytes_max / (size + 1) + 1);
}
void captured_remove(struct captured *c, struct captured_message *m);
/* The turn is committed. */
static inline void captured_committed(struct captured *c)
{
    c->changed = false;
}

/* GET and DELETE of /_toque/outbox and of LocalStack's pages: captured_page.c. */
void captured_add_pages(struct captured *c, struct desk *d);

#endif
