#include "queued/peek_page.h"

#include "common/aws/desk.h"
#include "common/aws/queue_page.h"
#include "common/base/scan.h"
#include "common/base/xml.h"
#include "queued/api.h"
#include "queued/peek.h"

#define PAGE_DEFAULT 100

/* How a page is written. */
enum peek_form {
    PEEK_OWN,  /* JSON of the /_toque page */
    PEEK_JSON, /* an answer of the JSON protocol */
    PEEK_XML,  /* an answer of the Query protocol */
    PEEK_TREE, /* the same as JSON: repeated elements are lists */
};

struct peek_page {
    struct peek peek;
    enum peek_form form;
    const char *arn;
    struct buf *out; /* the call's scratch */
    u32 shown;
};

/* Shown instead of a receipt handle, since the messages were not received. Other implementations
 * use this text. */
#define NO_HANDLE STR("SQS/BACKDOOR/ACCESS")

static const char *const states[] = {
    [MSG_DELAYED] = "delayed", [MSG_VISIBLE] = "visible", [MSG_LEASED] = "in_flight"};

/* --- system attributes ------------------------------------------------------------------------ */

#define SYSTEM_MAX 9

struct system_attrs {
    u32 n;
    struct {
        const char *name;
        str value;
    } items[SYSTEM_MAX];
};

static void system_add(struct system_attrs *s, const char *name, str value)
{
    if (value.n == 0)
        return;
    assert(s->n < SYSTEM_MAX);
    s->items[s->n].name = name;
    s->items[s->n++].value = value;
}

static void system_number(struct peek_page *g, struct system_attrs *s, const char *name, i64 number)
{
    system_add(s, name, arena_printf(&g->peek.call->arena, "%" PRId64, number));
}

static void system_read(struct peek_page *g, const struct peeked *m, const struct content *content,
                        struct system_attrs *s)
{
    char sequence[QUEUE_SEQUENCE_SIZE];

    s->n = 0;
    system_add(s, "SenderId", peek_sender(&g->peek, content));
    system_number(g, s, "SentTimestamp", m->sent_ms);
    system_number(g, s, "ApproximateReceiveCount", m->receives);
    if (m->first_ms)
        system_number(g, s, "ApproximateFirstReceiveTimestamp", m->first_ms);
    system_add(s, "MessageGroupId", content->group_id);
    system_add(s, "AWSTraceHeader", content->trace_header);
    system_add(s, "DeadLetterQueueSourceArn", m->source);
    if (!m->is_fifo)
        return;
    system_add(s, "MessageDeduplicationId",
               m->source.n ? str_from(m->id, ID_UUID_SIZE - 1) : content->dedup_id);
    system_add(s, "SequenceNumber",
               arena_dup(&g->peek.call->arena, queue_sequence(m->seq, sequence)));
}

/* --- JSON ------------------------------------------------------------------------------------- */

/* Writes a member, after a comma unless it is the first of its object. */
static void json_text(struct buf *out, const char *name, str text)
{
    if (out->p[out->n - 1] != '{')
        buf_char(out, ',');
    buf_printf(out, "\"%s\":", name);
    scan_quote(out, text);
}

static void json_value(struct buf *out, const struct message_attr *a)
{
    buf_char(out, '{');
    if (message_attr_is_binary(a)) {
        buf_z(out, "\"BinaryValue\":\"");
        hash_base64(out, a->value);
        buf_char(out, '"');
    } else {
        json_text(out, "StringValue", a->value);
    }
    json_text(out, "DataType", a->type);
    buf_char(out, '}');
}

