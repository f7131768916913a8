/* The checks, one function each. Places: the policy has positions in its compact text; the tree has
 * the corresponding positions in the owner's text. */
#include "filter/ctl/lint_parts.h"

#include <stdlib.h>

#define ATTRIBUTE_NAME_MAX 256                        /* bytes of an attribute's name */
#define DECIMALS_MAX       5                          /* documented decimal places */
static const str NUMBER_MAX = STR_INIT("1000000000"); /* documented magnitude */
/* Publish refuses attributes with larger numbers. */
static const str ATTRIBUTE_NUMBER_MAX = STR_INIT("1e126");

/* --- places ----------------------------------------------------------------------------------- */

static void add_nodes(struct lint_walk *w, const struct node *n)
{
    if (w->n == w->cap) {
        w->cap = w->cap ? w->cap * 2 : 64;
        w->nodes = mem_grow(w->nodes, w->cap * sizeof(*w->nodes));
    }
    w->nodes[w->n++] = n;
    for (const struct node *m = n->first; m; m = m->next)
        add_nodes(w, m);
}

/* The value at a byte of the compact text, or the member whose name is there. */
static const struct node *node_at(const struct lint_walk *w, u32 at, bool by_name)
{
    size_t low = 0, high = w->n;

    while (low < high) {
        size_t mid = (low + high) / 2;
        if (w->nodes[mid]->at < at)
            low = mid + 1;
        else
            high = mid;
    }
    for (; low < w->n; low++)
        if ((by_name ? w->nodes[low]->name_at : w->nodes[low]->at) == at)
            return w->nodes[low];
    return NULL;
}

/* The position of a member's name in the owner's text. */
static size_t name_place(str text, const struct node *member)
{
    size_t at = member->source_at;

    while (at && text.p[at - 1] != ':')
        at--;
    while (at && text.p[at - 1] != '"')
        at--;
    for (at = at ? at - 1 : 0; at; at--)
        if (text.p[at - 1] == '"' && (at < 2 || text.p[at - 2] != '\\'))
            return at - 1;
    return 0;
}

static size_t entry_place(const struct lint_walk *w, const struct policy_entry *e)
{
    const struct node *n = node_at(w, e->at, false);

    return n ? n->source_at : 0;
}

size_t lint_leaf_place(const struct lint_walk *w, const struct policy_leaf *leaf)
{
    const struct node *n = node_at(w, leaf->at, true);

    return n ? name_place(w->l->subject->text, n) : 0;
}

static str entry_text(const struct lint_walk *w, const struct policy_entry *e)
{
    return str_slice(w->p->text, e->at, MIN(e->end, e->at + 80u));
}

/* --- entries ---------------------------------------------------------------------------------- */

static bool has_beyond_plane(str s)
{
    for (size_t i = 0; i < s.n; i++)
        if ((u8)s.p[i] >= 0xf0)
            return true;
    return false;
}

/* Whether `text` can be a piece of an escaped value: there, every quote and every backslash follows
 * a backslash, and no other character does. */
static bool is_escaped(str text, bool is_cut)
{
    for (size_t i = 0; i < text.n; i++) {
        if (text.p[i] == '"')
            return false;
        if (text.p[i] != '\\')
            continue;
        if (++i == text.n)
            return is_cut;
        if (text.p[i] != '"' && text.p[i] != '\\')
            return false;
    }
    return true;
}

/* Attribute values are compared in escaped form: none has this text at the place that the rule
 * matches. */
static bool is_escaped_once(const struct policy_entry *e, const struct policy_operand *o)
{
    switch (e->kind) {
    case POLICY_STRING:
    case POLICY_FOLDED: return !is_escaped(o->text, false);
    case POLICY_PREFIX: return !is_escaped(o->text, true);
    case POLICY_SUFFIX: /* may begin between a backslash and the character it escapes */
        return !is_escaped(o->text, false) && !is_escaped(str_slice(o->text, 1, o->text.n), false);
    default: return false;
    }
}

static bool is_over(const struct number *n, str bound)
{
    struct number high, magnitude = *n;
    int err = number_read(bound, &high);

    assert(err == 0);
    (void)err;
    magnitude.negative = false;
    return number_cmp(&magnitude, &high) > 0;
}

