/* A whole topicd in the test's own process, its store in a directory of its own, calls handed
 * straight to its desk; and queueds that are played by the test over real links, in loops of their
 * own. */
#ifndef TOQUE_TESTS_TOPICD_RIG_H
#define TOQUE_TESTS_TOPICD_RIG_H

#include "common/base/base.h"

#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "common/aws/frame.h"
#include "common/base/json.h"
#include "common/io/link.h"
#include "common/base/log.h"
#include "common/base/mem.h"
#include "tests/failing_vfs.h"
#include "tests/store_aid.h"
#include "topicd/topicd.h"

#define RIG_QUEUEDS_MAX 3
/* Runs of topicd that a queued remembers. */
#define RIG_RUNS_MAX 16
/* Turns within which everything that a test waits for happens. */
#define RIG_TURNS_MAX 20000

/* What was applied of one incarnation. */
struct fake_run {
    char incarnation[ID_UUID_SIZE];
    u64 applied;
};

/* One queued as the test plays it. */
struct fake {
    struct clock clock;
    struct loop *loop;
    struct link *link;
    char *url;
    char instance[ID_UUID_SIZE];
    u32 session;
    u64 received; /* ordinal of the last DELIVER taken in this session */
    struct fake_run runs[RIG_RUNS_MAX];
    const char *queues; /* "a,b": announced after WELCOME as all that there are; NULL: it is not */
    const char *lacks;  /* "a,b": targets that are rejected, when it was said that they went */
    enum frame_rejection why;
    bool stubborn;                                 /* without that being said */
    bool silent;                                   /* receives, applies, and acknowledges nothing */
    bool deaf;                                     /* ignores everything, as one that hangs */
    bool mute;                                     /* does not answer SYNC */
    u32 hellos, delivers, refused, cancels, again; /* again: DELIVERs that were applied before */
    struct frame_answered answered;                /* the last one */
    struct buf bodies;      /* "queue=message;" of every target applied, in order */
    struct frame_call call; /* the last one; only its id is kept */
    struct buf call_body;
    i64 clock_ms;    /* of the last CLOCK frame or greeting */
    bool real_clock; /* runs by itself: the greeting says so */
};

struct rig {
    char *dir;
    struct topicd_options options;
    struct topicd *t;
    struct fake fakes[RIG_QUEUEDS_MAX];
    u32 fake_count;
    const char *authorization; /* of calls from now on; NULL: nobody signs them */
};

/* Who calls is somebody of the default account, in us-east-1. */
#define RIG_SIGNED                                                                                 \
    "AWS4-HMAC-SHA256 Credential=test/20260102/us-east-1/sns/aws4_request, SignedHeaders=host, "   \
    "Signature=00"

struct rig_answer {
    bool there;
    int status;
    struct buf body;
    enum call_outcome outcome; /* what becomes of it, when the test says another than CALL_SENT */
};

/* --- a played queued -------------------------------------------------------------------------- */

static inline bool fake_names(const char *list, str name)
{
    str rest = list ? str_of(list) : STR("");

    while (rest.n)
        if (str_eq(str_cut(&rest, ','), name))
            return true;
    return false;
}

static inline struct fake_run *fake_run_of(struct fake *q, str incarnation)
{
    for (u32 i = 0; i < RIG_RUNS_MAX; i++) {
        struct fake_run *run = &q->runs[i];

        if (!run->incarnation[0])
            memcpy(run->incarnation, incarnation.p, incarnation.n);
        if (str_is(incarnation, run->incarnation))
            return run;
    }
    fail_msg("too many incarnations");
    return NULL;
}

/* Its targets into `bodies`; those that it lacks into `rejected`. */
static inline void fake_apply(struct fake *q, const struct frame_deliver *d, bool is_new,
                              struct buf *rejected)
{
    str rest = d->publications;
    struct frame_publication p;
    struct frame_target t;

    for (u32 i = 0; frame_next_publication(&rest, &p) == 1; i++) {
        str targets = p.targets;

        for (u32 k = 0; frame_next_target(&targets, &t) == 1; k++) {
            str name = str_slice(t.queue, (size_t)str_rfind(t.queue, ':') + 1, t.queue.n);

            if (fake_names(q->lacks, name))
                frame_rejected_add(rejected, (struct frame_place){i, k, q->why});
            else if (is_new)
                buf_printf(&q->bodies, "%.*s=%.*s;", STR_ARG(name), STR_ARG(p.message));
        }
    }
}

