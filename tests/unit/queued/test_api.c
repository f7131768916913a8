/* What the service refuses, with which status, class and text, and in which order it looks: the
 * queue before the parameters, a batch as a whole before its entries. */
#include "rig.h"

struct refusal {
    const char *action, *body;
    int status;
    const char *text;
};

#define UNKNOWN_QUEUE                                                                              \
    "com.amazonaws.sqs#QueueDoesNotExist\",\"message\":\"The specified queue does not exist.\""
#define MISSING                                                                                    \
    "com.amazon.coral.service#MissingRequiredParameterException\",\"message\":\"The request must " \
    "contain the parameter "
#define INVALID "com.amazon.coral.service#InvalidParameterValueException\",\"message\":\""

static const struct refusal refusals[] = {
    {"SendMessage", "{}", 400, UNKNOWN_QUEUE},
    {"SendMessage", "{'QueueUrl':'none'}", 400, UNKNOWN_QUEUE},
    {"SendMessage", "{'QueueUrl':'arn:aws:sqs:us-east-1:000000000000:q','MessageBody':'m'}", 400,
     UNKNOWN_QUEUE},
    {"SendMessage", "{'QueueUrl':'http://whatever-incorrect','MessageBody':'m'}", 400,
     UNKNOWN_QUEUE},
    {"SendMessage", "{'QueueUrl':'http://h/111122223333/q','MessageBody':'m'}", 400, UNKNOWN_QUEUE},
    {"SendMessage", "{'QueueUrl':'/','MessageBody':'m'}", 400, UNKNOWN_QUEUE},
    {"SendMessage", "{'QueueUrl':'q'}", 400, MISSING "MessageBody."},
    {"SendMessage", "{'QueueUrl':'q','MessageBody':''}", 400, MISSING "MessageBody."},
    {"SendMessage", "{'QueueUrl':'q','MessageBody':'\\u0008'}", 400,
     "com.amazonaws.sqs#InvalidMessageContents"},
    {"SendMessage", "{'QueueUrl':'q','MessageBody':'m','DelaySeconds':901}", 400,
     INVALID
     "Value 901 for parameter DelaySeconds is invalid. Reason: DelaySeconds must be >= 0 and "
     "<= 900."},
    {"SendMessage", "{'QueueUrl':'q','MessageBody':'m','DelaySeconds':'1'}", 400,
     "com.amazon.coral.service#SerializationException"},
    {"SendMessage", "{'QueueUrl':'q','MessageBody':'m','MessageGroupId':''}", 400,
     INVALID
     "Value  for parameter MessageGroupId is invalid. Reason: MessageGroupId can only include "
     "alphanumeric and punctuation characters. 1 to 128 in length."},
    {"SendMessage", "{'QueueUrl':'q','MessageBody':'m','MessageDeduplicationId':'d'}", 400,
     INVALID "Value d for parameter MessageDeduplicationId is invalid. Reason: The request include "
             "parameter that is not valid for this queue type"},
    {"SendMessage",
     "{'QueueUrl':'q','MessageBody':'m','MessageAttributes':{'a':{'DataType':'String',"
     "'StringListValues':['x']}}}",
     400,
     "com.amazonaws.sqs#UnsupportedOperation\",\"message\":\"Message attribute list values in "
     "SendMessage operation are not supported."},
    {"SendMessage",
     "{'QueueUrl':'q','MessageBody':'m','MessageSystemAttributes':{'x':{'DataType':'String',"
     "'StringValue':'y'}}}",
     400, INVALID "Message system attribute name 'x' is invalid."},
    {"SendMessageBatch", "{'QueueUrl':'q'}", 400, MISSING "Entries."},
    {"SendMessageBatch", "{'QueueUrl':'q','Entries':[]}", 400,
     "com.amazonaws.sqs#EmptyBatchRequest\",\"message\":\"There should be at least one "
     "SendMessageBatchRequestEntry in the request."},
    {"SendMessageBatch", "{'QueueUrl':'q','Entries':[{'MessageBody':'m'}]}", 400,
     MISSING "SendMessageBatchRequestEntry.1.Id."},
    {"DeleteMessageBatch", "{'QueueUrl':'q','Entries':[{'Id':'a:b','ReceiptHandle':'garbage'}]}",
     400, "com.amazonaws.sqs#InvalidBatchEntryId"},
    {"DeleteMessageBatch",
     "{'QueueUrl':'q','Entries':[{'Id':'a','ReceiptHandle':'x'},{'Id':'a','ReceiptHandle':'x'}]}",
     400, "com.amazonaws.sqs#BatchEntryIdsNotDistinct\",\"message\":\"Id a repeated."},
    {"ReceiveMessage", "{'QueueUrl':'q','MaxNumberOfMessages':0}", 400,
     INVALID
     "Value 0 for parameter MaxNumberOfMessages is invalid. Reason: Must be between 1 and 10, "
     "if provided."},
    {"ReceiveMessage", "{'QueueUrl':'q','WaitTimeSeconds':-1}", 400,
     INVALID
     "Value -1 for parameter WaitTimeSeconds is invalid. Reason: Must be >= 0 and <= 20, if "
     "provided."},
    {"ReceiveMessage", "{'QueueUrl':'q','ReceiveRequestAttemptId':'x'}", 400,
     INVALID "Value x for parameter ReceiveRequestAttemptId is invalid."},
    {"DeleteMessage", "{'QueueUrl':'q'}", 400, MISSING "ReceiptHandle."},
    {"DeleteMessage", "{'QueueUrl':'q','ReceiptHandle':'garbage'}", 404,
     "com.amazonaws.sqs#ReceiptHandleIsInvalid\",\"message\":\"The input receipt handle "
     "\\\"garbage\\\" is not a valid receipt handle."},
    {"ChangeMessageVisibility", "{'QueueUrl':'q','ReceiptHandle':'x'}", 400,
     MISSING "VisibilityTimeout."},
    {"ChangeMessageVisibility", "{'QueueUrl':'q','ReceiptHandle':'x','VisibilityTimeout':43201}",
     400,
     INVALID
     "Value 43201 for parameter VisibilityTimeout is invalid. Reason: Must be between 0 and "
     "43200."},
    {"GetQueueUrl", "{}", 400,
     INVALID "Value for parameter QueueName is invalid. Reason: Must specify a queue name."},
    {"GetQueueUrl", "{'QueueName':'none'}", 400, UNKNOWN_QUEUE},
    {"GetQueueAttributes", "{'QueueUrl':'q','AttributeNames':['All','Foobar']}", 400,
     "com.amazonaws.sqs#InvalidAttributeName\",\"message\":\"Unknown Attribute Foobar."},
    {"SetQueueAttributes", "{'QueueUrl':'q','Attributes':{}}", 400, MISSING "Attribute.Name."},
    {"SetQueueAttributes", "{'QueueUrl':'q','Attributes':{'DelaySeconds':1}}", 400,
     "com.amazon.coral.service#SerializationException"},
    {"ListQueues", "{'MaxResults':1001}", 400,
     INVALID "Value for parameter MaxResults is invalid."},
    {"ListQueues", "{'NextToken':'x'}", 400, INVALID "Invalid or expired next token."},
    {"CreateQueue", "{}", 400, MISSING "QueueName."},
    {"CreateQueue", "{'QueueName':''}", 400, INVALID "Queue name cannot be empty"},
    {"TagQueue", "{'QueueUrl':'none','Tags':{'a':'b'}}", 400, UNKNOWN_QUEUE},
    {"CreateQueue", "{'QueueName':'q','Attributes':{'VisibilityTimeout':'31'}}", 400,
     "com.amazonaws.sqs#QueueNameExists\",\"message\":\"A queue already exists with the same name "
     "and "
     "a different value for attribute VisibilityTimeout"},
    {"CreateQueue", "{'QueueName':'f','Attributes':{'FifoQueue':'true'}}", 400,
     INVALID "The name of a FIFO queue can only include"},
    {"CreateQueue", "{'QueueName':'q','tags':{'a':'b'}}", 400,
     "com.amazonaws.sqs#QueueNameExists\",\"message\":\"A queue already exists with the same name "
     "and a different value for tags\""},
    {"CreateQueue", "{'QueueName':'t','tags':{'':'b'}}", 400,
     INVALID "Tag keys must be between 1 and 128 characters in length."},
    {"TagQueue", "{'QueueUrl':'q'}", 400, MISSING "Tags."},
    {"TagQueue", "{'QueueUrl':'q','Tags':{}}", 400, MISSING "Tags."},
    {"TagQueue", "{'QueueUrl':'q','Tags':{'a':'b','c':null}}", 400,
     INVALID "the parameter 'value' may not be null"},
    {"TagQueue", "{'QueueUrl':'q','Tags':{'a':'b','c!':'d'}}", 400,
     INVALID
     "Tag keys may only contain unicode letters, digits, whitespace, or one of these symbols: "
     "_ . : / = + - @"},
    {"UntagQueue", "{'QueueUrl':'q','TagKeys':[]}", 400, MISSING "TagKeys."},
    {"ListQueueTags", "{'QueueUrl':'none'}", 400, UNKNOWN_QUEUE},
    {"NoSuchAction", "{}", 400, "The action NoSuchAction is not valid for this endpoint."},
};

