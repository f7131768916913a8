#include "filter/ctl/keys.h"

#include <stdlib.h>

#include "common/base/scan.h"

void keys_init(struct keys *k)
{
    *k = (struct keys){.n = 0};
    map_init(&k->by_name, NULL);
    arena_init(&k->arena);
}

void keys_deinit(struct keys *k)
{
    for (size_t i = 0; i < k->n; i++) {
        map_deinit(&k->stats[i]->by_text);
        mem_free(k->stats[i]->values);
    }
    mem_free(k->stats);
    map_deinit(&k->by_name);
    arena_deinit(&k->arena);
}

/* Makes room for item n of an array of pointers, which doubles. */
static void *room(void *array, size_t n)
{
    return n & (n - 1) ? array : mem_grow(array, (n ? n * 2 : 1) * sizeof(void *));
}

static struct key_stat *stat_of(struct keys *k, str name)
{
    struct key_stat *s = map_get(&k->by_name, name);

    if (s || k->n == KEYS_MAX)
        return s;
    s = arena_zalloc(&k->arena, sizeof(*s));
    s->name = arena_dup(&k->arena, name);
    map_init(&s->by_text, NULL);
    map_put(&k->by_name, s->name, s);
    k->stats = room(k->stats, k->n);
    return k->stats[k->n++] = s;
}

void keys_read(struct keys *k, str path)
{
    struct key_stat *s = stat_of(k, path);

    if (s)
        s->is_read = true;
}

static void name_add(struct keys *k, str name, str value)
{
    struct key_stat *s = stat_of(k, str_slice(name, 0, KEY_TEXT_MAX));

    if (!s) {
        k->other++;
        return;
    }
    if (s->is_read)
        return;
    s->count++;
    value = str_slice(value, 0, KEY_TEXT_MAX);
    struct key_value *v = map_get(&s->by_text, value);
    if (!v && (s->value_n == KEY_VALUES_MAX || k->value_n == KEYS_VALUES_MAX)) {
        s->other++;
        return;
    }
    if (!v) {
        v = arena_zalloc(&k->arena, sizeof(*v));
        v->text = arena_dup(&k->arena, value);
        map_put(&s->by_text, v->text, v);
        s->values = room(s->values, s->value_n);
        s->values[s->value_n++] = v;
        k->value_n++;
    }
    v->count++;
}

void keys_add_attributes(struct keys *k, const struct filter_message *msg)
{
    for (size_t i = 0; i < msg->attr_count; i++)
        name_add(k, msg->attrs[i].name, msg->attrs[i].value);
}

/* --- bodies ----------------------------------------------------------------------------------- */

struct trail {
    struct buf path;
    u32 lengths[SCAN_DEPTH_MAX + 1]; /* of the path outside each level */
    u32 depth;
};

static void enter_key(struct trail *t)
{
    t->lengths[t->depth++] = (u32)t->path.n;
}

static void leave(struct trail *t)
{
    t->path.n = t->lengths[--t->depth];
}

/* Appends the member's name to the path of its object. */
static void name_member(struct trail *t, const struct scan_text *name)
{
    t->path.n = t->depth ? t->lengths[t->depth - 1] : 0;
    if (t->path.n > KEY_TEXT_MAX)
        return;
    if (t->path.n)
        buf_char(&t->path, '.');
    if (name->escaped)
        t->path.n += scan_unescape(name->raw, buf_room(&t->path, name->raw.n));
    else
        buf_str(&t->path, name->raw);
}

static bool body_walk(struct keys *k, struct trail *t, str body)
{
    struct scan s;
    struct scan_text text;

    scan_init(&s, body);
    for (;;) {
        enum scan_token token = scan_next(&s, &text);
        switch (token) {
        case SCAN_END: return true;
        case SCAN_ERROR: return false;
        case SCAN_OBJECT:
        case SCAN_ARRAY: enter_key(t); break;
        case SCAN_OBJECT_END:
        case SCAN_ARRAY_END: leave(t); break;
        case SCAN_NAME: name_member(t, &text); break;
        default:
            if (k)
                name_add(k, buf_view(&t->path), str_slice(body, s.token_at, s.at));
        }
    }
}

void keys_add_body(struct keys *k, str body)
{
    struct trail t = {.depth = 0};

    /* Checked first: a body that is not JSON has no keys. */
    if (str_starts(str_trim(body), STR("{")) && body_walk(NULL, &t, body)) {
        t.path.n = 0;
        body_walk(k, &t, body);
    }
    buf_deinit(&t.path);
}

/* --- order ------------------------------------------------------------------------------------ */

static int compare_stats(const void *a, const void *b)
{
    const struct key_stat *x = *(struct key_stat *const *)a, *y = *(struct key_stat *const *)b;

    if (x->count != y->count)
        return x->count > y->count ? -1 : 1;
    return str_cmp(x->name, y->name);
}

static int compare_values(const void *a, const void *b)
{
    const struct key_value *x = *(struct key_value *const *)a, *y = *(struct key_value *const *)b;

    if (x->count != y->count)
        return x->count > y->count ? -1 : 1;
    return str_cmp(x->text, y->text);
}

void keys_sort(struct keys *k)
{
    if (k->n)
        qsort(k->stats, k->n, sizeof(struct key_stat *), compare_stats);
    for (size_t i = 0; i < k->n; i++)
        if (k->stats[i]->value_n)
            qsort(k->stats[i]->values, k->stats[i]->value_n, sizeof(struct key_value *),
                  compare_values);
}
