/* Converts YAML to the same tree as JSON; the only file that sees libyaml. Its parser's events are
 * turned into nodes recursively, bounded in depth and, since an alias repeats a tree, in nodes.
 *
 * Plain scalars follow YAML 1.2's core schema (true, null, numbers as JSON may spell them);
 * everything else, and everything quoted, is a string. */
#include "filter/ctl/template.h"

#include <yaml.h>

#include "common/base/map.h"
#include "filter/filter.h"

struct anchor {
    str name;
    struct node *node;
    struct anchor *next; /* the one before it */
};

struct yaml_reader {
    yaml_parser_t parser;
    yaml_event_t event; /* the current one; its type is NO_EVENT when there is none */
    struct arena *arena;
    struct fault *fault;
    struct anchor *anchors;
    u32 nodes;
};

static int yaml_complain(struct yaml_reader *r, const char *words)
{
    return fault_set_at(r->fault, FILTER_FAULT_POLICY, (u32)r->event.start_mark.line + 1,
                        (u32)r->event.start_mark.column + 1, "YAML: %s", words);
}

static int next_event(struct yaml_reader *r)
{
    yaml_event_delete(&r->event);
    if (yaml_parser_parse(&r->parser, &r->event))
        return 0;
    r->event.type = YAML_NO_EVENT;
    return fault_set_at(r->fault, FILTER_FAULT_POLICY, (u32)r->parser.problem_mark.line + 1,
                        (u32)r->parser.problem_mark.column + 1, "YAML: %s",
                        r->parser.problem ? r->parser.problem : "cannot be read");
}

static int new_node(struct yaml_reader *r, enum node_kind kind, struct node **ret)
{
    if (r->nodes++ == YAML_NODES_MAX)
        return yaml_complain(r, "too many nodes");
    *ret = arena_zalloc(r->arena, sizeof **ret);
    (*ret)->kind = kind;
    (*ret)->source_at = (u32)r->event.start_mark.line + 1;
    (*ret)->source_end = (u32)r->event.start_mark.column + 1;
    return 0;
}

static str dup_z(struct yaml_reader *r, const yaml_char_t *z)
{
    return z ? arena_dup(r->arena, str_of((const char *)z)) : STR_NONE;
}

/* --- scalars ---------------------------------------------------------------------------------- */

static size_t digits(str s, size_t at)
{
    size_t n = 0;

    while (at + n < s.n && s.p[at + n] >= '0' && s.p[at + n] <= '9')
        n++;
    return n;
}

/* A YAML number in JSON's spelling if there is one: +5, .5, 5. and 007 are converted. */
static bool to_number(struct yaml_reader *r, str s, str *ret)
{
    bool is_minus = s.n && s.p[0] == '-';
    size_t at = s.n && (s.p[0] == '-' || s.p[0] == '+');
    size_t whole = digits(s, at), whole_at = at, part = 0, part_at;

    at += whole;
    part_at = at + 1;
    if (at < s.n && s.p[at] == '.') {
        part = digits(s, part_at);
        at = part_at + part;
    }
    if (!whole && !part)
        return false;
    str exponent = str_slice(s, at, s.n);
    if (exponent.n) {
        size_t sign = exponent.n > 1 && (exponent.p[1] == '-' || exponent.p[1] == '+');
        size_t n = digits(exponent, 1 + sign);
        if ((exponent.p[0] != 'e' && exponent.p[0] != 'E') || !n || 1 + sign + n != exponent.n)
            return false;
    }
    for (; whole > 1 && s.p[whole_at] == '0'; whole--)
        whole_at++;
    str w = whole ? str_slice(s, whole_at, whole_at + whole) : STR("0");
    *ret = arena_printf(r->arena, "%s%.*s%s%.*s%.*s", is_minus ? "-" : "", STR_ARG(w),
                        part ? "." : "", (int)part, s.p + (part ? part_at : 0), STR_ARG(exponent));
    return true;
}

static bool is_word(str s, const char *a, const char *b, const char *c)
{
    return str_is(s, a) || str_is(s, b) || str_is(s, c);
}

