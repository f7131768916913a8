/* The desk behind a door of the test's own: answers leave when their turn is durable, parked calls
 * can be left, and whatever cannot be taken is answered. */
#include "common/base/base.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "common/aws/desk.h"

/* A store that commits, or fails, as told, and is durable when told. */
struct fake_store {
    u64 ticket, durable;
    int fail;
    int lost; /* what is not durable */
    u32 failures;
};

static struct fake_store store;
static struct loop *loop;
static struct desk *desk;
static struct clock clock_;
static struct id_source ids;
static struct call *parked;
static struct budget clients;
static char health_page[] = "{\"ok\":true}";

/* One caller: what it asked and what came back. */
struct caller {
    struct call *call;
    u32 replies;
    int status;
    enum call_outcome outcome; /* what the endpoint makes of its answer */
    char body[512], query_error[160];
    char request_id[ID_UUID_SIZE];
};

static int store_commit(void *arg, u64 *ret_ticket)
{
    if (store.fail)
        return store.fail;
    *ret_ticket = ++store.ticket;
    return 0;
}

static int store_settled(void *arg, u64 *ret_ticket)
{
    int err = store.lost;
    *ret_ticket = store.durable;
    store.lost = 0;
    return err;
}

static void store_failed(void *arg, int err)
{
    store.failures++;
}

/* --- a service -------------------------------------------------------------------------------- */

static void run_echo(struct call *c)
{
    call_out_text(c, "Account", c->account);
    call_out_text(c, "Region", c->region);
    call_out_text(c, "Url", call_base_url(c));
    call_done(c);
}

static void run_put(struct call *c)
{
    loop_dirty(loop);
    call_out_text(c, "Text", val_text(c->in, "Text"));
    call_done(c);
}

static void run_fail(struct call *c)
{
    call_out_text(c, "Half", STR("written"));
    call_fail(c, CALL_FAULT_INVALID_PARAMETER, "%s is wrong", "Text");
}

static void leave(struct call *c)
{
    assert_ptr_equal(c, parked);
    parked = NULL;
    call_done(c);
}

/* Changes something; what it answers comes later. */
static void run_take(struct call *c)
{
    loop_dirty(loop);
    call_bind(c);
    parked = c;
}

static void run_wait(struct call *c)
{
    parked = c;
    c->cancel = leave;
}

static void run_page(struct call *c, void *arg)
{
    call_page(c, 200, str_of(arg));
}

static const struct member in[] = {{.name = "Text", .type = VAL_STRING}, {.name = NULL}};

static const struct action actions[] = {
    {"Echo", in, run_echo, ACTION_RESULT},
    {"Fail", in, run_fail, ACTION_RESULT},
    {"Put", in, run_put, ACTION_RESULT | ACTION_WRITES},
    {"Take", in, run_take, ACTION_RESULT | ACTION_WRITES},
    {"Wait", in, run_wait, ACTION_RESULT},
};

static const struct service service = {
    .signing_name = "sqs",
    .target_prefix = "AmazonSQS.",
    .query_version = "2012-11-05",
    .xml_namespace = "http://queue.example/",
    .flattened = true,
    .actions = actions,
    .action_count = ARRAY_LEN(actions),
    .owner = &store,
};

static void forward(struct call *c)
{
    struct answer a = {.status = 418, .type = ANSWER_AWS_JSON};
    assert_null(c->in);
    assert_true(c->action == NULL || strcmp(c->action->name, "Known") == 0);
    buf_z(&a.body, c->action ? "known" : "unknown");
    call_done_with(c, &a);
    assert_null(a.body.p);
}

static const struct action front_actions[] = {{"Known", NULL, NULL, 0}};

static const struct service front = {
    .signing_name = "far",
    .target_prefix = "Far.",
    .query_version = "2000-01-01",
    .xml_namespace = "http://far.example/",
    .flattened = true,
    .actions = front_actions,
    .action_count = ARRAY_LEN(front_actions),
    .forward = forward,
};

