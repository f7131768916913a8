/* The action table of SNS (API version 2010-03-31) and the public names of its faults. */
#include "topicd/api.h"

#include "common/aws/arn.h"

#define NAMESPACE "http://sns.amazonaws.com/doc/2010-03-31/"
/* Longest NextToken that is decoded; ours are shorter. */
#define TOKEN_MAX 64

/* --- members ---------------------------------------------------------------------------------- */

static const struct member topic_arn[] = {{.name = "TopicArn", .type = VAL_STRING}, {.name = NULL}};
static const struct member sub_arn[] = {{.name = "SubscriptionArn", .type = VAL_STRING},
                                        {.name = NULL}};
static const struct member next_token[] = {{.name = "NextToken", .type = VAL_STRING},
                                           {.name = NULL}};
static const struct member tag[] = {
    {.name = "Key", .type = VAL_STRING}, {.name = "Value", .type = VAL_STRING}, {.name = NULL}};
static const struct member create_topic[] = {
    {.name = "Name", .type = VAL_STRING},
    {.name = "Attributes", .type = VAL_MAP, .of = VAL_STRING},
    {.name = "Tags", .type = VAL_LIST, .of = VAL_STRUCT, .members = tag},
    {.name = "DataProtectionPolicy", .type = VAL_STRING},
    {.name = NULL}};
static const struct member set_topic[] = {{.name = "TopicArn", .type = VAL_STRING},
                                          {.name = "AttributeName", .type = VAL_STRING},
                                          {.name = "AttributeValue", .type = VAL_STRING},
                                          {.name = NULL}};
static const struct member set_sub[] = {{.name = "SubscriptionArn", .type = VAL_STRING},
                                        {.name = "AttributeName", .type = VAL_STRING},
                                        {.name = "AttributeValue", .type = VAL_STRING},
                                        {.name = NULL}};
static const struct member subscribe[] = {{.name = "TopicArn", .type = VAL_STRING},
                                          {.name = "Protocol", .type = VAL_STRING},
                                          {.name = "Endpoint", .type = VAL_STRING},
                                          {.name = "Attributes", .type = VAL_MAP, .of = VAL_STRING},
                                          {.name = "ReturnSubscriptionArn", .type = VAL_BOOL},
                                          {.name = NULL}};
static const struct member list_by_topic[] = {{.name = "TopicArn", .type = VAL_STRING},
                                              {.name = "NextToken", .type = VAL_STRING},
                                              {.name = NULL}};
#define ATTRIBUTES_MEMBER                                                                          \
    {                                                                                              \
        .name = "MessageAttributes", .type = VAL_MAP, .of = VAL_STRUCT, .members = ATTR_MEMBERS,   \
        .query_key = "Name", .query_value = "Value"                                                \
    }
static const struct member publish[] = {{.name = "TopicArn", .type = VAL_STRING},
                                        {.name = "TargetArn", .type = VAL_STRING},
                                        {.name = "PhoneNumber", .type = VAL_STRING},
                                        {.name = "Message", .type = VAL_STRING},
                                        {.name = "Subject", .type = VAL_STRING},
                                        {.name = "MessageStructure", .type = VAL_STRING},
                                        ATTRIBUTES_MEMBER,
                                        {.name = "MessageDeduplicationId", .type = VAL_STRING},
                                        {.name = "MessageGroupId", .type = VAL_STRING},
                                        {.name = NULL}};
static const struct member batch_entry[] = {{.name = "Id", .type = VAL_STRING},
                                            {.name = "Message", .type = VAL_STRING},
                                            {.name = "Subject", .type = VAL_STRING},
                                            {.name = "MessageStructure", .type = VAL_STRING},
                                            ATTRIBUTES_MEMBER,
                                            {.name = "MessageDeduplicationId", .type = VAL_STRING},
                                            {.name = "MessageGroupId", .type = VAL_STRING},
                                            {.name = NULL}};
static const struct member publish_batch[] = {{.name = "TopicArn", .type = VAL_STRING},
                                              {.name = "PublishBatchRequestEntries",
                                               .type = VAL_LIST,
                                               .of = VAL_STRUCT,
                                               .members = batch_entry},
                                              {.name = NULL}};
static const struct member confirm[] = {{.name = "TopicArn", .type = VAL_STRING},
                                        {.name = "Token", .type = VAL_STRING},
                                        {.name = "AuthenticateOnUnsubscribe", .type = VAL_STRING},
                                        {.name = NULL}};
static const struct member resource_arn[] = {{.name = "ResourceArn", .type = VAL_STRING},
                                             {.name = NULL}};
