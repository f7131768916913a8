/* To add an attribute: a row in `table`. Names of read-only attributes are in `read_only`. */
#include "queued/queue_attr.h"

#include "common/aws/access_policy.h"
#include "common/base/json.h"
#include "common/base/scan.h"
#include "common/base/mem.h"
#include "queued/fault.h"
#include "common/aws/redrive_policy.h"

#define KMS_KEY_MAX 2048 /* bytes of a key's id, ARN or alias */

enum kind { KIND_INT, KIND_BOOL, KIND_CHOICE, KIND_POLICY, KIND_KEY, KIND_REDRIVE, KIND_ALLOW };

struct row {
    const char *name;
    enum kind kind;
    i64 min, max, value; /* value: the default */
    size_t offset;
    bool fifo;              /* of FIFO queues only */
    const char *choices[2]; /* KIND_CHOICE: texts of 0 and 1 */
};

#define AT(member) offsetof(struct queue_attrs, member)
#define ROW(text, of, member, ...)                                                                 \
    {                                                                                              \
        .name = text, .kind = of, .offset = AT(member), __VA_ARGS__                                \
    }
static const struct row table[] = {
    ROW("ContentBasedDeduplication", KIND_BOOL, content_dedup, .fifo = true),
    ROW("DeduplicationScope", KIND_CHOICE, dedup_by_group, .fifo = true,
        .choices = {"queue", "messageGroup"}),
    ROW("DelaySeconds", KIND_INT, delay_s, .max = 900),
    ROW("FifoQueue", KIND_BOOL, fifo, .fifo = true),
    ROW("FifoThroughputLimit", KIND_CHOICE, limit_by_group, .fifo = true,
        .choices = {"perQueue", "perMessageGroupId"}),
    ROW("KmsDataKeyReusePeriodSeconds", KIND_INT, kms_reuse_s, .min = 60, .max = 86400,
        .value = 300),
    ROW("KmsMasterKeyId", KIND_KEY, kms_key, .value = 0),
    ROW("MaximumMessageSize", KIND_INT, size_max, .min = 1024, .max = 1048576, .value = 1048576),
    ROW("MessageRetentionPeriod", KIND_INT, retention_s, .min = 60, .max = 1209600,
        .value = 345600),
    ROW("Policy", KIND_POLICY, policy, .value = 0),
    ROW("ReceiveMessageWaitTimeSeconds", KIND_INT, wait_s, .max = 20),
    ROW("RedriveAllowPolicy", KIND_ALLOW, redrive_allow_policy, .value = 0),
    ROW("RedrivePolicy", KIND_REDRIVE, redrive_policy, .value = 0),
    ROW("SqsManagedSseEnabled", KIND_BOOL, managed_sse, .value = 1),
    ROW("VisibilityTimeout", KIND_INT, visibility_s, .max = 43200, .value = 30),
};

static const char *const read_only[] = {
    "All",
    "ApproximateNumberOfMessages",
    "ApproximateNumberOfMessagesDelayed",
    "ApproximateNumberOfMessagesNotVisible",
    "CreatedTimestamp",
    "LastModifiedTimestamp",
    "QueueArn",
};

static const struct row *row_find(str name)
{
    for (size_t i = 0; i < ARRAY_LEN(table); i++)
        if (str_is(name, table[i].name))
            return &table[i];
    return NULL;
}

static bool is_read_only(str name)
{
    for (size_t i = 0; i < ARRAY_LEN(read_only); i++)
        if (str_is(name, read_only[i]))
            return true;
    return false;
}

static i64 *int_of(struct queue_attrs *a, const struct row *r)
{
    return (i64 *)(void *)((char *)a + r->offset);
}

static char **text_of(struct queue_attrs *a, const struct row *r)
{
    return (char **)(void *)((char *)a + r->offset);
}

static bool is_number(const struct row *r)
{
    return r->kind == KIND_INT || r->kind == KIND_BOOL || r->kind == KIND_CHOICE;
}

/* --- life ------------------------------------------------------------------------------------- */

void queue_attr_init(struct queue_attrs *a)
{
    *a = (struct queue_attrs){0};
    for (size_t i = 0; i < ARRAY_LEN(table); i++)
        if (is_number(&table[i]))
            *int_of(a, &table[i]) = table[i].value;
}

void queue_attr_deinit(struct queue_attrs *a)
{
    for (size_t i = 0; i < ARRAY_LEN(table); i++) {
        if (is_number(&table[i]))
            continue;
        mem_free(*text_of(a, &table[i]));
        *text_of(a, &table[i]) = NULL;
    }
}

void queue_attr_copy(struct queue_attrs *to, const struct queue_attrs *from)
{
    struct queue_attrs *source = (struct queue_attrs *)(uintptr_t)from; /* only read */
    *to = *from;
    for (size_t i = 0; i < ARRAY_LEN(table); i++) {
        const struct row *r = &table[i];
        if (!is_number(r) && *text_of(source, r))
            *text_of(to, r) = mem_dup(str_of(*text_of(source, r)));
    }
}

