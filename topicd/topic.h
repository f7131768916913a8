/* A topic: its name, its attributes, its subscriptions, and the matcher that selects those that get
 * a message. Created and freed by the catalog (catalog.h) only. */
#ifndef TOQUE_TOPIC_H
#define TOQUE_TOPIC_H

#include "common/base/list.h"
#include "common/base/map.h"
#include "filter/filter.h"
#include "topicd/settings.h"
#include "topicd/slots.h"

/* Bytes of a message including attributes, where the topic's MaximumMessageSize is not set. */
#define TOPIC_MESSAGE_SIZE_DEFAULT 262144
#define TOPIC_MESSAGE_SIZE_MIN     1024
#define TOPIC_MESSAGE_SIZE_MAX     1048576
/* Subscriptions of a topic whose MaximumMessageSize exceeds the default. */
#define TOPIC_LARGE_SUBS_MAX 100
/* "SubscriptionLimitExceeded", Amazon SNS quotas. */
#define TOPIC_SUBS_MAX      12500000
#define TOPIC_FIFO_SUBS_MAX 100

struct scope;

struct topic {
    u64 id;              /* in the store */
    struct scope *scope; /* account and region */
    u32 place;           /* in scope->topics */
    u32 message_size_max;
    u32 policy_count;                         /* subscriptions with a filter policy */
    u32 pending_count;                        /* subscriptions that are not confirmed */
    bool fifo, content_dedup, dedup_by_group; /* FifoTopic, ContentBasedDeduplication, and
                                               * FifoThroughputScope is MessageGroup */
    i64 created_ms;
    str arn, name;           /* own bytes; name is the end of arn */
    str attributes;          /* own bytes: settings.h's JSON text */
    struct matcher *matcher; /* ids are places in `subs` */
    struct slots subs;       /* of struct sub */
    struct map endpoints;    /* struct sub by its key: one per protocol and endpoint */
    struct list stepping;    /* on the catalog's list while the matcher has deferred work */
    bool gone;               /* deleted: callers see neither it nor its subscriptions */
    u32 cleared;             /* gone: places below this one are freed */
    struct list going;       /* on the catalog's list of deleted topics */
};

/* Copies the texts; id, scope, place are the caller's to set. */
struct topic *topic_new(str arn, str name, str attributes, const struct map_seed *seed);
/* All its subscriptions must have been freed. */
void topic_free(struct topic *t);
/* Copies the text; parses the values that publishing needs. */
void topic_set_attributes(struct topic *t, str attributes);
/* "arn:PARTITION:sns:REGION:ACCOUNT:NAME" appended to out. */
void topic_arn_write(struct buf *out, str region, str account, str name);

#endif
