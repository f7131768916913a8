/* The actions on dead-letter queues: list their source queues, and move their messages. */
#include "queued/api.h"

#include "common/aws/arn.h"
#include "common/aws/task_handle.h"
#include "queued/access.h"
#include "queued/fault.h"

void api_list_sources(struct call *c)
{
    const struct queue *q = api_queue(c);
    struct api_page page;
    str last = STR("");
    if (!q || api_read_page(c, str_of(q->arn), &page)) {
        call_done(c);
        return;
    }
    struct skiplist_node *n = redrive_sources_list(&q->all->sources, str_of(q->arn), page.after);
    call_out_list(c, "queueUrls", "QueueUrl");
    for (; n && page.max > 0; page.max--, n = skiplist_next(n)) {
        const struct queue *source = skiplist_value(n);
        api_out_url(c, source, NULL);
        last = source->key;
    }
    call_out_list_end(c);
    if (n)
        api_out_next(c, &page, last);
    call_done(c);
}

/* --- move tasks ------------------------------------------------------------------------------- */

#define ARN_FORMAT "arn:<partition>:<service>:<region>:<account-id>:<resource-id>"

static int no_resource(struct fault *f, const char *member)
{
    return fault_set(f, FAULT_NO_RESOURCE,
                     "The resource that you specified for the %s parameter doesn't exist.", member);
}

/* The queue of an ARN member. */
static struct queue *find_resource(struct call *c, const char *member)
{
    str text = val_text(c->in, member);
    struct arn arn;
    struct queue *q = NULL;

    if (arn_read(text, &arn))
        fault_set(&c->fault, CALL_FAULT_INVALID_PARAMETER,
                  "You must use this format to specify the %s: " ARN_FORMAT, member);
    else if (!(q = queues_find_arn(call_owner(c), text)))
        no_resource(&c->fault, member);
    else if (access_check_call(c, q))
        return NULL;
    else
        queue_catch_up(q);
    return q;
}

/* The call's SourceArn. */
static struct queue *find_source(struct call *c)
{
    if (val_text(c->in, "SourceArn").n)
        return find_resource(c, "SourceArn");
    fault_set(&c->fault, CALL_FAULT_MISSING_PARAMETER,
              "The request must contain the parameter SourceArn.");
    return NULL;
}

static int check_rate(struct call *c, i64 *ret)
{
    *ret = 0;
    if (!val_int(c->in, "MaxNumberOfMessagesPerSecond", ret) ||
        (*ret >= 1 && *ret <= MOVE_TASK_RATE_MAX))
        return 0;
    return fault_set(
        &c->fault, CALL_FAULT_INVALID_PARAMETER,
        "Value for parameter MaxNumberOfMessagesPerSecond is invalid. Reason: You must "
        "enter a number that's between 1 and 500.");
}

static int check_destination(struct call *c, const struct queue *source)
{
    str arn = val_text(c->in, "DestinationArn");

    if (!arn.n)
        return 0;
    if (str_is(arn, source->arn))
        return fault_set(&c->fault, CALL_FAULT_INVALID_PARAMETER,
                         "Source queue arn and destination queue arn cannot be the same.");
    const struct queue *to = find_resource(c, "DestinationArn");

    if (!to)
        return E_FAULT;
    if (to->attributes.fifo != source->attributes.fifo)
        return fault_set(&c->fault, CALL_FAULT_INVALID_PARAMETER,
                         "The source queue and destination queue must be of the same queue type.");
    return 0;
}

static int check_start(struct call *c, const struct queue *source)
{
    const struct queues *qs = source->all;

    if (!redrive_sources_has(&qs->sources, str_of(source->arn)))
        return fault_set(&c->fault, CALL_FAULT_INVALID_PARAMETER,
                         "Source queue must be configured as a Dead Letter Queue.");
    if (check_destination(c, source))
        return E_FAULT;
    if (move_task_running(source))
        return fault_set(&c->fault, CALL_FAULT_INVALID_PARAMETER,
                         "There is already a task running. Only one active task is allowed for a "
                         "source queue arn at a given time.");
    if (move_tasks_active(qs, source->account) >= MOVE_TASKS_ACTIVE_MAX)
        return fault_set(&c->fault, FAULT_OVER_LIMIT,
                         "Too many message move tasks are running: maximum allowed is %d.",
                         MOVE_TASKS_ACTIVE_MAX);
    return 0;
}