/* --- checks ----------------------------------------------------------------------------------- */

static int unknown_attribute(struct fault *f, str name)
{
    return fault_set(f, FAULT_ATTRIBUTE_NAME, "Unknown Attribute %.*s.", (int)MIN(name.n, 256),
                     name.n ? name.p : "");
}

static int value_invalid(struct fault *f, const struct row *r)
{
    return fault_set(f, FAULT_ATTRIBUTE_VALUE, "Invalid value for the parameter %s.", r->name);
}

/* Checks an access policy: at most QUEUE_ATTR_STATEMENTS_MAX statements. It is stored as given. */
static int check_policy(const struct row *r, str text, struct fault *f)
{
    struct access_policy *policy;
    struct fault ignored;
    if (text.n == 0)
        return 0;
    fault_clear(&ignored);
    if (access_policy_open(&policy, text, ACCESS_OF_RESOURCE, &ignored))
        return value_invalid(f, r);
    u32 n = access_policy_count(policy);
    access_policy_free(policy);
    if (n > QUEUE_ATTR_STATEMENTS_MAX)
        return fault_set(f, FAULT_OVER_LIMIT,
                         "%u statements were found in the submitted policy, max allowed is %d", n,
                         QUEUE_ATTR_STATEMENTS_MAX);
    return 0;
}

/* Checks attributes of FIFO queues. The type of a queue cannot be changed, and FifoQueue is
 * accepted only when a FIFO queue is created. */
static int check_fifo(const struct queue_attrs *a, const struct row *r, str value, struct fault *f)
{
    if (!a->fifo)
        return r->kind == KIND_CHOICE
                   ? fault_set(f, FAULT_ATTRIBUTE_NAME,
                               "You can specify the %s only when FifoQueue is set to true.",
                               r->name)
                   : unknown_attribute(f, str_of(r->name));
    if (r->offset == AT(fifo) && str_eq_nocase(value, STR("false")))
        return fault_set(f, FAULT_ATTRIBUTE_VALUE,
                         "Invalid value for the parameter FifoQueue. Reason: Modifying queue type "
                         "is not supported.");
    return 0;
}

static int read_number(const struct row *r, str value, i64 *ret)
{
    if (r->kind == KIND_BOOL) {
        *ret = str_eq_nocase(value, STR("true"));
        return *ret || str_eq_nocase(value, STR("false")) ? 0 : E_INVALID;
    }
    if (r->kind == KIND_CHOICE) {
        *ret = str_is(value, r->choices[1]);
        return *ret || str_is(value, r->choices[0]) ? 0 : E_INVALID;
    }
    return str_to_i64(value, ret) || *ret < r->min || *ret > r->max ? E_INVALID : 0;
}

static int check_redrive(const struct row *r, str text, struct buf *normal, struct fault *f)
{
    struct redrive_policy policy = {0};
    int err = r->kind == KIND_REDRIVE ? redrive_policy_read(text, &policy, normal, f)
                                      : redrive_allow_read(text, normal, f);
    redrive_policy_deinit(&policy);
    return err;
}

/* "" removes the value. Redrive policies are stored without whitespace, as the service returns
 * them. */
static int set_text(struct queue_attrs *a, const struct row *r, str value, struct fault *f)
{
    struct buf normal = {0};
    int err = 0;
    if (value.n && (r->kind == KIND_REDRIVE || r->kind == KIND_ALLOW)) {
        err = check_redrive(r, value, &normal, f);
        value = buf_view(&normal);
    }
    if (!err) {
        mem_free(*text_of(a, r));
        *text_of(a, r) = value.n ? mem_dup(value) : NULL;
    }
    buf_deinit(&normal);
    return err;
}

static int set_one(struct queue_attrs *a, str name, str value, struct fault *f)
{
    const struct row *r = row_find(name);
    i64 number;
    if (!r)
        return unknown_attribute(f, name);
    if (r->fifo && check_fifo(a, r, value, f))
        return E_FAULT;
    if (is_number(r)) {
        if (read_number(r, value, &number))
            return value_invalid(f, r);
        *int_of(a, r) = number;
        return 0;
    }
    if (r->kind == KIND_POLICY && check_policy(r, value, f))
        return E_FAULT;
    if (r->kind == KIND_KEY && value.n > KMS_KEY_MAX)
        return value_invalid(f, r);
    return set_text(a, r, value, f);
}

/* SSE-KMS and managed SSE exclude each other, and the one set last is used: a key turns managed SSE
 * off permanently. */
static int settle_encryption(struct queue_attrs *a, const struct val *map, struct fault *f)
{
    const struct val *key = val_get(map, "KmsMasterKeyId");
    const struct val *managed = val_get(map, "SqsManagedSseEnabled");
    bool has_key = key && key->text.n, wants_managed = managed && a->managed_sse;
    if (has_key && wants_managed)
        return fault_set(f, FAULT_ATTRIBUTE_NAME,
                         "You can use one type of server-side encryption (SSE) at one time. You "
                         "can either enable KMS SSE or SQS SSE.");
    if (has_key)
        a->managed_sse = 0;
    if (wants_managed) {
        mem_free(a->kms_key);
        a->kms_key = NULL;
    }
    if (!a->kms_key)
        a->kms_reuse_s = row_find(STR("KmsDataKeyReusePeriodSeconds"))->value;
    return 0;
}

