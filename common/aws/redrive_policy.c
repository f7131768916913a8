#include "common/aws/redrive_policy.h"

#include "common/aws/arn.h"
#include "common/aws/call.h"
#include "common/base/json.h"
#include "common/base/mem.h"

#define TEXT_SHOWN_MAX 1024 /* bytes of a refused policy in the fault's text */

static const char target_name[] = "deadLetterTargetArn", count_name[] = "maxReceiveCount";

/* An object, in *ret; the caller closes it. */
static int policy_open(str text, struct json_doc *ret)
{
    struct fault ignored;

    fault_clear(&ignored);
    if (text.n > REDRIVE_POLICY_MAX || json_open(ret, text, NULL, true, &ignored))
        return E_INVALID;
    if (json_is_object(ret->root))
        return 0;
    json_close(ret);
    return E_INVALID;
}

static int policy_refuse(const char *name, str text, const char *reason, struct fault *f)
{
    return fault_set(f, CALL_FAULT_INVALID_PARAMETER,
                     "Value %.*s for parameter %s is invalid. Reason: %s",
                     (int)MIN(text.n, TEXT_SHOWN_MAX), text.n ? text.p : "", name, reason);
}

static void policy_normal(struct buf *out, const json_t *root)
{
    if (!out)
        return;
    buf_reset(out);
    json_write(out, root);
}

/* --- RedrivePolicy ---------------------------------------------------------------------------- */

int redrive_policy_refuse(str text, const char *reason, struct fault *f)
{
    return policy_refuse("RedrivePolicy", text, reason, f);
}

static int check_members(const json_t *root, str text, struct fault *f)
{
    if (!json_object_get(root, target_name))
        return redrive_policy_refuse(
            text, "Redrive policy does not contain mandatory attribute: deadLetterTargetArn.", f);
    if (!json_object_get(root, count_name))
        return redrive_policy_refuse(
            text, "Redrive policy does not contain mandatory attribute: maxReceiveCount.", f);
    if (json_object_size(root) != 2)
        return redrive_policy_refuse(
            text,
            "Only following attributes are supported: [maxReceiveCount, deadLetterTargetArn].", f);
    return 0;
}

/* A number, or its decimal text. */
static int read_count(const json_t *value, str text, u32 *ret, struct fault *f)
{
    i64 n = 0;
    bool is_text = json_is_string(value);
    struct buf reason = {0};

    if (is_text && str_to_i64(str_from(json_string_value(value), json_string_length(value)), &n))
        n = 0;
    if (json_is_integer(value))
        n = json_integer_value(value);
    *ret = (u32)n;
    if (n >= 1 && n <= REDRIVE_RECEIVES_MAX)
        return 0;
    buf_z(&reason, "Invalid value for maxReceiveCount: ");
    if (is_text)
        buf_z(&reason, json_string_value(value));
    else
        json_write(&reason, value);
    buf_z(&reason, ", valid values are from 1 to 1000 both inclusive.");
    buf_char(&reason, '\0');
    int err = redrive_policy_refuse(text, reason.p, f);

    buf_deinit(&reason);
    return err;
}

static int read_target(const json_t *value, str text, char **ret, struct fault *f)
{
    str arn = str_from(json_string_value(value), json_string_length(value));
    struct arn a;

    if (!json_is_string(value) || arn_read(arn, &a))
        return redrive_policy_refuse(text, "Dead-letter target ARN should be fully qualified ARN.",
                                     f);
    if (!str_is(a.service, "sqs") || !arn_is_queue_name(a.resource))
        return redrive_policy_refuse(
            text, "Only SQS queues are valid resources for deadLetterTargetArn.", f);
    *ret = mem_dup(arn);
    return 0;
}

