/* Files of one JSON text a line, and events as messages. */
#ifndef TOQUE_TESTS_BENCH_LINES_H
#define TOQUE_TESTS_BENCH_LINES_H

#include <stdlib.h>

#include "common/base/scan.h"
#include "filter/match/matcher.h"

struct lines {
    char *text;
    size_t size;
    str *line;
    u32 n;
};

static inline bool lines_read(struct lines *l, const char *path)
{
    FILE *f = fopen(path, "r");
    if (!f || fseek(f, 0, SEEK_END) != 0)
        return false;
    l->size = (size_t)ftell(f);
    rewind(f);
    l->text = mem_grow(NULL, l->size + 64);
    bool good = fread(l->text, 1, l->size, f) == l->size;
    fclose(f);
    u32 cap = 0;
    for (size_t at = 0; at < l->size && good;) {
        const char *end = memchr(l->text + at, '\n', l->size - at);
        size_t n = end ? (size_t)(end - l->text) - at : l->size - at;
        if (l->n == cap)
            l->line = mem_grow(l->line, (cap = cap ? cap * 2 : 1024) * sizeof(str));
        if (n)
            l->line[l->n++] = str_from(l->text + at, n);
        at += n + 1;
    }
    return good && l->n > 0;
}

static inline void lines_free(struct lines *l)
{
    mem_free(l->text);
    mem_free(l->line);
}

static inline NORETURN void lines_bad(str line)
{
    fprintf(stderr, "not an event with attributes: %.*s\n", STR_ARG(line));
    exit(2);
}

/* {"DataType":"String","StringValue":"x"}, whose brace was read. */
static inline void attr_described(struct scan *s, str line, struct filter_attr *ret)
{
    struct scan_text name, value;
    while (scan_next(s, &name) == SCAN_NAME) {
        if (scan_next(s, &value) != SCAN_STRING)
            lines_bad(line);
        str text = value.raw;
        if (value.escaped) {
            char *room = mem_alloc(text.n + 1); /* lives as long as the program */
            text = str_from(room, scan_unescape(text, room));
        }
        if (str_is(name.raw, "DataType"))
            ret->type = text;
        else
            ret->value = text;
    }
    if (s->last == SCAN_ERROR && s->why)
        lines_bad(line);
}

/* The value of a flat member. */
static inline void attr_flat(struct scan *s, enum scan_token token, const struct scan_text *t,
                             struct filter_attr *ret)
{
    ret->value = t->raw;
    ret->type = token == SCAN_NUMBER ? STR("Number") : STR("String");
    if (token == SCAN_ARRAY) {
        size_t from = s->token_at;
        scan_skip(s);
        ret->type = STR("String.Array");
        ret->value = str_slice(s->text, from, s->at);
    }
}

static inline u32 attrs_of(str line, struct filter_attr *attrs, u32 room)
{
    struct scan s;
    struct scan_text t;
    u32 n = 0;
    scan_init(&s, line);
    if (scan_next(&s, &t) != SCAN_OBJECT)
        lines_bad(line);
    while (scan_next(&s, &t) == SCAN_NAME && n < room) {
        str name = t.raw;
        enum scan_token token = scan_next(&s, &t);
        if (str_is(name, "MessageAttributes") && token == SCAN_OBJECT) {
            n = 0;
            continue; /* its members are read as they come; what is before it is no attribute */
        }
        attrs[n].name = name;
        if (token == SCAN_OBJECT)
            attr_described(&s, line, &attrs[n]);
        else
            attr_flat(&s, token, &t, &attrs[n]);
        n++;
    }
    return n;
}

/* One message for each event; with attributes decoded in attribute scope. */
static inline struct filter_message *messages_of(const struct lines *events,
                                                 enum filter_scope scope)
{
    struct filter_message *m = mem_array(events->n, sizeof(*m));
    struct filter_attr attrs[256];
    for (u32 i = 0; i < events->n; i++) {
        m[i].body = events->line[i];
        if (scope == FILTER_BODY)
            continue;
        u32 n = attrs_of(events->line[i], attrs, ARRAY_LEN(attrs));
        struct filter_attr *kept = mem_array(n ? n : 1, sizeof(*kept));
        memcpy(kept, attrs, n * sizeof(*kept));
        m[i].attrs = kept;
        m[i].attr_count = n;
    }
    return m;
}

static inline void messages_free(struct filter_message *m, const struct lines *events)
{
    for (u32 i = 0; i < events->n; i++)
        mem_free((void *)(uintptr_t)m[i].attrs);
    mem_free(m);
}

#endif
