#include "queued/redrive.h"

#include "common/aws/arn.h"
#include "common/base/mem.h"
#include "queued/aids.h"
#include "queued/group.h"
#include "queued/queues.h"
#include "common/aws/redrive_policy.h"

/* --- policies --------------------------------------------------------------------------------- */

static int check_target(struct queues *qs, str source_arn, bool is_fifo, str policy,
                        const char *target_arn, struct fault *f)
{
    struct queue *to = queues_find_arn(qs, str_of(target_arn));
    struct arn source;
    if (arn_read(source_arn, &source) || !to || !str_eq(to->account, source.account) ||
        !str_eq(to->region, source.region))
        return redrive_policy_refuse(policy, "Dead letter target does not exist.", f);
    if (to->attributes.fifo != is_fifo)
        return redrive_policy_refuse(
            policy, "Dead-letter queue must be same type of queue as the source..", f);
    if (!redrive_allow_permits(to->attributes.redrive_allow_policy, source_arn))
        return redrive_policy_refuse(
            policy, "The redrive allow policy of the dead-letter queue does not permit this queue.",
            f);
    return 0;
}

int redrive_check(struct queues *qs, str source_arn, bool is_fifo, str policy, struct fault *f)
{
    struct redrive_policy read = {0};
    if (policy.n == 0)
        return 0;
    int err = redrive_policy_read(policy, &read, NULL, f);
    if (!err)
        err = check_target(qs, source_arn, is_fifo, policy, read.target, f);
    redrive_policy_deinit(&read);
    return err;
}

void redrive_apply(struct queue *q)
{
    struct redrive_policy policy = {0};
    struct fault ignored; /* it was checked when it was set; a damaged policy counts as none */
    fault_clear(&ignored);
    redrive_sources_remove(&q->all->sources, q);
    mem_free(q->dead_letter_arn);
    if (q->attributes.redrive_policy &&
        redrive_policy_read(str_of(q->attributes.redrive_policy), &policy, NULL, &ignored))
        policy = (struct redrive_policy){0};
    q->receives_max = policy.receives_max;
    q->dead_letter_arn = policy.target;
    if (q->dead_letter_arn)
        redrive_sources_add(&q->all->sources, q);
}

/* --- moves ------------------------------------------------------------------------------------ */

struct queue *redrive_target(struct queue *q, const struct msg *m)
{
    if (!aids_bury(q) && (q->receives_max == 0 || msg_receives_here(m) < q->receives_max))
        return NULL;
    struct queue *to = queues_find_arn(q->all, str_of(q->dead_letter_arn));
    return to && to != q && to->pick == q->pick ? to : NULL;
}

/* State of a message that is moved from one queue to another. */
struct moving {
    u64 seq; /* its row number before the move */
    size_t n;
    char group_id[GROUP_ID_MAX];
};

static void redrive_leave(struct msg *m, struct queue *to, struct moving *ret)
{
    struct queue *q = m->queue;
    struct queues *qs = q->all;
    assert(to != q && !to->deleted && to->pick == q->pick);
    ret->seq = m->seq;
    ret->n = m->group ? m->group->id.n : 0;
    assert(ret->n <= sizeof ret->group_id);
    if (ret->n)
        memcpy(ret->group_id, m->group->id.p, ret->n);
    queue_let_go(q, m);
    msg_move(&qs->msgs, m, to, qs->next_id++);
}

static void redrive_arrive(struct msg *m, const struct moving *from)
{
    struct queues *qs = m->queue->all;
    if (from->n)
        group_join(m, str_from(from->group_id, from->n));
    queue_arrive(m->queue, m);
    struct message_row row = queue_message_row(m);
    queue_store_move_message(qs->store, from->seq, &row);
    history_move(m, from->seq);
    loop_dirty(qs->loop);
}

void redrive_move(struct msg *m, struct queue *to)
{
    struct queue *q = m->queue;
    struct queues *qs = q->all;
    struct moving moving;
    u8 identity[MSG_IDENTITY_SIZE];
    queue_identity(m, identity);
    redrive_leave(m, to, &moving);
    msg_set_past(&qs->msgs, m, identity, str_of(q->arn), msg_receives(m));
    if (to->attributes.fifo)
        m->sent_ms = qs->clock->now_ms; /* the service's rule for FIFO queues */
    redrive_arrive(m, &moving);
}

void redrive_return(struct msg *m, struct queue *to)
{
    struct queues *qs = to->all;
    struct moving moving;
    redrive_leave(m, to, &moving);
    msg_renew(&qs->msgs, m, queue_arrival_ms(to));
    if (to->attributes.delay_s) {
        i64 due_ms = m->sent_ms + to->attributes.delay_s * 1000;
        msg_hide(&qs->msgs, m, due_ms);
        queue_set_falls(to, due_ms);
    }
    redrive_arrive(m, &moving);
}
