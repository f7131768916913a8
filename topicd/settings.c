/* A handful of texts in an array that is searched linearly. See settings.h. */
#include "topicd/settings.h"

#include "common/base/scan.h"

#define SETTINGS_CAP_MIN 8

void settings_init(struct settings *s)
{
    *s = (struct settings){0};
    arena_init(&s->arena);
}

void settings_deinit(struct settings *s)
{
    arena_deinit(&s->arena);
}

void settings_reset(struct settings *s)
{
    arena_reset(&s->arena);
    s->items = NULL;
    s->n = s->cap = 0;
}

static struct setting *setting_find(const struct settings *s, str name)
{
    for (size_t i = 0; i < s->n; i++)
        if (str_eq(s->items[i].name, name))
            return &s->items[i];
    return NULL;
}

str settings_get(const struct settings *s, str name)
{
    const struct setting *found = setting_find(s, name);

    return found ? found->value : STR_NONE;
}

void settings_set(struct settings *s, str name, str value)
{
    struct setting *at = setting_find(s, name);

    if (!at) {
        if (s->n == s->cap) {
            size_t cap = MAX(2 * s->cap, (size_t)SETTINGS_CAP_MIN);
            struct setting *items = arena_alloc(&s->arena, cap * sizeof(*items));

            if (s->n)
                memcpy(items, s->items, s->n * sizeof(*items));
            s->items = items;
            s->cap = cap;
        }
        at = &s->items[s->n++];
        at->name = arena_dup(&s->arena, name);
    }
    at->value = arena_dup(&s->arena, value);
}

void settings_remove(struct settings *s, str name)
{
    struct setting *at = setting_find(s, name);

    if (!at)
        return;
    size_t i = (size_t)(at - s->items);

    memmove(at, at + 1, (s->n - i - 1) * sizeof(*at));
    s->n--;
}

int settings_read(struct settings *s, str json)
{
    struct scan scan;
    struct scan_text token;

    scan_init(&scan, json);
    if (scan_next(&scan, &token) != SCAN_OBJECT)
        return E_INVALID;
    for (;;) {
        enum scan_token kind = scan_next(&scan, &token);

        if (kind == SCAN_OBJECT_END)
            break;
        if (kind != SCAN_NAME)
            return E_INVALID;
        str name = scan_decode(&token, &s->arena);

        if (scan_next(&scan, &token) != SCAN_STRING)
            return E_INVALID;
        settings_set(s, name, scan_decode(&token, &s->arena));
    }
    return scan_next(&scan, &token) == SCAN_END ? 0 : E_INVALID;
}

void settings_write(const struct settings *s, struct buf *out)
{
    buf_char(out, '{');
    for (size_t i = 0; i < s->n; i++) {
        if (i)
            buf_char(out, ',');
        scan_quote(out, s->items[i].name);
        buf_char(out, ':');
        scan_quote(out, s->items[i].value);
    }
    buf_char(out, '}');
}
