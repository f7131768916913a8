/* The front door: calls go to the queued that owns the queue, by its announcement or by where a new
 * name would be made; answers come back, callers leave, queueds go away. */
#include "tests/unit/topicd/rig.h"

#include <time.h>

static struct rig *open_rig(u32 queueds)
{
    struct rig *r = rig_new(queueds);

    for (u32 i = 0; i < queueds; i++)
        fake_open(&r->fakes[i]);
    rig_start(r);
    RIG_UNTIL(r, rig_is_live(r));
    return r;
}

static void answer_asking(struct fake *q, const char *body, bool asks)
{
    struct answer a = {.status = 200, .type = ANSWER_XML};
    struct buf out = {0};

    buf_z(&a.body, body);
    frame_write_answer(&out, q->call.id, asks, &a);
    buf_deinit(&a.body);
    q->call.id = 0;
    assert_int_equal(link_send(q->link, &out), 0);
}

static void answer(struct fake *q, const char *body)
{
    answer_asking(q, body, false);
}

/* Index of the queued that goes_to the call; it is answered. */
static u32 goes_to(struct rig *r, const char *form)
{
    struct rig_answer a;
    u32 found = RIG_QUEUEDS_MAX;

    rig_begin(r, form, &a);
    while (found == RIG_QUEUEDS_MAX) {
        rig_turn(r);
        for (u32 i = 0; i < r->fake_count; i++)
            if (r->fakes[i].call.id)
                found = i;
    }
    answer(&r->fakes[found], "fine");
    RIG_UNTIL(r, a.there);
    assert_string_equal(a.body.p, "fine");
    buf_deinit(&a.body);
    return found;
}

static void test_one_queued(void **state)
{
    struct rig *r = open_rig(1);

    goes_to(r, "Action=SendMessage&QueueUrl=q&MessageBody=m");
    assert_string_equal(r->fakes[0].call_body.p,
                        "000000000000 us-east-1 Action=SendMessage&QueueUrl=q&MessageBody=m");
    /* What nobody knows is for the queued to say. */
    goes_to(r, "Action=Nonsense&Version=2012-11-05");
    rig_free(r);
}

static void test_answers_in_any_order(void **state)
{
    struct rig *r = open_rig(1);
    struct fake *q = &r->fakes[0];
    struct rig_answer a, b;

    rig_begin(r, "Action=ReceiveMessage&QueueUrl=a", &a);
    RIG_UNTIL(r, q->call.id == 1);
    rig_begin(r, "Action=ReceiveMessage&QueueUrl=b", &b);
    RIG_UNTIL(r, q->call.id == 2);
    answer(q, "second");
    RIG_UNTIL(r, b.there);
    assert_false(a.there);
    q->call.id = 1;
    answer(q, "first");
    RIG_UNTIL(r, a.there);
    assert_string_equal(a.body.p, "first");
    assert_string_equal(b.body.p, "second");
    /* One that nobody waits for. */
    q->call.id = 77;
    answer(q, "late");
    buf_deinit(&a.body);
    buf_deinit(&b.body);
    rig_free(r);
}

static void test_caller_leaves(void **state)
{
    struct rig *r = open_rig(1);
    struct fake *q = &r->fakes[0];
    struct call *c = rig_begin(r, "Action=ReceiveMessage&QueueUrl=a", NULL);

    RIG_UNTIL(r, q->call.id);
    desk_cancel(c);
    RIG_UNTIL(r, q->cancels == 1);
    assert_int_equal(desk_waiting(r->t->server.desk), 0);
    answer(q, "late");
    goes_to(r, "Action=ListQueues");
    rig_free(r);
}

/* The queued that asks hears what became of its answer, whatever that was. */
static void test_outcome_is_told(void **state)
{
    static const enum call_outcome outcomes[] = {CALL_SENT, CALL_LOST, CALL_CUT};
    struct rig *r = open_rig(1);
    struct fake *q = &r->fakes[0];
    struct rig_answer a;

    for (u32 i = 0; i < ARRAY_LEN(outcomes); i++) {
        rig_begin(r, "Action=ReceiveMessage&QueueUrl=a", &a);
        a.outcome = outcomes[i];
        RIG_UNTIL(r, q->call.id == i + 1);
        answer_asking(q, "m", true);
        RIG_UNTIL(r, q->answered.id == i + 1);
        assert_int_equal(q->answered.outcome, outcomes[i]);
        buf_deinit(&a.body);
    }
    /* The caller left while the answer was on its way. */
    struct call *c = rig_begin(r, "Action=ReceiveMessage&QueueUrl=a", NULL);

    RIG_UNTIL(r, q->call.id == 4);
    answer_asking(q, "m", true);
    desk_cancel(c);
    RIG_UNTIL(r, q->answered.id == 4);
    assert_int_equal(q->answered.outcome, CALL_LOST);
    rig_free(r);
}