/* --- a door ----------------------------------------------------------------------------------- */

static enum call_outcome reply(void *arg, struct call *c)
{
    struct caller *who = arg;
    assert_ptr_equal(who->call, c); /* desk_take has returned before */
    who->replies++;
    who->call = NULL;
    who->status = c->answer.status;
    snprintf(who->body, sizeof who->body, "%s", c->answer.body.p ? c->answer.body.p : "");
    snprintf(who->query_error, sizeof who->query_error, "%s", c->answer.query_error);
    snprintf(who->request_id, sizeof who->request_id, "%s", c->answer.request_id);
    return who->outcome;
}

static struct request request(const char *path, const char *target, const char *body)
{
    str none = STR("");
    return (struct request){.door = DOOR_TCP,
                            .method = STR("POST"),
                            .path = str_of(path),
                            .query = none,
                            .host = STR("h:1"),
                            .target = str_of(target),
                            .content_type = none,
                            .accept = none,
                            .authorization = none,
                            .trace_id = none,
                            .account = none,
                            .region = none,
                            .body = str_of(body)};
}

static void ask_with(struct caller *who, const struct request *rq)
{
    *who = (struct caller){.replies = 0};
    who->call = desk_take(desk, rq, reply, who);
}

static void ask(struct caller *who, const char *target, const char *body)
{
    struct request rq = request("/", target, body);
    ask_with(who, &rq);
}

static int set_up_with(const struct desk_conf *conf)
{
    store = (struct fake_store){.durable = UINT64_MAX};
    clients = (struct budget){.max = 1 << 20};
    clock_init(&clock_, true);
    id_init(&ids, 1);
    loop = loop_new(&clock_);
    loop_set_store(loop, (struct loop_store){store_commit, store_settled, store_failed, NULL});
    desk = desk_new(loop, &ids, conf);
    desk_add_service(desk, &service);
    desk_add_service(desk, &front);
    desk_add_page(desk, "GET", "/health", run_page, health_page);
    parked = NULL;
    return 0;
}

static int set_up(void **state)
{
    return set_up_with(&(struct desk_conf){
        .account = "000000000000", .region = "us-east-1", .waiting_max = 3, .clients = &clients});
}

static int tear_down(void **state)
{
    assert_int_equal(desk_waiting(desk), 0);
    desk_free(desk);
    loop_free(loop);
    return 0;
}

/* --- tests ------------------------------------------------------------------------------------ */

static void test_answer_leaves_after_its_turn(void **state)
{
    struct caller who;
    ask(&who, "AmazonSQS.Put", "{\"Text\":\"t\"}");
    assert_int_equal(who.replies, 0);
    assert_int_equal(desk_waiting(desk), 1);
    store.durable = 0;
    loop_turn(loop, 0);
    assert_int_equal(who.replies, 0); /* committed, not yet durable */
    store.durable = store.ticket;
    loop_turn(loop, 0);
    assert_int_equal(who.replies, 1);
    assert_int_equal(who.status, 200);
    assert_string_equal(who.body, "{\"Text\":\"t\"}");
    assert_int_equal(strlen(who.request_id), ID_UUID_SIZE - 1);
    assert_int_equal(desk_waiting(desk), 0);
}

/* HEAD and whatever else is neither GET nor POST run no action; of a page HEAD is as good as GET. */
static void test_methods(void **state)
{
    static const char *const others[] = {"HEAD", "PUT", "DELETE", "PATCH", "OPTIONS", "BREW"};
    struct caller who;
    struct request rq = request("/", "AmazonSQS.Put", "{\"Text\":\"t\"}");
    u64 before = store.ticket;
    for (size_t i = 0; i < ARRAY_LEN(others); i++) {
        rq.method = str_of(others[i]);
        ask_with(&who, &rq);
        loop_turn(loop, 0);
        assert_int_equal(who.status, 404);
    }
    rq = request("/", "", "");
    rq.query = STR("Action=Put&Text=t");
    rq.method = STR("HEAD");
    ask_with(&who, &rq);
    loop_turn(loop, 0);
    assert_int_equal(who.status, 404);
    assert_int_equal(store.ticket, before);
    rq.method = STR("GET");
    ask_with(&who, &rq);
    loop_turn(loop, 0);
    assert_int_equal(who.status, 200);
    assert_int_equal(store.ticket, before + 1);
    rq = request("/health", "", "");
    rq.method = STR("HEAD");
    ask_with(&who, &rq);
    loop_turn(loop, 0);
    assert_int_equal(who.status, 200);
    assert_string_equal(who.body, health_page);
}

