/* A topic: its name, what was set on it, its subscriptions, and the matcher that says which of them
 * get a message. Made and ended by the catalog (catalog.h) only. */
#ifndef TOQUE_TOPIC_H
#define TOQUE_TOPIC_H

#include "common/base/list.h"
#include "common/base/map.h"
#include "filter/filter.h"
#include "topicd/settings.h"
#include "topicd/slots.h"

/* Bytes of a message, attributes counted, where the topic says nothing else. */
#define TOPIC_MESSAGE_SIZE_DEFAULT 262144
#define TOPIC_MESSAGE_SIZE_MIN     1024
#define TOPIC_MESSAGE_SIZE_MAX     1048576
/* Subscriptions of a topic that takes larger messages than the default. */
#define TOPIC_LARGE_SUBS_MAX 100
/* "SubscriptionLimitExceeded", Amazon SNS quotas. */
#define TOPIC_SUBS_MAX 12500000

struct scope;

struct topic {
    u64 id;              /* in the store */
    struct scope *scope; /* account and region */
    u32 place;           /* on the scope's shelf */
    u32 message_size_max;
    u32 policy_count; /* subscriptions with a filter policy */
    i64 created_ms;
    str arn, name;           /* own bytes; name is the end of arn */
    str attributes;          /* own bytes: settings.h's JSON text */
    struct matcher *matcher; /* ids are places on `subs` */
    struct slots subs;       /* of struct sub */
    struct map endpoints;    /* struct sub by its key: one per protocol and endpoint */
    struct list stepping;    /* on the catalog's list while the matcher has put-off work */
    bool gone;               /* deleted: it and its subscriptions are there for nobody any more */
    u32 cleared;             /* its places up to here are cleared away */
    struct list going;       /* on the catalog's list of deleted topics */
};

/* Copies the texts; id, scope, place are the caller's to set. */
struct topic *topic_new(str arn, str name, str attributes, const struct map_seed *seed);
/* Its subscriptions must be gone. */
void topic_free(struct topic *t);
/* Copies; reads from it what publishing needs. */
void topic_set_attributes(struct topic *t, str attributes);
/* "arn:PARTITION:sns:REGION:ACCOUNT:NAME" appended to out. */
void topic_arn_write(struct buf *out, str region, str account, str name);

#endif
