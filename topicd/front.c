/* A forwarded call is in `calls` by its number and on its link's list in `under_way`. A call that
 * waits for its link has number 0 and is on the link's list in `waiting`. Its struct forwarded is
 * in the call's arena. */
#include "topicd/front.h"

#include "common/aws/queue_page.h"
#include "common/aws/desk.h"
#include "common/aws/redrive_policy.h"
#include "common/aws/sqs.h"
#include "topicd/fault.h"

#define FRAME_ROOM 1024 /* usual bytes of a CALL frame beside the body */
#define PAGE_MAX   1000 /* URLs of one ListQueues answer */
#define TOKEN_MAX  512  /* bytes; ours have a queue's ARN in base64 */
#define BAD_TOKEN  "Invalid or expired next token."

struct forwarded {
    struct front *front;
    u64 id;
    u32 peer;   /* index of its link */
    str arn;    /* ARN of the queue; "": any instance may answer */
    str beside; /* ARN of the queue at whose instance it is placed when it is new; "": anywhere */
    i64 due_ms; /* monotonic: end of the wait */
};

static void front_timer_due(struct loop_timer *timer);

void front_init(struct front *f, struct loop *l, const struct map_seed *seed, struct directory *d,
                struct queued_link **links, u32 link_count, u32 wait_max_ms)
{
    *f = (struct front){.loop = l,
                        .directory = d,
                        .links = links,
                        .link_count = link_count,
                        .wait_max_ms = wait_max_ms,
                        .timer = {.due = front_timer_due, .arg = f},
                        .next_id = 1};
    idmap_init(&f->calls, seed);
    f->under_way = mem_array(link_count, sizeof(*f->under_way));
    f->waiting = mem_array(link_count, sizeof(*f->waiting));
    for (u32 i = 0; i < link_count; i++) {
        list_init(&f->under_way[i]);
        list_init(&f->waiting[i]);
    }
}

void front_deinit(struct front *f)
{
    assert(f->calls.n == 0);
    loop_timer_clear(f->loop, &f->timer);
    idmap_deinit(&f->calls);
    mem_free(f->waiting);
    mem_free(f->under_way);
}

/* --- the service ------------------------------------------------------------------------------ */

/* Of the attributes only a RedrivePolicy matters. */
#define ATTRIBUTES                                                                                 \
    {                                                                                              \
        .name = "Attributes", .query = "Attribute", .type = VAL_MAP, .of = VAL_STRING              \
    }
static const struct member by_url[] = {
    {.name = "QueueUrl", .type = VAL_STRING}, ATTRIBUTES, {.name = NULL}};
static const struct member by_name[] = {{.name = "QueueName", .type = VAL_STRING},
                                        {.name = "QueueOwnerAWSAccountId", .type = VAL_STRING},
                                        ATTRIBUTES,
                                        {.name = NULL}};
static const struct member by_source[] = {{.name = "SourceArn", .type = VAL_STRING},
                                          {.name = "DestinationArn", .type = VAL_STRING},
                                          {.name = NULL}};
static const struct member by_task[] = {{.name = "TaskHandle", .type = VAL_STRING}, {.name = NULL}};
static const struct member by_all[] = {{.name = "QueueNamePrefix", .type = VAL_STRING},
                                       {.name = "MaxResults", .type = VAL_INT},
                                       {.name = "NextToken", .type = VAL_STRING},
                                       {.name = NULL}};

