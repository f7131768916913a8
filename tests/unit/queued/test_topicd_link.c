/* The topicd as queued sees it, frames straight to the peer: applied once and in order, whatever
 * comes twice, late, of another session or broken; and what it says back over a real link. */
#include "queued/waiter.h"
#include "rig.h"

#include "queued/group.h"
#include "queued/intake.h"
#include "queued/redrive.h"

#define INSTANCE "0a1b2c3d-0000-4000-8000-000000000001"
#define ANOTHER  "0a1b2c3d-0000-4000-8000-000000000002"
#define RUN      "0a1b2c3d-0000-4000-8000-00000000000a"
#define LATER    "0a1b2c3d-0000-4000-8000-00000000000b"
#define ARN      "arn:aws:sqs:us-east-1:000000000000:"
#define TOPIC    "arn:aws:sns:us-east-1:000000000000:t"

static void frame(struct rig *r, struct buf *b)
{
    topicd_link_frame(&r->d->topicd, buf_view(b));
    buf_deinit(b);
    rig_turn(r);
}

static void hello(struct rig *r, const char *instance, u32 session)
{
    struct buf b = {0};
    frame_write_hello(&b, &(struct frame_greeting){.instance = str_of(instance),
                                                   .version = STR("1"),
                                                   .session = session});
    frame(r, &b);
    assert_true(topicd_link_is_up(&r->d->topicd));
}

/* Which run of topicd makes what is delivered, in which group and for which subscription. */
static const char *incarnation = RUN;
static str group_id, subscription = STR_INIT(TOPIC ":uuid");

/* One publication to the queues named ("a,b"), raw or wrapped. */
static void make_deliver(struct buf *b, u32 session, u64 ordinal, u64 sequence, const char *message,
                         const char *queues, u8 form, u32 attrs)
{
    struct frame_publication p = {.topic = STR(TOPIC),
                                  .message_id = STR("0a1b2c3d-0000-4000-8000-00000000000f"),
                                  .message = str_of(message),
                                  .group_id = group_id,
                                  .public_url = STR("http://localhost:4566"),
                                  .time_ms = 1700000000001};
    str rest = str_of(queues);
    frame_deliver_begin(b, str_of(incarnation));
    frame_deliver_number(b, sequence);
    frame_deliver_address(b, session, ordinal);
    frame_publication_begin(b, &p);
    for (u32 i = 0; i < attrs; i++)
        frame_put_attr(b, &(struct message_attr){STR("name"), STR("String"), STR("v")});
    frame_publication_targets(b);
    while (rest.n) {
        str name = str_cut(&rest, ',');
        char *arn = mem_printf(ARN "%.*s", STR_ARG(name));
        frame_put_target(b, &(struct frame_target){str_of(arn), subscription, form});
        mem_free(arn);
    }
    frame_publication_end(b);
    frame_deliver_end(b);
}

static void deliver(struct rig *r, u32 session, u64 ordinal, u64 sequence, const char *message)
{
    struct buf b = {0};
    make_deliver(&b, session, ordinal, sequence, message, "q", PUBLICATION_RAW, 0);
    frame(r, &b);
}

static struct rig *with_queue(void)
{
    struct rig *r = rig_started();
    rig_create(r, "q");
    return r;
}

static u64 applied(struct rig *r, const char *run)
{
    return queue_store_applied(r->d->store, str_of(run));
}

static void once_and_in_order(void **state)
{
    struct rig *r = with_queue();
    deliver(r, 1, 1, 5, "before any greeting");
    hello(r, INSTANCE, 1);
    deliver(r, 1, 1, 5, "a");
    deliver(r, 1, 1, 6, "a place that is taken");
    deliver(r, 1, 3, 7, "a hole before it");
    deliver(r, 2, 2, 7, "of another session");
    deliver(r, 1, 2, 5, "a again");
    deliver(r, 1, 3, 4, "backwards");
    deliver(r, 1, 4, 8, "b");
    hello(r, INSTANCE, 2);
    deliver(r, 1, 5, 9, "of the old session");
    deliver(r, 2, 1, 8, "sent again");
    deliver(r, 2, 2, 9, "c");
    deliver(r, 2, 4, 11, "and a hole again");
    deliver(r, 2, 3, 11, "d");
    rig_receives(r, "q", "", "a;b;c;d;");
    rig_free(r);
}

