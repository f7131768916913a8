/* The index: ids grow, neighbours live and go together, so they are found through chunks of 64 ids;
 * a chunk exists while one of its messages does. That is 9 bytes a message where a hash table of
 * messages would need up to 37, and a lone survivor pins half a kilobyte, no more.
 *
 * Invariants: (1) a message is in the index from msg_new to msg_free; (2) a message has a rare part
 * exactly while it is hidden or was received. */
#include "queued/msg.h"

#include "common/base/mem.h"

#define CHUNK 64

static_assert(sizeof(struct msg) <= 80,
              "with its place in the index a message stays below 100 bytes");
static_assert(sizeof(struct msg_rare) + 2 * sizeof(struct heap_item) <= 96,
              "a hundred thousand messages in flight are 10 MB more at most");

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
    idmap_init(&ms->chunks, seed);
    heap_init(&ms->due);
    map_init(&ms->origin_of, seed);
}

void msgs_deinit(struct msgs *ms)
{
    struct chunk *c;
    for (size_t pos = 0; (c = idmap_next(&ms->chunks, &pos));)
        mem_free(c);
    for (u32 i = 0; i < ms->origin_count; i++)
        mem_free(ms->origins[i]);
    mem_free(ms->origins);
    map_deinit(&ms->origin_of);
    heap_deinit(&ms->due);
    idmap_deinit(&ms->chunks);
    slab_deinit(&ms->rares);
    slab_deinit(&ms->msgs);
}

/* --- life ------------------------------------------------------------------------------------- */

static u64 chunk_key(u64 id)
{
    return id / CHUNK + 1; /* never 0 */
}

struct msg *msg_new(struct msgs *ms, struct queue *q, u64 id, i64 sent_ms)
{
    struct chunk *c = idmap_get(&ms->chunks, chunk_key(id));
    if (!c) {
        c = mem_alloc(sizeof *c);
        c->key = chunk_key(id);
        idmap_put(&ms->chunks, c->key, c);
    }
    assert(!c->at[id % CHUNK]);
    struct msg *m = slab_take(&ms->msgs);
    m->id = id;
    m->queue = q;
    m->sent_ms = sent_ms;
    list_init(&m->arrived);
    c->at[id % CHUNK] = m;
    c->used++;
    return m;
}

struct msg *msg_find(const struct msgs *ms, u64 id)
{
    const struct chunk *c = idmap_get(&ms->chunks, chunk_key(id));
    return c ? c->at[id % CHUNK] : NULL;
}

static void rare_free(struct msgs *ms, struct msg *m)
{
    if (!m->rare)
        return;
    heap_remove(&ms->due, &m->rare->due);
    slab_give(&ms->rares, m->rare);
    m->rare = NULL;
}

void msg_free(struct msgs *ms, struct msg *m)
{
    struct chunk *c = idmap_get(&ms->chunks, chunk_key(m->id));
    assert(c && c->at[m->id % CHUNK] == m);
    list_remove(&m->arrived);
    rare_free(ms, m);
    origin_drop(ms, m->origin);
    c->at[m->id % CHUNK] = NULL;
    if (--c->used == 0) {
        idmap_del(&ms->chunks, c->key);
        mem_free(c);
    }
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
    heap_set_tied(&ms->due, &rare_of(ms, m)->due, due_ms, m->id);
}

void msg_show(struct msgs *ms, struct msg *m)
{
    if (!m->rare)
        return;
    if (m->rare->receives == 0)
        rare_free(ms, m);
    else
        heap_remove(&ms->due, &m->rare->due);
}

void msg_count(struct msgs *ms, struct msg *m, i64 now_ms)
{
    struct msg_rare *r = rare_of(ms, m);
    if (r->receives++ == 0)
        r->first_ms = now_ms;
}

void msg_set_receives(struct msgs *ms, struct msg *m, u32 receives, i64 first_ms)
{
    struct msg_rare *r = rare_of(ms, m);
    r->receives = receives;
    r->first_ms = first_ms;
}

i64 msg_due_ms(const struct msgs *ms, const struct msg *m)
{
    return m->rare && m->rare->due.place ? heap_due(&ms->due, &m->rare->due) : 0;
}

struct msg *msg_first_due(const struct msgs *ms)
{
    struct heap_node *top = heap_top(&ms->due);
    return top ? container_of(top, struct msg_rare, due)->msg : NULL;
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
    assert(msg_find(ms, m->id) == m);
    assert(m->queue);
    assert(!list_is_empty(&m->arrived));
    if (m->rare) {
        assert(m->rare->msg == m);
        assert((m->rare->receives == 0) == (m->rare->first_ms == 0));
        assert(m->rare->receives || m->rare->due.place);
    }
    assert(!m->origin || origin_arn(ms, m->origin).n);
}
