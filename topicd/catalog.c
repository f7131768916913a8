/* See catalog.h. A topic is in `topics` and in its scope's `topics`, or on `gone`. A subscription
 * is in `subs`, in its topic's `subs` and `endpoints`, and in its owner's `subs`. Its place in
 * topic->subs is its id in the topic's matcher, unless its stored policy could not be read: then it
 * gets nothing, and an error is logged. */
#include "topicd/catalog.h"

#include "common/aws/arn.h"
#include "common/base/log.h"

#define ORPHANS_CAP_MIN 64
/* Subscriptions cleared away between two looks at the clock. */
#define ASK_EVERY 8

static u32 clear_gone_step(void *arg, u32 pieces);
static u32 compact_step(void *arg, u32 pieces);

void catalog_init(struct catalog *c, struct topic_store *store, struct loop *l,
                  struct background *background, const struct map_seed *seed)
{
    *c = (struct catalog){.store = store, .loop = l, .background = background, .seed = seed};
    c->clearing = (struct background_job){
        .name = "subscriptions", .class = BACKGROUND_CLEAR, .step = clear_gone_step, .arg = c};
    c->compacting = (struct background_job){
        .name = "matchers", .class = BACKGROUND_SPACE, .step = compact_step, .arg = c};
    map_init(&c->topics, c->seed);
    map_init(&c->subs, c->seed);
    map_init(&c->scopes, c->seed);
    map_init(&c->tokens, c->seed);
    list_init(&c->stepping);
    list_init(&c->gone);
    settings_init(&c->scratch);
}

static void catalog_changed(struct catalog *c)
{
    c->changed = true;
    loop_dirty(c->loop);
}

void catalog_committed(struct catalog *c)
{
    c->changed = false;
}

/* --- lookup ----------------------------------------------------------------------------------- */

struct scope *catalog_find_scope(const struct catalog *c, str account, str region)
{
    char *key = mem_printf("%.*s %.*s", STR_ARG(account), STR_ARG(region));
    struct scope *s = map_get(&c->scopes, str_of(key));

    mem_free(key);
    return s;
}

struct scope *catalog_scope(struct catalog *c, str account, str region)
{
    struct scope *s = catalog_find_scope(c, account, region);

    if (s)
        return s;
    s = mem_alloc(sizeof(*s));
    s->key = str_of(mem_printf("%.*s %.*s", STR_ARG(account), STR_ARG(region)));
    s->account = str_slice(s->key, 0, account.n);
    s->region = str_slice(s->key, account.n + 1, s->key.n);
    map_put(&c->scopes, s->key, s);
    return s;
}

static void scope_free(struct scope *s)
{
    slots_deinit(&s->topics);
    slots_deinit(&s->subs);
    mem_free((char *)s->key.p);
    mem_free(s);
}

static void forget_empty_scopes(struct catalog *c)
{
    struct scope *s;

    for (size_t at = 0; (s = map_next(&c->scopes, &at));) {
        if (s->topics.n || s->subs.n)
            continue;
        map_del(&c->scopes, s->key);
        scope_free(s);
    }
}

bool catalog_has_room_for(struct catalog *c, str account, str region, u64 scopes_max)
{
    if (c->scopes.n < scopes_max || catalog_find_scope(c, account, region))
        return true;
    forget_empty_scopes(c);
    return c->scopes.n < scopes_max;
}

struct topic *catalog_topic(const struct catalog *c, str arn)
{
    return map_get(&c->topics, arn);
}

struct sub *catalog_sub(const struct catalog *c, str arn)
{
    struct sub *u = map_get(&c->subs, arn);

    return u && !u->topic->gone ? u : NULL;
}

struct sub *catalog_find_token(const struct catalog *c, str token)
{
    struct sub *u = map_get(&c->tokens, token);

    return u && !u->topic->gone ? u : NULL;
}

u64 catalog_sub_count(const struct catalog *c)
{
    return c->subs.n - c->gone_subs;
}

struct sub *catalog_find_sub(const struct topic *t, str protocol, str endpoint)
{
    char *key = mem_printf("%.*s %.*s", STR_ARG(protocol), STR_ARG(endpoint));
    struct sub *u = map_get(&t->endpoints, str_of(key));

    mem_free(key);
    return u;
}

/* --- memory ----------------------------------------------------------------------------------- */

