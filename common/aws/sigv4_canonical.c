/* A request in the form that is signed:
 *
 *   METHOD \n path \n query \n (name:value \n)* \n signed headers \n digest of the body
 *
 * Path: segments without "." and "..", repeated slashes as one, percent-encoded once more. Query:
 * each name and value decoded and encoded again, sorted by name, then value, a presigned URL's own
 * signature left out. Headers: those listed, in the list's order, names in lower case, runs of
 * blanks as one, several of a name with commas. */
#include "common/aws/sigv4.h"

#include <stdlib.h>

#include "common/base/ascii.h"
#include "common/base/form.h"

#define PRESIGNED_SIGNATURE "X-Amz-Signature"

/* --- path ------------------------------------------------------------------------------------- */

/* Removes the last segment of what was written since `start`. */
static void drop_segment(struct buf *out, size_t start)
{
    while (out->n > start && out->p[--out->n] != '/')
        continue;
}

static void canonical_path(str path, bool as_sent, struct buf *out)
{
    size_t start = out->n;
    bool ends_in_slash = str_ends(path, STR("/"));

    for (str rest = str_slice(path, 1, path.n); rest.p;) {
        str segment = str_cut(&rest, '/');

        if (!as_sent && (segment.n == 0 || str_is(segment, ".")))
            continue;
        if (!as_sent && str_is(segment, "..")) {
            drop_segment(out, start);
            continue;
        }
        buf_char(out, '/');
        form_escape(out, segment);
    }
    if (out->n == start || (!as_sent && ends_in_slash))
        buf_char(out, '/');
}

/* --- query ------------------------------------------------------------------------------------ */

struct param {
    str name, value;
};

static int param_order(const void *a, const void *b)
{
    const struct param *left = a, *right = b;
    int order = str_cmp(left->name, right->name);

    return order ? order : str_cmp(left->value, right->value);
}

/* Decodes and encodes again; text that cannot be decoded stays. */
static str encode_again(str part, struct arena *arena)
{
    struct buf text = {0};
    str plain;

    if (form_unescape(part, true, arena, &plain))
        return part;
    form_escape(&text, plain);
    if (str_eq(buf_view(&text), part))
        plain = part;
    else
        plain = arena_dup(arena, buf_view(&text));
    buf_deinit(&text);
    return plain;
}

static void canonical_query(str query, bool as_sent, struct arena *arena, struct buf *out)
{
    size_t room = 1, n = 0;

    for (size_t i = 0; i < query.n; i++)
        room += query.p[i] == '&';
    struct param *params = arena_alloc(arena, room * sizeof *params);

    for (str rest = query; rest.n;) {
        str value = str_cut(&rest, '&'), name = str_cut(&value, '=');

        if (!value.p && !name.n)
            continue;
        value = value.p ? value : STR("");
        if (!as_sent) {
            name = encode_again(name, arena);
            value = encode_again(value, arena);
        }
        if (!str_is(name, PRESIGNED_SIGNATURE))
            params[n++] = (struct param){name, value};
    }
    qsort(params, n, sizeof *params, param_order);
    for (size_t i = 0; i < n; i++) {
        if (i)
            buf_char(out, '&');
        buf_str(out, params[i].name);
        buf_char(out, '=');
        buf_str(out, params[i].value);
    }
}

/* --- headers ---------------------------------------------------------------------------------- */

/* Appends the value with runs of blanks as one; copies the parts between them in one piece. */
static void put_header_value(struct buf *out, str value)
{
    size_t done = 0;

    value = str_trim(value);
    for (size_t i = 0; i < value.n; i++) {
        if (!ascii_is_blank(value.p[i]) || (value.p[i] == ' ' && !ascii_is_blank(value.p[i + 1])))
            continue; /* the last character is not a blank: there is a next one */
        buf_str(out, str_slice(value, done, i));
        buf_char(out, ' ');
        while (ascii_is_blank(value.p[i + 1]))
            i++;
        done = i + 1;
    }
    buf_str(out, str_slice(value, done, value.n));
}

static void put_lower(struct buf *out, str name)
{
    size_t start = out->n;

    buf_str(out, name);
    for (size_t i = start; i < out->n; i++)
        if (out->p[i] >= 'A' && out->p[i] <= 'Z')
            out->p[i] = (char)(out->p[i] | 0x20);
}

static void put_header(const struct request *rq, str name, struct buf *out)
{
    bool more = false;

    put_lower(out, name);
    buf_char(out, ':');
    for (u32 i = 0; i < rq->header_count; i++) {
        if (!str_eq_nocase(rq->headers[i].name, name))
            continue;
        if (more)
            buf_char(out, ',');
        put_header_value(out, rq->headers[i].value);
        more = true;
    }
    buf_char(out, '\n');
}

/* --- the whole -------------------------------------------------------------------------------- */

void sigv4_canonical(const struct request *rq, const struct identity *id, str digest,
                     unsigned as_sent, struct arena *arena, struct buf *out)
{
    buf_str(out, rq->method);
    buf_char(out, '\n');
    canonical_path(rq->path, as_sent & SIGV4_PATH_AS_SENT, out);
    buf_char(out, '\n');
    if (rq->query.n)
        canonical_query(rq->query, as_sent & SIGV4_QUERY_AS_SENT, arena, out);
    buf_char(out, '\n');
    for (str rest = id->signed_headers; rest.p;)
        put_header(rq, str_cut(&rest, ';'), out);
    buf_char(out, '\n');
    put_lower(out, id->signed_headers);
    buf_char(out, '\n');
    buf_str(out, digest);
}

str sigv4_query_param(const struct request *rq, const char *name, struct arena *arena)
{
    for (str rest = rq->query; rest.n;) {
        str value = str_cut(&rest, '&');

        if (!str_is(str_cut(&value, '='), name) || !value.p)
            continue;
        return form_unescape(value, false, arena, &value) ? STR_NONE : value;
    }
    return STR_NONE;
}

str sigv4_header(const struct request *rq, const char *name)
{
    for (u32 i = 0; i < rq->header_count; i++)
        if (str_eq_nocase(rq->headers[i].name, str_of(name)))
            return rq->headers[i].value;
    return STR("");
}