/* "name,name" announced as all its queues, now and with every greeting. */
static inline void fake_announce(struct fake *q, const char *names)
{
    struct buf out = {0};
    str rest = str_of(names);

    q->queues = names;

    frame_queues_begin(&out, true, true);
    while (rest.n) {
        str name = str_cut(&rest, ',');
        char *arn = mem_printf("arn:aws:sqs:us-east-1:000000000000:%.*s", STR_ARG(name));

        frame_queues_add(&out, str_of(arn));
        mem_free(arn);
    }
    frame_queues_end(&out);
    assert_int_equal(link_send(q->link, &out), 0);
}

static inline void fake_deliver(struct fake *q, str frame)
{
    struct frame_deliver d;
    struct frame_rejected j;
    struct buf out = {0};

    assert_int_equal(frame_read_deliver(frame, &d), 0);
    q->delivers++;
    /* frame.h: the rule by which a frame is applied once and in order, or not. */
    if (d.session != q->session || d.ordinal != q->received + 1) {
        q->refused++;
        return;
    }
    struct fake_run *run = fake_run_of(q, d.incarnation);
    bool is_new = d.sequence > run->applied;

    q->received = d.ordinal;
    q->again += !is_new;
    run->applied = MAX(run->applied, d.sequence);
    frame_rejected_begin(&out, d.session, d.ordinal);
    fake_apply(q, &d, is_new, &out);
    assert_int_equal(frame_read_rejected(buf_view(&out), &j), 0);
    if (j.count && !q->silent && !q->stubborn)
        fake_announce(q, "");
    if (j.count && !q->silent)
        link_send(q->link, &out);
    buf_deinit(&out);
    if (q->silent)
        return;
    frame_write_ack(&out, &(struct frame_ack){d.session, d.ordinal});
    link_send(q->link, &out);
}

static inline void fake_frame(void *arg, str frame)
{
    struct fake *q = arg;
    enum frame_kind kind;
    struct frame_greeting g;
    struct frame_call call;
    struct buf out = {0};
    u64 n;

    assert_int_equal(frame_kind(frame, &kind), 0);
    if (q->deaf)
        return;
    switch (kind) {
    case FRAME_HELLO:
        assert_int_equal(frame_read_greeting(frame, &g), 0);
        q->hellos++;
        q->session = g.session;
        q->received = 0;
        q->clock_ms = g.clock_ms;
        frame_write_welcome(&out,
                            &(struct frame_greeting){.instance = str_of(q->instance),
                                                     .version = STR("1"),
                                                     .session = g.session,
                                                     .clock_ms = q->real_clock ? 0 : g.clock_ms});
        link_send(q->link, &out);
        if (q->queues)
            fake_announce(q, q->queues);
        break;
    case FRAME_SYNC:
        assert_int_equal(frame_read_sync(frame, &n), 0);
        if (q->mute)
            break;
        frame_write_sync(&out, n);
        link_send(q->link, &out);
        break;
    case FRAME_DELIVER: fake_deliver(q, frame); break;
    case FRAME_CALL:
        assert_int_equal(frame_read_call(frame, &call), 0);
        q->call.id = call.id;
        buf_reset(&q->call_body);
        buf_printf(&q->call_body, "%.*s %.*s %.*s", STR_ARG(call.request.account),
                   STR_ARG(call.request.region), STR_ARG(call.request.body));
        break;
    case FRAME_CANCEL: q->cancels++; break;
    case FRAME_ANSWERED: assert_int_equal(frame_read_answered(frame, &q->answered), 0); break;
    case FRAME_CLOCK:
        assert_int_equal(frame_read_clock(frame, &q->clock_ms), 0);
        frame_write_clock(&out, q->clock_ms);
        link_send(q->link, &out);
        break;
    default: fail_msg("a queued got a frame of kind %d", (int)kind);
    }
}

static inline void fake_nothing(void *arg)
{
}

