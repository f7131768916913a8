/* The subscription filter language: the whole public face of filter/.
 *
 *   struct policy   one FilterPolicy, checked and refused as the service does
 *   struct matcher  many policies compiled into one; asked once per publish, answers with the set
 *                   of subscriptions that get the message
 *
 * Nothing here knows a topic or a queue. A matcher belongs to one thread; matching allocates
 * nothing once it is warm. Rules: the Amazon SNS developer guide, "Amazon SNS subscription filter
 * policies". */
#ifndef TOQUE_FILTER_H
#define TOQUE_FILTER_H

#include "common/base/err.h"
#include "common/base/map.h"
#include "common/base/str.h"

/* What a policy looks at; never both. */
enum filter_scope {
    FILTER_ATTRIBUTES, /* "MessageAttributes", the default */
    FILTER_BODY,       /* "MessageBody" */
};

/* Codes that policy_new puts into a fault. */
enum filter_fault {
    FILTER_FAULT_POLICY = 900, /* text behind "FilterPolicy: " in the service's answer */
    FILTER_FAULT_SCOPE, /* nested policy in attribute scope: text stands without that frame */
};

/* The service's limits on one policy; zero members mean no limit. */
struct filter_limits {
    u32 keys_max;            /* leaf lists, everywhere: 5 */
    u32 combinations_max;    /* 150 */
    u32 wildcards_max;       /* asterisks in one pattern: 3 */
    u32 wildcard_points_max; /* 100 */
    u32 text_size_max;       /* bytes: 262144 */
};
extern const struct filter_limits FILTER_LIMITS_SNS;
extern const struct filter_limits FILTER_LIMITS_NONE;

/* One checked policy. Immutable. */
struct policy;

/* Reads `text` (JSON) for `scope`. Empty text and {} are policies that let everything through
 * (policy_is_empty). Returns 0 and a policy that the caller frees with policy_free, or E_FAULT with
 * the service's text (without the operation's frame), and place in `f`. */
int policy_new(struct policy **ret, str text, enum filter_scope scope,
               const struct filter_limits *limits, struct fault *f) MUST_CHECK;
void policy_free(struct policy *p); /* NULL accepted */
/* The compact re-serialisation that the service stores and returns; lives as long as the policy. */
str policy_text(const struct policy *p);
enum filter_scope policy_scope(const struct policy *p);
bool policy_is_empty(const struct policy *p);
/* "MessageAttributes" or "MessageBody", exactly; E_INVALID otherwise. */
int filter_scope_read(str text, enum filter_scope *ret);
const char *filter_scope_name(enum filter_scope scope);

/* One message attribute as published. */
struct filter_attr {
    str name;
    str type;  /* "String", "Number", "String.Array", "Binary", with any label behind a dot */
    str value; /* StringValue's text; for Binary the decoded bytes */
};

/* One message as the filter sees it. All views are borrowed for the call. */
struct filter_message {
    const struct filter_attr *attrs;
    size_t attr_count;
    str body; /* what the subscription's protocol would get (MessageStructure=json is resolved
                 before) */
};

/* Why no policy of a scope could match at all; what the service's metrics tell apart. */
enum filter_eligibility {
    FILTER_ELIGIBLE,
    FILTER_NO_ATTRIBUTES,
    FILTER_INVALID_ATTRIBUTES,
    FILTER_INVALID_BODY,
};

/* A run of subscription ids inside the matcher's own memory. */
struct filter_span {
    const u32 *ids;
    u32 n;
};

/* The answer of one match. Zero it before its first use and give it back with filter_hits_deinit;
 * in between it is used again and again. Every id appears once. Spans are valid until the matcher
 * is changed or matches again. */
struct filter_hits {
    struct filter_span *spans;
    size_t n, cap;
    u64 total;                          /* sum of the spans' lengths */
    enum filter_eligibility attributes; /* FILTER_ELIGIBLE too when nobody asked */
    enum filter_eligibility body;
};
void filter_hits_deinit(struct filter_hits *h);

/* Many policies, one question. */
struct matcher;

/* `seed` (NULL: the process's own) is that of its tables, as in map.h; the order of ids in an answer
 * follows from it, too. */
struct matcher *matcher_new(const struct map_seed *seed);
void matcher_free(struct matcher *m); /* NULL accepted */
/* Adds subscription `id` (any number the caller likes, not in use in this matcher) with its policy,
 * NULL or empty: gets every message. The policy is read, not kept. Visible to the next match; work
 * that can wait is left to matcher_step. */
void matcher_add(struct matcher *m, u32 id, const struct policy *p);
/* E_NOT_FOUND when there is no such id. */
int matcher_remove(struct matcher *m, u32 id);
u32 matcher_count(const struct matcher *m);
/* Which subscriptions get the message. */
void matcher_match(struct matcher *m, const struct filter_message *msg, struct filter_hits *ret);
/* Does a piece of the put-off work (compaction), some ten microseconds of it. True: there is more. */
bool matcher_step(struct matcher *m);
/* Live bytes of the compiled form. */
size_t matcher_bytes(const struct matcher *m);

#endif