static void refused_in_the_services_words(void **state)
{
    struct rig *r = rig_started();
    rig_create(r, "q");
    for (size_t i = 0; i < ARRAY_LEN(refusals); i++)
        rig_refused(r, refusals[i].status, refusals[i].text, refusals[i].action, refusals[i].body);
    rig_counts(r, "q", 0, 0, 0);
    assert_int_equal(queues_count(&r->d->queues), 1);
    rig_free(r);
}

static void entries_fail_one_by_one(void **state)
{
    struct rig *r = rig_started();
    rig_create(r, "q");
    char *got = rig_call(r, NULL, "SendMessageBatch",
                         "{'QueueUrl':'q','Entries':[{'Id':'1','MessageBody':'m'},{'Id':'2'},{'Id':"
                         "'3','MessageBody':"
                         "'m','MessageGroupId':'a b'},{'Id':'4','MessageBody':'\\u0001'}]}");
    assert_non_null(strstr(got, "{\"Successful\":[{\"Id\":\"1\",\"MessageId\":"));
    assert_non_null(strstr(got, "\"Failed\":[{\"Id\":\"2\",\"SenderFault\":true,\"Code\":"
                                "\"MissingParameter\",\"Message\":\"The request must contain the "
                                "parameter SendMessageBatchRequestEntry.2.MessageBody.\"}"));
    assert_non_null(strstr(got, "{\"Id\":\"3\",\"SenderFault\":true,\"Code\":"
                                "\"InvalidParameterValue\",\"Message\":\"MessageGroupId can only"));
    assert_non_null(strstr(got, "{\"Id\":\"4\",\"SenderFault\":true,\"Code\":"
                                "\"InvalidMessageContents\""));
    rig_counts(r, "q", 1, 0, 0);
    mem_free(got);
    got = rig_call(r, NULL, "ChangeMessageVisibilityBatch",
                   "{'QueueUrl':'q','Entries':[{'Id':'1','ReceiptHandle':'x'}]}");
    assert_non_null(strstr(got, "parameter ChangeMessageVisibilityBatchRequestEntry.1."
                                "VisibilityTimeout."));
    assert_null(strstr(got, "Successful"));
    mem_free(got);
    rig_free(r);
}

