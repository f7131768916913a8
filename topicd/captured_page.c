/* The pages that list and remove captured messages:
 *
 *   /_toque/outbox                       ?protocol=…&endpoint=…&accountId=…&region=…&limit=…
 *   /_aws/sns/sms-messages               ?phoneNumber=…&accountId=…&region=…
 *   /_aws/sns/platform-endpoint-messages ?endpointArn=…&accountId=…&region=…
 *
 * The latter two have the form of LocalStack's. */
#include "common/base/form.h"
#include "common/base/scan.h"
#include "topicd/captured.h"

#define LIMIT_DEFAULT 100
#define REGION        STR("us-east-1")
#define ACCOUNT       STR("000000000000")

/* The filters of a request; p NULL: any value. */
struct wanted {
    str protocol, endpoint, account, region;
    u64 limit;
};

static bool is_wanted(const struct captured_message *m, const struct wanted *w)
{
    return (!w->protocol.p || str_eq(m->protocol, w->protocol)) &&
           (!w->endpoint.p || str_eq(m->endpoint, w->endpoint)) &&
           (!w->account.p || str_eq(m->account, w->account)) &&
           (!w->region.p || str_eq(m->region, w->region));
}

/* False: the page was refused. */
static bool read_query(struct call *c, struct form *f)
{
    *f = (struct form){0};
    if (form_decode(f, c->request.query, &c->arena) == 0)
        return true;
    call_page_fail(c, 400, "the query cannot be decoded");
    return false;
}

static void remove_wanted(struct captured *cap, const struct wanted *w)
{
    list_each(at, after, &cap->messages) {
        struct captured_message *m = list_item(at, struct captured_message, link);

        if (is_wanted(m, w))
            captured_remove(cap, m);
    }
}

/* --- our own page ----------------------------------------------------------------------------- */

static bool read_wanted(struct call *c, struct wanted *w)
{
    struct form f;
    i64 limit = LIMIT_DEFAULT;

    if (!read_query(c, &f))
        return false;
    str text = form_get(&f, STR("limit"));

    if (text.p && (str_to_i64(text, &limit) || limit < 0)) {
        call_page_fail(c, 400, "limit is not a number");
        return false;
    }
    *w = (struct wanted){.protocol = form_get(&f, STR("protocol")),
                         .endpoint = form_get(&f, STR("endpoint")),
                         .account = form_get(&f, STR("accountId")),
                         .region = form_get(&f, STR("region")),
                         .limit = (u64)limit};
    return true;
}

static u64 count_wanted(const struct captured *cap, const struct wanted *w)
{
    u64 n = 0;

    list_each(at, after, &cap->messages)
        n += is_wanted(list_item(at, struct captured_message, link), w);
    return n;
}

/* The last ones, oldest first. */
static void get_outbox(struct call *c, void *arg)
{
    const struct captured *cap = arg;
    struct wanted w;
    struct buf out = {0};

    if (!read_wanted(c, &w))
        return;
    u64 n = count_wanted(cap, &w), skip = n > w.limit ? n - w.limit : 0;

    buf_printf(&out, "{\"count\":%" PRIu64 ",\"messages\":[", n);
    n = 0;
    list_each(at, after, &cap->messages) {
        const struct captured_message *m = list_item(at, struct captured_message, link);

        if (!is_wanted(m, &w) || n++ < skip)
            continue;
        if (n > skip + 1)
            buf_char(&out, ',');
        buf_str(&out, m->json);
    }
    buf_z(&out, "]}");
    call_page(c, 200, buf_view(&out));
    buf_deinit(&out);
}

static void delete_outbox(struct call *c, void *arg)
{
    struct wanted w;

    if (!read_wanted(c, &w))
        return;
    remove_wanted(arg, &w);
    call_page(c, 204, STR(""));
}

/* --- LocalStack's pages ----------------------------------------------------------------------- */

static bool read_like_localstack(struct call *c, struct wanted *w, str protocol, const char *name)
{
    struct form f;

    if (!read_query(c, &f))
        return false;
    str account = form_get(&f, STR("accountId")), region = form_get(&f, STR("region"));

    *w = (struct wanted){.protocol = protocol,
                         .endpoint = form_get(&f, str_of(name)),
                         .account = account.p ? account : ACCOUNT,
                         .region = region.p ? region : REGION};
    return true;
}

static bool is_first_of_endpoint(const struct captured *cap, const struct captured_message *m,
                                 const struct wanted *w)
{
    list_each(at, after, &cap->messages) {
        const struct captured_message *other = list_item(at, struct captured_message, link);

        if (is_wanted(other, w) && str_eq(other->endpoint, m->endpoint))
            return other == m;
    }
    return true;
}

static void put_endpoint(struct buf *out, const struct captured *cap,
                         const struct captured_message *first, struct wanted w)
{
    const char *before = ":[";

    w.endpoint = first->endpoint;
    scan_quote(out, first->endpoint);
    list_each(at, after, &cap->messages) {
        const struct captured_message *m = list_item(at, struct captured_message, link);

        if (!is_wanted(m, &w))
            continue;
        buf_z(out, before);
        buf_str(out, m->json);
        before = ",";
    }
    buf_char(out, ']');
}

/* {"sms_messages":{"+123":[…]},"region":"us-east-1"} */
static void out_by_endpoint(struct call *c, const struct captured *cap, const struct wanted *w,
                            const char *name)
{
    struct buf out = {0};
    bool begun = false;

    buf_printf(&out, "{\"%s\":{", name);
    list_each(at, after, &cap->messages) {
        const struct captured_message *m = list_item(at, struct captured_message, link);

        if (!is_wanted(m, w) || !is_first_of_endpoint(cap, m, w))
            continue;
        if (begun)
            buf_char(&out, ',');
        begun = true;
        put_endpoint(&out, cap, m, *w);
    }
    buf_z(&out, "},\"region\":");
    scan_quote(&out, w->region);
    buf_char(&out, '}');
    call_page(c, 200, buf_view(&out));
    buf_deinit(&out);
}

static void get_sms(struct call *c, void *arg)
{
    struct wanted w;

    if (read_like_localstack(c, &w, STR("sms"), "phoneNumber"))
        out_by_endpoint(c, arg, &w, "sms_messages");
}

static void delete_sms(struct call *c, void *arg)
{
    struct wanted w;

    if (!read_like_localstack(c, &w, STR("sms"), "phoneNumber"))
        return;
    remove_wanted(arg, &w);
    call_page(c, 204, STR(""));
}

static void get_push(struct call *c, void *arg)
{
    struct wanted w;

    if (read_like_localstack(c, &w, STR("application"), "endpointArn"))
        out_by_endpoint(c, arg, &w, "platform_endpoint_messages");
}

static void delete_push(struct call *c, void *arg)
{
    struct wanted w;

    if (!read_like_localstack(c, &w, STR("application"), "endpointArn"))
        return;
    remove_wanted(arg, &w);
    call_page(c, 204, STR(""));
}

void captured_add_pages(struct captured *c, struct desk *d)
{
    desk_add_page(d, "GET", "/_toque/outbox", get_outbox, c);
    desk_add_page(d, "DELETE", "/_toque/outbox", delete_outbox, c);
    desk_add_page(d, "GET", "/_aws/sns/sms-messages", get_sms, c);
    desk_add_page(d, "DELETE", "/_aws/sns/sms-messages", delete_sms, c);
    desk_add_page(d, "GET", "/_aws/sns/platform-endpoint-messages", get_push, c);
    desk_add_page(d, "DELETE", "/_aws/sns/platform-endpoint-messages", delete_push, c);
}
