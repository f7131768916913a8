/* Invariants: (1) a task is on its queue's `tasks`, and in move_tasks.due exactly while it runs;
 * (2) one task of a queue runs at most. */
#include "queued/move_task.h"

#include "common/base/mem.h"
#include "common/base/scan.h"
#include "queued/queues.h"
#include "queued/redrive.h"

/* Messages that one task moves before the next task continues. */
#define TASK_BATCH 256

static const char *const status_names[MOVE_STATUSES] = {"RUNNING", "COMPLETED", "CANCELLED",
                                                        "FAILED"};

const char *move_status_name(enum move_status s)
{
    return status_names[s];
}

void move_tasks_init(struct move_tasks *ts)
{
    *ts = (struct move_tasks){0};
    heap_init(&ts->due);
}

void move_tasks_deinit(struct move_tasks *ts)
{
    heap_deinit(&ts->due);
}

/* --- the row ---------------------------------------------------------------------------------- */

static void task_save(const struct move_task *t)
{
    struct queues *qs = t->queue->all;
    struct buf state = {0};

    buf_printf(&state,
               "{\"status\":%d,\"rate\":%" PRId64 ",\"moved\":%" PRIu64 ",\"to_move\":%" PRIu64
               ",\"started_ms\":%" PRId64,
               (int)t->status, t->rate, t->moved, t->to_move, t->started_ms);
    if (t->destination) {
        buf_z(&state, ",\"destination\":");
        scan_quote(&state, str_of(t->destination));
    }
    if (t->failure) {
        buf_z(&state, ",\"failure\":");
        scan_quote(&state, str_of(t->failure));
    }
    buf_char(&state, '}');
    queue_store_put_task(
        qs->store,
        &(struct task_row){.id = t->id, .queue = t->queue->id, .state = buf_view(&state)});
    buf_deinit(&state);
    loop_dirty(qs->loop);
}

static void task_number(struct move_task *t, str name, str spelling)
{
    i64 n;

    if (str_to_i64(spelling, &n) || n < 0)
        return;
    if (str_is(name, "status"))
        t->status = (enum move_status)MIN(n, MOVE_STATUSES - 1);
    else if (str_is(name, "rate"))
        t->rate = MIN(n, MOVE_TASK_RATE_MAX);
    else if (str_is(name, "moved"))
        t->moved = (u64)n;
    else if (str_is(name, "to_move"))
        t->to_move = (u64)n;
    else if (str_is(name, "started_ms"))
        t->started_ms = n;
}

static void task_text(struct move_task *t, str name, str text)
{
    char **to = str_is(name, "destination") ? &t->destination
                : str_is(name, "failure")   ? &t->failure
                                            : NULL;
    if (!to)
        return;
    mem_free(*to);
    *to = mem_dup(text); /* ARNs and codes need no escapes */
}

/* Damaged members keep what they are. */
static void task_read(struct move_task *t, str state)
{
    struct scan s;
    struct scan_text text;
    enum scan_token token;
    str name = STR_NONE;

    scan_init(&s, state);
    while ((token = scan_next(&s, &text)) != SCAN_END && token != SCAN_ERROR) {
        if (token == SCAN_NAME)
            name = text.raw;
        else if (token == SCAN_NUMBER)
            task_number(t, name, text.raw);
        else if (token == SCAN_STRING)
            task_text(t, name, text.raw);
    }
}

/* --- life ------------------------------------------------------------------------------------- */

static void task_free(struct move_task *t)
{
    heap_remove(&t->queue->all->tasks.due, &t->due);
    list_remove(&t->link);
    mem_free(t->destination);
    mem_free(t->failure);
    mem_free(t);
}

static void task_forget(struct move_task *t)
{
    queue_store_delete_task(t->queue->all->store, t->id);
    loop_dirty(t->queue->all->loop);
    task_free(t);
}

static struct move_task *task_of(struct list *at)
{
    return list_item(at, struct move_task, link);
}

void move_tasks_end(struct queue *q, bool stored)
{
    while (!list_is_empty(&q->tasks))
        if (stored)
            task_forget(task_of(q->tasks.next));
        else
            task_free(task_of(q->tasks.next));
}

/* Starts or resumes the task; its rate counts from now. */
static void task_run(struct move_task *t)
{
    struct queues *qs = t->queue->all;

    t->paced_ms = qs->clock->now_ms;
    t->paced_moved = 0;
    heap_set_tied(&qs->tasks.due, &t->due, t->paced_ms, ++qs->tasks.served);
}

static void forget_old(struct queue *q)
{
    u32 n = 0;

    list_each(at, next, &q->tasks) {
        if (++n > MOVE_TASKS_KEPT)
            task_forget(task_of(at));
    }
}

struct move_task *move_task_start(struct queue *q, str destination, i64 rate)
{
    struct move_task *t = mem_alloc(sizeof(*t));

    assert(!move_task_running(q));
    t->id = q->all->next_id++;
    t->queue = q;
    t->destination = destination.n ? mem_dup(destination) : NULL;
    t->rate = rate;
    t->to_move = q->visible_count;
    t->started_ms = q->all->clock->now_ms;
    list_push_front(&q->tasks, &t->link);
    forget_old(q);
    task_run(t);
    task_save(t);
    return t;
}

static void task_stop(struct move_task *t, enum move_status status)
{
    t->status = status;
    heap_remove(&t->queue->all->tasks.due, &t->due);
}

