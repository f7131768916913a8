/* SendMessage, DeleteMessage and ChangeMessageVisibility, and what their batches do for each entry.
 * The texts are the service's, a difference between single call and batch included. */
#include "common/base/hash.h"
#include "common/base/id.h"
#include "queued/api.h"
#include "queued/content.h"
#include "queued/fault.h"
#include "queued/lease.h"

#define HANDLE_TEXT_MAX 1024 /* bytes of an invalid handle that its error text repeats */

/* --- reading what is to be sent --------------------------------------------------------------- */

static int parameter_missing(struct fault *f, const char *name)
{
    return fault_set(f, CALL_FAULT_MISSING_PARAMETER, "The request must contain the parameter %s.",
                     name);
}

static const char wrong_type[] =
    "The request include parameter that is not valid for this queue type";

/* In a batch the service returns the reason alone, without "Value … is invalid". */
static int bad_id(const char *name, str value, const char *reason, const char *stop, bool in_batch,
                  struct fault *f)
{
    if (in_batch)
        return fault_set(f, CALL_FAULT_INVALID_PARAMETER, "%s", reason);
    return fault_set(
        f, CALL_FAULT_INVALID_PARAMETER, "Value %.*s for parameter %s is invalid. Reason: %s%s",
        (int)MIN(value.n, HANDLE_TEXT_MAX), value.n ? value.p : "", name, reason, stop);
}

/* Group and deduplication ids allow the same characters. */
static int check_id(const char *name, str value, bool in_batch, struct fault *f)
{
    char rule[128];
    if (message_is_group_id(value))
        return 0;
    snprintf(rule, sizeof rule,
             "%s can only include alphanumeric and punctuation characters. 1 to 128 in length",
             name);
    return bad_id(name, value, rule, ".", in_batch, f);
}

int api_check_fifo(const struct queue *q, const struct val *in, struct fault *f)
{
    if (!q->attributes.fifo)
        return 0;
    if (!val_text(in, "MessageGroupId").p)
        return parameter_missing(f, "MessageGroupId");
    if (!val_text(in, "MessageDeduplicationId").p && !q->attributes.content_dedup)
        return fault_set(f, CALL_FAULT_INVALID_PARAMETER,
                         "The queue should either have ContentBasedDeduplication enabled or "
                         "MessageDeduplicationId provided explicitly");
    return 0;
}

static int check_ids(const struct queue *q, const struct val *in, bool in_batch, struct sending *s,
                     struct fault *f)
{
    str group = val_text(in, "MessageGroupId"), dedup = val_text(in, "MessageDeduplicationId");
    s->group_id = group.p ? group : STR("");
    s->dedup_id = dedup.p ? dedup : STR("");
    if (dedup.p && !q->attributes.fifo)
        return bad_id("MessageDeduplicationId", dedup, wrong_type, "", in_batch, f);
    if (api_check_fifo(q, in, f) || (group.p && check_id("MessageGroupId", group, in_batch, f)))
        return E_FAULT;
    return dedup.p ? check_id("MessageDeduplicationId", dedup, in_batch, f) : 0;
}

/* A FIFO queue's message without a deduplication id gets the digest of its body. */
static void make_dedup_id(struct call *c, const struct queue *q, struct sending *s)
{
    char *hex;
    if (!q->attributes.fifo || s->dedup_id.n)
        return;
    hex = arena_alloc(&c->arena, HASH_SHA256_HEX);
    hash_sha256_hex(s->body, hex);
    s->dedup_id = str_from(hex, HASH_SHA256_HEX - 1);
}

static int check_body(str body, struct fault *f)
{
    if (!message_is_text(body))
        return fault_set(f, FAULT_MESSAGE_CONTENTS,
                         "Invalid characters found. Valid unicode characters are #x9 | #xA | #xD | "
                         "#x20 to #xD7FF | #xE000 to #xFFFD | #x10000 to #x10FFFF");
    return 0;
}

static int check_size(const struct queue *q, size_t size, bool in_batch, struct fault *f)
{
    if (size <= (size_t)q->attributes.size_max)
        return 0;
    return fault_set(f, CALL_FAULT_INVALID_PARAMETER,
                     "One or more parameters %s. Reason: Message must be shorter than %" PRId64
                     " bytes.",
                     in_batch ? "cannot be validated" : "are invalid", q->attributes.size_max);
}