static inline void fake_open(struct fake *q)
{
    struct fault f = {0};

    clock_init(&q->clock, false);
    q->loop = loop_new(&q->clock);
    q->received = 0;
    assert_int_equal(link_listen(&q->link, q->loop, q->url, &LINK_LIMITS_DEFAULT,
                                 (struct link_events){fake_nothing, fake_nothing, fake_frame, q},
                                 &f),
                     0);
}

/* As if it were killed: what it applied it still knows. */
static inline void fake_close(struct fake *q)
{
    if (!q->link)
        return;
    link_close(q->link);
    q->link = NULL;
    loop_free(q->loop);
}

/* --- the rig ---------------------------------------------------------------------------------- */

static inline i64 rig_free_port(void)
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof(at);
    int fd = socket(AF_INET, SOCK_STREAM, 0);

    assert_true(fd >= 0 && bind(fd, (struct sockaddr *)&at, sizeof(at)) == 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&at, &size), 0);
    close(fd);
    return ntohs(at.sin_port);
}

static inline void rig_start(struct rig *r)
{
    struct fault f = {0};

    r->options.server.http_port = rig_free_port();
    if (topicd_open(&r->t, &r->options, &ENVIRONMENT_SYSTEM, NULL, &f))
        fail_msg("%s", f.text);
}

static inline void rig_set(struct rig *r, const char *name, const char *value)
{
    struct fault f = {0};

    if (conf_set(&TOPICD_OPTIONS, &r->options, str_of(name), str_of(value), "--", &f))
        fail_msg("%s", f.text);
}

static inline struct rig *rig_new(u32 queueds)
{
    struct rig *r = mem_alloc(sizeof(*r));
    struct buf urls = {0};

    json_setup();
    log_open("topicd", LOG_LEVEL_ERROR);
    failing_vfs_install();
    failing_vfs_heal();
    r->dir = store_aid_dir();
    r->fake_count = queueds;
    conf_init(&TOPICD_OPTIONS, &r->options);
    for (u32 i = 0; i < MAX(queueds, 1); i++) {
        char *url = mem_printf("ipc://%s/queued%u.link", r->dir, i);

        buf_printf(&urls, "%s%s", i ? "," : "", url);
        r->fakes[i].url = url;
        r->fakes[i].queues = "";
        memcpy(r->fakes[i].instance, "00000000-0000-4000-8000-000000000000", ID_UUID_SIZE);
        r->fakes[i].instance[ID_UUID_SIZE - 2] = (char)('0' + i);
    }
    rig_set(r, "queued", urls.p);
    rig_set(r, "data_dir", r->dir);
    rig_set(r, "disk_reserve_bytes", "0"); /* a full disk is full at once */
    rig_set(r, "log_level", "error");
    rig_set(r, "background_share_percent", "100"); /* it rests for no real time */
    rig_set(r, "ack_max_ms", "600000");
    buf_deinit(&urls);
    return r;
}

