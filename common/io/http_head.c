/* Heads of requests. A head is parsed once it is complete: its end is searched first, from where
 * the last search stopped, so that a head that arrives byte by byte costs no more than one that
 * arrives at once.
 *
 * Refused with 400 (RFC 9112 in brackets): lines that do not end in CR LF and control characters
 * anywhere (2.2), blanks around the request line's parts (3), no Host with HTTP/1.1, or two of them
 * (3.2), blanks before the colon and folded lines (5.1, 5.2), lengths that differ or are not
 * numbers (6.3), a length beside a transfer coding (6.1). */
#include "common/io/http_head.h"

#define METHOD_SIZE_MAX 32

#define BIT(c)  (UINT64_C(1) << ((c)&63))
#define LETTERS UINT64_C(0x07fffffe07fffffe) /* both cases, in the upper half of ASCII */
#define DIGITS  (UINT64_C(0x3ff) << '0')

bool http_is_token(u8 c)
{
    static const u64 map[4] = {
        DIGITS | BIT('!') | BIT('#') | BIT('$') | BIT('%') | BIT('&') | BIT('\'') | BIT('*') |
            BIT('+') | BIT('-') | BIT('.'),
        LETTERS | BIT('^') | BIT('_') | BIT('`') | BIT('|') | BIT('~'),
    };

    return map[c >> 6] >> (c & 63) & 1;
}

static ptrdiff_t head_refuse(struct http_head *h, int status, const char *why)
{
    h->status = status;
    h->why = why;
    return E_FAULT;
}

str http_list_next(str *rest)
{
    return str_trim(str_cut(rest, ','));
}

/* --- where it ends ---------------------------------------------------------------------------- */

/* Bytes up to and including the empty line; 0 when it has not arrived. */
static size_t head_end(str bytes, size_t *scanned)
{
    const char *end = bytes.p + bytes.n, *at = bytes.p + *scanned;

    while ((at = memchr(at, '\n', (size_t)(end - at)))) {
        size_t left = (size_t)(end - at);

        if (left > 1 && at[1] == '\n')
            return (size_t)(at - bytes.p) + 2;
        if (left > 2 && at[1] == '\r' && at[2] == '\n')
            return (size_t)(at - bytes.p) + 3;
        if (left < 3) { /* checked again when more has arrived */
            *scanned = (size_t)(at - bytes.p);
            return 0;
        }
        at++;
    }
    *scanned = bytes.n;
    return 0;
}

/* The next line without its end. False if it does not end in CR LF. */
static bool line_next(str *rest, str *ret)
{
    const char *lf = memchr(rest->p, '\n', rest->n);
    size_t n;

    if (!lf)
        return false;
    n = (size_t)(lf - rest->p);
    if (n == 0 || rest->p[n - 1] != '\r')
        return false;
    *ret = str_from(rest->p, n - 1);
    *rest = str_slice(*rest, n + 1, rest->n);
    return true;
}

/* --- request line ----------------------------------------------------------------------------- */

static bool is_method(str s)
{
    for (size_t i = 0; i < s.n; i++)
        if (!http_is_token((u8)s.p[i]))
            return false;
    return s.n > 0 && s.n <= METHOD_SIZE_MAX;
}

/* Extracts path, query and, in absolute form, the authority from a target (3.2). */
static bool read_target(struct http_request *rq, str target)
{
    str slash = STR_NONE; /* part of the target: views may move with the bytes */

    for (size_t i = 0; i < target.n; i++)
        if (!http_is_text((u8)target.p[i]) || target.p[i] == '\t')
            return false;
    if (str_starts_nocase(target, STR("http://")) || str_starts_nocase(target, STR("https://"))) {
        size_t from = (size_t)str_find(target, ':') + 3, to = from;

        while (to < target.n && target.p[to] != '/' && target.p[to] != '?')
            to++;
        rq->host = str_slice(target, from, to);
        slash = str_slice(target, from - 1, from);
        target = str_slice(target, to, target.n);
        if (!rq->host.n)
            return false;
    } else if (!str_starts(target, STR("/")) && !str_is(target, "*")) {
        return false;
    }
    rq->path = str_cut(&target, '?');
    rq->query = target.p ? target : STR("");
    if (!rq->path.n)
        rq->path = slash;
    return rq->path.n > 0;
}

