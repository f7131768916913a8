/* Where a daemon's calls are taken and answered: every door hands its requests to the desk, it
 * makes calls of them, runs their actions, and gives the answers back to the doors when the turn's
 * commit is durable. Also serves the few pages that are no API calls (health, the clock by hand).
 *
 *   door ─request─> desk_take ─> call_find, sigv4 ─> call_read ─> action->run ─> call_done
 *   door <─answer── reply <───── loop_later <──────── commit <───────────────────┘ */
#ifndef TOQUE_DESK_H
#define TOQUE_DESK_H

#include "common/aws/call.h"
#include "common/aws/keys.h"
#include "common/io/http_server.h"
#include "common/io/ipc_door.h"

struct desk_conf {
    const char *account;    /* of callers whose access key id is not twelve digits */
    const char *region;     /* of callers without a credential scope */
    const char *public_url; /* base of QueueUrls; NULL or "": http:// and the request's Host */
    bool public_url_always; /* also where the request has a Host */
    u32 waiting_max;        /* calls under way at once; above it: CALL_FAULT_UNAVAILABLE */
    struct budget *clients; /* what answers count against until they are sent; may be NULL */
};

struct desk *desk_new(struct loop *l, struct id_source *ids, const struct desk_conf *conf);
void desk_free(struct desk *d);
/* Another public_url, "" or not. */
void desk_set_public_url(struct desk *d, const char *url);
/* The first service added renders errors of requests that name none. */
void desk_add_service(struct desk *d, const struct service *s);
size_t desk_service_count(const struct desk *d);
const struct service *desk_service(const struct desk *d, size_t at);
/* A page outside the API: exact path; `run` finishes the call with call_page. */
void desk_add_page(struct desk *d, const char *method, const char *path,
                   void (*run)(struct call *c, void *arg), void *arg);
/* The same for a page that needs no signature where there are keys: health, certificates. */
void desk_add_open_page(struct desk *d, const char *method, const char *path,
                        void (*run)(struct call *c, void *arg), void *arg);
/* Reads a file of access keys: from now on the signature of every call is verified, and the
 * caller's account is its key's. Without it, or with the path "", any secret works. E_FAULT: see
 * keys_open. */
int desk_open_keys(struct desk *d, const char *path, struct fault *f) MUST_CHECK;
/* Reads it again, where there is one; what goes wrong is logged, and the keys stay as they were. */
void desk_reload_keys(struct desk *d);
bool desk_verifies(const struct desk *d);
/* Finishes a page's call with this JSON; or with {"error":text}. */
void call_page(struct call *c, int status, str json);
void call_page_fail(struct call *c, int status, const char *fmt, ...) PRINTF_LIKE(3, 4);

/* A request from any door. rq's views must live until `reply`, which is called once, never from
 * within desk_take; c->answer is then complete and may be taken. With CALL_SENDING, and c->sent set,
 * the call lives until desk_sent; otherwise it is freed behind `reply`. */
struct call *desk_take(struct desk *d, const struct request *rq,
                       enum call_outcome (*reply)(void *arg, struct call *c), void *arg);
void desk_sent(struct call *c, enum call_outcome outcome);
/* The answer is counted by somebody else from now on. */
void desk_let_go(struct call *c);
/* Of `want` pieces of at most `each` bytes, how many there is room to hold for a client now. One at
 * least while most of the room is free, however large it may be. */
u32 desk_room(struct desk *d, u64 each, u32 want);
/* The caller left: its answer will go nowhere, and if the call is parked it is taken off now. */
void desk_cancel(struct call *c);
/* Whether the caller is still there, as far as its door can tell this very moment. */
bool desk_is_there(const struct call *c);
/* The store fails: actions that write are refused until told otherwise. */
void desk_set_failing(struct desk *d, bool failing);
/* Memory could not be brought back to what is on disk: actions that only read are refused, too, but
 * for services that forward. */
void desk_set_lost(struct desk *d, bool lost);
/* No new calls (they get CALL_FAULT_UNAVAILABLE); parked ones are for their owners to finish. */
void desk_quiesce(struct desk *d);
u32 desk_waiting(const struct desk *d);

/* The answer to a request that its endpoint does not let in, in the words of the protocol that it
 * speaks as far as its head tells. */
void desk_refuse(struct desk *d, const struct request *rq, int code, const char *why,
                 struct answer *ret);

/* What to hang on the doors. */
struct http_handler desk_http_handler(struct desk *d);
struct ipc_handler desk_ipc_handler(struct desk *d);

/* Base of the URLs that go into an answer: "http://host:port", no slash. Lives as long as the
 * call. */
str call_base_url(struct call *c);

#endif
