/* A row of the store has the account and region as its group, the protocol as its name, the endpoint
 * as its alias, and the JSON as its value. */
#include "topicd/captured.h"

#include "common/base/clock.h"
#include "common/base/hash.h"
#include "common/base/mem.h"
#include "common/base/scan.h"
#include "topicd/assets.h"

static void changed(struct captured *c)
{
    c->changed = true;
    loop_dirty(c->loop);
}

/* --- memory ----------------------------------------------------------------------------------- */

static str copy_to(char **at, str text)
{
    str ret = str_from(*at, text.n);

    if (text.n)
        memcpy(*at, text.p, text.n);
    *at += text.n;
    return ret;
}

/* A message and its texts are one block. `scope` is "ACCOUNT REGION". */
static struct captured_message *message_new(u64 id, str scope, str protocol, str endpoint, str json)
{
    struct captured_message *m = mem_alloc(sizeof(*m) + scope.n + protocol.n + endpoint.n + json.n);
    char *at = (char *)(m + 1);

    m->id = id;
    m->region = copy_to(&at, scope);
    m->account = str_cut(&m->region, ' ');
    m->protocol = copy_to(&at, protocol);
    m->endpoint = copy_to(&at, endpoint);
    m->json = copy_to(&at, json);
    return m;
}

static void message_hang(struct captured *c, struct captured_message *m)
{
    list_init(&m->link);
    list_push_back(&c->messages, &m->link);
    c->count++;
    c->bytes += m->json.n;
}

static void message_drop(struct captured *c, struct captured_message *m)
{
    c->count--;
    c->bytes -= m->json.n;
    list_remove(&m->link);
    mem_free(m);
}

static void clear(struct captured *c)
{
    while (!list_is_empty(&c->messages))
        message_drop(c, list_item(c->messages.next, struct captured_message, link));
}

void captured_init(struct captured *c, struct topic_store *store, struct loop *l, u64 count_max,
                   u64 bytes_max)
{
    *c = (struct captured){
        .store = store, .loop = l, .count_max = count_max, .bytes_max = bytes_max};
    list_init(&c->messages);
}

void captured_deinit(struct captured *c)
{
    if (c->store)
        clear(c);
}

static int load_row(void *arg, const struct asset_row *row)
{
    struct captured *c = arg;

    engine_saw_id(&c->store->engine, TOPIC_STORE_ASSET_IDS, row->id);
    message_hang(c, message_new(row->id, row->group, row->name, row->alias, row->value));
    return 0;
}

int captured_reload(struct captured *c)
{
    clear(c);
    c->changed = false;
    return topic_store_load_assets(c->store, ASSET_CAPTURED, ASSET_CAPTURED, load_row, c);
}

/* --- the JSON --------------------------------------------------------------------------------- */

static void put_text(struct buf *out, const char *name, str text)
{
    buf_printf(out, ",\"%s\":", name);
    if (text.p)
        scan_quote(out, text);
    else
        buf_z(out, "null");
}

static void put_attrs(struct buf *out, const struct attr_list *attrs)
{
    buf_z(out, ",\"MessageAttributes\":{");
    for (size_t i = 0; attrs && i < attrs->n; i++) {
        const struct filter_attr *a = &attrs->items[i];
        bool binary = message_attr_base(a->type) == MESSAGE_ATTR_BINARY;

        if (i)
            buf_char(out, ',');
        scan_quote(out, a->name);
        buf_z(out, ":{\"DataType\":");
        scan_quote(out, a->type);
        buf_z(out, binary ? ",\"BinaryValue\":" : ",\"StringValue\":");
        if (binary) {
            buf_char(out, '"');
            hash_base64(out, a->value);
            buf_char(out, '"');
        } else {
            scan_quote(out, a->value);
        }
        buf_char(out, '}');
    }
    buf_char(out, '}');
}

static void put_json(struct buf *out, u64 id, const struct captured_new *n)
{
    bool sms = strcmp(n->protocol, "sms") == 0;
    char time[CLOCK_ISO_SIZE];

    buf_printf(out, "{\"id\":%" PRIu64 ",\"protocol\":\"%s\",\"type\":\"%s\"", id, n->protocol,
               n->type);
    put_text(out, "endpoint", n->endpoint);
    put_text(out, "Timestamp", str_of(clock_iso(n->time_ms, time)));
    if (sms)
        put_text(out, "PhoneNumber", n->endpoint);
    if (strcmp(n->protocol, "application") == 0)
        put_text(out, "TargetArn", n->endpoint);
    put_text(out, "TopicArn", n->topic);
    put_text(out, "SubscriptionArn", n->subscription);
    put_text(out, "MessageId", n->message_id);
    put_text(out, "Subject", n->subject);
    put_text(out, "Message", n->message);
    put_text(out, "MessageStructure", n->structured ? STR("json") : STR_NONE);
    if (n->structured)
        put_text(out, "Payload", n->payload);
    put_attrs(out, n->attrs);
    if (n->token.p) {
        put_text(out, "Token", n->token);
        put_text(out, "SubscribeURL", n->url);
    }
    buf_char(out, '}');
}

/* --- changes ---------------------------------------------------------------------------------- */

void captured_remove(struct captured *c, struct captured_message *m)
{
    topic_store_delete_asset(c->store, m->id);
    message_drop(c, m);
    changed(c);
}

void captured_add(struct captured *c, const struct captured_new *n)
{
    u64 id = topic_store_next_asset_id(c->store);
    char *scope = mem_printf("%.*s %.*s", STR_ARG(n->account), STR_ARG(n->region));
    struct buf json = {0};

    put_json(&json, id, n);
    struct captured_message *m =
        message_new(id, str_of(scope), str_of(n->protocol), n->endpoint, buf_view(&json));

    message_hang(c, m);
    topic_store_put_asset(c->store, &(struct asset_row){.id = id,
                                                        .kind = ASSET_CAPTURED,
                                                        .group = str_of(scope),
                                                        .name = m->protocol,
                                                        .alias = m->endpoint,
                                                        .value = m->json});
    changed(c);
    while (c->count > c->count_max || (c->bytes > c->bytes_max && c->count > 1))
        captured_remove(c, list_item(c->messages.next, struct captured_message, link));
    buf_deinit(&json);
    mem_free(scope);
}
