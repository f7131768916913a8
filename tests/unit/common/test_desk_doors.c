/* Desk and doors shake hands: the doors' own functions are the test's here. */
#include "common/base/base.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "common/aws/desk.h"

/* An exchange of either door: what the desk hung on it, and what came back. */
struct exchange {
    void *data;
    u32 answers;
    int status;
    bool left; /* its socket says so, no event did yet */
};

static struct loop *loop;
static struct desk *desk;
static struct call *parked;

void http_exchange_set_data(struct http_exchange *x, void *data)
{
    ((struct exchange *)(void *)x)->data = data;
}

void *http_exchange_data(const struct http_exchange *x)
{
    return ((const struct exchange *)(const void *)x)->data;
}

void http_answer(struct http_exchange *x, struct answer *a)
{
    struct exchange *e = (struct exchange *)(void *)x;
    e->answers++;
    e->status = a->status;
}

bool http_exchange_is_there(const struct http_exchange *x)
{
    return !((const struct exchange *)(const void *)x)->left;
}

void ipc_exchange_set_data(struct ipc_exchange *x, void *data)
{
    ((struct exchange *)(void *)x)->data = data;
}

void *ipc_exchange_data(const struct ipc_exchange *x)
{
    return ((const struct exchange *)(const void *)x)->data;
}

void ipc_answer(struct ipc_exchange *x, struct answer *a)
{
    struct exchange *e = (struct exchange *)(void *)x;
    e->answers++;
    e->status = a->status;
}

static void leave(struct call *c)
{
    parked = NULL;
    call_done(c);
}

static void run_wait(struct call *c)
{
    parked = c;
    c->cancel = leave;
}

static const struct action actions[] = {{"Wait", NULL, run_wait, ACTION_RESULT}};

static const struct service service = {
    .signing_name = "sqs",
    .target_prefix = "AmazonSQS.",
    .query_version = "2012-11-05",
    .xml_namespace = "http://queue.example/",
    .flattened = true,
    .actions = actions,
    .action_count = ARRAY_LEN(actions),
};

static struct request wait_request(enum door door)
{
    str none = STR("");
    return (struct request){.door = door,
                            .method = STR("POST"),
                            .path = STR("/"),
                            .query = none,
                            .host = none,
                            .target = STR("AmazonSQS.Wait"),
                            .content_type = none,
                            .accept = none,
                            .authorization = none,
                            .trace_id = none,
                            .account = none,
                            .region = none,
                            .body = none};
}

static void test_http(void **state)
{
    struct http_handler h = desk_http_handler(desk);
    struct request rq = wait_request(DOOR_TCP);
    struct exchange e = {.data = NULL};
    struct http_exchange *x = (struct http_exchange *)(void *)&e;
    h.request(h.arg, x, &rq);
    assert_ptr_equal(e.data, parked);
    call_done(parked);
    loop_turn(loop, 0);
    assert_int_equal(e.answers, 1);
    assert_int_equal(e.status, 200);
    assert_null(e.data);
    h.gone(h.arg, x); /* too late: nothing happens */

    h.request(h.arg, x, &rq);
    assert_true(desk_is_there(parked));
    e.left = true;
    assert_false(desk_is_there(parked));
    h.gone(h.arg, x);
    assert_null(parked);
    loop_turn(loop, 0);
    assert_int_equal(e.answers, 2);
}

static void test_ipc(void **state)
{
    struct ipc_handler h = desk_ipc_handler(desk);
    struct request rq = wait_request(DOOR_IPC);
    struct exchange e = {.data = NULL};
    struct ipc_exchange *x = (struct ipc_exchange *)(void *)&e;
    h.request(h.arg, x, &rq);
    assert_ptr_equal(e.data, parked);
    assert_true(desk_is_there(parked));
    h.gone(h.arg, x);
    assert_null(parked);
    loop_turn(loop, 0);
    assert_int_equal(e.answers, 1);
    assert_int_equal(e.status, 200);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_http),
        cmocka_unit_test(test_ipc),
    };
    struct clock clock;
    struct id_source ids;
    clock_init(&clock, true);
    id_init(&ids, 1);
    loop = loop_new(&clock);
    desk =
        desk_new(loop, &ids, &(struct desk_conf){.account = "1", .region = "r", .waiting_max = 9});
    desk_add_service(desk, &service);
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    desk_free(desk);
    loop_free(loop);
    return failed;
}
