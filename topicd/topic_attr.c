/* One table has the attribute names; each has a check that also converts the value to its stored
 * form. */
#include "topicd/topic_attr.h"

#include "common/base/json.h"
#include "topicd/message_attr.h"
#include "topicd/catalog.h"
#include "topicd/delivery_policy.h"
#include "topicd/fault.h"
#include "topicd/topic_policy.h"
#include "topicd/topic_tags.h"

#define DISPLAY_NAME_MAX 100 /* characters */
/* Bytes of a data protection policy: Amazon SNS API reference, PutDataProtectionPolicy. */
#define PROTECTION_TEXT_MAX 30720
/* Most bytes of any other text; the longest are ARNs of roles and keys. */
#define TEXT_MAX 2048

struct check {
    str topic_arn, name, value;
    const char *frame;
    struct fault *f;
    const struct settings *now; /* before this one is set */
    struct buf *kept;           /* filled by the check; empty afterwards: the setting is removed */
};

static int refuse_name(struct check *k)
{
    return fault_set(k->f, FAULT_INVALID, "%s%.*s", k->frame, STR_ARG(k->name));
}

static size_t text_characters(str text)
{
    size_t n = 0;

    for (size_t i = 0; i < text.n; n++)
        str_next_char(text, &i);
    return n;
}

/* --- checks ----------------------------------------------------------------------------------- */

static int check_text_value(struct check *k)
{
    if (k->value.n > TEXT_MAX || !message_is_text(k->value))
        return refuse_name(k);
    buf_str(k->kept, k->value);
    return 0;
}

static int check_display_name(struct check *k)
{
    if (!message_is_text(k->value) || text_characters(k->value) > DISPLAY_NAME_MAX)
        return refuse_name(k);
    buf_str(k->kept, k->value);
    return 0;
}

static int check_signature_version(struct check *k)
{
    if (!str_is(k->value, "1") && !str_is(k->value, "2"))
        return refuse_name(k);
    buf_str(k->kept, k->value);
    return 0;
}

static int check_tracing(struct check *k)
{
    if (!str_is(k->value, "PassThrough") && !str_is(k->value, "Active"))
        return fault_set(k->f, FAULT_INVALID, "%sInvalid tracing config value: %.*s", k->frame,
                         (int)MIN(k->value.n, (size_t)TEXT_MAX), k->value.n ? k->value.p : "");
    buf_str(k->kept, k->value);
    return 0;
}

static bool is_digits(str s, i64 min, i64 max)
{
    i64 v;

    /* Digits only: no sign, no blank. */
    return s.n && s.p[0] >= '0' && s.p[0] <= '9' && str_to_i64(s, &v) == 0 && v >= min && v <= max;
}

static int check_rate(struct check *k)
{
    if (k->value.n && !is_digits(k->value, 0, 100))
        return refuse_name(k);
    buf_str(k->kept, k->value);
    return 0;
}

static int check_message_size(struct check *k)
{
    if (!is_digits(k->value, TOPIC_MESSAGE_SIZE_MIN, TOPIC_MESSAGE_SIZE_MAX))
        return fault_set(k->f, FAULT_INVALID,
                         "%sMaximumMessageSize: %.*s is not an integer between 1024 and 1048576 "
                         "bytes",
                         k->frame, (int)MIN(k->value.n, (size_t)TEXT_MAX),
                         k->value.n ? k->value.p : "");
    buf_str(k->kept, k->value);
    return 0;
}

static int check_bool(struct check *k)
{
    if (!str_eq_nocase(k->value, STR("true")) && !str_eq_nocase(k->value, STR("false")))
        return refuse_name(k);
    buf_z(k->kept, str_eq_nocase(k->value, STR("true")) ? "true" : "false");
    return 0;
}

/* Once it is the group it stays so. */
static int check_throughput_scope(struct check *k)
{
    bool is_topic = str_is(k->value, "Topic");

    if ((!is_topic && !str_is(k->value, "MessageGroup")) ||
        (is_topic && str_is(settings_get(k->now, k->name), "MessageGroup")))
        return refuse_name(k);
    buf_str(k->kept, k->value);
    return 0;
}

static int check_delivery_policy(struct check *k)
{
    return k->value.n ? delivery_policy_keep(k->value, k->frame, k->kept, k->f) : 0;
}

static int check_access_policy(struct check *k)
{
    return topic_policy_keep(k->value, k->frame, k->kept, k->f);
}

/* --- the table -------------------------------------------------------------------------------- */

static const struct topic_attr {
    const char *name;
    int (*check)(struct check *k);
    bool is_json;
    bool of_fifo; /* unknown to standard topics */
} topic_attrs[] = {
    {.name = "DisplayName", .check = check_display_name},
    {.name = "Policy", .check = check_access_policy, .is_json = true},
    {.name = "DeliveryPolicy", .check = check_delivery_policy, .is_json = true},
    {.name = "KmsMasterKeyId", .check = check_text_value},
    {.name = "SignatureVersion", .check = check_signature_version},
    {.name = "TracingConfig", .check = check_tracing},
    {.name = "MaximumMessageSize", .check = check_message_size},
    {.name = "ContentBasedDeduplication", .check = check_bool, .of_fifo = true},
    {.name = "FifoThroughputScope", .check = check_throughput_scope, .of_fifo = true},
};

