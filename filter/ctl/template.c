/* A file is recognised by its top-level members, never by its name. */
#include "filter/ctl/template_parts.h"

#include "common/base/map.h"
#include "common/base/scan.h"

struct node *node_member(const struct node *object, const char *name)
{
    if (!object || object->kind != NODE_OBJECT)
        return NULL;
    for (struct node *m = object->first; m; m = m->next)
        if (str_is(m->name, name))
            return m;
    return NULL;
}

struct node *node_first_member(const struct node *object, const char *a, const char *b,
                               const char *c)
{
    struct node *found = node_member(object, a);

    if (!found && b)
        found = node_member(object, b);
    if (!found && c)
        found = node_member(object, c);
    return found;
}

str node_text(const struct node *n)
{
    return n && n->kind == NODE_STRING ? n->text : STR_NONE;
}

struct writer {
    struct buf *out;
    bool is_yaml;
    struct template_mark *marks; /* NULL: not wanted */
    u32 n, cap;
};

static void mark(struct writer *w, u32 line, u32 column, u32 byte)
{
    if (w->n == w->cap) {
        w->cap = w->cap ? w->cap * 2 : 64;
        w->marks = mem_grow(w->marks, w->cap * sizeof(*w->marks));
    }
    w->marks[w->n++] = (struct template_mark){(u32)w->out->n, line, column, byte};
}

static void writer_node(struct writer *w, const struct node *n, bool has_marks);

static void write_members(struct writer *w, const struct node *n, bool has_marks)
{
    for (const struct node *m = n->first; m; m = m->next) {
        if (n->kind == NODE_OBJECT) {
            if (has_marks && w->is_yaml && m->open)
                mark(w, m->open, m->end, 0);
            scan_quote(w->out, m->name);
            buf_char(w->out, ':');
        }
        writer_node(w, m, has_marks);
        if (m->next)
            buf_char(w->out, ',');
    }
}

static void writer_node(struct writer *w, const struct node *n, bool has_marks)
{
    static const char *const words[] = {
        [NODE_TRUE] = "true", [NODE_FALSE] = "false", [NODE_NULL] = "null"};

    if (has_marks && w->is_yaml)
        mark(w, n->source_at, n->source_end, 0);
    else if (has_marks)
        mark(w, 0, 0, n->source_at);
    switch (n->kind) {
    case NODE_OBJECT:
    case NODE_ARRAY:
        buf_char(w->out, n->kind == NODE_OBJECT ? '{' : '[');
        write_members(w, n, has_marks);
        buf_char(w->out, n->kind == NODE_OBJECT ? '}' : ']');
        break;
    case NODE_STRING: scan_quote(w->out, n->text); break;
    case NODE_NUMBER: buf_str(w->out, n->text); break;
    default: buf_z(w->out, words[n->kind]);
    }
}

void node_write(struct buf *out, const struct node *n)
{
    struct writer w = {.out = out};

    writer_node(&w, n, false);
}

bool node_is_array(const struct node *n)
{
    return n && n->kind == NODE_ARRAY;
}

/* --- entries ---------------------------------------------------------------------------------- */

/* The policy as JSON of its own, with marks that lead back to the file. */
static void write_policy(struct template *t, struct template_entry *e, const struct node *policy)
{
    struct buf out = {0};
    struct writer w = {.out = &out, .is_yaml = t->is_yaml};

    writer_node(&w, policy, true);
    e->text = arena_dup(t->arena, buf_view(&out));
    struct template_mark *marks = arena_alloc(t->arena, w.n * sizeof(*marks));
    memcpy(marks, w.marks, w.n * sizeof(*marks));
    e->marks = marks;
    e->mark_n = w.n;
    mem_free(w.marks);
    buf_deinit(&out);
}

