/* One match: values are read and looked up, then the groups of every condition that fired are
 * evaluated, and their rows are reported as spans of ids. */
#include "filter/match/matcher.h"

#include "filter/match/attributes.h"

/* Serials and epochs restart long before they could wrap around. */
#define SERIAL_LIMIT 0xF0000000u

void filter_hits_deinit(struct filter_hits *h)
{
    mem_free(h->spans);
    *h = (struct filter_hits){0};
}

static void tell(struct filter_hits *h, const u32 *ids, u32 n)
{
    if (h->n == h->cap) {
        h->cap = h->cap ? h->cap * 2 : 64;
        h->spans = mem_grow(h->spans, h->cap * sizeof(*h->spans));
    }
    h->spans[h->n++] = (struct filter_span){ids, n};
    h->total += n;
}

/* --- rows ------------------------------------------------------------------------------------- */

static bool row_holds(struct matcher *m, const struct group *g, u32 at)
{
    for (u32 i = 0; i < g->vetoes; i++)
        if (m->mark[group_column(g, i)[at]] == m->epoch + 1)
            return false;
    for (u32 i = 0; i < g->asks; i++)
        if (!cond_true(m, group_column(g, g->vetoes + i)[at]))
            return false;
    return true;
}

/* The conditions of the row, for the same-element rule. */
static bool row_ties(struct matcher *m, const struct group *g, u32 at)
{
    u32 few[32], *conds = few, n = group_width(g);

    if (n > ARRAY_LEN(few))
        conds = mem_array(n, sizeof(*conds));
    group_row(g, at, conds);
    bool holds = same_element_holds(m, conds, n);
    if (conds != few)
        mem_free(conds);
    return holds;
}

/* A subscription with several rows is reported once per match. */
static bool first_time(struct matcher *m, u32 id)
{
    struct ref *head = &m->refs[matcher_find(m, id)];

    if (head->group)
        return true;
    if (head->at == m->epoch)
        return false;
    head->at = m->epoch;
    return true;
}

/* Appends the ids of the rows that hold to those picked before. */
static void pick_rows(struct matcher *m, const struct group *g, bool ties, struct filter_hits *ret)
{
    u32 from = m->picked_n, n = from;

    for (u32 at = 0; at < g->n; at++) {
        m->picked[n] = g->rows[at];
        if (!row_holds(m, g, at) || (ties && !row_ties(m, g, at)) ||
            (g->many && !first_time(m, g->rows[at])))
            continue;
        n++;
    }
    m->picked_n = n;
    if (n > from)
        tell(ret, m->picked + from, n - from);
}

/* The common case of one anything-but that few expressions share. */
static void pick_unless_vetoed(struct matcher *m, const struct group *g, struct filter_hits *ret)
{
    const u32 *column = group_column(g, 0), *mark = m->mark;
    u32 *to = m->picked + m->picked_n, n = 0, no = m->epoch + 1;

    for (u32 at = 0; at < g->n; at++) {
        to[n] = g->rows[at];
        n += mark[column[at]] != no;
    }
    m->picked_n += n;
    if (n)
        tell(ret, to, n);
}

/* The only number at the path. False: none, several, or another value. Not inlined: the loops over
 * rows need the registers that reading a number would take. */
static __attribute__((noinline)) bool only_number(struct matcher *m, u32 path, double *ret)
{
    const struct path_seen *seen = &m->seen[path];

    if (seen->epoch != m->epoch || seen->n != 1)
        return false;
    struct value *v = &m->event.values[seen->first];
    if (v->kind != VALUE_NUMBER)
        return false;
    *ret = event_approx(v);
    return __builtin_isfinite(*ret);
}

/* Ids of the rows whose bound admits the value and that nothing vetoes. False: a bound is too close
 * to the value for doubles to decide, and the rows must be evaluated one by one. */
static bool pick_by_bound(struct matcher *m, const struct group *g, double value,
                          struct filter_hits *ret)
{
    const u32 *column = group_column(g, 0), *mark = m->mark;
    u32 *to = m->picked + m->picked_n, n = 0, no = m->epoch + 1;
    bool above = g->side == SIDE_ABOVE, close = false;
    double error = __builtin_fabs(value) * 2 * DECIMAL_ERROR + DECIMAL_LEAST;

    for (u32 at = 0; at < g->n; at++) {
        double away = group_bound(g, at) - value;
        bool holds = above ? away < 0 : away > 0;
        close |= !(away > error || away < -error);
        to[n] = g->rows[at];
        n += holds & (g->vetoes == 0 || mark[column[at]] != no);
    }
    if (close)
        return false;
    m->picked_n += n;
    if (n)
        tell(ret, to, n);
    return true;
}

/* Whether the group could be evaluated by its bounds alone. */
static bool ask_bounds(struct matcher *m, const struct group *g, struct filter_hits *ret)
{
    if (!g->side || g->asks != 1 || g->vetoes > 1 || g->many)
        return false;
    double value;
    return only_number(m, g->side_path, &value) && pick_by_bound(m, g, value, ret);
}

