/* The part of queued's store that is held in memory, for all engines. */
#include "queued/queue_store.h"

#include "common/base/mem.h"

/* Ids are reserved in blocks of this size; those left unused by a crash are never used. */
#define ID_RESERVE 1000000

/* The rejected targets of one DELIVER. */
struct rejected {
    u64 sequence;
    char *places;
    size_t n;
};

struct applied {
    u64 sequence, use;
    str incarnation;           /* own bytes */
    u32 session;               /* the last session in which it sent a DELIVER; 0: none */
    struct rejected *rejected; /* in the order of sequences */
    u32 n, cap;
};

#define REJECTED_CAP_MIN 16

/* Removes the first `n`. */
static void rejected_drop(struct applied *a, u32 n)
{
    for (u32 i = 0; i < n; i++)
        mem_free(a->rejected[i].places);
    a->n -= n;
    memmove(a->rejected, a->rejected + n, a->n * sizeof(*a->rejected));
}

static void applied_free(struct applied *a)
{
    if (a->n)
        rejected_drop(a, a->n);
    mem_free(a->rejected);
    mem_free(a);
}

void queue_store_init(struct queue_store *s, const struct queue_store_ops *ops)
{
    s->ops = ops;
    map_init(&s->applied, NULL);
    engine_ids_open(&s->engine, 0, "id_limit", ID_RESERVE);
}

static void applied_forget(struct queue_store *s)
{
    struct applied *a;

    for (size_t pos = 0; (a = map_next(&s->applied, &pos));)
        applied_free(a);
    map_deinit(&s->applied);
}

void queue_store_deinit(struct queue_store *s)
{
    applied_forget(s);
}

static struct applied *applied_of(struct queue_store *s, str incarnation)
{
    struct applied *a = map_get(&s->applied, incarnation);

    if (a)
        return a;
    a = mem_alloc(sizeof(*a) + incarnation.n);
    memcpy(a + 1, incarnation.p, incarnation.n);
    a->incarnation = str_from(a + 1, incarnation.n);
    map_put(&s->applied, a->incarnation, a);
    return a;
}

void queue_store_hold_applied(struct queue_store *s, const struct applied_row *row)
{
    struct applied *a = applied_of(s, row->incarnation);

    a->sequence = row->sequence;
    a->use = row->use;
    s->applied_use = MAX(s->applied_use, row->use);
}

/* Beyond the limit, removes the incarnation whose last DELIVER is the oldest. */
static void applied_bound(struct queue_store *s)
{
    struct applied *a, *oldest = NULL;

    if (s->applied.n <= QUEUE_STORE_APPLIED_MAX)
        return;
    for (size_t pos = 0; (a = map_next(&s->applied, &pos));)
        if (!oldest || a->use < oldest->use)
            oldest = a;
    s->ops->forget_applied(s, oldest->incarnation);
    map_del(&s->applied, oldest->incarnation);
    applied_free(oldest);
}

void queue_store_set_applied(struct queue_store *s, str incarnation, u64 sequence)
{
    struct applied *a = applied_of(s, incarnation);

    a->sequence = sequence;
    if (a->use == 0 || a->use != s->applied_use)
        a->use = ++s->applied_use;
    s->ops->set_applied(s, &(struct applied_row){a->incarnation, a->sequence, a->use});
    applied_bound(s);
}

u64 queue_store_applied(const struct queue_store *s, str incarnation)
{
    const struct applied *a = map_get(&s->applied, incarnation);

    return a ? a->sequence : 0;
}

/* --- what was rejected ------------------------------------------------------------------------ */

static void rejected_put(struct applied *a, u64 sequence, str places)
{
    if (a->n == a->cap) {
        a->cap = MAX(2 * a->cap, (u32)REJECTED_CAP_MIN);
        a->rejected = mem_grow(a->rejected, a->cap * sizeof(*a->rejected));
    }
    a->rejected[a->n++] = (struct rejected){sequence, mem_dup(places), places.n};
}

void queue_store_hold_rejected(struct queue_store *s, const struct rejected_row *r)
{
    rejected_put(applied_of(s, r->incarnation), r->sequence, r->places);
}

static void rejected_forget(struct queue_store *s, struct applied *a, u32 n)
{
    if (n == 0)
        return;
    s->ops->forget_rejected(s, a->incarnation, a->rejected[n - 1].sequence + 1);
    rejected_drop(a, n);
}

void queue_store_add_rejected(struct queue_store *s, const struct rejected_row *r)
{
    struct applied *a = applied_of(s, r->incarnation);

    rejected_put(a, r->sequence, r->places);
    s->ops->add_rejected(s, r);
    if (a->n >= 2 * QUEUE_STORE_REJECTED_MAX)
        rejected_forget(s, a, a->n - QUEUE_STORE_REJECTED_MAX);
}

/* How many rejected entries have a lower sequence. */
static u32 rejected_below(const struct applied *a, u64 sequence)
{
    u32 low = 0, high = a->n;

    while (low < high) {
        u32 middle = low + (high - low) / 2;

        if (a->rejected[middle].sequence < sequence)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

str queue_store_rejected(const struct queue_store *s, str incarnation, u64 sequence)
{
    const struct applied *a = map_get(&s->applied, incarnation);
    u32 at = a ? rejected_below(a, sequence) : 0;

    if (!a || at == a->n || a->rejected[at].sequence != sequence)
        return STR("");
    return str_from(a->rejected[at].places, a->rejected[at].n);
}

void queue_store_heard(struct queue_store *s, str incarnation, u64 sequence, u32 session)
{
    struct applied *a = map_get(&s->applied, incarnation);

    if (!a || a->session == session)
        return;
    a->session = session;
    rejected_forget(s, a, rejected_below(a, sequence));
}

int queue_store_load(struct queue_store *s, const struct queue_store_walk *walk)
{
    applied_forget(s);
    map_init(&s->applied, NULL);
    return s->ops->load(s, s, walk);
}