static void test_failed_commit_replaces_every_answer(void **state)
{
    struct caller put, fail, page;
    struct request health = request("/health", "", "");
    health.method = STR("GET");
    ask(&put, "AmazonSQS.Put", "{\"Text\":\"t\"}");
    ask(&fail, "AmazonSQS.Fail", "{}");
    ask_with(&page, &health);
    store.fail = E_FULL;
    loop_turn(loop, 0);
    assert_int_equal(store.failures, 1);
    assert_int_equal(put.replies + fail.replies + page.replies, 3);
    assert_int_equal(put.status, 503);
    assert_string_equal(put.query_error, "ServiceUnavailable;Receiver");
    assert_non_null(strstr(put.body, "could not store"));
    assert_int_equal(fail.status, 503);
    assert_int_equal(page.status, 503);
}

static struct {
    u32 times;
    enum call_outcome outcome;
} told;

static void tell(struct call *c, enum call_outcome outcome)
{
    told.times++;
    told.outcome = outcome;
}

/* Whoever gave something away with the answer hears once what became of it. */
static void test_outcomes(void **state)
{
    static const enum call_outcome outcomes[] = {CALL_SENT, CALL_SENDING, CALL_LOST, CALL_CUT};
    struct caller who;
    for (size_t i = 0; i < ARRAY_LEN(outcomes); i++) {
        told.times = 0;
        ask(&who, "AmazonSQS.Wait", "{}");
        struct call *c = parked;
        c->sent = tell;
        who.outcome = outcomes[i];
        call_done(c);
        loop_turn(loop, 0);
        assert_int_equal(who.replies, 1);
        if (outcomes[i] == CALL_SENDING) {
            assert_int_equal(told.times, 0);
            assert_int_equal(desk_waiting(desk), 1);
            desk_sent(c, CALL_CUT);
            assert_int_equal(told.outcome, CALL_CUT);
        } else {
            assert_int_equal(told.outcome, outcomes[i]);
        }
        assert_int_equal(told.times, 1);
        assert_int_equal(desk_waiting(desk), 0);
    }
    /* A turn that is lost took with it what was given away. */
    ask(&who, "AmazonSQS.Wait", "{}");
    parked->sent = tell;
    who.outcome = CALL_SENDING;
    call_done(parked);
    loop_dirty(loop);
    store.fail = E_FULL;
    loop_turn(loop, 0);
    assert_int_equal(desk_waiting(desk), 0);
    assert_int_equal(told.times, 2);
    assert_int_equal(told.outcome, CALL_UNDONE);
    assert_int_equal(who.status, 503);
}

/* Answers count as held for clients until they are handed to the endpoint. */
static void test_answers_are_counted(void **state)
{
    struct caller who;
    ask(&who, "AmazonSQS.Echo", "{}");
    assert_true(clients.used > 0);
    assert_int_equal(clients.used % 64, 0); /* the memory that they take, not what is in it */
    loop_turn(loop, 0);
    assert_int_equal(who.replies, 1);
    assert_int_equal(clients.used, 0);
    assert_int_equal(desk_room(desk, clients.max / 10, 10), 10);
    assert_int_equal(desk_room(desk, clients.max / 4, 10), 4);
    assert_int_equal(desk_room(desk, clients.max * 2, 10), 1); /* or nobody would get it ever */
    clients.used = clients.max / 2;
    assert_int_equal(desk_room(desk, clients.max / 4, 10), 2);
    assert_int_equal(desk_room(desk, clients.max * 2, 10), 0);
    clients.used = clients.max + 1;
    assert_int_equal(desk_room(desk, 1, 1), 0);
    clients.used = 0;
}

