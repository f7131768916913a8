#include "queued/redrive.h"

#include "queued/group.h"
#include "queued/queues.h"

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