/* Each run of topicd counts for itself, in whichever session it speaks, also behind a restart. */
static void sequences_are_one_runs_own(void **state)
{
    struct rig *r = with_queue();
    hello(r, INSTANCE, 1);
    deliver(r, 1, 1, 5, "a");
    rig_restart(r);
    hello(r, INSTANCE, 1);
    assert_int_equal(applied(r, RUN), 5);
    deliver(r, 1, 1, 5, "a again");
    incarnation = LATER;
    deliver(r, 1, 2, 1, "a later run");
    incarnation = RUN;
    deliver(r, 1, 3, 6, "b");
    hello(r, ANOTHER, 1); /* a copy of its store */
    deliver(r, 1, 1, 6, "b again");
    incarnation = LATER;
    deliver(r, 1, 2, 1, "a later run again");
    deliver(r, 1, 3, 2, "c");
    incarnation = RUN;
    rig_receives(r, "q", "", "a;a later run;b;c;");
    rig_free(r);
}

/* Also when one of its holders is moved to another queue, before and after a restart. */
static void a_shared_body_of_a_message_that_is_moved(void **state)
{
    struct rig *r = with_queue();
    struct buf b = {0};
    rig_create(r, "p");
    rig_create(r, "other");
    hello(r, INSTANCE, 1);
    make_deliver(&b, 1, 1, 1, "shared", "q,p", PUBLICATION_RAW, 0);
    frame(r, &b);
    redrive_move(queue_oldest(rig_queue(r, "q")), rig_queue(r, "other"));
    rig_counts(r, "q", 0, 0, 0);
    rig_counts(r, "other", 1, 0, 0);
    rig_do(r, "PurgeQueue", "{'QueueUrl':'p'}");
    RIG_UNTIL(r, r->d->queues.msgs.msgs.used == 1);
    rig_turn(r);
    assert_int_equal(rig_rows(r, "body"), 1);
    rig_restart(r);
    rig_receives(r, "other", ",'VisibilityTimeout':0", "shared;");
    queue_drop(queue_oldest(rig_queue(r, "other")));
    rig_turn(r);
    assert_int_equal(rig_rows(r, "body"), 0);
    assert_int_equal(r->d->queues.msgs.bodies.used, 0);
    rig_free(r);
}

static void a_body_is_stored_once_and_goes_with_its_last_holder(void **state)
{
    struct rig *r = with_queue();
    struct buf b = {0};
    rig_create(r, "p");
    hello(r, INSTANCE, 1);
    make_deliver(&b, 1, 1, 1, "shared", "q,gone,p", PUBLICATION_WRAPPED, 1);
    frame(r, &b);
    assert_int_equal(r->d->topicd.delivered, 2);
    assert_int_equal(r->d->topicd.unknown, 1);
    assert_int_equal(rig_rows(r, "body"), 1);
    rig_restart(r);
    char *answer = rig_call(r, NULL, "ReceiveMessage", "{'QueueUrl':'q','AttributeNames':['All']}");
    assert_non_null(strstr(answer, "\\\"Message\\\" : \\\"shared\\\""));
    assert_non_null(strstr(answer, "SubscriptionArn=" TOPIC ":uuid"));
    assert_non_null(strstr(answer, "\"SenderId\":\"AIDAIT2UOQQY3AUEKVGXU\""));
    char *handle = rig_member(answer, "ReceiptHandle");
    char *body = mem_printf("{'QueueUrl':'q','ReceiptHandle':'%s'}", handle);
    rig_do(r, "DeleteMessage", body);
    assert_int_equal(rig_rows(r, "body"), 1);
    rig_do(r, "PurgeQueue", "{'QueueUrl':'p'}");
    RIG_UNTIL(r, r->d->queues.msgs.msgs.used == 0);
    rig_turn(r);
    assert_int_equal(rig_rows(r, "body"), 0);
    assert_int_equal(r->d->queues.msgs.origin_of.n, 0);
    mem_free(body);
    mem_free(handle);
    mem_free(answer);
    rig_free(r);
}