/* In FIFO queues the delay is set on the queue only. */
static int read_delay(const struct queue *q, const struct val *in, i64 *ret_s, struct fault *f)
{
    i64 delay_s;
    *ret_s = q->attributes.delay_s;
    if (!val_int(in, "DelaySeconds", &delay_s))
        return 0;
    if (delay_s < 0 || delay_s > QUEUE_DELAY_MAX_S)
        return fault_set(f, CALL_FAULT_INVALID_PARAMETER,
                         "Value %" PRId64 " for parameter DelaySeconds is invalid. Reason: "
                         "DelaySeconds must be >= 0 and <= 900.",
                         delay_s);
    if (q->attributes.fifo && delay_s > 0)
        return fault_set(f, CALL_FAULT_INVALID_PARAMETER,
                         "Value %" PRId64 " for parameter DelaySeconds is invalid. Reason: %s.",
                         delay_s, wrong_type);
    if (!q->attributes.fifo)
        *ret_s = delay_s;
    return 0;
}

static int read_attributes(struct call *c, const struct val *in, struct sending *s, struct fault *f)
{
    const struct val *system = val_get(in, "MessageSystemAttributes");
    if (message_attrs_read(val_get(in, "MessageAttributes"), &s->attrs, f) ||
        message_attrs_read_system(system, &s->trace_header, f))
        return E_FAULT;
    s->has_system = system && system->count;
    if (s->trace_header.n == 0 && c->request.trace_id.n && str_is_utf8(c->request.trace_id) &&
        message_is_text(c->request.trace_id))
        s->trace_header = c->request.trace_id;
    return 0;
}

int api_read_sending(struct call *c, struct queue *q, const struct val *in, bool in_batch,
                     struct sending *ret, struct fault *f)
{
    ret->body = val_text(in, "MessageBody");
    if (read_delay(q, in, &ret->delay_s, f) || check_ids(q, in, in_batch, ret, f) ||
        read_attributes(c, in, ret, f))
        return E_FAULT;
    ret->size = ret->body.n + message_attrs_size(&ret->attrs);
    if (check_size(q, ret->size, in_batch, f) || check_body(ret->body, f))
        return E_FAULT;
    make_dedup_id(c, q, ret);
    struct queues *qs = q->all;
    if (qs->msgs.msgs.used >= qs->limits.messages_max)
        return fault_set(f, FAULT_OVER_LIMIT,
                         "There are %" PRIu64 " messages waiting already, "
                         "maximum allowed is %" PRIu64 ".",
                         qs->msgs.msgs.used, qs->limits.messages_max);
    return 0;
}

/* --- SendMessage ------------------------------------------------------------------------------ */

static void out_system_md5(struct call *c, struct queues *qs, str trace_header)
{
    char md5[HASH_MD5_HEX];
    struct message_attrs one = {.n = 1,
                                .items = {{STR("AWSTraceHeader"), STR("String"), trace_header}}};
    call_out_text(c, "MD5OfMessageSystemAttributes",
                  str_of(message_attrs_md5(&one, &qs->work, md5)));
}

/* Returns the seq of the message. */
static u64 put_new(struct queue *q, const struct sending *s, const char *md5)
{
    struct queues *qs = q->all;
    struct content content = {.body = s->body,
                              .attrs = s->attrs,
                              .group_id = s->group_id,
                              .dedup_id = s->dedup_id,
                              .trace_header = s->trace_header};
    memcpy(content.md5, md5, sizeof content.md5);
    content_write(&qs->row, &content);
    return queue_put(q, &(struct new_message){.content = buf_view(&qs->row),
                                              .group_id = s->group_id,
                                              .delay_ms = s->delay_s * 1000})
        ->seq;
}

/* A duplicate gets the answer of the first send, and changes nothing. */
static u64 put_once(struct queue *q, const struct sending *s, const char *md5)
{
    struct queues *qs = q->all;
    struct dedup_entry e = {.sent_ms = qs->clock->now_ms};
    dedup_key(q, s->group_id, s->dedup_id, e.key);
    u64 seq = dedup_find(&qs->dedup, q, e.key, e.sent_ms);
    if (seq)
        return seq;
    e.seq = put_new(q, s, md5);
    queues_add_dedup(qs, &e);
    return e.seq;
}

void api_put(struct call *c, struct queue *q, const struct sending *s)
{
    struct queues *qs = q->all;
    char text[ID_UUID_SIZE], md5_body[HASH_MD5_HEX];
    hash_md5_hex(s->body, md5_body);
    u64 seq = q->attributes.fifo ? put_once(q, s, md5_body) : put_new(q, s, md5_body);
    call_out_text(c, "MessageId", queue_first_id(q, seq, text));
    call_out_text(c, "MD5OfMessageBody", str_from(md5_body, HASH_MD5_HEX - 1));
    if (q->attributes.fifo)
        call_out_text(c, "SequenceNumber", queue_sequence(seq, text));
    if (s->attrs.n) {
        char md5[HASH_MD5_HEX];
        call_out_text(c, "MD5OfMessageAttributes",
                      str_of(message_attrs_md5(&s->attrs, &qs->work, md5)));
    }
    if (s->has_system)
        out_system_md5(c, qs, s->trace_header);
}

