/* Publish and PublishBatch. The answer is sent when the message is durable at each `queued`
 * instance concerned or in its outbox. A message that no subscription gets is answered in the same
 * turn. */
#include "common/aws/arn.h"
#include "common/aws/batch.h"
#include "topicd/api.h"
#include "topicd/endpoint.h"
#include "topicd/mobile.h"

/* Longest id that an error text shows. */
#define SHOWN_MAX 1000
/* Longest X-Amzn-Trace-Id header that is passed on; real ones have about 100 bytes. */
#define TRACE_HEADER_MAX 1000

/* A call that waits until its messages are safe. Lives in the call's arena. */
struct publish {
    struct completion safe;
    struct call *c;
};

static void publish_safe(struct completion *safe, int err)
{
    struct call *c = container_of(safe, struct publish, safe)->c;

    if (err == E_FULL)
        call_fail(c, CALL_FAULT_UNAVAILABLE,
                  "The outbox for a queue daemon that is down is full. "
                  "Try again later.");
    else if (err == E_UNSURE)
        call_fail(c, CALL_FAULT_INTERNAL, CALL_UNSURE_TEXT);
    else if (err)
        call_fail(c, CALL_FAULT_UNAVAILABLE, "The message could not be stored. Try again.");
    else
        call_done(c);
}

static struct completion *begin_publish(struct call *c)
{
    struct publish *p = arena_alloc(&c->arena, sizeof(*p));

    p->c = c;
    completion_begin(&p->safe, publish_safe);
    return &p->safe;
}

/* The header as it is passed on; "" where it cannot be stored unchanged. */
static str trace_of(const struct call *c)
{
    str trace = c->request.trace_id;

    return trace.n <= TRACE_HEADER_MAX && message_is_text(trace) && str_is_utf8(trace) ? trace
                                                                                       : STR("");
}

/* Once within the window of the topic's deduplication. */
static void publish_once(struct topicd *t, struct topic *topic, struct publication *p,
                         struct completion *safe)
{
    struct completion *delivered = fifo_dedup_begin(&t->fifo_dedup, topic, p, safe);

    if (!delivered)
        return;
    fanout_publish(&t->fanout, topic, p, delivered);
    completion_end(delivered, 0);
}

static void publish_one(struct call *c, struct topic *topic, struct publication *p,
                        struct completion *safe)
{
    struct topicd *t = call_owner(c);

    publication_accept(p, &t->server.ids, t->server.clock.now_ms);
    p->topic = topic->arn;
    p->public_url = str_of(t->server.public_url);
    p->trace = trace_of(c);
    if (topic->fifo)
        publish_once(t, topic, p, safe);
    else
        fanout_publish(&t->fanout, topic, p, safe);
}

static void out_ids(struct call *c, const struct publication *p)
{
    call_out_text(c, "MessageId", str_of(p->message_id));
    if (p->fifo.n)
        call_out_text(c, "SequenceNumber", str_slice(p->fifo, 0, FRAME_SEQUENCE_SIZE));
}

static struct publication_rules rules_of(const struct topic *topic)
{
    return (struct publication_rules){.size_max = topic->message_size_max,
                                      .fifo = topic->fifo,
                                      .content_dedup = topic->content_dedup};
}

/* Room for the topic's deduplication. */
static int check_room(const struct call *c, const struct topic *topic, struct fault *f)
{
    const struct topicd *t = call_owner(c);

    if (!topic->fifo || !fifo_dedup_is_full(&t->fifo_dedup))
        return 0;
    return fault_set(f, FAULT_RATE, "Rate exceeded");
}

/* --- Publish ---------------------------------------------------------------------------------- */

/* Reads the message; false: c->fault is set. */
static bool read_message(struct call *c, const struct publication_rules *rules,
                         struct publication *p)
{
    if (!val_get(c->in, "Message")) {
        fault_set(&c->fault, FAULT_INVALID,
                  FAULT_PREFIX "Message Reason: no value for required parameter");
        return false;
    }
    return publication_read(p, c->in, "messageAttributes", rules, &c->arena, &c->fault) == 0;
}

/* To something that is no topic; `n` has its protocol and endpoint. */
static void publish_captured(struct call *c, struct publication *p, struct captured_new *n)
{
    struct topicd *t = call_owner(c);

    publication_accept(p, &t->server.ids, t->server.clock.now_ms);
    if (!n->type)
        n->type = "Notification";
    n->account = c->account;
    n->region = c->region;
    n->message_id = str_of(p->message_id);
    n->subject = p->subject;
    n->attrs = &p->attrs;
    n->time_ms = p->time_ms;
    captured_add(&t->captured, n);
    call_out_text(c, "MessageId", str_of(p->message_id));
}

