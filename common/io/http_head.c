/* Two fields mean something to the server: how long the body is, and whether its sender waits. */
#include "common/io/http_head.h"

void http_head_init(struct http_head *h)
{
    str none = STR("");

    h->rq = (struct http_request){
        .method = none, .path = none, .query = none, .body = none, .fields = h->fields};
    h->content_length = 0;
    h->expects = h->too_many = false;
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
    i64 length;

    if (h->rq.field_count == HTTP_FIELDS_MAX) {
        h->too_many = true;
        return;
    }
    h->fields[h->rq.field_count++] = (struct http_field){name, str_trim(value)};
    if (name.n == 14 && str_eq_nocase(name, STR("Content-Length")) && !str_to_i64(value, &length))
        h->content_length = (u64)MAX(length, 0);
    else if (name.n == 6 && str_eq_nocase(name, STR("Expect")))
        h->expects = true;
}