/* The short form of a function: !Ref X is {"Ref":"X"}, !Sub X is {"Fn::Sub":"X"}. */
static int wrap_function(struct yaml_reader *r, const char *tag, struct node **node)
{
    struct node *outer = NULL;

    if (!tag || tag[0] != '!' || !tag[1] || tag[1] == '!')
        return 0;
    int err = new_node(r, NODE_OBJECT, &outer);
    if (err)
        return err;
    bool is_bare = strcmp(tag, "!Ref") == 0 || strcmp(tag, "!Condition") == 0;
    (*node)->name = arena_printf(r->arena, "%s%s", is_bare ? "" : "Fn::", tag + 1);
    outer->first = *node;
    outer->n = 1;
    *node = outer;
    return 0;
}

static int yaml_scalar(struct yaml_reader *r, struct node **ret)
{
    const yaml_event_t *e = &r->event;
    str s = arena_dup(r->arena, str_from(e->data.scalar.value, e->data.scalar.length));
    const char *tag = (const char *)e->data.scalar.tag;
    enum node_kind kind = NODE_STRING;

    if (e->data.scalar.plain_implicit) {
        if (!s.n || is_word(s, "null", "Null", "NULL") || str_is(s, "~"))
            kind = NODE_NULL;
        else if (is_word(s, "true", "True", "TRUE"))
            kind = NODE_TRUE;
        else if (is_word(s, "false", "False", "FALSE"))
            kind = NODE_FALSE;
        else if (to_number(r, s, &s))
            kind = NODE_NUMBER;
    }
    int err = new_node(r, kind, ret);
    if (err == 0)
        (*ret)->text = s;
    return err ? err : wrap_function(r, tag, ret);
}

/* --- collections ------------------------------------------------------------------------------ */

static int read_node(struct yaml_reader *r, u32 depth, struct node **ret);

static int copy_node(struct yaml_reader *r, const struct node *from, struct node **ret)
{
    int err = new_node(r, from->kind, ret);

    if (err)
        return err;
    **ret = *from;
    (*ret)->next = NULL;
    struct node **to = &(*ret)->first;
    for (const struct node *m = from->first; m; m = m->next) {
        if ((err = copy_node(r, m, to)) != 0)
            return err;
        to = &(*to)->next;
    }
    return 0;
}

static int read_alias(struct yaml_reader *r, struct node **ret)
{
    str name = str_of((const char *)r->event.data.alias.anchor);

    for (struct anchor *a = r->anchors; a; a = a->next)
        if (str_eq(a->name, name))
            return a->node ? copy_node(r, a->node, ret)
                           : yaml_complain(r, "an alias inside its own anchor");
    return yaml_complain(r, "an alias without an anchor");
}

static int read_sequence(struct yaml_reader *r, u32 depth, struct node *list)
{
    struct node **to = &list->first;
    int err;

    while ((err = next_event(r)) == 0 && r->event.type != YAML_SEQUENCE_END_EVENT) {
        if ((err = read_node(r, depth + 1, to)) != 0)
            return err;
        to = &(*to)->next;
        list->n++;
    }
    return err;
}

/* Of two members of the same name the last one counts and takes the place of the first. */
static void put_member(struct map *names, struct node *object, struct node ***to, struct node *m)
{
    struct node *old = map_get(names, m->name);

    if (old) {
        old->kind = m->kind;
        old->n = m->n;
        old->text = m->text;
        old->first = m->first;
        return;
    }
    map_put(names, m->name, m);
    **to = m;
    *to = &m->next;
    object->n++;
}

/* "<<": adds the members of another object, or of several, that are not present yet. */
static void merge(struct map *names, struct node *object, struct node ***to, struct node *from)
{
    if (from->kind == NODE_ARRAY)
        for (struct node *m = from->first, *next; m; m = next) {
            next = m->next;
            merge(names, object, to, m);
        }
    if (from->kind != NODE_OBJECT)
        return;
    for (struct node *m = from->first, *next; m; m = next) {
        next = m->next;
        m->next = NULL;
        if (!map_get(names, m->name))
            put_member(names, object, to, m);
    }
}