/* --- groups ----------------------------------------------------------------------------------- */

static void ask_group(struct matcher *m, const struct group *g, struct filter_hits *ret)
{
    for (u32 i = 0; i < g->tail_n; i++)
        if (!cond_true(m, g->tail[i]))
            return;
    bool ties = m->event.tied && g->tail_n + g->vetoes + g->asks > 0;
    bool columns = g->asks || (g->vetoes && (m->vetoes || ties));
    if (ties && !columns && !row_ties(m, g, 0))
        return;
    if (!columns && !g->many)
        tell(ret, g->rows, g->n);
    else if (g->asks == 0 && g->vetoes == 1 && !ties && !g->many)
        pick_unless_vetoed(m, g, ret);
    else if (ties || !ask_bounds(m, g, ret))
        pick_rows(m, g, ties && columns, ret);
}

/* Groups of one pivot are scattered in memory: they are prefetched some steps ahead, and so are
 * their rows. */
enum { AHEAD_GROUP = 12, AHEAD_ROWS = 6 };

static void ask_groups_of(struct matcher *m, u32 cond, struct filter_hits *ret)
{
    const u32 *groups = cond_groups(&m->conds[cond]);
    u32 n = m->conds[cond].group_n;

    for (u32 i = 0; i < MIN(n, (u32)AHEAD_GROUP); i++)
        __builtin_prefetch(&m->groups[groups[i]]);
    for (u32 i = 0; i < n; i++) {
        if (i + AHEAD_GROUP < n)
            __builtin_prefetch(&m->groups[groups[i + AHEAD_GROUP]]);
        if (i + AHEAD_ROWS < n)
            __builtin_prefetch(m->groups[groups[i + AHEAD_ROWS]].rows);
        ask_group(m, &m->groups[groups[i]], ret);
    }
}

/* --- the match -------------------------------------------------------------------------------- */

/* Marks and serials of old matches must not recur. */
static void start_again(struct matcher *m)
{
    memset(m->mark, 0, m->cond_n * sizeof(*m->mark));
    for (u32 i = 0; i < m->path_n; i++)
        m->seen[i].epoch = 0;
    for (u32 i = 1; i < m->ref_n; i++)
        if (m->refs[i].group == 0)
            m->refs[i].at = 0;
    for (u32 i = 1; i < m->cond_n; i++) {
        struct cond *c = &m->conds[i];
        if (c->kind == COND_GRAM)
            c->gram.last = 0;
        else if (c->kind == COND_BUT || c->kind == COND_BUT_OR_ABSENT)
            c->kids.last = 0;
    }
    m->epoch = 2;
    m->serial = m->pairs_serial = 0;
}

static void start(struct matcher *m, struct filter_hits *ret)
{
    if (m->epoch > SERIAL_LIMIT || m->serial > SERIAL_LIMIT)
        start_again(m);
    m->epoch += 2;
    m->fired_n = m->picked_n = m->vetoes = 0;
    event_reset(&m->event);
    m->event.seen = m->seen;
    m->event.epoch = m->epoch;
    if (m->picked_cap <= m->count) { /* one spare: a row is written before it is evaluated */
        m->picked_cap = m->count + m->count / 2 + 1;
        mem_free(m->picked);
        m->picked = mem_grow(NULL, m->picked_cap * sizeof(*m->picked));
    }
    ret->n = 0;
    ret->total = 0;
    ret->attributes = ret->body = FILTER_ELIGIBLE;
}

static void match_scope(struct matcher *m, struct filter_hits *ret)
{
    event_close(m);
    matcher_lookup(m);
    for (u32 i = 0; i < m->fired_n; i++)
        ask_groups_of(m, m->fired[i], ret);
    m->fired_n = 0;
}

/* Whether any policy has this scope. */
static bool scope_in_use(const struct matcher *m, enum filter_scope scope)
{
    return m->paths[m->root[scope]].refs > 1;
}

void matcher_match(struct matcher *m, const struct filter_message *msg, struct filter_hits *ret)
{
    start(m, ret);
    if (m->always)
        ask_groups_of(m, m->always, ret);
    if (scope_in_use(m, FILTER_ATTRIBUTES)) {
        ret->attributes = attributes_read(m, msg->attrs, msg->attr_count);
        if (ret->attributes == FILTER_ELIGIBLE) {
            if (m->scope[FILTER_ATTRIBUTES])
                matcher_fire(m, m->scope[FILTER_ATTRIBUTES]);
            match_scope(m, ret);
        }
        event_reset(&m->event);
        m->vetoes = 0;
    }
    if (scope_in_use(m, FILTER_BODY)) {
        bool empty = false;
        if (!body_read(m, msg->body, &empty)) {
            ret->body = FILTER_INVALID_BODY;
        } else if (!empty || DEFAULT_EMPTY_BODY_MATCHES) {
            if (m->scope[FILTER_BODY])
                matcher_fire(m, m->scope[FILTER_BODY]);
            match_scope(m, ret);
        }
    }
}
