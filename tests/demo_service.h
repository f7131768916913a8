/* Two made-up services for tests of the call: one with the manners of SQS, one with those of SNS,
 * each with members of every type; and the input of a call told in one line. */
#ifndef TOQUE_DEMO_SERVICE_H
#define TOQUE_DEMO_SERVICE_H

#include "common/aws/call.h"

static const struct member demo_attribute_value[] = {
    {.name = "StringValue", .type = VAL_STRING},
    {.name = "BinaryValue", .type = VAL_BLOB},
    {.name = "StringListValues",
     .query = "StringListValue.StringListValue",
     .type = VAL_LIST,
     .of = VAL_STRING},
    {.name = "DataType", .type = VAL_STRING},
    {.name = NULL},
};

static const struct member demo_entry[] = {
    {.name = "Id", .type = VAL_STRING},
    {.name = "MessageBody", .type = VAL_STRING},
    {.name = "DelaySeconds", .type = VAL_INT},
    {.name = "MessageAttributes",
     .query = "MessageAttribute",
     .type = VAL_MAP,
     .of = VAL_STRUCT,
     .members = demo_attribute_value},
    {.name = NULL},
};

static const struct member demo_sqs_in[] = {
    {.name = "QueueUrl", .type = VAL_STRING},
    {.name = "MessageBody", .type = VAL_STRING},
    {.name = "DelaySeconds", .type = VAL_INT},
    {.name = "Force", .type = VAL_BOOL},
    {.name = "AttributeNames", .query = "AttributeName", .type = VAL_LIST, .of = VAL_STRING},
    {.name = "MessageSystemAttributeNames",
     .query = "AttributeName",
     .query_also = "MessageSystemAttributeName",
     .type = VAL_LIST,
     .of = VAL_STRING},
    {.name = "Attributes", .query = "Attribute", .type = VAL_MAP, .of = VAL_STRING},
    {.name = "tags",
     .query = "Tag",
     .type = VAL_MAP,
     .of = VAL_STRING,
     .query_key = "Key",
     .query_value = "Value"},
    {.name = "MessageAttributes",
     .query = "MessageAttribute",
     .type = VAL_MAP,
     .of = VAL_STRUCT,
     .members = demo_attribute_value},
    {.name = "Entries",
     .query = "BatchEntry",
     .type = VAL_LIST,
     .of = VAL_STRUCT,
     .members = demo_entry},
    {.name = NULL},
};

static const struct member demo_tag[] = {
    {.name = "Key", .type = VAL_STRING},
    {.name = "Value", .type = VAL_STRING},
    {.name = NULL},
};

static const struct member demo_sns_in[] = {
    {.name = "TopicArn", .type = VAL_STRING},
    {.name = "Message", .type = VAL_STRING},
    {.name = "Return", .type = VAL_BOOL},
    {.name = "Attributes", .type = VAL_MAP, .of = VAL_STRING},
    {.name = "Tags", .type = VAL_LIST, .of = VAL_STRUCT, .members = demo_tag},
    {.name = "TagKeys", .type = VAL_LIST, .of = VAL_STRING},
    {.name = "MessageAttributes",
     .type = VAL_MAP,
     .of = VAL_STRUCT,
     .members = demo_attribute_value,
     .query_key = "Name",
     .query_value = "Value"},
    {.name = NULL},
};

static const struct action demo_sqs_actions[] = {
    {"AddPermission", demo_sqs_in, NULL, 0},
    {"CreateQueue", demo_sqs_in, NULL, ACTION_RESULT | ACTION_WRITES | ACTION_NO_QUEUE_PATH},
    {"ListAll", NULL, NULL, ACTION_RESULT},
    {"SendMessage", demo_sqs_in, NULL, ACTION_RESULT | ACTION_WRITES},
};

static const struct action demo_sns_actions[] = {
    {"AddPermission", demo_sns_in, NULL, 0},
    {"Publish", demo_sns_in, NULL, ACTION_RESULT | ACTION_WRITES},
};

enum { DEMO_NO_QUEUE = CALL_FAULT_OWN, DEMO_NOT_FOUND };

static const struct fault_name demo_sqs_faults[] = {
    {DEMO_NO_QUEUE, 400, "com.amazonaws.sqs#QueueDoesNotExist",
     "AWS.SimpleQueueService.NonExistentQueue",
     "The specified queue does not exist for this wsdl version."},
    {0, 0, NULL, NULL, NULL},
};

static const struct fault_name demo_sns_faults[] = {
    {DEMO_NOT_FOUND, 404, "com.amazonaws.sns#NotFoundException", "NotFound", NULL},
    {0, 0, NULL, NULL, NULL},
};

static const struct service demo_sqs = {
    .signing_name = "sqs",
    .target_prefix = "AmazonSQS.",
    .query_version = "2012-11-05",
    .xml_namespace = "http://queue.example/doc/2012-11-05/",
    .flattened = true,
    .actions = demo_sqs_actions,
    .action_count = ARRAY_LEN(demo_sqs_actions),
    .faults = demo_sqs_faults,
};

static const struct service demo_sns = {
    .signing_name = "sns",
    .target_prefix = "AmazonSNS.",
    .query_version = "2010-03-31",
    .xml_namespace = "http://sns.example/doc/2010-03-31/",
    .flattened = false,
    .actions = demo_sns_actions,
    .action_count = ARRAY_LEN(demo_sns_actions),
    .faults = demo_sns_faults,
};

static const struct service *const demo_services[] = {&demo_sqs, &demo_sns};

/* A value in one line: "text", 5, true, <blob>, [list], {name=value}. Checks its structure. */
static UNUSED void demo_tell(const struct val *v, struct buf *out)
{
    u32 children = 0;
    switch (v->type) {
    case VAL_STRING: buf_printf(out, "\"%.*s\"", STR_ARG(v->text)); return;
    case VAL_BLOB: buf_printf(out, "<%.*s>", STR_ARG(v->text)); return;
    case VAL_INT: buf_i64(out, v->number); return;
    case VAL_BOOL: buf_z(out, v->flag ? "true" : "false"); return;
    default: break;
    }
    buf_char(out, v->type == VAL_LIST ? '[' : '{');
    for (const struct val *child = v->first; child; child = child->next) {
        if (children++)
            buf_char(out, ' ');
        if (v->type != VAL_LIST)
            buf_printf(out, "%.*s=", STR_ARG(child->name));
        demo_tell(child, out);
    }
    buf_char(out, v->type == VAL_LIST ? ']' : '}');
    assert(children == v->count);
    assert(!v->given_empty || children == 0);
}

/* A request that says nothing. */
static UNUSED struct request demo_request(const char *path)
{
    str none = STR("");
    return (struct request){.door = DOOR_TCP,
                            .method = STR("POST"),
                            .path = str_of(path),
                            .query = none,
                            .host = STR("h:1"),
                            .target = none,
                            .content_type = none,
                            .accept = none,
                            .authorization = none,
                            .trace_id = none,
                            .account = none,
                            .region = none,
                            .body = none};
}

static UNUSED struct call *demo_call(struct request rq)
{
    struct call *c = mem_alloc(sizeof *c);
    c->request = rq;
    snprintf(c->answer.request_id, sizeof c->answer.request_id, "ID");
    return c;
}

static UNUSED void demo_call_free(struct call *c)
{
    arena_deinit(&c->arena);
    buf_deinit(&c->scratch);
    buf_deinit(&c->answer.body);
    mem_free(c);
}

#endif
