/* frame.[ch]: what is written is read again, and what is cut, longer or changed is refused or read
 * as something that could have been written; nothing is ever read outside the frame. */
#include "common/aws/frame.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>

#include "common/base/id.h"
#include "common/base/mem.h"

/* Reads a frame with the reader of its kind, walks its lists, and lets go of what it owns. */
static int read_any(str frame)
{
    enum frame_kind kind;
    struct frame_greeting greeting;
    struct frame_ack ack;
    struct frame_call call;
    struct frame_answer answer;
    struct frame_answered answered;
    struct frame_deliver deliver;
    struct frame_queues queues;
    struct frame_rejected rejected;
    u64 id;
    i64 ms;
    int r = frame_kind(frame, &kind);

    if (r < 0)
        return r;
    switch (kind) {
    case FRAME_HELLO:
    case FRAME_WELCOME: return frame_read_greeting(frame, &greeting);
    case FRAME_QUEUES: return frame_read_queues(frame, &queues);
    case FRAME_DELIVER: return frame_read_deliver(frame, &deliver);
    case FRAME_ACK: return frame_read_ack(frame, &ack);
    case FRAME_CALL: return frame_read_call(frame, &call);
    case FRAME_ANSWER:
        r = frame_read_answer(frame, &answer);
        if (r == 0)
            buf_deinit(&answer.answer.body);
        return r;
    case FRAME_CANCEL: return frame_read_cancel(frame, &id);
    case FRAME_CLOCK: return frame_read_clock(frame, &ms);
    case FRAME_ANSWERED: return frame_read_answered(frame, &answered);
    case FRAME_REJECTED: return frame_read_rejected(frame, &rejected);
    case FRAME_SYNC: return frame_read_sync(frame, &id);
    }
    return E_INVALID;
}

/* Every cut of a good frame is bad, and so is one byte more. Copies end where their memory ends. */
static void check_cuts(const struct buf *frame)
{
    struct buf longer = {0};

    assert_int_equal(read_any(buf_view(frame)), 0);
    for (size_t n = 0; n < frame->n; n++) {
        char *cut = malloc(n ? n : 1);

        memcpy(cut, frame->p, n);
        assert_int_equal(read_any(str_from(cut, n)), E_INVALID);
        free(cut);
    }
    buf_str(&longer, buf_view(frame));
    buf_char(&longer, 0);
    assert_int_equal(read_any(buf_view(&longer)), E_INVALID);
    buf_deinit(&longer);
}

static void greetings(void **state)
{
    struct frame_greeting in = {.instance = STR("6ba7b810-9dad-41d1-80b4-00c04fd430c8"),
                                .version = STR("0.1.0"),
                                .session = 7,
                                .clock_ms = FRAME_CLOCK_MAX};
    struct frame_greeting out;
    struct buf b = {0};
    enum frame_kind kind;

    frame_write_hello(&b, &in);
    assert_int_equal(frame_kind(buf_view(&b), &kind), 0);
    assert_int_equal(kind, FRAME_HELLO);
    check_cuts(&b);
    frame_write_welcome(&b, &in);
    assert_int_equal(frame_kind(buf_view(&b), &kind), 0);
    assert_int_equal(kind, FRAME_WELCOME);
    assert_int_equal(frame_read_greeting(buf_view(&b), &out), 0);
    assert_true(str_eq(out.instance, in.instance) && str_eq(out.version, in.version));
    assert_int_equal(out.session, 7);
    assert_true(out.clock_ms == in.clock_ms);
    in.clock_ms++;
    frame_write_welcome(&b, &in);
    assert_int_equal(frame_read_greeting(buf_view(&b), &out), E_INVALID);
    frame_write_clock(&b, 1);
    assert_int_equal(frame_read_greeting(buf_view(&b), &out), E_INVALID);
    buf_deinit(&b);
}

static void numbers(void **state)
{
    struct frame_ack ack;
    struct buf b = {0};
    u64 id;
    i64 ms;

    frame_write_ack(&b, &(struct frame_ack){.session = 9, .ordinal = 0x0102030405060708});
    check_cuts(&b);
    assert_int_equal(frame_read_ack(buf_view(&b), &ack), 0);
    assert_int_equal(ack.session, 9);
    assert_true(ack.ordinal == 0x0102030405060708);
    assert_int_equal(b.p[8], 8); /* little-endian */
    frame_write_cancel(&b, 99);
    check_cuts(&b);
    assert_int_equal(frame_read_cancel(buf_view(&b), &id), 0);
    assert_int_equal(id, 99);
    frame_write_clock(&b, 1234567890123);
    check_cuts(&b);
    assert_int_equal(frame_read_clock(buf_view(&b), &ms), 0);
    assert_true(ms == 1234567890123);
    frame_write_clock(&b, -1);
    assert_int_equal(frame_read_clock(buf_view(&b), &ms), E_INVALID);
    frame_write_clock(&b, FRAME_CLOCK_MAX + 1);
    assert_int_equal(frame_read_clock(buf_view(&b), &ms), E_INVALID);
    frame_write_sync(&b, UINT64_MAX);
    check_cuts(&b);
    assert_int_equal(frame_read_sync(buf_view(&b), &id), 0);
    assert_true(id == UINT64_MAX);
    buf_deinit(&b);
}

