/* The public side of the matcher: creating, changing and freeing. Matching itself is in match.c. */
#include "filter/match/matcher.h"

#include "common/base/map.h"
#include "filter/match/key.h"

/* What one matcher_step does at most. */
enum { STEP_SLOTS = 512, STEP_ROWS = 64 };

/* --- memory ----------------------------------------------------------------------------------- */

void *matcher_alloc(struct matcher *m, size_t size)
{
    m->small_bytes += size;
    return mem_grow(NULL, size);
}

void *matcher_realloc(struct matcher *m, void *p, size_t old, size_t size)
{
    m->small_bytes += size - old;
    return mem_grow(p, size);
}

void matcher_release(struct matcher *m, void *p, size_t size)
{
    m->small_bytes -= size;
    mem_free(p);
}

void *matcher_room(void *p, u32 *cap, u32 n, size_t item)
{
    if (n < *cap)
        return p;
    *cap = MAX(16, n + n / 2);
    return mem_grow(p, (size_t)*cap * item);
}

void *matcher_large_room(void *p, u32 *cap, u32 n, size_t item)
{
    u32 old = *cap;

    if (n < old)
        return p;
    *cap = MAX(16, n + n / 2);
    return pages_grow(p, (size_t)old * item, (size_t)*cap * item);
}

size_t matcher_bytes(const struct matcher *m)
{
    return sizeof(*m) + m->small_bytes + m->cond_n * (sizeof(*m->conds) + sizeof(*m->mark)) +
           m->path_n * (sizeof(*m->paths) + sizeof(*m->seen)) + m->group_n * sizeof(*m->groups) +
           m->ref_n * sizeof(*m->refs) + table_bytes(&m->cond_table) + table_bytes(&m->path_table) +
           table_bytes(&m->group_table) + table_bytes(&m->id_table);
}

/* --- life ------------------------------------------------------------------------------------- */

struct matcher *matcher_new(const struct map_seed *seed)
{
    struct matcher *m = mem_alloc(sizeof(*m));

    table_init(&m->cond_table);
    table_init(&m->path_table);
    table_init(&m->group_table);
    table_init(&m->id_table);
    m->seed = map_hash(seed, STR("matcher"));
    m->cond_n = m->path_n = m->group_n = m->ref_n = 1;
    m->conds = matcher_large_room(NULL, &m->cond_cap, 0, sizeof(*m->conds));
    m->mark = mem_array(m->cond_cap, sizeof(*m->mark));
    m->paths = matcher_large_room(NULL, &m->path_cap, 0, sizeof(*m->paths));
    m->seen = mem_array(m->path_cap, sizeof(*m->seen));
    m->groups = matcher_large_room(NULL, &m->group_cap, 0, sizeof(*m->groups));
    m->refs = matcher_large_room(NULL, &m->ref_cap, 0, sizeof(*m->refs));
    m->conds[0] = (struct cond){.kind = COND_ALWAYS};
    m->paths[0] = (struct path){.refs = 1};
    m->seen[0] = (struct path_seen){0};
    m->root[FILTER_ATTRIBUTES] = path_root(m);
    m->root[FILTER_BODY] = path_root(m);
    m->sweep_at = 1;
    m->epoch = 2;
    event_init(&m->event);
    return m;
}

/* Frees what a condition owns besides itself. */
static void free_cond(const struct cond *c)
{
    if (c->kind < COND_LOOKED_UP && c->n > sizeof(c->in))
        mem_free(c->text);
    else if (c->kind == COND_WILDCARD)
        mem_free(c->wild);
    else if (c->kind == COND_RANGE)
        mem_free(c->range);
    else if (c->kind == COND_OR || c->kind == COND_BUT || c->kind == COND_BUT_OR_ABSENT)
        mem_free(c->kids.ids);
    if (c->parent_n > 1)
        mem_free(c->parents.many);
    if (c->group_n > 1)
        mem_free(c->groups.many);
}

static void free_parts(struct matcher *m)
{
    for (u32 i = 1; i < m->cond_n; i++)
        free_cond(&m->conds[i]);
    for (u32 i = 1; i < m->path_n; i++) {
        mem_free(m->paths[i].steps);
        mem_free(m->paths[i].kids);
        if (m->paths[i].name_n > sizeof(m->paths[i].name.in))
            mem_free(m->paths[i].name.text);
    }
    for (u32 i = 1; i < m->group_n; i++)
        mem_free(m->groups[i].rows);
}

