/* The actions on queues: create, find, list, set attributes, purge, delete. A request for something
 * that is not implemented is refused after all checks that the service itself makes. */
#include "common/aws/arn.h"
#include "common/aws/desk.h"
#include "queued/access.h"
#include "queued/api.h"
#include "queued/fault.h"
#include "queued/redrive.h"
#include "queued/waiter.h"

void api_out_url(struct call *c, const struct queue *q, const char *name)
{
    str base = call_base_url(c);
    str url = arena_printf(&c->arena, "%.*s/%.*s/%.*s", STR_ARG(base), STR_ARG(q->account),
                           STR_ARG(q->name));
    if (name)
        call_out_text(c, name, url);
    else
        call_out_item_text(c, url);
}

/* --- CreateQueue ------------------------------------------------------------------------------ */

static bool is_true(const struct val *attributes, const char *name)
{
    const struct val *v = attributes ? val_get(attributes, name) : NULL;
    return v && str_eq_nocase(v->text, STR("true"));
}

static int check_name(str name, const struct val *attributes, struct fault *f)
{
    if (!name.p)
        return fault_set(f, CALL_FAULT_MISSING_PARAMETER,
                         "The request must contain the parameter QueueName.");
    if (name.n == 0)
        return fault_set(f, CALL_FAULT_INVALID_PARAMETER, "Queue name cannot be empty");
    bool fine = name.n <= ARN_QUEUE_NAME_MAX && arn_is_queue_name(name);
    bool wants_fifo = is_true(attributes, "FifoQueue");
    if (wants_fifo && (!fine || !arn_is_fifo_name(name)))
        return fault_set(f, CALL_FAULT_INVALID_PARAMETER,
                         "The name of a FIFO queue can only include alphanumeric characters, "
                         "hyphens, or underscores, must end with .fifo suffix and be 1 to 80 in "
                         "length");
    if (!wants_fifo && (!fine || arn_is_fifo_name(name)))
        return fault_set(f, CALL_FAULT_INVALID_PARAMETER,
                         "Can only include alphanumeric characters, hyphens, or underscores. 1 to "
                         "80 in length");
    return 0;
}

static int check_new(struct queues *qs, str account, str region, str name, struct fault *f)
{
    i64 ago_ms = queues_deleted_ms(qs, account, region, name);
    if (ago_ms >= 0 && ago_ms < QUEUES_STRICT_WAIT_MS)
        return fault_set(f, FAULT_QUEUE_DELETED_RECENTLY,
                         "You must wait 60 seconds after deleting a queue before you can create "
                         "another with the same name.");
    if (queues_count(qs) >= qs->limits.queues_max)
        return fault_set(f, FAULT_OVER_LIMIT,
                         "There are %zu queues already, maximum allowed is %u.", queues_count(qs),
                         qs->limits.queues_max);
    return 0;
}

/* As with attributes, only the tags that are given are compared. */
static int check_same(const struct queue *q, const struct val *given, const struct tags *tags,
                      struct fault *f)
{
    int err = queue_attr_same(&q->attributes, given, f);
    if (!err && !tags_hold(&q->tags, tags))
        err = fault_set(f, FAULT_QUEUE_EXISTS,
                        "A queue already exists with the same name and a different value for tags");
    return err;
}

static str redrive_text(const struct val *attributes)
{
    const struct val *v = attributes ? val_get(attributes, "RedrivePolicy") : NULL;
    return v ? v->text : STR("");
}

static int check_redrive(struct queues *qs, str account, str region, str name,
                         const struct val *given, struct fault *f)
{
    struct arn arn = arn_of("sqs", region, account, name);
    buf_reset(&qs->work);
    arn_write(&qs->work, &arn);
    return redrive_check(qs, buf_view(&qs->work), arn_is_fifo_name(name), redrive_text(given), f);
}

struct queue *api_make_queue(struct queues *qs, str account, str region, str name,
                             const struct val *given, const struct val *tags_given, struct fault *f)
{
    struct queue_attrs attributes;
    struct tags tags = {0};
    if (check_name(name, given, f))
        return NULL;
    queue_attr_init(&attributes);
    int err = queue_attr_set(&attributes, given, true, f);
    if (!err)
        err = api_read_tags(tags_given, name, &tags, f);
    struct queue *q = err ? NULL : queues_find(qs, account, region, name);
    if (!err)
        err = q ? check_same(q, given, &tags, f) : check_new(qs, account, region, name, f);
    if (!err && !q)
        err = check_redrive(qs, account, region, name, given, f);
    if (!err && !q)
        return queues_add(qs, account, region, name, &attributes, &tags);
    tags_deinit(&tags);
    queue_attr_deinit(&attributes);
    return err ? NULL : q;
}