static int read_request_line(struct http_head *h, str line)
{
    str rest = line, method = str_cut(&rest, ' '), target, version;

    target = rest.p ? str_cut(&rest, ' ') : STR_NONE;
    version = rest;
    if (!is_method(method) || !target.n || !version.p)
        return (int)head_refuse(h, 400, "The request line is malformed.");
    h->rq.method = method;
    if (version.n != 8 || !str_starts(version, STR("HTTP/")) || version.p[6] != '.' ||
        version.p[5] < '0' || version.p[5] > '9' || version.p[7] < '0' || version.p[7] > '9')
        return (int)head_refuse(h, 400, "The request line names no version of HTTP.");
    if (version.p[5] != '1')
        return (int)head_refuse(h, 505, "Only HTTP/1.1 and HTTP/1.0 are supported.");
    h->old = version.p[7] == '0';
    if (!read_target(&h->rq, target))
        return (int)head_refuse(h, 400, "The request's target is malformed.");
    return 0;
}

/* --- fields ----------------------------------------------------------------------------------- */

static int read_line(struct http_head *h, str line)
{
    size_t n = 0;
    str value;

    while (n < line.n && http_is_token((u8)line.p[n]))
        n++;
    if (n == 0 || n == line.n || line.p[n] != ':')
        return (int)head_refuse(h, 400, "A header field's name is malformed.");
    value = str_slice(line, n + 1, line.n);
    for (size_t i = 0; i < value.n; i++)
        if (!http_is_text((u8)value.p[i]))
            return (int)head_refuse(h, 400, "A header field contains a control character.");
    if (h->rq.field_count == HTTP_FIELDS_MAX)
        return (int)head_refuse(h, 431, "The request has too many header fields.");
    h->fields[h->rq.field_count++] = (struct http_field){str_slice(line, 0, n), str_trim(value)};
    return 0;
}

/* Fields that the server itself uses, collected over all of them. */
struct framing {
    u32 hosts;
    bool has_length, has_coding;
    bool close, keep_alive;
    str host;
};

/* Content-Length may be repeated, also within one field, as long as the values are equal (6.3). */
static int read_length(struct http_head *h, struct framing *f, str value)
{
    while (value.p) {
        str item = http_list_next(&value);
        u64 length = 0;

        if (!item.n)
            return (int)head_refuse(h, 400, "Content-Length is no number.");
        for (size_t i = 0; i < item.n; i++) {
            if (item.p[i] < '0' || item.p[i] > '9')
                return (int)head_refuse(h, 400, "Content-Length is no number.");
            length = length > INT64_MAX / 100 ? length : length * 10 + (u64)(item.p[i] - '0');
        }
        if (f->has_length && length != h->content_length)
            return (int)head_refuse(h, 400, "Content-Length is given twice, with two values.");
        f->has_length = true;
        h->content_length = length;
    }
    return 0;
}

static int read_coding(struct http_head *h, struct framing *f, str value)
{
    f->has_coding = true;
    while (value.p) {
        str item = http_list_next(&value);

        if (!str_eq_nocase(item, STR("chunked")))
            return (int)head_refuse(h, item.n ? 501 : 400,
                                    "The only supported transfer coding is chunked.");
        if (h->chunked)
            return (int)head_refuse(h, 400, "The body is chunked twice.");
        h->chunked = true;
    }
    return 0;
}

static int read_connection(struct http_head *h, struct framing *f, str value)
{
    while (value.p) {
        str item = http_list_next(&value);

        f->close |= str_eq_nocase(item, STR("close"));
        f->keep_alive |= str_eq_nocase(item, STR("keep-alive"));
    }
    return 0;
}

static int read_host(struct http_head *h, struct framing *f, str value)
{
    if (f->hosts++)
        return (int)head_refuse(h, 400, "The request has two Host fields.");
    f->host = value;
    return 0;
}

static int read_expect(struct http_head *h, struct framing *f, str value)
{
    if (!str_eq_nocase(value, STR("100-continue")))
        return (int)head_refuse(h, 417, "The only supported expectation is 100-continue.");
    h->expects = true;
    return 0;
}

static int read_origin(struct http_head *h, struct framing *f, str value)
{
    h->origin = value;
    return 0;
}

static int read_referer(struct http_head *h, struct framing *f, str value)
{
    h->referer = value;
    return 0;
}

static int read_fetch_site(struct http_head *h, struct framing *f, str value)
{
    h->fetch_site = value;
    return 0;
}

static int read_user_agent(struct http_head *h, struct framing *f, str value)
{
    h->user_agent = value;
    return 0;
}