static struct call *take(struct caller *who)
{
    ask(who, "AmazonSQS.Take", "{}");
    loop_turn(loop, 0);
    assert_int_equal(who->replies, 0);
    return parked;
}

static void finish_take(struct call *c)
{
    call_out_text(c, "Body", STR("b"));
    call_done(c);
}

static void check_taken(const struct caller *who, u32 replies)
{
    assert_int_equal(who->replies, replies);
    if (replies) {
        assert_int_equal(who->status, 200);
        assert_string_equal(who->body, "{\"Body\":\"b\"}");
    }
}

/* What is rendered before its turn is durable waits for that turn; afterwards it waits for nothing,
 * a later turn included. */
static void test_answers_bound_to_a_turn(void **state)
{
    struct caller early, late, other;
    store.durable = 0;
    finish_take(take(&early));
    struct call *c = take(&late);
    check_taken(&early, 0);
    store.durable = 1;
    loop_turn(loop, 0);
    check_taken(&early, 1);
    store.durable = 2;
    loop_turn(loop, 0);
    check_taken(&late, 0); /* durable, but there is nothing to say yet */
    ask(&other, "AmazonSQS.Put", "{\"Text\":\"t\"}");
    finish_take(c);
    assert_int_equal(late.replies, 0); /* from the loop, as every answer */
    loop_turn(loop, 0);
    check_taken(&late, 1);
    assert_int_equal(other.replies, 0);
    store.durable = 3;
    loop_turn(loop, 0);
    assert_int_equal(other.replies, 1);
}

static void test_bound_to_a_lost_turn(void **state)
{
    struct caller early, late, gone;
    store.durable = 0;
    struct call *first = take(&early), *second = take(&late), *third = take(&gone);
    finish_take(first);
    desk_cancel(third);
    store.lost = E_IO;
    loop_turn(loop, 0);
    assert_int_equal(store.failures, 1);
    assert_int_equal(early.replies, 1);
    assert_int_equal(early.status, 503);
    assert_int_equal(late.replies, 0); /* its bodies are still on their way to it */
    finish_take(second);
    finish_take(third);
    loop_turn(loop, 0);
    assert_int_equal(late.replies, 1);
    assert_int_equal(late.status, 503);
    assert_int_equal(gone.replies, 1);
}

static void test_faults(void **state)
{
    struct caller who;
    ask(&who, "AmazonSQS.Fail", "{}");
    loop_turn(loop, 0);
    assert_int_equal(who.status, 400);
    assert_string_equal(who.query_error, "InvalidParameterValue;Sender");
    assert_string_equal(who.body,
                        "{\"__type\":\"com.amazon.coral.service#InvalidParameterValueException\","
                        "\"message\":\"Text is wrong\"}");
    ask(&who, "AmazonSQS.Echo", "{");
    loop_turn(loop, 0);
    assert_string_equal(who.query_error, "MalformedInput;Sender");
    ask(&who, "AmazonSQS.Nothing", "{}");
    loop_turn(loop, 0);
    assert_string_equal(who.query_error, "InvalidAction;Sender");
    struct request rq = request("/", "AmazonSQS.Echo", "{}");
    rq.authorization = STR("AWS4-HMAC-SHA256 Credential=x");
    ask_with(&who, &rq);
    loop_turn(loop, 0);
    assert_int_equal(who.status, 400);
    assert_string_equal(who.query_error, "IncompleteSignature;Sender");
    rq = request("/", "", "");
    ask_with(&who, &rq);
    loop_turn(loop, 0);
    assert_int_equal(who.status, 404);
    assert_string_equal(who.body, "<UnknownOperationException/>");
}

