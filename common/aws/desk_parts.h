/* Shared by the files of the desk: desk.c (services, pages, taking requests), desk_call.c (the pool
 * of calls and their end), desk_caller.c (who makes a call, and whether it is allowed). */
#ifndef TOQUE_DESK_PARTS_H
#define TOQUE_DESK_PARTS_H

#include "common/aws/desk.h"

#define SERVICES_MAX 4
#define PAGES_MAX    32

struct page {
    const char *method, *path;
    void (*run)(struct call *c, void *arg);
    void *arg;
    bool is_open; /* needs no signature */
};

struct desk {
    struct loop *loop;
    struct id_source *ids;
    char *account, *region, *public_url;
    bool public_url_always;
    u32 waiting_max, waiting;
    struct budget *clients;
    const struct service *services[SERVICES_MAX];
    size_t service_count;
    struct page pages[PAGES_MAX];
    size_t page_count;
    struct answer refusal; /* the last one returned by desk_refuse */
    struct keys *keys;     /* NULL: signatures are not verified */
    i64 told_second;       /* second of the last logged denials, and their number */
    u32 told;
    struct list pool;
    u32 pool_count;
    bool failing, full, lost, quiet;
};

/* --- desk_call.c ---------------------------------------------------------------------------------- */

/* A blank call, counted as pending, from the pool. */
struct call *desk_call_new(struct desk *d);
/* Returns the call to the pool; it is no longer pending. */
void desk_call_return(struct desk *d, struct call *c);
/* Frees a call of the pool. */
void desk_call_free(struct call *c);

/* --- desk_caller.c -------------------------------------------------------------------------------- */

/* With verified signatures the caller is the signer. NULL: not known by a key. */
const struct key *caller_verify(struct call *c);
/* Sets account and region of the call.
 *
 * Test set-ups isolate tenants by made-up access keys and regions: where signatures are not
 * verified, an access key id of twelve digits is an account, as in other implementations. */
void caller_decide(struct call *c);
/* An unsigned call is for the account and region of the resource that it names, unless the request
 * states them explicitly. */
void caller_place_unsigned(struct call *c);
/* Checks the policy of the caller's key. Repeated denials are logged at a bounded rate. */
void caller_check_policy(struct call *c, const struct key *key);
/* Pages show and change what belongs to all accounts: where signatures are verified they need a key
 * without policy, for either service, or the Unix socket. */
bool caller_may_see(struct call *c, const struct page *page);

#endif
