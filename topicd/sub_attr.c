/* See sub_attr.h. A policy is checked under the scope in effect after the call, so scope and policy
 * may be given together in any order, and a change of the scope alone checks the existing policy.
 * */
#include "topicd/sub_attr.h"

#include "common/aws/arn.h"
#include "common/base/json.h"
#include "topicd/catalog.h"
#include "topicd/fault.h"

#define RAW    STR("RawMessageDelivery")
#define SCOPE  STR("FilterPolicyScope")
#define POLICY STR("FilterPolicy")
#define ROLE   STR("SubscriptionRoleArn")
/* Longest value that an error text shows. */
#define SHOWN_MAX 1000

static const char *text_at(str s)
{
    return s.n ? s.p : "";
}

/* As the service shows a value: an absent one is "null". */
static str shown_value(str value)
{
    return value.p ? str_slice(value, 0, SHOWN_MAX) : STR("null");
}

static bool can_be_raw(str protocol)
{
    return str_is(protocol, "sqs") || str_is(protocol, "http") || str_is(protocol, "https") ||
           str_is(protocol, "firehose");
}

static int set_raw(struct settings *s, str protocol, str value, const char *frame, struct fault *f)
{
    if (str_eq_nocase(value, STR("true")) && !can_be_raw(protocol))
        return fault_set(f, FAULT_INVALID,
                         "%sDelivery protocol [%.*s] does not support raw message delivery.", frame,
                         str_shown(protocol, SHOWN_MAX), text_at(protocol));
    if (str_eq_nocase(value, STR("true")))
        settings_set(s, RAW, STR("true"));
    else if (str_eq_nocase(value, STR("false")))
        settings_remove(s, RAW);
    else
        return fault_set(f, FAULT_INVALID,
                         "%sRawMessageDelivery: Invalid value [%.*s]. Must be true or false.",
                         frame, STR_ARG(shown_value(value)));
    return 0;
}

static int set_scope(struct settings *s, str value, const char *frame, struct fault *f)
{
    enum filter_scope scope;

    if (filter_scope_read(value, &scope))
        return fault_set(f, FAULT_INVALID,
                         "%sFilterPolicyScope: Invalid value [%.*s]. Please use either MessageBody "
                         "or MessageAttributes",
                         frame, STR_ARG(shown_value(value)));
    settings_set(s, SCOPE, value);
    return 0;
}

static enum filter_scope scope_of(const struct settings *s)
{
    enum filter_scope scope = FILTER_ATTRIBUTES;
    str text = settings_get(s, SCOPE);

    if (text.p && filter_scope_read(text, &scope))
        assert(!"a scope that was never checked");
    return scope;
}

static int refuse_policy(const struct fault *why, const char *frame, struct fault *f)
{
    if (why->code == FILTER_FAULT_SCOPE)
        return fault_set(f, FAULT_INVALID, "%s%s", frame, why->text);
    return fault_set(f, FAULT_INVALID, "%sFilterPolicy: %s", frame, why->text);
}

static int set_policy(struct settings *s, str value, const char *frame, struct fault *f)
{
    struct fault why = {0};
    struct policy *policy;

    if (policy_new(&policy, value, scope_of(s), &FILTER_LIMITS_SNS, &why))
        return refuse_policy(&why, frame, f);
    if (policy_is_empty(policy))
        settings_remove(s, POLICY);
    else
        settings_set(s, POLICY, policy_text(policy));
    policy_free(policy);
    return 0;
}

/* --- attributes that are not implemented: checked like the service, then refused -------------- */

static int refuse_redrive(str value, const char *frame, struct fault *f)
{
    json_error_t error;
    struct fault why = {0};
    struct policy *policy = NULL;
    struct arn arn;

    if (value.n == 0)
        return 0;
    json_t *root = json_loadb(value.p, value.n, 0, &error);

    if (!root) {
        /* policy_read's fault has the service's text for broken JSON. */
        int err = policy_new(&policy, value, FILTER_ATTRIBUTES, &FILTER_LIMITS_NONE, &why);

        policy_free(policy);
        return fault_set(f, FAULT_INVALID, "%sRedrivePolicy: %s", frame,
                         err && str_starts(str_of(why.text), STR("failed to parse JSON"))
                             ? why.text
                             : "failed to parse JSON.");
    }
    if (json_is_object(root) && json_object_size(root) == 0) {
        json_decref(root);
        return 0;
    }
    const char *target = json_string_value(json_object_get(root, "deadLetterTargetArn"));
    bool known = target && arn_read(str_of(target), &arn) == 0 && str_is(arn.service, "sqs");

    json_decref(root);
    if (!known)
        return fault_set(f, FAULT_INVALID, "%sRedrivePolicy: deadLetterTargetArn is an invalid arn",
                         frame);
    return fault_set(f, CALL_FAULT_UNSUPPORTED,
                     "RedrivePolicy: dead-letter queues of subscriptions are not implemented.");
}

