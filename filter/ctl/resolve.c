/* Resolves CloudFormation's functions inside a policy as far as the template alone allows: a
 * parameter with a default becomes its default, Sub and Join concatenate texts, If is assumed to be
 * true. Values that only the account knows (a resource's ARN, the region) become the text
 * "${Name}", so that the rest of the policy can be tried; the caller reports this.
 *
 * As with the service, a parameter's value is a string, also that of a Number; a CommaDelimitedList
 * is a list of strings. */
#include "filter/ctl/template.h"

/* The text of the null that AWS::NoValue becomes; recognised by its address. */
static const char MISSING[] = "AWS::NoValue";

struct resolver {
    struct arena *arena;
    const struct node *parameters; /* may be NULL */
    struct resolution *found;
};

static void node_set_text(struct resolver *r, struct node *n, str text)
{
    n->kind = NODE_STRING;
    n->text = text;
    n->first = NULL;
    n->n = 0;
    r->found->is_changed = true;
}

static bool is_value(const struct node *n)
{
    return n->kind == NODE_STRING || n->kind == NODE_NUMBER || n->kind == NODE_TRUE ||
           n->kind == NODE_FALSE;
}

static str default_text(const struct node *n)
{
    return n->kind == NODE_TRUE ? STR("true") : n->kind == NODE_FALSE ? STR("false") : n->text;
}

/* The parameter's declaration if it has a usable default: that of an SSM parameter is a name. */
static const struct node *declaration_of(const struct resolver *r, str name)
{
    const struct node *p =
        r->parameters && r->parameters->kind == NODE_OBJECT ? r->parameters->first : NULL;

    while (p && !str_eq(p->name, name))
        p = p->next;
    const struct node *type = node_member(p, "Type"), *value = node_member(p, "Default");
    bool is_elsewhere = type && str_starts(type->text, STR("AWS::SSM::"));
    return value && is_value(value) && !is_elsewhere ? p : NULL;
}

static str unknown_text(struct resolver *r, str name)
{
    str text = arena_printf(r->arena, "${%.*s}", STR_ARG(name));

    if (!r->found->unknown_n++)
        r->found->unknown = text;
    return text;
}

static void split_list(struct resolver *r, struct node *n, str text)
{
    struct node **to = &n->first;

    n->kind = NODE_ARRAY;
    n->first = NULL;
    n->n = 0;
    while (text.n) {
        struct node *item = arena_zalloc(r->arena, sizeof(*item));
        item->kind = NODE_STRING;
        item->text = str_trim(str_cut(&text, ','));
        item->source_at = n->source_at;
        item->source_end = n->source_end;
        *to = item;
        to = &item->next;
        n->n++;
    }
    r->found->is_changed = true;
}

static void resolve_ref(struct resolver *r, struct node *n, str name)
{
    const struct node *p = declaration_of(r, name);
    const struct node *type = node_member(p, "Type");

    if (str_is(name, MISSING)) {
        node_set_text(r, n, str_of(MISSING));
        n->kind = NODE_NULL;
    } else if (!p) {
        node_set_text(r, n, unknown_text(r, name));
    } else if (type &&
               (str_is(type->text, "CommaDelimitedList") || str_starts(type->text, STR("List<")))) {
        split_list(r, n, default_text(node_member(p, "Default")));
    } else {
        node_set_text(r, n, default_text(node_member(p, "Default")));
    }
}

/* Replaces ${Name} in a text; `own` may be the function's own map of names. */
static str substitute(struct resolver *r, str text, const struct node *own)
{
    struct buf out = {0};

    while (text.n) {
        const char *open = memmem(text.p, text.n, "${", 2);
        const char *close = open ? memchr(open, '}', text.n - (size_t)(open - text.p)) : NULL;
        if (!close) {
            buf_str(&out, text);
            break;
        }
        str name = str_from(open + 2, (size_t)(close - open) - 2);
        buf_str(&out, str_from(text.p, (size_t)(open - text.p)));
        text = str_slice(text, (size_t)(close - text.p) + 1, text.n);
        const struct node *value = own && own->kind == NODE_OBJECT ? own->first : NULL;
        while (value && !str_eq(value->name, name))
            value = value->next;
        const struct node *p = declaration_of(r, name);
        if (str_starts(name, STR("!")))
            buf_printf(&out, "${%.*s}", (int)name.n - 1, name.p + 1);
        else if (value && is_value(value))
            buf_str(&out, default_text(value));
        else if (p)
            buf_str(&out, default_text(node_member(p, "Default")));
        else
            buf_str(&out, unknown_text(r, name));
    }
    str s = arena_dup(r->arena, buf_view(&out));
    buf_deinit(&out);
    return s;
}