/* Maps, as in the JSON protocol. */
static void json_maps(struct peek_page *g, const struct system_attrs *s, const struct content *c)
{
    struct buf *out = g->out;

    buf_z(out, ",\"Attributes\":{");
    for (u32 i = 0; i < s->n; i++)
        json_text(out, s->items[i].name, s->items[i].value);
    buf_char(out, '}');
    for (u32 i = 0; i < c->attrs.n; i++) {
        buf_z(out, i ? "," : ",\"MessageAttributes\":{");
        scan_quote(out, c->attrs.items[i].name);
        buf_char(out, ':');
        json_value(out, &c->attrs.items[i]);
    }
    if (c->attrs.n)
        buf_char(out, '}');
}

/* Lists of names and values, as the elements of the Query protocol's XML. */
static void json_lists(struct peek_page *g, const struct system_attrs *s, const struct content *c)
{
    struct buf *out = g->out;

    buf_z(out, ",\"Attribute\":[");
    for (u32 i = 0; i < s->n; i++) {
        buf_z(out, i ? ",{" : "{");
        json_text(out, "Name", str_of(s->items[i].name));
        json_text(out, "Value", s->items[i].value);
        buf_char(out, '}');
    }
    buf_char(out, ']');
    for (u32 i = 0; i < c->attrs.n; i++) {
        buf_z(out, i ? ",{" : ",\"MessageAttribute\":[{");
        json_text(out, "Name", c->attrs.items[i].name);
        buf_z(out, ",\"Value\":");
        json_value(out, &c->attrs.items[i]);
        buf_char(out, '}');
    }
    if (c->attrs.n)
        buf_char(out, ']');
}

static void json_message(struct peek_page *g, const struct peeked *m, const struct system_attrs *s,
                         const struct content *content)
{
    struct buf *out = g->out;

    buf_z(out, g->shown ? ",{" : "{");
    json_text(out, "MessageId", str_from(m->id, ID_UUID_SIZE - 1));
    if (g->form == PEEK_OWN)
        json_text(out, "State", str_of(states[m->state]));
    else
        json_text(out, "ReceiptHandle", NO_HANDLE);
    if (g->form == PEEK_OWN && m->due_ms)
        buf_printf(out, ",\"VisibleTimestamp\":%" PRId64, m->due_ms);
    if (g->form == PEEK_OWN && m->deliveries.n) {
        buf_z(out, ",\"Deliveries\":");
        buf_str(out, m->deliveries);
    }
    json_text(out, "MD5OfBody", str_from(content->md5, HASH_MD5_HEX - 1));
    json_text(out, "Body", content->body);
    if (g->form == PEEK_TREE)
        json_lists(g, s, content);
    else
        json_maps(g, s, content);
    buf_char(out, '}');
}

/* --- XML -------------------------------------------------------------------------------------- */

static void xml_attribute(struct buf *out, const struct message_attr *a)
{
    xml_open(out, "MessageAttribute");
    xml_element(out, "Name", a->name);
    xml_open(out, "Value");
    if (message_attr_is_binary(a)) {
        xml_open(out, "BinaryValue");
        hash_base64(out, a->value);
        xml_close(out, "BinaryValue");
    } else {
        xml_element(out, "StringValue", a->value);
    }
    xml_element(out, "DataType", a->type);
    xml_close(out, "Value");
    xml_close(out, "MessageAttribute");
}

static void xml_message(struct peek_page *g, const struct peeked *m, const struct system_attrs *s,
                        const struct content *content)
{
    struct buf *out = g->out;

    xml_open(out, "Message");
    xml_element(out, "MessageId", str_from(m->id, ID_UUID_SIZE - 1));
    xml_element(out, "ReceiptHandle", NO_HANDLE);
    xml_element(out, "MD5OfBody", str_from(content->md5, HASH_MD5_HEX - 1));
    xml_element(out, "Body", content->body);
    for (u32 i = 0; i < s->n; i++) {
        xml_open(out, "Attribute");
        xml_element(out, "Name", str_of(s->items[i].name));
        xml_element(out, "Value", s->items[i].value);
        xml_close(out, "Attribute");
    }
    for (u32 i = 0; i < content->attrs.n; i++)
        xml_attribute(out, &content->attrs.items[i]);
    xml_close(out, "Message");
}