static int refuse_known(str name, str value, struct fault *f)
{
    if (value.n == 0 || str_is(value, "{}"))
        return 0;
    return fault_set(f, CALL_FAULT_UNSUPPORTED,
                     "The subscription attribute %.*s is not implemented.", STR_ARG(name));
}

static int set_role(struct settings *s, str value, const char *frame, struct fault *f)
{
    struct arn arn;

    if (value.n == 0)
        settings_remove(s, ROLE);
    else if (value.n <= SHOWN_MAX && arn_read(value, &arn) == 0 && str_is(arn.service, "iam"))
        settings_set(s, ROLE, value);
    else
        return fault_set(f, FAULT_INVALID, "%sSubscriptionRoleArn", frame);
    return 0;
}

static int set_other(str name, str value, const char *frame, struct fault *f)
{
    if (str_is(name, "RedrivePolicy"))
        return refuse_redrive(value, frame, f);
    if (str_is(name, "DeliveryPolicy") || str_is(name, "ReplayPolicy"))
        return refuse_known(name, value, f);
    if (strcmp(frame, FAULT_FRAME_CREATE) == 0)
        return fault_set(f, FAULT_INVALID, "%sUnknown attribute: %.*s", frame,
                         str_shown(name, SHOWN_MAX), text_at(name));
    return fault_set(f, FAULT_INVALID, FAULT_PREFIX "AttributeName");
}

int sub_attr_set(struct settings *settings, str protocol, const struct setting *given, size_t n,
                 const char *frame, struct fault *f)
{
    const struct setting *policy = NULL;
    bool scoped = false;
    int err = 0;

    for (size_t i = 0; i < n && !err; i++) {
        str name = given[i].name, value = given[i].value;

        if (str_eq(name, RAW)) {
            err = set_raw(settings, protocol, value, frame, f);
        } else if (str_eq(name, ROLE)) {
            err = set_role(settings, value, frame, f);
        } else if (str_eq(name, SCOPE)) {
            err = set_scope(settings, value, frame, f);
            scoped = true;
        } else if (str_eq(name, POLICY)) {
            policy = &given[i];
        } else {
            err = set_other(name, value, frame, f);
        }
    }
    if (err)
        return err;
    if (policy)
        return set_policy(settings, policy->value, frame, f);
    str kept = settings_get(settings, POLICY);

    return scoped && kept.n ? set_policy(settings, kept, frame, f) : 0;
}

/* --- comparison ------------------------------------------------------------------------------- */

bool sub_attr_agree(const struct setting *given, size_t n, const struct settings *wanted,
                    const struct sub *u)
{
    struct settings have;
    bool agree = true;

    settings_init(&have);
    if (settings_read(&have, sub_attributes(u)))
        settings_reset(&have);
    for (size_t i = 0; i < n && agree; i++) {
        str name = given[i].name;

        if (str_eq(name, SCOPE))
            agree = scope_of(wanted) == scope_of(&have);
        else if (str_eq(name, POLICY))
            agree = json_is_same(settings_get(wanted, name), settings_get(&have, name));
        else if (str_eq(name, RAW))
            agree = settings_get(wanted, name).n == settings_get(&have, name).n;
        else if (str_eq(name, ROLE))
            agree = str_eq(settings_get(wanted, name), settings_get(&have, name));
    }
    settings_deinit(&have);
    return agree;
}

/* --- output ----------------------------------------------------------------------------- */

void sub_attr_out(struct call *c, const struct sub *u)
{
    struct settings s;

    settings_init(&s);
    if (settings_read(&s, sub_attributes(u)))
        settings_reset(&s);
    call_out_entry_text(c, STR("SubscriptionPrincipal"),
                        arena_printf(&c->arena, "arn:%.*s:iam::%.*s:user/toque",
                                     STR_ARG(arn_partition(u->owner->region)),
                                     STR_ARG(u->owner->account)));
    call_out_entry_text(c, STR("Owner"), u->owner->account);
    call_out_entry_text(c, RAW, settings_get(&s, RAW).n ? STR("true") : STR("false"));
    call_out_entry_text(c, STR("TopicArn"), u->topic->arn);
    call_out_entry_text(c, STR("Endpoint"), sub_endpoint(u));
    call_out_entry_text(c, STR("Protocol"), sub_protocol(u));
    call_out_entry_text(c, STR("PendingConfirmation"), u->pending ? STR("true") : STR("false"));
    call_out_entry_text(c, STR("ConfirmationWasAuthenticated"),
                        u->unauthenticated ? STR("false") : STR("true"));
    call_out_entry_text(c, STR("SubscriptionArn"), u->arn);
    if (settings_get(&s, ROLE).n)
        call_out_entry_text(c, ROLE, settings_get(&s, ROLE));
    if (settings_get(&s, POLICY).n) {
        call_out_entry_text(c, POLICY, settings_get(&s, POLICY));
        call_out_entry_text(c, SCOPE, str_of(filter_scope_name(scope_of(&s))));
    }
    settings_deinit(&s);
}
