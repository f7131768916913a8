/* Rows of groups: adding, removing, and merging sparse groups.
 *
 * Invariants:
 * 1. Every row references its pivot, each tail condition and each column once, and has one ref that
 *    names its group and place.
 * 2. A group is in its pivot's list of groups as long as it has rows, and its pivot is watched.
 * 3. Every row is counted at the paths where its conditions could have to agree
 *    (same_element_count). */
#include "filter/match/group.h"

#include "filter/match/key.h"
#include "filter/match/matcher.h"

enum { KIND_GROUP = 101 };

static u32 key_tag(const struct matcher *m, const struct group_key *key)
{
    u64 h = key_start(m->seed, KIND_GROUP, key->pivot);

    h = key_step(h, (u64)key->vetoes << 32 | key->asks);
    h = key_step(h, key->tail_n | (u64)key->many << 32 | (u64)key->side << 40);
    h = key_step(h, key->side_path);
    for (u32 i = 0; i < key->tail_n; i++)
        h = key_step(h, key->tail[i]);
    return key_end(h, 0, 0);
}

static bool same_key(const struct group *g, const struct group_key *key)
{
    return g->pivot == key->pivot && g->many == key->many && g->tail_n == key->tail_n &&
           g->vetoes == key->vetoes && g->asks == key->asks && g->side == key->side &&
           g->side_path == key->side_path &&
           memcmp(g->tail, key->tail, key->tail_n * sizeof(u32)) == 0;
}

/* u32s in a row, including its bound. */
static u32 width_of(const struct group *g)
{
    return 1 + g->vetoes + g->asks + (g->side ? 2 : 0);
}

static size_t rows_size(const struct group *g, u32 cap)
{
    return (size_t)cap * width_of(g) * sizeof(u32);
}

static void put_bound(struct matcher *m, struct group *g, u32 at)
{
    if (!g->side)
        return;
    const struct range *r = m->conds[group_column(g, g->vetoes)[at]].range;
    u32 *bounds = g->rows + (size_t)g->cap * (1 + g->vetoes + g->asks);
    memcpy(bounds + (size_t)at * 2, g->side == SIDE_ABOVE ? &r->low : &r->high, sizeof(double));
}

/* Reallocates the rows for `cap` of them. */
static void move_to(struct matcher *m, struct group *g, u32 cap)
{
    struct group old = *g;
    u32 width = 1 + g->vetoes + g->asks;

    g->cap = cap;
    g->rows = matcher_alloc(m, rows_size(g, cap));
    for (u32 i = 0; i < width && g->n; i++)
        memcpy(g->rows + (size_t)i * cap, old.rows + (size_t)i * old.cap, g->n * sizeof(u32));
    if (g->side && g->n)
        memcpy(g->rows + (size_t)width * cap, old.rows + (size_t)width * old.cap,
               g->n * sizeof(double));
    if (old.rows)
        matcher_release(m, old.rows, rows_size(&old, old.cap));
}

static u32 group_create(struct matcher *m, const struct group_key *key, u32 tag)
{
    u32 id = m->group_free;

    if (id) {
        m->group_free = m->groups[id].n;
    } else {
        id = m->group_n++;
        m->groups = matcher_large_room(m->groups, &m->group_cap, id, sizeof(*m->groups));
    }
    struct group *g = &m->groups[id];
    *g = (struct group){.pivot = key->pivot,
                        .tag = tag,
                        .tail_n = (u8)key->tail_n,
                        .many = key->many,
                        .current = true,
                        .side = (u8)key->side,
                        .side_path = key->side_path,
                        .vetoes = key->vetoes,
                        .asks = key->asks};
    memcpy(g->tail, key->tail, key->tail_n * sizeof(u32));
    table_put(&m->group_table, tag, id);
    ids_add(m, &m->conds[key->pivot].groups, &m->conds[key->pivot].group_n, id);
    cond_watch(m, key->pivot);
    return id;
}

static void group_free(struct matcher *m, u32 id)
{
    struct group *g = &m->groups[id];
    u32 pivot = g->pivot;

    assert(g->n == 0);
    if (g->current)
        table_remove(&m->group_table, g->tag, id);
    ids_remove(m, &m->conds[pivot].groups, &m->conds[pivot].group_n, id);
    if (g->rows)
        matcher_release(m, g->rows, rows_size(g, g->cap));
    *g = (struct group){.n = m->group_free};
    m->group_free = id;
    cond_unwatch(m, pivot);
}