int redrive_policy_read(str text, struct redrive_policy *ret, struct buf *normal, struct fault *f)
{
    struct json_doc doc;
    u32 count = 0;

    if (policy_open(text, &doc))
        return fault_set(f, CALL_FAULT_INVALID_PARAMETER,
                         "Invalid value for the parameter RedrivePolicy. Reason: Redrive policy is "
                         "not a valid JSON map.");
    int err = check_members(doc.root, text, f);

    if (!err)
        err = read_count(json_object_get(doc.root, count_name), text, &count, f);
    if (!err)
        err = read_target(json_object_get(doc.root, target_name), text, &ret->target, f);
    if (!err) {
        ret->receives_max = count;
        policy_normal(normal, doc.root);
    }
    json_close(&doc);
    return err;
}

void redrive_policy_deinit(struct redrive_policy *p)
{
    mem_free(p->target);
    *p = (struct redrive_policy){0};
}

bool redrive_policy_same(str a, str b)
{
    struct redrive_policy left = {0}, right = {0};
    struct fault ignored;

    fault_clear(&ignored);
    bool same = redrive_policy_read(a, &left, NULL, &ignored) == 0 &&
                redrive_policy_read(b, &right, NULL, &ignored) == 0 &&
                left.receives_max == right.receives_max && strcmp(left.target, right.target) == 0;

    redrive_policy_deinit(&left);
    redrive_policy_deinit(&right);
    return same;
}

/* --- RedriveAllowPolicy ----------------------------------------------------------------------- */

static int allow_refuse(str text, const char *why, struct fault *f)
{
    char reason[256];

    snprintf(reason, sizeof reason, "Amazon SQS can't create the redrive allow policy%s", why);
    return policy_refuse("RedriveAllowPolicy", text, reason, f);
}

static bool are_arns(const json_t *list)
{
    struct arn a;

    for (size_t i = 0; i < json_array_size(list); i++) {
        const json_t *item = json_array_get(list, i);

        if (!json_is_string(item) || arn_read(str_of(json_string_value(item)), &a))
            return false;
    }
    return true;
}

static int allow_check(const json_t *root, str text, struct fault *f)
{
    const json_t *given = json_object_get(root, "redrivePermission");
    const json_t *arns = json_object_get(root, "sourceQueueArns");
    str permission = str_of(json_is_string(given) ? json_string_value(given) : "");
    bool by_queue = str_is(permission, "byQueue");
    size_t n = json_array_size(arns);

    if ((!by_queue && !str_is(permission, "allowAll") && !str_is(permission, "denyAll")) ||
        json_object_size(root) != (arns ? 2 : 1) || (arns && !json_is_array(arns)) ||
        !are_arns(arns))
        return allow_refuse(text, ", as it\u2019s in an unsupported format.", f);
    if (by_queue && n == 0)
        return allow_refuse(text,
                            ". When you specify the byQueue permission type, you must also specify "
                            "one or more sourceQueueArns values.",
                            f);
    if (!by_queue && n)
        return allow_refuse(text,
                            ". To specify one or more source queue ARNs, you must set "
                            "redrivePermission to byQueue.",
                            f);
    if (n > REDRIVE_SOURCES_MAX)
        return allow_refuse(text,
                            ". The maximum number of source queue ARNs you can specify is 10.", f);
    return 0;
}

int redrive_allow_read(str text, struct buf *normal, struct fault *f)
{
    struct json_doc doc;

    if (policy_open(text, &doc))
        return allow_refuse(text, ", as it\u2019s in an unsupported format.", f);
    int err = allow_check(doc.root, text, f);

    if (!err)
        policy_normal(normal, doc.root);
    json_close(&doc);
    return err;
}

bool redrive_allow_permits(const char *policy, str source_arn)
{
    struct json_doc doc;

    if (!policy || policy_open(str_of(policy), &doc))
        return true;
    const char *permission = json_string_value(json_object_get(doc.root, "redrivePermission"));
    const json_t *arns = json_object_get(doc.root, "sourceQueueArns");
    bool permits = permission && strcmp(permission, "allowAll") == 0;

    for (size_t i = 0; i < json_array_size(arns); i++)
        permits = permits || str_is(source_arn, json_string_value(json_array_get(arns, i)));
    json_close(&doc);
    return permits;
}