static void raw_with_more_than_ten_attributes_is_left_out(void **state)
{
    struct rig *r = with_queue();
    struct buf b = {0};
    hello(r, INSTANCE, 1);
    make_deliver(&b, 1, 1, 1, "m", "q", PUBLICATION_RAW, 11);
    frame(r, &b);
    assert_int_equal(r->d->topicd.unfit, 1);
    rig_counts(r, "q", 0, 0, 0);
    deliver(r, 1, 2, 2, "next");
    rig_receives(r, "q", "", "next;");
    rig_free(r);
}

/* A peer that is not ours may send what no API lets in: texts longer than a message can hold. */
static void texts_that_are_too_long(void **state)
{
    struct rig *r = with_queue();
    struct buf b = {0};
    char *text = mem_alloc(MESSAGE_TEXT_MAX + 1);
    memset(text, 'g', MESSAGE_TEXT_MAX + 1);
    rig_create(r, "dead");
    hello(r, INSTANCE, 1);
    group_id = str_from(text, GROUP_ID_MAX + 1);
    deliver(r, 1, 1, 1, "no group");
    assert_null(queue_oldest(rig_queue(r, "q"))->group);
    redrive_move(queue_oldest(rig_queue(r, "q")), rig_queue(r, "dead"));
    rig_counts(r, "dead", 1, 0, 0);
    group_id = STR("g");
    subscription = str_from(text, MESSAGE_TEXT_MAX + 1);
    make_deliver(&b, 1, 2, 2, "unfit", "q", PUBLICATION_WRAPPED, 0);
    frame(r, &b);
    rig_counts(r, "q", 0, 0, 0);
    subscription = str_from(text, MESSAGE_TEXT_MAX);
    make_deliver(&b, 1, 3, 3, "fits", "q", PUBLICATION_WRAPPED, 0);
    frame(r, &b);
    rig_counts(r, "q", 1, 0, 0);
    subscription = STR(TOPIC ":uuid");
    group_id = STR("");
    rig_restart(r);
    rig_counts(r, "q", 1, 0, 0);
    mem_free(text);
    rig_free(r);
}

static void a_failed_commit_takes_the_sequence_back(void **state)
{
    struct rig *r = with_queue();
    hello(r, INSTANCE, 1);
    deliver(r, 1, 1, 1, "a");
    rig_fail_disk();
    deliver(r, 1, 2, 2, "b");
    assert_true(r->d->server.failing);
    assert_false(topicd_link_is_up(&r->d->topicd));
    failing_vfs_heal();
    RIG_UNTIL(
        r, (loop_timer_set_real(r->d->server.loop, &r->d->server.probe, 0), !r->d->server.failing));
    hello(r, INSTANCE, 2);
    assert_int_equal(applied(r, RUN), 1);
    deliver(r, 2, 1, 2, "b");
    rig_receives(r, "q", "", "a;b;");
    rig_free(r);
}

/* The bound on messages holds for what topics deliver, too: it stays where it is, unacknowledged,
 * and comes again. */
static void no_more_than_memory_may_hold(void **state)
{
    struct rig *r = rig_new();
    rig_set(r, "messages_max", "2");
    rig_set(r, "strict_waits", "false");
    rig_start(r);
    rig_create(r, "q");
    hello(r, INSTANCE, 1);
    deliver(r, 1, 1, 1, "a");
    deliver(r, 1, 2, 2, "b");
    deliver(r, 1, 3, 3, "c");
    assert_int_equal(applied(r, RUN), 2);
    rig_counts(r, "q", 2, 0, 0);
    rig_do(r, "PurgeQueue", "{'QueueUrl':'q'}");
    RIG_UNTIL(r, r->d->queues.msgs.msgs.used == 0);
    deliver(r, 1, 4, 4, "behind one that was not taken");
    deliver(r, 1, 3, 3, "c");
    rig_receives(r, "q", "", "c;");
    rig_free(r);
}

/* Every cut of a good frame, and every byte of it changed: nothing crashes, and nothing of a frame
 * that is refused is applied. */