static void calls(void **state)
{
    struct frame_call in = {.id = 5,
                            .request = {.door = DOOR_UNIX,
                                        .secure = true,
                                        .peer = {.family = 4, .bytes = {127, 0, 0, 1}},
                                        .method = STR("POST"),
                                        .path = STR("/000000000000/q"),
                                        .query = STR("a=b"),
                                        .host = STR("localhost:4566"),
                                        .target = STR("AmazonSQS.SendMessage"),
                                        .content_type = STR("application/x-amz-json-1.0"),
                                        .accept = STR("*/*"),
                                        .authorization = STR("AWS4"),
                                        .trace_id = STR("Root=1"),
                                        .account = STR("000000000001"),
                                        .region = STR("eu-west-1"),
                                        .user = STR("alice"),
                                        .body = str_from("\0{}", 3)}};
    struct frame_call out;
    struct buf b = {0};

    frame_write_call(&b, &in);
    check_cuts(&b);
    assert_int_equal(frame_read_call(buf_view(&b), &out), 0);
    assert_int_equal(out.id, 5);
    assert_int_equal(out.request.door, DOOR_UNIX);
    assert_true(out.request.secure);
    assert_true(address_eq(&out.request.peer, &in.request.peer));
    assert_true(str_is(out.request.method, "POST") && str_is(out.request.query, "a=b"));
    assert_true(str_eq(out.request.path, in.request.path));
    assert_true(str_eq(out.request.host, in.request.host));
    assert_true(str_eq(out.request.target, in.request.target));
    assert_true(str_eq(out.request.content_type, in.request.content_type));
    assert_true(str_is(out.request.accept, "*/*"));
    assert_true(str_is(out.request.authorization, "AWS4"));
    assert_true(str_is(out.request.trace_id, "Root=1"));
    assert_true(str_is(out.request.account, "000000000001"));
    assert_true(str_is(out.request.region, "eu-west-1"));
    assert_true(str_is(out.request.user, "alice"));
    assert_true(str_eq(out.request.body, in.request.body));
    b.p[12] = DOOR_LINK + 1;
    assert_int_equal(frame_read_call(buf_view(&b), &out), E_INVALID);
    buf_deinit(&b);
}

static void answers(void **state)
{
    struct answer in = {.status = 400, .type = ANSWER_XML};
    struct frame_answer out;
    struct buf b = {0};

    snprintf(in.query_error, sizeof(in.query_error), "AWS.X;Sender");
    snprintf(in.request_id, sizeof(in.request_id), "%s", "6ba7b810-9dad-41d1-80b4-00c04fd430c8");
    buf_z(&in.body, "<Error/>");
    frame_write_answer(&b, 42, true, &in);
    check_cuts(&b);
    assert_int_equal(frame_read_answer(buf_view(&b), &out), 0);
    assert_int_equal(out.id, 42);
    assert_true(out.asks);
    assert_int_equal(out.answer.status, 400);
    assert_int_equal(out.answer.type, ANSWER_XML);
    assert_string_equal(out.answer.query_error, "AWS.X;Sender");
    assert_string_equal(out.answer.request_id, in.request_id);
    assert_string_equal(out.answer.body.p, "<Error/>");
    buf_deinit(&out.answer.body);

    b.p[16] = ANSWER_JSON + 1;
    assert_int_equal(frame_read_answer(buf_view(&b), &out), E_INVALID);
    b.p[16] = ANSWER_XML;
    b.p[17] = 2;
    assert_int_equal(frame_read_answer(buf_view(&b), &out), E_INVALID);
    b.p[17] = 0;
    b.p[22] = 0; /* a NUL inside the text of a header */
    assert_int_equal(frame_read_answer(buf_view(&b), &out), E_INVALID);
    in.status = 99;
    frame_write_answer(&b, 42, false, &in);
    assert_int_equal(frame_read_answer(buf_view(&b), &out), E_INVALID);
    buf_deinit(&in.body);
    buf_deinit(&b);
}