static bool wants_fifo(const struct val *map)
{
    const struct val *v = val_get(map, "FifoQueue");
    return v && str_eq_nocase(v->text, STR("true"));
}

int queue_attr_set(struct queue_attrs *a, const struct val *map, bool creating, struct fault *f)
{
    struct queue_attrs next;
    if (!map)
        return 0;
    queue_attr_copy(&next, a);
    if (creating && wants_fifo(map))
        next.fifo = 1;
    int err = 0;
    for (const struct val *v = map->first; v && !err; v = v->next)
        err = set_one(&next, v->name, v->text, f);
    if (!err)
        err = settle_encryption(&next, map, f);
    if (!err && next.limit_by_group && !next.dedup_by_group)
        err = fault_set(f, CALL_FAULT_INVALID_PARAMETER,
                        "The perMessageGroupId value is allowed only when the value for "
                        "DeduplicationScope is messageGroup");
    if (err) {
        queue_attr_deinit(&next);
        return err;
    }
    queue_attr_deinit(a);
    *a = next;
    return 0;
}

/* --- comparing -------------------------------------------------------------------------------- */

static bool same_one(struct queue_attrs *a, const struct row *r, str value)
{
    i64 number;
    if (is_number(r))
        return read_number(r, value, &number) == 0 && number == *int_of(a, r);
    const char *has = *text_of(a, r);
    if (!has || value.n == 0)
        return !has && value.n == 0;
    switch (r->kind) {
    case KIND_REDRIVE: return redrive_policy_same(str_of(has), value);
    case KIND_ALLOW:
    case KIND_POLICY: return json_is_same(str_of(has), value);
    default: return str_is(value, has);
    }
}

int queue_attr_same(const struct queue_attrs *a, const struct val *map, struct fault *f)
{
    struct queue_attrs *mine = (struct queue_attrs *)(uintptr_t)a; /* only read */
    for (const struct val *v = map ? map->first : NULL; v; v = v->next) {
        const struct row *r = row_find(v->name);
        if (r && !same_one(mine, r, v->text))
            return fault_set(f, FAULT_QUEUE_EXISTS,
                             "A queue already exists with the same name and a different value for "
                             "attribute %s",
                             r->name);
    }
    return 0;
}

/* --- telling ---------------------------------------------------------------------------------- */

enum queue_attr_known queue_attr_known(str name)
{
    return row_find(name)       ? QUEUE_ATTR_SETTABLE
           : is_read_only(name) ? QUEUE_ATTR_OTHER
                                : QUEUE_ATTR_UNKNOWN;
}

const char *queue_attr_name(size_t i)
{
    return i < ARRAY_LEN(table) ? table[i].name : NULL;
}

bool queue_attr_text(const struct queue_attrs *a, str name, struct buf *out)
{
    struct queue_attrs *mine = (struct queue_attrs *)(uintptr_t)a; /* only read */
    const struct row *r = row_find(name);
    if (!r || (r->fifo && !a->fifo) || (r->offset == AT(kms_reuse_s) && !a->kms_key))
        return false;
    switch (r->kind) {
    case KIND_CHOICE: buf_z(out, r->choices[*int_of(mine, r)]); return true;
    case KIND_INT: buf_i64(out, *int_of(mine, r)); return true;
    case KIND_BOOL: buf_z(out, *int_of(mine, r) ? "true" : "false"); return true;
    default:
        if (!*text_of(mine, r))
            return false;
        buf_z(out, *text_of(mine, r));
        return true;
    }
}

void queue_attr_write(const struct queue_attrs *a, struct buf *out)
{
    struct queue_attrs *mine = (struct queue_attrs *)(uintptr_t)a; /* only read */
    const char *comma = "";
    for (size_t i = 0; i < ARRAY_LEN(table); i++) {
        const struct row *r = &table[i];
        if ((r->fifo && !a->fifo) || (!is_number(r) && !*text_of(mine, r)))
            continue;
        buf_printf(out, "%s\"%s\":", comma, r->name);
        if (is_number(r))
            buf_i64(out, *int_of(mine, r));
        else
            scan_quote(out, str_of(*text_of(mine, r)));
        comma = ",";
    }
}

void queue_attr_read_int(struct queue_attrs *a, str name, i64 value)
{
    const struct row *r = row_find(name);
    if (r && is_number(r) && value >= r->min && value <= (r->kind == KIND_INT ? r->max : 1))
        *int_of(a, r) = value;
}

void queue_attr_read_text(struct queue_attrs *a, str name, str value)
{
    const struct row *r = row_find(name);
    if (!r || is_number(r))
        return;
    mem_free(*text_of(a, r));
    *text_of(a, r) = value.n ? mem_dup(value) : NULL;
}
