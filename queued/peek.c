#include "queued/peek.h"

#include "common/base/log.h"
#include "queued/handout.h"

/* --- which messages --------------------------------------------------------------------------- */

/* The first message after seq `after`, or the end of the list. If that message is gone the
 * following seqs are tried; NULL: none of those tried is in this queue. */
static const struct list *peek_place(const struct queue *q, u64 after)
{
    const struct list *end = &q->arrived;
    const struct msgs *ms = &q->all->msgs;

    if (after == 0 || list_is_empty(&q->arrived))
        return end->next;
    u64 last = list_item(end->prev, struct msg, arrived)->seq;

    for (u64 seq = after; seq <= last && seq - after < PEEK_LOOKS_MAX; seq++) {
        const struct msg *m = msg_find(ms, seq);

        if (m && m->queue == q)
            return seq == after ? m->arrived.next : &m->arrived;
    }
    return after >= last ? end : NULL;
}

static bool is_wanted(const struct peek_wants *w, const struct msg *m)
{
    switch (msg_state(m)) {
    case MSG_LEASED: return w->in_flight;
    case MSG_DELAYED: return w->delayed;
    default: return true;
    }
}

static void peek_note(struct peek *p, const struct msg *m)
{
    struct peeked *to = &p->items[p->n++];
    const struct msgs *ms = &p->all->msgs;
    const struct msg_past *past = msg_past(m);

    *to = (struct peeked){.seq = m->seq,
                          .body = msg_body_row(m),
                          .state = msg_state(m),
                          .sent_ms = m->sent_ms,
                          .first_ms = msg_first_ms(m),
                          .due_ms = msg_due_ms(m),
                          .receives = msg_receives(m),
                          .is_raw = m->flags & MSG_RAW,
                          .is_fifo = m->queue->attributes.fifo,
                          .origin = arena_dup(&p->call->arena, origin_arn(ms, m->origin)),
                          .source = past ? arena_dup(&p->call->arena, origin_arn(ms, past->source))
                                         : STR(""),
                          .deliveries = history_json(m, &p->call->arena)};
    queue_message_id(m, to->id);
}

static void peek_collect(struct peek *p, struct queue *q, const struct list *at,
                         const struct peek_wants *w)
{
    u64 seen = 0;

    for (u32 looks = 0; at != &q->arrived; at = at->next, looks++) {
        const struct msg *m = list_item(at, struct msg, arrived);

        if (p->n == w->max || looks == PEEK_LOOKS_MAX) {
            p->next = seen;
            return;
        }
        if (queue_find(q, m->seq) && is_wanted(w, m))
            peek_note(p, m);
        seen = m->seq;
    }
}

/* --- bodies ----------------------------------------------------------------------------------- */

static void peek_end(struct peek *p)
{
    struct call *c = p->call;

    c->cancel = NULL;
    c->parked = NULL;
    p->done(p);
}

/* The client left. A fetch that is under way ends it. */
static void peek_gone(struct call *c)
{
    struct peek *p = c->parked;

    p->at = p->n;
    if (p->is_fetching)
        return;
    loop_later_cancel(p->all->loop, &p->again);
    peek_end(p);
}

static void peek_step(struct peek *p);

static void peek_again(struct loop_later *later, int err)
{
    peek_step(container_of(later, struct peek, again));
}

static void peek_body_came(struct body_fetch *f, u32 i, int err, str row)
{
    struct peek *p = container_of(f, struct peek, fetch);
    struct content content;

    u32 at = p->at + i;

    if (at >= p->n)
        return;
    const struct peeked *m = &p->items[at];

    if (!err)
        err = content_read(row, m->is_raw, m->origin, &p->all->content, &content);
    if (err) /* deleted meanwhile, or unreadable, which is logged when it is received */
        return;
    if (p->message(p, m, &content) <= PEEK_BYTES_MAX || at + 1 == p->n)
        return;
    p->next = m->seq;
    p->n = at + 1;
}

static void peek_fetched(struct body_fetch *f)
{
    struct peek *p = container_of(f, struct peek, fetch);

    p->is_fetching = false;
    p->at = MIN(p->n, p->at + f->n);
    if (p->at < p->n)
        loop_later(p->all->loop, &p->again);
    else
        peek_end(p);
}

static void peek_step(struct peek *p)
{
    struct body_fetch *f = &p->fetch;

    *f = (struct body_fetch){.body = peek_body_came, .done = peek_fetched};
    while (f->n < BODY_FETCH_MAX && p->at + f->n < p->n) {
        f->ids[f->n] = p->items[p->at + f->n].body;
        f->n++;
    }
    if (f->n == 0) {
        peek_end(p);
        return;
    }
    p->is_fetching = true;
    queue_store_fetch(p->all->store, f);
}

int peek_begin(struct peek *p, struct call *c, struct queue *q, const struct peek_wants *w)
{
    assert(w->max > 0 && w->max <= PEEK_MESSAGES_MAX);
    queue_catch_up(q);
    const struct list *at = peek_place(q, w->after);

    if (!at)
        return E_NOT_FOUND;
    p->call = c;
    p->all = q->all;
    p->sender = arena_dup(&c->arena, str_of(q->sender));
    p->items = arena_alloc(&c->arena, w->max * sizeof *p->items);
    p->again.run = peek_again;
    c->parked = p;
    c->cancel = peek_gone;
    peek_collect(p, q, at, w);
    peek_step(p);
    return 0;
}

str peek_sender(const struct peek *p, const struct content *content)
{
    return content->is_published ? STR(HANDOUT_SNS_SENDER) : p->sender;
}
