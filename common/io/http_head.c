/* The few header fields that mean something to us, in a table; all others are passed over. */
#include "common/io/http_head.h"

void http_head_init(struct http_head *h)
{
    str none = STR("");

    *h = (struct http_head){.rq = {.method = none,
                                   .path = none,
                                   .query = none,
                                   .host = none,
                                   .target = none,
                                   .content_type = none,
                                   .accept = none,
                                   .authorization = none,
                                   .trace_id = none,
                                   .account = none,
                                   .region = none,
                                   .body = none}};
}

void http_head_uri(struct http_head *h, str uri)
{
    if (uri.n && uri.p[0] != '/' &&
        (str_starts_nocase(uri, STR("http://")) || str_starts_nocase(uri, STR("https://")))) {
        size_t at = (size_t)str_find(uri, ':') + 3;

        while (at < uri.n && uri.p[at] != '/' && uri.p[at] != '?')
            at++;
        uri = str_slice(uri, at, uri.n);
    }
    h->rq.path = str_cut(&uri, '?');
    h->rq.query = uri.p ? uri : STR("");
    if (!h->rq.path.n)
        h->rq.path = STR("/");
}

void http_head_field(struct http_head *h, str name, str value)
{
    static const struct {
        str name;
        size_t at;
    } known[] = {
        {{"Host", 4}, offsetof(struct request, host)},
        {{"Accept", 6}, offsetof(struct request, accept)},
        {{"X-Amz-Target", 12}, offsetof(struct request, target)},
        {{"Content-Type", 12}, offsetof(struct request, content_type)},
        {{"Authorization", 13}, offsetof(struct request, authorization)},
        {{"X-Amzn-Trace-Id", 15}, offsetof(struct request, trace_id)},
    };
    i64 length;

    for (size_t i = 0; i < ARRAY_LEN(known); i++) {
        if (known[i].name.n == name.n && str_eq_nocase(known[i].name, name)) {
            str *field = (str *)(void *)((char *)&h->rq + known[i].at);

            if (!field->n)
                *field = value;
            return;
        }
    }
    if (name.n == 14 && str_eq_nocase(name, STR("Content-Length")) && !str_to_i64(value, &length))
        h->content_length = (u64)MAX(length, 0);
    else if (name.n == 6 && str_eq_nocase(name, STR("Expect")))
        h->expects = true;
}
