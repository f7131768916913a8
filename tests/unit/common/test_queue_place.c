/* queue_place.[ch]: every form in which people have a queue's URL, and what of it is stated. */
#include "common/aws/queue_place.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>

static void urls(void **state)
{
    static const struct {
        const char *url, *region, *account, *name;
    } cases[] = {
        {"q", "R", "A", "q"},
        {"/q", "R", "A", "q"},
        {"http://h:9324/q", "R", "A", "q"},
        {"http://h:9324/123456789012/q", "R", "123456789012", "q"},
        {"https://sqs.eu-west-1.amazonaws.com/123456789012/q.fifo", "R", "123456789012", "q.fifo"},
        {"/123456789012/q", "R", "123456789012", "q"},
        {"123456789012/q", "R", "123456789012", "q"},
        {"http://h/queue/q", "R", "A", "q"},
        {"http://h/queue/eu-west-1/123456789012/q", "eu-west-1", "123456789012", "q"},
        {"http://h/other/eu-west-1/123456789012/q", "R", "123456789012", "q"},
        {"http://h/123456789012/q/", "R", "123456789012", "q"},
        {"http://h/queue/eu-west-1/123456789012/q//", "eu-west-1", "123456789012", "q"},
        {"http://h/12345/q", "R", "A", "q"},
        {"http://h", "R", "A", ""},
        {"http://h/", "R", "A", ""},
        {"", "R", "A", ""},
        {"///", "R", "A", ""},
    };

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct queue_place place = {STR("R"), STR("A"), STR("N")};

        queue_place_read(str_of(cases[i].url), &place);
        assert_true(str_is(place.region, cases[i].region));
        assert_true(str_is(place.account, cases[i].account));
        assert_true(str_is(place.name, cases[i].name));
    }
}

static struct arena kept; /* of the last call: what it stated may be there */

/* A call whose input has one text member, or two. */
static struct arn named(const char *name, const char *text, const char *also, const char *other)
{
    struct val second = {.type = VAL_STRING, .name = str_of(also), .text = str_of(other)};
    struct val first = {.type = VAL_STRING,
                        .name = str_of(name),
                        .text = str_of(text),
                        .next = also ? &second : NULL};
    struct val in = {.type = VAL_STRUCT, .first = &first};
    struct call *c = mem_alloc(sizeof *c);
    struct arn arn = {.region = STR("R"), .account = STR("A"), .resource = STR("")};

    c->in = &in;
    arena_init(&c->arena);
    queue_place_of_call(c, &arn);
    arena_deinit(&kept);
    kept = c->arena;
    mem_free(c);
    return arn;
}

static void expect(struct arn arn, const char *region, const char *account, const char *resource)
{
    assert_true(str_is(arn.region, region));
    assert_true(str_is(arn.account, account));
    assert_true(str_is(arn.resource, resource));
}

/* {"taskId":"dd39d53b-cbc4-4d16-9b78-4a5ab1a4a5a8","sourceArn":"arn:aws:sqs:eu-west-1:123456789012:q"}
 * and the same with a text that is no ARN. */
#define HANDLE                                                                                     \
    "eyJ0YXNrSWQiOiJkZDM5ZDUzYi1jYmM0LTRkMTYtOWI3OC00YTVhYjFhNGE1YTgiLCJzb3VyY2VBcm4iOiJhcm46YXdz" \
    "OnNxczpldS13ZXN0LTE6MTIzNDU2Nzg5MDEyOnEifQ=="
#define NO_HANDLE                                                                                  \
    "eyJ0YXNrSWQiOiJkZDM5ZDUzYi1jYmM0LTRkMTYtOWI3OC00YTVhYjFhNGE1YTgiLCJzb3VyY2VBcm4iOiJxIn0="

static void tasks(void **state)
{
    expect(named("TaskHandle", HANDLE, NULL, NULL), "eu-west-1", "123456789012", "q");
    expect(named("TaskHandle", NO_HANDLE, NULL, NULL), "R", "A", "");
    expect(named("TaskHandle", "foobared", NULL, NULL), "R", "A", "");
    expect(named("TaskHandle", "", NULL, NULL), "R", "A", "");
    arena_deinit(&kept);
    arena_init(&kept);
}

static void calls(void **state)
{
    expect(named("QueueUrl", "http://h/123456789012/q", NULL, NULL), "R", "123456789012", "q");
    expect(named("QueueName", "q", NULL, NULL), "R", "A", "q");
    expect(named("QueueName", "q", "QueueOwnerAWSAccountId", "123456789012"), "R", "123456789012",
           "q");
    expect(named("SourceArn", "arn:aws-cn:sqs:cn-north-1:123456789012:q", NULL, NULL), "cn-north-1",
           "123456789012", "q");
    expect(named("QueueUrl", "arn:aws:sqs:eu-west-1:123456789012:q", NULL, NULL), "eu-west-1",
           "123456789012", "q");
    expect(named("QueueNamePrefix", "q", NULL, NULL), "R", "A", "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(urls),
        cmocka_unit_test(calls),
        cmocka_unit_test(tasks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
