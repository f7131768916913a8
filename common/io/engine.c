#include "common/io/engine.h"

#include "common/base/mem.h"

#define EPOCH_BEGIN_MS INT64_C(1577836800000) /* 2020 */
#define TIME_KEY       "last_ms"
#define TIME_NOTE_MS   60000
#define EPOCH_MAX      (UINT64_C(1) << ENGINE_EPOCH_BITS)

u64 engine_epoch_after(u64 last, const struct clock *clock)
{
    i64 ms = clock_wall_ms(clock) - EPOCH_BEGIN_MS;
    u64 now = ms > 0 && (u64)ms < EPOCH_MAX ? (u64)ms : 0;
    u64 next = MAX(last + 1, now);

    return last < EPOCH_MAX && next < EPOCH_MAX ? next : 0;
}

/* --- small values ----------------------------------------------------------------------------- */

static struct engine_value *value_find(const struct engine *e, str key)
{
    for (u32 i = 0; i < e->value_count; i++)
        if (str_is(key, e->values[i].key))
            return &e->values[i];
    return NULL;
}

void engine_hold(struct engine *e, str key, i64 value)
{
    struct engine_value *v = value_find(e, key);

    if (!v) {
        e->values = mem_grow(e->values, (e->value_count + 1) * sizeof(*e->values));
        v = &e->values[e->value_count++];
        v->key = mem_dup(key);
    }
    v->value = value;
}

int engine_meta_get(const struct engine *e, const char *key, i64 *ret)
{
    const struct engine_value *v = value_find(e, str_of(key));

    if (!v)
        return E_NOT_FOUND;
    *ret = v->value;
    return 0;
}

void engine_meta_set(struct engine *e, const char *key, i64 value)
{
    engine_hold(e, str_of(key), value);
    e->ops->meta_set(e, key, value);
}

/* --- the last known time ---------------------------------------------------------------------- */

i64 engine_last_ms(const struct engine *e)
{
    return e->last_ms;
}

static void time_note(struct engine *e, i64 now_ms)
{
    e->noted_ms = now_ms;
    engine_meta_set(e, TIME_KEY, now_ms);
}

bool engine_note_time(struct engine *e, i64 now_ms)
{
    if (now_ms - e->noted_ms < TIME_NOTE_MS)
        return false;
    time_note(e, now_ms);
    return true;
}

void engine_open_time(struct engine *e, i64 now_ms)
{
    if (engine_meta_get(e, TIME_KEY, &e->last_ms) || e->last_ms < 0)
        e->last_ms = 0;
    time_note(e, now_ms);
}

void engine_end_time(struct engine *e, i64 now_ms)
{
    time_note(e, now_ms);
}

/* --- ids -------------------------------------------------------------------------------------- */

void engine_ids_open(struct engine *e, u32 series, const char *key, u64 reserve)
{
    i64 limit = 1;

    assert(series < ENGINE_IDS_MAX && !e->ids[series].key);
    if (engine_meta_get(e, key, &limit) || limit < 1)
        limit = 1;
    e->ids[series] = (struct engine_ids){
        .key = key, .reserve = reserve, .next = (u64)limit, .limit = (u64)limit};
}

/* If a failed turn had raised the limit, the next row raises it again. */
void engine_raise_ids(struct engine *e, struct engine_ids *ids)
{
    ids->limit = ids->next + ids->reserve;
    engine_meta_set(e, ids->key, (i64)ids->limit);
}

void engine_return_ids(struct engine *e)
{
    for (u32 i = 0; i < ENGINE_IDS_MAX && e->ids[i].key; i++)
        if (e->ids[i].limit != e->ids[i].next)
            engine_meta_set(e, e->ids[i].key, (i64)e->ids[i].next);
}

/* --- the turn --------------------------------------------------------------------------------- */

/* The limits that a lost turn raised are unknown again. */
static int engine_lost(struct engine *e, int err)
{
    e->losses++;
    for (u32 i = 0; i < ENGINE_IDS_MAX; i++)
        e->ids[i].limit = 0;
    return err;
}

int engine_commit(struct engine *e, u64 *ret_ticket)
{
    int err = e->ops->commit(e, ret_ticket);

    return err && err != E_AGAIN ? engine_lost(e, err) : err;
}

int engine_settled(struct engine *e, u64 *ret_ticket)
{
    int err = e->ops->settled(e, ret_ticket);

    return err ? engine_lost(e, err) : 0;
}

int engine_flush(struct engine *e)
{
    int err = e->ops->flush(e);

    return err ? engine_lost(e, err) : 0;
}

static int turn_commit(void *arg, u64 *ret_ticket)
{
    return engine_commit(arg, ret_ticket);
}

static int turn_settled(void *arg, u64 *ret_ticket)
{
    return engine_settled(arg, ret_ticket);
}

static void turn_failed(void *arg, int err)
{
    struct engine *e = arg;

    e->failed(e->failed_arg, err);
}

int engine_serve(struct engine *e, struct loop *l, void (*failed)(void *arg, int err), void *arg)
{
    e->failed = failed;
    e->failed_arg = arg;
    loop_set_store(l, (struct loop_store){turn_commit, turn_settled, turn_failed, e});
    return e->ops->watch ? e->ops->watch(e, l) : 0;
}

void engine_deinit(struct engine *e)
{
    for (u32 i = 0; i < e->value_count; i++)
        mem_free(e->values[i].key);
    mem_free(e->values);
    e->values = NULL;
    e->value_count = 0;
}
