/* Builds a policy from its text: parsed (tree.c), compiled in document order with the first mistake
 * refused, checked against the limits, and expanded into branches.
 *
 *   text -> tree (tree.c) -> terms (here and policy_entry.c) -> branches (terms.c)
 *
 * Order of refusals: JSON, compile errors, keys, combinations, wildcards, bounds, nesting in
 * attribute scope. */
#include "filter/policy/policy.h"

#include "common/base/buf.h"
#include "filter/policy/defaults.h"
#include "filter/policy/policy_build.h"
#include "filter/policy/terms.h"

#include <stdarg.h>

/* Longer texts are refused whatever the limits are: positions are 32 bits wide. */
#define TEXT_MAX ((size_t)64 * 1024 * 1024)
/* Total size of all paths of one policy: nested names are repeated in every leaf below them. */
#define PATHS_SIZE_MAX ((size_t)16 * 1024 * 1024)
/* UTF-16 units of the policy that a location quotes. */
#define SNIPPET_MAX 500

const struct filter_limits FILTER_LIMITS_SNS = {
    .keys_max = 5,
    .combinations_max = 150,
    .wildcards_max = 3,
    .wildcard_points_max = 100,
    .text_size_max = 256 * 1024,
};
const struct filter_limits FILTER_LIMITS_NONE = {0};

struct compiler {
    struct policy_builder b;
    struct policy *policy;
    size_t paths_size;
    bool is_nested;
};

/* --- refusals --------------------------------------------------------------------------------- */

void policy_location(const struct policy_builder *b, u32 consumed, struct buf *out)
{
    u32 line, column;
    size_t shown = 0, units = 0;

    while (shown < b->text.n && units < SNIPPET_MAX) {
        units += (u8)b->text.p[shown] >= 0xf0 ? 2 : 1;
        str_next_char(b->text, &shown);
    }
    tree_place(b->text, consumed, &line, &column);
    buf_printf(out, "\n at [Source: (String)\"%.*s\"", (int)shown, b->text.p);
    if (shown < b->text.n) {
        u32 left;
        tree_place(str_slice(b->text, shown, b->text.n), b->text.n - shown, &line, &left);
        buf_printf(out, "[truncated %u chars]", left - 1);
    }
    buf_printf(out, "; line: 1, column: %u]", column);
}

static int refuse_text(struct policy_builder *b, const struct node *node, struct buf *text)
{
    u32 line, column;

    tree_place(b->source, node->source_at, &line, &column);
    int err = fault_set_at(b->fault, FILTER_FAULT_POLICY, line, column, "%s", text->p);
    buf_deinit(text);
    return err;
}

static PRINTF_LIKE(2, 0) void print_args(struct buf *out, const char *fmt, va_list args)
{
    char text[FAULT_TEXT_MAX + 1];

    vsnprintf(text, sizeof(text), fmt, args);
    buf_z(out, text);
}

int policy_refuse_at(struct policy_builder *b, const struct node *node, u32 consumed,
                     const char *fmt, ...)
{
    struct buf text = {0};
    va_list args;

    va_start(args, fmt);
    print_args(&text, fmt, args);
    va_end(args);
    policy_location(b, consumed, &text);
    return refuse_text(b, node, &text);
}

int policy_refuse(struct policy_builder *b, const struct node *node, const char *fmt, ...)
{
    struct buf text = {0};
    va_list args;

    va_start(args, fmt);
    print_args(&text, fmt, args);
    va_end(args);
    return refuse_text(b, node, &text);
}

/* --- compiling -------------------------------------------------------------------------------- */

/* Names that no member of a $or may have, nor anything nested in one: the service's engine applies
 * this to the whole alternative. */
static bool is_reserved(str name)
{
    static const char *const words[] = {
        "exactly",
        "equals-ignore-case",
        "prefix",
        "suffix",
        "anything-but",
        "exists",
        "wildcard",
        "numeric",
        "cidr",
        "=",
        "<",
        "<=",
        ">",
        ">=",
        "regex",
        "not-wildcard",
        "not-equals-ignore-case",
        "date-after",
        "date-on-or-after",
        "date-before",
        "date-on-or-before",
        "in-date-range",
        "ip-address-in-range",
        "ip-address-not-in-range",
    };

    for (size_t i = 0; i < ARRAY_LEN(words); i++)
        if (str_is(name, words[i]))
            return true;
    return false;
}

