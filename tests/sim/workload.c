#include "tests/sim/workload.h"

#include "common/base/mem.h"
#include "tests/sim/chance.h"
#include "tests/sim/counts.h"
#include "tests/sim/record.h"
#include "tests/sim/setting.h"
#include "tests/sim/worker.h"

#define WORKERS      8
#define PAUSE_MIN_US 200
#define PAUSE_MAX_US 400000
/* One call in so many is left by its client before it is answered, so soon. */
#define LEAVE_ONE_IN 40
#define LEAVE_MAX_US 5000000
#define TRIES        20 /* draws of an operation that has something to do */

static struct operation *const tables[] = {OPERATIONS_SENDS, OPERATIONS_MESSAGES,
                                           OPERATIONS_THINGS};
static struct worker *workers;
static i64 until_us;
static u32 weights;

/* --- where calls go --------------------------------------------------------------------------- */

void worker_to_topicd(struct worker *w, bool decides)
{
    w->direct = false;
    w->decides = decides;
    w->call.to = setting_topicd();
}

void worker_to_queued(struct worker *w, int node)
{
    w->direct = w->decides = true;
    w->node = node;
    w->call.to = setting_queued(node);
}

void worker_to_queue(struct worker *w, struct ledger_queue *q)
{
    w->queue = q;
    w->queue_version = q->thing.version;
    w->restores = q->restores;
    if (q->home >= 0 && !chance_one_in(CHANCE_WORK, 3))
        worker_to_queued(w, q->home);
    else
        worker_to_topicd(w, false);
}

struct ledger_queue *worker_choose_queue(void)
{
    struct ledger_queue *q = ledger_queue(0);

    for (int i = 0; i < 4; i++) {
        q = ledger_queue((u32)chance_below(CHANCE_WORK, LEDGER_QUEUES));
        if (q->thing.presence == THERE)
            break;
    }
    return q;
}

struct ledger_topic *worker_choose_topic(void)
{
    struct ledger_topic *t = ledger_topic(0);

    for (int i = 0; i < 4; i++) {
        t = ledger_topic((u32)chance_below(CHANCE_WORK, LEDGER_TOPICS));
        if (t->thing.presence == THERE)
            break;
    }
    return t;
}

void put_queue_url(struct buf *out, const struct ledger_queue *q)
{
    buf_printf(out, "\"QueueUrl\":\"http://localhost/000000000000/%s\"", q->name);
}

void put_arn(struct buf *out, const char *service, const char *name)
{
    buf_printf(out, "arn:aws:%s:us-east-1:000000000000:%s", service, name);
}

str json_text(const json_t *of, const char *name)
{
    const json_t *member = json_object_get(of, name);

    return json_is_string(member) ? str_from(json_string_value(member), json_string_length(member))
                                  : STR("");
}

i64 json_number_text(const json_t *of, const char *name)
{
    i64 n = -1;

    return str_to_i64(json_text(of, name), &n) == 0 ? n : -1;
}

/* Entries of a batch: {"Id":"0",…}, … */
void batch_begin(struct buf *body, const char *list)
{
    buf_printf(body, ",\"%s\":[", list);
}

void batch_entry(struct buf *body, u32 i)
{
    buf_printf(body, "%s{\"Id\":\"%u\",", i ? "," : "", i);
}

/* The entry of that id among the successful ones, or NULL. */
const json_t *batch_success(const json_t *answer, u32 i)
{
    const json_t *list = json_object_get(answer, "Successful"), *entry;
    size_t at;

    json_array_foreach(list, at, entry)
        if (json_number_text(entry, "Id") == (i64)i)
            return entry;
    return NULL;
}

/* --- one call --------------------------------------------------------------------------------- */

static void worker_rest(struct worker *w)
{
    w->op = NULL;
    w->queue = NULL;
    w->topic = NULL;
    if (world_now_us() < until_us)
        world_after(&w->next, chance_skewed(CHANCE_WORK, PAUSE_MIN_US, PAUSE_MAX_US));
}

/* A queue or topic that is not there, though it stands. */
static void check_is_missing(const struct worker *w, str type)
{
    if (w->queue && memmem(type.p, type.n, "QueueDoesNotExist", 17) &&
        thing_stands(&w->queue->thing, w->queue_version) &&
        (w->direct || !(w->queue->is_direct || w->queue->is_forgotten)))
        world_fail("lost: the queue %s is there, and %s knows nothing of it", w->queue->name,
                   w->call.to->name);
    if (w->topic && memmem(type.p, type.n, "NotFound", 8) &&
        thing_stands(&w->topic->thing, w->topic_version))
        world_fail("lost: the topic %s is there, and topicd knows nothing of it", w->topic->name);
}

static const char *const outcome_names[] = {"done", "refused", "unknown"};