/* --- the page --------------------------------------------------------------------------------- */

/* The parts of the page before and after the messages. */
static void page_open(struct peek_page *g)
{
    struct buf *out = g->out;

    buf_reset(out);
    switch (g->form) {
    case PEEK_OWN: buf_printf(out, "{\"QueueArn\":\"%s\",\"Messages\":[", g->arn); break;
    case PEEK_JSON: buf_z(out, "{\"Messages\":["); break;
    case PEEK_TREE:
        buf_z(out, "{\"ReceiveMessageResponse\":{\"ReceiveMessageResult\":{\"Message\":[");
        break;
    case PEEK_XML:
        buf_printf(out,
                   "<?xml version=\"1.0\"?><ReceiveMessageResponse xmlns=\"%s\">"
                   "<ReceiveMessageResult>",
                   g->peek.call->service->xml_namespace);
        break;
    }
}

static void page_close(struct peek_page *g)
{
    const char *id = g->peek.call->answer.request_id;
    struct buf *out = g->out;
    u64 next = g->peek.next;

    if (g->form == PEEK_XML) {
        if (next)
            buf_printf(out, "<NextToken>%" PRIu64 "</NextToken>", next);
        buf_printf(out,
                   "</ReceiveMessageResult><ResponseMetadata><RequestId>%s</RequestId>"
                   "</ResponseMetadata></ReceiveMessageResponse>",
                   id);
        return;
    }
    buf_char(out, ']');
    if (next)
        buf_printf(out, ",\"NextToken\":\"%" PRIu64 "\"", next);
    buf_char(out, '}');
    if (g->form == PEEK_TREE)
        buf_printf(out, ",\"ResponseMetadata\":{\"RequestId\":\"%s\"}}}", id);
}

static size_t page_message(struct peek *p, const struct peeked *m, const struct content *content)
{
    struct peek_page *g = container_of(p, struct peek_page, peek);
    struct system_attrs s;

    system_read(g, m, content, &s);
    if (g->form == PEEK_XML)
        xml_message(g, m, &s, content);
    else
        json_message(g, m, &s, content);
    g->shown++;
    return g->out->n;
}

static void page_done(struct peek *p)
{
    static const enum answer_type types[] = {[PEEK_OWN] = ANSWER_JSON,
                                             [PEEK_JSON] = ANSWER_AWS_JSON,
                                             [PEEK_XML] = ANSWER_XML,
                                             [PEEK_TREE] = ANSWER_JSON};
    struct peek_page *g = container_of(p, struct peek_page, peek);

    page_close(g);
    call_page_as(p->call, 200, types[g->form], buf_view(g->out));
}

/* --- the request ------------------------------------------------------------------------------ */

static enum peek_form form_of(const struct call *c)
{
    if (!queue_page_is_aws(c))
        return PEEK_OWN;
    if (c->request.target.n)
        return PEEK_JSON;
    return str_starts_nocase(c->request.accept, STR("application/json")) ? PEEK_TREE : PEEK_XML;
}

static void page_refuse(struct call *c, int status, int code, const char *why)
{
    if (queue_page_is_aws(c))
        call_fail(c, code, "%s", why);
    else
        call_page_fail(c, status, "%s", why);
}

/* The AWS-shaped page accepts ReceiveMessage only. */
static bool is_receive(const struct call *c, const struct queue_page *page)
{
    str action = form_get(&page->params, STR("Action"));

    return c->request.target.n ? str_ends(c->request.target, STR(".ReceiveMessage"))
                               : action.n == 0 || str_is(action, "ReceiveMessage");
}

/* A numeric parameter from `min` to `max`; *ret is unchanged where it is absent. */
static int page_number(const struct queue_page *page, const char *name, i64 min, i64 max, i64 *ret)
{
    str text = form_get(&page->params, str_of(name));
    i64 n;

    if (!text.p)
        return 0;
    if (str_to_i64(text, &n) || n < min || n > max)
        return E_INVALID;
    *ret = n;
    return 0;
}