/* Where in the policy an object is. */
struct context {
    str path;
    u32 level;
    bool is_alternative; /* it is a member of a $or, or nested in one */
};

/* The path of member `name`. Once all paths together exceed their bound, which is refused at the
 * end, paths are no longer joined. */
static str join_path(struct compiler *c, const struct context *at, str name)
{
    str outer = at->path;

    c->paths_size += outer.n + name.n + 1;
    if (at->level == 1 || c->paths_size > PATHS_SIZE_MAX)
        return name;
    char *p = arena_alloc(c->b.arena, outer.n + 1 + name.n);
    memcpy(p, outer.p, outer.n);
    p[outer.n] = '.';
    memcpy(p + outer.n + 1, name.p, name.n);
    return str_from(p, outer.n + 1 + name.n);
}

static struct term *add_term(struct compiler *c, struct term ***tail)
{
    struct term *t = arena_zalloc(c->b.arena, sizeof(*t));

    **tail = t;
    *tail = &t->next;
    return t;
}

static int compile_leaf(struct compiler *c, const struct node *list, str path, u32 level,
                        struct term ***tail)
{
    if (list->n == 0)
        return policy_refuse_at(&c->b, list, list->end, "Empty arrays are not allowed");
    struct policy_entry *entries = arena_alloc(c->b.arena, list->n * sizeof(*entries));
    u32 n = 0;
    for (const struct node *v = list->first; v; v = v->next) {
        int err = policy_entry_build(&c->b, v, &entries[n++]);
        if (err)
            return err;
    }
    struct policy_leaf *leaf = arena_zalloc(c->b.arena, sizeof(*leaf));
    *leaf = (struct policy_leaf){
        .path = path, .level = level, .at = list->name_at, .n = n, .entries = entries};
    add_term(c, tail)->leaf = leaf;
    c->policy->leaf_count++;
    return 0;
}

static int compile_object(struct compiler *c, const struct node *object, struct context at,
                          struct term ***tail);

static int compile_or(struct compiler *c, const struct node *list, struct context at,
                      struct term ***tail)
{
    if (list->kind != NODE_ARRAY)
        return policy_refuse_at(&c->b, list, list->open, "It must be an Array followed with $or.");
    struct term *group = add_term(c, tail);
    struct alternative **link = &group->alternatives;
    at.is_alternative = true;
    for (const struct node *v = list->first; v; v = v->next) {
        if (v->kind != NODE_OBJECT)
            return policy_refuse_at(&c->b, v, v->open,
                                    "Only JSON object is allowed in array of $or relationship.");
        struct alternative *a = arena_zalloc(c->b.arena, sizeof(*a));
        struct term **terms = &a->terms;
        *link = a;
        link = &a->next;
        int err = compile_object(c, v, at, &terms);
        if (err)
            return err;
    }
    if (list->n < 2)
        return policy_refuse_at(&c->b, list, list->end,
                                "There must have at least 2 Objects in $or relationship.");
    return 0;
}

static int compile_member(struct compiler *c, const struct node *m, struct context at,
                          struct term ***tail)
{
    if (str_is(m->name, "$or"))
        return compile_or(c, m, at, tail);
    if (at.is_alternative && is_reserved(m->name))
        return policy_refuse_at(&c->b, m, m->open,
                                "%.*s is Ruler reserved fieldName which cannot be used inside $or.",
                                STR_ARG(m->name));
    str path = join_path(c, &at, m->name);
    if (m->kind == NODE_ARRAY)
        return compile_leaf(c, m, path, at.level, tail);
    if (m->kind != NODE_OBJECT)
        return policy_refuse_at(&c->b, m, m->open, "\"%.*s\" must be an object or an array",
                                STR_ARG(m->name));
    c->is_nested = true;
    bool is_inside = at.is_alternative && DEFAULT_RESERVED_AT_ANY_DEPTH;
    return compile_object(c, m, (struct context){path, at.level + 1, is_inside}, tail);
}

static int compile_object(struct compiler *c, const struct node *object, struct context at,
                          struct term ***tail)
{
    for (const struct node *m = object->first; m; m = m->next) {
        int err = compile_member(c, m, at, tail);
        if (err)
            return err;
    }
    if (object->n == 0)
        return policy_refuse_at(&c->b, object, object->end, "Empty objects are not allowed");
    return 0;
}

