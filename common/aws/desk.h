/* The desk accepts and answers a daemon's calls: every endpoint passes its requests to the desk,
 * which turns them into calls, runs their actions, and returns the answers when the turn is
 * durable. It also serves the few pages that are not API calls (health, manual clock).
 *
 *   endpoint ─request─> desk_take ─> call_find, sigv4 ─> call_read ─> action->run ─> call_done
 *   endpoint <─answer── reply <───── loop_later <──────── commit <───────────────────┘ */
#ifndef TOQUE_DESK_H
#define TOQUE_DESK_H

#include "common/aws/call.h"
#include "common/aws/keys.h"
#include "common/io/http_server.h"
#include "common/io/ipc_door.h"

struct desk_conf {
    const char *account;    /* of callers whose access key id is not a 12-digit account */
    const char *region;     /* of callers without a credential scope */
    const char *public_url; /* base of QueueUrls; NULL or "": http:// and the request's Host */
    bool public_url_always; /* even if the request has a Host */
    u32 waiting_max;        /* pending calls; above it: CALL_FAULT_UNAVAILABLE */
    struct budget *clients; /* answers count against it until they are sent; may be NULL */
};

struct desk *desk_new(struct loop *l, struct id_source *ids, const struct desk_conf *conf);
void desk_free(struct desk *d);
/* Changes public_url. */
void desk_set_public_url(struct desk *d, const char *url);
/* The first service added renders errors of requests that name no service. */
void desk_add_service(struct desk *d, const struct service *s);
size_t desk_service_count(const struct desk *d);
const struct service *desk_service(const struct desk *d, size_t at);
/* A page outside the API: `run` finishes the call with call_page. An asterisk in the path stands for
 * one part of it. */
void desk_add_page(struct desk *d, const char *method, const char *path,
                   void (*run)(struct call *c, void *arg), void *arg);
/* Likewise for a page that never needs a signature: health, certificates. */
void desk_add_open_page(struct desk *d, const char *method, const char *path,
                        void (*run)(struct call *c, void *arg), void *arg);
/* Reads a file of access keys: from now on the signature of every call is verified, and the
 * caller's account is that of its key. Without keys, or with the path "", any secret works.
 * E_FAULT: see keys_open. */
int desk_open_keys(struct desk *d, const char *path, struct fault *f) MUST_CHECK;
/* Reads the key file again, if there is one; on failure logs the error and keeps the old keys. */
void desk_reload_keys(struct desk *d);
bool desk_verifies(const struct desk *d);
/* Finishes a page's call with this JSON; or with {"error":text}. */
void call_page(struct call *c, int status, str json);
void call_page_as(struct call *c, int status, enum answer_type type, str body);
void call_page_fail(struct call *c, int status, const char *fmt, ...) PRINTF_LIKE(3, 4);

/* Accepts a request from any endpoint. rq's views must live until `reply`, which is called once,
 * never from within desk_take; c->answer is then complete and may be taken. If `reply` returns
 * CALL_SENDING and c->sent is set, the call lives until desk_sent; otherwise it is freed after
 * `reply`. */
struct call *desk_take(struct desk *d, const struct request *rq,
                       enum call_outcome (*reply)(void *arg, struct call *c), void *arg);
void desk_sent(struct call *c, enum call_outcome outcome);
/* The answer no longer counts for the desk: the endpoint counts it. */
void desk_let_go(struct call *c);
/* How many of `want` pieces of at most `each` bytes the clients' budget has room for now. At least
 * one while most of the budget is free, whatever its size. */
u32 desk_room(struct desk *d, u64 each, u32 want);
/* The client left: the answer will be dropped, and a parked call is cancelled now. */
void desk_cancel(struct call *c);
/* Whether the client is still connected, as far as its endpoint can tell at this moment. */
bool desk_is_there(const struct call *c);
/* While the store fails actions that write are refused. */
void desk_set_failing(struct desk *d, bool failing);
/* While the disk is full actions that store more are refused, with a 503 that SDKs try again after. */
void desk_set_full(struct desk *d, bool full);
/* Memory could not be reloaded from the store: actions that only read are refused, too, except for
 * services that forward. */
void desk_set_lost(struct desk *d, bool lost);
/* Refuses new calls with CALL_FAULT_UNAVAILABLE; owners finish their parked calls. */
void desk_quiesce(struct desk *d);
u32 desk_waiting(const struct desk *d);

/* Renders the refusal of a request that its endpoint does not accept, in the request's protocol as
 * far as its head tells. The answer is the desk's, until the next refusal; its body may be taken. */
struct answer *desk_refuse(struct desk *d, const struct request *rq, int code, const char *why);

/* Handlers for the endpoints. */
struct http_handler desk_http_handler(struct desk *d);
struct ipc_handler desk_ipc_handler(struct desk *d);

/* Base of the URLs in an answer: "http://host:port", no slash. Lives as long as the call. */
str call_base_url(struct call *c);

#endif