static void test_queued_goes_away(void **state)
{
    struct rig *r = open_rig(1);
    struct rig_answer a;
    struct buf out = {0};

    rig_begin(r, "Action=ReceiveMessage&QueueUrl=a", &a);
    RIG_UNTIL(r, r->fakes[0].call.id);
    fake_close(&r->fakes[0]);
    RIG_UNTIL(r, a.there);
    assert_int_equal(a.status, 503);
    assert_int_equal(rig_call(r, "Action=ListQueues", &out), 503);
    r->fakes[0].call.id = 0;
    fake_open(&r->fakes[0]);
    RIG_UNTIL(r, rig_is_live(r));
    goes_to(r, "Action=ListQueues");
    buf_deinit(&a.body);
    buf_deinit(&out);
    rig_free(r);
}

/* A call for a queue in every form that people have. */
static void all_forms_go_to(struct rig *r, const char *name, u32 queued)
{
    static const char *const forms[] = {
        "Action=SendMessage&QueueUrl=%s",
        "Action=SendMessage&QueueUrl=http://x:1/000000000000/%s",
        "Action=SendMessage&QueueUrl=http://x/queue/%s",
        "Action=SendMessage&QueueUrl=http://x/queue/us-east-1/000000000000/%s",
        "Action=SendMessage&QueueUrl=arn:aws:sqs:us-east-1:000000000000:%s",
        "Action=GetQueueUrl&QueueName=%s",
        "Action=CreateQueue&QueueName=%s",
    };

    for (size_t i = 0; i < ARRAY_LEN(forms); i++) {
        const char *cut = strchr(forms[i], '%');
        char *form = mem_printf("%.*s%s", (int)(cut - forms[i]), forms[i], name);

        assert_int_equal(goes_to(r, form), queued);
        mem_free(form);
    }
}

static void test_several_queueds(void **state)
{
    struct rig *r = open_rig(3);

    fake_announce(&r->fakes[0], "a,c");
    fake_announce(&r->fakes[1], "b");
    fake_announce(&r->fakes[2], "d");
    RIG_UNTIL(r, r->t->queueds.directory.queues.n == 4);
    all_forms_go_to(r, "a", 0);
    all_forms_go_to(r, "b", 1);
    all_forms_go_to(r, "d", 2);
    /* New names are spread, and always alike. */
    u32 seen[3] = {0};

    for (int i = 0; i < 30; i++) {
        char *form = mem_printf("Action=CreateQueue&QueueName=new%d", i);
        u32 first = goes_to(r, form);

        assert_int_equal(goes_to(r, form), first);
        seen[first]++;
        mem_free(form);
    }
    assert_true(seen[0] && seen[1] && seen[2]);
    rig_free(r);
}

static u32 home_of(struct rig *r, const char *name)
{
    char *arn = mem_printf("arn:aws:sqs:us-east-1:000000000000:%s", name);
    u32 home = directory_link(&r->t->queueds.directory, str_of(arn));

    mem_free(arn);
    return home;
}

/* What the queueds said in the turn that failed, and while the store failed, is not forgotten with
 * the next start: deliveries for one that is away must find its outbox. */
static void test_homes_outlive_a_failing_store(void **state)
{
    struct rig *r = open_rig(2);
    char name[] = "a";

    /* A queue that would not be made where it is. */
    while (home_of(r, name) != 0)
        name[0]++;
    fake_announce(&r->fakes[1], "gone");
    RIG_UNTIL(r, r->t->queueds.directory.queues.n == 1);
    fail_disk();
    fake_announce(&r->fakes[1], name);
    RIG_UNTIL(r, r->t->server.failing);
    failing_vfs_heal();
    RIG_UNTIL(r, !r->t->server.failing);
    rig_turn(r);
    fake_close(&r->fakes[1]);
    rig_stop(r);
    rig_start(r);
    assert_int_equal(r->t->queueds.directory.queues.n, 1);
    RIG_UNTIL(r, r->t->queueds.links[0]->state == QUEUED_LINK_LIVE);
    assert_int_equal(home_of(r, name), 1);
    rig_free(r);
}