/* What an answer that is no success says. */
static enum outcome outcome_of(const struct worker *w)
{
    if (w->call.end == CLIENT_REFUSED)
        return OUTCOME_REFUSED;
    if (w->call.end == CLIENT_LOST)
        return OUTCOME_UNKNOWN;
    if (w->call.status < 500)
        return OUTCOME_REFUSED;
    if (w->call.status == 500)
        return OUTCOME_UNKNOWN;
    return w->decides ? OUTCOME_REFUSED : OUTCOME_UNKNOWN;
}

static enum outcome call_failed(struct worker *w)
{
    enum outcome o = outcome_of(w);

    check_is_missing(w, json_text(w->answer, "__type"));
    w->op->failed(w, o);
    return o;
}

static void call_left(struct client_call *c, int status, str body)
{
    struct worker *w = c->arg;

    w->answer = json_loadb(body.p, body.n, 0, NULL);
    if (w->op->left && status == 200)
        w->op->left(w, w->answer);
}

static void call_done(struct client_call *c)
{
    struct worker *w = c->arg;
    enum outcome o = OUTCOME_DONE;

    world_cancel(&w->leave);
    if (c->end == CLIENT_ANSWERED && c->status == 200)
        w->op->answered(w, w->answer);
    else
        o = call_failed(w);
    w->op->outcomes[o]++;
    record("client", "%u %s: %d %s %.*s", w->index, w->op->name, c->status, outcome_names[o],
           STR_ARG(str_slice(buf_view(&c->answer), 0, 200)));
    json_decref(w->answer);
    w->answer = NULL;
    worker_rest(w);
}

static void leave_due(struct event *e)
{
    struct worker *w = e->arg;

    if (!w->call.exchange)
        return;
    record("client", "%u leaves", w->index);
    if (w->answer && w->op->cut)
        w->op->cut(w);
    client_hang_up(&w->call);
}

static struct operation *operation_draw(void)
{
    u64 at = chance_below(CHANCE_WORK, weights);

    for (size_t i = 0; i < ARRAY_LEN(tables); i++)
        for (struct operation *op = tables[i]; op->name; at -= op->weight, op++)
            if (at < op->weight)
                return op;
    return tables[0];
}

static bool worker_try(struct worker *w, struct operation *op)
{
    struct buf *body = &w->call.body;

    buf_reset(body);
    buf_char(body, '{');
    w->op = op;
    w->queue = NULL;
    w->topic = NULL;
    w->sub = NULL;
    w->batch_count = 0;
    if (!op->begin(w, body))
        return false;
    buf_char(body, '}');
    w->call.target = op->target;
    record("client", "%u %s at %s: %.*s", w->index, op->name, w->call.to->name,
           STR_ARG(str_slice(buf_view(body), 0, 200)));
    client_send(&w->call);
    if (chance_one_in(CHANCE_WORK, LEAVE_ONE_IN))
        world_after(&w->leave, chance_skewed(CHANCE_WORK, 1, LEAVE_MAX_US));
    return true;
}

static void next_due(struct event *e)
{
    struct worker *w = e->arg;

    for (int i = 0; i < TRIES; i++)
        if (worker_try(w, operation_draw()))
            return;
    worker_rest(w);
}

/* --- all of them ------------------------------------------------------------------------------ */

void workload_begin(void)
{
    workers = mem_array(WORKERS, sizeof(*workers));
    until_us = 0;
    weights = 0;
    for (u32 i = 0; i < WORKERS; i++) {
        struct worker *w = &workers[i];

        w->index = i;
        w->call.left = call_left;
        w->call.done = call_done;
        w->call.arg = w;
        w->next = (struct event){.run = next_due, .arg = w};
        w->leave = (struct event){.run = leave_due, .arg = w};
    }
    for (size_t i = 0; i < ARRAY_LEN(tables); i++)
        for (const struct operation *op = tables[i]; op->name; op++)
            weights += op->weight;
}

void workload_until(i64 us)
{
    until_us = us;
    for (u32 i = 0; i < WORKERS; i++)
        if (!workers[i].op && !world_is_set(&workers[i].next))
            world_after(&workers[i].next, chance_between(CHANCE_WORK, 1, PAUSE_MAX_US));
}

bool workload_rests(void)
{
    for (u32 i = 0; i < WORKERS; i++)
        if (workers[i].op || world_is_set(&workers[i].next))
            return false;
    return true;
}

void workload_end(void)
{
    for (u32 i = 0; i < WORKERS; i++) {
        world_cancel(&workers[i].next);
        world_cancel(&workers[i].leave);
        client_call_deinit(&workers[i].call);
    }
    mem_free(workers);
}

void workload_counts(FILE *out)
{
    char name[48];

    for (size_t i = 0; i < ARRAY_LEN(tables); i++)
        for (const struct operation *op = tables[i]; op->name; op++)
            for (int o = 0; o < 3; o++) {
                snprintf(name, sizeof(name), "%s, %s", op->name, outcome_names[o]);
                count_write(out, "calls", name, op->outcomes[o]);
            }
}
