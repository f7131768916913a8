/* ReceiveMessage: what is visible is taken and rendered; where nothing is, the call may be parked
 * and comes back here when something became visible or its time is over. */
#include "common/aws/desk.h"
#include "common/base/id.h"
#include "common/base/log.h"
#include "queued/api.h"
#include "queued/content.h"
#include "queued/fault.h"
#include "queued/waiter.h"

#define WAIT_MAX_S 20
/* The sender of what came through a topic: an account of the notification service itself. */
#define SNS_SENDER "AIDAIT2UOQQY3AUEKVGXU"

enum wanted {
    WANT_SENDER = 1,
    WANT_SENT = 2,
    WANT_FIRST = 4,
    WANT_COUNT = 8,
    WANT_GROUP = 16,
    WANT_TRACE = 32,
    WANT_ALL = 63,
};

/* What a call wants; in the call's arena, since it may wait. */
struct receive {
    struct waiter waiter;
    u32 max;
    i64 hide_ms;
    unsigned system;         /* enum wanted */
    const struct val *names; /* MessageAttributeNames, or NULL */
};

/* --- reading ---------------------------------------------------------------------------------- */

static unsigned read_wanted(const struct val *names)
{
    static const struct {
        const char *name;
        unsigned bit;
    } known[] = {
        {"All", WANT_ALL},
        {"SenderId", WANT_SENDER},
        {"SentTimestamp", WANT_SENT},
        {"ApproximateFirstReceiveTimestamp", WANT_FIRST},
        {"ApproximateReceiveCount", WANT_COUNT},
        {"MessageGroupId", WANT_GROUP},
        {"AWSTraceHeader", WANT_TRACE},
    };
    unsigned bits = 0;
    for (const struct val *v = names ? names->first : NULL; v; v = v->next)
        for (size_t i = 0; i < ARRAY_LEN(known); i++)
            if (str_is(v->text, known[i].name))
                bits |= known[i].bit;
    return bits;
}

/* Of two lists one counts: in JSON the new one, in the Query protocol the old one, since both have
 * the same name on its wire. */
static const struct val *system_names(const struct call *c)
{
    const struct val *fresh = val_get(c->in, "MessageSystemAttributeNames");
    const struct val *old = val_get(c->in, "AttributeNames");
    bool old_first = c->dialect == DIALECT_QUERY;
    const struct val *first = old_first ? old : fresh;
    return first && first->count ? first : old_first ? fresh : old;
}

/* `ret` holds the default. */
static int read_bounded(struct call *c, const char *name, i64 min, i64 max, const char *rule,
                        i64 *ret)
{
    if (!val_int(c->in, name, ret) || (*ret >= min && *ret <= max))
        return 0;
    return fault_set(&c->fault, CALL_FAULT_INVALID_PARAMETER,
                     "Value %" PRId64 " for parameter %s is invalid. Reason: %s, if provided.",
                     *ret, name, rule);
}

static int read_receive(struct call *c, const struct queue *q, struct receive *r, i64 *ret_wait_s)
{
    i64 max = 1, hide_s = q->attributes.visibility_s;
    str attempt = val_text(c->in, "ReceiveRequestAttemptId");
    *ret_wait_s = q->attributes.wait_s;
    if (read_bounded(c, "MaxNumberOfMessages", 1, QUEUE_TAKE_MAX, "Must be between 1 and 10",
                     &max) ||
        read_bounded(c, "WaitTimeSeconds", 0, WAIT_MAX_S, "Must be >= 0 and <= 20", ret_wait_s) ||
        read_bounded(c, "VisibilityTimeout", 0, QUEUE_HIDDEN_MAX_S, "Must be >= 0 and <= 43200",
                     &hide_s))
        return E_FAULT;
    if (attempt.n)
        return fault_set(&c->fault, CALL_FAULT_INVALID_PARAMETER,
                         "Value %.*s for parameter ReceiveRequestAttemptId is invalid. Reason: The "
                         "request include parameter that is not valid for this queue type",
                         STR_ARG(attempt));
    r->max = (u32)max;
    r->hide_ms = hide_s * 1000;
    r->system = read_wanted(system_names(c));
    r->names = val_get(c->in, "MessageAttributeNames");
    return 0;
}

/* --- rendering -------------------------------------------------------------------------------- */

/* All, .* and * name every attribute; "col.*" those that begin with "col"; others themselves. */
static bool is_named(const struct val *names, str name)
{
    for (const struct val *v = names->first; v; v = v->next) {
        str want = v->text;
        if (str_is(want, "All") || str_is(want, "*") || str_eq(want, name))
            return true;
        if (str_ends(want, STR(".*")) && str_starts(name, str_slice(want, 0, want.n - 2)))
            return true;
    }
    return false;
}

static void out_number(struct call *c, const char *name, i64 number)
{
    char text[24];
    int n = snprintf(text, sizeof text, "%" PRId64, number);
    call_out_entry_text(c, str_of(name), str_from(text, (size_t)n));
}