static void expect_echo(const char *authorization, const char *account, const char *region,
                        const char *want)
{
    struct caller who;
    struct request rq = request("/", "AmazonSQS.Echo", "{}");
    rq.authorization = str_of(authorization);
    rq.account = str_of(account);
    rq.region = str_of(region);
    ask_with(&who, &rq);
    loop_turn(loop, 0);
    assert_string_equal(who.body, want);
}

static void test_account_and_region(void **state)
{
#define SIGNED(credential)                                                                         \
    "AWS4-HMAC-SHA256 Credential=" credential "/sqs/aws4_request, SignedHeaders=h, Signature=s"
    expect_echo("", "", "",
                "{\"Account\":\"000000000000\",\"Region\":\"us-east-1\",\"Url\":\"http://h:1\"}");
    expect_echo(SIGNED("AKID/d/eu-west-1"), "", "",
                "{\"Account\":\"000000000000\",\"Region\":\"eu-west-1\",\"Url\":\"http://h:1\"}");
    expect_echo(SIGNED("111122223333/d/a_b"), "", "",
                "{\"Account\":\"111122223333\",\"Region\":\"us-east-1\",\"Url\":\"http://h:1\"}");
    expect_echo(SIGNED("11112222333x/d/this-region-name-is-much-longer-than-any"), "", "",
                "{\"Account\":\"000000000000\",\"Region\":\"us-east-1\",\"Url\":\"http://h:1\"}");
    expect_echo(SIGNED("111122223333/d/eu-west-1"), "444455556666", "ap-south-1",
                "{\"Account\":\"444455556666\",\"Region\":\"ap-south-1\",\"Url\":\"http://h:1\"}");
    expect_echo("", "44445555666", "x y",
                "{\"Account\":\"000000000000\",\"Region\":\"us-east-1\",\"Url\":\"http://h:1\"}");
#undef SIGNED
}

static void expect_url(const char *host, const char *want)
{
    struct caller who;
    struct request rq = request("/", "AmazonSQS.Echo", "{}");
    char *body = mem_printf("{\"Account\":\"1\",\"Region\":\"r\",\"Url\":\"%s\"}", want);
    rq.host = str_of(host);
    ask_with(&who, &rq);
    loop_turn(loop, 0);
    assert_string_equal(who.body, body);
    mem_free(body);
}

static void test_base_url(void **state)
{
    struct desk_conf conf = {
        .account = "1", .region = "r", .public_url = "https://q.example/", .waiting_max = 3};
    tear_down(state);
    set_up_with(&conf);
    expect_url("[::1]:9324", "http://[::1]:9324");
    expect_url("", "https://q.example");
    expect_url("a\"b", "https://q.example");
    tear_down(state);
    conf.public_url_always = true;
    set_up_with(&conf);
    expect_url("h:1", "https://q.example");
    tear_down(state);
    conf.public_url = NULL;
    set_up_with(&conf);
    expect_url("h:1", "http://h:1");
    expect_url("", "http://localhost");
}

static void test_parked_call_is_left(void **state)
{
    struct caller who;
    ask(&who, "AmazonSQS.Wait", "{}");
    loop_turn(loop, 0);
    assert_int_equal(who.replies, 0);
    assert_ptr_equal(parked, who.call);
    desk_cancel(who.call);
    assert_null(parked);
    desk_cancel(who.call); /* twice is once */
    loop_turn(loop, 0);
    assert_int_equal(who.replies, 1);
}

static void test_finished_call_is_left(void **state)
{
    struct caller who;
    ask(&who, "AmazonSQS.Wait", "{}");
    struct call *c = parked;
    parked = NULL;
    call_done(c);
    desk_cancel(who.call); /* must not reach `leave` */
    loop_turn(loop, 0);
    assert_int_equal(who.replies, 1);
}

