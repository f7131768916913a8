/* Messages that are shown without being received: to whom, from where on, and that a client which
 * leaves ends it. */
#include "tests/unit/queued/rig.h"

static const struct address here = {.family = 4, .bytes = {127, 0, 0, 1}};
static const struct address elsewhere = {.family = 4, .bytes = {10, 0, 0, 1}};

static struct call *look(struct rig *r, struct rig_answer *a, const struct address *peer,
                         const char *query)
{
    *a = (struct rig_answer){.request = mem_dup(str_of(query))};
    struct request rq = request_blank(DOOR_TCP);
    rq.peer = *peer;
    rq.method = STR("GET");
    rq.path = STR("/_toque/queues/q/messages");
    rq.query = str_of(a->request);
    return desk_take(r->d->server.desk, &rq, rig_reply, a);
}

static void shows(struct rig *r, const struct address *peer, const char *query, int status,
                  const char *bodies)
{
    struct rig_answer a;
    look(r, &a, peer, query);
    RIG_UNTIL(r, a.there);
    assert_int_equal(a.status, status);
    if (bodies) {
        char *got = rig_bodies(a.body.p);
        assert_string_equal(got, bodies);
        mem_free(got);
    }
    rig_end(&a);
}

static void for_this_machine_alone(void **state)
{
    struct rig *r = rig_started();
    rig_create(r, "q");
    rig_send(r, "q", "m");
    shows(r, &here, "", 200, "m;");
    shows(r, &(struct address){.family = 0}, "", 200, "m;");
    shows(r, &elsewhere, "", 403, NULL);
    rig_set(r, "peek_remote", "true");
    rig_restart(r);
    shows(r, &elsewhere, "", 200, "m;");
    rig_free(r);
}

/* Messages between the pages come and go, of this queue and of others. */
static void from_a_message_that_is_gone(void **state)
{
    struct rig *r = rig_started();
    char query[64];
    rig_create(r, "q");
    rig_create(r, "other");
    rig_send(r, "q", "a");
    u64 seq = list_item(rig_queue(r, "q")->arrived.next, struct msg, arrived)->seq;
    rig_send(r, "other", "x");
    rig_send(r, "q", "b");
    snprintf(query, sizeof query, "after=%" PRIu64, seq);
    shows(r, &here, query, 200, "b;");
    char *handle = rig_take(r, "q", ""),
         *body = mem_printf("{'QueueUrl':'q','ReceiptHandle':'%s'}", handle);
    rig_do(r, "DeleteMessage", body);
    shows(r, &here, query, 200, "b;");
    shows(r, &here, "after=18446744073709551615", 400, NULL);
    shows(r, &here, "after=9223372036854775807", 200, "");
    for (const char **q = (const char *[]){"after=x", "after=", "after=-1", "limit=", "limit=x",
                                           "limit=0", "limit=-1", "limit=1001", NULL};
         *q; q++)
        shows(r, &here, *q, 400, NULL);
    shows(r, &here, "limit=1000&after=0", 200, "b;");
    mem_free(body);
    mem_free(handle);
    rig_free(r);
}

/* Bodies come over several turns, as many in one as a receive may have. */
static void a_client_that_leaves(void **state)
{
    struct rig *r = rig_started();
    struct rig_answer a;
    rig_create(r, "q");
    for (int i = 0; i < 3 * BODY_FETCH_MAX; i++)
        rig_send(r, "q", "m");
    struct call *c = look(r, &a, &here, "");
    rig_turn(r);
    assert_false(a.there);
    desk_cancel(c);
    RIG_UNTIL(r, a.there);
    rig_end(&a);
    c = look(r, &a, &here, "");
    rig_do(r, "DeleteQueue", "{'QueueUrl':'q'}");
    RIG_UNTIL(r, a.there);
    assert_int_equal(a.status, 200);
    rig_end(&a);
    shows(r, &here, "", 404, NULL);
    rig_free(r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(for_this_machine_alone),
        cmocka_unit_test(from_a_message_that_is_gone),
        cmocka_unit_test(a_client_that_leaves),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