/* Characters of an SMS: Amazon SNS API reference, Publish; the text of the refusal is not
 * confirmed. */
#define SMS_CHARACTERS_MAX 1600

static bool is_sms(str text)
{
    size_t n = 0;

    for (size_t i = 0; i < text.n && n <= SMS_CHARACTERS_MAX; n++)
        str_next_char(text, &i);
    return n <= SMS_CHARACTERS_MAX;
}

static void publish_to_phone(struct call *c, str number)
{
    struct publication_rules rules = {.size_max = TOPIC_MESSAGE_SIZE_DEFAULT};
    struct publication p;

    if (!endpoint_is_phone_number(number))
        fault_set(&c->fault, FAULT_INVALID,
                  FAULT_PREFIX "PhoneNumber Reason: %.*s is not valid to publish to",
                  str_shown(number, SHOWN_MAX), number.n ? number.p : "");
    else if (read_message(c, &rules, &p)) {
        str text = publication_text(&p, "sms");

        if (!is_sms(text))
            fault_set(&c->fault, FAULT_INVALID, FAULT_PREFIX "Message too long");
        else
            publish_captured(
                c, &p,
                &(struct captured_new){.protocol = "sms",
                                       .type = api_is_opted_out(c, number) ? "OptedOut" : NULL,
                                       .endpoint = number,
                                       .message = text});
    }
    call_done(c);
}

/* Refuses an endpoint that cannot be published to. */
static int check_endpoint(struct call *c, str arn)
{
    const struct topicd *t = call_owner(c);

    switch (mobile_endpoint_state(&t->assets, arn)) {
    case MOBILE_READY: return 0;
    case MOBILE_DISABLED:
        return fault_set(&c->fault, FAULT_ENDPOINT_DISABLED, "Endpoint is disabled");
    case MOBILE_APPLICATION_DISABLED:
        return fault_set(&c->fault, FAULT_APPLICATION_DISABLED, "Platform application is disabled");
    default:
        return fault_set(&c->fault, FAULT_INVALID,
                         FAULT_PREFIX
                         "TargetArn Reason: No endpoint found for the target arn specified");
    }
}

/* The document is captured as it was published, with the part for the endpoint's platform. */
static void publish_to_endpoint(struct call *c, str arn)
{
    struct publication_rules rules = {.size_max = TOPIC_MESSAGE_SIZE_DEFAULT, .no_default = true};
    struct publication p;

    if (check_endpoint(c, arn) == 0 && read_message(c, &rules, &p)) {
        str platform = arena_printf(&c->arena, "%.*s", STR_ARG(mobile_platform(arn)));
        str text = publication_text(&p, platform.p);

        if (!text.p)
            fault_set(&c->fault, FAULT_INVALID,
                      FAULT_PREFIX "Message Structure - No default entry in JSON message body");
        else
            publish_captured(c, &p,
                             &(struct captured_new){.protocol = "application",
                                                    .endpoint = arn,
                                                    .message = p.message,
                                                    .structured = p.structured,
                                                    .payload = text});
    }
    call_done(c);
}

static void publish_to_topic(struct call *c, const char *name)
{
    struct topic *topic = api_topic(c, name);

    if (!topic) {
        call_done(c);
        return;
    }
    struct publication_rules rules = rules_of(topic);
    struct publication p;

    if (!read_message(c, &rules, &p) || check_room(c, topic, &c->fault)) {
        call_done(c);
        return;
    }
    struct completion *safe = begin_publish(c);

    publish_one(c, topic, &p, safe);
    out_ids(c, &p);
    completion_end(safe, 0);
}

static bool is_endpoint(str target)
{
    struct arn arn;

    return target.p && arn_read(target, &arn) == 0 && str_is(arn.service, "sns") &&
           str_starts(arn.resource, STR("endpoint/"));
}

void api_publish(struct call *c)
{
    struct topicd *t = call_owner(c);

    str target = val_text(c->in, "TargetArn"), phone = val_text(c->in, "PhoneNumber");

    if (fanout_park(&t->fanout, c))
        return;
    if (val_get(c->in, "TopicArn"))
        publish_to_topic(c, "TopicArn");
    else if (is_endpoint(target))
        publish_to_endpoint(c, target);
    else if (target.p)
        publish_to_topic(c, "TargetArn");
    else if (phone.p)
        publish_to_phone(c, phone);
    else
        call_fail(c, FAULT_INVALID,
                  FAULT_PREFIX "TopicArn or TargetArn Reason: no value for required parameter");
}

