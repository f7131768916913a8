/* What is asked beside the API: how the daemon is, and the clock by hand, which moves the queueds'
 * time, waits for their echoes, hears what was moved at their doors, and outlives the daemon. */
#include "tests/unit/topicd/rig.h"

static void begin_page(struct rig *r, const char *method, const char *path, const char *body,
                       struct rig_answer *a)
{
    struct request rq = {.method = str_of(method), .path = str_of(path), .body = str_of(body)};

    *a = (struct rig_answer){0};
    desk_take(r->t->server.desk, &rq, rig_reply, a);
}

/* The status; the body is put into `out`. */
static int page(struct rig *r, const char *method, const char *path, const char *body,
                struct buf *out)
{
    struct rig_answer a;

    begin_page(r, method, path, body, &a);
    RIG_UNTIL(r, a.there);
    buf_deinit(out);
    *out = a.body;
    return a.status;
}

static struct rig *open_rig(u32 queueds)
{
    struct rig *r = rig_new(queueds);

    rig_set(r, "clock", "manual");
    for (u32 i = 0; i < queueds; i++)
        fake_open(&r->fakes[i]);
    rig_start(r);
    RIG_UNTIL(r, rig_is_live(r));
    return r;
}

static void test_health(void **state)
{
    struct rig *r = open_rig(2);
    struct buf out = {0};
    struct json_doc doc;
    struct fault f = {0};
    str text;

    assert_int_equal(page(r, "GET", "/health", "", &out), 200);
    assert_int_equal(json_open(&doc, buf_view(&out), NULL, false, &f), 0);
    struct json_at root = json_root(&doc);

    assert_int_equal(json_get_str(&root, "status", &text, &f), 0);
    assert_true(str_is(text, "ok"));
    assert_int_equal(json_get_str(&root, "version", &text, &f), 0);
    assert_true(str_is(text, TOQUE_VERSION));
    json_close(&doc);
    fake_close(&r->fakes[1]);
    RIG_UNTIL(r, r->t->queueds.links[1]->state == QUEUED_LINK_DOWN);
    assert_int_equal(page(r, "GET", "/health", "", &out), 200);
    assert_non_null(strstr(out.p, "\"status\":\"degraded\""));
    assert_non_null(strstr(out.p, "\"link\":\"partial\""));
    assert_int_equal(page(r, "GET", "/_localstack/health", "", &out), 200);
    assert_non_null(strstr(out.p, "\"services\":{\"sns\":\"running\",\"sqs\":\"running\"}"));
    buf_deinit(&out);
    rig_free(r);
}

static void test_clock_moves_everybody(void **state)
{
    struct rig *r = open_rig(2);
    i64 begin_ms = r->t->server.clock.now_ms;
    struct buf out = {0};
    char *expected = mem_printf("{\"now_ms\":%" PRId64 "}", begin_ms + 5000);

    assert_int_equal(page(r, "POST", "/_toque/clock", "{\"advance_ms\":5000}", &out), 200);
    assert_string_equal(out.p, expected);
    assert_int_equal(r->fakes[0].clock_ms, begin_ms + 5000);
    assert_int_equal(r->fakes[1].clock_ms, begin_ms + 5000);
    /* One that is away is not waited for, and hears it when it is back. */
    fake_close(&r->fakes[1]);
    RIG_UNTIL(r, r->t->queueds.links[1]->state == QUEUED_LINK_DOWN);
    assert_int_equal(page(r, "POST", "/_toque/clock", "{\"advance_ms\":1}", &out), 200);
    fake_open(&r->fakes[1]);
    RIG_UNTIL(r, rig_is_live(r));
    assert_int_equal(r->fakes[1].clock_ms, begin_ms + 5001);
    /* It outlives the daemon. */
    rig_stop(r);
    rig_start(r);
    assert_true(r->t->server.clock.now_ms >= begin_ms + 5001);
    mem_free(expected);
    buf_deinit(&out);
    rig_free(r);
}