static void resolve_join(struct resolver *r, struct node *n, const struct node *args)
{
    const struct node *between = args->first, *list = between ? between->next : NULL;
    struct buf out = {0};
    bool is_known = list && between->kind == NODE_STRING && list->kind == NODE_ARRAY;

    for (const struct node *m = is_known ? list->first : NULL; m && is_known; m = m->next) {
        is_known = is_value(m);
        if (is_known)
            buf_str(&out, default_text(m));
        if (m->next)
            buf_str(&out, between->text);
    }
    if (is_known)
        node_set_text(r, n, arena_dup(r->arena, buf_view(&out)));
    else
        node_set_text(r, n, unknown_text(r, STR("Fn::Join")));
    buf_deinit(&out);
}

/* Replaces the content by that of `value`; the name and the place in the list remain. */
static void become(struct resolver *r, struct node *n, const struct node *value)
{
    n->kind = value->kind;
    n->text = value->text;
    n->first = value->first;
    n->n = value->n;
    r->found->is_changed = true;
}

static void resolve_get(struct resolver *r, struct node *n, const struct node *args)
{
    const struct node *a = args->first, *b = a ? a->next : NULL;

    if (args->kind == NODE_STRING)
        node_set_text(r, n, unknown_text(r, args->text));
    else if (b && a->kind == NODE_STRING && b->kind == NODE_STRING)
        node_set_text(r, n,
                      unknown_text(r, arena_printf(r->arena, "%.*s.%.*s", STR_ARG(a->text),
                                                   STR_ARG(b->text))));
    else
        node_set_text(r, n, unknown_text(r, STR("Fn::GetAtt")));
}

static void resolve_function(struct resolver *r, struct node *n, const struct node *f)
{
    const struct node *second = f->first ? f->first->next : NULL;

    if (str_is(f->name, "Fn::Sub") && f->kind == NODE_STRING)
        node_set_text(r, n, substitute(r, f->text, NULL));
    else if (str_is(f->name, "Fn::Sub") && second && f->first->kind == NODE_STRING)
        node_set_text(r, n, substitute(r, f->first->text, second));
    else if (str_is(f->name, "Fn::Join"))
        resolve_join(r, n, f);
    else if (str_is(f->name, "Fn::GetAtt"))
        resolve_get(r, n, f);
    else if (str_is(f->name, "Fn::ToJsonString"))
        become(r, n, f);
    else if (str_is(f->name, "Fn::If") && second) {
        r->found->ifs++;
        become(r, n, second);
    } else
        node_set_text(r, n, unknown_text(r, f->name));
}

/* Removes members and elements that are AWS::NoValue. */
static void drop_missing(struct node *n)
{
    for (struct node **to = &n->first; *to;) {
        if ((*to)->kind == NODE_NULL && (*to)->text.p == MISSING) {
            *to = (*to)->next;
            n->n--;
        } else {
            to = &(*to)->next;
        }
    }
}

static void resolve(struct resolver *r, struct node *n, u32 depth)
{
    if (depth > YAML_DEPTH_MAX)
        return;
    for (struct node *m = n->first; m; m = m->next)
        resolve(r, m, depth + 1);
    struct node *only = n->kind == NODE_OBJECT && n->n == 1 ? n->first : NULL;
    if (only && str_is(only->name, "Ref") && only->kind == NODE_STRING)
        resolve_ref(r, n, only->text);
    else if (only && str_starts(only->name, STR("Fn::")))
        resolve_function(r, n, only);
    else if (!str_starts(n->name, STR("Fn::"))) /* a function may have AWS::NoValue as an
                                                 * argument */
        drop_missing(n);
}

struct resolution template_resolve(struct arena *a, struct node *policy,
                                   const struct node *parameters)
{
    struct resolution found = {.is_changed = false};
    struct resolver r = {.arena = a, .parameters = parameters, .found = &found};

    resolve(&r, policy, 0);
    return found;
}
