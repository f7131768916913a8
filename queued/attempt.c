#include "queued/attempt.h"

#include "common/base/mem.h"
#include "queued/queues.h"

#define WINDOW_MS (5 * 60 * 1000)
/* Queue id, slash, attempt id of at most 128 bytes. */
#define KEY_SIZE_MAX (24 + 128)

struct attempt {
    struct list link;
    str key; /* own bytes */
    i64 received_ms, due_ms;
    u32 n;
    u32 on_their_way; /* answers whose outcome is not known yet */
    bool delivered;   /* an answer was sent, or a part of one */
    struct {
        u64 seq;
        u32 delivery;
    } messages[QUEUE_TAKE_MAX];
};

void attempts_init(struct attempts *as, const struct map_seed *seed)
{
    map_init(&as->by_key, seed);
    list_init(&as->order);
}

static void attempt_free(struct attempts *as, struct attempt *a)
{
    map_del(&as->by_key, a->key);
    list_remove(&a->link);
    mem_free(a);
}

static struct attempt *first_attempt(const struct attempts *as)
{
    return list_item(as->order.next, struct attempt, link);
}

void attempts_deinit(struct attempts *as)
{
    while (!list_is_empty(&as->order))
        attempt_free(as, first_attempt(as));
    map_deinit(&as->by_key);
}

static str make_key(const struct queue *q, str id, char buf[KEY_SIZE_MAX])
{
    int n = snprintf(buf, KEY_SIZE_MAX, "%" PRIu64 "/%.*s", q->id, STR_ARG(id));
    assert(n > 0 && n < KEY_SIZE_MAX);
    return str_from(buf, (size_t)n);
}

static void forget_old(struct attempts *as, i64 now_ms)
{
    while (!list_is_empty(&as->order) &&
           (as->by_key.n > ATTEMPTS_MAX || now_ms - first_attempt(as)->received_ms >= WINDOW_MS))
        attempt_free(as, first_attempt(as));
}

/* NULL: the message was deleted or changed since that receive. */
static struct msg *attempt_msg(const struct queue *q, const struct attempt *a, u32 i)
{
    struct msg *m = queue_find(q, a->messages[i].seq);
    bool same = m && msg_state(m) == MSG_LEASED && msg_receives(m) == a->messages[i].delivery &&
                msg_due_ms(m) == a->due_ms;
    return same ? m : NULL;
}

enum attempt_state attempt_find(struct queue *q, str id, struct msg *ret[QUEUE_TAKE_MAX],
                                u32 *ret_n, i64 *ret_received_ms)
{
    struct attempts *as = &q->all->attempts;
    char buf[KEY_SIZE_MAX];
    forget_old(as, q->all->clock->now_ms);
    const struct attempt *a = map_get(&as->by_key, make_key(q, id, buf));
    if (!a)
        return ATTEMPT_NEW;
    for (u32 i = 0; i < a->n; i++)
        if (!(ret[i] = attempt_msg(q, a, i)))
            return ATTEMPT_OVER;
    *ret_n = a->n;
    *ret_received_ms = a->received_ms;
    return ATTEMPT_SAME;
}

void attempt_note(struct queue *q, str id, struct msg *const *taken, u32 n, i64 received_ms)
{
    struct attempts *as = &q->all->attempts;
    char buf[KEY_SIZE_MAX];
    str key = make_key(q, id, buf);
    struct attempt *a = map_get(&as->by_key, key);
    if (!a) {
        a = mem_alloc(sizeof *a + key.n);
        memcpy(a + 1, key.p, key.n);
        a->key = str_from(a + 1, key.n);
        list_push_back(&as->order, &a->link);
        map_put(&as->by_key, a->key, a);
    }
    a->received_ms = received_ms;
    a->due_ms = msg_due_ms(taken[0]);
    a->n = n;
    a->on_their_way++;
    for (u32 i = 0; i < n; i++) {
        a->messages[i].seq = taken[i]->seq;
        a->messages[i].delivery = msg_receives(taken[i]);
    }
    forget_old(as, q->all->clock->now_ms);
}

static struct attempt *attempt_of(struct queue *q, str id)
{
    char buf[KEY_SIZE_MAX];
    return map_get(&q->all->attempts.by_key, make_key(q, id, buf));
}

bool attempt_settle(struct queue *q, str id, enum call_outcome outcome)
{
    struct attempt *a = attempt_of(q, id);
    bool is_lost = outcome == CALL_LOST || outcome == CALL_CUT;
    if (!a || a->on_their_way == 0)
        return true;
    a->on_their_way--;
    a->delivered |= outcome == CALL_SENT;
    if (is_lost && (a->delivered || a->on_their_way))
        return false;
    if (is_lost)
        attempt_free(&q->all->attempts, a);
    return true;
}

void attempt_renew(struct queue *q, str id)
{
    struct attempt *a = attempt_of(q, id);
    const struct msg *m = a ? queue_find(q, a->messages[0].seq) : NULL;
    if (m)
        a->due_ms = msg_due_ms(m);
}
