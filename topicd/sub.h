/* A subscription: which endpoint gets which messages of a topic, and in which form. Created and
 * freed by the catalog (catalog.h) only. There may be a million of them, so rarely read attributes
 * stay JSON text. */
#ifndef TOQUE_SUB_H
#define TOQUE_SUB_H

#include "filter/filter.h"
#include "topicd/settings.h"

struct scope;
struct topic;

/* The route (route.h) by which a subscription gets its messages; its protocol determines it. */
enum route_kind {
    ROUTE_NONE, /* no route for that protocol: the store is of a later version */
    ROUTE_QUEUED,
    ROUTE_CAPTURED,
    ROUTE_KINDS
};

/* A subscription's ARN is its topic's with a colon and a UUID appended. */
#define SUB_ARN_TAIL 37
/* Hexadecimal digits of a token of confirmation.h. */
#define SUB_TOKEN_SIZE 288

struct sub {
    u64 id; /* in the store */
    struct topic *topic;
    struct scope *owner;    /* the subscribing account, for lists */
    u32 place;              /* in topic->subs; the matcher's id */
    u32 owner_place;        /* in owner->subs */
    u32 home, home_version; /* index of the home of its queue: queued_route.c's cache */
    bool raw;               /* RawMessageDelivery */
    bool has_policy;
    bool pending;         /* not confirmed by its endpoint: it gets nothing */
    bool unauthenticated; /* ConfirmationWasAuthenticated is false */
    bool guarded;         /* AuthenticateOnUnsubscribe */
    u8 route;             /* enum route_kind */
    u8 protocol_n;        /* length of the protocol in `key` */
    u32 attributes_n;
    i64 created_ms;
    str arn, key;     /* own bytes; key is "PROTOCOL ENDPOINT" */
    char *token;      /* own bytes, SUB_TOKEN_SIZE; NULL: its endpoint never had to confirm */
    char *attributes; /* own bytes: settings.h's JSON text, canonical (sub_attr.h) */
};

static inline str sub_protocol(const struct sub *u)
{
    return str_slice(u->key, 0, u->protocol_n);
}

static inline str sub_endpoint(const struct sub *u)
{
    return str_slice(u->key, (size_t)u->protocol_n + 1, u->key.n);
}

static inline str sub_attributes(const struct sub *u)
{
    return str_from(u->attributes, u->attributes_n);
}

/* A static string; NULL: the store is of a later version. */
const char *sub_protocol_name(const struct sub *u);

/* Copies the texts; the caller sets links and places. */
struct sub *sub_new(str arn, str protocol, str endpoint);
void sub_free(struct sub *u);
/* Copies the text. Fills `raw`, `has_policy` and what is about its confirmation from it, and returns its policy, if any, in
 * *ret_policy (the caller frees it). `scratch` is reset and used. E_INVALID: the text is not
 * canonical, or its policy is refused. */
int sub_set_attributes(struct sub *u, str attributes, struct settings *scratch,
                       struct policy **ret_policy, struct fault *f) MUST_CHECK;

#endif
