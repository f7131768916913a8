#include "common/stats.h"

static const struct stats_counter *find(const struct stats *s, const char *name)
{
    for (size_t i = 0; i < s->n; i++)
        if (strcmp(s->counters[i].name, name) == 0)
            return &s->counters[i];
    return NULL;
}

void stats_add(struct stats *s, const char *name, const u64 *value)
{
    assert(s->n < STATS_MAX && !find(s, name));
    s->counters[s->n++] = (struct stats_counter){name, value};
}

u64 stats_get(const struct stats *s, const char *name)
{
    const struct stats_counter *c = find(s, name);
    return c ? *c->value : 0;
}

void stats_json(const struct stats *s, struct buf *out)
{
    buf_char(out, '{');
    for (size_t i = 0; i < s->n; i++) {
        if (i)
            buf_char(out, ',');
        buf_char(out, '"');
        buf_z(out, s->counters[i].name);
        buf_add(out, "\":", 2);
        buf_u64(out, *s->counters[i].value);
    }
    buf_char(out, '}');
}
