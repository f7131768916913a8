/* The subscription filter language: the public interface of filter/.
 *
 *   struct policy   one FilterPolicy, validated and refused as the service does
 *   struct matcher  many policies compiled into one; queried once per publish, returns the set of
 *                   subscriptions that receive the message
 *
 * Nothing here depends on topics or queues. A matcher belongs to one thread; once its buffers have
 * grown, matching does not allocate. Rules: the Amazon SNS developer guide, "Amazon SNS
 * subscription filter policies". */
#ifndef TOQUE_FILTER_H
#define TOQUE_FILTER_H

#include "common/base/err.h"
#include "common/base/map.h"
#include "common/base/str.h"

/* What a policy is applied to; never both. */
enum filter_scope {
    FILTER_ATTRIBUTES, /* "MessageAttributes", the default */
    FILTER_BODY,       /* "MessageBody" */
};

/* Codes that policy_new puts into a fault. */
enum filter_fault {
    FILTER_FAULT_POLICY = 900, /* the text follows "FilterPolicy: " in the service's answer */
    FILTER_FAULT_SCOPE,        /* nested policy in attribute scope: the text has no such prefix */
};

/* The service's limits on one policy; a zero member means no limit. */
struct filter_limits {
    u32 keys_max;            /* leaf lists, on all levels: 5 */
    u32 combinations_max;    /* 150 */
    u32 wildcards_max;       /* asterisks in one pattern: 3 */
    u32 wildcard_points_max; /* 100 */
    u32 text_size_max;       /* bytes: 262144 */
};
extern const struct filter_limits FILTER_LIMITS_SNS;
extern const struct filter_limits FILTER_LIMITS_NONE;

/* One validated policy. Immutable. */
struct policy;

/* Parses `text` (JSON) for `scope`. Empty text and {} are policies that accept everything
 * (policy_is_empty). Returns 0 and a policy that the caller frees with policy_free, or E_FAULT with
 * the service's text (without the operation's prefix) and its place in `f`. */
int policy_new(struct policy **ret, str text, enum filter_scope scope,
               const struct filter_limits *limits, struct fault *f) MUST_CHECK;
void policy_free(struct policy *p); /* NULL accepted */
/* The compact serialisation that the service stores and returns; valid as long as the policy. */
str policy_text(const struct policy *p);
enum filter_scope policy_scope(const struct policy *p);
bool policy_is_empty(const struct policy *p);
/* Exactly "MessageAttributes" or "MessageBody"; otherwise E_INVALID. */
int filter_scope_read(str text, enum filter_scope *ret);
const char *filter_scope_name(enum filter_scope scope);

/* One message attribute as published. */
struct filter_attr {
    str name;
    str type;  /* "String", "Number", "String.Array", "Binary", with any label after a dot */
    str value; /* StringValue; for Binary the decoded bytes */
};

/* One message as the filter sees it. All views are borrowed for the call. */
struct filter_message {
    const struct filter_attr *attrs;
    size_t attr_count;
    str body; /* what the subscription's protocol receives (MessageStructure=json is resolved
               * before) */
};

/* Why no policy of a scope can match at all; the service's metrics distinguish these. */
enum filter_eligibility {
    FILTER_ELIGIBLE,
    FILTER_NO_ATTRIBUTES,
    FILTER_INVALID_ATTRIBUTES,
    FILTER_INVALID_BODY,
};

/* A run of subscription ids in the matcher's own memory. */
struct filter_span {
    const u32 *ids;
    u32 n;
};

/* The result of one match. Zero it before first use and release it with filter_hits_deinit; in
 * between it is reused. Every id appears once. Spans are valid until the matcher is changed or
 * matches again. */
struct filter_hits {
    struct filter_span *spans;
    size_t n, cap;
    u64 total;                          /* sum of the spans' lengths */
    enum filter_eligibility attributes; /* FILTER_ELIGIBLE also when no policy has this scope */
    enum filter_eligibility body;
};
void filter_hits_deinit(struct filter_hits *h);

/* Many policies compiled for joint evaluation. */
struct matcher;

/* `seed` (NULL: the process's own) seeds its hash tables, as in map.h; it also determines the order
 * of ids in a result. */
struct matcher *matcher_new(const struct map_seed *seed);
void matcher_free(struct matcher *m); /* NULL accepted */
/* Adds subscription `id` (any number not in use in this matcher) with its policy; NULL or an empty
 * policy receives every message. The policy is not kept. Effective at the next match; deferrable
 * work is left to matcher_step. */
void matcher_add(struct matcher *m, u32 id, const struct policy *p);
/* E_NOT_FOUND when there is no such id. */
int matcher_remove(struct matcher *m, u32 id);
u32 matcher_count(const struct matcher *m);
/* Finds the subscriptions that receive the message. */
void matcher_match(struct matcher *m, const struct filter_message *msg, struct filter_hits *ret);
/* Does a slice of deferred work (compaction), some ten microseconds long. True: there is more. */
bool matcher_step(struct matcher *m);
/* Live bytes of the compiled form. */
size_t matcher_bytes(const struct matcher *m);

#endif