static void hang_topic(struct catalog *c, struct topic *t, struct scope *s)
{
    t->scope = s;
    t->place = slots_put(&s->topics, t);
    map_put(&c->topics, t->arn, t);
}

static void count_policy(struct sub *u, int by)
{
    if (!u->has_policy)
        return;
    u->topic->policy_count += (u32)by;
    u->topic->scope->policy_count += (u64)(i64)by;
}

static void put_off(struct catalog *c, struct topic *t)
{
    if (list_is_empty(&t->stepping))
        list_push_back(&c->stepping, &t->stepping);
    background_wake(c->background, &c->compacting);
}

static str token_of(const struct sub *u)
{
    return str_from(u->token, SUB_TOKEN_SIZE);
}

/* Puts the subscription's present policy in its topic's matcher, unless it is to get nothing yet.
 * Frees the policy. */
static void match_sub(struct catalog *c, struct sub *u, struct policy *policy)
{
    if (!u->pending)
        matcher_add(u->topic->matcher, u->place, policy);
    policy_free(policy);
    count_policy(u, 1);
    u->topic->pending_count += u->pending;
    if (u->token)
        map_put(&c->tokens, token_of(u), u);
    put_off(c, u->topic);
}

static void unmatch_sub(struct catalog *c, struct sub *u)
{
    count_policy(u, -1);
    u->topic->pending_count -= u->pending;
    if (matcher_remove(u->topic->matcher, u->place) == 0)
        put_off(c, u->topic);
}

static void hang_sub(struct catalog *c, struct sub *u, struct topic *t, struct scope *owner)
{
    u->topic = t;
    u->owner = owner;
    u->place = slots_put(&t->subs, u);
    u->owner_place = slots_put(&owner->subs, u);
    map_put(&c->subs, u->arn, u);
    map_put(&t->endpoints, u->key, u);
}

/* Removes the subscription from the tables that outlive its topic, and frees it. */
static void drop_sub(struct catalog *c, struct sub *u)
{
    map_del(&c->subs, u->arn);
    map_shrink(&c->subs);
    if (u->token)
        map_del(&c->tokens, token_of(u));
    slots_remove(&u->owner->subs, u->owner_place);
    slots_remove(&u->topic->subs, u->place);
    sub_free(u);
}

/* Makes it invisible for lookups. */
static void bury_topic(struct catalog *c, struct topic *t)
{
    map_del(&c->topics, t->arn);
    map_shrink(&c->topics);
    slots_remove(&t->scope->topics, t->place);
    t->scope->policy_count -= t->policy_count;
    c->gone_subs += t->subs.n;
    t->gone = true;
    list_remove(&t->stepping);
    list_push_back(&c->gone, &t->going);
    background_wake(c->background, &c->clearing);
}

static void free_topic(struct topic *t)
{
    slots_deinit(&t->subs);
    topic_free(t);
}

static void catalog_clear(struct catalog *c)
{
    size_t at = 0;
    void *item;

    /* All objects are freed, so cross-links need no undoing. */
    while ((item = map_next(&c->subs, &at)))
        sub_free(item);
    at = 0;
    while ((item = map_next(&c->topics, &at)))
        free_topic(item);
    while (!list_is_empty(&c->gone))
        free_topic(list_item(c->gone.next, struct topic, going));
    at = 0;
    while ((item = map_next(&c->scopes, &at)))
        scope_free(item);
    map_deinit(&c->subs);
    map_deinit(&c->topics);
    map_deinit(&c->scopes);
    map_deinit(&c->tokens);
    map_init(&c->tokens, c->seed);
    map_init(&c->topics, c->seed);
    map_init(&c->subs, c->seed);
    map_init(&c->scopes, c->seed);
    list_init(&c->stepping);
    c->gone_subs = c->orphan_count = 0;
    background_sleep(c->background, &c->clearing);
    background_sleep(c->background, &c->compacting);
}

void catalog_deinit(struct catalog *c)
{
    catalog_clear(c);
    mem_free(c->orphans);
    settings_deinit(&c->scratch);
}

/* --- in the background ------------------------------------------------------------------------ */

