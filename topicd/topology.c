/* Errors are raised at the value itself, so that they name its line and column. */
#include "topicd/topology.h"

#include "common/aws/arn.h"
#include "topicd/api.h"
#include "topicd/topic_tags.h"

/* Most attributes of one topic or subscription; fewer exist. */
#define ATTRIBUTES_MAX 64

struct attributes {
    struct setting list[ATTRIBUTES_MAX];
    size_t n;
    struct arena arena;
};

/* Refuses a member that is not in `names` (ends in NULL). */
static int check_known_members(const struct json_at *object, const char *const *names,
                               struct fault *f)
{
    const char *name;
    json_t *value;

    json_object_foreach(object->value, name, value) {
        bool known = strncmp(name, "//", 2) == 0;

        for (size_t i = 0; names[i]; i++)
            known = known || strcmp(name, names[i]) == 0;
        if (!known) {
            struct json_at at = {object->doc, object, name, 0, value};

            return json_complain(&at, f, "no such member");
        }
    }
    return 0;
}

/* Converts a value to text, as the API has it. */
static int read_attribute_value(struct attributes *a, const struct json_at *at, str *ret,
                                struct fault *f)
{
    struct buf text = {0};

    switch (json_typeof(at->value)) {
    case JSON_STRING:
        *ret = str_from(json_string_value(at->value), json_string_length(at->value));
        return 0;
    case JSON_NULL: return json_complain(at, f, "null is not a value");
    default:
        json_write(&text, at->value);
        *ret = arena_dup(&a->arena, buf_view(&text));
        buf_deinit(&text);
        return 0;
    }
}

static int read_given_attributes(struct attributes *a, const struct json_at *object,
                                 struct fault *f)
{
    struct json_at map;
    const char *name;
    json_t *value;
    int err = json_get(object, "Attributes", &map, f);

    if (err == E_NOT_FOUND)
        return 0;
    if (!err)
        err = json_want(&map, JSON_OBJECT, f);
    if (err)
        return err;
    json_object_foreach(map.value, name, value) {
        struct json_at at = {object->doc, &map, name, 0, value};

        if (strncmp(name, "//", 2) == 0)
            continue;
        if (a->n == ATTRIBUTES_MAX)
            return json_complain(&at, f, "too many attributes");
        struct setting *s = &a->list[a->n];

        s->name = str_of(name);
        err = read_attribute_value(a, &at, &s->value, f);
        if (err)
            return err;
        a->n++;
    }
    return 0;
}

/* A required member. */
static int need_text(const struct json_at *object, const char *name, str *ret, struct fault *f)
{
    int err = json_get_str(object, name, ret, f);

    return err == E_NOT_FOUND ? json_complain(object, f, "%s is missing", name) : err;
}

static void attributes_begin(struct attributes *a)
{
    a->n = 0;
    arena_init(&a->arena);
}

/* --- topics ----------------------------------------------------------------------------------- */

/* As TagResource has them: [{"Key": …, "Value": …}]. */
static int read_tags(struct tags *tags, const struct json_at *topic, struct fault *f)
{
    static const char *const members[] = {"Key", "Value", NULL};
    struct json_at list;
    struct fault why = {0};
    str key, value;
    int err = json_get(topic, "Tags", &list, f);

    if (err == E_NOT_FOUND)
        return 0;
    if (!err)
        err = json_want(&list, JSON_ARRAY, f);
    for (size_t i = 0; !err && i < json_array_size(list.value); i++) {
        struct json_at at = json_item(&list, i);

        err = json_want(&at, JSON_OBJECT, f);
        if (!err)
            err = check_known_members(&at, members, f);
        if (!err)
            err = need_text(&at, "Key", &key, f);
        if (!err)
            err = need_text(&at, "Value", &value, f);
        if (!err && topic_tags_add(tags, (u32)i + 1, key, value, &why))
            err = json_complain(&at, f, "%s", why.text);
    }
    return err;
}

static bool topic_exists(const struct topicd *t, const struct topic_request *r)
{
    struct buf arn = {0};

    topic_arn_write(&arn, r->region, r->account, r->name);
    bool exists = catalog_topic(&t->catalog, buf_view(&arn)) != NULL;

    buf_deinit(&arn);
    return exists;
}

static int make_topic(struct topicd *t, const struct json_at *at, struct topic_request *r,
                      struct fault *f)
{
    struct attributes a;
    struct fault why = {0};

    attributes_begin(&a);
    int err = read_given_attributes(&a, at, f);

    if (!err)
        err = read_tags(&r->tags, at, f);
    r->attributes = a.list;
    r->attribute_count = a.n;
    if (!err && !api_make_topic(t, r, &why))
        err = json_complain(at, f, "%s", why.text);
    arena_deinit(&a.arena);
    tags_deinit(&r->tags);
    return err;
}