static const struct member put_protection[] = {{.name = "ResourceArn", .type = VAL_STRING},
                                               {.name = "DataProtectionPolicy", .type = VAL_STRING},
                                               {.name = NULL}};
static const struct member add_permission[] = {
    {.name = "TopicArn", .type = VAL_STRING},
    {.name = "Label", .type = VAL_STRING},
    {.name = "AWSAccountId", .type = VAL_LIST, .of = VAL_STRING},
    {.name = "ActionName", .type = VAL_LIST, .of = VAL_STRING},
    {.name = NULL}};
static const struct member remove_permission[] = {{.name = "TopicArn", .type = VAL_STRING},
                                                  {.name = "Label", .type = VAL_STRING},
                                                  {.name = NULL}};
static const struct member tag_resource[] = {
    {.name = "ResourceArn", .type = VAL_STRING},
    {.name = "Tags", .type = VAL_LIST, .of = VAL_STRUCT, .members = tag},
    {.name = NULL}};
static const struct member untag_resource[] = {
    {.name = "ResourceArn", .type = VAL_STRING},
    {.name = "TagKeys", .type = VAL_LIST, .of = VAL_STRING},
    {.name = NULL}};
static const struct member nothing[] = {{.name = NULL}};

/* --- actions ---------------------------------------------------------------------------------- */

#define RESULT ACTION_RESULT
#define WRITES ACTION_WRITES
#define GROWS  (ACTION_WRITES | ACTION_GROWS)

static const struct action actions[] = {
    {"AddPermission", add_permission, api_add_topic_permission, GROWS},
    {"CheckIfPhoneNumberIsOptedOut", api_phone_in, api_check_opted_out, RESULT},
    {"ConfirmSubscription", confirm, api_confirm_subscription, RESULT | GROWS | ACTION_OPEN},
    {"CreatePlatformApplication", api_create_application_in, api_create_platform_application,
     RESULT | GROWS},
    {"CreatePlatformEndpoint", api_create_endpoint_in, api_create_platform_endpoint,
     RESULT | GROWS},
    {"CreateSMSSandboxPhoneNumber", api_sandbox_in, api_create_sandbox_number, RESULT | GROWS},
    {"CreateTopic", create_topic, api_create_topic, RESULT | GROWS},
    {"DeleteEndpoint", api_endpoint_in, api_delete_endpoint, WRITES},
    {"DeletePlatformApplication", api_application_in, api_delete_platform_application, WRITES},
    {"DeleteSMSSandboxPhoneNumber", api_sandbox_in, api_delete_sandbox_number, RESULT | WRITES},
    {"DeleteTopic", topic_arn, api_delete_topic, WRITES},
    {"GetDataProtectionPolicy", resource_arn, api_get_data_protection_policy, RESULT},
    {"GetEndpointAttributes", api_endpoint_in, api_get_endpoint_attributes, RESULT},
    {"GetPlatformApplicationAttributes", api_application_in,
     api_get_platform_application_attributes, RESULT},
    {"GetSMSAttributes", api_get_sms_in, api_get_sms_attributes, RESULT},
    {"GetSMSSandboxAccountStatus", nothing, api_get_sandbox_status, RESULT},
    {"GetSubscriptionAttributes", sub_arn, api_get_subscription_attributes, RESULT},
    {"GetTopicAttributes", topic_arn, api_get_topic_attributes, RESULT},
    {"ListEndpointsByPlatformApplication", api_list_endpoints_in, api_list_endpoints, RESULT},
    {"ListOriginationNumbers", api_list_sandbox_in, api_list_origination_numbers, RESULT},
    {"ListPhoneNumbersOptedOut", api_list_phones_in, api_list_opted_out, RESULT},
    {"ListPlatformApplications", next_token, api_list_platform_applications, RESULT},
    {"ListSMSSandboxPhoneNumbers", api_list_sandbox_in, api_list_sandbox_numbers, RESULT},
    {"ListSubscriptions", next_token, api_list_subscriptions, RESULT},
    {"ListSubscriptionsByTopic", list_by_topic, api_list_subscriptions_by_topic, RESULT},
    {"ListTagsForResource", resource_arn, api_list_tags_for_resource, RESULT},
    {"ListTopics", next_token, api_list_topics, RESULT},
    {"OptInPhoneNumber", api_phone_in, api_opt_in, RESULT | WRITES},
    {"Publish", publish, api_publish, RESULT},
    {"PublishBatch", publish_batch, api_publish_batch, RESULT},
    {"PutDataProtectionPolicy", put_protection, api_put_data_protection_policy, GROWS},
    {"RemovePermission", remove_permission, api_remove_topic_permission, WRITES},
    {"SetEndpointAttributes", api_set_endpoint_in, api_set_endpoint_attributes, GROWS},
    {"SetPlatformApplicationAttributes", api_set_application_in,
     api_set_platform_application_attributes, GROWS},
    {"SetSMSAttributes", api_set_sms_in, api_set_sms_attributes, RESULT | GROWS},
    {"SetSubscriptionAttributes", set_sub, api_set_subscription_attributes, GROWS},
    {"SetTopicAttributes", set_topic, api_set_topic_attributes, GROWS},
    {"Subscribe", subscribe, api_subscribe, RESULT | GROWS},
    {"TagResource", tag_resource, api_tag_resource, RESULT | GROWS},
    {"Unsubscribe", sub_arn, api_unsubscribe, WRITES | ACTION_OPEN},
    {"UntagResource", untag_resource, api_untag_resource, RESULT | WRITES},
    {"VerifySMSSandboxPhoneNumber", api_sandbox_in, api_verify_sandbox_number, RESULT | GROWS},
};

