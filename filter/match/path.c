/* The tree of paths. A path lives as long as a condition or a child references it; a child
 * references its parent. Children are found by hash; a path with few of them also lists them, which
 * is faster. */
#include "filter/match/path.h"

#include "filter/match/matcher.h"

enum { KIND_CHILD = 100 }; /* outside the kinds of conditions, for keys */

static u32 child_tag(const struct matcher *m, u32 parent, str name)
{
    return key_of(key_start(m->seed, KIND_CHILD, parent), name);
}

static u32 path_new(struct matcher *m)
{
    u32 id = m->path_free;

    m->path_changes++;
    if (id) {
        m->path_free = m->paths[id].refs;
    } else {
        u32 cap = m->path_cap;
        id = m->path_n++;
        m->paths = matcher_large_room(m->paths, &m->path_cap, id, sizeof(*m->paths));
        if (cap != m->path_cap)
            m->seen = pages_grow(m->seen, cap * sizeof(*m->seen), m->path_cap * sizeof(*m->seen));
    }
    m->paths[id] = (struct path){.refs = 1};
    m->seen[id] = (struct path_seen){0};
    return id;
}

u32 path_root(struct matcher *m)
{
    return path_new(m);
}

u32 path_child_by_hash(const struct matcher *m, u32 parent, str name)
{
    struct table_walk w;
    u32 id;

    table_start(&w, &m->path_table, child_tag(m, parent, name));
    while ((id = table_next(&w)) != 0)
        if (m->paths[id].parent == parent && str_eq(path_name(&m->paths[id]), name))
            return id;
    return 0;
}

/* --- children --------------------------------------------------------------------------------- */

static void list_kid(struct matcher *m, u32 parent, u32 id)
{
    struct path *p = &m->paths[parent];
    str name = path_name(&m->paths[id]);
    u32 n = p->kid_n++;

    if (n == PATH_KIDS_MAX) {
        if (p->kids)
            matcher_release(m, p->kids, PATH_KIDS_MAX * sizeof(*p->kids));
        p->kids = NULL;
    }
    if (n == 0)
        p->kids = matcher_alloc(m, sizeof(*p->kids));
    else if (p->kids)
        p->kids = matcher_realloc(m, p->kids, n * sizeof(*p->kids), (n + 1) * sizeof(*p->kids));
    if (p->kids)
        p->kids[n] = (struct kid){path_head(name), (u32)name.n, id};
}

/* A list that grew too long returns only when the last child is gone. */
static void unlist_kid(struct matcher *m, u32 parent, u32 id)
{
    struct path *p = &m->paths[parent];
    u32 n = p->kid_n--;

    if (!p->kids)
        return;
    for (u32 i = 0; i < n; i++)
        if (p->kids[i].path == id) {
            p->kids[i] = p->kids[n - 1];
            break;
        }
    if (n > 1) {
        p->kids = matcher_realloc(m, p->kids, n * sizeof(*p->kids), (n - 1) * sizeof(*p->kids));
    } else {
        matcher_release(m, p->kids, sizeof(*p->kids));
        p->kids = NULL;
    }
}

/* The child, referenced for the caller. */
static u32 child_held(struct matcher *m, u32 parent, str name)
{
    u32 id = path_child_by_hash(m, parent, name);

    if (id) {
        m->paths[id].refs++;
        return id;
    }
    id = path_new(m);
    struct path *p = &m->paths[id];
    assert(name.n <= UINT32_MAX);
    p->parent = parent;
    p->name_n = (u32)name.n;
    if (name.n > sizeof(p->name.in))
        p->name.text = matcher_alloc(m, name.n);
    if (name.n)
        memcpy(name.n > sizeof(p->name.in) ? p->name.text : p->name.in, name.p, name.n);
    m->paths[parent].refs++;
    table_put(&m->path_table, child_tag(m, parent, name), id);
    list_kid(m, parent, id);
    return id;
}

u32 path_of(struct matcher *m, u32 root, str joined, bool dotted)
{
    u32 at = root;

    m->paths[root].refs++;
    for (;;) {
        str name = dotted ? str_cut(&joined, '.') : joined;
        u32 next = child_held(m, at, name);
        path_release(m, at);
        at = next;
        if (!dotted || !joined.p)
            return at;
    }
}

void path_release(struct matcher *m, u32 path)
{
    m->path_changes++;
    while (path && --m->paths[path].refs == 0) {
        struct path *p = &m->paths[path];
        u32 parent = p->parent;
        assert(p->kid_n == 0 && p->step_n == 0);
        table_remove(&m->path_table, child_tag(m, parent, path_name(p)), path);
        unlist_kid(m, parent, path);
        if (p->name_n > sizeof(p->name.in))
            matcher_release(m, p->name.text, p->name_n);
        p->name_n = 0; /* matcher_free also visits free paths, which must have no name */
        m->seen[path].epoch = 0;
        p->refs = m->path_free;
        m->path_free = path;
        path = parent;
    }
}

/* --- steps ------------------------------------------------------------------------------------ */

/* Position of `key` among the steps, or where it belongs. */
static u32 step_place(const struct path *p, u32 key)
{
    u32 at = 0;

    while (at < p->step_n && p->steps[at].key < key)
        at++;
    return at;
}

static u32 step_key(u32 kind, u32 length)
{
    assert(length <= STEP_LENGTH_MAX);
    return kind << 24 | length;
}

void path_step_add(struct matcher *m, u32 path, u32 kind, u32 length)
{
    struct path *p = &m->paths[path];
    u32 key = step_key(kind, length);
    u32 at = step_place(p, key), n = p->step_n;

    if (at < n && p->steps[at].key == key) {
        p->steps[at].count++;
        return;
    }
    size_t size = sizeof(struct step);
    p->steps = n ? matcher_realloc(m, p->steps, n * size, (n + 1) * size) : matcher_alloc(m, size);
    memmove(p->steps + at + 1, p->steps + at, (n - at) * size);
    p->steps[at] = (struct step){key, 1};
    p->step_n++;
    p->kinds |= 1u << kind;
}

void path_step_remove(struct matcher *m, u32 path, u32 kind, u32 length)
{
    struct path *p = &m->paths[path];
    u32 key = step_key(kind, length);
    u32 at = step_place(p, key), n = p->step_n;

    assert(at < n && p->steps[at].key == key);
    if (--p->steps[at].count)
        return;
    size_t size = sizeof(struct step);
    memmove(p->steps + at, p->steps + at + 1, (n - at - 1) * size);
    p->step_n--;
    if (n > 1) {
        p->steps = matcher_realloc(m, p->steps, n * size, (n - 1) * size);
    } else {
        matcher_release(m, p->steps, size);
        p->steps = NULL;
    }
    bool others = (at < p->step_n && p->steps[at].key >> 24 == kind) ||
                  (at > 0 && p->steps[at - 1].key >> 24 == kind);
    if (!others)
        p->kinds &= ~(1u << kind);
    if (!p->step_n)
        p->tags = 0;
}
