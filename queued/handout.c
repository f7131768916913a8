#include "queued/handout.h"

#include "common/base/id.h"
#include "common/base/log.h"
#include "queued/content.h"
#include "queued/queues.h"

/* One message, copied when it was taken. */
struct given {
    u64 seq;
    i64 sent_ms, first_ms;
    u32 receives;
    bool is_raw, is_fifo;
    str origin, source;
    char id[ID_UUID_SIZE];
    char handle[RECEIPT_SIZE];
};

/* In the call's arena. */
struct handout {
    struct call *call;
    const struct handout_wants *wants;
    struct queues *all;
    str sender; /* SenderId of messages sent directly to the queue */
    bool is_done;
    struct body_fetch fetch;
    struct given given[BODY_FETCH_MAX];
};

/* All, .* and * match every attribute; "col.*" matches names that begin with "col"; other names
 * match themselves. */
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

/* In a dead-letter queue the service returns the MessageId as the deduplication id, so that no two
 * messages have the same one. */
static void out_fifo(const struct handout *h, const struct given *g, const struct content *content)
{
    char sequence[QUEUE_SEQUENCE_SIZE];
    str dedup_id = g->source.n ? str_from(g->id, ID_UUID_SIZE - 1) : content->dedup_id;
    if (h->wants->system & HANDOUT_DEDUP && dedup_id.n)
        call_out_entry_text(h->call, STR("MessageDeduplicationId"), dedup_id);
    if (h->wants->system & HANDOUT_SEQUENCE)
        call_out_entry_text(h->call, STR("SequenceNumber"), queue_sequence(g->seq, sequence));
}

static void out_system(const struct handout *h, const struct given *g,
                       const struct content *content)
{
    struct call *c = h->call;
    unsigned wanted = h->wants->system;
    if (!wanted)
        return;
    call_out_map(c, "Attributes", "Attribute", "Name", "Value");
    if (wanted & HANDOUT_SENDER)
        call_out_entry_text(c, STR("SenderId"),
                            content->is_published ? STR(HANDOUT_SNS_SENDER) : h->sender);
    if (wanted & HANDOUT_FIRST)
        out_number(c, "ApproximateFirstReceiveTimestamp", g->first_ms);
    if (wanted & HANDOUT_COUNT)
        out_number(c, "ApproximateReceiveCount", g->receives);
    if (wanted & HANDOUT_SENT)
        out_number(c, "SentTimestamp", g->sent_ms);
    /* A message that a FIFO topic delivered to a standard queue has no group. */
    if (wanted & HANDOUT_GROUP && content->group_id.n && (g->is_fifo || !content->dedup_id.n))
        call_out_entry_text(c, STR("MessageGroupId"), content->group_id);
    if (g->is_fifo)
        out_fifo(h, g, content);
    if (wanted & HANDOUT_TRACE && content->trace_header.n)
        call_out_entry_text(c, STR("AWSTraceHeader"), content->trace_header);
    if (wanted & HANDOUT_SOURCE && g->source.n)
        call_out_entry_text(c, STR("DeadLetterQueueSourceArn"), g->source);
    call_out_map_end(c);
}

static void out_attrs(const struct handout *h, const struct content *content)
{
    struct call *c = h->call;
    const struct val *names = h->wants->names;
    struct message_attrs chosen = {.n = 0};
    char md5[HASH_MD5_HEX];
    for (u32 i = 0; names && i < content->attrs.n; i++)
        if (is_named(names, content->attrs.items[i].name))
            message_attrs_put(&chosen, &content->attrs.items[i]);
    if (chosen.n == 0)
        return;
    call_out_text(c, "MD5OfMessageAttributes",
                  str_of(message_attrs_md5(&chosen, &h->all->work, md5)));
    call_out_map(c, "MessageAttributes", "MessageAttribute", "Name", "Value");
    for (u32 i = 0; i < chosen.n; i++) {
        const struct message_attr *a = &chosen.items[i];
        call_out_entry(c, a->name);
        if (message_attr_is_binary(a))
            call_out_blob(c, "BinaryValue", a->value);
        else
            call_out_text(c, "StringValue", a->value);
        call_out_text(c, "DataType", a->type);
        call_out_entry_end(c);
    }
    call_out_map_end(c);
}

static void out_message(const struct handout *h, const struct given *g,
                        const struct content *content)
{
    struct call *c = h->call;
    call_out_item(c);
    call_out_text(c, "MessageId", str_from(g->id, ID_UUID_SIZE - 1));
    call_out_text(c, "ReceiptHandle", str_from(g->handle, RECEIPT_SIZE - 1));
    call_out_text(c, "MD5OfBody", str_from(content->md5, HASH_MD5_HEX - 1));
    call_out_text(c, "Body", content->body);
    out_system(h, g, content);
    out_attrs(h, content);
    call_out_item_end(c);
}

/* --- bodies ----------------------------------------------------------------------------------- */

/* A message whose body cannot be read is set aside; the other messages of the receive are
 * returned. */
static void put_aside(struct handout *h, const struct given *g, u64 body, int err)
{
    struct msg *m = msg_find(&h->all->msgs, g->seq);
    log_error("a message's body cannot be read, the message is set aside message=%" PRIu64
              " body=%" PRIu64 " error=\"%s\"",
              g->seq, body, err_text(err));
    if (m && queue_find(m->queue, g->seq) && msg_receives(m) == g->receives)
        queue_set_aside(m);
}

static void handout_body_came(struct body_fetch *f, u32 i, int err, str row)
{
    struct handout *h = container_of(f, struct handout, fetch);
    const struct given *g = &h->given[i];
    struct content content;
    if (!err)
        err = content_read(row, g->is_raw, g->origin, &h->all->content, &content);
    if (!err)
        out_message(h, g, &content);
    else if (err != E_DOWN)
        put_aside(h, g, f->ids[i], err);
}

static void handout_fetched(struct body_fetch *f)
{
    struct handout *h = container_of(f, struct handout, fetch);
    h->is_done = true;
    call_out_list_end(h->call);
    call_done(h->call);
}

static void message_note(struct handout *h, const struct msg *m, i64 received_ms)
{
    struct given *g = &h->given[h->fetch.n];
    const struct msg_past *past = msg_past(m);
    g->seq = m->seq;
    g->sent_ms = m->sent_ms;
    g->first_ms = msg_first_ms(m);
    g->receives = msg_receives(m);
    g->is_raw = m->flags & MSG_RAW;
    g->is_fifo = m->queue->attributes.fifo;
    g->origin = arena_dup(&h->call->arena, origin_arn(&h->all->msgs, m->origin));
    g->source =
        past ? arena_dup(&h->call->arena, origin_arn(&h->all->msgs, past->source)) : STR("");
    queue_message_id(m, g->id);
    queue_receipt(m, received_ms, g->handle);
    h->fetch.ids[h->fetch.n++] = msg_body_row(m);
}

void handout(struct call *c, const struct handout_wants *wants, struct msg *const *taken, u32 n,
             i64 received_ms)
{
    struct handout *h = arena_alloc(&c->arena, sizeof *h);
    h->call = c;
    h->wants = wants;
    h->all = taken[0]->queue->all;
    h->sender = arena_dup(&c->arena, str_of(taken[0]->queue->sender));
    h->is_done = false;
    h->fetch = (struct body_fetch){.body = handout_body_came, .done = handout_fetched};
    for (u32 i = 0; i < n; i++)
        message_note(h, taken[i], received_ms);
    call_out_list(c, "Messages", "Message");
    queue_store_fetch(h->all->store, &h->fetch);
    if (!h->is_done)
        call_bind(c);
}