/* The group that takes new rows of this key, with room for one more. */
static u32 current_group(struct matcher *m, const struct group_key *key)
{
    struct table_walk w;
    u32 id, tag = key_tag(m, key);

    table_start(&w, &m->group_table, tag);
    while ((id = table_next(&w)) != 0)
        if (same_key(&m->groups[id], key))
            break;
    if (id && m->groups[id].n < GROUP_ROWS_MAX)
        return id;
    if (id) {
        m->groups[id].current = false;
        table_remove(&m->group_table, tag, id);
    }
    return group_create(m, key, tag);
}

static u32 put_row(struct matcher *m, u32 group, u32 id, const u32 *columns, size_t stride)
{
    struct group *g = &m->groups[group];
    u32 at = g->n, width = g->vetoes + g->asks;

    if (at == g->cap)
        move_to(m, g, g->cap < 4 ? g->cap + 1 : MIN(g->cap + g->cap / 2, GROUP_ROWS_MAX));
    g->n++;
    g->rows[at] = id;
    for (u32 i = 0; i < width; i++)
        g->rows[(size_t)(1 + i) * g->cap + at] = columns[i * stride];
    put_bound(m, g, at);
    return at;
}

static void count_ties(struct matcher *m, const struct group *g, u32 at, i32 change)
{
    u32 few[32], *conds = few, n = group_width(g);

    if (n == 1)
        return;
    if (n > ARRAY_LEN(few))
        conds = mem_array(n, sizeof(*conds));
    group_row(g, at, conds);
    same_element_count(m, conds, n, change);
    if (conds != few)
        mem_free(conds);
}

u32 group_add(struct matcher *m, const struct group_key *key, u32 id, const u32 *columns,
              u32 *ret_at)
{
    u32 group = current_group(m, key);

    *ret_at = put_row(m, group, id, columns, 1);
    count_ties(m, &m->groups[group], *ret_at, 1);
    return group;
}

/* Fills the gap that removing row `at` leaves. */
static void drop_row(struct matcher *m, u32 group, u32 at)
{
    struct group *g = &m->groups[group];
    u32 last = --g->n, width = g->vetoes + g->asks;

    if (at == last)
        return;
    for (u32 i = 0; i <= width; i++)
        g->rows[(size_t)i * g->cap + at] = g->rows[(size_t)i * g->cap + last];
    put_bound(m, g, at);
    matcher_row_moved(m, g->rows[at], group, group, last, at);
}

/* Returns memory when most of it is unused. */
static void thin(struct matcher *m, u32 group)
{
    struct group *g = &m->groups[group];

    if (g->cap < 16 || g->n > g->cap / 4)
        return;
    move_to(m, g, g->n + g->n / 2 + 1);
}

void group_remove(struct matcher *m, u32 group, u32 at)
{
    u32 few[32], *conds = few, n = group_width(&m->groups[group]);

    if (n > ARRAY_LEN(few))
        conds = mem_array(n, sizeof(*conds));
    group_row(&m->groups[group], at, conds);
    same_element_count(m, conds, n, -1);
    drop_row(m, group, at);
    if (m->groups[group].n == 0)
        group_free(m, group);
    else
        thin(m, group);
    while (n > 0) /* the pivot last */
        cond_release(m, conds[--n]);
    if (conds != few)
        mem_free(conds);
}

/* Moves rows of a sparse group to the one that takes new rows; returns how many. */
static u32 move_rows(struct matcher *m, u32 from, u32 budget)
{
    struct group_key key = {.pivot = m->groups[from].pivot, .many = m->groups[from].many};

    key.tail_n = m->groups[from].tail_n;
    key.vetoes = m->groups[from].vetoes;
    key.asks = m->groups[from].asks;
    key.side = m->groups[from].side;
    key.side_path = m->groups[from].side_path;
    memcpy(key.tail, m->groups[from].tail, sizeof(key.tail));
    u32 to = current_group(m, &key), moved = 0;
    while (moved < budget && m->groups[from].n && m->groups[to].n < GROUP_ROWS_MAX) {
        struct group *g = &m->groups[from];
        u32 last = g->n - 1, id = g->rows[last];
        u32 at = put_row(m, to, id, g->rows + g->cap + last, g->cap);
        m->groups[from].n--;
        matcher_row_moved(m, id, to, from, last, at);
        moved++;
    }
    if (m->groups[from].n == 0)
        group_free(m, from);
    return moved;
}

bool group_compact(struct matcher *m, u32 budget)
{
    u32 done = 0;

    while (done < budget && m->sweep_at < m->group_n) {
        struct group *g = &m->groups[m->sweep_at];
        done++;
        if (!g->pivot || g->current || g->n > GROUP_ROWS_MAX / 2)
            m->sweep_at++;
        else
            done += move_rows(m, m->sweep_at, budget - done + 1);
    }
    if (m->sweep_at < m->group_n)
        return true;
    m->sweep_at = 1;
    return false;
}