static int read_members(struct yaml_reader *r, u32 depth, struct node *object, struct map *names)
{
    struct node **to = &object->first, *merged = NULL;
    int err;

    while ((err = next_event(r)) == 0 && r->event.type != YAML_MAPPING_END_EVENT) {
        struct node *value = NULL;
        if (r->event.type != YAML_SCALAR_EVENT)
            return yaml_complain(r, "a member name must be a scalar");
        str name =
            arena_dup(r->arena, str_from(r->event.data.scalar.value, r->event.data.scalar.length));
        u32 line = (u32)r->event.start_mark.line + 1, column = (u32)r->event.start_mark.column + 1;
        if ((err = next_event(r)) != 0 || (err = read_node(r, depth + 1, &value)) != 0)
            return err;
        value->name = name;
        value->open = line;
        value->end = column;
        if (str_is(name, "<<"))
            merged = value;
        else
            put_member(names, object, &to, value);
    }
    if (err == 0 && merged)
        merge(names, object, &to, merged);
    return err;
}

static int yaml_collection(struct yaml_reader *r, u32 depth, struct node **ret)
{
    bool is_mapping = r->event.type == YAML_MAPPING_START_EVENT;
    str tag =
        dup_z(r, is_mapping ? r->event.data.mapping_start.tag : r->event.data.sequence_start.tag);
    int err = new_node(r, is_mapping ? NODE_OBJECT : NODE_ARRAY, ret);

    if (err == 0 && is_mapping) {
        struct map names;
        map_init(&names, NULL);
        err = read_members(r, depth, *ret, &names);
        map_deinit(&names);
    } else if (err == 0) {
        err = read_sequence(r, depth, *ret);
    }
    return err ? err : wrap_function(r, tag.p, ret);
}

static const yaml_char_t *anchor_of(const yaml_event_t *e)
{
    switch (e->type) {
    case YAML_SCALAR_EVENT: return e->data.scalar.anchor;
    case YAML_SEQUENCE_START_EVENT: return e->data.sequence_start.anchor;
    case YAML_MAPPING_START_EVENT: return e->data.mapping_start.anchor;
    default: return NULL;
    }
}

/* Reads the node that the current event begins. */
static int read_node(struct yaml_reader *r, u32 depth, struct node **ret)
{
    struct anchor *anchor = NULL;

    if (depth > YAML_DEPTH_MAX)
        return yaml_complain(r, "nested too deeply");
    if (anchor_of(&r->event)) {
        anchor = arena_zalloc(r->arena, sizeof(*anchor));
        anchor->name = dup_z(r, anchor_of(&r->event));
        anchor->next = r->anchors;
        r->anchors = anchor;
    }
    int err;
    if (r->event.type == YAML_ALIAS_EVENT)
        err = read_alias(r, ret);
    else if (r->event.type == YAML_SCALAR_EVENT)
        err = yaml_scalar(r, ret);
    else if (r->event.type == YAML_SEQUENCE_START_EVENT ||
             r->event.type == YAML_MAPPING_START_EVENT)
        err = yaml_collection(r, depth, ret);
    else
        err = yaml_complain(r, "a value was expected");
    if (err == 0 && anchor)
        anchor->node = *ret;
    return err;
}

int yaml_read(struct arena *a, str text, struct node **ret, struct fault *f)
{
    struct yaml_reader r = {.arena = a, .fault = f};

    if (!yaml_parser_initialize(&r.parser))
        return fault_set(f, FILTER_FAULT_POLICY, "YAML: out of memory");
    yaml_parser_set_input_string(&r.parser, (const unsigned char *)text.p, text.n);
    int err = 0;
    do
        err = next_event(&r);
    while (err == 0 &&
           (r.event.type == YAML_STREAM_START_EVENT || r.event.type == YAML_DOCUMENT_START_EVENT));
    if (err == 0 && r.event.type == YAML_STREAM_END_EVENT)
        err = yaml_complain(&r, "empty document");
    if (err == 0)
        err = read_node(&r, 0, ret);
    yaml_event_delete(&r.event);
    yaml_parser_delete(&r.parser);
    return err;
}
