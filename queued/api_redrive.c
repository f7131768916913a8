/* The actions on dead-letter queues. */
#include "queued/api.h"

void api_list_sources(struct call *c)
{
    const struct queue *q = api_queue(c);
    struct api_page page;
    str last = STR("");
    if (!q || api_read_page(c, str_of(q->arn), &page)) {
        call_done(c);
        return;
    }
    struct skiplist_node *n = redrive_sources_list(&q->all->sources, str_of(q->arn), page.after);
    call_out_list(c, "queueUrls", "QueueUrl");
    for (; n && page.max > 0; page.max--, n = skiplist_next(n)) {
        const struct queue *source = skiplist_value(n);
        api_out_url(c, source, NULL);
        last = source->key;
    }
    call_out_list_end(c);
    if (n)
        api_out_next(c, &page, last);
    call_done(c);
}