static void hostile_frames(void **state)
{
    struct rig *r = with_queue();
    struct buf good = {0};
    hello(r, INSTANCE, 1);
    make_deliver(&good, 1, 1, 1, "m", "q", PUBLICATION_RAW, 1);
    for (size_t n = 0; n < good.n; n++) {
        char *cut = mem_dup(str_from(good.p, n));
        topicd_link_frame(&r->d->topicd, str_from(cut, n));
        r->d->topicd.greeted = true;
        mem_free(cut);
    }
    rig_turn(r);
    rig_counts(r, "q", 0, 0, 0);
    for (size_t i = 0; i < good.n; i++) {
        char *changed = mem_dup(buf_view(&good));
        changed[i] = (char)~changed[i];
        topicd_link_frame(&r->d->topicd, str_from(changed, good.n));
        r->d->topicd.greeted = true;
        mem_free(changed);
    }
    rig_turn(r);
    queue_check(rig_queue(r, "q"));
    for (int kind = 0; kind < 256; kind++) {
        char head[8] = {FRAME_VERSION, (char)kind, 0, 0, 1, 1, 1, 1};
        topicd_link_frame(&r->d->topicd, str_from(head, sizeof head));
        topicd_link_frame(&r->d->topicd, str_from(head, 4));
    }
    rig_turn(r);
    buf_deinit(&good);
    rig_free(r);
}

/* --- over a real link ------------------------------------------------------------------------- */

struct other_side {
    struct clock clock;
    struct loop *loop;
    struct link *link;
    bool is_up;
    u64 acked, synced;
    i64 clock_ms;
    struct buf came, went, answer, rejected;
    u64 answer_id;
    bool answer_asks;
    u32 welcomes;
};

static void on_up(void *arg)
{
    ((struct other_side *)arg)->is_up = true;
}

static void on_down(void *arg)
{
    ((struct other_side *)arg)->is_up = false;
}

static void note_queues(struct buf *b, str list)
{
    str arn;
    while (frame_next_str(&list, &arn) > 0)
        buf_printf(b, "%.*s;", STR_ARG(str_slice(arn, sizeof ARN - 1, arn.n)));
}

static void on_frame(void *arg, str text)
{
    struct other_side *o = arg;
    enum frame_kind kind;
    struct frame_greeting g;
    struct frame_ack ack;
    struct frame_rejected j;
    struct frame_place place;
    struct frame_queues q;
    struct frame_answer a = {0};
    assert_int_equal(frame_kind(text, &kind), 0);
    switch (kind) {
    case FRAME_WELCOME:
        assert_int_equal(frame_read_greeting(text, &g), 0);
        o->clock_ms = g.clock_ms;
        o->welcomes++;
        break;
    case FRAME_ACK:
        assert_int_equal(frame_read_ack(text, &ack), 0);
        assert_int_equal(ack.session, 1);
        assert_true(ack.ordinal > o->acked || o->welcomes > 1);
        o->acked = ack.ordinal;
        break;
    case FRAME_REJECTED:
        assert_int_equal(frame_read_rejected(text, &j), 0);
        assert_true(j.ordinal > o->acked);
        while (frame_next_place(&j.places, &place) > 0)
            buf_printf(&o->rejected, "%d.%u.%u%s;", (int)j.ordinal, place.publication, place.target,
                       place.why == FRAME_REJECTED_FORBIDDEN ? "!" : "");
        break;
    case FRAME_SYNC: assert_int_equal(frame_read_sync(text, &o->synced), 0); break;
    case FRAME_QUEUES:
        assert_int_equal(frame_read_queues(text, &q), 0);
        note_queues(&o->came, q.added);
        note_queues(&o->went, q.removed);
        break;
    case FRAME_ANSWER:
        assert_int_equal(frame_read_answer(text, &a), 0);
        o->answer_id = a.id;
        o->answer_asks = a.asks;
        buf_reset(&o->answer);
        buf_printf(&o->answer, "%d %.*s", a.answer.status, STR_ARG(buf_view(&a.answer.body)));
        buf_deinit(&a.answer.body);
        break;
    case FRAME_CLOCK: assert_int_equal(frame_read_clock(text, &o->clock_ms), 0); break;
    default: fail();
    }
}