/* E_INVALID: a parameter is; *ret_why says which. */
static int wants_read(const struct call *c, const struct queue_page *page, struct peek_wants *ret,
                      const char **ret_why)
{
    bool all = !queue_page_is_aws(c);
    i64 limit = all ? PAGE_DEFAULT : PEEK_MESSAGES_MAX, after = 0;

    static_assert(PEEK_MESSAGES_MAX == 1000, "as the text says");
    *ret_why = "limit must be a number between 1 and 1000";
    if (page_number(page, "limit", 1, PEEK_MESSAGES_MAX, &limit))
        return E_INVALID;
    *ret_why = "after must be the NextToken of an earlier page";
    if (page_number(page, "after", 0, INT64_MAX, &after))
        return E_INVALID;
    *ret = (struct peek_wants){.in_flight = all || queue_page_flag(page, "ShowInvisible"),
                               .delayed = all || queue_page_flag(page, "ShowDelayed"),
                               .max = (u32)limit,
                               .after = (u64)after};
    return 0;
}

static void page_begin(struct call *c, struct queue *q, const struct queue_page *page)
{
    struct peek_page *g = arena_zalloc(&c->arena, sizeof *g);
    struct peek_wants wants;
    const char *why;

    if (wants_read(c, page, &wants, &why)) {
        page_refuse(c, 400, CALL_FAULT_INVALID_PARAMETER, why);
        return;
    }
    g->form = form_of(c);
    g->arn = arena_dup(&c->arena, str_of(q->arn)).p;
    g->out = &c->scratch;
    g->peek.call = c;
    g->peek.message = page_message;
    g->peek.done = page_done;
    page_open(g);
    if (peek_begin(&g->peek, c, q, &wants))
        page_refuse(c, 400, CALL_FAULT_INVALID_PARAMETER,
                    "The page before this one is too long ago. Begin at the first one.");
}

/* What a page of the queue can need, with room for escapes in its last message. */
static u64 page_bytes_max(const struct queue *q)
{
    return PEEK_BYTES_MAX + 2 * (u64)q->attributes.size_max;
}

static void page_run(struct call *c, void *arg)
{
    const struct peek_pages *p = arg;
    struct queue_page page;

    c->service = p->service;
    c->dialect = c->request.target.n ? DIALECT_JSON : DIALECT_QUERY;
    if (!p->remote && !queue_page_is_local(c)) {
        page_refuse(c, 403, CALL_FAULT_ACCESS_DENIED,
                    "Messages are shown to clients of this machine alone (peek_remote).");
    } else if (queue_page_read(c, &page)) {
        page_refuse(c, 400, CALL_FAULT_SERIALIZATION, "The request cannot be read.");
    } else if (!is_receive(c, &page)) {
        page_refuse(c, 400, CALL_FAULT_UNSUPPORTED, "This page is for ReceiveMessage alone.");
    } else if (queue_page_is_aws(c) && page.place.name.n == 0) {
        page_refuse(c, 400, CALL_FAULT_MISSING_PARAMETER, "the parameter QueueUrl is missing");
    } else {
        struct queue *q =
            queues_find(p->queues, page.place.account, page.place.region, page.place.name);

        if (q && desk_room(c->desk, page_bytes_max(q), 1) == 0) {
            page_refuse(c, 503, CALL_FAULT_UNAVAILABLE, "Too much is under way. Try again.");
        } else if (q) {
            page_begin(c, q, &page);
        } else if (queue_page_is_aws(c)) {
            api_no_queue(&c->fault);
            call_done(c);
        } else {
            queue_page_absent(c, &page);
        }
    }
}

void peek_pages_add(struct peek_pages *p, struct desk *d)
{
    queue_page_add(d, "messages", page_run, p);
}
