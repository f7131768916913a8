/* The index: seqs ascend, and messages with neighbouring seqs are mostly removed at about the same
 * time, so the index is a table of chunks of 64 seqs; a chunk exists while it has messages. It
 * takes 9 bytes a message, where a hash table of messages would need up to 37; a chunk with a
 * single message takes half a kilobyte.
 *
 * Invariants: (1) a message is in the index from msg_new to msg_free; (2) a message has a rare part
 * exactly while it is hidden, was received, or was moved. */
#include "queued/queue.h"

#include "common/base/mem.h"

#define CHUNK 64

static_assert(sizeof(struct msg) <= 88,
              "with its place in the index a message stays below 100 bytes");
static_assert(sizeof(struct msg_rare) + 2 * sizeof(struct heap_item) <= 80,
              "a hundred thousand messages in flight are 8 MB more at most");

struct chunk {
    u64 key;
    u32 used;
    struct msg *at[CHUNK];
};

void msgs_init(struct msgs *ms, const struct map_seed *seed)
{
    *ms = (struct msgs){0};
    slab_init(&ms->msgs, sizeof(struct msg));
    slab_init(&ms->rares, sizeof(struct msg_rare));
    slab_init(&ms->pasts, sizeof(struct msg_past));
    slab_init(&ms->bodies, sizeof(struct msg_body));
    slab_init(&ms->index, sizeof(struct chunk));
    idmap_init(&ms->chunks, seed);
    map_init(&ms->origin_of, seed);
}

void msgs_deinit(struct msgs *ms)
{
    for (u32 i = 0; i < ms->origin_count; i++)
        mem_free(ms->origins[i]);
    mem_free(ms->origins);
    map_deinit(&ms->origin_of);
    idmap_deinit(&ms->chunks);
    slab_deinit(&ms->index);
    slab_deinit(&ms->bodies);
    slab_deinit(&ms->pasts);
    slab_deinit(&ms->rares);
    slab_deinit(&ms->msgs);
}

/* --- life ------------------------------------------------------------------------------------- */

static u64 chunk_key(u64 seq)
{
    return seq / CHUNK + 1; /* never 0 */
}

static void index_add(struct msgs *ms, struct msg *m, u64 seq)
{
    struct chunk *c = idmap_get(&ms->chunks, chunk_key(seq));
    if (!c) {
        c = slab_take(&ms->index);
        c->key = chunk_key(seq);
        idmap_put(&ms->chunks, c->key, c);
    }
    assert(!c->at[seq % CHUNK]);
    c->at[seq % CHUNK] = m;
    c->used++;
    m->seq = seq;
}

static void index_remove(struct msgs *ms, struct msg *m)
{
    struct chunk *c = idmap_get(&ms->chunks, chunk_key(m->seq));
    assert(c && c->at[m->seq % CHUNK] == m);
    c->at[m->seq % CHUNK] = NULL;
    if (--c->used == 0) {
        idmap_del(&ms->chunks, c->key);
        idmap_shrink(&ms->chunks);
        slab_give(&ms->index, c);
    }
}

struct msg *msg_new(struct msgs *ms, struct queue *q, u64 seq, i64 sent_ms)
{
    struct msg *m = slab_take(&ms->msgs);
    m->queue = q;
    m->sent_ms = sent_ms;
    list_init(&m->arrived);
    index_add(ms, m, seq);
    return m;
}

struct msg *msg_find(const struct msgs *ms, u64 seq)
{
    const struct chunk *c = idmap_get(&ms->chunks, chunk_key(seq));
    return c ? c->at[seq % CHUNK] : NULL;
}

static void past_free(struct msgs *ms, struct msg *m)
{
    struct msg_past *p = msg_past(m);
    if (!p)
        return;
    origin_drop(ms, p->source);
    slab_give(&ms->pasts, p);
    m->rare->past = NULL;
}

static void rare_free(struct msgs *ms, struct msg *m)
{
    if (!m->rare)
        return;
    past_free(ms, m);
    heap_remove(&m->queue->hidden, &m->rare->due);
    slab_give(&ms->rares, m->rare);
    m->rare = NULL;
}

void msg_free(struct msgs *ms, struct msg *m)
{
    assert(!m->body && !m->group);
    list_remove(&m->arrived);
    rare_free(ms, m);
    origin_drop(ms, m->origin);
    index_remove(ms, m);
    slab_give(&ms->msgs, m);
}

/* --- states ----------------------------------------------------------------------------------- */

static struct msg_rare *rare_of(struct msgs *ms, struct msg *m)
{
    if (!m->rare) {
        m->rare = slab_take(&ms->rares);
        m->rare->msg = m;
    }
    return m->rare;
}

enum msg_state msg_state(const struct msg *m)
{
    if (!m->rare || !m->rare->due.place)
        return MSG_VISIBLE;
    return m->rare->receives ? MSG_LEASED : MSG_DELAYED;
}

void msg_hide(struct msgs *ms, struct msg *m, i64 due_ms)
{
    heap_set_tied(&m->queue->hidden, &rare_of(ms, m)->due, due_ms, m->seq);
}

void msg_show(struct msgs *ms, struct msg *m)
{
    if (!m->rare)
        return;
    if (m->rare->receives == 0 && !m->rare->past)
        rare_free(ms, m);
    else
        heap_remove(&m->queue->hidden, &m->rare->due);
}

