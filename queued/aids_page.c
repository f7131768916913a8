#include "queued/aids_page.h"

#include "common/aws/desk.h"
#include "common/aws/queue_page.h"
#include "common/base/mem.h"
#include "queued/aids.h"

static int aids_set(const struct aids_pages *p, struct queue *q, str body, struct fault *f)
{
    struct json_doc doc = {0};
    struct json_at root;
    struct aids none = {0}, *a = q->aids ? q->aids : &none;

    if (str_trim(body).n == 0)
        return fault_set(f, CALL_FAULT_SERIALIZATION, "the body must be a JSON object");
    if (json_open(&doc, body, NULL, false, f))
        return E_FAULT;
    root = json_root(&doc);
    int err = aids_read(a, q, p->service, &root, f);

    json_close(&doc);
    if (!err && !q->aids) {
        q->aids = mem_alloc(sizeof *q->aids);
        *q->aids = none;
    }
    return err;
}

static void aids_show(const struct aids_pages *p, struct call *c, const struct queue *q)
{
    static const struct aids none = {0};

    buf_reset(&c->scratch);
    aids_write(q->aids ? q->aids : &none, p->service, &c->scratch);
    call_page(c, 200, buf_view(&c->scratch));
}

static void aids_page(struct call *c, void *arg)
{
    const struct aids_pages *p = arg;
    struct queue_page page;
    struct fault f;

    fault_clear(&f);
    if (queue_page_read(c, &page)) {
        call_page_fail(c, 400, "the request cannot be read");
        return;
    }
    struct queue *q =
        queues_find(p->queues, page.place.account, page.place.region, page.place.name);

    if (!q) {
        queue_page_absent(c, &page);
    } else if (str_is(c->request.method, "POST") && aids_set(p, q, c->request.body, &f)) {
        call_page_fail(c, 400, "%s", f.text);
    } else {
        if (str_is(c->request.method, "DELETE")) {
            aids_free(q->aids);
            q->aids = NULL;
        }
        aids_show(p, c, q);
    }
}

void aids_pages_add(struct aids_pages *p, struct desk *d)
{
    queue_page_add(d, "aids", aids_page, p);
}