static void answered(void **state)
{
    struct frame_answered out;
    struct buf b = {0};

    for (int i = CALL_SENT; i <= CALL_UNDONE; i++) {
        bool fits = i == CALL_SENT || i == CALL_LOST || i == CALL_CUT;

        frame_write_answered(&b, &(struct frame_answered){7, (enum call_outcome)i});
        assert_int_equal(frame_read_answered(buf_view(&b), &out), fits ? 0 : E_INVALID);
        if (!fits)
            continue;
        check_cuts(&b);
        assert_int_equal(out.id, 7);
        assert_int_equal(out.outcome, i);
    }
    buf_deinit(&b);
}

/* A DELIVER frame of `n` publications; the i-th has i attributes and i + 1 targets. */
static void write_deliver(struct buf *b, u32 n)
{
    frame_deliver_begin(b, STR("6ba7b810-9dad-41d1-80b4-00c04fd430c8"));
    frame_deliver_number(b, 1000);
    for (u32 i = 0; i < n; i++) {
        struct frame_publication p = {.topic = STR("arn:aws:sns:us-east-1:000000000000:t"),
                                      .message_id = STR("id"),
                                      .subject = STR("subject"),
                                      .message = STR("message"),
                                      .group_id = STR("g"),
                                      .fifo = STR("10000000000000000007d"),
                                      .trace_header = STR("Root=1"),
                                      .public_url = STR("http://localhost:4566"),
                                      .time_ms = 1700000000000 + i};

        frame_publication_begin(b, &p);
        for (u32 k = 0; k < i; k++)
            frame_put_attr(b, &(struct message_attr){STR("n"), STR("String"), STR("v")});
        frame_publication_targets(b);
        for (u32 k = 0; k <= i; k++)
            frame_put_target(b, &(struct frame_target){STR("q"), STR("s"), PUBLICATION_WRAPPED});
        frame_publication_end(b);
    }
    frame_deliver_end(b);
}

static void check_publication(const struct frame_publication *p, u32 i)
{
    struct message_attr attr;
    struct frame_target target;
    str rest;

    assert_true(str_is(p->topic, "arn:aws:sns:us-east-1:000000000000:t"));
    assert_true(str_is(p->message_id, "id") && str_is(p->subject, "subject"));
    assert_true(str_is(p->message, "message") && str_is(p->trace_header, "Root=1"));
    assert_true(str_is(p->group_id, "g") && str_is(frame_dedup_id(p), "d"));
    assert_true(str_is(p->public_url, "http://localhost:4566"));
    assert_true(p->time_ms == 1700000000000 + i);
    assert_int_equal(p->attr_count, i);
    assert_int_equal(p->target_count, i + 1);
    rest = p->attrs;
    for (u32 k = 0; k < i; k++) {
        assert_int_equal(frame_next_attr(&rest, &attr), 1);
        assert_true(str_is(attr.name, "n") && str_is(attr.type, "String"));
        assert_true(str_is(attr.value, "v"));
    }
    assert_int_equal(frame_next_attr(&rest, &attr), 0);
    rest = p->targets;
    for (u32 k = 0; k <= i; k++) {
        assert_int_equal(frame_next_target(&rest, &target), 1);
        assert_true(str_is(target.queue, "q") && str_is(target.subscription, "s"));
        assert_int_equal(target.form, PUBLICATION_WRAPPED);
    }
    assert_int_equal(frame_next_target(&rest, &target), 0);
}