/* Frees one subscription of a deleted topic, and after the last one the topic. */
static void clear_gone(struct catalog *c)
{
    struct topic *t = list_item(c->gone.next, struct topic, going);
    struct sub *u = slots_next(&t->subs, &t->cleared);

    if (u) {
        topic_store_delete_sub(c->store, u->id);
        matcher_remove(t->matcher, u->place);
        drop_sub(c, u);
        c->gone_subs--;
        catalog_changed(c);
    }
    if (t->subs.n == 0)
        topic_free(t);
}

static void clear_orphan(struct catalog *c)
{
    topic_store_delete_sub(c->store, c->orphans[--c->orphan_count]);
    catalog_changed(c);
}

static u32 clear_gone_step(void *arg, u32 pieces)
{
    struct catalog *c = arg;
    u32 n = 0;

    for (; n < pieces && (c->orphan_count || !list_is_empty(&c->gone)); n++) {
        if (n % ASK_EVERY == ASK_EVERY - 1 && background_is_over(c->background))
            break;
        if (c->orphan_count)
            clear_orphan(c);
        else
            clear_gone(c);
    }
    return n;
}

static u32 compact_step(void *arg, u32 pieces)
{
    struct catalog *c = arg;
    u32 n = 0;

    for (; n < pieces && !list_is_empty(&c->stepping); n++) {
        struct topic *t = list_item(c->stepping.next, struct topic, stepping);

        list_remove(&t->stepping);
        /* To the end of the list, so that one large topic does not hold up the others. */
        if (matcher_step(t->matcher))
            list_push_back(&c->stepping, &t->stepping);
    }
    return n;
}

/* --- loading ---------------------------------------------------------------------------------- */

struct loading {
    struct catalog *c;
    struct idmap topics; /* by id + 1 */
    struct buf arn, endpoint;
    struct fault fault;
    u64 refused, damaged;
};

/* Older versions wrote "arn:aws:" for every region: such an ARN is read with the region's
 * partition, written to `room`. */
static str with_partition(str text, struct buf *room)
{
    struct arn arn;

    if (arn_read(text, &arn) || arn_is_in_partition(&arn))
        return text;
    arn.partition = arn_partition(arn.region);
    buf_reset(room);
    arn_write(room, &arn);
    return buf_view(room);
}

static int load_topic(void *arg, const struct topic_row *row)
{
    struct loading *l = arg;
    struct arn arn;
    str text = with_partition(row->arn, &l->arn);

    if (arn_read(text, &arn))
        return E_INVALID;
    struct topic *t = topic_new(text, arn.resource, row->attributes, l->c->seed);

    engine_saw_id(&l->c->store->engine, TOPIC_STORE_TOPIC_IDS, row->id);
    t->id = row->id;
    t->created_ms = row->created_ms;
    hang_topic(l->c, t, catalog_scope(l->c, arn.account, arn.region));
    idmap_put(&l->topics, t->id + 1, t);
    return 0;
}

/* Its topic is deleted: a crash interrupted the clearing. */
static void orphan_found(struct catalog *c, u64 id)
{
    if (c->orphan_count == c->orphan_cap) {
        c->orphan_cap = MAX(2 * c->orphan_cap, (size_t)ORPHANS_CAP_MIN);
        c->orphans = mem_grow(c->orphans, c->orphan_cap * sizeof(*c->orphans));
    }
    c->orphans[c->orphan_count++] = id;
    background_wake(c->background, &c->clearing);
}

static int load_sub(void *arg, const struct sub_row *row)
{
    struct loading *l = arg;
    struct topic *t = idmap_get(&l->topics, row->topic + 1);
    struct policy *policy;

    engine_saw_id(&l->c->store->engine, TOPIC_STORE_SUB_IDS, row->id);
    engine_saw_id(&l->c->store->engine, TOPIC_STORE_TOPIC_IDS, row->topic);
    if (!t) {
        orphan_found(l->c, row->id);
        return 0;
    }
    if (row->protocol.n > UINT8_MAX) {
        if (l->damaged++ == 0)
            log_error("the row of a subscription is damaged and left alone id=%" PRIu64, row->id);
        return 0;
    }
    struct sub *u = sub_new(with_partition(row->arn, &l->arn), row->protocol,
                            with_partition(row->endpoint, &l->endpoint));

    u->id = row->id;
    u->created_ms = row->created_ms;
    hang_sub(l->c, u, t,
             str_eq(row->owner, t->scope->account)
                 ? t->scope
                 : catalog_scope(l->c, row->owner, t->scope->region));
    fault_clear(&l->fault);
    if (sub_set_attributes(u, row->attributes, &l->c->scratch, &policy, &l->fault)) {
        u->attributes = mem_dup(row->attributes);
        u->attributes_n = (u32)row->attributes.n;
        if (l->refused++ == 0)
            log_error("subscription %.*s: its stored filter policy cannot be read, it gets "
                      "nothing: %s",
                      STR_ARG(u->arn), l->fault.text);
        return 0;
    }
    match_sub(l->c, u, policy);
    return 0;
}

