/* Groups: expressions that share their pivot and their popular conditions (the tail), one row each.
 * A row is a subscription's id and a fixed number of columns, each naming a condition that only few
 * expressions use: first those that hold unless something vetoes them (anything-but, absence), then
 * those that must be evaluated.
 *
 * A range with one bound is evaluated faster: if the first evaluated column of all rows is such a
 * range, all at one path and open to the same side, the bounds are kept beside the rows as doubles,
 * and a value is compared with those.
 *
 * The rows' ids are contiguous, so a group without columns yields one span. A group is bounded in
 * size; when it is full, another one with the same key is started. */
#ifndef TOQUE_FILTER_GROUP_H
#define TOQUE_FILTER_GROUP_H

#include "common/base/base.h"

struct matcher;

#define GROUP_ROWS_MAX 4096 /* bounds what growing or moving one group can cost at a time */
#define GROUP_TAIL_MAX 6    /* further conditions go into columns */

/* On which side of its bound the values of a one-sided range lie. */
enum group_side { SIDE_NONE, SIDE_ABOVE, SIDE_BELOW };

struct group {
    u32 pivot; /* 0: free */
    u32 n, cap;
    u32 tag;
    u8 tail_n;
    bool many;        /* a subscription has several rows that may hold at once: each id is reported
                   * once */
    bool current;     /* in the table: where new rows go */
    u8 side;          /* enum group_side of the first asked column */
    u32 vetoes, asks; /* columns of each kind */
    u32 side_path;    /* path of that column, if it has a side */
    u32 tail[GROUP_TAIL_MAX];
    u32 *rows; /* cap ids, then cap conditions per column, then cap bounds */
};

static inline const u32 *group_column(const struct group *g, u32 column)
{
    return g->rows + (size_t)g->cap * (1 + column);
}

/* The bound of row `at`, in a group with a side. */
static inline double group_bound(const struct group *g, u32 at)
{
    double bound;

    memcpy(&bound, group_column(g, g->vetoes + g->asks) + (size_t)at * 2, sizeof(bound));
    return bound;
}

/* Conditions of a row: pivot, tail and columns. */
static inline u32 group_width(const struct group *g)
{
    return 1 + g->tail_n + g->vetoes + g->asks;
}
static inline void group_row(const struct group *g, u32 at, u32 *conds)
{
    *conds++ = g->pivot;
    for (u32 i = 0; i < g->tail_n; i++)
        *conds++ = g->tail[i];
    for (u32 i = 0; i < g->vetoes + g->asks; i++)
        *conds++ = group_column(g, i)[at];
}

/* What identifies a group, and a row's columns. */
struct group_key {
    u32 pivot;
    bool many;
    enum group_side side;
    u32 side_path;
    u32 tail_n, vetoes, asks;
    u32 tail[GROUP_TAIL_MAX]; /* ascending */
};

/* Adds a row to the group with that key; takes over the references to pivot, tail and columns.
 * Returns the group; *ret_at is the row. */
u32 group_add(struct matcher *m, const struct group_key *key, u32 id, const u32 *columns,
              u32 *ret_at);
/* Removes the row and releases its references. The last row moves into its place. */
void group_remove(struct matcher *m, u32 group, u32 at);
/* Merges the rows of sparse groups with equal keys, about `budget` rows; true: the round is not
 * finished. */
bool group_compact(struct matcher *m, u32 budget);

#endif