static void other_open(struct rig *r, struct other_side *o, const char *url)
{
    struct fault f;
    fault_clear(&f);
    *o = (struct other_side){0};
    clock_init(&o->clock, false);
    o->loop = loop_new(&o->clock);
    assert_int_equal(link_dial(&o->link, o->loop, url, &LINK_LIMITS_DEFAULT,
                               (struct link_events){on_up, on_down, on_frame, o}, &f),
                     0);
}

static void other_close(struct other_side *o)
{
    link_close(o->link);
    loop_free(o->loop);
    buf_deinit(&o->came);
    buf_deinit(&o->went);
    buf_deinit(&o->answer);
    buf_deinit(&o->rejected);
}

#define UNTIL(r, o, condition) RIG_UNTIL(r, (loop_turn((o)->loop, 1), (condition)))

static struct rig *with_link(char **ret_url)
{
    struct rig *r = rig_new();
    *ret_url = mem_printf("ipc://%s/link", r->dir);
    rig_set(r, "link_url", *ret_url);
    rig_start(r);
    rig_create(r, "q");
    return r;
}

/* As a topicd whose manual clock shows `clock_ms`; 0: it runs by itself. */
static void say_hello(struct other_side *o, i64 clock_ms)
{
    struct buf b = {0};
    frame_write_hello(&b, &(struct frame_greeting){.instance = STR(INSTANCE),
                                                   .version = STR("1"),
                                                   .session = 1,
                                                   .clock_ms = clock_ms});
    assert_int_equal(link_send(o->link, &b), 0);
}

static void greeting_announcing_acknowledging(void **state)
{
    char *url;
    struct rig *r = with_link(&url);
    struct other_side o;
    struct buf b = {0};
    other_open(r, &o, url);
    UNTIL(r, &o, o.is_up);
    say_hello(&o, r->d->server.clock.now_ms);
    UNTIL(r, &o, o.came.n);
    assert_int_equal(o.welcomes, 1);
    assert_int_equal(o.clock_ms, r->d->server.clock.now_ms);
    assert_string_equal(o.came.p, "q;");
    rig_create(r, "r");
    rig_do(r, "DeleteQueue", "{'QueueUrl':'q'}");
    UNTIL(r, &o, o.went.n);
    assert_string_equal(o.came.p, "q;r;");
    assert_string_equal(o.went.p, "q;");
    make_deliver(&b, 1, 1, 3, "m", "r", PUBLICATION_RAW, 0);
    assert_int_equal(link_send(o.link, &b), 0);
    UNTIL(r, &o, o.acked == 1);
    rig_receives(r, "r", "", "m;");
    rig_advance(r, 0);
    other_close(&o);
    mem_free(url);
    rig_free(r);
}

/* Targets whose queue is not here are said before the acknowledgement, and the same ones when the
 * DELIVER comes again, since they may not have been heard: over a restart, too, and whatever has
 * become of its queues. */
static void unknown_targets_are_rejected(void **state)
{
    char *url;
    struct rig *r = with_link(&url);
    struct other_side o;
    struct buf b = {0};
    other_open(r, &o, url);
    UNTIL(r, &o, o.is_up);
    say_hello(&o, 0);
    UNTIL(r, &o, o.came.n);
    make_deliver(&b, 1, 1, 3, "m", "q,gone,q,away", PUBLICATION_RAW, 0);
    assert_int_equal(link_send(o.link, &b), 0);
    UNTIL(r, &o, o.acked == 1);
    assert_string_equal(o.rejected.p, "1.0.1;1.0.3;");
    rig_receives(r, "q", "", "m;m;");
    rig_create(r, "away");
    rig_do(r, "DeleteQueue", "{'QueueUrl':'q'}");
    other_close(&o);
    rig_restart(r);
    other_open(r, &o, url);
    UNTIL(r, &o, o.is_up);
    say_hello(&o, 0);
    UNTIL(r, &o, o.came.n);
    make_deliver(&b, 1, 1, 3, "m", "q,gone,q,away", PUBLICATION_RAW, 0);
    assert_int_equal(link_send(o.link, &b), 0);
    UNTIL(r, &o, o.acked == 1);
    assert_string_equal(o.rejected.p, "1.0.1;1.0.3;");
    rig_counts(r, "away", 0, 0, 0);
    assert_int_equal(rig_rows(r, "rejected"), 1);
    /* In a session that begins behind it nobody will ask for it any more. */
    say_hello(&o, 0);
    UNTIL(r, &o, o.welcomes == 2);
    make_deliver(&b, 1, 1, 4, "n", "away", PUBLICATION_RAW, 0);
    assert_int_equal(link_send(o.link, &b), 0);
    rig_receives(r, "away", ",'WaitTimeSeconds':5", "n;");
    assert_int_equal(rig_rows(r, "rejected"), 0);
    other_close(&o);
    mem_free(url);
    rig_free(r);
}