int catalog_reload(struct catalog *c)
{
    struct loading loading = {.c = c};

    catalog_clear(c);
    c->changed = false;
    c->usable = false;
    idmap_init(&loading.topics, c->seed);
    int err = topic_store_load(c->store, load_topic, load_sub, &loading);

    buf_deinit(&loading.endpoint);
    buf_deinit(&loading.arn);
    idmap_deinit(&loading.topics);
    if (err) {
        catalog_clear(c);
        return err;
    }
    c->next_topic_id = topic_store_next_topic_id(c->store);
    c->next_sub_id = topic_store_next_sub_id(c->store);
    c->usable = true;
    return 0;
}

/* --- changes ---------------------------------------------------------------------------------- */

static void store_topic(struct catalog *c, const struct topic *t)
{
    topic_store_put_topic(c->store, &(struct topic_row){.id = t->id,
                                                        .arn = t->arn,
                                                        .attributes = t->attributes,
                                                        .created_ms = t->created_ms});
    catalog_changed(c);
}

struct topic *catalog_add_topic(struct catalog *c, struct scope *s, str name, str attributes,
                                i64 now_ms)
{
    struct buf arn = {0};

    topic_arn_write(&arn, s->region, s->account, name);
    struct topic *t = topic_new(buf_view(&arn), name, attributes, c->seed);

    buf_deinit(&arn);
    t->id = c->next_topic_id++;
    t->created_ms = now_ms;
    hang_topic(c, t, s);
    store_topic(c, t);
    return t;
}

void catalog_set_topic(struct catalog *c, struct topic *t, str attributes)
{
    topic_set_attributes(t, attributes);
    store_topic(c, t);
}

void catalog_remove_topic(struct catalog *c, struct topic *t)
{
    topic_store_delete_topic(c->store, t->id);
    bury_topic(c, t);
    catalog_changed(c);
}

static void store_sub(struct catalog *c, const struct sub *u)
{
    topic_store_put_sub(c->store, &(struct sub_row){.id = u->id,
                                                    .topic = u->topic->id,
                                                    .arn = u->arn,
                                                    .protocol = sub_protocol(u),
                                                    .endpoint = sub_endpoint(u),
                                                    .owner = u->owner->account,
                                                    .attributes = sub_attributes(u),
                                                    .created_ms = u->created_ms});
    catalog_changed(c);
}

/* Canonical text was checked before: a failure to read it is our bug. */
static struct policy *take_attributes(struct catalog *c, struct sub *u, str attributes)
{
    struct policy *policy = NULL;
    struct fault f = {0};
    int err = sub_set_attributes(u, attributes, &c->scratch, &policy, &f);

    assert(err == 0);
    return policy;
}

struct sub *catalog_add_sub(struct catalog *c, struct topic *t, struct scope *owner, str protocol,
                            str endpoint, str attributes, struct id_source *ids, i64 now_ms)
{
    char uuid[ID_UUID_SIZE];
    char *arn = mem_printf("%.*s:%s", STR_ARG(t->arn), id_uuid(ids, uuid));
    struct sub *u = sub_new(str_of(arn), protocol, endpoint);

    mem_free(arn);
    u->id = c->next_sub_id++;
    u->created_ms = now_ms;
    hang_sub(c, u, t, owner);
    match_sub(c, u, take_attributes(c, u, attributes));
    store_sub(c, u);
    return u;
}

void catalog_set_sub(struct catalog *c, struct sub *u, str attributes)
{
    unmatch_sub(c, u);
    match_sub(c, u, take_attributes(c, u, attributes));
    store_sub(c, u);
}

void catalog_remove_sub(struct catalog *c, struct sub *u)
{
    topic_store_delete_sub(c->store, u->id);
    unmatch_sub(c, u);
    map_del(&u->topic->endpoints, u->key);
    drop_sub(c, u);
    catalog_changed(c);
}
