#include "topicd/fanout.h"

#define FANOUT_CAP_MIN 64

void fanout_init(struct fanout *f, struct directory *d)
{
    *f = (struct fanout){.directory = d};
    f->counts = mem_array(d->queued_count, sizeof(*f->counts));
}

void fanout_deinit(struct fanout *f)
{
    filter_hits_deinit(&f->hits);
    mem_free(f->targets);
    mem_free(f->counts);
}

static void make_room(struct fanout *f, u64 n)
{
    if (n <= f->cap)
        return;
    f->cap = MAX((size_t)n + (size_t)n / 2, (size_t)FANOUT_CAP_MIN);
    f->targets = mem_grow(f->targets, f->cap * sizeof(*f->targets));
}

/* The queue's home is remembered until the directory changes. */
static u32 home_of(struct fanout *f, struct sub *u)
{
    if (f->directory->queued_count == 1)
        return 0;
    if (u->home_version != f->directory->version) {
        u->home = directory_home(f->directory, sub_endpoint(u));
        u->home_version = f->directory->version;
    }
    return u->home;
}

static void add(struct fanout *f, struct sub *u, size_t attr_count)
{
    /* SQS takes no more attributes: the service counts it as the subscriber's mistake and does not
     * try again (Amazon SNS raw message delivery). */
    if (u->raw && attr_count > ATTR_RAW_MAX) {
        f->refused_raw++;
        return;
    }
    u32 queued = home_of(f, u);

    f->targets[f->n++] = (struct fanout_target){u, queued};
    f->counts[queued]++;
}

void fanout_plan(struct fanout *f, struct topic *t, const struct attr_list *attrs, str body)
{
    struct filter_message message = {attrs->items, attrs->n, body};

    f->n = 0;
    memset(f->counts, 0, f->directory->queued_count * sizeof(*f->counts));
    f->published++;
    if (t->subs.n == 0)
        return;
    matcher_match(t->matcher, &message, &f->hits);
    f->matched += f->hits.total;
    f->filtered_out += t->subs.n - f->hits.total;
    make_room(f, f->hits.total);
    for (size_t i = 0; i < f->hits.n; i++) {
        const struct filter_span *span = &f->hits.spans[i];

        for (u32 k = 0; k < span->n; k++) {
            struct sub *u = slots_get(&t->subs, span->ids[k]);

            assert(u);
            add(f, u, attrs->n);
        }
    }
}
