/* Any bytes as what a client sends: a head is read or refused, and a chunked body behind it, the
 * same way whatever the pieces in which they come; every view stays inside. */
#include "common/base/mem.h"
#include "common/io/http_chunks.h"
#include "common/io/http_head.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { HEAD_MAX = 4096 };

static void check_view(str view, str in)
{
    assert(view.n == 0 || (view.p >= in.p && view.p + view.n <= in.p + in.n));
}

static void check_head(const struct http_head *h, str in)
{
    check_view(h->rq.method, in);
    check_view(h->rq.path, in);
    check_view(h->rq.query, in);
    check_view(h->rq.host, in);
    assert(h->rq.method.n && h->rq.path.n && h->rq.field_count <= HTTP_FIELDS_MAX);
    for (u32 i = 0; i < h->rq.field_count; i++) {
        check_view(h->fields[i].name, in);
        check_view(h->fields[i].value, in);
        assert(!memchr(h->fields[i].value.p, '\0', h->fields[i].value.n));
        assert(!memchr(h->fields[i].value.p, '\n', h->fields[i].value.n));
    }
    assert(!h->chunked || h->content_length == 0);
}

/* The result of a head that comes in two parts, cut at `cut`. */
static ptrdiff_t read_cut(struct http_head *h, str in, size_t cut)
{
    size_t scanned = 0;
    ptrdiff_t n = http_head_read(h, str_slice(in, 0, cut), &scanned, HEAD_MAX);

    return n ? n : http_head_read(h, in, &scanned, HEAD_MAX);
}

/* A body's data and how it ended, fed in pieces of `step` bytes. */
static ptrdiff_t unchunk(str in, size_t step, struct buf *out)
{
    struct http_chunks c = {0};
    size_t at = 0;

    while (at < in.n && !http_chunks_done(&c)) {
        str data, piece = str_slice(in, at, at + step);
        ptrdiff_t n = http_chunks_read(&c, piece, &data);

        if (n < 0)
            return n;
        assert(n > 0 && (size_t)n <= piece.n);
        check_view(data, piece);
        buf_str(out, data);
        at += (size_t)n;
    }
    return http_chunks_done(&c) ? (ptrdiff_t)at : 0;
}

static void check_chunks(str in)
{
    struct buf whole = {0}, parts = {0};
    ptrdiff_t a = unchunk(in, in.n, &whole), b = unchunk(in, 1, &parts);

    assert(a == b && str_eq(buf_view(&whole), buf_view(&parts)));
    buf_deinit(&whole);
    buf_deinit(&parts);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct http_head h;
    char *copy = mem_alloc(size ? size : 1);
    str in = {copy, size};
    ptrdiff_t whole;

    if (size)
        memcpy(copy, data, size);
    whole = read_cut(&h, in, size);
    if (whole > 0)
        check_head(&h, in);
    else
        assert(whole == 0 || (whole == E_FAULT && h.status >= 400 && h.why));
    for (size_t cut = 1; cut < MIN(size, 300); cut += 7) {
        ptrdiff_t n = read_cut(&h, in, cut);

        /* A refusal may come before the end does. */
        assert(n == whole || (n == E_FAULT && whole <= 0) || (whole == E_FAULT && n <= 0));
    }
    check_chunks(str_slice(in, whole > 0 ? (size_t)whole : 0, in.n));
    mem_free(copy);
    return 0;
}
