/* AddPermission, RemovePermission, GetDataProtectionPolicy, PutDataProtectionPolicy. */
#include "topicd/api.h"
#include "topicd/topic_attr.h"
#include "topicd/topic_policy.h"

/* Most elements of a list of accounts or actions. */
#define GRANT_LIST_MAX 200

/* --- the access policy ------------------------------------------------------------------------ */

static int need_text(struct call *c, const char *name, str *ret)
{
    *ret = val_text(c->in, name);
    if (ret->n)
        return 0;
    return fault_set(&c->fault, FAULT_INVALID,
                     FAULT_PREFIX "%s Reason: no value for required parameter", name);
}

static int need_list(struct call *c, const char *name, const str **ret, size_t *ret_n)
{
    const struct val *list = val_get(c->in, name);
    size_t n = 0;

    if (!list || list->count == 0)
        return fault_set(&c->fault, FAULT_INVALID,
                         FAULT_PREFIX "%s Reason: no value for required parameter", name);
    if (list->count > GRANT_LIST_MAX)
        return fault_set(&c->fault, FAULT_INVALID, FAULT_PREFIX "%s Reason: too many values", name);
    str *texts = arena_alloc(&c->arena, list->count * sizeof(*texts));

    for (const struct val *v = list->first; v; v = v->next)
        texts[n++] = v->text;
    *ret = texts;
    *ret_n = n;
    return 0;
}

/* Appends the topic's policy in effect. */
static void read_policy(const struct topic *topic, struct buf *out)
{
    struct settings s;

    settings_init(&s);
    if (settings_read(&s, topic->attributes))
        settings_reset(&s);
    topic_attr_policy(topic, &s, out);
    settings_deinit(&s);
}

static int grant(struct call *c, const struct topic *topic, str policy, struct buf *out)
{
    struct topic_grant g = {.topic_arn = topic->arn};
    int err = need_text(c, "Label", &g.label);

    if (!err)
        err = need_list(c, "AWSAccountId", &g.accounts, &g.account_count);
    if (!err)
        err = need_list(c, "ActionName", &g.actions, &g.action_count);
    return err ? err : topic_policy_grant(policy, &g, out, &c->fault);
}

static int revoke(struct call *c, const struct topic *topic, str policy, struct buf *out)
{
    str label;
    int err = need_text(c, "Label", &label);

    (void)topic;
    return err ? err : topic_policy_revoke(policy, label, out, &c->fault);
}

static void change_policy(struct call *c, int (*change)(struct call *c, const struct topic *topic,
                                                        str policy, struct buf *out))
{
    struct topic *topic = api_topic(c, "TopicArn");
    struct buf before = {0}, after = {0};

    if (topic) {
        read_policy(topic, &before);
        if (change(c, topic, buf_view(&before), &after) == 0)
            api_keep_setting(c, topic, STR("Policy"), buf_view(&after));
    }
    buf_deinit(&before);
    buf_deinit(&after);
    call_done(c);
}

void api_add_topic_permission(struct call *c)
{
    change_policy(c, grant);
}

void api_remove_topic_permission(struct call *c)
{
    change_policy(c, revoke);
}

/* --- data protection: kept and returned, not enforced ----------------------------------------- */

void api_get_data_protection_policy(struct call *c)
{
    const struct topic *topic = api_topic(c, "ResourceArn");
    struct settings s;

    if (topic) {
        settings_init(&s);
        str policy = settings_read(&s, topic->attributes) == 0
                         ? settings_get(&s, TOPIC_DATA_PROTECTION)
                         : STR_NONE;

        call_out_text(c, "DataProtectionPolicy", policy.p ? policy : STR(""));
        settings_deinit(&s);
    }
    call_done(c);
}

void api_put_data_protection_policy(struct call *c)
{
    struct topic *topic = api_topic(c, "ResourceArn");
    str policy = val_text(c->in, "DataProtectionPolicy");

    if (topic && !policy.p)
        fault_set(&c->fault, FAULT_INVALID,
                  FAULT_PREFIX "DataProtectionPolicy Reason: no value for required parameter");
    else if (topic && topic_attr_check_protection(policy, &c->fault) == 0)
        api_keep_setting(c, topic, TOPIC_DATA_PROTECTION, policy);
    call_done(c);
}