/* A queue whose policy does not let the topic send gets nothing, and topicd hears why, also when it
 * sends the DELIVER again and nothing is forbidden any more. */
static void forbidden_targets_are_rejected(void **state)
{
    char *url;
    struct rig *r = with_link(&url);
    struct other_side o;
    struct buf b = {0};
    r->d->queues.limits.enforce = true;
    rig_create(r, "open");
    rig_do(r, "SetQueueAttributes",
           "{'QueueUrl':'open','Attributes':{'Policy':'{\\'Statement\\':{\\'Effect\\':\\'Allow\\',"
           "\\'Principal\\':{\\'Service\\':\\'sns.amazonaws.com\\'},"
           "\\'Action\\':\\'sqs:SendMessage\\',\\'Resource\\':\\'*\\'}}'}}");
    other_open(r, &o, url);
    UNTIL(r, &o, o.is_up);
    say_hello(&o, 0);
    UNTIL(r, &o, o.came.n);
    make_deliver(&b, 1, 1, 3, "m", "q,open,gone", PUBLICATION_RAW, 0);
    assert_int_equal(link_send(o.link, &b), 0);
    UNTIL(r, &o, o.acked == 1);
    assert_string_equal(o.rejected.p, "1.0.0!;1.0.2;");
    rig_counts(r, "q", 0, 0, 0);
    rig_receives(r, "open", "", "m;");
    assert_int_equal(r->d->topicd.forbidden, 1);
    other_close(&o);
    r->d->queues.limits.enforce = false;
    other_open(r, &o, url);
    UNTIL(r, &o, o.is_up);
    say_hello(&o, 0);
    UNTIL(r, &o, o.came.n);
    make_deliver(&b, 1, 1, 3, "m", "q,open,gone", PUBLICATION_RAW, 0);
    assert_int_equal(link_send(o.link, &b), 0);
    UNTIL(r, &o, o.acked == 1);
    assert_string_equal(o.rejected.p, "1.0.0!;1.0.2;");
    rig_counts(r, "q", 0, 0, 0);
    other_close(&o);
    mem_free(url);
    rig_free(r);
}

/* What counts is whether a queue is there, not in which order its name came and went. */
static void a_name_that_comes_and_goes_in_one_turn(void **state)
{
    char *url;
    struct rig *r = with_link(&url);
    struct other_side o;
    struct buf b = {0};
    r->d->queues.limits.strict = false;
    other_open(r, &o, url);
    UNTIL(r, &o, o.is_up);
    say_hello(&o, 0);
    UNTIL(r, &o, o.came.n);
    buf_reset(&o.came);
    struct rig_answer gone, again, made, ended;
    rig_begin(r, &gone, "DeleteQueue", "{'QueueUrl':'q'}");
    rig_begin(r, &again, "CreateQueue", "{'QueueName':'q'}");
    rig_begin(r, &made, "CreateQueue", "{'QueueName':'short'}");
    rig_begin(r, &ended, "DeleteQueue", "{'QueueUrl':'short'}");
    frame_write_sync(&b, 7);
    assert_int_equal(link_send(o.link, &b), 0);
    UNTIL(r, &o, o.synced == 7);
    assert_true(gone.there && again.there && made.there && ended.there);
    assert_string_equal(o.came.p, "q;q;");
    assert_string_equal(o.went.p, "short;short;");
    rig_end(&gone);
    rig_end(&again);
    rig_end(&made);
    rig_end(&ended);
    other_close(&o);
    mem_free(url);
    rig_free(r);
}

