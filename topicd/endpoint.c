#include "topicd/endpoint.h"

#include "common/aws/arn.h"
#include "topicd/fault.h"

/* Longest protocol or endpoint that an error text shows. */
#define SHOWN_MAX 1000
/* Longest address of an e-mail: RFC 5321, 4.5.3.1.3. */
#define EMAIL_MAX 254

static const char *text_at(str s)
{
    return s.n ? s.p : "";
}

bool endpoint_is_phone_number(str s)
{
    if (s.n < 2 || s.n > 16 || s.p[0] != '+')
        return false;
    for (size_t i = 1; i < s.n; i++)
        if (s.p[i] < '0' || s.p[i] > '9')
            return false;
    return true;
}

static int check_sqs(const struct topic *topic, str endpoint, struct fault *f)
{
    struct arn arn;

    if (arn_parts(endpoint) != ARN_PARTS_MIN || arn_read(endpoint, &arn) ||
        !str_is(arn.service, "sqs") || arn.region.n == 0 || !arn_is_in_partition(&arn) ||
        !arn_is_account(arn.account) || !arn_is_queue_name(arn.resource) ||
        arn.resource.n > ARN_QUEUE_NAME_MAX)
        return fault_set(f, FAULT_INVALID, FAULT_PREFIX "SQS endpoint ARN");
    if (arn_is_fifo_name(arn.resource) && !topic->fifo)
        return fault_set(f, FAULT_INVALID,
                         FAULT_PREFIX
                         "Invalid parameter: Endpoint Reason: FIFO SQS Queues can not be "
                         "subscribed to standard SNS topics");
    return 0;
}

static int check_sms(str endpoint, struct fault *f)
{
    if (endpoint_is_phone_number(endpoint))
        return 0;
    return fault_set(f, FAULT_INVALID, "Invalid SMS endpoint: %.*s", str_shown(endpoint, SHOWN_MAX),
                     text_at(endpoint));
}

/* Something on both sides of an at sign, without blanks and control characters. */
static int check_email(str endpoint, struct fault *f)
{
    ptrdiff_t at = str_rfind(endpoint, '@');
    bool fits = at > 0 && (size_t)at + 1 < endpoint.n && endpoint.n <= EMAIL_MAX;

    for (size_t i = 0; i < endpoint.n; i++)
        fits = fits && (u8)endpoint.p[i] > ' ' && endpoint.p[i] != 0x7F;
    return fits ? 0 : fault_set(f, FAULT_INVALID, FAULT_PREFIX "Email address");
}

static int check_firehose(str endpoint, const struct settings *settings, struct fault *f)
{
    struct arn arn;

    if (arn_read(endpoint, &arn) || !str_is(arn.service, "firehose") ||
        !str_starts(arn.resource, STR("deliverystream/")) || endpoint.n > SHOWN_MAX)
        return fault_set(f, FAULT_INVALID, FAULT_PREFIX "Firehose endpoint ARN");
    if (settings_get(settings, STR("SubscriptionRoleArn")).n == 0)
        return fault_set(f, FAULT_INVALID,
                         "Delivery protocol firehose can only be subscribed with subscription role "
                         "arn");
    return 0;
}

static int check_application(const struct topicd *t, str endpoint, struct fault *f)
{
    if (assets_find(&t->assets, ASSET_ENDPOINT, endpoint))
        return 0;
    return fault_set(f, FAULT_INVALID,
                     FAULT_PREFIX "Endpoint Reason: Endpoint does not exist for endpoint %.*s",
                     str_shown(endpoint, SHOWN_MAX), text_at(endpoint));
}

static int refuse_other(str protocol, str endpoint, struct fault *f)
{
    if ((str_is(protocol, "http") && !str_starts_nocase(endpoint, STR("http://"))) ||
        (str_is(protocol, "https") && !str_starts_nocase(endpoint, STR("https://"))))
        return fault_set(f, FAULT_INVALID,
                         FAULT_PREFIX "Endpoint must match the specified protocol");
    return fault_set(f, CALL_FAULT_UNSUPPORTED,
                     "Subscriptions with the protocol %.*s are not implemented.",
                     STR_ARG(protocol));
}

static bool is_protocol(str protocol)
{
    static const char *const names[] = {"sqs", "http",        "https",  "email",   "email-json",
                                        "sms", "application", "lambda", "firehose"};

    for (size_t i = 0; i < ARRAY_LEN(names); i++)
        if (str_is(protocol, names[i]))
            return true;
    return false;
}

int endpoint_check(const struct topicd *t, const struct topic *topic, str protocol, str endpoint,
                   const struct settings *settings, struct fault *f)
{
    if (!is_protocol(protocol))
        return fault_set(f, FAULT_INVALID,
                         FAULT_PREFIX "Amazon SNS does not support this protocol string: %.*s",
                         str_shown(protocol, SHOWN_MAX), text_at(protocol));
    if (str_is(protocol, "sqs"))
        return check_sqs(topic, endpoint, f);
    if (topic->fifo)
        return fault_set(f, FAULT_INVALID, FAULT_PREFIX "Invalid protocol type: %.*s",
                         STR_ARG(protocol));
    if (str_is(protocol, "sms"))
        return check_sms(endpoint, f);
    if (str_is(protocol, "email") || str_is(protocol, "email-json"))
        return check_email(endpoint, f);
    if (str_is(protocol, "firehose"))
        return check_firehose(endpoint, settings, f);
    if (str_is(protocol, "application"))
        return check_application(t, endpoint, f);
    return refuse_other(protocol, endpoint, f);
}

bool endpoint_takes_large(str protocol)
{
    return str_is(protocol, "sqs") || str_is(protocol, "lambda") || str_is(protocol, "firehose");
}

int endpoint_refuse_large(str protocol, struct fault *f)
{
    return fault_set(f, FAULT_INVALID,
                     FAULT_PREFIX
                     "MaximumMessageSize greater than 262144 bytes is not supported for the "
                     "following protocol: [%.*s]",
                     STR_ARG(protocol));
}
