/* The actions of Amazon SNS, as api.c's table names them, and what they share. */
#ifndef TOQUE_TOPICD_API_H
#define TOQUE_TOPICD_API_H

#include "common/aws/tags.h"
#include "topicd/fault.h"
#include "topicd/topicd.h"

/* The SNS service of a topicd; its actions run on that instance. */
struct service api_service(struct topicd *t);

/* One family each: api_topic.c, api_policy.c, api_tag.c, api_sub.c, api_confirm.c,
 * api_publish.c, api_mobile.c, api_sms.c. */
void api_create_topic(struct call *c);
void api_delete_topic(struct call *c);
void api_list_topics(struct call *c);
void api_get_topic_attributes(struct call *c);
void api_set_topic_attributes(struct call *c);
void api_add_topic_permission(struct call *c);
void api_remove_topic_permission(struct call *c);
void api_get_data_protection_policy(struct call *c);
void api_put_data_protection_policy(struct call *c);
void api_tag_resource(struct call *c);
void api_untag_resource(struct call *c);
void api_list_tags_for_resource(struct call *c);
void api_subscribe(struct call *c);
void api_confirm_subscription(struct call *c);
void api_unsubscribe(struct call *c);
void api_list_subscriptions(struct call *c);
void api_list_subscriptions_by_topic(struct call *c);
void api_get_subscription_attributes(struct call *c);
void api_set_subscription_attributes(struct call *c);
void api_publish(struct call *c);
void api_publish_batch(struct call *c);

/* api_mobile.c, with the members of their inputs. */
extern const struct member api_create_application_in[], api_application_in[],
    api_set_application_in[], api_create_endpoint_in[], api_endpoint_in[], api_set_endpoint_in[],
    api_list_endpoints_in[];
void api_create_platform_application(struct call *c);
void api_delete_platform_application(struct call *c);
void api_get_platform_application_attributes(struct call *c);
void api_set_platform_application_attributes(struct call *c);
void api_list_platform_applications(struct call *c);
void api_create_platform_endpoint(struct call *c);
void api_delete_endpoint(struct call *c);
void api_get_endpoint_attributes(struct call *c);
void api_set_endpoint_attributes(struct call *c);
void api_list_endpoints(struct call *c);

/* api_sms.c and api_sandbox.c, likewise. */
extern const struct member api_get_sms_in[], api_set_sms_in[], api_phone_in[], api_list_phones_in[],
    api_sandbox_in[], api_list_sandbox_in[];
void api_get_sms_attributes(struct call *c);
void api_set_sms_attributes(struct call *c);
void api_check_opted_out(struct call *c);
void api_opt_in(struct call *c);
void api_list_opted_out(struct call *c);
void api_get_sandbox_status(struct call *c);
void api_create_sandbox_number(struct call *c);
void api_verify_sandbox_number(struct call *c);
void api_delete_sandbox_number(struct call *c);
void api_list_sandbox_numbers(struct call *c);
void api_list_origination_numbers(struct call *c);
/* "ACCOUNT REGION" of the call, the group of what the account has there. */
str api_scope(struct call *c);
/* Numbers are assets named "ACCOUNT REGION NUMBER". */
str api_number_name(struct call *c, str number);
str api_number_of(const struct asset *t);
/* A page of numbers: *ret_at is the place of its first one. `token`: the parameter's name. NULL: the
 * fault is set. */
const struct slots *api_begin_numbers(struct call *c, enum asset_kind kind, const char *token,
                                      u32 *ret_at);
/* MaxResults, at most and by default `most`; false: the fault is set. */
bool api_read_max(struct call *c, i64 most, i64 *ret);
/* Whether the number opted out of the calling account's SMS. */
bool api_is_opted_out(struct call *c, str number);

/* Items per page of a list. */
#define API_PAGE_SIZE 100

/* The ARN in parameter `name`: 0, or the fault is set. */
int api_arn(struct call *c, const char *name, str *ret);
/* Checks that `arn`, given as parameter `name`, is a well-formed topic ARN of the call's region. */
int api_check_topic_arn(struct call *c, const char *name, str arn);
/* The topic that the parameter names; NULL: the fault is set. */
struct topic *api_topic(struct call *c, const char *name);
/* Checks that `text`, of at least six parts, is a subscription's ARN in the call's region: it has one
 * part more than a topic's. */
int api_check_sub_arn(struct call *c, str text);
/* The string map in parameter `name` as a list in the call's arena. */
struct setting *api_settings(struct call *c, const char *name, size_t *ret_n);
/* The map in parameter `name`, which must not be empty. */
int api_need_attributes(struct call *c, const char *name, struct setting **ret, size_t *ret_n);
/* Pages: decodes the token in parameter `token` to a place; false: the fault is set. `kind` distinguishes the
 * tokens of different lists. */
bool api_page_begin(struct call *c, const char *token, char kind, u64 *ret_place);
void api_page_end(struct call *c, const char *token, char kind, u64 next_place);

/* Stores one setting of the topic; an empty value removes it. */
void api_keep_setting(struct call *c, struct topic *topic, str name, str value);

/* What CreateTopic is given. */
struct topic_request {
    str account, region, name;
    const struct setting *attributes;
    size_t attribute_count;
    str data_protection; /* "": none */
    struct tags tags;    /* the caller's */
};

/* Creates a topic, or finds it with equal attributes: what CreateTopic does, also for the topology
 * file. NULL: the fault is set. */
struct topic *api_make_topic(struct topicd *t, const struct topic_request *r, struct fault *f);
/* Likewise for Subscribe; `owner` is the calling account. */
struct sub *api_make_sub(struct topicd *t, struct topic *topic, str owner, str protocol,
                         str endpoint, const struct setting *given, size_t n, struct fault *f);

#endif