/* At the limit, what is known already stays known. */
static void test_announced_again_at_the_limit(void **state)
{
    struct rig *r = open_rig(2);
    struct directory *d = &r->t->queueds.directory;

    fake_announce(&r->fakes[1], "a");
    RIG_UNTIL(r, d->queues.n == 1);
    fake_close(&r->fakes[1]);
    RIG_UNTIL(r, r->t->queueds.links[1]->state == QUEUED_LINK_DOWN);
    d->queues.n = DIRECTORY_QUEUES_MAX;
    r->fakes[1].queues = "a,b";
    fake_open(&r->fakes[1]);
    RIG_UNTIL(r, d->told_full);
    assert_int_equal(d->queues.n, DIRECTORY_QUEUES_MAX);
    d->queues.n = 1;
    assert_int_equal(home_of(r, "a"), 1);
    rig_free(r);
}

/* What one says of a queue that another one has changes nothing. */
static void test_removal_told_by_another_one(void **state)
{
    struct rig *r = open_rig(2);
    struct directory *d = &r->t->queueds.directory;
    struct buf out = {0};

    fake_announce(&r->fakes[0], "a,b");
    RIG_UNTIL(r, d->queues.n == 2);
    frame_queues_begin(&out, false, false);
    frame_queues_add(&out, STR(RIG_QUEUE("c")));
    frame_queues_removed(&out);
    frame_queues_add(&out, STR(RIG_QUEUE("a")));
    frame_queues_end(&out);
    assert_int_equal(link_send(r->fakes[1].link, &out), 0);
    RIG_UNTIL(r, d->queues.n == 3);
    assert_int_equal(home_of(r, "a"), 0);
    assert_ptr_equal(directory_owner(d, STR(RIG_QUEUE("a"))), r->t->queueds.links[0]->home);
    fake_announce(&r->fakes[1], "");
    RIG_UNTIL(r, d->queues.n == 2);
    rig_free(r);
}

static void test_list_over_several(void **state)
{
    struct rig *r = open_rig(2);
    struct buf out = {0};

    fake_announce(&r->fakes[0], "a,c,e");
    fake_announce(&r->fakes[1], "b,d");
    RIG_UNTIL(r, r->t->queueds.directory.queues.n == 5);
    assert_int_equal(rig_call(r, "Action=ListQueues", &out), 200);
    const char *at = out.p;

    for (const char *name = "abcde"; *name; name++) {
        char *url = mem_printf("<QueueUrl>http://localhost:4566/000000000000/%c</QueueUrl>", *name);
        const char *found = strstr(at, url);

        assert_non_null(found);
        at = found;
        mem_free(url);
    }
    assert_null(strstr(out.p, "NextToken"));
    assert_int_equal(rig_call(r, "Action=ListQueues&MaxResults=2", &out), 200);
    assert_null(strstr(out.p, "/c<"));
    char *token = rig_element(&out, "NextToken");
    char *form = mem_printf("Action=ListQueues&MaxResults=10&NextToken=%s", token);

    assert_int_equal(rig_call(r, form, &out), 200);
    assert_null(strstr(out.p, "/b<"));
    assert_non_null(strstr(out.p, "/c<"));
    assert_non_null(strstr(out.p, "/e<"));
    assert_null(strstr(out.p, "NextToken"));
    assert_int_equal(rig_call(r, "Action=ListQueues&QueueNamePrefix=z", &out), 200);
    assert_null(strstr(out.p, "QueueUrl>"));
    RIG_REFUSED(r, "Action=ListQueues&MaxResults=0", 400, "InvalidParameterValue",
                "Value for parameter MaxResults is invalid. Reason: MaxResults must be an integer "
                "between 1 and 1000.");
    mem_free(form);
    mem_free(token);
    buf_deinit(&out);
    rig_free(r);
}

