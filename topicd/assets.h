/* An account's objects besides topics and subscriptions: platform applications, their endpoints,
 * SMS attributes, phone numbers of the sandbox, and phone numbers that opted out. They are few and
 * small, so each is a named record with a text value, in memory and in the store.
 *
 * Assets of one kind that are listed together are a group: an application's endpoints; what an
 * account has in a region ("ACCOUNT REGION"). A group that is removed disappears at once; its rows
 * and memory are freed in the background. A change belongs to the turn in which it is made; when
 * the turn fails, assets_reload restores memory from the store. */
#ifndef TOQUE_ASSETS_H
#define TOQUE_ASSETS_H

#include "common/base/list.h"
#include "common/base/map.h"
#include "common/io/background.h"
#include "topicd/slots.h"
#include "topicd/topic_store.h"

/* The values are stored and must not change. */
enum asset_kind {
    ASSET_CAPTURED = 1, /* captured.h */
    ASSET_APPLICATION,
    ASSET_ENDPOINT,
    ASSET_SMS_ATTRIBUTES,
    ASSET_SANDBOX_NUMBER,
    ASSET_OPTED_OUT,
};
#define ASSET_KIND_MAX 1000 /* of the future */

/* Assets of one group, at most; further ones are refused. */
#define ASSETS_GROUP_MAX 1000000

struct asset_group {
    str key;            /* "KIND GROUP", own bytes */
    struct slots slots; /* of struct asset */
    struct list going;  /* on assets.gone */
    bool gone;
    u32 cleared; /* gone: places below this one are freed */
};

struct asset {
    u64 id;
    u32 kind, place;
    struct asset_group *group;
    str key, alias_key; /* "KIND NAME", "KIND ALIAS"; own bytes */
    str name, alias;    /* ends of the two; alias "": none */
    str value;          /* own bytes */
};

struct assets {
    struct topic_store *store;
    struct loop *loop;
    struct background *background;
    const struct map_seed *seed;
    struct map by_name, by_alias, groups; /* by their keys */
    struct list gone;                     /* groups */
    struct background_job clearing;
    bool changed; /* in this turn */
};

void assets_init(struct assets *ts, struct topic_store *store, struct loop *l,
                 struct background *background, const struct map_seed *seed);
void assets_deinit(struct assets *ts);
int assets_reload(struct assets *ts) MUST_CHECK;

/* NULL: there is none. */
struct asset *assets_find(const struct assets *ts, enum asset_kind kind, str name);
struct asset *assets_find_alias(const struct assets *ts, enum asset_kind kind, str alias);
/* NULL: none was ever added. */
const struct slots *assets_group(const struct assets *ts, enum asset_kind kind, str group);
/* What follows the kind in its key. */
str asset_group_name(const struct asset_group *g);
/* There is no asset of that kind with that name or alias; `alias` may be "". NULL: the group is
 * full. */
struct asset *assets_add(struct assets *ts, enum asset_kind kind, str group, str name, str alias,
                         str value);
void assets_set(struct assets *ts, struct asset *t, str value);
void assets_remove(struct assets *ts, struct asset *t);
void assets_remove_group(struct assets *ts, enum asset_kind kind, str group);
/* The turn is committed. */
static inline void assets_committed(struct assets *ts)
{
    ts->changed = false;
}

#endif
