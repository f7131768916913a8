/* See assets.h. An asset is in `by_name`, in `by_alias` if it has an alias, and in its group; those of
 * a removed group are in its slots only. */
#include "topicd/assets.h"

#include "common/base/mem.h"

static u32 clear_step(void *arg, u32 pieces);

static void changed(struct assets *ts)
{
    ts->changed = true;
    loop_dirty(ts->loop);
}

/* "KIND TEXT", to be freed. */
static str key_of(enum asset_kind kind, str text)
{
    return str_of(mem_printf("%d %.*s", (int)kind, STR_ARG(text)));
}

static void *find(const struct map *m, enum asset_kind kind, str text)
{
    str key = key_of(kind, text);
    void *found = map_get(m, key);

    mem_free((char *)key.p);
    return found;
}

/* --- memory ----------------------------------------------------------------------------------- */

static struct asset_group *group_make(struct assets *ts, enum asset_kind kind, str name)
{
    struct asset_group *g = find(&ts->groups, kind, name);

    if (g)
        return g;
    g = mem_alloc(sizeof(*g));
    g->key = key_of(kind, name);
    list_init(&g->going);
    map_put(&ts->groups, g->key, g);
    return g;
}

static void group_free(struct asset_group *g)
{
    slots_deinit(&g->slots);
    mem_free((char *)g->key.p);
    mem_free(g);
}

static struct asset *asset_new(enum asset_kind kind, str name, str alias, str value)
{
    struct asset *t = mem_alloc(sizeof(*t));

    t->kind = kind;
    t->key = key_of(kind, name);
    t->name = str_slice(t->key, t->key.n - name.n, t->key.n);
    t->alias_key = key_of(kind, alias);
    t->alias = str_slice(t->alias_key, t->alias_key.n - alias.n, t->alias_key.n);
    t->value = str_from(mem_dup(value), value.n);
    return t;
}

static void asset_free(struct asset *t)
{
    mem_free((char *)t->key.p);
    mem_free((char *)t->alias_key.p);
    mem_free((char *)t->value.p);
    mem_free(t);
}

static void asset_hang(struct assets *ts, struct asset *t, struct asset_group *g)
{
    t->group = g;
    t->place = slots_put(&g->slots, t);
    map_put(&ts->by_name, t->key, t);
    if (t->alias.n)
        map_put(&ts->by_alias, t->alias_key, t);
}

/* If its group is removed another asset may have its name. */
static void asset_hide(struct assets *ts, struct asset *t)
{
    if (map_get(&ts->by_name, t->key) == t)
        map_del(&ts->by_name, t->key);
    if (map_get(&ts->by_alias, t->alias_key) == t)
        map_del(&ts->by_alias, t->alias_key);
}

static void group_clear(struct asset_group *g)
{
    struct asset *t;

    for (u32 at = 0; (t = slots_next(&g->slots, &at));)
        asset_free(t);
    group_free(g);
}

static void clear(struct assets *ts)
{
    struct asset_group *g;

    for (size_t at = 0; (g = map_next(&ts->groups, &at));)
        group_clear(g);
    while (!list_is_empty(&ts->gone)) {
        g = list_item(ts->gone.next, struct asset_group, going);
        list_remove(&g->going);
        group_clear(g);
    }
    map_deinit(&ts->groups);
    map_deinit(&ts->by_name);
    map_deinit(&ts->by_alias);
    map_init(&ts->groups, ts->seed);
    map_init(&ts->by_name, ts->seed);
    map_init(&ts->by_alias, ts->seed);
    background_sleep(ts->background, &ts->clearing);
}

void assets_init(struct assets *ts, struct topic_store *store, struct loop *l,
                 struct background *background, const struct map_seed *seed)
{
    *ts = (struct assets){.store = store, .loop = l, .background = background, .seed = seed};
    ts->clearing = (struct background_job){
        .name = "assets", .class = BACKGROUND_CLEAR, .step = clear_step, .arg = ts};
    map_init(&ts->groups, seed);
    map_init(&ts->by_name, seed);
    map_init(&ts->by_alias, seed);
    list_init(&ts->gone);
}

void assets_deinit(struct assets *ts)
{
    if (ts->store)
        clear(ts);
}

static int load_row(void *arg, const struct asset_row *row)
{
    struct assets *ts = arg;
    struct asset *t = asset_new((enum asset_kind)row->kind, row->name, row->alias, row->value);

    engine_saw_id(&ts->store->engine, TOPIC_STORE_ASSET_IDS, row->id);
    t->id = row->id;
    asset_hang(ts, t, group_make(ts, (enum asset_kind)row->kind, row->group));
    return 0;
}

