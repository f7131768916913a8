/* A subscription: which endpoint gets what of a topic, and in which form. Made and ended by the
 * catalog (catalog.h) only. There may be a million of them, so what is rarely read stays in its
 * JSON text. */
#ifndef TOQUE_SUB_H
#define TOQUE_SUB_H

#include "filter/filter.h"
#include "topicd/settings.h"

struct scope;
struct topic;

/* By which route (route.h) a subscription gets its messages: its protocol says. */
enum route_kind {
    ROUTE_NONE, /* nothing here delivers to that protocol: a store of a later version */
    ROUTE_QUEUED,
    ROUTE_KINDS
};

/* Behind a topic's ARN, a colon and a UUID make a subscription's. */
#define SUB_ARN_TAIL 37

struct sub {
    u64 id; /* in the store */
    struct topic *topic;
    struct scope *owner;    /* whose subscription it is, for lists */
    u32 place;              /* on the topic's shelf; the matcher's id */
    u32 owner_place;        /* on the owner's shelf */
    u32 home, home_version; /* which queued has its queue: queued_route.c's memory */
    bool raw;               /* RawMessageDelivery */
    bool has_policy;
    u8 route;      /* enum route_kind */
    u8 protocol_n; /* length of the protocol in `key` */
    u32 attributes_n;
    i64 created_ms;
    str arn, key;     /* own bytes; key is "PROTOCOL ENDPOINT" */
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

/* Copies the texts; links and places are the caller's to set. */
struct sub *sub_new(str arn, str protocol, str endpoint);
void sub_free(struct sub *u);
/* Copies. Fills `raw` and `has_policy` from it, and puts the policy that it holds, if any, in
 * *ret_policy (the caller frees it). `scratch` is reset and used. E_INVALID: what stands there is
 * no canonical text, or its policy is refused. */
int sub_set_attributes(struct sub *u, str attributes, struct settings *scratch,
                       struct policy **ret_policy, struct fault *f) MUST_CHECK;

#endif