void template_add(struct template *t, str name, str topic, const struct node *policy, str scope)
{
    if (t->n == TEMPLATE_ENTRIES_MAX)
        return;
    if (t->n == t->cap) {
        t->cap = t->cap ? t->cap * 2 : 16;
        t->entries = mem_grow(t->entries, t->cap * sizeof(*t->entries));
    }
    struct template_entry *e = &t->entries[t->n++];
    *e = (struct template_entry){.name = name, .topic = topic, .scope = scope};
    if (!policy || policy->kind == NODE_NULL)
        return;
    e->has_policy = true;
    e->at = policy->source_at;
    if (t->is_yaml) {
        e->line = policy->source_at;
        e->column = policy->source_end;
    }
    if (policy->kind == NODE_STRING) {
        e->text = policy->text;
    } else if (t->source.n) {
        e->text = str_slice(t->source, policy->source_at, policy->source_end);
        e->is_placed = true;
    } else {
        write_policy(t, e, policy);
    }
}

str template_short_name(const struct node *n)
{
    for (u32 depth = 0; n && n->kind != NODE_STRING && n->first && depth < 4; depth++)
        n = n->first;
    str text = node_text(n);
    ptrdiff_t colon = str_rfind(text, ':');
    if (colon >= 0 && str_starts(text, STR("arn:")))
        return str_slice(text, (size_t)colon + 1, text.n);
    ptrdiff_t slash = str_rfind(text, '/');
    return slash >= 0 ? str_slice(text, (size_t)slash + 1, text.n) : text;
}

static struct node *policy_in(const struct node *object)
{
    return node_first_member(object, "policy", "FilterPolicy", "policy_text");
}

struct node *template_scope_node(const struct node *object)
{
    return node_first_member(object, "scope", "FilterPolicyScope", "filterPolicyScope");
}

static str scope_in(const struct node *object)
{
    return node_text(template_scope_node(object));
}

/* {"name":…,"scope":…,"policy":…}, or with the names of the API. */
static void add_entry(struct template *t, const struct node *object, str name)
{
    const struct node *own = node_first_member(object, "name", "Name", "id");
    const struct node *topic = node_first_member(object, "topic", "Topic", "TopicArn");

    if (own && own->kind == NODE_STRING)
        name = own->text;
    template_add(t, name, template_short_name(topic), policy_in(object), scope_in(object));
}

/* --- topologies ------------------------------------------------------------------------------- */

/* Names subscriptions after their queue; those that share a queue, TOPIC/QUEUE. */
static void tell_apart(struct template *t, size_t from)
{
    struct map seen;

    map_init(&seen, NULL);
    bool *twice = mem_array(t->n, sizeof(*twice));
    for (size_t i = from; i < t->n; i++) {
        struct template_entry *e = &t->entries[i], *first = map_get(&seen, e->name);
        if (first)
            twice[i] = twice[first - t->entries] = true;
        else
            map_put(&seen, e->name, e);
    }
    map_deinit(&seen);
    for (size_t i = from; i < t->n; i++) {
        struct template_entry *e = &t->entries[i];
        if (twice[i] && e->topic.n)
            e->name = arena_printf(t->arena, "%.*s/%.*s", STR_ARG(e->topic), STR_ARG(e->name));
    }
    mem_free(twice);
}

static void find_topology(struct template *t, const struct node *list)
{
    size_t from = t->n;

    for (struct node *s = list->first; s; s = s->next) {
        const struct node *attributes = node_member(s, "Attributes");
        const struct node *holder = policy_in(s) || !attributes ? s : attributes;
        const struct node *name = node_first_member(s, "Name", "name", NULL);
        const struct node *endpoint =
            node_first_member(s, "Endpoint", "endpoint", "SubscriptionArn");
        template_add(t, name ? node_text(name) : template_short_name(endpoint),
                     template_short_name(node_first_member(s, "Topic", "TopicArn", "topic")),
                     policy_in(holder), scope_in(holder));
    }
    if (t->n > from)
        tell_apart(t, from);
}

/* --- which is which --------------------------------------------------------------------------- */

/* Whether it is an entry with a policy rather than a key named "policy": a key holds a list or a
 * nested key. */