void matcher_free(struct matcher *m)
{
    if (!m)
        return;
    free_parts(m);
    body_free(m->body);
    same_element_free(m->same_element);
    event_deinit(&m->event);
    mem_free(m->folded);
    mem_free(m->but);
    mem_free(m->picked);
    mem_free(m->fired);
    pages_free(m->refs, m->ref_cap * sizeof(*m->refs));
    pages_free(m->groups, m->group_cap * sizeof(*m->groups));
    pages_free(m->seen, m->path_cap * sizeof(*m->seen));
    pages_free(m->paths, m->path_cap * sizeof(*m->paths));
    pages_free(m->mark, m->cond_cap * sizeof(*m->mark));
    pages_free(m->conds, m->cond_cap * sizeof(*m->conds));
    table_deinit(&m->id_table);
    table_deinit(&m->group_table);
    table_deinit(&m->path_table);
    table_deinit(&m->cond_table);
    mem_free(m);
}

u32 matcher_count(const struct matcher *m)
{
    return m->count;
}

/* --- refs ------------------------------------------------------------------------------------- */

u32 matcher_find(const struct matcher *m, u32 id)
{
    struct table_walk w;

    table_start(&w, &m->id_table, key_of_id(m->seed, id));
    return table_next(&w);
}

static u32 ref_new(struct matcher *m, u32 group, u32 at, u32 next)
{
    u32 ref = m->ref_free;

    if (ref) {
        m->ref_free = m->refs[ref].next;
    } else {
        ref = m->ref_n++;
        m->refs = matcher_large_room(m->refs, &m->ref_cap, ref, sizeof(*m->refs));
    }
    m->refs[ref] = (struct ref){group, at, next};
    return ref;
}

static void ref_free(struct matcher *m, u32 ref)
{
    m->refs[ref] = (struct ref){.next = m->ref_free};
    m->ref_free = ref;
}

void matcher_ref_add(struct matcher *m, u32 id, u32 group, u32 at)
{
    u32 head = m->adding;

    if (!head) {
        m->adding = ref_new(m, group, at, 0);
        table_put(&m->id_table, key_of_id(m->seed, id), m->adding);
        return;
    }
    if (m->refs[head].group) {
        struct ref first = m->refs[head];
        u32 moved = ref_new(m, first.group, first.at, 0);
        m->refs[head] = (struct ref){.next = moved};
    }
    u32 ref = ref_new(m, group, at, m->refs[head].next);
    m->refs[head].next = ref;
}

void matcher_row_moved(struct matcher *m, u32 id, u32 group, u32 from_group, u32 from, u32 to)
{
    u32 ref = matcher_find(m, id);

    while (m->refs[ref].group != from_group || m->refs[ref].at != from) {
        ref = m->refs[ref].next;
        assert(ref != 0);
    }
    m->refs[ref].group = group;
    m->refs[ref].at = to;
}

/* --- changes ---------------------------------------------------------------------------------- */

static void add_branch(struct matcher *m, u32 id, const struct policy *p, u32 branch)
{
    const struct policy_branch *b = &p->branches[branch];
    u32 few[16], *conds = few;

    if (b->n > ARRAY_LEN(few))
        conds = mem_array(b->n, sizeof(*conds));
    for (u32 i = 0; i < b->n; i++)
        conds[i] = compile_leaf(m, p->scope, b->leaves[i]);
    compile_expression(m, p->scope, id, conds, b->n, p->n > 1);
    if (conds != few)
        mem_free(conds);
}

void matcher_add(struct matcher *m, u32 id, const struct policy *p)
{
    assert(matcher_find(m, id) == 0);
    m->adding = 0;
    m->count++;
    if (!p || p->n == 0) {
        struct group_key key = {.pivot = cond_of_path(m, COND_ALWAYS, 0)};
        u32 at, group = group_add(m, &key, id, NULL, &at);
        matcher_ref_add(m, id, group, at);
        return;
    }
    for (u32 i = 0; i < p->n; i++)
        add_branch(m, id, p, i);
}

int matcher_remove(struct matcher *m, u32 id)
{
    u32 head = matcher_find(m, id);

    if (!head)
        return E_NOT_FOUND;
    /* The first ref is removed last: rows of this id may move while others are removed. */
    while (m->refs[head].next) {
        u32 ref = m->refs[head].next;
        struct ref row = m->refs[ref];
        m->refs[head].next = row.next;
        ref_free(m, ref);
        group_remove(m, row.group, row.at);
    }
    struct ref row = m->refs[head];
    table_remove(&m->id_table, key_of_id(m->seed, id), head);
    ref_free(m, head);
    if (row.group)
        group_remove(m, row.group, row.at);
    m->count--;
    return 0;
}

bool matcher_step(struct matcher *m)
{
    bool more = table_step(&m->cond_table, STEP_SLOTS);

    more |= table_step(&m->path_table, STEP_SLOTS);
    more |= table_step(&m->group_table, STEP_SLOTS);
    more |= table_step(&m->id_table, STEP_SLOTS);
    more |= group_compact(m, STEP_ROWS);
    return more;
}
