#include "queued/redrive.h"

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
    assert(to != q && !to->deleted);
    queue_identity(m, identity);
    u64 seq = m->seq;
    queue_let_go(q, m);
    msg_move(&qs->msgs, m, to, qs->next_id++);
    msg_set_past(&qs->msgs, m, identity, str_of(q->arn));
    queue_arrive(to, m);
    struct message_row row = queue_message_row(m);
    queue_store_move_message(qs->store, seq, &row);
    loop_dirty(qs->loop);
}