str asset_group_name(const struct asset_group *g)
{
    return str_slice(g->key, (size_t)str_find(g->key, ' ') + 1, g->key.n);
}

static void group_bury(struct assets *ts, struct asset_group *g)
{
    g->gone = true;
    list_push_back(&ts->gone, &g->going);
    background_wake(ts->background, &ts->clearing);
}

/* Endpoints without their application: a crash interrupted the clearing. */
static void bury_orphans(struct assets *ts)
{
    struct asset_group *g;
    str kind = str_of(mem_printf("%d ", ASSET_ENDPOINT));

    for (size_t at = 0; (g = map_next(&ts->groups, &at));)
        if (str_starts(g->key, kind) && !assets_find(ts, ASSET_APPLICATION, asset_group_name(g)))
            group_bury(ts, g);
    list_each(at, after, &ts->gone)
        map_del(&ts->groups, list_item(at, struct asset_group, going)->key);
    mem_free((char *)kind.p);
}

int assets_reload(struct assets *ts)
{
    clear(ts);
    ts->changed = false;
    int err = topic_store_load_assets(ts->store, ASSET_APPLICATION, ASSET_KIND_MAX, load_row, ts);

    if (!err)
        bury_orphans(ts);
    return err;
}

/* --- in the background ------------------------------------------------------------------------ */

/* Frees one asset of a removed group, and after the last one the group. */
static void clear_gone(struct assets *ts)
{
    struct asset_group *g = list_item(ts->gone.next, struct asset_group, going);
    struct asset *t = slots_next(&g->slots, &g->cleared);

    if (t) {
        topic_store_delete_asset(ts->store, t->id);
        asset_hide(ts, t);
        slots_remove(&g->slots, t->place);
        asset_free(t);
        changed(ts);
    }
    if (g->slots.n == 0) {
        list_remove(&g->going);
        group_free(g);
    }
}

static u32 clear_step(void *arg, u32 pieces)
{
    struct assets *ts = arg;
    u32 n = 0;

    for (; n < pieces && !list_is_empty(&ts->gone); n++)
        clear_gone(ts);
    return n;
}

/* --- questions and changes -------------------------------------------------------------------- */

struct asset *assets_find(const struct assets *ts, enum asset_kind kind, str name)
{
    struct asset *t = find(&ts->by_name, kind, name);

    return t && !t->group->gone ? t : NULL;
}

struct asset *assets_find_alias(const struct assets *ts, enum asset_kind kind, str alias)
{
    struct asset *t = find(&ts->by_alias, kind, alias);

    return t && !t->group->gone ? t : NULL;
}

const struct slots *assets_group(const struct assets *ts, enum asset_kind kind, str group)
{
    const struct asset_group *g = find(&ts->groups, kind, group);

    return g ? &g->slots : NULL;
}

static void asset_store(struct assets *ts, const struct asset *t)
{
    topic_store_put_asset(ts->store, &(struct asset_row){.id = t->id,
                                                         .kind = t->kind,
                                                         .group = asset_group_name(t->group),
                                                         .name = t->name,
                                                         .alias = t->alias,
                                                         .value = t->value});
    changed(ts);
}

struct asset *assets_add(struct assets *ts, enum asset_kind kind, str group, str name, str alias,
                         str value)
{
    struct asset_group *g = group_make(ts, kind, group);

    if (g->slots.n >= ASSETS_GROUP_MAX)
        return NULL;
    struct asset *t = asset_new(kind, name, alias, value);
    struct asset *old = map_get(&ts->by_name, t->key),
                 *other = map_get(&ts->by_alias, t->alias_key);

    /* Such an asset is in a removed group. */
    if (old)
        asset_hide(ts, old);
    if (other)
        asset_hide(ts, other);
    t->id = topic_store_next_asset_id(ts->store);
    asset_hang(ts, t, g);
    asset_store(ts, t);
    return t;
}

void assets_set(struct assets *ts, struct asset *t, str value)
{
    str old = t->value;

    t->value = str_from(mem_dup(value), value.n);
    mem_free((char *)old.p);
    asset_store(ts, t);
}

void assets_remove(struct assets *ts, struct asset *t)
{
    topic_store_delete_asset(ts->store, t->id);
    asset_hide(ts, t);
    slots_remove(&t->group->slots, t->place);
    asset_free(t);
    changed(ts);
}

/* Its assets stay in the tables until they are freed; the group's mark hides them. */
void assets_remove_group(struct assets *ts, enum asset_kind kind, str group)
{
    struct asset_group *g = find(&ts->groups, kind, group);

    if (!g)
        return;
    map_del(&ts->groups, g->key);
    group_bury(ts, g);
    changed(ts);
}