static void test_bound_of_calls_under_way(void **state)
{
    struct caller who[4];
    struct call *waiting[3];
    for (size_t i = 0; i < 3; i++) {
        ask(&who[i], "AmazonSQS.Wait", "{}");
        waiting[i] = parked;
    }
    ask(&who[3], "AmazonSQS.Echo", "{}");
    loop_turn(loop, 0);
    assert_int_equal(who[3].status, 503);
    for (size_t i = 0; i < 3; i++)
        call_done(waiting[i]);
    loop_turn(loop, 0);
    ask(&who[3], "AmazonSQS.Echo", "{}");
    loop_turn(loop, 0);
    assert_int_equal(who[3].status, 200);
}

static void test_failing_store_refuses_writers_only(void **state)
{
    struct caller who;
    desk_set_failing(desk, true);
    ask(&who, "AmazonSQS.Put", "{}");
    loop_turn(loop, 0);
    assert_int_equal(who.status, 503);
    ask(&who, "AmazonSQS.Echo", "{}");
    loop_turn(loop, 0);
    assert_int_equal(who.status, 200);
    desk_set_failing(desk, false);
    ask(&who, "AmazonSQS.Put", "{\"Text\":\"\"}");
    loop_turn(loop, 0);
    assert_int_equal(who.status, 200);
}

static void test_quiesce(void **state)
{
    struct caller who, late;
    ask(&who, "AmazonSQS.Wait", "{}");
    desk_quiesce(desk);
    ask(&late, "AmazonSQS.Echo", "{}");
    loop_turn(loop, 0);
    assert_int_equal(late.status, 503);
    assert_int_equal(who.replies, 0);
    call_done(parked);
    loop_turn(loop, 0);
    assert_int_equal(who.status, 200);
}

static void test_pages(void **state)
{
    struct caller who;
    struct request rq = request("/health", "", "");
    rq.method = STR("GET");
    ask_with(&who, &rq);
    loop_turn(loop, 0);
    assert_int_equal(who.status, 200);
    assert_string_equal(who.body, "{\"ok\":true}");
    rq.method = STR("POST");
    ask_with(&who, &rq);
    loop_turn(loop, 0);
    assert_int_equal(who.status, 404);
}

static void test_forwarded_service(void **state)
{
    struct caller who;
    ask(&who, "Far.Anything", "not read at all");
    loop_turn(loop, 0);
    assert_int_equal(who.status, 418);
    assert_string_equal(who.body, "unknown");
    assert_int_equal(strlen(who.request_id), ID_UUID_SIZE - 1);
    struct request rq = request("/", "", "Action=Known");
    ask_with(&who, &rq);
    loop_turn(loop, 0);
    assert_string_equal(who.body, "known");
}

static void test_ipc_call_without_target(void **state)
{
    struct caller who;
    struct request rq = request("/", "", "{}");
    rq.door = DOOR_IPC;
    ask_with(&who, &rq);
    loop_turn(loop, 0);
    assert_string_equal(who.query_error, "InvalidAction;Sender");
}

/* A call's memory is used again, and nothing of the call before shows. */
static void test_pool(void **state)
{
    struct caller who;
    ask(&who, "AmazonSQS.Fail", "{}");
    loop_turn(loop, 0);
    for (int i = 0; i < 200; i++) {
        ask(&who, "AmazonSQS.Put", "{\"Text\":\"x\"}");
        assert_null(who.call->parked);
        loop_turn(loop, 0);
        assert_int_equal(who.status, 200);
        assert_string_equal(who.body, "{\"Text\":\"x\"}");
    }
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_answer_leaves_after_its_turn),
        TEST(test_methods),
        TEST(test_outcomes),
        TEST(test_answers_are_counted),
        TEST(test_failed_commit_replaces_every_answer),
        TEST(test_answers_bound_to_a_turn),
        TEST(test_bound_to_a_lost_turn),
        TEST(test_faults),
        TEST(test_account_and_region),
        TEST(test_base_url),
        TEST(test_parked_call_is_left),
        TEST(test_finished_call_is_left),
        TEST(test_bound_of_calls_under_way),
        TEST(test_failing_store_refuses_writers_only),
        TEST(test_quiesce),
        TEST(test_pages),
        TEST(test_forwarded_service),
        TEST(test_ipc_call_without_target),
        TEST(test_pool),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