static str handle_of(struct call *c, const struct move_task *t)
{
    char id[ID_UUID_SIZE];

    return task_handle_write(&c->arena, move_task_id(t, id), str_of(t->queue->arn));
}

void api_start_move(struct call *c)
{
    struct queue *source = find_source(c);
    i64 rate;

    if (source && !check_rate(c, &rate) && !check_start(c, source))
        call_out_text(
            c, "TaskHandle",
            handle_of(c, move_task_start(source, val_text(c->in, "DestinationArn"), rate)));
    call_done(c);
}

/* The running task that the call's handle names. */
static struct move_task *find_task(struct call *c)
{
    str handle = val_text(c->in, "TaskHandle"), id, arn;
    struct move_task *t = NULL;

    if (!handle.n)
        fault_set(&c->fault, CALL_FAULT_MISSING_PARAMETER,
                  "The request must contain the parameter TaskHandle.");
    else if (task_handle_read(&c->arena, handle, &id, &arn))
        fault_set(&c->fault, CALL_FAULT_INVALID_PARAMETER,
                  "Value for parameter TaskHandle is invalid.");
    else {
        struct queue *source = queues_find_arn(call_owner(c), arn);

        if (!source)
            no_resource(&c->fault, "SourceArn");
        else if (access_check_call(c, source))
            return NULL;
        else if (!(t = move_task_find(source, id)))
            fault_set(&c->fault, FAULT_NO_RESOURCE, "Task does not exist.");
    }
    if (!t || t->status == MOVE_RUNNING)
        return t;
    fault_set(&c->fault, CALL_FAULT_INVALID_PARAMETER, "Only active tasks can be cancelled.");
    return NULL;
}

void api_cancel_move(struct call *c)
{
    struct move_task *t = find_task(c);

    if (t) {
        move_task_cancel(t);
        call_out_i64(c, "ApproximateNumberOfMessagesMoved", (i64)t->moved);
    }
    call_done(c);
}

static void out_task(struct call *c, const struct move_task *t)
{
    call_out_item(c);
    if (t->status == MOVE_RUNNING)
        call_out_text(c, "TaskHandle", handle_of(c, t));
    call_out_text(c, "Status", str_of(move_status_name(t->status)));
    call_out_text(c, "SourceArn", str_of(t->queue->arn));
    if (t->destination)
        call_out_text(c, "DestinationArn", str_of(t->destination));
    if (t->rate)
        call_out_i64(c, "MaxNumberOfMessagesPerSecond", t->rate);
    call_out_i64(c, "ApproximateNumberOfMessagesMoved", (i64)t->moved);
    call_out_i64(c, "ApproximateNumberOfMessagesToMove", (i64)t->to_move);
    if (t->failure)
        call_out_text(c, "FailureReason", str_of(t->failure));
    call_out_i64(c, "StartedTimestamp", t->started_ms);
    call_out_item_end(c);
}

void api_list_moves(struct call *c)
{
    const struct queue *source = find_source(c);
    i64 max = 1;

    if (val_int(c->in, "MaxResults", &max) && (max < 1 || max > MOVE_TASKS_KEPT) && source)
        fault_set(&c->fault, CALL_FAULT_INVALID_PARAMETER,
                  "Value for parameter MaxResults is invalid. Reason: You must enter a number "
                  "that's between 1 and 10.");
    if (!c->fault.code) {
        call_out_list(c, "Results", "ListMessageMoveTasksResultEntry");
        for (struct list *at = source->tasks.next; at != &source->tasks && max > 0; max--) {
            out_task(c, list_item(at, struct move_task, link));
            at = at->next;
        }
        call_out_list_end(c);
    }
    call_done(c);
}