static bool is_entry(const struct node *n)
{
    const struct node *policy = policy_in(n);
    const struct node *name = node_first_member(n, "name", "Name", "id");

    if (!policy || policy->kind == NODE_ARRAY)
        return false;
    return policy->kind == NODE_STRING || scope_in(n).n || (name && name->kind == NODE_STRING) ||
           (n->n == 1 && str_is(policy->name, "FilterPolicy"));
}

void template_find_named(struct template *t, struct node *root)
{
    for (struct node *m = root->first; m; m = m->next)
        if (is_entry(m))
            add_entry(t, m, m->name);
        else
            template_add(t, m->name, STR_NONE, m, STR_NONE);
}

/* Two or more members, each an object: named policies or one nested policy. */
static void find_policy(struct template *t, struct node *root)
{
    u32 objects = 0, entries = 0;

    for (struct node *m = root->first; m; m = m->next) {
        objects += m->kind == NODE_OBJECT && !str_is(m->name, "$or");
        entries += is_entry(m);
    }
    if (root->kind == NODE_OBJECT && root->n && entries == root->n) {
        template_find_named(t, root);
        return;
    }
    t->is_ambiguous = root->kind == NODE_OBJECT && root->n >= 2 && objects == root->n;
    template_add(t, STR_NONE, STR_NONE, root, STR_NONE);
}

static bool find_list(struct template *t, const struct node *root)
{
    for (struct node *m = root->first; m; m = m->next)
        if (m->kind != NODE_OBJECT)
            return false;
    for (struct node *m = root->first; m; m = m->next)
        if (node_member(m, "Attributes") && !policy_in(m))
            template_find(t, m);
        else
            add_entry(t, m, STR_NONE);
    return true;
}

/* A key of a policy may have the name of a topology's list: entries are recognised by their
 * members. */
static bool is_topology(const struct node *root, const struct node *list)
{
    if (!node_is_array(list))
        return false;
    const struct node *first = list->first;
    if (!first)
        return node_member(root, "topics") || node_member(root, "queues");
    return node_first_member(first, "Endpoint", "Topic", "TopicArn") ||
           node_first_member(first, "SubscriptionArn", "Attributes", NULL);
}

/* The same for a key named Resources. */
static bool is_stack(const struct node *resources)
{
    if (!resources || resources->kind != NODE_OBJECT)
        return false;
    for (const struct node *r = resources->first; r; r = r->next)
        if (node_text(node_member(r, "Type")).n)
            return true;
    return resources->n == 0;
}

void template_find(struct template *t, struct node *root)
{
    struct node *subscriptions = node_first_member(root, "subscriptions", "Subscriptions", NULL);
    struct node *attributes = node_member(root, "Attributes");
    struct node *policies = node_member(root, "policies");
    struct node *resources = node_member(root, "Resources");

    if (is_topology(root, subscriptions)) {
        find_topology(t, subscriptions);
    } else if (attributes && attributes->kind == NODE_OBJECT &&
               (policy_in(attributes) || node_member(attributes, "SubscriptionArn"))) {
        const struct node *endpoint =
            node_first_member(attributes, "Endpoint", "SubscriptionArn", NULL);
        template_add(t, template_short_name(endpoint),
                     template_short_name(node_member(attributes, "TopicArn")),
                     policy_in(attributes), scope_in(attributes));
    } else if (is_stack(resources)) {
        template_find_resources(t, resources, node_member(root, "Parameters"));
    } else if (template_find_terraform(t, root)) {
        return;
    } else if (node_member(root, "functions") || node_member(root, "resources")) {
        template_find_serverless(t, root);
        if (!t->n && !node_member(root, "service"))
            find_policy(t, root);
    } else if (policies && policies->kind == NODE_OBJECT && root->n == 1) {
        template_find_named(t, policies);
    } else if (node_is_array(policies) && policies->first && is_entry(policies->first)) {
        find_list(t, policies);
    } else if (is_entry(root)) {
        add_entry(t, root, STR_NONE);
    } else if (root->kind != NODE_ARRAY || !root->first || !find_list(t, root)) {
        find_policy(t, root);
    }
}

void template_deinit(struct template *t)
{
    mem_free(t->entries);
    t->entries = NULL;
    t->n = t->cap = 0;
}