/* The answer waits for the queued's echo, or for its end. */
static void test_clock_waits(void **state)
{
    struct rig *r = open_rig(1);
    struct rig_answer a;

    r->fakes[0].deaf = true;
    begin_page(r, "POST", "/_toque/clock", "{\"advance_ms\":1000}", &a);
    for (int i = 0; i < 30; i++)
        rig_turn(r);
    assert_false(a.there);
    fake_close(&r->fakes[0]);
    RIG_UNTIL(r, a.there);
    assert_int_equal(a.status, 200);
    buf_deinit(&a.body);
    rig_free(r);
}

static void test_clock_moved_at_a_queued(void **state)
{
    struct rig *r = open_rig(2);
    i64 later_ms = r->t->server.clock.now_ms + 77000;
    struct buf out = {0};

    frame_write_clock(&out, later_ms);
    link_send(r->fakes[0].link, &out);
    RIG_UNTIL(r, r->fakes[1].clock_ms == later_ms && r->fakes[0].clock_ms == later_ms);
    assert_int_equal(r->t->server.clock.now_ms, later_ms);
    rig_free(r);
}

/* What a queued's door moved between our HELLO and its WELCOME is echoed, too. */
static void test_clock_moved_while_greeting(void **state)
{
    struct rig *r = rig_new(1);
    struct fake *q = &r->fakes[0];
    struct buf clock = {0}, welcome = {0};

    rig_set(r, "clock", "manual");
    fake_open(q);
    q->deaf = true;
    rig_start(r);
    RIG_UNTIL(r, r->t->queueds.links[0]->state == QUEUED_LINK_GREETING && link_is_up(q->link));
    i64 later_ms = r->t->server.clock.now_ms + 1000;

    frame_write_clock(&clock, later_ms);
    frame_write_welcome(&welcome,
                        &(struct frame_greeting){.instance = str_of(q->instance),
                                                 .version = STR("1"),
                                                 .session = r->t->queueds.links[0]->session,
                                                 .clock_ms = later_ms});
    link_send(q->link, &clock);
    link_send(q->link, &welcome);
    q->deaf = false;
    RIG_UNTIL(r, q->clock_ms == later_ms);
    assert_int_equal(r->t->server.clock.now_ms, later_ms);
    rig_free(r);
}

static void test_clock_refusals(void **state)
{
    static const char *const bad[] = {"",
                                      "{}",
                                      "[]",
                                      "{\"advance_ms\":-1}",
                                      "{\"advance_ms\":\"1\"}",
                                      "{\"advance_ms\":1.5}",
                                      "{\"advance_ms\":9000000000000000}"};
    struct rig *r = open_rig(1);
    struct buf out = {0};

    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        assert_int_equal(page(r, "POST", "/_toque/clock", bad[i], &out), 400);
        assert_non_null(strstr(out.p, "\"error\":\""));
    }
    /* A queued whose clock runs by itself cannot follow: nothing is moved. */
    i64 now_ms = r->t->server.clock.now_ms;

    assert_int_equal(page(r, "POST", "/_toque/clock", "{\"advance_ms\":0}", &out), 200);
    fake_close(&r->fakes[0]);
    r->fakes[0].real_clock = true;
    fake_open(&r->fakes[0]);
    RIG_UNTIL(r, r->t->queueds.links[0]->state == QUEUED_LINK_DOWN);
    RIG_UNTIL(r, rig_is_live(r));
    assert_int_equal(page(r, "POST", "/_toque/clock", "{\"advance_ms\":0}", &out), 409);
    assert_int_equal(page(r, "POST", "/_toque/clock", "{\"advance_ms\":1}", &out), 409);
    assert_non_null(strstr(out.p, r->fakes[0].url));
    assert_int_equal(r->t->server.clock.now_ms, now_ms);
    rig_stop(r);
    rig_set(r, "clock", "real");
    rig_start(r);
    assert_int_equal(page(r, "POST", "/_toque/clock", "{\"advance_ms\":1}", &out), 409);
    buf_deinit(&out);
    rig_free(r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_health),
        cmocka_unit_test(test_clock_moves_everybody),
        cmocka_unit_test(test_clock_waits),
        cmocka_unit_test(test_clock_moved_at_a_queued),
        cmocka_unit_test(test_clock_moved_while_greeting),
        cmocka_unit_test(test_clock_refusals),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