void api_create_queue(struct call *c)
{
    struct queue *q =
        api_make_queue(call_owner(c), c->account, c->region, val_text(c->in, "QueueName"),
                       val_get(c->in, "Attributes"), val_get(c->in, "tags"), &c->fault);
    if (q)
        api_out_url(c, q, "QueueUrl");
    call_done(c);
}

/* --- the end of queues and of what is in them ------------------------------------------------- */

void api_delete_queue(struct call *c)
{
    struct queue *q = api_queue(c);
    if (q) {
        waiters_end(q, WAITER_LOST);
        queues_remove(q);
    }
    call_done(c);
}

void api_purge_queue(struct call *c)
{
    struct queue *q = api_queue(c);
    if (!q) {
        call_done(c);
        return;
    }
    i64 ago_ms = q->all->clock->now_ms - q->purged_ms;
    if (q->all->limits.strict && q->purged_ms && ago_ms < QUEUES_STRICT_WAIT_MS)
        fault_set(&c->fault, FAULT_PURGE_IN_PROGRESS,
                  "Only one PurgeQueue operation on %.*s is allowed every 60 seconds.",
                  STR_ARG(q->name));
    else
        queue_purge(q);
    call_done(c);
}

/* --- finding ---------------------------------------------------------------------------------- */

void api_get_queue_url(struct call *c)
{
    str name = val_text(c->in, "QueueName"), owner = val_text(c->in, "QueueOwnerAWSAccountId");
    if (name.n == 0) {
        call_fail(c, CALL_FAULT_INVALID_PARAMETER,
                  "Value for parameter QueueName is invalid. Reason: Must specify a queue name.");
        return;
    }
    struct queue *q = queues_find(call_owner(c), owner.n ? owner : c->account, c->region, name);
    if (!q)
        api_no_queue(&c->fault);
    else if (access_check_call(c, q) == 0)
        api_out_url(c, q, "QueueUrl");
    call_done(c);
}

int api_read_page(struct call *c, str of, struct api_page *ret)
{
    str token = val_text(c->in, "NextToken"), rest;

    *ret = (struct api_page){.max = API_PAGE_MAX, .of = of.n ? of : STR(""), .after = STR("")};
    ret->paged = val_int(c->in, "MaxResults", &ret->max);
    if (ret->max < 1 || ret->max > API_PAGE_MAX)
        return fault_set(&c->fault, CALL_FAULT_INVALID_PARAMETER,
                         "Value for parameter MaxResults is invalid. Reason: MaxResults must be an "
                         "integer between 1 and 1000.");
    if (token.n == 0)
        return 0;
    int err = call_unbase64(c, token, &rest);

    if (err || !str_eq(str_cut(&rest, '\n'), ret->of) || rest.n == 0)
        return fault_set(&c->fault, CALL_FAULT_INVALID_PARAMETER, "Invalid or expired next token.");
    ret->after = rest;
    return 0;
}

void api_out_next(struct call *c, const struct api_page *page, str last)
{
    if (page->paged)
        call_out_text(c, "NextToken",
                      call_base64(c, arena_printf(&c->arena, "%.*s\n%.*s", STR_ARG(page->of),
                                                  STR_ARG(last))));
}

void api_list_queues(struct call *c)
{
    struct queues *qs = call_owner(c);
    struct api_page page;
    str last = STR("");
    if (api_read_page(c, val_text(c->in, "QueueNamePrefix"), &page)) {
        call_done(c);
        return;
    }
    struct skiplist_node *n = queues_list(qs, c->account, c->region, page.of, page.after);
    call_out_list(c, "QueueUrls", "QueueUrl");
    for (; n && page.max > 0; page.max--) {
        const struct queue *q = skiplist_value(n);
        api_out_url(c, q, NULL);
        last = q->name;
        n = skiplist_next(n);
        if (n && !queues_is_of(n, c->account, c->region, page.of))
            n = NULL;
    }
    call_out_list_end(c);
    if (n)
        api_out_next(c, &page, last);
    call_done(c);
}

