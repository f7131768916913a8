/* Errors are reported at the value itself, so that they name its line and column. */
#include "queued/topology.h"

#include "queued/api.h"

static bool is_comment(const char *name)
{
    return strncmp(name, "//", 2) == 0;
}

/* Refuses a member that is not in `names` (ends in NULL). */
static int check_members(const struct json_at *object, const char *const *names, struct fault *f)
{
    const char *name;
    json_t *value;
    json_object_foreach(object->value, name, value) {
        bool known = is_comment(name);
        for (size_t i = 0; names[i]; i++)
            known = known || strcmp(name, names[i]) == 0;
        if (!known) {
            struct json_at at = {object->doc, object, name, 0, value};
            return json_complain(&at, f, "no such member");
        }
    }
    return 0;
}

/* Converts a value to text, as in the API; numbers, booleans and policies may be given as JSON. */
static str value_text(struct arena *a, json_t *value)
{
    struct buf text = {0};
    if (json_is_string(value))
        return str_from(json_string_value(value), json_string_length(value));
    json_write(&text, value);
    str s = arena_dup(a, buf_view(&text));
    buf_deinit(&text);
    return s;
}

/* A member that is a map (Attributes, tags) in the form of a call's parameter; *ret is NULL if there
 * is none. */
static int read_map(struct arena *a, const struct json_at *queue, const char *member,
                    struct json_at *ret_at, struct val **ret, struct fault *f)
{
    const char *name;
    json_t *value;
    int err = json_get(queue, member, ret_at, f);
    *ret = NULL;
    if (err)
        return err == E_NOT_FOUND ? 0 : err;
    if (json_want(ret_at, JSON_OBJECT, f))
        return E_FAULT;
    struct val *map = arena_zalloc(a, sizeof *map), **tail = &map->first;
    map->type = VAL_MAP;
    json_object_foreach(ret_at->value, name, value) {
        if (is_comment(name))
            continue;
        struct val *v = arena_zalloc(a, sizeof *v);
        *v = (struct val){.type = VAL_STRING, .name = str_of(name), .text = value_text(a, value)};
        *tail = v;
        tail = &v->next;
        map->count++;
    }
    *ret = map;
    return 0;
}

/* Finds the attribute that is invalid by itself, so that the error names its place. */
static int attribute_find_invalid(const struct json_at *queue, const struct json_at *map,
                                  const struct val *given, const struct fault *why, struct fault *f)
{
    for (const struct val *v = given ? given->first : NULL; v; v = v->next) {
        struct val alone = *v, one = {.type = VAL_MAP, .count = 1, .first = &alone};
        struct queue_attrs probe;
        struct fault ignored;
        alone.next = NULL;
        fault_clear(&ignored);
        queue_attr_init(&probe);
        int err = queue_attr_set(&probe, &one, true, &ignored);
        queue_attr_deinit(&probe);
        if (err) {
            struct json_at at = {map->doc, map, v->name.p, 0,
                                 json_object_get(map->value, v->name.p)};
            return json_complain(&at, f, "%s", ignored.text);
        }
    }
    return json_complain(queue, f, "%s", why->text);
}

static int create_queue(struct queues *qs, const struct json_at *at, struct arena *a, str account,
                        str region, struct fault *f)
{
    static const char *const members[] = {"QueueName", "Attributes", "tags", NULL};
    struct json_at map, tag_map;
    struct val *given, *tags;
    struct fault why;
    str name;
    if (json_want(at, JSON_OBJECT, f) || check_members(at, members, f))
        return E_FAULT;
    int err = json_get_str(at, "QueueName", &name, f);
    if (err == E_NOT_FOUND)
        return json_complain(at, f, "QueueName is missing");
    if (err || read_map(a, at, "Attributes", &map, &given, f) ||
        read_map(a, at, "tags", &tag_map, &tags, f))
        return E_FAULT;
    if (queues_find(qs, account, region, name))
        return 0;
    fault_clear(&why);
    if (api_make_queue(qs, account, region, name, given, tags, &why))
        return 0;
    return attribute_find_invalid(at, &map, given, &why, f);
}

static bool has_redrive_policy(const struct json_at *queue)
{
    const json_t *attributes = json_object_get(queue->value, "Attributes");
    return json_object_get(attributes, "RedrivePolicy") != NULL;
}

int queued_topology_apply(struct queues *qs, const struct json_doc *doc, str account, str region,
                          struct fault *f)
{
    static const char *const members[] = {"queues", "topics", "subscriptions", NULL};
    struct json_at root = json_root(doc), list;
    struct arena arena;
    if (json_want(&root, JSON_OBJECT, f) || check_members(&root, members, f))
        return E_FAULT;
    int err = json_get(&root, "queues", &list, f);
    if (err)
        return err == E_NOT_FOUND ? 0 : err;
    if (json_want(&list, JSON_ARRAY, f))
        return E_FAULT;
    arena_init(&arena);
    /* Dead-letter queues are created before their sources, whatever their order in the file. */
    for (int sources = 0; !err && sources < 2; sources++)
        for (size_t i = 0; !err && i < json_array_size(list.value); i++) {
            struct json_at queue = json_item(&list, i);
            if (has_redrive_policy(&queue) != (bool)sources)
                continue;
            err = create_queue(qs, &queue, &arena, account, region, f);
            arena_reset(&arena);
        }
    arena_deinit(&arena);
    return err;
}

int queued_topology_create(struct queues *qs, const char *path, str account, str region,
                           struct fault *f)
{
    struct json_doc doc = {0};
    int err = json_open_file(&doc, path, TOPOLOGY_FILE_MAX, false, f);
    if (!err)
        err = queued_topology_apply(qs, &doc, account, region, f);
    json_close(&doc);
    return err;
}
