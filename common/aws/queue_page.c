#include "common/aws/queue_page.h"

#include "common/aws/desk.h"
#include "common/base/json.h"

#define OWN "/_toque/queues/"
#define AWS "/_aws/sqs/messages"

static const struct {
    const char *what, *method, *path;
} pages[] = {
    {"messages", "GET", OWN "*/messages"}, {"messages", "GET", AWS},
    {"messages", "GET", AWS "/*/*/*"},     {"messages", "POST", AWS},
    {"messages", "POST", AWS "/*/*/*"},    {"aids", "GET", OWN "*/aids"},
    {"aids", "POST", OWN "*/aids"},        {"aids", "DELETE", OWN "*/aids"},
    {"redrive", "POST", OWN "*/redrive"},
};

void queue_page_add(struct desk *d, const char *what, void (*run)(struct call *c, void *arg),
                    void *arg)
{
    for (size_t i = 0; i < ARRAY_LEN(pages); i++)
        if (!what || strcmp(what, pages[i].what) == 0)
            desk_add_page(d, pages[i].method, pages[i].path, run, arg);
}

bool queue_page_is_aws(const struct call *c)
{
    return str_starts(c->request.path, STR(AWS));
}

bool queue_page_is_local(const struct call *c)
{
    const struct address *peer = &c->request.peer;

    return peer->family == 0 || address_is_loopback(peer);
}

bool queue_page_flag(const struct queue_page *p, const char *name)
{
    str value = form_get(&p->params, str_of(name));

    return value.p && (value.n == 0 || str_eq_nocase(value, STR("true")) || str_is(value, "1"));
}

/* --- the queue -------------------------------------------------------------------------------- */

/* What the path says: the next part of it, decoded. */
static int path_part(struct call *c, str *rest, str *ret)
{
    return form_unescape(str_cut(rest, '/'), false, &c->arena, ret);
}

static int place_in_path(struct call *c, struct queue_place *place)
{
    str rest = c->request.path;

    if (str_starts(rest, STR(OWN))) {
        rest = str_slice(rest, STR(OWN).n, rest.n);
        return path_part(c, &rest, &place->name);
    }
    rest = str_slice(rest, STR(AWS).n, rest.n);
    if (rest.n == 0)
        return 0;
    rest = str_slice(rest, 1, rest.n);
    return path_part(c, &rest, &place->region) || path_part(c, &rest, &place->account) ||
                   path_part(c, &rest, &place->name)
               ? E_INVALID
               : 0;
}

/* A call in the JSON protocol that was sent here. */
static int url_in_json(struct call *c, str *ret)
{
    struct json_doc doc = {0};
    struct json_at root;
    struct fault f;
    str url;

    fault_clear(&f);
    if (json_open(&doc, c->request.body, NULL, true, &f))
        return E_INVALID;
    root = json_root(&doc);
    int err = json_get_str(&root, "QueueUrl", &url, &f);

    if (!err)
        *ret = arena_dup(&c->arena, url);
    json_close(&doc);
    return err == E_NOT_FOUND || !err ? 0 : E_INVALID;
}

/* A parameter that is an account or a region, in place of the caller's. */
static void place_override(const struct queue_page *p, const char *name, bool (*is)(str), str *ret)
{
    str value = form_get(&p->params, str_of(name));

    if (value.n && is(value))
        *ret = value;
}

int queue_page_read(struct call *c, struct queue_page *ret)
{
    const struct request *rq = &c->request;
    struct queue_page p = {.place = {c->region, c->account, STR("")}};
    str url = STR_NONE;
    int err = rq->body.n > QUEUE_PAGE_BODY_MAX ? E_TOO_LARGE
                                               : form_decode(&p.params, rq->query, &c->arena);

    if (!err && rq->target.n)
        err = url_in_json(c, &url);
    else if (!err && queue_page_is_aws(c))
        err = form_decode(&p.params, rq->body, &c->arena);
    if (err)
        return err;
    place_override(&p, "account", arn_is_account, &p.place.account);
    place_override(&p, "region", arn_is_region, &p.place.region);
    if ((err = place_in_path(c, &p.place)))
        return err;
    if (!url.p)
        url = form_get(&p.params, STR("QueueUrl"));
    if (p.place.name.n == 0 && url.n)
        queue_place_read(url, &p.place);
    *ret = p;
    return 0;
}

void queue_page_absent(struct call *c, const struct queue_page *p)
{
    const struct queue_place *place = &p->place;

    call_page_fail(c, 404, "no queue %.*s in account %.*s, region %.*s", STR_ARG(place->name),
                   STR_ARG(place->account), STR_ARG(place->region));
}