static void deliveries(void **state)
{
    struct frame_deliver d;
    struct frame_publication p;
    struct buf b = {0};
    str rest;

    write_deliver(&b, 3);
    check_cuts(&b);
    frame_deliver_address(&b, 3, 1);
    frame_deliver_address(&b, 4, 998);
    assert_int_equal(frame_read_deliver(buf_view(&b), &d), 0);
    assert_int_equal(d.session, 4);
    assert_int_equal(d.sequence, 1000);
    assert_int_equal(d.ordinal, 998);
    assert_true(str_is(d.incarnation, "6ba7b810-9dad-41d1-80b4-00c04fd430c8"));
    assert_int_equal(d.publication_count, 3);
    rest = d.publications;
    for (u32 i = 0; i < 3; i++) {
        assert_int_equal(frame_next_publication(&rest, &p), 1);
        check_publication(&p, i);
    }
    assert_int_equal(frame_next_publication(&rest, &p), 0);
    b.p[40] = 'x'; /* in the incarnation */
    assert_int_equal(frame_read_deliver(buf_view(&b), &d), E_INVALID);
    b.p[40] = '9';
    assert_int_equal(frame_read_deliver(buf_view(&b), &d), 0);
    b.p[15] = (char)0x80; /* a sequence that no store holds */
    assert_int_equal(frame_read_deliver(buf_view(&b), &d), E_INVALID);
    /* A count that is not that of the list, above and below. */
    write_deliver(&b, 2);
    b.p[24] = 3;
    assert_int_equal(frame_read_deliver(buf_view(&b), &d), E_INVALID);
    b.p[24] = 1;
    assert_int_equal(frame_read_deliver(buf_view(&b), &d), E_INVALID);
    b.p[24] = 2;
    b.p[72 + 8] = 2; /* targets of the first publication */
    assert_int_equal(frame_read_deliver(buf_view(&b), &d), E_INVALID);
    b.p[72 + 8] = 0;
    assert_int_equal(frame_read_deliver(buf_view(&b), &d), E_INVALID);
    b.p[72 + 8] = 1;
    assert_int_equal(frame_read_deliver(buf_view(&b), &d), 0);
    b.p[b.n - 1] = PUBLICATION_WRAPPED + 1;
    assert_int_equal(frame_read_deliver(buf_view(&b), &d), E_INVALID);
    write_deliver(&b, 0);
    assert_int_equal(frame_read_deliver(buf_view(&b), &d), 0);
    buf_deinit(&b);
}

/* What was read is written again, with other targets. */
static void copies(void **state)
{
    struct frame_deliver d;
    struct frame_publication p;
    struct buf from = {0}, to = {0};
    str rest;

    write_deliver(&from, 4);
    assert_int_equal(frame_read_deliver(buf_view(&from), &d), 0);
    frame_deliver_begin(&to, d.incarnation);
    rest = d.publications;
    for (u32 i = 0; i < 4; i++) {
        assert_int_equal(frame_next_publication(&rest, &p), 1);
        frame_publication_copy(&to, &p);
        for (u32 k = 0; k <= i; k++)
            frame_put_target(&to, &(struct frame_target){STR("q"), STR("s"), PUBLICATION_WRAPPED});
        frame_publication_end(&to);
    }
    frame_deliver_end(&to);
    frame_deliver_number(&to, 1);
    assert_int_equal(frame_read_deliver(buf_view(&to), &d), 0);
    rest = d.publications;
    for (u32 i = 0; i < 4; i++) {
        assert_int_equal(frame_next_publication(&rest, &p), 1);
        check_publication(&p, i);
    }
    assert_int_equal(frame_next_publication(&rest, &p), 0);
    buf_deinit(&from);
    buf_deinit(&to);
}

/* What an outbox has kept since an earlier version of toque is still read; nothing else is. */
static void older_versions(void **state)
{
    struct frame_deliver d;
    struct buf b = {0};
    enum frame_kind kind;

    write_deliver(&b, 2);
    for (int version = 0; version < 256; version++) {
        bool fine = version >= FRAME_VERSION_DELIVER && version <= FRAME_VERSION;

        b.p[0] = (char)version;
        assert_int_equal(frame_read_deliver(buf_view(&b), &d), fine ? 0 : E_INVALID);
        assert_int_equal(frame_kind(buf_view(&b), &kind), fine                      ? 0
                                                          : version > FRAME_VERSION ? E_NEWER
                                                                                    : E_INVALID);
    }
    frame_write_sync(&b, 1);
    b.p[0] = FRAME_VERSION - 1;
    assert_int_equal(frame_kind(buf_view(&b), &kind), E_INVALID);
    buf_deinit(&b);
}

static void rejections(void **state)
{
    struct frame_rejected j;
    struct frame_place place;
    struct buf b = {0};

    frame_rejected_begin(&b, 2, 77);
    frame_rejected_add(&b, (struct frame_place){0, 3, FRAME_REJECTED_NO_QUEUE});
    frame_rejected_add(&b, (struct frame_place){99999, UINT32_MAX, FRAME_REJECTED_FORBIDDEN});
    check_cuts(&b);
    assert_int_equal(frame_read_rejected(buf_view(&b), &j), 0);
    assert_int_equal(j.session, 2);
    assert_int_equal(j.ordinal, 77);
    assert_int_equal(j.count, 2);
    assert_int_equal(frame_next_place(&j.places, &place), 1);
    assert_true(place.publication == 0 && place.target == 3);
    assert_int_equal(place.why, FRAME_REJECTED_NO_QUEUE);
    assert_int_equal(frame_next_place(&j.places, &place), 1);
    assert_true(place.publication == 99999 && place.target == UINT32_MAX);
    assert_int_equal(place.why, FRAME_REJECTED_FORBIDDEN);
    assert_int_equal(frame_next_place(&j.places, &place), 0);
    b.p[23] = FRAME_REJECTIONS; /* a reason that there is not */
    assert_int_equal(frame_read_rejected(buf_view(&b), &j), E_INVALID);
    buf_deinit(&b);
}