/* One turn of everybody, without waiting longer than a moment for the world. */
static inline void rig_turn(struct rig *r)
{
    loop_turn(r->t->server.loop, 1);
    for (u32 i = 0; i < r->fake_count; i++)
        if (r->fakes[i].link)
            loop_turn(r->fakes[i].loop, 0);
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

/* Likewise, topicd being closed. */
#define RIG_UNTIL_FAKE(r, condition)                                                               \
    do {                                                                                           \
        for (int turns_ = 0; !(condition) && turns_ < RIG_TURNS_MAX; turns_++)                     \
            loop_turn((r)->fakes[0].loop, 1);                                                      \
        assert_true(condition);                                                                    \
    } while (0)

/* An orderly end; or the end of the process, which lets go of everything in memory. */
static inline void rig_stop(struct rig *r)
{
    server_stop(&r->t->server);
    RIG_UNTIL(r, loop_is_stopped(r->t->server.loop));
    topicd_close(r->t);
    r->t = NULL;
}

static inline void rig_free(struct rig *r)
{
    if (r->t)
        rig_stop(r);
    for (u32 i = 0; i < RIG_QUEUEDS_MAX; i++) {
        fake_close(&r->fakes[i]);
        buf_deinit(&r->fakes[i].bodies);
        buf_deinit(&r->fakes[i].call_body);
        mem_free(r->fakes[i].url);
    }
    failing_vfs_heal();
    store_aid_remove(r->dir);
    conf_deinit(&TOPICD_OPTIONS, &r->options);
    mem_free(r);
}

/* No space left, until failing_vfs_heal. */
static inline void fail_disk(void)
{
    failing_vfs_order((struct failing_order){
        .ops = FAILING_CHANGES, .files = FAILING_ANY, .result = 13 /* SQLITE_FULL */, .times = -1});
}

/* All queueds up and greeted, the outbox sent. */
static inline bool rig_is_live(const struct rig *r)
{
    for (u32 i = 0; i < r->fake_count; i++)
        if (r->t->queueds.links[i]->state != QUEUED_LINK_LIVE)
            return false;
    return true;
}

/* --- calls ------------------------------------------------------------------------------------ */

static inline enum call_outcome rig_reply(void *arg, struct call *c)
{
    struct rig_answer *a = arg;

    if (!a)
        return CALL_LOST;
    a->there = true;
    a->status = c->answer.status;
    a->body = c->answer.body;
    c->answer.body = (struct buf){0};
    return a->outcome;
}

/* Hands a call to the desk; `form` must live until it is answered. NULL for `a`: nobody listens. */
static inline struct call *rig_begin(struct rig *r, const char *form, struct rig_answer *a)
{
    struct request rq = {.door = DOOR_TCP,
                         .method = STR("POST"),
                         .path = STR("/"),
                         .query = STR(""),
                         .host = STR("localhost:4566"),
                         .target = STR(""),
                         .content_type = STR("application/x-www-form-urlencoded"),
                         .accept = STR(""),
                         .authorization = str_of(r->authorization ? r->authorization : ""),
                         .trace_id = STR(""),
                         .account = STR(""),
                         .region = STR(""),
                         .body = str_of(form)};

    if (a)
        *a = (struct rig_answer){0};
    return desk_take(r->t->server.desk, &rq, rig_reply, a);
}

/* The status; the answer's body is put into `out` (emptied first). */
static inline int rig_call(struct rig *r, const char *form, struct buf *out)
{
    struct rig_answer a;

    rig_begin(r, form, &a);
    RIG_UNTIL(r, a.there);
    buf_reset(out);
    buf_str(out, buf_view(&a.body));
    buf_deinit(&a.body);
    return a.status;
}

/* The text between <name> and </name> of the answer, the first time; the caller frees it. */
static inline char *rig_element(const struct buf *body, const char *name)
{
    char *open = mem_printf("<%s>", name), *close = mem_printf("</%s>", name);
    const char *from = body->p ? strstr(body->p, open) : NULL;
    const char *to = from ? strstr(from, close) : NULL;
    char *text = to ? mem_dup(str_from(from + strlen(open), (size_t)(to - from) - strlen(open)))
                    : mem_dup(STR("(none)"));

    mem_free(open);
    mem_free(close);
    return text;
}

#define RIG_TOPIC    "arn:aws:sns:us-east-1:000000000000:t"
#define RIG_QUEUE(q) "arn:aws:sqs:us-east-1:000000000000:" q

/* The call succeeds. */
#define RIG_OK(r, form)                                                                            \
    do {                                                                                           \
        struct buf out_ = {0};                                                                     \
        int status_ = rig_call(r, form, &out_);                                                    \
        if (status_ != 200)                                                                        \
            fail_msg("%d %s", status_, out_.p);                                                    \
        buf_deinit(&out_);                                                                         \
    } while (0)

/* The call is refused with exactly this. */
#define RIG_REFUSED(r, form, status, code, text)                                                   \
    do {                                                                                           \
        struct buf out_ = {0};                                                                     \
        int status_ = rig_call(r, form, &out_);                                                    \
        char *code_ = rig_element(&out_, "Code"), *text_ = rig_element(&out_, "Message");          \
        assert_string_equal(text_, text);                                                          \
        assert_string_equal(code_, code);                                                          \
        assert_int_equal(status_, status);                                                         \
        mem_free(code_);                                                                           \
        mem_free(text_);                                                                           \
        buf_deinit(&out_);                                                                         \
    } while (0)

#endif
