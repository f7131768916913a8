/* The system's wall clock is stepped under a running queued, and between two runs: waits and deadlines
 * go by the time that really passes. */
#include "rig.h"

#define HOUR_MS INT64_C(3600000)
#define DAY_MS  (24 * HOUR_MS)

static struct rig *r;
static i64 wall_us_, mono_us_;

static i64 wall_us(void *arg)
{
    return wall_us_;
}

static i64 mono_us(void *arg)
{
    return mono_us_;
}

static const struct clock_source hands = {wall_us, mono_us, NULL};

static int setup(void **state)
{
    wall_us_ = INT64_C(1796037068782000);
    mono_us_ = 5000000;
    r = rig_new();
    r->environment.clock = &hands;
    rig_set(r, "clock", "real");
    rig_start(r);
    rig_create(r, "q");
    return 0;
}

static int teardown(void **state)
{
    rig_free(r);
    return 0;
}

/* Time passes, in pieces of at most a tenth. */
static void pass(i64 ms)
{
    for (u32 n = 0; n < 10; n++) {
        wall_us_ += ms * 100;
        mono_us_ += ms * 100;
        rig_turn(r);
    }
    for (u32 n = 0; n < 5; n++)
        rig_turn(r);
}

static void step(i64 ms)
{
    wall_us_ += ms * 1000;
    rig_turn(r);
}

static void test_waits(void **state)
{
    static const i64 steps[] = {-HOUR_MS, HOUR_MS, -5 * DAY_MS, 5 * DAY_MS};
    struct rig_answer a;
    for (size_t i = 0; i < ARRAY_LEN(steps); i++) {
        rig_begin(r, &a, "ReceiveMessage", "{'QueueUrl':'q','WaitTimeSeconds':2}");
        rig_turn(r);
        step(steps[i]);
        pass(1900);
        assert_false(a.there);
        pass(200);
        assert_true(a.there);
        rig_end(&a);
    }
}

static void test_hidden_and_delayed(void **state)
{
    static const i64 steps[] = {-HOUR_MS, HOUR_MS, -5 * DAY_MS, 5 * DAY_MS};
    for (size_t i = 0; i < ARRAY_LEN(steps); i++) {
        rig_send(r, "q", "hidden");
        mem_free(rig_take(r, "q", ",'VisibilityTimeout':60"));
        rig_do(r, "SendMessage", "{'QueueUrl':'q','MessageBody':'delayed','DelaySeconds':60}");
        step(steps[i]);
        pass(59000);
        rig_counts(r, "q", 0, 1, 1);
        pass(2000);
        rig_counts(r, "q", 2, 0, 0);
        rig_do(r, "PurgeQueue", "{'QueueUrl':'q'}");
    }
}

/* Forward for a moment, and back: nothing has lived its retention. */
static void test_retention(void **state)
{
    rig_do(r, "SetQueueAttributes",
           "{'QueueUrl':'q','Attributes':{'MessageRetentionPeriod':'600'}}");
    rig_send(r, "q", "a");
    step(5 * DAY_MS);
    pass(1000);
    step(-5 * DAY_MS);
    step(3 * HOUR_MS);
    pass(590 * 1000);
    rig_counts(r, "q", 1, 0, 0);
    pass(15 * 1000);
    rig_counts(r, "q", 0, 0, 0);
}

/* A start with a clock that is days off: for a while nothing expires. */
static void test_start_far_ahead(void **state)
{
    rig_send(r, "q", "a");
    rig_stop(r);
    wall_us_ += 20 * DAY_MS * 1000;
    rig_start(r);
    pass(590 * 1000);
    rig_counts(r, "q", 1, 0, 0);
    rig_receives(r, "q", ",'VisibilityTimeout':0", "a;");
    pass(20 * 1000);
    rig_counts(r, "q", 0, 0, 0);
}

/* Nor is it taken for expired by what else asks: a move task, and a retention that is raised. */
static void test_far_ahead_for_others(void **state)
{
    rig_create(r, "source");
    rig_create(r, "other");
    rig_set_policy(r, "source", "q", 1);
    rig_send(r, "q", "a");
    rig_send(r, "other", "b");
    rig_stop(r);
    wall_us_ += 10 * DAY_MS * 1000;
    rig_start(r);
    rig_do(r, "SetQueueAttributes",
           "{'QueueUrl':'other','Attributes':{'MessageRetentionPeriod':'1209600'}}");
    rig_do(r, "StartMessageMoveTask",
           "{'SourceArn':'arn:aws:sqs:us-east-1:000000000000:q',"
           "'DestinationArn':'arn:aws:sqs:us-east-1:000000000000:other'}");
    RIG_UNTIL(r, !move_task_running(rig_queue(r, "q")));
    rig_counts(r, "other", 2, 0, 0);
    pass(700 * 1000);
    rig_counts(r, "other", 2, 0, 0);
}

/* The clock is set right meanwhile, and the daemon started again: nothing was lost. */
static void test_start_far_ahead_and_mended(void **state)
{
    rig_send(r, "q", "a");
    rig_stop(r);
    wall_us_ += 20 * DAY_MS * 1000;
    rig_start(r);
    pass(60 * 1000);
    rig_stop(r);
    wall_us_ -= 20 * DAY_MS * 1000;
    rig_start(r);
    pass(700 * 1000);
    rig_counts(r, "q", 1, 0, 0);
}

/* A start with a clock that is behind: what was hidden is not hidden for the difference. */
static void test_start_behind(void **state)
{
    rig_send(r, "q", "a");
    mem_free(rig_take(r, "q", ",'VisibilityTimeout':60"));
    rig_stop(r);
    wall_us_ -= 5 * DAY_MS * 1000;
    rig_start(r);
    pass((QUEUE_HIDDEN_MAX_S + 1) * INT64_C(1000));
    rig_counts(r, "q", 1, 0, 0);
}

/* An ordinary restart, also after a day of rest, lets expire what is old. */
static void test_start_near(void **state)
{
    rig_do(r, "SetQueueAttributes",
           "{'QueueUrl':'q','Attributes':{'MessageRetentionPeriod':'600'}}");
    rig_send(r, "q", "a");
    rig_stop(r);
    wall_us_ += 700 * 1000 * INT64_C(1000);
    rig_start(r);
    pass(1000);
    rig_counts(r, "q", 0, 0, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_waits, setup, teardown),
        cmocka_unit_test_setup_teardown(test_hidden_and_delayed, setup, teardown),
        cmocka_unit_test_setup_teardown(test_retention, setup, teardown),
        cmocka_unit_test_setup_teardown(test_start_far_ahead, setup, teardown),
        cmocka_unit_test_setup_teardown(test_far_ahead_for_others, setup, teardown),
        cmocka_unit_test_setup_teardown(test_start_far_ahead_and_mended, setup, teardown),
        cmocka_unit_test_setup_teardown(test_start_behind, setup, teardown),
        cmocka_unit_test_setup_teardown(test_start_near, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