static void queues(void **state)
{
    struct frame_queues q;
    struct buf b = {0};
    str s, rest;

    frame_queues_begin(&b, true, false);
    frame_queues_add(&b, STR("arn:1"));
    frame_queues_add(&b, STR("arn:2"));
    frame_queues_end(&b);
    check_cuts(&b);
    assert_int_equal(frame_read_queues(buf_view(&b), &q), 0);
    assert_true(q.all && !q.last);
    assert_int_equal(q.added_count, 2);
    assert_int_equal(q.removed_count, 0);
    rest = q.added;
    assert_int_equal(frame_next_str(&rest, &s), 1);
    assert_true(str_is(s, "arn:1"));
    assert_int_equal(frame_next_str(&rest, &s), 1);
    assert_true(str_is(s, "arn:2"));
    assert_int_equal(frame_next_str(&rest, &s), 0);

    frame_queues_begin(&b, false, true);
    frame_queues_add(&b, STR("in"));
    frame_queues_removed(&b);
    frame_queues_add(&b, STR("out"));
    frame_queues_end(&b);
    check_cuts(&b);
    assert_int_equal(frame_read_queues(buf_view(&b), &q), 0);
    assert_true(!q.all && q.last);
    assert_int_equal(q.added_count, 1);
    assert_int_equal(q.removed_count, 1);
    rest = q.removed;
    assert_int_equal(frame_next_str(&rest, &s), 1);
    assert_true(str_is(s, "out"));
    b.p[4] = 4; /* a flag that nobody knows */
    assert_int_equal(frame_read_queues(buf_view(&b), &q), E_INVALID);
    buf_deinit(&b);
}

static void kinds(void **state)
{
    enum frame_kind kind = FRAME_ACK;

    assert_int_equal(frame_kind(str_from("\3\11\0\0", 4), &kind), 0);
    assert_int_equal(kind, FRAME_CLOCK);
    assert_int_equal(frame_kind(str_from("\4\1\0\0", 4), &kind), E_NEWER);
    assert_int_equal(frame_kind(str_from("\1\1\0\0", 4), &kind), E_INVALID);
    assert_int_equal(frame_kind(str_from("\0\1\0\0", 4), &kind), E_INVALID);
    assert_int_equal(frame_kind(str_from("\3\0\0\0", 4), &kind), E_INVALID);
    assert_int_equal(frame_kind(str_from("\3\15\0\0", 4), &kind), E_INVALID);
    assert_int_equal(frame_kind(str_from("\3\377\0\0", 4), &kind), E_INVALID);
    assert_int_equal(frame_kind(str_from("\3\1\1\0", 4), &kind), E_INVALID);
    assert_int_equal(frame_kind(str_from("\3\1\0\1", 4), &kind), E_INVALID);
    assert_int_equal(frame_kind(str_from("\3\1\0", 3), &kind), E_INVALID);
    assert_int_equal(frame_kind(STR_NONE, &kind), E_INVALID);
    assert_int_equal(kind, FRAME_CLOCK);
}

/* Frames with bytes changed by chance: read as something or refused, within their memory. */
static void damaged(void **state)
{
    struct id_source chance;
    struct buf good = {0};
    int refused = 0;

    id_init(&chance, 11);
    write_deliver(&good, 4);
    for (int round = 0; round < 20000; round++) {
        char *bad = malloc(good.n);

        memcpy(bad, good.p, good.n);
        for (u64 n = 1 + id_u64(&chance) % 3; n > 0; n--)
            bad[id_u64(&chance) % good.n] = (char)id_u64(&chance);
        refused += read_any(str_from(bad, good.n)) < 0;
        free(bad);
    }
    assert_true(refused > 1000);
    buf_deinit(&good);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(greetings),  cmocka_unit_test(numbers),
        cmocka_unit_test(calls),      cmocka_unit_test(answers),
        cmocka_unit_test(deliveries), cmocka_unit_test(queues),
        cmocka_unit_test(kinds),      cmocka_unit_test(damaged),
        cmocka_unit_test(copies),     cmocka_unit_test(rejections),
        cmocka_unit_test(answered),   cmocka_unit_test(older_versions),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
