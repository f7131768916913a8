/* Documents are small and rare, so jansson reads them. Members keep their order. */
#include "topicd/delivery_policy.h"

#include "common/base/json.h"
#include "topicd/fault.h"

#define DELIVERY_TEXT_MAX 30720 /* bytes; as for the service's policies */

/* The retry fields in the order of the effective policy, their bounds and defaults. */
static const struct retry_field {
    const char *name;
    i64 min, max, value;
    bool required;
} retry_fields[] = {
    {"minDelayTarget", 1, 3600, 20, true},   {"maxDelayTarget", 1, 3600, 20, true},
    {"numRetries", 0, 100, 3, true},         {"numMaxDelayRetries", 0, 100, 0, false},
    {"numNoDelayRetries", 0, 100, 0, false}, {"numMinDelayRetries", 0, 100, 0, false},
};
static const char *const backoffs[] = {"linear", "arithmetic", "geometric", "exponential"};

#define RETRY        "defaultHealthyRetryPolicy"
#define BACKOFF      "backoffFunction"
#define OVERRIDES    "disableSubscriptionOverrides"
#define REQUEST      "defaultRequestPolicy"
#define CONTENT_TYPE "headerContentType"

static int policy_refuse(struct fault *f, const char *frame, const char *what)
{
    return fault_set(f, FAULT_INVALID, "%sDeliveryPolicy: %s", frame, what);
}

static int refuse_field(struct fault *f, const char *frame, const char *name, const char *what,
                        i64 bound)
{
    char text[200];
    int n = snprintf(text, sizeof(text), "http." RETRY ".%s %s", name, what);

    if (bound >= 0 && n > 0 && (size_t)n < sizeof(text))
        snprintf(text + n, sizeof(text) - (size_t)n, " %" PRId64, bound);
    return policy_refuse(f, frame, text);
}

static i64 retry_value(const json_t *retry, const struct retry_field *r)
{
    const json_t *v = json_object_get(retry, r->name);

    return v ? (i64)json_integer_value(v) : r->value;
}

static int check_backoff(const json_t *retry, const char *frame, struct fault *f)
{
    const json_t *v = json_object_get(retry, BACKOFF);

    if (!v)
        return 0;
    for (size_t i = 0; i < ARRAY_LEN(backoffs); i++)
        if (json_is_string(v) && strcmp(json_string_value(v), backoffs[i]) == 0)
            return 0;
    return refuse_field(f, frame, BACKOFF,
                        "must be one of linear, arithmetic, geometric, "
                        "exponential",
                        -1);
}

static int check_retry(const json_t *retry, const char *frame, struct fault *f)
{
    i64 value[ARRAY_LEN(retry_fields)];

    if (!json_is_object(retry))
        return policy_refuse(f, frame, "http." RETRY " must be an object");
    for (size_t i = 0; i < ARRAY_LEN(retry_fields); i++) {
        const struct retry_field *r = &retry_fields[i];
        const json_t *v = json_object_get(retry, r->name);

        if (!v && r->required)
            return refuse_field(f, frame, r->name, "must be specified", -1);
        if (v && !json_is_integer(v))
            return refuse_field(f, frame, r->name, "must be an integer", -1);
        value[i] = retry_value(retry, r);
        if (value[i] < r->min)
            return refuse_field(f, frame, r->name, "must be greater than or equal to", r->min);
        if (value[i] > r->max)
            return refuse_field(f, frame, r->name, "must be less than or equal to", r->max);
    }
    if (value[0] > value[1])
        return refuse_field(f, frame, "maxDelayTarget",
                            "must be greater than or equal to minDelayTarget", -1);
    if (value[3] + value[4] + value[5] > value[2])
        return refuse_field(f, frame, "numRetries",
                            "must be greater than or equal to the sum of the other retries", -1);
    return check_backoff(retry, frame, f);
}