void msg_count(struct msgs *ms, struct msg *m, i64 now_ms)
{
    struct msg_rare *r = rare_of(ms, m);
    if (r->receives++ == 0)
        r->first_ms = now_ms;
}

void msg_uncount(struct msgs *ms, struct msg *m)
{
    struct msg_rare *r = m->rare;
    assert(r && r->receives > 0 && !r->due.place);
    if (--r->receives > 0)
        return;
    r->first_ms = 0;
    if (!r->past)
        rare_free(ms, m);
}

void msg_set_receives(struct msgs *ms, struct msg *m, u32 receives, i64 first_ms)
{
    struct msg_rare *r = rare_of(ms, m);
    r->receives = receives;
    r->first_ms = first_ms;
}

i64 msg_due_ms(const struct msg *m)
{
    return m->rare && m->rare->due.place ? heap_due(&m->queue->hidden, &m->rare->due) : 0;
}

void msg_forget_due(struct msg *m)
{
    if (m->rare)
        m->rare->due.place = 0;
}

/* --- bodies ----------------------------------------------------------------------------------- */

struct msg_body *msg_body_new(struct msgs *ms, u64 row)
{
    struct msg_body *b = slab_take(&ms->bodies);
    b->row = row;
    return b;
}

void msg_body_hold(struct msg *m, struct msg_body *b)
{
    assert(!m->body && !m->group);
    m->body = b;
    if (b)
        b->holders++;
}

bool msg_body_drop(struct msgs *ms, struct msg *m)
{
    struct msg_body *b = m->body;
    m->body = NULL;
    if (!b)
        return true;
    assert(b->holders > 0);
    if (--b->holders > 0)
        return false;
    slab_give(&ms->bodies, b);
    return true;
}

/* --- moves ------------------------------------------------------------------------------------ */

void msg_move(struct msgs *ms, struct msg *m, struct queue *to, u64 seq)
{
    list_remove(&m->arrived);
    msg_show(ms, m);
    if (!m->body)
        msg_body_hold(m, msg_body_new(ms, m->seq));
    index_remove(ms, m);
    index_add(ms, m, seq);
    m->queue = to;
}

void msg_set_past(struct msgs *ms, struct msg *m, const u8 identity[MSG_IDENTITY_SIZE], str source,
                  u32 receives)
{
    struct msg_rare *r = rare_of(ms, m);
    if (!r->past) {
        r->past = slab_take(&ms->pasts);
        r->past->msg = m;
        memcpy(r->past->identity, identity, MSG_IDENTITY_SIZE);
    }
    origin_drop(ms, r->past->source);
    r->past->source = origin_hold(ms, source);
    r->past->receives = receives;
}

void msg_renew(struct msgs *ms, struct msg *m, i64 sent_ms)
{
    rare_free(ms, m);
    m->sent_ms = sent_ms;
}

/* --- where messages came from ----------------------------------------------------------------- */

static u32 origin_place(struct msgs *ms)
{
    for (u32 i = ms->origin_free; i < ms->origin_count; i++)
        if (!ms->origins[i])
            return ms->origin_free = i;
    if (ms->origin_count == ms->origin_cap) {
        ms->origin_cap = ms->origin_cap ? ms->origin_cap * 2 : 16;
        ms->origins = mem_grow(ms->origins, ms->origin_cap * sizeof(struct origin *));
    }
    return ms->origin_free = ms->origin_count++;
}

u32 origin_hold(struct msgs *ms, str arn)
{
    if (arn.n == 0)
        return 0;
    struct origin *o = map_get(&ms->origin_of, arn);
    if (!o) {
        o = mem_alloc(sizeof *o + arn.n);
        memcpy(o + 1, arn.p, arn.n);
        o->arn = str_from(o + 1, arn.n);
        u32 i = origin_place(ms);
        o->place = i + 1;
        ms->origins[i] = o;
        ms->origin_free = i + 1;
        map_put(&ms->origin_of, o->arn, o);
    }
    o->holders++;
    return o->place;
}

void origin_drop(struct msgs *ms, u32 place)
{
    if (place == 0)
        return;
    struct origin *o = ms->origins[place - 1];
    assert(o && o->holders > 0);
    if (--o->holders > 0)
        return;
    map_del(&ms->origin_of, o->arn);
    ms->origins[place - 1] = NULL;
    ms->origin_free = MIN(ms->origin_free, place - 1);
    mem_free(o);
}

str origin_arn(const struct msgs *ms, u32 place)
{
    return place ? ms->origins[place - 1]->arn : STR("");
}

void msg_check(const struct msgs *ms, const struct msg *m)
{
    assert(msg_find(ms, m->seq) == m);
    assert(m->queue);
    assert(!list_is_empty(&m->arrived));
    if (m->rare) {
        assert(m->rare->msg == m);
        assert((m->rare->receives == 0) == (m->rare->first_ms == 0));
        assert(m->rare->receives || m->rare->due.place || m->rare->past);
        assert(!m->rare->past || m->rare->past->msg == m);
    }
    assert(!m->body || m->body->holders);
    assert(!m->origin || origin_arn(ms, m->origin).n);
}