/* The `queued` instance itself checks paths. */
#define FORWARDED(name_, queue)                                                                    \
    [SQS_##name_] = {.name = #name_, .in = by_##queue, .flags = ACTION_RESULT},
static const struct action actions[SQS_ACTION_COUNT] = {SQS_ACTIONS(FORWARDED)};

/* Faults that topicd itself returns for SQS calls. */
static const struct fault_name faults[] = {
    {CALL_FAULT_INVALID_PARAMETER, 400, "com.amazonaws.sqs#InvalidParameterValueException",
     "InvalidParameterValue", NULL},
    {CALL_FAULT_UNSUPPORTED, 400, "com.amazonaws.sqs#UnsupportedOperation",
     "AWS.SimpleQueueService.UnsupportedOperation", NULL},
    {.code = 0},
};

struct service front_service(void *owner, void (*forward)(struct call *c))
{
    struct service s = sqs_service(actions);

    s.faults = faults;
    s.forward = forward;
    s.owner = owner;
    return s;
}

/* --- which queued ----------------------------------------------------------------------------- */

/* In the call's arena; "" when no queue is named. */
static str queue_arn(struct call *c, str region, str account, str name)
{
    struct arn arn = arn_of("sqs", region, account, name);

    if (name.n == 0)
        return STR("");
    buf_reset(&c->scratch);
    arn_write(&c->scratch, &arn);
    return arena_dup(&c->arena, buf_view(&c->scratch));
}

/* ARN of the queue that the call is for; "" when any instance may answer. */
static str find_queue(struct front *f, struct call *c)
{
    struct arn arn = {.region = c->region, .account = c->account, .resource = STR("")};

    if (f->link_count == 1 || !c->action)
        return STR("");
    if (!c->in)
        call_read(c);
    if (c->fault.code) {
        /* The `queued` instance reports the fault. */
        fault_clear(&c->fault);
        return STR("");
    }
    queue_place_of_call(c, &arn);
    return queue_arn(c, arn.region, arn.account, arn.resource);
}

/* ARN of the queue that the call's queue moves messages to: of its RedrivePolicy, or a move task's
 * destination. "" for none. */
static str find_target(struct call *c)
{
    const struct val *attributes = val_get(c->in, "Attributes");
    const struct val *policy = attributes ? val_get(attributes, "RedrivePolicy") : NULL;
    str destination = val_text(c->in, "DestinationArn");
    struct redrive_policy read = {0};
    struct fault ignored; /* the `queued` instance reports it */

    fault_clear(&ignored);
    if (destination.n)
        return destination;
    if (!policy || redrive_policy_read(policy->text, &read, NULL, &ignored))
        return STR("");
    str arn = arena_dup(&c->arena, str_of(read.target));

    redrive_policy_deinit(&read);
    return arn;
}

/* Messages move between queues of one instance only. */
static bool are_apart(const struct front *f, str arn, str target)
{
    const struct home *here = arn.n ? directory_owner(f->directory, arn) : NULL;
    const struct home *there = target.n ? directory_owner(f->directory, target) : NULL;

    return here && there && here != there;
}

static void refuse_apart(struct call *c, str arn, str target)
{
    call_fail(c, CALL_FAULT_UNSUPPORTED,
              "The queues %.*s and %.*s are at different queued instances, and messages cannot be "
              "moved between them. A queue that is created with a RedrivePolicy is placed at the "
              "instance of its dead-letter queue.",
              STR_ARG(arn), STR_ARG(target));
}

static u32 link_of(const struct front *f, const struct forwarded *w)
{
    if (!w->arn.n)
        return 0;
    bool is_new = w->beside.n && !directory_owner(f->directory, w->arn);

    return directory_link(f->directory, is_new ? w->beside : w->arn);
}

/* --- ListQueues over several instances: from the directory ---------------------------- */

static bool read_page(struct call *c, i64 *ret_max, str *ret_after)
{
    str token = val_text(c->in, "NextToken");

    *ret_max = PAGE_MAX;
    *ret_after = STR_NONE;
    if (val_int(c->in, "MaxResults", ret_max) && (*ret_max < 1 || *ret_max > PAGE_MAX)) {
        call_fail(
            c, CALL_FAULT_INVALID_PARAMETER,
            "Value for parameter MaxResults is invalid. Reason: MaxResults must be an integer "
            "between 1 and 1000.");
        return false;
    }
    if (token.n && (token.n > TOKEN_MAX || call_unbase64(c, token, ret_after))) {
        call_fail(c, CALL_FAULT_INVALID_PARAMETER, BAD_TOKEN);
        return false;
    }
    return true;
}

static void list_all(struct front *f, struct call *c)
{
    struct buf prefix = {0};
    str after, base;
    i64 max;
    size_t n;
    bool more;

    if (!read_page(c, &max, &after))
        return;
    struct arn first = arn_of("sqs", c->region, c->account, val_text(c->in, "QueueNamePrefix"));

    arn_write(&prefix, &first);
    if (after.n && !str_starts(after, buf_view(&prefix))) { /* a token of another list */
        buf_deinit(&prefix);
        call_fail(c, CALL_FAULT_INVALID_PARAMETER, BAD_TOKEN);
        return;
    }
    str *arns = directory_list(f->directory, buf_view(&prefix), after, (size_t)max, &n, &more);

    buf_deinit(&prefix);
    base = call_base_url(c);
    call_out_list(c, "QueueUrls", "QueueUrl");
    for (size_t i = 0; i < n; i++) {
        str name = str_slice(arns[i], (size_t)(str_rfind(arns[i], ':') + 1), arns[i].n);

        call_out_item_text(c, arena_printf(&c->arena, "%.*s/%.*s/%.*s", STR_ARG(base),
                                           STR_ARG(c->account), STR_ARG(name)));
    }
    call_out_list_end(c);
    if (more && val_get(c->in, "MaxResults"))
        call_out_text(c, "NextToken", call_base64(c, arns[n - 1]));
    mem_free(arns);
    call_done(c);
}

static bool is_list(const struct call *c)
{
    return c->action == &actions[SQS_ListQueues] && !call_is_queue_path(c->request.path);
}

/* --- there and back --------------------------------------------------------------------------- */

static void take_off(struct front *f, struct call *c)
{
    struct forwarded *w = c->parked;

    if (w->id)
        idmap_del(&f->calls, w->id);
    list_remove(&c->link);
    c->parked = NULL;
    c->cancel = NULL;
}

static void call_refuse(struct call *c, const char *why)
{
    call_fail(c, CALL_FAULT_UNAVAILABLE, "The queue daemon %s. Try again.", why);
}

/* Cancels the call at the instance, so that it makes no message invisible for it. */
static void call_cancel(struct front *f, const struct forwarded *w)
{
    struct buf frame = {0};

    if (!w->id)
        return;
    frame_write_cancel(&frame, w->id);
    /* An instance that is down has nothing to cancel. */
    int err = queued_link_send(f->links[w->peer], &frame);

    (void)err;
}

static void caller_left(struct call *c)
{
    struct forwarded *w = c->parked;
    struct front *f = w->front;

    call_cancel(f, w);
    take_off(f, c);
    call_refuse(c, "was not up in time");
}

/* The call is on no list, and its link is set. */
static int send_call(struct front *f, struct call *c)
{
    struct forwarded *w = c->parked;
    struct frame_call call = {.id = f->next_id, .request = c->request};
    struct buf frame = {0};

    call.request.account = c->account;
    call.request.region = c->region;
    call.request.user = c->identity.user;
    buf_room(&frame, c->request.body.n + FRAME_ROOM);
    frame_write_call(&frame, &call);
    int err = queued_link_send(f->links[w->peer], &frame);

    if (err)
        return err;
    w->id = f->next_id++;
    idmap_put(&f->calls, w->id, c);
    list_push_back(&f->under_way[w->peer], &c->link);
    f->forwarded++;
    return 0;
}

/* Lets the call wait until its link is up; the list is in the order of deadlines. */
static void wait_for_link(struct front *f, struct call *c)
{
    struct forwarded *w = c->parked;
    struct list *at = f->waiting[w->peer].prev;

    while (at != &f->waiting[w->peer] &&
           ((struct forwarded *)list_item(at, struct call, link)->parked)->due_ms > w->due_ms)
        at = at->prev;
    list_push_front(at, &c->link);
    if (f->timer.node.place == 0)
        loop_timer_set_real(f->loop, &f->timer, w->due_ms);
}

/* The call is on no list. */
static void send_on(struct front *f, struct call *c)
{
    struct forwarded *w = c->parked;

    w->peer = link_of(f, w);
    if (w->peer == DIRECTORY_NO_LINK) {
        c->parked = NULL;
        c->cancel = NULL;
        call_refuse(c, "that has the queue is not configured");
        return;
    }
    int err = send_call(f, c);

    if (err == E_TOO_LARGE) {
        c->parked = NULL;
        c->cancel = NULL;
        call_fail(c, CALL_FAULT_TOO_LARGE, "The request is too large.");
    } else if (err)
        wait_for_link(f, c);
}

static void front_take(struct front *f, struct call *c, str arn, str beside)
{
    struct forwarded *w = arena_alloc(&c->arena, sizeof(*w));

    *w = (struct forwarded){.front = f,
                            .arn = arn,
                            .beside = beside,
                            .due_ms = call_clock(c)->mono_ms + f->wait_max_ms};
    c->parked = w;
    c->cancel = caller_left;
    send_on(f, c);
}

void front_up(struct front *f, const struct queued_link *p)
{
    struct list waiting;

    list_init(&waiting);
    list_move_all(&waiting, &f->waiting[p->index]);
    /* A call may have waited only for all names to be known; its queue may be at another link. */
    while (!list_is_empty(&waiting)) {
        struct call *c = list_item(waiting.next, struct call, link);

        list_remove(&c->link);
        send_on(f, c);
    }
}

/* Refuses calls whose wait has ended and sets the timer for the next. All wait equally long, so the
 * first of each list is due first. */
static void front_timer_due(struct loop_timer *timer)
{
    struct front *f = timer->arg;
    i64 now_ms = loop_clock(f->loop)->mono_ms, next_ms = INT64_MAX;

    for (u32 i = 0; i < f->link_count; i++) {
        while (!list_is_empty(&f->waiting[i])) {
            struct call *c = list_item(f->waiting[i].next, struct call, link);
            i64 due_ms = ((struct forwarded *)c->parked)->due_ms;

            if (due_ms > now_ms) {
                next_ms = MIN(next_ms, due_ms);
                break;
            }
            take_off(f, c);
            call_refuse(c, "is not reachable");
        }
    }
    if (next_ms != INT64_MAX)
        loop_timer_set_real(f->loop, timer, next_ms);
}

void front_forward(struct front *f, struct call *c)
{
    str arn = find_queue(f, c);
    str target = arn.n ? find_target(c) : STR("");

    if (f->link_count > 1 && is_list(c) && c->in)
        list_all(f, c);
    else if (are_apart(f, arn, target))
        refuse_apart(c, arn, target);
    else
        front_take(f, c, arn, target);
}

void front_page(struct front *f, struct call *c)
{
    struct queue_page page;
    str arn = STR("");

    /* The `queued` instance refuses what cannot be read. */
    if (f->link_count > 1 && queue_page_read(c, &page) == 0)
        arn = queue_arn(c, page.place.region, page.place.account, page.place.name);
    front_take(f, c, arn, STR(""));
}

/* Reports whether the answer was sent, where the instance asked for it. */
static void tell_outcome(struct front *f, u32 peer, u64 id, enum call_outcome outcome)
{
    struct buf frame = {0};

    if (outcome == CALL_UNDONE)
        outcome = CALL_LOST;
    frame_write_answered(&frame, &(struct frame_answered){id, outcome});
    /* An instance that is down assumes that it was sent. */
    int err = queued_link_send(f->links[peer], &frame);

    (void)err;
}

static void answer_sent(struct call *c, enum call_outcome outcome)
{
    const struct forwarded *w = c->parked;

    tell_outcome(w->front, w->peer, w->id, outcome);
}

void front_answered(struct front *f, const struct queued_link *p, struct frame_answer *a)
{
    struct call *c = a->id ? idmap_get(&f->calls, a->id) : NULL;
    struct forwarded *w;

    if (!c) { /* its client left */
        if (a->asks)
            tell_outcome(f, p->index, a->id, CALL_LOST);
        return;
    }
    w = c->parked;
    take_off(f, c);
    if (a->asks) {
        c->parked = w;
        c->sent = answer_sent;
    }
    call_done_with(c, &a->answer);
}

void front_lost(struct front *f, const struct queued_link *p)
{
    struct list *calls = &f->under_way[p->index];

    while (!list_is_empty(calls)) {
        struct call *c = list_item(calls->next, struct call, link);

        take_off(f, c);
        f->lost++;
        call_refuse(c, "went away");
    }
}

void front_refuse(struct front *f)
{
    for (u32 i = 0; i < f->link_count; i++) {
        list_each(item, next, &f->under_way[i])
            call_cancel(f, list_item(item, struct call, link)->parked);
        front_lost(f, f->links[i]);
        while (!list_is_empty(&f->waiting[i])) {
            struct call *c = list_item(f->waiting[i].next, struct call, link);

            take_off(f, c);
            call_refuse(c, "is not reachable");
        }
    }
}
