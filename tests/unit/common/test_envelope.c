/* The notification's envelope, byte for byte. */
#include "common/base/base.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "common/aws/envelope.h"
#include "common/base/scan.h"

#define TOPIC "arn:aws:sns:eu-west-2:123456789012:demo"

static struct buf frame, out;

/* Renders `p` with these attributes as it would come over the link. */
static const char *render(const struct frame_publication *p, const struct message_attr *attrs,
                          size_t n)
{
    struct frame_deliver d;
    struct frame_publication got;
    frame_deliver_begin(&frame, STR("6ba7b810-9dad-41d1-80b4-00c04fd430c8"));
    frame_deliver_number(&frame, 1);
    frame_publication_begin(&frame, p);
    for (size_t i = 0; i < n; i++)
        frame_put_attr(&frame, &attrs[i]);
    frame_publication_targets(&frame);
    frame_publication_end(&frame);
    frame_deliver_end(&frame);
    assert_int_equal(frame_read_deliver(buf_view(&frame), &d), 0);
    assert_int_equal(frame_next_publication(&d.publications, &got), 1);
    buf_reset(&out);
    envelope_render(&out, &got, STR(TOPIC ":4f0a"));
    return out.p;
}

static void whole(void **state)
{
    struct frame_publication p = {.topic = STR(TOPIC),
                                  .message_id = STR("78d5bc6f-142c-5060-a75c-ef29b774ec66"),
                                  .subject = STR("only if given"),
                                  .message = STR("a \"quoted\" text\n<&> Grüße / \\"),
                                  .public_url = STR("http://localhost:4566"),
                                  .time_ms = INT64_C(1523964813770)};
    const struct message_attr attrs[] = {
        {STR("attr1"), STR("Number"), STR("100.12")},
        {STR("blob"), STR("Binary"), STR("\x02\x03\x04")},
    };
    assert_string_equal(
        render(&p, attrs, ARRAY_LEN(attrs)),
        "{\n"
        "  \"Type\" : \"Notification\",\n"
        "  \"MessageId\" : \"78d5bc6f-142c-5060-a75c-ef29b774ec66\",\n"
        "  \"TopicArn\" : \"" TOPIC "\",\n"
        "  \"Subject\" : \"only if given\",\n"
        "  \"Message\" : \"a \\\"quoted\\\" text\\n<&> Grüße / \\\\\",\n"
        "  \"Timestamp\" : \"2018-04-17T11:33:33.770Z\",\n"
        "  \"SignatureVersion\" : \"1\",\n"
        "  \"Signature\" : \"\",\n"
        "  \"SigningCertURL\" : \"http://localhost:4566/SimpleNotificationService-"
        "04f356191077a8fdb31f4c594b97739f.pem\",\n"
        "  \"UnsubscribeURL\" : \"http://localhost:4566/?Action=Unsubscribe&SubscriptionArn=" TOPIC
        ":4f0a\",\n"
        "  \"MessageAttributes\" : {\n"
        "    \"attr1\" : {\"Type\":\"Number\",\"Value\":\"100.12\"},\n"
        "    \"blob\" : {\"Type\":\"Binary\",\"Value\":\"AgME\"}\n"
        "  }\n"
        "}");
}

static void of_a_fifo_topic(void **state)
{
    struct frame_publication p = {.topic = STR(TOPIC),
                                  .message_id = STR("id"),
                                  .message = STR("m"),
                                  .fifo = STR("10000000000000003000dedup"),
                                  .public_url = STR("u"),
                                  .time_ms = INT64_C(1523964813770)};
    assert_string_equal(render(&p, NULL, 0),
                        "{\n"
                        "  \"Type\" : \"Notification\",\n"
                        "  \"MessageId\" : \"id\",\n"
                        "  \"SequenceNumber\" : \"10000000000000003000\",\n"
                        "  \"TopicArn\" : \"" TOPIC "\",\n"
                        "  \"Message\" : \"m\",\n"
                        "  \"Timestamp\" : \"2018-04-17T11:33:33.770Z\",\n"
                        "  \"UnsubscribeURL\" : \"u/?Action=Unsubscribe&SubscriptionArn=" TOPIC
                        ":4f0a\"\n"
                        "}");
}

static void what_is_not_given_is_not_there(void **state)
{
    struct frame_publication p = {.topic = STR(TOPIC),
                                  .message_id = STR("id"),
                                  .message = STR("m"),
                                  .public_url = STR("u"),
                                  .time_ms = 1000};
    const char *text = render(&p, NULL, 0);
    struct scan s;
    struct scan_text token;
    assert_null(strstr(text, "Subject"));
    assert_null(strstr(text, "MessageAttributes"));
    assert_null(strstr(text, "SequenceNumber"));
    /* A whole second is told a millisecond later. */
    assert_non_null(strstr(text, "\"Timestamp\" : \"1970-01-01T00:00:01.001Z\""));
    scan_init(&s, str_of(text));
    enum scan_token t;
    while ((t = scan_next(&s, &token)) != SCAN_END)
        assert_int_not_equal(t, SCAN_ERROR);
}

static int gone(void **state)
{
    buf_deinit(&frame);
    buf_deinit(&out);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(whole),
        cmocka_unit_test(of_a_fifo_topic),
        cmocka_unit_test(what_is_not_given_is_not_there),
    };
    return cmocka_run_group_tests(tests, NULL, gone);
}