static int read_language(struct http_head *h, struct framing *f, str value)
{
    h->language = value;
    return 0;
}

static int read_field(struct http_head *h, struct framing *f, const struct http_field *field)
{
    static const struct {
        str name;
        int (*read)(struct http_head *h, struct framing *f, str value);
    } known[] = {
        {STR_INIT("Host"), read_host},
        {STR_INIT("Expect"), read_expect},
        {STR_INIT("Origin"), read_origin},
        {STR_INIT("Referer"), read_referer},
        {STR_INIT("Connection"), read_connection},
        {STR_INIT("User-Agent"), read_user_agent},
        {STR_INIT("Content-Length"), read_length},
        {STR_INIT("Sec-Fetch-Site"), read_fetch_site},
        {STR_INIT("Accept-Language"), read_language},
        {STR_INIT("Transfer-Encoding"), read_coding},
    };

    for (size_t i = 0; i < ARRAY_LEN(known); i++)
        if (known[i].name.n == field->name.n && str_eq_nocase(known[i].name, field->name))
            return known[i].read(h, f, field->value);
    return 0;
}

static int read_framing(struct http_head *h)
{
    struct framing f = {.host = STR("")};
    int err = 0;

    for (u32 i = 0; i < h->rq.field_count && !err; i++)
        err = read_field(h, &f, &h->fields[i]);
    if (err)
        return err;
    if (!h->old && !f.hosts)
        return (int)head_refuse(h, 400, "The request has no Host.");
    if (f.has_coding && (f.has_length || h->old))
        return (int)head_refuse(
            h, 400, "Transfer-Encoding is combined with Content-Length, or with HTTP/1.0.");
    if (!h->rq.host.n)
        h->rq.host = f.host;
    h->keeps = !f.close && (!h->old || f.keep_alive);
    h->expects = h->expects && !h->old;
    return 0;
}

/* --- the whole -------------------------------------------------------------------------------- */

static void head_init(struct http_head *h)
{
    str none = STR("");

    memset(h, 0, offsetof(struct http_head, fields));
    h->rq = (struct http_request){.method = none,
                                  .path = none,
                                  .query = none,
                                  .host = none,
                                  .origin = none,
                                  .fields = h->fields,
                                  .body = none};
}

static int read_lines(struct http_head *h, str text)
{
    str line;
    int err = line_next(&text, &line) ? read_request_line(h, line) : 1;

    while (!err && line_next(&text, &line)) {
        if (!line.n)
            return read_framing(h);
        err = read_line(h, line);
    }
    return err < 0 ? err : (int)head_refuse(h, 400, "A line of the head does not end in CR LF.");
}

ptrdiff_t http_head_read(struct http_head *h, str bytes, size_t *scanned, size_t size_max)
{
    size_t blank = 0, size;
    int err;

    head_init(h);
    /* Empty lines before a request are skipped (2.2). */
    while (bytes.n - blank >= 2 && bytes.p[blank] == '\r' && bytes.p[blank + 1] == '\n')
        blank += 2;
    if (bytes.n > blank && !http_is_token((u8)bytes.p[blank]) && bytes.p[blank] != '\r')
        return head_refuse(h, 400, "This is not an HTTP request.");
    *scanned = MAX(*scanned, blank);
    size = bytes.n > blank ? head_end(bytes, scanned) : 0;
    if (size > size_max || (!size && bytes.n > size_max))
        return head_refuse(h, 431, "The request's head is too large.");
    if (!size)
        return 0;
    err = read_lines(h, str_slice(bytes, blank, size));
    return err < 0 ? err : (ptrdiff_t)size;
}

static void view_move(str *view, const char *from, const char *to)
{
    if (view->n)
        view->p = to + (view->p - from);
}

void http_head_move(struct http_head *h, const char *from, const char *to)
{
    struct http_request *rq = &h->rq;

    view_move(&rq->method, from, to);
    view_move(&rq->path, from, to);
    view_move(&rq->query, from, to);
    view_move(&rq->host, from, to);
    view_move(&rq->origin, from, to);
    view_move(&h->origin, from, to);
    view_move(&h->referer, from, to);
    view_move(&h->fetch_site, from, to);
    view_move(&h->user_agent, from, to);
    view_move(&h->language, from, to);
    for (u32 i = 0; i < rq->field_count; i++) {
        view_move(&h->fields[i].name, from, to);
        view_move(&h->fields[i].value, from, to);
    }
}
