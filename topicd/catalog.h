/* All topics and subscriptions, in memory and, through it, in the store: every change of either
 * goes through here, first to the store and then to memory, in one turn. When the commit of a turn
 * fails, catalog_reload brings memory back to what is on disk.
 *
 * A deleted topic and its subscriptions disappear for callers at once; the rows and memory of the
 * subscriptions are freed in the background. If a crash interrupts that, the next load finds the
 * rest as subscriptions without a topic.
 *
 * Accounts and regions are isolated from each other: a struct scope is one account in one region.
 * */
#ifndef TOQUE_CATALOG_H
#define TOQUE_CATALOG_H

#include "common/base/id.h"
#include "common/io/background.h"
#include "topicd/sub.h"
#include "topicd/topic.h"
#include "topicd/topic_store.h"

struct scope {
    str key;             /* "ACCOUNT REGION", own bytes */
    str account, region; /* parts of key */
    struct slots topics; /* its topics */
    struct slots subs;   /* subscriptions that belong to the account, of whichever topic */
    u64 policy_count;    /* of its topics' subscriptions, those with a filter policy */
};

struct catalog {
    struct topic_store *store;
    struct loop *loop; /* gets every change */
    const struct map_seed *seed;
    struct map topics;    /* struct topic by ARN */
    struct map subs;      /* struct sub by ARN, those of deleted topics too */
    struct map scopes;    /* struct scope by key */
    struct map tokens;    /* struct sub by its token, where it has one */
    struct list stepping; /* topics whose matcher has deferred work */
    struct list gone;     /* deleted topics whose subscriptions are not all freed */
    u64 gone_subs;        /* their subscriptions */
    u64 *orphans;         /* ids of subscriptions that a load found without their topic */
    size_t orphan_count, orphan_cap;
    struct background *background;
    struct background_job clearing, compacting;
    struct settings scratch;
    u64 next_topic_id, next_sub_id;
    bool changed; /* in this turn: a failed commit must reload */
    bool usable;  /* what is in memory is what is on disk */
};

/* `seed` is for all hash tables, including those of the topics' matchers. */
void catalog_init(struct catalog *c, struct topic_store *store, struct loop *l,
                  struct background *background, const struct map_seed *seed);
void catalog_deinit(struct catalog *c);
/* Drops the state in memory and reads the store. On failure the catalog is empty. */
int catalog_reload(struct catalog *c) MUST_CHECK;
/* The turn is committed. */
void catalog_committed(struct catalog *c);
/* Subscriptions that callers can see. */
u64 catalog_sub_count(const struct catalog *c);

/* Never NULL: created if it does not exist, so call it only for a scope that is about to be used.
 * */
struct scope *catalog_scope(struct catalog *c, str account, str region);
/* NULL when nothing was ever created in it. */
struct scope *catalog_find_scope(const struct catalog *c, str account, str region);
/* Whether this account and region has something, or may still have. */
bool catalog_has_room_for(struct catalog *c, str account, str region, u64 scopes_max);
struct topic *catalog_topic(const struct catalog *c, str arn);
struct sub *catalog_sub(const struct catalog *c, str arn);
/* The subscription of this protocol and endpoint, or NULL. */
struct sub *catalog_find_sub(const struct topic *t, str protocol, str endpoint);

/* The subscription with this token of confirmation, or NULL. */
struct sub *catalog_find_token(const struct catalog *c, str token);

struct topic *catalog_add_topic(struct catalog *c, struct scope *s, str name, str attributes,
                                i64 now_ms);
void catalog_set_topic(struct catalog *c, struct topic *t, str attributes);
/* Removes its subscriptions, too. Constant time, whatever their number. */
void catalog_remove_topic(struct catalog *c, struct topic *t);

/* `attributes` is canonical text (sub_attr.h). */
struct sub *catalog_add_sub(struct catalog *c, struct topic *t, struct scope *owner, str protocol,
                            str endpoint, str attributes, struct id_source *ids, i64 now_ms);
void catalog_set_sub(struct catalog *c, struct sub *u, str attributes);
void catalog_remove_sub(struct catalog *c, struct sub *u);

#endif
