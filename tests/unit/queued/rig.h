/* A whole queued in the test's own process: a store in a folder of its own, a clock that only the
 * test moves, calls handed straight to the desk, frames straight to the peer. */
#ifndef TOQUE_TESTS_QUEUED_RIG_H
#define TOQUE_TESTS_QUEUED_RIG_H

#include "common/base/base.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "common/base/json.h"
#include "common/base/log.h"
#include "common/base/mem.h"
#include "queued/queued.h"
#include "tests/failing_vfs.h"
#include "tests/store_aid.h"

/* Turns within which everything that a test waits for happens. */
#define RIG_TURNS_MAX 20000

struct rig {
    char *dir;
    struct queued_options options;
    struct environment environment;
    struct queued *d;
};

struct rig_answer {
    bool there;
    int status;
    struct buf body;
    char *request; /* what the call's views point into */
};

static inline void rig_set(struct rig *r, const char *name, const char *value)
{
    struct fault f;
    fault_clear(&f);
    if (conf_set(&QUEUED_OPTIONS, &r->options, str_of(name), str_of(value), "--", &f))
        fail_msg("%s", f.text);
}

static inline void rig_start(struct rig *r)
{
    struct fault f;
    fault_clear(&f);
    r->options.server.http_port = 0;
    if (queued_open(&r->d, &r->options, &r->environment, NULL, &f))
        fail_msg("%s", f.text);
}

static inline struct rig *rig_new(void)
{
    struct rig *r = mem_alloc(sizeof *r);
    json_setup();
    log_open("queued", LOG_LEVEL_ERROR);
    failing_vfs_install();
    failing_vfs_heal();
    r->dir = store_aid_dir();
    r->environment = ENVIRONMENT_SYSTEM;
    conf_init(&QUEUED_OPTIONS, &r->options);
    rig_set(r, "data_dir", r->dir);
    rig_set(r, "disk_reserve_bytes", "0"); /* a full disk is full at once */
    rig_set(r, "link_url", "");
    rig_set(r, "clock", "manual");
    rig_set(r, "background_share_percent", "100"); /* it rests for no real time */
    return r;
}

static inline struct rig *rig_started(void)
{
    struct rig *r = rig_new();
    rig_start(r);
    return r;
}

static inline void rig_stop(struct rig *r)
{
    server_stop(&r->d->server);
    server_run(&r->d->server);
    queued_close(r->d);
    r->d = NULL;
}

static inline void rig_free(struct rig *r)
{
    if (r->d)
        rig_stop(r);
    failing_vfs_heal();
    store_aid_remove(r->dir);
    conf_deinit(&QUEUED_OPTIONS, &r->options);
    mem_free(r);
}

static inline void rig_restart(struct rig *r)
{
    rig_stop(r);
    rig_start(r);
}

static inline void rig_turn(struct rig *r)
{
    loop_turn(r->d->server.loop, 0);
}