static void answers(struct rig *r, const char *action, const char *body, const char *want)
{
    char *got = rig_call(r, NULL, action, body);
    assert_string_equal(got, want);
    mem_free(got);
}

static void pages_in_the_order_of_names(void **state)
{
    struct rig *r = rig_started();
    rig_create(r, "b2");
    rig_create(r, "a");
    rig_create(r, "b1");
    rig_create(r, "c");
#define URL "http://localhost:9324/000000000000/"
    answers(r, "ListQueues", "{'QueueNamePrefix':'b'}",
            "{\"QueueUrls\":[\"" URL "b1\",\"" URL "b2\"]}");
    answers(r, "ListQueues", "{'QueueNamePrefix':'x'}", "{}");
    char *first = rig_call(r, NULL, "ListQueues", "{'MaxResults':3}");
    char *token = rig_member(first, "NextToken");
    char *body = mem_printf("{'NextToken':'%s','MaxResults':3}", token);
    answers(r, "ListQueues", body, "{\"QueueUrls\":[\"" URL "c\"]}");
    mem_free(body);
    body = mem_printf("{'NextToken':'%s','QueueNamePrefix':'b'}", token);
    rig_refused(r, 400, "Invalid or expired next token.", "ListQueues", body);
    mem_free(body);
    mem_free(token);
    mem_free(first);
    rig_free(r);
}