static int create_topic(struct topicd *t, const struct json_at *at, struct fault *f)
{
    static const char *const members[] = {"Name", "Attributes", "Tags", NULL};
    struct topic_request r = {.account = str_of(t->options->server.account),
                              .region = str_of(t->options->server.region),
                              .data_protection = STR("")};
    int err = json_want(at, JSON_OBJECT, f);

    if (!err)
        err = check_known_members(at, members, f);
    if (!err)
        err = need_text(at, "Name", &r.name, f);
    if (err)
        return err;
    return topic_exists(t, &r) ? 0 : make_topic(t, at, &r, f);
}

/* --- subscriptions ---------------------------------------------------------------------------- */

static struct topic *find_topic(struct topicd *t, str name)
{
    struct buf arn = {0};
    struct topic *topic = catalog_topic(&t->catalog, name);

    if (topic)
        return topic;
    topic_arn_write(&arn, str_of(t->options->server.region), str_of(t->options->server.account),
                    name);
    topic = catalog_topic(&t->catalog, buf_view(&arn));
    buf_deinit(&arn);
    return topic;
}

/* A bare queue name becomes an ARN of the default account and region. */
static str endpoint_of(struct topicd *t, struct attributes *a, str protocol, str endpoint)
{
    if (!str_is(protocol, "sqs") || !arn_is_queue_name(endpoint))
        return endpoint;
    const struct server_options *o = &t->options->server;
    struct arn arn = arn_of("sqs", str_of(o->region), str_of(o->account), endpoint);
    struct buf text = {0};

    arn_write(&text, &arn);
    endpoint = arena_dup(&a->arena, buf_view(&text));
    buf_deinit(&text);
    return endpoint;
}

static int make_sub(struct topicd *t, const struct json_at *at, struct attributes *a, str name,
                    str protocol, str endpoint, struct fault *f)
{
    struct topic *topic = find_topic(t, name);
    struct fault why = {0};

    if (!topic)
        return json_complain(at, f, "there is no topic %.*s", STR_ARG(name));
    endpoint = endpoint_of(t, a, protocol, endpoint);
    if (catalog_find_sub(topic, protocol, endpoint))
        return 0;
    int err = read_given_attributes(a, at, f);

    if (!err && !api_make_sub(t, topic, str_of(t->options->server.account), protocol, endpoint,
                              a->list, a->n, &why))
        err = json_complain(at, f, "%s", why.text);
    return err;
}

static int create_sub(struct topicd *t, const struct json_at *at, struct fault *f)
{
    static const char *const members[] = {"Topic", "Protocol", "Endpoint", "Attributes", NULL};
    struct attributes a;
    str name, protocol, endpoint;
    int err = json_want(at, JSON_OBJECT, f);

    if (!err)
        err = check_known_members(at, members, f);
    if (!err)
        err = need_text(at, "Topic", &name, f);
    if (!err)
        err = need_text(at, "Protocol", &protocol, f);
    if (!err)
        err = need_text(at, "Endpoint", &endpoint, f);
    if (err)
        return err;
    attributes_begin(&a);
    err = make_sub(t, at, &a, name, protocol, endpoint, f);
    arena_deinit(&a.arena);
    return err;
}

/* --- the file --------------------------------------------------------------------------------- */

static int each_item(struct topicd *t, const struct json_at *root, const char *name,
                     int (*create)(struct topicd *, const struct json_at *, struct fault *),
                     struct fault *f)
{
    struct json_at list;
    int err = json_get(root, name, &list, f);

    if (err == E_NOT_FOUND)
        return 0;
    if (!err)
        err = json_want(&list, JSON_ARRAY, f);
    for (size_t i = 0; !err && i < json_array_size(list.value); i++) {
        struct json_at at = json_item(&list, i);

        err = create(t, &at, f);
    }
    return err;
}

int topology_apply(struct topicd *t, const struct json_doc *doc, struct fault *f)
{
    static const char *const members[] = {"topics", "queues", "subscriptions", NULL};
    struct json_at root = json_root(doc);
    int err = json_want(&root, JSON_OBJECT, f);

    if (!err)
        err = check_known_members(&root, members, f);
    if (!err)
        err = each_item(t, &root, "topics", create_topic, f);
    if (!err)
        err = each_item(t, &root, "subscriptions", create_sub, f);
    return err;
}

int topology_create(struct topicd *t, const char *path, struct fault *f)
{
    struct json_doc doc;
    int err = json_open_file(&doc, path, TOPOLOGY_SIZE_MAX, false, f);

    if (err)
        return err;
    err = topology_apply(t, &doc, f);
    json_close(&doc);
    return err;
}
