/* ReceiveMessage: visible messages are taken and returned. When there are none, a long poll is
 * parked, and resumed here when a message becomes visible or the wait ends. */
#include "common/aws/desk.h"
#include "queued/access.h"
#include "queued/api.h"
#include "queued/fault.h"
#include "queued/handout.h"
#include "queued/lease.h"
#include "queued/waiter.h"

#define WAIT_MAX_S       20
#define ATTEMPT_TEXT_MAX 1024 /* bytes of an invalid id that its error text repeats */

/* The parameters of a call; in the call's arena, since the call may wait. */
struct receive {
    struct waiter waiter;
    u32 max;
    i64 hide_ms;
    str attempt; /* ReceiveRequestAttemptId, "" for none */
    struct handout_wants wants;
};

/* --- reading ---------------------------------------------------------------------------------- */

static unsigned read_wanted(const struct val *names)
{
    static const struct {
        const char *name;
        unsigned bit;
    } known[] = {
        {"All", HANDOUT_ALL},
        {"SenderId", HANDOUT_SENDER},
        {"SentTimestamp", HANDOUT_SENT},
        {"ApproximateFirstReceiveTimestamp", HANDOUT_FIRST},
        {"ApproximateReceiveCount", HANDOUT_COUNT},
        {"MessageGroupId", HANDOUT_GROUP},
        {"AWSTraceHeader", HANDOUT_TRACE},
        {"DeadLetterQueueSourceArn", HANDOUT_SOURCE},
        {"MessageDeduplicationId", HANDOUT_DEDUP},
        {"SequenceNumber", HANDOUT_SEQUENCE},
    };
    unsigned bits = 0;
    for (const struct val *v = names ? names->first : NULL; v; v = v->next)
        for (size_t i = 0; i < ARRAY_LEN(known); i++)
            if (str_is(v->text, known[i].name))
                bits |= known[i].bit;
    return bits;
}

/* Of MessageSystemAttributeNames and AttributeNames one is used: in JSON the former, in the Query
 * protocol the latter, since there both have the same name on the wire. */
static const struct val *system_names(const struct call *c)
{
    const struct val *fresh = val_get(c->in, "MessageSystemAttributeNames");
    const struct val *old = val_get(c->in, "AttributeNames");
    bool old_first = c->dialect == DIALECT_QUERY;
    const struct val *first = old_first ? old : fresh;
    return first && first->count ? first : old_first ? fresh : old;
}

/* *ret holds the default. */
static int read_bounded(struct call *c, const char *name, i64 min, i64 max, const char *rule,
                        i64 *ret)
{
    if (!val_int(c->in, name, ret) || (*ret >= min && *ret <= max))
        return 0;
    return fault_set(&c->fault, CALL_FAULT_INVALID_PARAMETER,
                     "Value %" PRId64 " for parameter %s is invalid. Reason: %s, if provided.",
                     *ret, name, rule);
}

static int bad_attempt(struct call *c, str id, const char *reason)
{
    return fault_set(&c->fault, CALL_FAULT_INVALID_PARAMETER,
                     "Value %.*s for parameter ReceiveRequestAttemptId is invalid. Reason: %s",
                     (int)MIN(id.n, ATTEMPT_TEXT_MAX), id.p, reason);
}

static int read_attempt(struct call *c, const struct queue *q, str *ret)
{
    str id = val_text(c->in, "ReceiveRequestAttemptId");
    *ret = id.n ? id : STR("");
    if (id.n && !q->attributes.fifo)
        return bad_attempt(c, id,
                           "The request include parameter that is not valid for this queue "
                           "type");
    if (id.n && !message_is_group_id(id))
        return bad_attempt(c, id,
                           "ReceiveRequestAttemptId can only include alphanumeric and "
                           "punctuation characters. 1 to 128 in length.");
    return 0;
}

static int read_receive(struct call *c, const struct queue *q, struct receive *r, i64 *ret_wait_s)
{
    i64 max = 1, hide_s = q->attributes.visibility_s;
    *ret_wait_s = q->attributes.wait_s;
    if (read_bounded(c, "MaxNumberOfMessages", 1, QUEUE_TAKE_MAX, "Must be between 1 and 10",
                     &max) ||
        read_bounded(c, "WaitTimeSeconds", 0, WAIT_MAX_S, "Must be >= 0 and <= 20", ret_wait_s) ||
        read_bounded(c, "VisibilityTimeout", 0, QUEUE_HIDDEN_MAX_S, "Must be >= 0 and <= 43200",
                     &hide_s))
        return E_FAULT;
    if (read_attempt(c, q, &r->attempt))
        return E_FAULT;
    r->max = (u32)max;
    r->hide_ms = hide_s * 1000;
    r->wants.system = read_wanted(system_names(c));
    r->wants.names = val_get(c->in, "MessageAttributeNames");
    return 0;
}