static int check_rest(const json_t *http, const char *frame, struct fault *f)
{
    const json_t *request = json_object_get(http, REQUEST);
    const json_t *throttle = json_object_get(http, "defaultThrottlePolicy");
    const json_t *overrides = json_object_get(http, OVERRIDES);

    if (request &&
        (!json_is_object(request) || !json_is_string(json_object_get(request, CONTENT_TYPE))))
        return policy_refuse(f, frame, "http." REQUEST "." CONTENT_TYPE " must be a string");
    if (throttle && (!json_is_object(throttle) ||
                     json_integer_value(json_object_get(throttle, "maxReceivesPerSecond")) < 1))
        return policy_refuse(f, frame,
                             "http.defaultThrottlePolicy.maxReceivesPerSecond must be greater "
                             "than or equal to 1");
    if (overrides && !json_is_boolean(overrides))
        return policy_refuse(f, frame, "http." OVERRIDES " must be either true or false");
    return 0;
}

static void drop_nulls(json_t *object)
{
    const char *name;
    json_t *value;
    void *next;

    json_object_foreach_safe(object, next, name, value) if (json_is_null(value))
        json_object_del(object, name);
}

static int policy_keep(json_t *root, const char *frame, struct buf *out, struct fault *f)
{
    json_t *http = json_object_get(root, "http");

    if (!json_is_object(http))
        return policy_refuse(f, frame, "http must be specified");
    drop_nulls(http);
    json_t *retry = json_object_get(http, RETRY);

    if (retry && json_is_object(retry))
        drop_nulls(retry);
    int err = retry ? check_retry(retry, frame, f) : 0;

    if (!err)
        err = check_rest(http, frame, f);
    if (err)
        return err;
    if (!json_object_get(http, OVERRIDES))
        json_object_set_new(http, OVERRIDES, json_false());
    json_write(out, root);
    return 0;
}

int delivery_policy_keep(str text, const char *frame, struct buf *out, struct fault *f)
{
    json_error_t error;
    json_t *root;
    int err;

    if (text.n > DELIVERY_TEXT_MAX)
        return policy_refuse(f, frame, "the document is too large");
    root = json_loadb(text.p, text.n, 0, &error);
    if (!json_is_object(root)) {
        json_decref(root);
        return policy_refuse(f, frame, "failed to parse JSON.");
    }
    err = policy_keep(root, frame, out, f);
    json_decref(root);
    return err;
}

/* --- what is in effect ------------------------------------------------------------------------ */

static json_t *effective_retry(const json_t *given)
{
    json_t *retry = json_object();
    json_t *backoff = json_object_get(given, BACKOFF);

    for (size_t i = 0; i < ARRAY_LEN(retry_fields); i++)
        json_object_set_new(retry, retry_fields[i].name,
                            json_integer(retry_value(given, &retry_fields[i])));
    if (backoff)
        json_object_set(retry, BACKOFF, backoff);
    else
        json_object_set_new(retry, BACKOFF, json_string(backoffs[0]));
    return retry;
}

void delivery_policy_effective(str kept, struct buf *out)
{
    json_t *root = kept.n ? json_loadb(kept.p, kept.n, 0, NULL) : NULL;
    const json_t *given = json_object_get(root, "http");
    json_t *throttle = json_object_get(given, "defaultThrottlePolicy");
    json_t *request = json_object_get(given, REQUEST);
    json_t *all = json_object(), *http = json_object();

    json_object_set_new(http, RETRY, effective_retry(json_object_get(given, RETRY)));
    json_object_set_new(http, OVERRIDES,
                        json_boolean(json_is_true(json_object_get(given, OVERRIDES))));
    if (throttle)
        json_object_set(http, "defaultThrottlePolicy", throttle);
    if (request)
        json_object_set(http, REQUEST, request);
    else
        json_object_set_new(http, REQUEST,
                            json_pack("{s:s}", CONTENT_TYPE, "text/plain; charset=UTF-8"));
    json_object_set_new(all, "http", http);
    json_write(out, all);
    json_decref(all);
    json_decref(root);
}
