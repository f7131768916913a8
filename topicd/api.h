/* The actions of Amazon SNS, as api.c's table names them, and what they share. */
#ifndef TOQUE_TOPICD_API_H
#define TOQUE_TOPICD_API_H

#include "common/aws/tags.h"
#include "topicd/fault.h"
#include "topicd/topicd.h"

/* The SNS service of a topicd; its actions run on that instance. */
struct service api_service(struct topicd *t);

/* One family each: api_topic.c, api_policy.c, api_tag.c, api_sub.c, api_publish.c. */
void api_create_topic(struct call *c);
void api_delete_topic(struct call *c);
void api_list_topics(struct call *c);
void api_get_topic_attributes(struct call *c);
void api_set_topic_attributes(struct call *c);
void api_add_permission(struct call *c);
void api_remove_permission(struct call *c);
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

/* Items per page of a list. */
#define API_PAGE_SIZE 100

/* The ARN in parameter `name`: 0, or the fault is set. */
int api_arn(struct call *c, const char *name, str *ret);
/* Checks that `arn`, given as parameter `name`, is a well-formed topic ARN of the call's region. */
int api_check_topic_arn(struct call *c, const char *name, str arn);
/* The topic that the parameter names; NULL: the fault is set. */
struct topic *api_topic(struct call *c, const char *name);
/* E.164: a plus sign and at most 15 digits. */
bool api_is_phone_number(str s);
/* The string map in parameter `name` as a list in the call's arena. */
struct setting *api_settings(struct call *c, const char *name, size_t *ret_n);
/* Pages: decodes the call's token to a place; false: the fault is set. `kind` distinguishes the
 * tokens of different lists. */
bool api_page_begin(struct call *c, char kind, u64 *ret_place);
void api_page_end(struct call *c, char kind, u64 next_place);

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