/* How many messages surely fit into an answer; escapes may double the size of a body. */
static u32 messages_max(const struct call *c, const struct queue *q, u32 want)
{
    return desk_room(c->desk, 2 * (u64)q->attributes.size_max, want);
}

static void refuse_for_room(struct call *c)
{
    call_fail(c, CALL_FAULT_UNAVAILABLE, "Too much is under way. Try again.");
}

/* --- giving ----------------------------------------------------------------------------------- */

static void receive_give(struct call *c, struct queue *q, const struct receive *r,
                         struct msg *const *taken, u32 n, i64 received_ms)
{
    for (u32 i = 0; i < n; i++)
        lease_note(c, taken[i], r->hide_ms);
    lease_is_receive(c, r->attempt);
    if (r->attempt.n)
        attempt_note(q, r->attempt, taken, n, received_ms);
    handout(c, &r->wants, taken, n, received_ms);
}

/* True: the call repeats an earlier receive (ReceiveRequestAttemptId), and is finished. */
static bool is_repeated(struct call *c, struct queue *q, const struct receive *r)
{
    struct msg *taken[QUEUE_TAKE_MAX];
    i64 received_ms;
    u32 n;
    enum attempt_state state = attempt_find(q, r->attempt, taken, &n, &received_ms);
    if (state == ATTEMPT_NEW)
        return false;
    if (state == ATTEMPT_OVER) {
        bad_attempt(c, r->attempt,
                    "The receiveRequestAttemptId is not valid anymore since the "
                    "receive call is not retryable.");
        call_done(c);
        return true;
    }
    if (messages_max(c, q, n) < n) {
        refuse_for_room(c);
        return true;
    }
    q->all->histories.caller = c;
    for (u32 i = 0; i < n; i++)
        queue_hide(taken[i], r->hide_ms);
    q->all->histories.caller = NULL;
    receive_give(c, q, r, taken, n, received_ms);
    return true;
}

/* queue_take for this call. */
static u32 receive_take(struct call *c, struct queue *q, const struct receive *r, u32 max,
                        struct msg *ret[QUEUE_TAKE_MAX])
{
    struct queues *qs = q->all;
    qs->histories.caller = c;
    u32 n = queue_take(q, max, r->hide_ms, ret);
    qs->histories.caller = NULL;
    return n;
}

/* --- waiting ---------------------------------------------------------------------------------- */

static bool give_waiting(struct waiter *w)
{
    struct receive *r = container_of(w, struct receive, waiter);
    struct msg *taken[QUEUE_TAKE_MAX];
    if (!queue_has_next(w->queue))
        return false;
    /* The queue's policy may have changed since the call came. */
    if (access_check_call(w->call, w->queue)) {
        waiter_unpark(w);
        call_done(w->call);
        return true;
    }
    u32 max = messages_max(w->call, w->queue, r->max);
    u32 n = max ? receive_take(w->call, w->queue, r, max, taken) : 0;
    if (n == 0 && max)
        return false;
    waiter_unpark(w);
    if (n == 0) {
        refuse_for_room(w->call);
        return true;
    }
    receive_give(w->call, w->queue, r, taken, n, w->all->clock->now_ms);
    return true;
}

static void end_waiting(struct waiter *w, enum waiter_end why)
{
    if (why == WAITER_LOST)
        api_no_queue(&w->call->fault);
    call_done(w->call);
}

static void receive_park(struct call *c, struct queue *q, struct receive *r, i64 wait_s)
{
    r->waiter = (struct waiter){.queue = q, .call = c, .give = give_waiting, .end = end_waiting};
    if (!waiter_park(&r->waiter, wait_s * 1000))
        call_fail(c, FAULT_THROTTLED, "Too many long polls are waiting: maximum allowed is %u.",
                  q->all->limits.parked_max);
}

void api_receive(struct call *c)
{
    i64 wait_s;
    struct msg *taken[QUEUE_TAKE_MAX];
    struct queue *q = api_queue(c);
    struct receive *r = arena_alloc(&c->arena, sizeof *r);
    if (!q || read_receive(c, q, r, &wait_s)) {
        call_done(c);
        return;
    }
    if (r->attempt.n && is_repeated(c, q, r))
        return;
    u32 n = 0, max = r->max;
    /* Messages given to a client that has disconnected would be hidden without being received. */
    if (queue_has_next(q) && desk_is_there(c) && (max = messages_max(c, q, r->max)) > 0)
        n = receive_take(c, q, r, max, taken);
    if (!max) {
        refuse_for_room(c);
    } else if (n) {
        receive_give(c, q, r, taken, n, q->all->clock->now_ms);
    } else if (wait_s > 0) {
        receive_park(c, q, r, wait_s);
    } else {
        if (queue_is_full(q) && q->visible_count && !q->attributes.fifo)
            fault_set(&c->fault, FAULT_OVER_LIMIT,
                      "Too many messages are in flight: maximum allowed is %u.",
                      q->all->limits.in_flight_max);
        call_done(c);
    }
}
