#include "queued/redrive.h"

#include "common/aws/arn.h"
#include "common/base/mem.h"
#include "queued/group.h"
#include "queued/queues.h"
#include "queued/redrive_policy.h"

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
    struct fault ignored; /* it was read before; a damaged row means none */
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

struct queue *redrive_target(const struct queue *q, const struct msg *m)
{
    if (q->receives_max == 0 || msg_receives(m) < q->receives_max)
        return NULL;
    struct queue *to = queues_find_arn(q->all, str_of(q->dead_letter_arn));
    return to != q ? to : NULL;
}

void redrive_move(struct msg *m, struct queue *to)
{
    struct queue *q = m->queue;
    struct queues *qs = q->all;
    u8 identity[MSG_IDENTITY_SIZE];
    char group_id[GROUP_ID_MAX];
    assert(to != q && !to->deleted && to->pick == q->pick);
    queue_identity(m, identity);
    u64 seq = m->seq;
    size_t n = m->group ? m->group->id.n : 0;
    if (n)
        memcpy(group_id, m->group->id.p, n);
    queue_let_go(q, m);
    msg_move(&qs->msgs, m, to, qs->next_id++);
    msg_set_past(&qs->msgs, m, identity, str_of(q->arn));
    if (n) {
        group_join(m, str_from(group_id, n));
        m->sent_ms = qs->clock->now_ms; /* the service's rule for FIFO queues */
    }
    queue_arrive(to, m);
    struct message_row row = queue_message_row(m);
    queue_store_move_message(qs->store, seq, &row);
    loop_dirty(qs->loop);
}
