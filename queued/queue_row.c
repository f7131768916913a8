/* A queue's row in the store is one JSON object: its attributes, the state that must survive a
 * restart (purges, retention), and its tags as a nested object. */
#include "common/base/mem.h"
#include "common/base/scan.h"
#include "queued/queues.h"

void queue_save(struct queue *q)
{
    struct buf text = {0};
    buf_char(&text, '{');
    queue_attr_write(&q->attributes, &text);
    buf_printf(&text, ",\"purged_seq\":%" PRIu64 ",\"purged_ms\":%" PRId64, q->purged_seq,
               q->purged_ms);
    if (q->expired_seq)
        buf_printf(&text, ",\"expired_seq\":%" PRIu64 ",\"expired_ms\":%" PRId64, q->expired_seq,
                   q->expired_ms);
    if (q->dedup_by_group)
        buf_z(&text, ",\"dedup_by_group\":1");
    if (q->tags.n) {
        buf_z(&text, ",\"tags\":");
        tags_write(&q->tags, &text);
    }
    buf_char(&text, '}');
    queue_store_put_queue(q->all->store, &(struct queue_row){.id = q->id,
                                                             .account = q->account,
                                                             .region = q->region,
                                                             .name = q->name,
                                                             .attributes = buf_view(&text),
                                                             .created_ms = q->created_ms,
                                                             .modified_ms = q->modified_ms});
    buf_deinit(&text);
    loop_dirty(q->all->loop);
}

static void row_number(struct queue *q, str name, str spelling)
{
    i64 n;
    if (str_to_i64(spelling, &n))
        return;
    if (str_is(name, "purged_seq") || str_is(name, "purged_id")) /* the name in rows of version 1 */
        q->purged_seq = (u64)n;
    else if (str_is(name, "purged_ms"))
        q->purged_ms = n;
    else if (str_is(name, "expired_seq"))
        q->expired_seq = (u64)n;
    else if (str_is(name, "expired_ms"))
        q->expired_ms = n;
    else if (str_is(name, "dedup_by_group"))
        q->dedup_by_group = n;
    else
        queue_attr_read_int(&q->attributes, name, n);
}

/* Attribute names contain no escapes; tag keys, which come from callers, may. */
static void row_string(struct queue *q, bool is_tag, const struct scan_text *name,
                       const struct scan_text *text, struct arena *a)
{
    str value = scan_decode(text, a);
    if (is_tag)
        tags_set(&q->tags, scan_decode(name, a), value);
    else
        queue_attr_read_text(&q->attributes, name->raw, value);
}

int queue_read_row(struct queue *q, str attributes)
{
    struct scan s;
    struct scan_text text, name = {0};
    enum scan_token token;
    struct arena arena;
    scan_init(&s, attributes);
    arena_init(&arena);
    while ((token = scan_next(&s, &text)) != SCAN_END && token != SCAN_ERROR) {
        switch (token) {
        case SCAN_NAME: name = text; break;
        case SCAN_NUMBER: row_number(q, name.raw, text.raw); break;
        case SCAN_STRING: row_string(q, s.depth == 2, &name, &text, &arena); break;
        default: break;
        }
    }
    arena_deinit(&arena);
    return token == SCAN_ERROR ? E_INVALID : 0;
}