static void calls_and_their_end(void **state)
{
    char *url;
    struct rig *r = with_link(&url);
    struct other_side o;
    struct buf b = {0};
    struct frame_call call = {
        .id = 77,
        .request = {.method = STR("POST"),
                    .path = STR("/"),
                    .target = STR("AmazonSQS.ReceiveMessage"),
                    .account = STR("000000000000"),
                    .region = STR("us-east-1"),
                    .body = STR("{\"QueueUrl\":\"q\",\"WaitTimeSeconds\":20}")}};
    other_open(r, &o, url);
    UNTIL(r, &o, o.is_up);
    say_hello(&o, r->d->server.clock.now_ms);
    frame_write_call(&b, &call);
    assert_int_equal(link_send(o.link, &b), 0);
    UNTIL(r, &o, r->d->queues.waiting.parked == 1);
    rig_send(r, "q", "for the caller");
    UNTIL(r, &o, o.answer_id == 77);
    assert_non_null(strstr(o.answer.p, "200 {\"Messages\":["));
    frame_write_answered(&b, &(struct frame_answered){77, CALL_SENT});
    assert_int_equal(link_send(o.link, &b), 0);
    UNTIL(r, &o, r->d->topicd.calls.n == 0);
    /* The caller leaves: nothing waits any more, nothing is hidden. */
    frame_write_call(&b, &call);
    assert_int_equal(link_send(o.link, &b), 0);
    UNTIL(r, &o, r->d->queues.waiting.parked == 1);
    frame_write_cancel(&b, 77);
    assert_int_equal(link_send(o.link, &b), 0);
    UNTIL(r, &o, r->d->queues.waiting.parked == 0 && r->d->topicd.calls.n == 0);
    /* The link goes: the same. */
    frame_write_call(&b, &call);
    assert_int_equal(link_send(o.link, &b), 0);
    UNTIL(r, &o, r->d->queues.waiting.parked == 1);
    other_close(&o);
    RIG_UNTIL(r, r->d->queues.waiting.parked == 0);
    rig_counts(r, "q", 0, 1, 0);
    mem_free(url);
    rig_free(r);
}

/* The clock page's status for this advance; it is answered with no help from the other side. */
static int advance(struct rig *r, i64 ms)
{
    struct rig_answer a = {.request = mem_printf("{\"advance_ms\":%" PRId64 "}", ms)};
    struct request rq = {
        .method = STR("POST"), .path = STR("/_toque/clock"), .body = str_of(a.request)};

    desk_take(r->d->server.desk, &rq, rig_reply, &a);
    RIG_UNTIL(r, a.there);
    int status = a.status;

    rig_end(&a);
    return status;
}

/* A receive hears from topicd what became of its answer. */
static void outcome_of_an_answer(void **state)
{
    static const enum call_outcome outcomes[] = {CALL_LOST, CALL_CUT, CALL_SENT};
    char *url;
    struct rig *r = with_link(&url);
    struct other_side o;
    struct buf b = {0};
    struct frame_call call = {
        .request = {.method = STR("POST"),
                    .path = STR("/"),
                    .target = STR("AmazonSQS.ReceiveMessage"),
                    .account = STR("000000000000"),
                    .region = STR("us-east-1"),
                    .body = STR("{\"QueueUrl\":\"q\",\"WaitTimeSeconds\":20}")}};
    other_open(r, &o, url);
    UNTIL(r, &o, o.is_up);
    say_hello(&o, r->d->server.clock.now_ms);
    for (u64 id = 1; id <= ARRAY_LEN(outcomes) + 1; id++) {
        call.id = id;
        bool is_sent = id >= ARRAY_LEN(outcomes);
        frame_write_call(&b, &call);
        assert_int_equal(link_send(o.link, &b), 0);
        UNTIL(r, &o, r->d->queues.waiting.parked == 1);
        rig_send(r, "q", "m");
        UNTIL(r, &o, o.answer_id == id);
        assert_true(o.answer_asks);
        rig_counts(r, "q", 0, 1, 0);
        if (id > ARRAY_LEN(outcomes))
            break;
        frame_write_cancel(&b, id); /* too late for that */
        assert_int_equal(link_send(o.link, &b), 0);
        frame_write_answered(&b, &(struct frame_answered){id, outcomes[id - 1]});
        assert_int_equal(link_send(o.link, &b), 0);
        UNTIL(r, &o, r->d->topicd.calls.n == 0);
        rig_counts(r, "q", !is_sent, is_sent, 0);
        rig_do(r, "PurgeQueue", "{'QueueUrl':'q'}");
    }
    other_close(&o); /* nobody knows: as if it had been sent */
    RIG_UNTIL(r, r->d->topicd.calls.n == 0);
    rig_counts(r, "q", 0, 1, 0);
    mem_free(url);
    rig_free(r);
}