static void out_system(struct call *c, const struct msg *m, const struct content *content,
                       unsigned wanted)
{
    if (!wanted)
        return;
    call_out_map(c, "Attributes", "Attribute", "Name", "Value");
    if (wanted & WANT_SENDER)
        call_out_entry_text(c, STR("SenderId"),
                            content->is_published ? STR(SNS_SENDER) : str_of(m->queue->sender));
    if (wanted & WANT_FIRST)
        out_number(c, "ApproximateFirstReceiveTimestamp", msg_first_ms(m));
    if (wanted & WANT_COUNT)
        out_number(c, "ApproximateReceiveCount", msg_receives(m));
    if (wanted & WANT_SENT)
        out_number(c, "SentTimestamp", m->sent_ms);
    if (wanted & WANT_GROUP && content->group_id.n)
        call_out_entry_text(c, STR("MessageGroupId"), content->group_id);
    if (wanted & WANT_TRACE && content->trace_header.n)
        call_out_entry_text(c, STR("AWSTraceHeader"), content->trace_header);
    call_out_map_end(c);
}

static void out_attrs(struct call *c, struct queues *qs, const struct content *content,
                      const struct val *names)
{
    struct attrs chosen = {.n = 0};
    char md5[HASH_MD5_HEX];
    for (u32 i = 0; names && i < content->attrs.n; i++)
        if (is_named(names, content->attrs.items[i].name))
            attrs_put(&chosen, &content->attrs.items[i]);
    if (chosen.n == 0)
        return;
    call_out_text(c, "MD5OfMessageAttributes", str_of(attrs_md5(&chosen, &qs->work, md5)));
    call_out_map(c, "MessageAttributes", "MessageAttribute", "Name", "Value");
    for (u32 i = 0; i < chosen.n; i++) {
        const struct attr *a = &chosen.items[i];
        call_out_entry(c, a->name);
        if (attr_is_binary(a))
            call_out_blob(c, "BinaryValue", a->value);
        else
            call_out_text(c, "StringValue", a->value);
        call_out_text(c, "DataType", a->type);
        call_out_entry_end(c);
    }
    call_out_map_end(c);
}

/* False: the message has no readable content; it cannot be given to anybody. */
static bool read_content(const struct msg *m, struct content *ret)
{
    struct queues *qs = m->queue->all;
    buf_reset(&qs->row);
    int err = queue_store_read_body(qs->store, m->body ? m->body->id : m->id, &qs->row);
    if (!err)
        err = content_read(buf_view(&qs->row), m->flags & MSG_RAW, origin_arn(&qs->msgs, m->origin),
                           &qs->content, ret);
    if (!err)
        return true;
    char name[LOG_VALUE_SIZE];
    log_error("a message's body cannot be read, the message stays away queue=%s message=%" PRIu64
              " error=\"%s\"",
              log_value(m->queue->name, name), m->id, err_text(err));
    return false;
}

static void out_message(struct call *c, const struct msg *m, const struct receive *r)
{
    struct queues *qs = m->queue->all;
    struct content content;
    char id[ID_UUID_SIZE], handle[RECEIPT_SIZE];
    if (!read_content(m, &content))
        return;
    call_out_item(c);
    call_out_text(c, "MessageId", api_message_id(qs, m->id, id));
    call_out_text(c, "ReceiptHandle", queue_receipt(m, handle));
    call_out_text(c, "MD5OfBody", str_from(content.md5, HASH_MD5_HEX - 1));
    call_out_text(c, "Body", content.body);
    out_system(c, m, &content, r->system);
    out_attrs(c, qs, &content, r->names);
    call_out_item_end(c);
}

static void answer(struct call *c, const struct receive *r, struct msg *const *taken, u32 n)
{
    call_out_list(c, "Messages", "Message");
    for (u32 i = 0; i < n; i++)
        out_message(c, taken[i], r);
    call_out_list_end(c);
    call_done(c);
}

/* --- waiting ---------------------------------------------------------------------------------- */

static bool give_waiting(struct waiter *w)
{
    struct receive *r = container_of(w, struct receive, waiter);
    struct msg *taken[QUEUE_TAKE_MAX];
    u32 n = queue_take(w->queue, r->max, r->hide_ms, taken);
    if (n == 0)
        return false;
    waiter_unpark(w);
    answer(w->call, r, taken, n);
    return true;
}

static void end_waiting(struct waiter *w, enum waiter_end why)
{
    if (why == WAITER_LOST)
        api_no_queue(&w->call->fault);
    call_done(w->call);
}

static void park(struct call *c, struct queue *q, struct receive *r, i64 wait_s)
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
    u32 n = 0;
    /* What is given to a client that has left would be hidden for nothing. */
    if (queue_has_next(q) && desk_is_there(c))
        n = queue_take(q, r->max, r->hide_ms, taken);
    if (n) {
        answer(c, r, taken, n);
    } else if (wait_s > 0) {
        park(c, q, r, wait_s);
    } else {
        if (queue_is_full(q) && q->visible_count)
            fault_set(&c->fault, FAULT_OVER_LIMIT,
                      "Too many messages are in flight: maximum allowed is %u.",
                      q->all->limits.in_flight_max);
        call_done(c);
    }
}