/* --- PublishBatch ----------------------------------------------------------------------------- */

static int check_entry_id(str id, struct fault *f)
{
    if (id.n > BATCH_ID_MAX)
        return fault_set(f, CALL_FAULT_BATCH_ID_INVALID,
                         "The Id of a batch entry in the batch request is too long: %.*s",
                         str_shown(id, SHOWN_MAX), id.p);
    if (batch_is_id_text(id))
        return 0;
    return fault_set(f, CALL_FAULT_BATCH_ID_INVALID,
                     "The Id of a batch entry in the batch request contains an impermissible "
                     "character: %.*s",
                     (int)id.n, id.n ? id.p : "");
}

static int need_member(const struct val *entry, u32 n, const char *name, const char *path,
                       struct fault *f)
{
    if (val_get(entry, name))
        return 0;
    return fault_set(f, FAULT_VALIDATION,
                     "1 validation error detected: Value null at 'publishBatchRequestEntries.%u."
                     "member.%s' failed to satisfy constraint: Member must not be null",
                     n, path);
}

static int check_entry_count(const struct val *entries, struct fault *f)
{
    if (!entries || entries->count == 0)
        return fault_set(f, CALL_FAULT_BATCH_EMPTY,
                         "The batch request doesn't contain any entries.");
    if (entries->count > BATCH_ENTRIES_MAX)
        return fault_set(f, CALL_FAULT_BATCH_TOO_MANY,
                         "The batch request contains more entries than permissible.");
    u32 n = 1;

    for (const struct val *v = entries->first; v; v = v->next, n++)
        if (need_member(v, n, "Id", "id", f) || need_member(v, n, "Message", "message", f))
            return E_FAULT;
    return 0;
}

static int check_entry_ids(const struct val *entries, struct fault *f)
{
    if (batch_repeated(entries))
        return fault_set(f, CALL_FAULT_BATCH_IDS_NOT_DISTINCT,
                         "Two or more batch entries in the request have the same Id.");
    for (const struct val *v = entries->first; v; v = v->next)
        if (check_entry_id(val_text(v, "Id"), f))
            return E_FAULT;
    return 0;
}

/* Reads all entries. Fails with the fault of the first invalid one; then nothing is published. */
static int read_entries(struct call *c, const struct topic *topic, const struct val *entries,
                        struct publication *list)
{
    struct publication_rules rules = rules_of(topic);
    u64 size = 0;
    u32 n = 0;

    for (const struct val *v = entries->first; v; v = v->next)
        size += publication_size(v);
    if (size > topic->message_size_max)
        return fault_set(&c->fault, CALL_FAULT_BATCH_TOO_LONG,
                         "The length of all the messages put together is more than the limit.");
    for (const struct val *v = entries->first; v; v = v->next, n++) {
        str path = arena_printf(&c->arena, "publishBatchRequestEntries.%u.member.messageAttributes",
                                n + 1);

        if (publication_read(&list[n], v, path.p, &rules, &c->arena, &c->fault))
            return E_FAULT;
        list[n].entry_id = val_text(v, "Id");
    }
    return check_room(c, topic, &c->fault);
}

void api_publish_batch(struct call *c)
{
    struct topicd *t = call_owner(c);
    const struct val *entries = val_get(c->in, "PublishBatchRequestEntries");
    struct publication list[BATCH_ENTRIES_MAX];
    struct topic *topic = NULL;

    if (fanout_park(&t->fanout, c))
        return;
    if (check_entry_count(entries, &c->fault) == 0)
        topic = api_topic(c, "TopicArn");
    if (!topic || check_entry_ids(entries, &c->fault) || read_entries(c, topic, entries, list)) {
        call_done(c);
        return;
    }
    struct completion *safe = begin_publish(c);

    call_out_list(c, "Successful", "member");
    for (u32 i = 0; i < entries->count; i++) {
        publish_one(c, topic, &list[i], safe);
        call_out_item(c);
        call_out_text(c, "Id", list[i].entry_id);
        out_ids(c, &list[i]);
        call_out_item_end(c);
    }
    call_out_list_end(c);
    call_out_list(c, "Failed", "member");
    call_out_list_end(c);
    completion_end(safe, 0);
}