static bool is_beyond_precision(const struct number *n)
{
    return is_over(n, NUMBER_MAX) ||
           (n->digit_count && (i64)n->digit_count - n->exponent > DECIMALS_MAX);
}

/* Why the entry can never match a plain attribute, or NULL. */
static const char *never_in_attributes(const struct policy_entry *e)
{
    if (e->kind == POLICY_TRUE || e->kind == POLICY_FALSE || e->kind == POLICY_NULL)
        return "only elements of a String.Array are true, false or null";
    if (e->negated || e->n != 1)
        return NULL;
    const struct policy_operand *o = e->operands;
    if (e->kind == POLICY_STRING && !o->text.n)
        return "attributes cannot have empty values";
    if (e->kind <= POLICY_WILDCARD && e->kind != POLICY_NUMBER && has_beyond_plane(o->text))
        return "Publish refuses characters beyond the Basic Multilingual Plane";
    if (e->kind == POLICY_NUMBER && is_over(&o->number, ATTRIBUTE_NUMBER_MAX))
        return "Publish refuses numbers this large";
    return NULL;
}

/* Never, not even for elements of a String.Array. */
bool lint_entry_is_never(const struct lint_walk *w, const struct policy_entry *e)
{
    return w->p->scope == FILTER_ATTRIBUTES && e->n == 1 && !e->negated &&
           is_escaped_once(e, e->operands);
}

static void check_entry_text(const struct lint_walk *w, const struct policy_entry *e,
                             const struct policy_operand *o)
{
    size_t at = entry_place(w, e);
    str shown = entry_text(w, e), trimmed = str_trim(o->text);
    bool is_text = e->kind == POLICY_STRING || e->kind == POLICY_FOLDED;

    if (is_text && o->text.n && trimmed.n != o->text.n)
        lint_say(w->l, "L115", at, "Remove the blanks unless messages have them, too.",
                 "%.*s has leading or trailing blanks, which are not trimmed", STR_ARG(shown));
    if (e->kind == POLICY_WILDCARD && o->pattern.n == 1)
        lint_say(w->l, "L114", at, "Add an asterisk, or write the plain string.",
                 "%.*s has no asterisk, so it matches only that exact text", STR_ARG(shown));
    if (w->p->scope == FILTER_ATTRIBUTES && is_escaped_once(e, o))
        lint_say(
            w->l, "L116", at,
            "Escape twice: the value 5\" is matched by \"5\\\\\\\"\" in the policy's JSON.",
            "%.*s: attribute values are compared with their quotes and backslashes escaped, so "
            "this never matches",
            STR_ARG(shown));
}

static void check_numbers(const struct lint_walk *w, const struct policy_entry *e,
                          const struct policy_operand *o)
{
    bool is_beyond = false;

    if (e->kind == POLICY_NUMBER)
        is_beyond = is_beyond_precision(&o->number);
    if (e->kind == POLICY_NUMERIC)
        is_beyond = (o->range.has_low && is_beyond_precision(&o->range.low)) ||
                    (o->range.has_high && is_beyond_precision(&o->range.high));
    if (is_beyond)
        lint_say(w->l, "L109", entry_place(w, e),
                 "Publish the number in another unit, or compare it as a string.",
                 "%.*s: the documentation only guarantees numbers from -10^9 to 10^9 with five "
                 "decimal places",
                 STR_ARG(entry_text(w, e)));
}

/* Finds values that an anything-but already excludes. */
static void check_excluded(const struct lint_walk *w, const struct policy_entry *e)
{
    for (u32 k = 0; k < e->n; k++) {
        const struct policy_operand *other = entry_repeats(e, k);
        const struct node *n = other ? node_at(w, e->operands[k].at, false) : NULL;
        if (other)
            lint_say(w->l, "L102", n ? n->source_at : entry_place(w, e),
                     "Remove it: the list excludes it already.",
                     "\"%.*s\" is excluded by \"%.*s\" already", STR_ARG(e->operands[k].text),
                     STR_ARG(other->text));
    }
}