/* --- limits ----------------------------------------------------------------------------------- */

static int limits_check(struct compiler *c, const struct node *root, const struct term *terms,
                        const struct filter_limits *limits)
{
    struct policy *p = c->policy;
    struct terms_tally tally = terms_count(terms);

    p->combinations = tally.combinations;
    if (limits->keys_max && p->leaf_count > limits->keys_max)
        return policy_refuse(&c->b, root, "Filter policy can not have more than %u keys",
                             limits->keys_max);
    u64 points = 0;
    bool has_wildcard = false;
    bool is_complex =
        (limits->combinations_max && tally.combinations > limits->combinations_max) ||
        terms_over_stars(terms, limits->wildcards_max, &points, &has_wildcard) ||
        (limits->wildcard_points_max && (has_wildcard || !DEFAULT_POINTS_NEED_WILDCARD) &&
         points > limits->wildcard_points_max) ||
        tally.branches > POLICY_BRANCHES_MAX || tally.leaves > POLICY_BRANCH_LEAVES_MAX ||
        c->paths_size > PATHS_SIZE_MAX;
    if (is_complex)
        return policy_refuse(&c->b, root, DEFAULT_TEXT_COMPLEX);
    if (c->is_nested && p->scope == FILTER_ATTRIBUTES)
        return fault_set(c->b.fault, FILTER_FAULT_SCOPE,
                         "Filter policy scope MessageAttributes does not support nested filter "
                         "policy");
    return 0;
}

/* --- the public face -------------------------------------------------------------------------- */

static int policy_fill(struct policy *p, str text, const struct filter_limits *limits,
                       struct fault *f)
{
    if (text.n == 0)
        return 0;
    size_t text_max = limits->text_size_max ? limits->text_size_max : TEXT_MAX;
    if (text.n > text_max) {
        u32 line, column;
        tree_place(text, text_max, &line, &column);
        return fault_set_at(f, FILTER_FAULT_POLICY, line, column, DEFAULT_TEXT_COMPLEX);
    }
    struct node *root;
    struct compiler c = {.b = {.arena = &p->arena, .source = text, .fault = f}, .policy = p};
    int err = tree_read(&p->arena, text, &root, &p->text, f);
    if (err)
        return err;
    c.b.text = p->text;
    if (root->kind != NODE_OBJECT)
        return policy_refuse_at(&c.b, root, root->open, "Filter is not an object");
    if (root->n == 0)
        return 0;
    struct term *terms = NULL, **tail = &terms;
    err = compile_object(&c, root, (struct context){STR_NONE, 1, false}, &tail);
    if (err)
        return err;
    err = limits_check(&c, root, terms, limits);
    if (err)
        return err;
    terms_expand(terms, p);
    return 0;
}

int policy_new(struct policy **ret, str text, enum filter_scope scope,
               const struct filter_limits *limits, struct fault *f)
{
    struct policy *p = mem_alloc(sizeof(*p));

    p->scope = scope;
    p->text = STR("");
    arena_init(&p->arena);
    int err = policy_fill(p, text, limits, f);
    if (err) {
        policy_free(p);
        return err;
    }
    *ret = p;
    return 0;
}

void policy_free(struct policy *p)
{
    if (!p)
        return;
    arena_deinit(&p->arena);
    mem_free(p);
}

str policy_text(const struct policy *p)
{
    return p->text;
}

enum filter_scope policy_scope(const struct policy *p)
{
    return p->scope;
}

bool policy_is_empty(const struct policy *p)
{
    return p->n == 0;
}

static const char *const SCOPE_NAMES[] = {
    [FILTER_ATTRIBUTES] = "MessageAttributes",
    [FILTER_BODY] = "MessageBody",
};

int filter_scope_read(str text, enum filter_scope *ret)
{
    for (u32 i = 0; i < ARRAY_LEN(SCOPE_NAMES); i++) {
        if (str_is(text, SCOPE_NAMES[i])) {
            *ret = (enum filter_scope)i;
            return 0;
        }
    }
    return E_INVALID;
}

const char *filter_scope_name(enum filter_scope scope)
{
    return SCOPE_NAMES[scope];
}