#define RIG_UNTIL(r, condition)                                                                    \
    do {                                                                                           \
        int turns_ = 0;                                                                            \
        while (!(condition)) {                                                                     \
            if (++turns_ > RIG_TURNS_MAX)                                                          \
                fail_msg("never came true: %s", #condition);                                       \
            rig_turn(r);                                                                           \
        }                                                                                          \
    } while (0)

static inline enum call_outcome rig_reply(void *arg, struct call *c)
{
    struct rig_answer *a = arg;
    a->there = true;
    a->status = c->answer.status;
    a->body = c->answer.body;
    c->answer.body = (struct buf){0};
    buf_char(&a->body, '\n'); /* and a NUL behind it, also when it was empty */
    a->body.p[--a->body.n] = '\0';
    return CALL_SENT;
}

/* Begins a JSON call; quotes in `body` are written as apostrophes. */
static inline struct call *rig_begin(struct rig *r, struct rig_answer *a, const char *action,
                                     const char *body)
{
    *a = (struct rig_answer){.request = mem_printf("AmazonSQS.%s %s", action, body)};
    size_t n = strlen("AmazonSQS.") + strlen(action);
    for (char *p = a->request + n; *p; p++)
        if (*p == '\'')
            *p = '"';
    struct request rq = {.door = DOOR_TCP,
                         .method = STR("POST"),
                         .path = STR("/"),
                         .host = STR("localhost:9324"),
                         .target = str_from(a->request, n),
                         .body = str_of(a->request + n + 1)};
    return desk_take(r->d->server.desk, &rq, rig_reply, a);
}

static inline void rig_end(struct rig_answer *a)
{
    buf_deinit(&a->body);
    mem_free(a->request);
    *a = (struct rig_answer){0};
}

/* The whole of a call: its answer's body, the caller frees it; *status may be NULL: then 200 is
 * expected. */
static inline char *rig_call(struct rig *r, int *status, const char *action, const char *body)
{
    struct rig_answer a;
    rig_begin(r, &a, action, body);
    RIG_UNTIL(r, a.there);
    if (status)
        *status = a.status;
    else if (a.status != 200)
        fail_msg("%s: %s", action, a.body.p);
    char *text = buf_detach(&a.body);
    rig_end(&a);
    return text;
}

static inline void rig_do(struct rig *r, const char *action, const char *body)
{
    mem_free(rig_call(r, NULL, action, body));
}

/* The call fails, and its body holds `text`. */
static inline void rig_refused(struct rig *r, int want, const char *text, const char *action,
                               const char *body)
{
    int status;
    char *answer = rig_call(r, &status, action, body);
    if (status != want || !strstr(answer, text))
        fail_msg("%s answered %d %s, not %d %s", action, status, answer, want, text);
    mem_free(answer);
}

static inline void rig_create(struct rig *r, const char *name)
{
    char *body = mem_printf("{'QueueName':'%s'}", name);
    rig_do(r, "CreateQueue", body);
    mem_free(body);
}

static inline struct queue *rig_queue(struct rig *r, const char *name)
{
    return queues_find(&r->d->queues, STR("000000000000"), STR("us-east-1"), str_of(name));
}

/* Sets a RedrivePolicy. */
static inline void rig_set_policy(struct rig *r, const char *queue, const char *target,
                                  u32 receives_max)
{
    char *body =
        mem_printf("{'QueueUrl':'%s','Attributes':{'RedrivePolicy':'{\\'deadLetterTargetArn"
                   "\\':\\'arn:aws:sqs:us-east-1:000000000000:%s\\',"
                   "\\'maxReceiveCount\\':%u}'}}",
                   queue, target, receives_max);
    rig_do(r, "SetQueueAttributes", body);
    mem_free(body);
}

static inline void rig_send(struct rig *r, const char *queue, const char *text)
{
    char *body = mem_printf("{'QueueUrl':'%s','MessageBody':'%s'}", queue, text);
    rig_do(r, "SendMessage", body);
    mem_free(body);
}

/* Bodies of what a receive gives, each with a semicolon behind it; the caller frees it. */
static inline char *rig_bodies(const char *answer)
{
    struct buf out = {0};
    struct json_doc doc = {0};
    struct fault f;
    fault_clear(&f);
    buf_z(&out, "");
    assert_int_equal(json_open(&doc, str_of(answer), NULL, false, &f), 0);
    json_t *list = json_object_get(doc.root, "Messages");
    for (size_t i = 0; i < json_array_size(list); i++)
        buf_printf(&out, "%s;",
                   json_string_value(json_object_get(json_array_get(list, i), "Body")));
    json_close(&doc);
    return out.p ? buf_detach(&out) : mem_dup(STR(""));
}

static inline void rig_receives(struct rig *r, const char *queue, const char *more,
                                const char *bodies)
{
    char *body = mem_printf("{'QueueUrl':'%s','MaxNumberOfMessages':10%s}", queue, more);
    char *answer = rig_call(r, NULL, "ReceiveMessage", body), *got = rig_bodies(answer);
    assert_string_equal(got, bodies);
    mem_free(got);
    mem_free(answer);
    mem_free(body);
}

/* The first text behind "name":" in an answer; the caller frees it. */
static inline char *rig_member(const char *answer, const char *name)
{
    char *key = mem_printf("\"%s\":\"", name);
    const char *at = strstr(answer, key);
    assert_non_null(at);
    at += strlen(key);
    mem_free(key);
    return mem_dup(str_from(at, strcspn(at, "\"")));
}

/* The handle of the one message that a receive with these parameters gives. */
static inline char *rig_take(struct rig *r, const char *queue, const char *more)
{
    char *body = mem_printf("{'QueueUrl':'%s'%s}", queue, more);
    char *answer = rig_call(r, NULL, "ReceiveMessage", body);
    char *handle = rig_member(answer, "ReceiptHandle");
    mem_free(answer);
    mem_free(body);
    return handle;
}

/* As a user does it; then a turn for what has become due. */
static inline void rig_advance(struct rig *r, i64 ms)
{
    struct rig_answer a = {.request = mem_printf("{\"advance_ms\":%" PRId64 "}", ms)};
    struct request rq = {
        .method = STR("POST"), .path = STR("/_toque/clock"), .body = str_of(a.request)};
    desk_take(r->d->server.desk, &rq, rig_reply, &a);
    RIG_UNTIL(r, a.there);
    assert_int_equal(a.status, 200);
    rig_end(&a);
    rig_turn(r);
}

static inline void rig_counts(struct rig *r, const char *name, u64 visible, u64 leased, u64 delayed)
{
    struct queue *q = rig_queue(r, name);
    assert_non_null(q);
    queue_catch_up(q); /* as every call does */
    queue_check(q);
    assert_int_equal(q->visible_count, visible);
    assert_int_equal(q->leased_count, leased);
    assert_int_equal(q->delayed_count, delayed);
}

/* Rows of a table of the store, as the last commit left it. */
static inline i64 rig_rows(struct rig *r, const char *table)
{
    char *path = mem_printf("%s/queued.db", r->dir);
    char *sql = mem_printf("SELECT count(*) FROM %s", table);
    i64 n = store_aid_number(path, sql);
    mem_free(sql);
    mem_free(path);
    return n;
}

/* No space left, until failing_vfs_heal. */
static inline void rig_fail_disk(void)
{
    failing_vfs_order((struct failing_order){
        .ops = FAILING_CHANGES, .files = FAILING_ANY, .result = 13 /* SQLITE_FULL */, .times = -1});
}

#endif
