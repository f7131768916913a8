#include "queued/redrive_page.h"

#include "common/aws/desk.h"
#include "common/aws/queue_page.h"
#include "common/base/log.h"
#include "queued/content.h"
#include "queued/members.h"
#include "queued/message_attr.h"

/* Messages examined to find the one with that MessageId. */
#define LOOKS_MAX 100000

static const struct action action = {.name = "Redrive", .in = members_redrive};

/* In the call's arena. */
struct mending {
    struct call *call;
    struct queues *all;
    u64 queue, seq; /* of the dead letter */
    bool is_raw;
    str origin, to; /* to: ARN of the destination */
    struct message_attrs attrs;
    int err;                /* the error of reading the body, or 0 */
    char md5[HASH_MD5_HEX]; /* of the body before the change */
    struct body_fetch fetch;
};

/* Applies the requested changes; `content` gets views of the input, which lives as long as the
 * call. */
static void change_content(struct mending *d, struct content *content)
{
    str body = val_text(d->call->in, "MessageBody");

    memcpy(d->md5, content->md5, sizeof(d->md5));
    content->is_published = false;
    if (body.n)
        content->body = body;
    hash_md5_hex(content->body, content->md5);
    if (val_get(d->call->in, "MessageAttributes"))
        content->attrs = d->attrs;
}

static struct msg *find_letter(const struct mending *d)
{
    struct queue *q = idmap_get(&d->all->by_id, d->queue);
    struct msg *m = q && !q->deleted ? queue_find(q, d->seq) : NULL;

    return m && msg_state(m) == MSG_VISIBLE ? m : NULL;
}

static void send_back(struct mending *d, struct msg *m, struct queue *to, struct content *content)
{
    struct call *c = d->call;
    char before[ID_UUID_SIZE], after[ID_UUID_SIZE];
    u64 seq = m->seq;

    content_write(&d->all->row, content);
    const struct msg *sent =
        queue_put(to, &(struct new_message){.content = buf_view(&d->all->row),
                                            .group_id = content->group_id,
                                            .delay_ms = to->attributes.delay_s * 1000});

    queue_message_id(m, before);
    queue_message_id(sent, after);
    history_move(sent, seq);
    log_info("a dead letter was changed and sent back from=%s to=%s message=%s md5=%s new=%s",
             m->queue->arn, to->arn, before, d->md5, after);
    queue_drop(m);
    call_page(
        c, 200,
        arena_printf(&c->arena, "{\"MessageId\":\"%s\",\"QueueArn\":\"%s\"}", after, to->arn));
}

static void letter_change(struct mending *d, struct content *content)
{
    struct call *c = d->call;
    struct msg *m = find_letter(d);
    struct queue *to = queues_find_arn(d->all, d->to);

    change_content(d, content);
    if (!m)
        call_page_fail(c, 409, "the message is in flight, or gone");
    else if (!to || to == m->queue || to->attributes.fifo != m->queue->attributes.fifo)
        call_page_fail(c, 400, "there is no such destination of the same type");
    else if (content->body.n + message_attrs_size(&content->attrs) >
             (size_t)to->attributes.size_max)
        call_page_fail(c, 400, "Message must be shorter than %" PRId64 " bytes.",
                       to->attributes.size_max);
    else
        send_back(d, m, to, content);
}

static void letter_body_came(struct body_fetch *f, u32 i, int err, str row)
{
    struct mending *d = container_of(f, struct mending, fetch);
    struct content content;

    if (!err)
        err = content_read(row, d->is_raw, d->origin, &d->all->content, &content);
    d->err = err;
    if (!err)
        letter_change(d, &content);
}

static void letter_fetched(struct body_fetch *f)
{
    struct mending *d = container_of(f, struct mending, fetch);

    if (d->err)
        call_page_fail(d->call, 500, "the message cannot be read");
}

/* --- the request ------------------------------------------------------------------------------ */

static struct msg *letter_of(struct queue *q, str message_id)
{
    char id[ID_UUID_SIZE];
    u32 looks = 0;

    for (struct list *at = q->arrived.next; at != &q->arrived && looks < LOOKS_MAX; looks++) {
        struct msg *m = list_item(at, struct msg, arrived);

        if (str_eq(queue_message_id(m, id), message_id))
            return m;
        at = at->next;
    }
    return NULL;
}

static str destination_of(struct call *c, const struct msg *m)
{
    str given = val_text(c->in, "DestinationArn");
    const struct msg_past *past = msg_past(m);

    if (given.n)
        return given;
    if (!past)
        return STR("");
    return arena_dup(&c->arena, origin_arn(&m->queue->all->msgs, past->source));
}

/* The members of the request; NULL, and the call has failed. */
static struct mending *read_request(struct call *c, const struct redrive_pages *p)
{
    struct mending *d = arena_zalloc(&c->arena, sizeof *d);

    c->service = p->service;
    c->dialect = DIALECT_JSON;
    c->action = &action;
    call_read(c);
    int err = c->fault.code
                  ? E_FAULT
                  : message_attrs_read(val_get(c->in, "MessageAttributes"), &d->attrs, &c->fault);

    if (!err && !message_is_text(val_text(c->in, "MessageBody")))
        err = fault_set(&c->fault, CALL_FAULT_INVALID_PARAMETER, "Invalid characters found.");
    if (!err)
        return d;
    struct fault why = c->fault; /* pages have their own error format */

    fault_clear(&c->fault);
    call_page_fail(c, 400, "%s", why.text);
    return NULL;
}

static void page_run(struct call *c, void *arg)
{
    const struct redrive_pages *p = arg;
    struct queue_page page;

    if (!p->remote && !queue_page_is_local(c)) {
        call_page_fail(c, 403,
                       "Messages are changed by clients of this machine alone "
                       "(peek_remote).");
        return;
    }
    if (queue_page_read(c, &page)) {
        call_page_fail(c, 400, "the request cannot be read");
        return;
    }
    struct queue *q =
        queues_find(p->queues, page.place.account, page.place.region, page.place.name);
    struct mending *d = q ? read_request(c, p) : NULL;

    if (!q)
        queue_page_absent(c, &page);
    if (!d)
        return;
    struct msg *m = letter_of(q, val_text(c->in, "MessageId"));

    if (!m) {
        call_page_fail(c, 404, "there is no such message");
        return;
    }
    d->call = c;
    d->all = q->all;
    d->queue = q->id;
    d->seq = m->seq;
    d->is_raw = m->flags & MSG_RAW;
    d->origin = arena_dup(&c->arena, origin_arn(&q->all->msgs, m->origin));
    d->to = destination_of(c, m);
    d->fetch = (struct body_fetch){
        .n = 1, .ids = {msg_body_row(m)}, .body = letter_body_came, .done = letter_fetched};
    queue_store_fetch(q->all->store, &d->fetch);
}

void redrive_pages_add(struct redrive_pages *p, struct desk *d)
{
    queue_page_add(d, "redrive", page_run, p);
}