void api_send(struct call *c)
{
    struct sending s;
    struct queue *q = api_queue(c);
    if (q && val_text(c->in, "MessageBody").n == 0)
        fault_set(&c->fault, CALL_FAULT_MISSING_PARAMETER,
                  "The request must contain the parameter MessageBody.");
    if (!c->fault.code && api_read_sending(c, q, c->in, false, &s, &c->fault) == 0)
        api_put(c, q, &s);
    call_done(c);
}

/* --- handles ---------------------------------------------------------------------------------- */

static int wrong_handle(str handle, int err, struct fault *f)
{
    int shown = (int)MIN(handle.n, HANDLE_TEXT_MAX);
    if (err == E_NOT_FOUND)
        return fault_set(f, FAULT_HANDLE_INVALID,
                         "The receipt handle \"%.*s\" is not valid for this queue.", shown,
                         handle.p);
    return fault_set(f, FAULT_HANDLE_INVALID,
                     "The input receipt handle \"%.*s\" is not a valid receipt handle.", shown,
                     handle.p);
}

/* In a FIFO queue a handle is valid while its delivery is in flight; in a standard queue every
 * handle ever issued for the message is. */
static int check_delivery(const struct msg *m, const struct receipt *h, str handle, struct fault *f)
{
    if (!m->queue->attributes.fifo ||
        (msg_state(m) == MSG_LEASED && msg_receives(m) == h->delivery))
        return 0;
    return fault_set(
        f, CALL_FAULT_INVALID_PARAMETER,
        "Value %.*s for parameter ReceiptHandle is invalid. Reason: The receipt handle "
        "has expired.",
        STR_ARG(handle));
}

/* Deleting a message that no longer exists succeeds. */
int api_delete_one(struct queue *q, str handle, struct fault *f)
{
    struct receipt h;
    struct msg *m;
    if (handle.n == 0)
        return parameter_missing(f, "ReceiptHandle");
    int err = queue_find_receipt(q, handle, &h, &m);
    if (err)
        return wrong_handle(handle, err, f);
    if (m && check_delivery(m, &h, handle, f))
        return E_FAULT;
    if (m)
        queue_drop(m);
    return 0;
}

void api_delete(struct call *c)
{
    struct queue *q = api_queue(c);
    if (q)
        api_delete_one(q, val_text(c->in, "ReceiptHandle"), &c->fault);
    call_done(c);
}

/* The timeout counts from now; a delivery ends at most twelve hours after its receive. */
int api_change_one(struct call *c, struct queue *q, str handle, bool has_timeout, i64 timeout_s,
                   struct fault *f)
{
    struct receipt h;
    struct msg *m;
    if (handle.n == 0)
        return parameter_missing(f, "ReceiptHandle");
    if (!has_timeout)
        return parameter_missing(f, "VisibilityTimeout");
    if (timeout_s < 0 || timeout_s > QUEUE_HIDDEN_MAX_S)
        return fault_set(f, CALL_FAULT_INVALID_PARAMETER,
                         "Value %" PRId64 " for parameter VisibilityTimeout is invalid. Reason: "
                         "Must be between 0 and %d.",
                         timeout_s, QUEUE_HIDDEN_MAX_S);
    int err = queue_find_receipt(q, handle, &h, &m);
    if (err)
        return wrong_handle(handle, err, f);
    /* The message was never received: the store is an older copy, made before the receive that the
     * handle is from. */
    if (!m || msg_receives(m) == 0)
        return fault_set(f, CALL_FAULT_INVALID_PARAMETER,
                         "Value %.*s for parameter ReceiptHandle is invalid. Reason: Message does "
                         "not exist or is not available for visibility timeout change.",
                         STR_ARG(handle));
    if (check_delivery(m, &h, handle, f))
        return E_FAULT;
    i64 total_ms = q->all->clock->now_ms - h.received_ms + timeout_s * 1000;
    if (timeout_s > 0 && total_ms > (i64)QUEUE_HIDDEN_MAX_S * 1000)
        return fault_set(f, CALL_FAULT_INVALID_PARAMETER,
                         "Value %" PRId64 " for parameter VisibilityTimeout is invalid. Reason: "
                         "Total VisibilityTimeout for the message is beyond the limit [%d seconds]",
                         timeout_s, QUEUE_HIDDEN_MAX_S);
    q->all->histories.caller = c;
    queue_hide(m, timeout_s * 1000);
    q->all->histories.caller = NULL;
    lease_note(c, m, timeout_s * 1000);
    return 0;
}

void api_change(struct call *c)
{
    i64 timeout_s = 0;
    struct queue *q = api_queue(c);
    bool has = val_int(c->in, "VisibilityTimeout", &timeout_s);
    if (q)
        api_change_one(c, q, val_text(c->in, "ReceiptHandle"), has, timeout_s, &c->fault);
    call_done(c);
}