/* --- faults ----------------------------------------------------------------------------------- */

#define NAMED(code, status, shape, query)                                                          \
    {                                                                                              \
        code, status, "com.amazonaws.sns#" shape, query, NULL                                      \
    }
static const struct fault_name faults[] = {
    NAMED(FAULT_INVALID, 400, "InvalidParameterException", "InvalidParameter"),
    NAMED(FAULT_VALUE_INVALID, 400, "InvalidParameterValueException", "ParameterValueInvalid"),
    NAMED(FAULT_VALIDATION, 400, "ValidationException", "ValidationError"),
    NAMED(FAULT_NOT_FOUND, 404, "NotFoundException", "NotFound"),
    NAMED(FAULT_RESOURCE_NOT_FOUND, 404, "ResourceNotFoundException", "ResourceNotFound"),
    NAMED(FAULT_AUTHORIZATION, 403, "AuthorizationErrorException", "AuthorizationError"),
    NAMED(FAULT_TOPIC_LIMIT, 403, "TopicLimitExceededException", "TopicLimitExceeded"),
    NAMED(FAULT_SUBSCRIPTION_LIMIT, 403, "SubscriptionLimitExceededException",
          "SubscriptionLimitExceeded"),
    NAMED(FAULT_POLICY_LIMIT, 403, "FilterPolicyLimitExceededException",
          "FilterPolicyLimitExceeded"),
    NAMED(FAULT_TAG_LIMIT, 400, "TagLimitExceededException", "TagLimitExceeded"),
    NAMED(FAULT_RATE, 429, "ThrottledException", "Throttled"),
    NAMED(FAULT_ENDPOINT_DISABLED, 400, "EndpointDisabledException", "EndpointDisabled"),
    NAMED(FAULT_APPLICATION_DISABLED, 400, "PlatformApplicationDisabledException",
          "PlatformApplicationDisabled"),
    NAMED(FAULT_VERIFICATION, 400, "VerificationException", "VerificationException"),
    NAMED(CALL_FAULT_BATCH_IDS_NOT_DISTINCT, 400, "BatchEntryIdsNotDistinctException",
          "BatchEntryIdsNotDistinct"),
    NAMED(CALL_FAULT_BATCH_TOO_LONG, 400, "BatchRequestTooLongException", "BatchRequestTooLong"),
    NAMED(CALL_FAULT_BATCH_EMPTY, 400, "EmptyBatchRequestException", "EmptyBatchRequest"),
    NAMED(CALL_FAULT_BATCH_ID_INVALID, 400, "InvalidBatchEntryIdException", "InvalidBatchEntryId"),
    NAMED(CALL_FAULT_BATCH_TOO_MANY, 400, "TooManyEntriesInBatchRequestException",
          "TooManyEntriesInBatchRequest"),
    NAMED(CALL_FAULT_INVALID_PARAMETER, 400, "InvalidParameterException", "InvalidParameter"),
    NAMED(CALL_FAULT_INTERNAL, 500, "InternalErrorException", "InternalError"),
    NAMED(CALL_FAULT_ACCESS_DENIED, 403, "AuthorizationErrorException", "AuthorizationError"),
    {CALL_FAULT_REQUEST_EXPIRED, 403, "com.amazon.coral.service#RequestExpiredException",
     "RequestExpired", NULL},
    {.code = 0},
};

/* The topic that a call names; a subscription's ARN is its topic's plus one part. */
static void name_resource(struct call *c, struct arn *ret)
{
    static const char *const members[] = {"TopicArn", "TargetArn", "SubscriptionArn",
                                          "ResourceArn"};
    str name = val_text(c->in, "Name");
    struct arn arn;

    ret->resource = name.p ? name : STR("*");
    for (size_t i = 0; i < ARRAY_LEN(members); i++) {
        str text = val_text(c->in, members[i]);

        if (!text.p || arn_read(text, &arn))
            continue;
        ret->region = arn.region;
        ret->account = arn.account;
        ret->resource = str_cut(&arn.resource, ':');
        return;
    }
}