static void the_clock_goes_both_ways(void **state)
{
    char *url;
    struct rig *r = with_link(&url);
    struct other_side o;
    struct buf b = {0};
    other_open(r, &o, url);
    UNTIL(r, &o, o.is_up);
    say_hello(&o, r->d->server.clock.now_ms);
    UNTIL(r, &o, o.welcomes == 1);
    i64 start_ms = r->d->server.clock.now_ms;
    frame_write_clock(&b, start_ms + 5000);
    assert_int_equal(link_send(o.link, &b), 0);
    UNTIL(r, &o, o.clock_ms == start_ms + 5000);
    assert_int_equal(r->d->server.clock.now_ms, start_ms + 5000);
    /* Ours is answered when the other side says that it has it, too. */
    struct rig_answer a = {.request = mem_dup(STR("{\"advance_ms\":1000}"))};
    struct request rq = {
        .method = STR("POST"), .path = STR("/_toque/clock"), .body = str_of(a.request)};
    desk_take(r->d->server.desk, &rq, rig_reply, &a);
    UNTIL(r, &o, o.clock_ms == start_ms + 6000);
    rig_turn(r);
    assert_false(a.there);
    frame_write_clock(&b, start_ms + 6000);
    assert_int_equal(link_send(o.link, &b), 0);
    UNTIL(r, &o, a.there);
    rig_end(&a);
    /* The time that it has already needs no echo. */
    assert_int_equal(advance(r, 0), 200);
    /* One whose clock runs by itself cannot follow, and one that is away is not waited for. */
    say_hello(&o, 0);
    UNTIL(r, &o, o.welcomes == 2);
    assert_int_equal(advance(r, 0), 409);
    assert_int_equal(advance(r, 1000), 409);
    assert_int_equal(r->d->server.clock.now_ms, start_ms + 6000);
    other_close(&o);
    RIG_UNTIL(r, !topicd_link_is_up(&r->d->topicd));
    assert_int_equal(advance(r, 1000), 200);
    rig_restart(r);
    assert_true(r->d->server.clock.now_ms >= start_ms + 7000);
    rig_stop(r);
    rig_set(r, "clock", "real");
    rig_start(r);
    assert_int_equal(advance(r, 1000), 409);
    mem_free(url);
    rig_free(r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(once_and_in_order),
        cmocka_unit_test(sequences_are_one_runs_own),
        cmocka_unit_test(unknown_targets_are_rejected),
        cmocka_unit_test(forbidden_targets_are_rejected),
        cmocka_unit_test(a_name_that_comes_and_goes_in_one_turn),
        cmocka_unit_test(a_body_is_stored_once_and_goes_with_its_last_holder),
        cmocka_unit_test(a_shared_body_of_a_message_that_is_moved),
        cmocka_unit_test(raw_with_more_than_ten_attributes_is_left_out),
        cmocka_unit_test(texts_that_are_too_long),
        cmocka_unit_test(a_failed_commit_takes_the_sequence_back),
        cmocka_unit_test(no_more_than_memory_may_hold),
        cmocka_unit_test(hostile_frames),
        cmocka_unit_test(greeting_announcing_acknowledging),
        cmocka_unit_test(calls_and_their_end),
        cmocka_unit_test(outcome_of_an_answer),
        cmocka_unit_test(the_clock_goes_both_ways),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