/* HTTPSuccessFeedbackRoleArn and the like. */
static int (*feedback_check(str name))(struct check *)
{
    static const char *const who[] = {"HTTP", "SQS", "Lambda", "Firehose", "Application"};

    for (size_t i = 0; i < ARRAY_LEN(who); i++) {
        if (!str_starts(name, str_of(who[i])))
            continue;
        str rest = str_slice(name, strlen(who[i]), name.n);

        if (str_is(rest, "SuccessFeedbackRoleArn") || str_is(rest, "FailureFeedbackRoleArn"))
            return check_text_value;
        if (str_is(rest, "SuccessFeedbackSampleRate"))
            return check_rate;
    }
    return NULL;
}

static const struct topic_attr *topic_attr_find(str name)
{
    for (size_t i = 0; i < ARRAY_LEN(topic_attrs); i++)
        if (str_is(name, topic_attrs[i].name))
            return &topic_attrs[i];
    return NULL;
}

int topic_attr_set(struct settings *settings, str topic_arn, str name, str value, const char *frame,
                   struct fault *f)
{
    struct buf kept = {0};
    struct check k = {topic_arn, name, value, frame, f, settings, &kept};
    const struct topic_attr *known = topic_attr_find(name);
    int (*check)(struct check *) = known ? known->check : feedback_check(name);
    int err;

    if (known && known->of_fifo && !settings_get(settings, TOPIC_FIFO).p)
        check = NULL;
    if (!check && strcmp(frame, FAULT_FRAME_CREATE) == 0)
        return fault_set(f, FAULT_INVALID, "%sUnknown attribute %.*s", frame,
                         str_shown(name, TEXT_MAX), name.n ? name.p : "");
    if (!check)
        return fault_set(f, FAULT_INVALID, FAULT_PREFIX "AttributeName");
    err = check(&k);
    if (!err && kept.n)
        settings_set(settings, name, buf_view(&kept));
    else if (!err)
        settings_remove(settings, name);
    buf_deinit(&kept);
    return err;
}

bool topic_attr_agree(const struct settings *wanted, const struct topic *t)
{
    struct settings have;
    bool agree = true;

    settings_init(&have);
    if (settings_read(&have, t->attributes))
        agree = false;
    for (size_t i = 0; i < wanted->n && agree; i++) {
        const struct setting *w = &wanted->items[i];
        const struct topic_attr *known = topic_attr_find(w->name);
        str v = settings_get(&have, w->name);

        if (known && known->is_json)
            agree = v.p && json_is_same(v, w->value);
        else
            agree = v.p && str_eq(v, w->value);
    }
    settings_deinit(&have);
    return agree;
}

/* --- settings that are not attributes --------------------------------------------------------- */

bool topic_attr_is_hidden(str name)
{
    return str_eq(name, TOPIC_DATA_PROTECTION) || str_eq(name, TOPIC_TAGS);
}

int topic_attr_check_protection(str policy, struct fault *f)
{
    json_error_t error;
    json_t *root = policy.n && policy.n <= PROTECTION_TEXT_MAX
                       ? json_loadb(policy.p, policy.n, 0, &error)
                       : NULL;
    bool fits = policy.n == 0 || json_is_object(root);

    json_decref(root);
    return fits ? 0 : fault_set(f, FAULT_INVALID, FAULT_PREFIX "DataProtectionPolicy");
}

/* --- output ----------------------------------------------------------------------------- */

void topic_attr_policy(const struct topic *t, const struct settings *s, struct buf *out)
{
    str policy = settings_get(s, STR("Policy"));

    if (policy.p)
        buf_str(out, policy);
    else
        topic_policy_default(t->arn, t->scope->account, out);
}

void topic_attr_out(struct call *c, const struct topic *t)
{
    struct settings s;
    struct buf effective = {0}, policy = {0};

    settings_init(&s);
    if (settings_read(&s, t->attributes))
        settings_reset(&s);
    delivery_policy_effective(settings_get(&s, STR("DeliveryPolicy")), &effective);
    topic_attr_policy(t, &s, &policy);
    call_out_entry_text(c, STR("Policy"), buf_view(&policy));
    call_out_entry_text(c, STR("Owner"), t->scope->account);
    call_out_entry_text(c, STR("TopicArn"), t->arn);
    if (!settings_get(&s, STR("DisplayName")).p)
        call_out_entry_text(c, STR("DisplayName"), STR(""));
    call_out_entry_text(c, STR("SubscriptionsPending"),
                        arena_printf(&c->arena, "%u", t->pending_count));
    call_out_entry_text(c, STR("SubscriptionsConfirmed"),
                        arena_printf(&c->arena, "%u", t->subs.n - t->pending_count));
    call_out_entry_text(c, STR("SubscriptionsDeleted"), STR("0"));
    call_out_entry_text(c, STR("EffectiveDeliveryPolicy"), buf_view(&effective));
    for (size_t i = 0; i < s.n; i++)
        if (!str_is(s.items[i].name, "Policy") && !topic_attr_is_hidden(s.items[i].name))
            call_out_entry_text(c, s.items[i].name, s.items[i].value);
    buf_deinit(&effective);
    buf_deinit(&policy);
    settings_deinit(&s);
}