/* --- attributes ------------------------------------------------------------------------------- */

static const char *const own_names[] = {
    "ApproximateNumberOfMessages",
    "ApproximateNumberOfMessagesDelayed",
    "ApproximateNumberOfMessagesNotVisible",
    "CreatedTimestamp",
    "LastModifiedTimestamp",
    "QueueArn",
};

/* Attributes that the queue computes. */
static bool own_text(const struct queue *q, str name, struct buf *out)
{
    i64 number;
    if (str_is(name, "QueueArn")) {
        buf_z(out, q->arn);
        return true;
    }
    if (str_is(name, "ApproximateNumberOfMessages"))
        number = (i64)q->visible_count;
    else if (str_is(name, "ApproximateNumberOfMessagesDelayed"))
        number = (i64)q->delayed_count;
    else if (str_is(name, "ApproximateNumberOfMessagesNotVisible"))
        number = (i64)q->leased_count;
    else if (str_is(name, "CreatedTimestamp"))
        number = q->created_ms / 1000;
    else if (str_is(name, "LastModifiedTimestamp"))
        number = q->modified_ms / 1000;
    else
        return false;
    buf_i64(out, number);
    return true;
}

static void out_attribute(struct call *c, const struct queue *q, str name)
{
    struct buf *text = &q->all->work;
    buf_reset(text);
    if (own_text(q, name, text) || queue_attr_text(&q->attributes, name, text))
        call_out_entry_text(c, name, buf_view(text));
}

static void out_all(struct call *c, const struct queue *q)
{
    const char *name;
    for (size_t i = 0; i < ARRAY_LEN(own_names); i++)
        out_attribute(c, q, str_of(own_names[i]));
    for (size_t i = 0; (name = queue_attr_name(i)); i++)
        out_attribute(c, q, str_of(name));
}

static bool names_all(const struct val *names)
{
    for (const struct val *v = names->first; v; v = v->next)
        if (str_is(v->text, "All"))
            return true;
    return false;
}

static int check_names(const struct val *names, struct fault *f)
{
    for (const struct val *v = names->first; v; v = v->next)
        if (queue_attr_known(v->text) == QUEUE_ATTR_UNKNOWN)
            return fault_set(f, FAULT_ATTRIBUTE_NAME, "Unknown Attribute %.*s.",
                             (int)MIN(v->text.n, 256), v->text.n ? v->text.p : "");
    return 0;
}

/* A name that is requested twice is answered once. */
static bool is_repeated(const struct val *names, const struct val *at)
{
    for (const struct val *v = names->first; v != at; v = v->next)
        if (str_eq(v->text, at->text))
            return true;
    return false;
}

void api_get_attributes(struct call *c)
{
    struct queue *q = api_queue(c);
    const struct val *names = val_get(c->in, "AttributeNames");
    if (!q || !names || check_names(names, &c->fault)) {
        call_done(c);
        return;
    }
    call_out_map(c, "Attributes", "Attribute", "Name", "Value");
    if (names_all(names))
        out_all(c, q);
    else
        for (const struct val *v = names->first; v; v = v->next)
            if (!is_repeated(names, v))
                out_attribute(c, q, v->text);
    call_out_map_end(c);
    call_done(c);
}

static int set_attributes(struct queue *q, const struct val *given, struct fault *f)
{
    const i64 delay_s = q->attributes.delay_s, retention_s = q->attributes.retention_s;
    struct queue_attrs next;
    queue_attr_copy(&next, &q->attributes);
    int err = queue_attr_set(&next, given, false, f);
    if (!err)
        err = redrive_check(q->all, str_of(q->arn), next.fifo, redrive_text(given), f);
    if (err) {
        queue_attr_deinit(&next);
        return err;
    }
    queue_attr_deinit(&q->attributes);
    q->attributes = next;
    queue_changed(q, delay_s, retention_s);
    return 0;
}

void api_set_attributes(struct call *c)
{
    struct queue *q = api_queue(c);
    const struct val *given = val_get(c->in, "Attributes");
    if (q && (!given || given->count == 0))
        fault_set(&c->fault, CALL_FAULT_MISSING_PARAMETER,
                  "The request must contain the parameter Attribute.Name.");
    if (!c->fault.code && set_attributes(q, given, &c->fault))
        assert(c->fault.code);
    call_done(c);
}