static void nothing_is_said_with_nothing(void **state)
{
    struct rig *r = rig_started();
    rig_create(r, "q");
    answers(r, "GetQueueAttributes", "{'QueueUrl':'q'}", "{}");
    answers(r, "GetQueueAttributes", "{'QueueUrl':'q','AttributeNames':['Policy']}", "{}");
    answers(r, "ReceiveMessage", "{'QueueUrl':'q','AttributeNames':[]}", "{}");
    answers(r, "PurgeQueue", "{'QueueUrl':'q'}", "");
    answers(r, "SetQueueAttributes", "{'QueueUrl':'q','Attributes':{'RedrivePolicy':''}}", "");
    answers(r, "DeleteQueue", "{'QueueUrl':'q'}", "");
    rig_free(r);
}

static char *tags_json(int from, int to)
{
    struct buf out = {0};
    for (int i = from; i < to; i++)
        buf_printf(&out, "%s'k%02d':'v'", i == from ? "" : ",", i);
    return buf_detach(&out);
}

static void fifty_tags_and_no_more(void **state)
{
    struct rig *r = rig_started();
    char *first = tags_json(0, 50), *more = tags_json(49, 51), *body;
    body = mem_printf("{'QueueName':'q','tags':{%s}}", first);
    rig_do(r, "CreateQueue", body);
    mem_free(body);
    body = mem_printf("{'QueueUrl':'q','Tags':{%s}}", more);
    rig_refused(r, 400, INVALID "Too many tags added for queue q.", "TagQueue", body);
    mem_free(body);
    assert_int_equal(rig_queue(r, "q")->tags.n, 50);
    rig_do(r, "TagQueue", "{'QueueUrl':'q','Tags':{'k49':'w'}}");
    rig_do(r, "UntagQueue", "{'QueueUrl':'q','TagKeys':['k00','none']}");
    rig_do(r, "TagQueue", "{'QueueUrl':'q','Tags':{'k50':''}}");
    rig_restart(r);
    const struct tags *t = &rig_queue(r, "q")->tags;
    assert_int_equal(t->n, 50);
    assert_true(str_is(tags_find(t, STR("k49"))->value, "w"));
    assert_true(str_is(tags_find(t, STR("k50"))->value, ""));
    assert_null(tags_find(t, STR("k00")));
    mem_free(first);
    mem_free(more);
    rig_free(r);
}

/* Keys are the caller's: also those that look like attributes, and those with escapes. */
static void tags_are_nobody_elses(void **state)
{
    struct rig *r = rig_started();
    rig_create(r, "q");
    rig_do(r, "TagQueue",
           "{'QueueUrl':'q','Tags':{'Policy':'p','KmsMasterKeyId':'k','\\u00fc=\\u00fc':'a/b'}}");
    rig_restart(r);
    answers(r, "ListQueueTags", "{'QueueUrl':'q'}",
            "{\"Tags\":{\"KmsMasterKeyId\":\"k\",\"Policy\":\"p\",\"ü=ü\":\"a/b\"}}");
    answers(r, "GetQueueAttributes",
            "{'QueueUrl':'q','AttributeNames':['Policy','KmsMasterKeyId']}", "{}");
    rig_do(r, "UntagQueue", "{'QueueUrl':'q','TagKeys':['Policy','ü=ü','KmsMasterKeyId']}");
    answers(r, "ListQueueTags", "{'QueueUrl':'q'}", "{}");
    rig_restart(r);
    answers(r, "ListQueueTags", "{'QueueUrl':'q'}", "{}");
    rig_free(r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(refused_in_the_services_words),
        cmocka_unit_test(entries_fail_one_by_one),
        cmocka_unit_test(pages_in_the_order_of_names),
        cmocka_unit_test(nothing_is_said_with_nothing),
        cmocka_unit_test(fifty_tags_and_no_more),
        cmocka_unit_test(tags_are_nobody_elses),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