struct service api_service(struct topicd *t)
{
    return (struct service){.signing_name = "sns",
                            .target_prefix = "AmazonSNS.",
                            .query_version = "2010-03-31",
                            .xml_namespace = NAMESPACE,
                            .action_prefix = "SNS:",
                            .names = name_resource,
                            .flattened = false,
                            .actions = actions,
                            .action_count = ARRAY_LEN(actions),
                            .faults = faults,
                            .owner = t};
}

/* --- what the families share ------------------------------------------------------------------ */

int api_arn(struct call *c, const char *name, str *ret)
{
    str arn = val_text(c->in, name);

    if (!arn.p)
        return fault_set(&c->fault, FAULT_INVALID,
                         FAULT_PREFIX "%s Reason: no value for required parameter", name);
    size_t parts = arn_parts(arn);

    if (parts < ARN_PARTS_MIN)
        return fault_set(&c->fault, FAULT_INVALID,
                         FAULT_PREFIX "%s Reason: An ARN must have at least 6 elements, not %zu",
                         name, parts);
    struct arn whole;

    if (arn_read(arn, &whole) == 0 && !arn_is_in_partition(&whole))
        return fault_set(&c->fault, FAULT_INVALID,
                         FAULT_PREFIX "%s Reason: A %.*s ARN must begin with arn:%.*s, not %.*s",
                         name, STR_ARG(whole.region), STR_ARG(arn_partition(whole.region)),
                         STR_ARG(arn));
    *ret = arn;
    return 0;
}

int api_check_topic_arn(struct call *c, const char *name, str text)
{
    struct arn arn;

    if (arn_read(text, &arn) || !str_is(arn.service, "sns") || !str_eq(arn.region, c->region))
        return fault_set(&c->fault, FAULT_INVALID, FAULT_PREFIX "%s", name);
    return 0;
}

struct topic *api_topic(struct call *c, const char *name)
{
    struct topicd *t = call_owner(c);
    str arn;

    if (api_arn(c, name, &arn) || api_check_topic_arn(c, name, arn))
        return NULL;
    struct topic *topic = catalog_topic(&t->catalog, arn);

    if (!topic)
        fault_set(&c->fault, FAULT_NOT_FOUND, "Topic does not exist");
    return topic;
}

void api_keep_setting(struct call *c, struct topic *topic, str name, str value)
{
    struct topicd *t = call_owner(c);
    struct settings settings;
    struct buf text = {0};

    settings_init(&settings);
    if (settings_read(&settings, topic->attributes))
        settings_reset(&settings);
    if (value.n)
        settings_set(&settings, name, value);
    else
        settings_remove(&settings, name);
    settings_write(&settings, &text);
    catalog_set_topic(&t->catalog, topic, buf_view(&text));
    buf_deinit(&text);
    settings_deinit(&settings);
}

str api_scope(struct call *c)
{
    return arena_printf(&c->arena, "%.*s %.*s", STR_ARG(c->account), STR_ARG(c->region));
}

struct setting *api_settings(struct call *c, const char *name, size_t *ret_n)
{
    const struct val *map = val_get(c->in, name);
    struct setting *list;
    size_t n = 0;

    *ret_n = map ? map->count : 0;
    list = arena_alloc(&c->arena, MAX(*ret_n, (size_t)1) * sizeof(*list));
    for (const struct val *v = map ? map->first : NULL; v; v = v->next)
        list[n++] = (struct setting){v->name, v->text.p ? v->text : STR("")};
    return list;
}

bool api_page_begin(struct call *c, const char *name, char kind, u64 *ret_place)
{
    str token = val_text(c->in, name);
    str text;
    i64 place;

    *ret_place = 0;
    if (token.n == 0)
        return true;
    if (token.n > TOKEN_MAX || call_unbase64(c, token, &text) || text.n < 2 || text.p[0] != kind ||
        str_to_i64(str_slice(text, 1, text.n), &place) || place < 0) {
        fault_set(&c->fault, FAULT_INVALID, FAULT_PREFIX "%s", name);
        return false;
    }
    *ret_place = (u64)place;
    return true;
}

void api_page_end(struct call *c, const char *name, char kind, u64 next_place)
{
    str text = arena_printf(&c->arena, "%c%020" PRIu64, kind, next_place);

    call_out_text(c, name, call_base64(c, text));
}