void move_task_restore(struct queue *q, const struct task_row *row)
{
    struct move_task *t = mem_alloc(sizeof(*t));

    t->id = row->id;
    t->queue = q;
    t->status = MOVE_FAILED;
    task_read(t, row->state);
    struct move_task *older = move_task_running(q);

    if (older) /* its row is damaged: one task of a queue runs */
        task_stop(older, MOVE_FAILED);
    list_push_front(&q->tasks, &t->link); /* rows come in the order of ids */
    if (t->status == MOVE_RUNNING)
        task_run(t);
}

static void task_end(struct move_task *t, enum move_status status, const char *failure)
{
    assert(t->status == MOVE_RUNNING && status != MOVE_RUNNING);
    task_stop(t, status);
    t->failure = failure ? mem_dup(str_of(failure)) : NULL;
    task_save(t);
}

void move_task_cancel(struct move_task *t)
{
    task_end(t, MOVE_CANCELLED, NULL);
}

/* --- finding ---------------------------------------------------------------------------------- */

struct move_task *move_task_running(const struct queue *q)
{
    if (list_is_empty(&q->tasks))
        return NULL;
    struct move_task *newest = task_of(q->tasks.next);

    return newest->status == MOVE_RUNNING ? newest : NULL;
}

struct move_task *move_task_find(const struct queue *q, str id)
{
    char text[ID_UUID_SIZE];

    for (struct list *at = q->tasks.next; at != &q->tasks; at = at->next)
        if (str_eq(move_task_id(task_of(at), text), id))
            return task_of(at);
    return NULL;
}

str move_task_id(const struct move_task *t, char ret[ID_UUID_SIZE])
{
    return queue_first_id(t->queue, t->id, ret);
}

u32 move_tasks_active(const struct queues *qs, str account)
{
    u32 n = 0;

    for (u32 i = 0; i < qs->tasks.due.n; i++) {
        const struct move_task *t =
            container_of(qs->tasks.due.items[i].node, struct move_task, due);
        n += str_eq(t->queue->account, account);
    }
    return n;
}

/* --- moving ----------------------------------------------------------------------------------- */

/* The destination of the message. NULL: there is none; *ret_failure is the reason. */
static struct queue *task_target(const struct move_task *t, const struct msg *m,
                                 const char **ret_failure)
{
    const struct queues *qs = t->queue->all;
    const struct msg_past *past = msg_past(m);
    str arn = t->destination ? str_of(t->destination)
              : past         ? origin_arn(&qs->msgs, past->source)
                             : STR("");
    struct queue *to = arn.n ? queues_find_arn(qs, arn) : NULL;

    *ret_failure =
        arn.n ? "AWS.SimpleQueueService.NonExistentQueue" : "CouldNotDetermineMessageSource";
    return to && to != t->queue && to->pick == t->queue->pick ? to : NULL;
}

/* Moves one message. False: the task has ended. */
static bool task_move(struct move_task *t)
{
    struct queue *q = t->queue;
    const char *failure;
    struct msg *m = t->moved < t->to_move ? q->pick->take(q) : NULL;

    if (!m) {
        task_end(t, MOVE_COMPLETED, NULL);
        return false;
    }
    if (queue_expiry_ms(q, m) <= queues_expiry_now_ms(q->all)) {
        queue_doom(m);
        return true;
    }
    struct queue *to = task_target(t, m, &failure);

    if (!to) {
        q->pick->show(q, m);
        task_end(t, MOVE_FAILED, failure);
        return false;
    }
    redrive_return(m, to);
    t->moved++;
    t->paced_moved++;
    return true;
}

/* How many messages it may move now, and when it may move the next one after `moved` of them. */
static u64 task_allowed(const struct move_task *t)
{
    i64 passed_ms = t->queue->all->clock->now_ms - t->paced_ms;
    u64 allowed = (u64)(passed_ms / 1000 * t->rate + passed_ms % 1000 * t->rate / 1000) + 1;

    return t->rate == 0 ? UINT64_MAX : allowed > t->paced_moved ? allowed - t->paced_moved : 0;
}

static i64 task_next_ms(const struct move_task *t)
{
    i64 moved = (i64)t->paced_moved;

    if (t->rate == 0)
        return t->queue->all->clock->now_ms;
    return t->paced_ms + moved / t->rate * 1000 + (moved % t->rate * 1000 + t->rate - 1) / t->rate;
}

static u32 task_batch(struct move_task *t, u32 max)
{
    struct queue *q = t->queue;
    u64 allowed = task_allowed(t), before = t->moved;
    bool runs = true;
    u32 n = 0;

    queue_catch_up(q);
    for (; runs && n < max && n < allowed; n++)
        runs = task_move(t);
    q->pick->taken_all(q);
    if (!runs)
        return n;
    if (t->moved >= t->to_move || !q->pick->has_next(q)) { /* not when it may move again */
        task_end(t, MOVE_COMPLETED, NULL);
        return n;
    }
    if (t->moved != before)
        task_save(t);
    heap_set_tied(&q->all->tasks.due, &t->due, task_next_ms(t), ++q->all->tasks.served);
    return n;
}

u32 move_tasks_step(struct queues *qs, u32 max)
{
    struct heap_node *top;
    u32 n = 0;

    while (n < max && (top = heap_top(&qs->tasks.due)) &&
           heap_due(&qs->tasks.due, top) <= qs->clock->now_ms) {
        struct move_task *t = container_of(top, struct move_task, due);
        u32 done = task_batch(t, MIN(max - n, (u32)TASK_BATCH));

        n += MAX(done, 1);
    }
    return n;
}