static void check_entry(const struct lint_walk *w, const struct policy_entry *e)
{
    const char *why = w->p->scope == FILTER_ATTRIBUTES ? never_in_attributes(e) : NULL;

    if (why)
        lint_say(w->l, "L101", entry_place(w, e),
                 "Remove the entry, or publish the value in the form that it requires.",
                 "%.*s can never match a String or Number attribute: %s", STR_ARG(entry_text(w, e)),
                 why);
    struct policy_entry inner = *e;
    inner.negated = false;
    if (e->negated && entry_takes_any_string(&inner))
        lint_say(
            w->l, "L101", entry_place(w, e),
            "Exclude fewer values; to require that the key is absent, use {\"exists\": false}.",
            "%.*s can never match a string: it excludes all strings", STR_ARG(entry_text(w, e)));
    if (entry_takes_any_string(e))
        lint_say(w->l, "L113", entry_place(w, e),
                 "Write {\"exists\": true} if the key only has to be present.",
                 "%.*s matches every string", STR_ARG(entry_text(w, e)));
    if (e->negated && e->n <= LINT_ENTRIES_MAX)
        check_excluded(w, e);
    for (u32 i = 0; i < e->n; i++) {
        check_entry_text(w, e, &e->operands[i]);
        check_numbers(w, e, &e->operands[i]);
    }
}

/* --- entries of one list ---------------------------------------------------------------------- */

static void check_covered(const struct lint_walk *w, const struct policy_leaf *leaf, u32 b)
{
    const struct policy_entry *eb = &leaf->entries[b];

    for (u32 a = 0; a < leaf->n; a++) {
        const struct policy_entry *ea = &leaf->entries[a];
        /* Of two that cover each other the later one is reported. */
        if (a == b || !entry_covers(ea, eb) || (a > b && entry_covers(eb, ea)))
            continue;
        lint_say(w->l, "L102", entry_place(w, eb),
                 "Remove it: entries of one list are alternatives already.",
                 "%.*s is covered by %.*s", STR_ARG(entry_text(w, eb)), STR_ARG(entry_text(w, ea)));
        return;
    }
}

/* Checks an anything-but against the entries beside it. */
static void check_but(const struct lint_walk *w, const struct policy_leaf *leaf, u32 i)
{
    const struct policy_entry *but = &leaf->entries[i];

    for (u32 k = 0; k < leaf->n; k++) {
        const struct policy_entry *e = &leaf->entries[k];
        if (k == i || e->kind == POLICY_ABSENT)
            continue;
        if (e->negated) {
            if (k > i && !entry_covers(but, e) && !entry_covers(e, but))
                lint_say(w->l, "L104", entry_place(w, e),
                         "Write one anything-but with a list of all values.",
                         "two anything-but in one list are alternatives: %.*s accepts what "
                         "%.*s excludes",
                         STR_ARG(entry_text(w, but)), STR_ARG(entry_text(w, e)));
            continue;
        }
        for (u32 o = 0; o < but->n; o++) {
            if (!entry_admits(e, but, &but->operands[o]))
                continue;
            lint_say(w->l, "L103", entry_place(w, e),
                     "Remove one of the two: entries of one list are alternatives.",
                     "%.*s accepts what %.*s excludes", STR_ARG(entry_text(w, e)),
                     STR_ARG(entry_text(w, but)));
            break;
        }
    }
}

static void check_list(const struct lint_walk *w, const struct policy_leaf *leaf)
{
    for (u32 i = 0; i < leaf->n; i++)
        check_entry(w, &leaf->entries[i]);
    if (leaf->n > LINT_ENTRIES_MAX)
        return;
    for (u32 i = 0; i < leaf->n; i++) {
        check_covered(w, leaf, i);
        if (leaf->entries[i].negated)
            check_but(w, leaf, i);
    }
}

/* --- keys ------------------------------------------------------------------------------------- */

bool lint_is_attribute_name(str name)
{
    for (size_t i = 0; i < name.n; i++) {
        char c = name.p[i];
        bool is_letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
        bool is_other = (c >= '0' && c <= '9') || c == '_' || c == '-' || c == '.';
        if (!is_letter && !is_other)
            return false;
    }
    return name.n && name.n <= ATTRIBUTE_NAME_MAX && name.p[0] != '.' &&
           name.p[name.n - 1] != '.' && !memmem(name.p, name.n, "..", 2);
}