static i64 cpu_us(void)
{
    struct timespec t;

    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (i64)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

/* However many queues there are: to look at all of them for each page would take a second here. */
static void test_a_page_costs_a_page(void **state)
{
    enum { QUEUES = 20000, PAGES = 300, SIZE = 10 };
    struct rig *r = open_rig(2);
    const struct directory *d = &r->t->queueds.directory;
    str prefix = STR("arn:aws:sqs:us-east-1:000000000000:"), after = STR_NONE;
    struct buf names = {0};
    size_t n;
    bool more;

    for (int i = QUEUES; i-- > 0;)
        buf_printf(&names, "q%05d,", i);
    fake_announce(&r->fakes[0], names.p);
    RIG_UNTIL(r, d->queues.n == QUEUES);
    i64 begin_us = cpu_us();

    for (int page = 0; page < PAGES; page++) {
        char last[16];
        str *arns = directory_list(d, prefix, after, SIZE, &n, &more);

        assert_int_equal(n, SIZE);
        assert_true(more);
        snprintf(last, sizeof(last), "q%05d", (page + 1) * SIZE - 1);
        assert_true(str_ends(arns[SIZE - 1], str_of(last)));
        after = arns[SIZE - 1];
        mem_free(arns);
    }
    assert_in_range(cpu_us() - begin_us, 0, 100000);
    fake_announce(&r->fakes[0], "q19998");
    RIG_UNTIL(r, d->queues.n == 1);
    mem_free(directory_list(d, prefix, STR_NONE, SIZE, &n, &more));
    assert_int_equal(n, 1);
    assert_false(more);
    buf_deinit(&names);
    rig_free(r);
}

/* Where queues are is known after a restart, too, so deliveries for one that is away wait for it.
 */
static void test_homes_outlive_the_daemon(void **state)
{
    struct rig *r = open_rig(2);

    fake_announce(&r->fakes[0], "a,b,c,d");
    RIG_UNTIL(r, r->t->queueds.directory.queues.n == 4);
    RIG_OK(r, "Action=CreateTopic&Name=t");
    RIG_OK(r, "Action=Subscribe&Protocol=sqs&TopicArn=" RIG_TOPIC "&Endpoint=" RIG_QUEUE("a"));
    RIG_OK(r, "Action=Subscribe&Protocol=sqs&TopicArn=" RIG_TOPIC "&Endpoint=" RIG_QUEUE("b"));
    fake_close(&r->fakes[0]);
    rig_stop(r);
    rig_start(r);
    assert_int_equal(r->t->queueds.directory.queues.n, 4);
    RIG_OK(r, "Action=Publish&Message=m&TopicArn=" RIG_TOPIC);
    assert_int_equal(r->fakes[1].delivers, 0);
    fake_open(&r->fakes[0]);
    RIG_UNTIL(r, rig_is_live(r) && r->fakes[0].bodies.n == strlen("a=m;b=m;"));
    /* A complete list takes away what it does not name. */
    fake_announce(&r->fakes[0], "a");
    RIG_UNTIL(r, r->t->queueds.directory.queues.n == 1);
    rig_free(r);
}

static void test_stop_answers_what_waits(void **state)
{
    struct rig *r = open_rig(1);
    struct rig_answer a;

    rig_begin(r, "Action=ReceiveMessage&QueueUrl=a", &a);
    RIG_UNTIL(r, r->fakes[0].call.id);
    rig_stop(r);
    RIG_UNTIL_FAKE(r, r->fakes[0].cancels == 1);
    assert_true(a.there);
    assert_int_equal(a.status, 503);
    buf_deinit(&a.body);
    rig_free(r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_one_queued),
        cmocka_unit_test(test_answers_in_any_order),
        cmocka_unit_test(test_outcome_is_told),
        cmocka_unit_test(test_caller_leaves),
        cmocka_unit_test(test_queued_goes_away),
        cmocka_unit_test(test_several_queueds),
        cmocka_unit_test(test_homes_outlive_a_failing_store),
        cmocka_unit_test(test_announced_again_at_the_limit),
        cmocka_unit_test(test_removal_told_by_another_one),
        cmocka_unit_test(test_list_over_several),
        cmocka_unit_test(test_a_page_costs_a_page),
        cmocka_unit_test(test_homes_outlive_the_daemon),
        cmocka_unit_test(test_stop_answers_what_waits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
