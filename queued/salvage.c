#include "queued/salvage.h"

#include "common/base/mem.h"
#include "queued/content.h"
#include "queued/msg.h"

/* Rows that one turn of the copy writes. */
#define TURN_ROWS 1000
/* Bytes of a page. SQLite takes a shorter file for an empty one, and would make a store of it. */
#define STORE_BYTES_MIN 4096

struct salvaging {
    struct queue_store *from, *to; /* `to` NULL: nothing is copied */
    FILE *told;
    struct salvage found;
    struct idmap bodies; /* body rows that are sound, and already copied */
    struct idmap copied; /* messages, by seq */
    struct buf work;
    u32 turn_rows;
    /* The body that is being read. */
    struct body_fetch fetch;
    bool is_raw;
    str origin;
    int err;
};

/* Called after each row: commits a turn when it has TURN_ROWS rows. An error of the copy ends the
 * walk. */
static int turn_end(struct salvaging *s, bool now)
{
    u64 ticket;
    if (!s->to || (!now && ++s->turn_rows < TURN_ROWS))
        return 0;
    s->turn_rows = 0;
    return queue_store_commit(s->to, &ticket);
}

static int on_queue(void *arg, const struct queue_row *row)
{
    struct salvaging *s = arg;
    if (row->id == 0) {
        s->found.rows++;
        return 0;
    }
    s->found.queues++;
    if (s->to)
        queue_store_put_queue(s->to, row);
    return turn_end(s, false);
}

static int on_task(void *arg, const struct task_row *row)
{
    struct salvaging *s = arg;
    s->found.tasks++;
    if (s->to && row->id)
        queue_store_put_task(s->to, row);
    return turn_end(s, false);
}

/* --- messages --------------------------------------------------------------------------------- */

static void salvage_body_came(struct body_fetch *f, u32 i, int err, str row)
{
    struct salvaging *s = container_of(f, struct salvaging, fetch);
    struct content content;
    s->err = err ? err : content_read(row, s->is_raw, s->origin, &s->work, &content);
    if (!s->err && s->to)
        queue_store_add_body(s->to, f->ids[i], row);
}

static void salvage_fetched(struct body_fetch *f)
{
}

/* Checks and copies the body; a body that several messages hold is read once. */
static int body_take(struct salvaging *s, const struct message_row *row)
{
    u64 id = row->body ? row->body : row->seq;
    if (idmap_get(&s->bodies, id))
        return 0;
    s->fetch = (struct body_fetch){
        .body = salvage_body_came, .done = salvage_fetched, .n = 1, .ids = {id}};
    s->is_raw = row->flags & MSG_RAW;
    s->origin = row->origin;
    s->err = E_NOT_FOUND;
    queue_store_fetch(s->from, &s->fetch);
    if (!s->err)
        idmap_put(&s->bodies, id, s);
    return s->err;
}

static int on_message(void *arg, const struct message_row *row)
{
    struct salvaging *s = arg;
    struct message_row copy = *row;
    u8 identity[MSG_IDENTITY_SIZE];
    if (row->seq == 0 || row->seq > INT64_MAX || row->body > INT64_MAX || row->queue == 0) {
        s->found.rows++;
        return 0;
    }
    int err = body_take(s, row);
    if (err) {
        s->found.bodies++;
        fprintf(s->told, "message %" PRIu64 " of queue %" PRIu64 ": its body: %s\n", row->seq,
                row->queue, err_text(err));
        return 0;
    }
    s->found.messages++;
    if (!s->to)
        return 0;
    if (row->identity.n == 0) { /* derived from the secret, which differs in the copy */
        id_derive(queue_store_secret(s->from), row->seq, identity);
        copy.identity = str_from(identity, sizeof identity);
    }
    queue_store_add_message(s->to, &copy);
    idmap_put(&s->copied, row->seq, s);
    return turn_end(s, false);
}

/* A history whose message is left out is left out too. */
static int on_history(void *arg, u64 seq, str deliveries)
{
    struct salvaging *s = arg;
    if (!idmap_get(&s->copied, seq))
        return 0;
    queue_store_put_history(s->to, seq, deliveries);
    return turn_end(s, false);
}

static int on_dedup(void *arg, const struct dedup_row *row)
{
    struct salvaging *s = arg;
    if (s->to && row->seq && row->key.n == MSG_IDENTITY_SIZE)
        queue_store_add_dedup(s->to, row);
    return turn_end(s, false);
}

/* --- all of it -------------------------------------------------------------------------------- */

static int store_walk(struct salvaging *s, struct fault *f)
{
    int err = queue_store_load(s->from, &(struct queue_store_walk){.queue = on_queue,
                                                                   .task = on_task,
                                                                   .message = on_message,
                                                                   .history = on_history,
                                                                   .dedup = on_dedup,
                                                                   .arg = s});
    if (!err)
        err = turn_end(s, true);
    s->found.places = queue_store_unreadable(s->from);
    return err ? fault_set(f, err, "the store cannot be %s: %s", s->to ? "copied" : "read",
                           err_text(err))
               : 0;
}

int salvage_check(const char *from_dir, const char *to_dir, struct fault *f)
{
    i64 bytes = queue_store_sqlite_bytes(from_dir);
    if (bytes < 0)
        return fault_set(f, E_NOT_FOUND, "there is no store in %s", from_dir);
    if (bytes < STORE_BYTES_MIN)
        return fault_set(f, E_INVALID, "the store in %s has only %" PRId64 " bytes", from_dir,
                         bytes);
    if (to_dir && queue_store_sqlite_bytes(to_dir) >= 0)
        return fault_set(f, E_EXISTS,
                         "there is a store in %s already; the copy needs a directory without one",
                         to_dir);
    return 0;
}

int salvage_run(const struct store_options *from, const char *to_dir, FILE *told,
                struct salvage *ret, struct fault *f)
{
    struct salvaging s = {.told = told};
    struct store_options to = *from;
    int err = queue_store_open(&s.from, from, f);
    if (!err && to_dir) {
        to.dir = to_dir;
        err = queue_store_open(&s.to, &to, f);
    }
    idmap_init(&s.bodies, NULL);
    idmap_init(&s.copied, NULL);
    if (!err)
        err = store_walk(&s, f);
    *ret = s.found;
    idmap_deinit(&s.copied);
    idmap_deinit(&s.bodies);
    buf_deinit(&s.work);
    queue_store_close(s.to);
    queue_store_close(s.from);
    return err;
}