static void check_key(const struct lint_walk *w, const struct policy_leaf *leaf)
{
    if (w->p->scope != FILTER_ATTRIBUTES)
        return;
    if (!lint_is_attribute_name(leaf->path))
        lint_say(w->l, "L107", lint_leaf_place(w, leaf),
                 "Name an attribute as it is published; for the body set FilterPolicyScope to "
                 "MessageBody.",
                 "no attribute can be named \"%.*s\"", STR_ARG(leaf->path));
    else if (str_find(leaf->path, '.') >= 0)
        lint_say(w->l, "L107", lint_leaf_place(w, leaf),
                 "For a key inside the body set FilterPolicyScope to MessageBody.",
                 "\"%.*s\" is one attribute name including the dot, not a nested key",
                 STR_ARG(leaf->path));
}

/* Finds keys of the text that are in no branch: a later one of the same path replaced them. */
static void check_replaced(const struct lint_walk *w)
{
    for (size_t i = 0; i < w->n; i++) {
        const struct node *n = w->nodes[i];
        if (n->twice)
            lint_say(w->l, "L111", name_place(w->l->subject->text, n),
                     "Put all values into one list, or rename one of the keys.",
                     "\"%.*s\" appears more than once: the last one counts, the others are ignored",
                     STR_ARG(n->name));
        if (n->kind != NODE_ARRAY || !n->name_at || str_is(n->name, "$or"))
            continue;
        bool is_leaf = false, is_operator = false;
        for (size_t k = 0; k < w->leaf_n && !is_leaf; k++) {
            const struct policy_leaf *leaf = w->leaves[k];
            is_leaf = leaf->at == n->name_at;
            for (u32 e = 0; e < leaf->n && !is_operator; e++)
                is_operator = leaf->entries[e].at < n->at && n->at < leaf->entries[e].end;
        }
        if (!is_leaf && !is_operator)
            lint_say(w->l, "L111", name_place(w->l->subject->text, n),
                     "Use every path once: a nested key and its dotted spelling are the same path.",
                     "\"%.*s\" is replaced by another key of the same path", STR_ARG(n->name));
    }
}

static int compare_pointers(const void *a, const void *b)
{
    const struct policy_leaf *const *x = a, *const *y = b;

    return (*x)->at < (*y)->at ? -1 : (*x)->at > (*y)->at;
}

static void collect_leaves(struct lint_walk *w)
{
    size_t n = 0;

    for (u32 b = 0; b < w->p->n; b++)
        n += w->p->branches[b].n;
    w->leaves = mem_array(n ? n : 1, sizeof(*w->leaves));
    n = 0;
    for (u32 b = 0; b < w->p->n; b++)
        for (u32 i = 0; i < w->p->branches[b].n; i++)
            w->leaves[n++] = w->p->branches[b].leaves[i];
    if (n)
        qsort(w->leaves, n, sizeof(*w->leaves), compare_pointers);
    for (size_t i = 0; i < n; i++)
        if (!i || w->leaves[i] != w->leaves[i - 1])
            w->leaves[w->leaf_n++] = w->leaves[i];
}

static int compare_findings(const void *a, const void *b)
{
    const struct lint_finding *x = a, *y = b;

    if (x->at != y->at)
        return x->at < y->at ? -1 : 1;
    return strcmp(x->code, y->code);
}

void lint_run(struct lint *l)
{
    struct lint_walk w = {.l = l, .p = l->subject->policy};
    struct node *root;
    struct fault ignored;
    str compact;

    if (!w.p) {
        lint_refusal(l);
        return;
    }
    fault_clear(&ignored);
    if (str_trim(l->subject->text).n &&
        tree_read(&l->arena, l->subject->text, &root, &compact, &ignored) == 0)
        add_nodes(&w, root);
    collect_leaves(&w);
    check_replaced(&w);
    for (size_t i = 0; i < w.leaf_n; i++) {
        check_key(&w, w.leaves[i]);
        check_list(&w, w.leaves[i]);
    }
    lint_alternatives(&w);
    lint_whole(&w);
    mem_free(w.nodes);
    mem_free(w.leaves);
    if (l->n)
        qsort(l->findings, l->n, sizeof(*l->findings), compare_findings);
}
