/* The message becomes a flat list of (path, typed value, trail); the trail says in which element of
 * which arrays the value lies. A branch holds when each of its leaves can be given a value that
 * satisfies it, so that no two of them lie in different elements of one array: tried by brute
 * force. */
#include "tests/reference_filter.h"

#include <stdlib.h>

#include "common/base/buf.h"
#include "filter/policy/tree.h"

/* One step of a trail: element `index` of array number `array`. */
struct ref_trail {
    u32 array, index;
    const struct ref_trail *up;
};

struct ref_value {
    str path;
    enum node_kind kind; /* a scalar */
    str text;            /* STRING: as compared; NUMBER: spelling */
    const struct ref_trail *trail;
    struct ref_value *next;
};

struct ref_message {
    struct arena arena;
    struct ref_value *values;
    u32 arrays;
};

/* --- the message ------------------------------------------------------------------------------ */

static void ref_add(struct ref_message *m, str path, enum node_kind kind, str text,
                    const struct ref_trail *trail)
{
    struct ref_value *v = arena_zalloc(&m->arena, sizeof *v);
    *v = (struct ref_value){path, kind, text, trail, m->values};
    m->values = v;
}

static void ref_walk(struct ref_message *m, const struct node *n, str path, bool is_top,
                     const struct ref_trail *trail)
{
    if (n->kind == NODE_OBJECT) {
        for (const struct node *c = n->first; c; c = c->next) {
            str inner = is_top
                            ? c->name
                            : arena_printf(&m->arena, "%.*s.%.*s", STR_ARG(path), STR_ARG(c->name));
            ref_walk(m, c, inner, false, trail);
        }
        return;
    }
    if (n->kind != NODE_ARRAY) {
        ref_add(m, path, n->kind, n->text, trail);
        return;
    }
    u32 array = m->arrays++, i = 0;
    for (const struct node *c = n->first; c; c = c->next) {
        struct ref_trail *step = arena_zalloc(&m->arena, sizeof *step);
        *step = (struct ref_trail){array, i++, trail};
        ref_walk(m, c, path, false, step);
    }
}

/* The escape quirk of attribute scope: values are compared in their escaped form. */
static str ref_escape(struct ref_message *m, str s)
{
    struct buf b = {0};
    for (size_t i = 0; i < s.n; i++) {
        if (s.p[i] == '"' || s.p[i] == '\\')
            buf_char(&b, '\\');
        buf_char(&b, s.p[i]);
    }
    str ret = arena_dup(&m->arena, buf_view(&b));
    buf_deinit(&b);
    return ret;
}

static bool ref_is_number(str s)
{
    size_t i = 0, from;
    if (i < s.n && (s.p[i] == '+' || s.p[i] == '-'))
        i++;
    for (from = i; i < s.n && s.p[i] >= '0' && s.p[i] <= '9';)
        i++;
    if (i == from)
        return false;
    if (i < s.n && s.p[i] == '.') {
        for (from = ++i; i < s.n && s.p[i] >= '0' && s.p[i] <= '9';)
            i++;
        if (i == from)
            return false;
    }
    if (i < s.n && (s.p[i] == 'e' || s.p[i] == 'E')) {
        i++;
        if (i < s.n && (s.p[i] == '+' || s.p[i] == '-'))
            i++;
        for (from = i; i < s.n && s.p[i] >= '0' && s.p[i] <= '9';)
            i++;
        if (i == from)
            return false;
    }
    return i == s.n;
}

/* Elements of a String.Array: arrays flatten, objects offer nothing. */
static void ref_elements(struct ref_message *m, str path, const struct node *n)
{
    if (n->kind == NODE_ARRAY) {
        for (const struct node *c = n->first; c; c = c->next)
            ref_elements(m, path, c);
    } else if (n->kind == NODE_STRING) {
        ref_add(m, path, n->kind, ref_escape(m, n->text), NULL);
    } else if (n->kind != NODE_OBJECT) {
        ref_add(m, path, n->kind, n->text, NULL);
    }
}

static bool ref_has_type(str type, const char *base)
{
    return str_is(type, base) || (str_starts(type, str_of(base)) && type.p[strlen(base)] == '.');
}

/* False: the attribute is malformed. */
static bool ref_attribute(struct ref_message *m, const struct filter_attr *a, bool *ret_counts)
{
    *ret_counts = !ref_has_type(a->type, "Binary");
    if (str_is(a->type, "String.Array")) {
        static struct fault fault;
        struct node *root;
        str compact;
        fault_clear(&fault);
        if (tree_read(&m->arena, a->value, &root, &compact, &fault))
            return false;
        ref_elements(m, a->name, root);
    } else if (ref_has_type(a->type, "String")) {
        for (size_t i = 0; i < a->value.n; i++)
            if ((unsigned char)a->value.p[i] < ' ')
                return false;
        ref_add(m, a->name, NODE_STRING, ref_escape(m, a->value), NULL);
    } else if (ref_has_type(a->type, "Number")) {
        if (!ref_is_number(a->value))
            return false;
        ref_add(m, a->name, NODE_NUMBER, a->value, NULL);
    }
    return true;
}

static enum filter_eligibility ref_read_attributes(struct ref_message *m,
                                                   const struct filter_message *msg)
{
    enum filter_eligibility r = FILTER_NO_ATTRIBUTES;
    for (size_t i = 0; i < msg->attr_count; i++) {
        bool counts;
        if (!ref_attribute(m, &msg->attrs[i], &counts))
            return FILTER_INVALID_ATTRIBUTES;
        if (counts)
            r = FILTER_ELIGIBLE;
    }
    return r;
}

/* *ret_is_empty: the body is {}, which satisfies no policy. */
static enum filter_eligibility ref_read_body(struct ref_message *m,
                                             const struct filter_message *msg, bool *ret_is_empty)
{
    static struct fault fault;
    struct node *root;
    str compact;
    fault_clear(&fault);
    if (tree_read(&m->arena, msg->body, &root, &compact, &fault) || root->kind != NODE_OBJECT)
        return FILTER_INVALID_BODY;
    *ret_is_empty = root->n == 0;
    ref_walk(m, root, STR_NONE, true, NULL);
    return FILTER_ELIGIBLE;
}

/* --- numbers ---------------------------------------------------------------------------------- */

enum { REF_POINT = 300 };

/* A number written out: REF_POINT digits before the point and as many behind it. */
struct ref_number {
    int sign;
    char digits[2 * REF_POINT];
};

/* False: it does not fit. */
static bool ref_number(str s, struct ref_number *ret)
{
    memset(ret->digits, '0', sizeof ret->digits);
    size_t e = 0;
    while (e < s.n && s.p[e] != 'e' && s.p[e] != 'E')
        e++;
    long exponent = 0;
    if (e < s.n) {
        char text[16];
        if (s.n - e - 1 >= sizeof text)
            return false;
        snprintf(text, sizeof text, "%.*s", (int)(s.n - e - 1), s.p + e + 1);
        exponent = strtol(text, NULL, 10);
    }
    size_t i = s.p[0] == '-' || s.p[0] == '+', dot = i;
    while (dot < e && s.p[dot] != '.')
        dot++;
    long at = REF_POINT - (long)(dot - i) - exponent;
    ret->sign = 0;
    for (; i < e; i++) {
        if (s.p[i] == '.')
            continue;
        if (s.p[i] != '0') {
            if (at < 0 || at >= (long)sizeof ret->digits)
                return false;
            ret->digits[at] = s.p[i];
            ret->sign = s.p[0] == '-' ? -1 : 1;
        }
        at++;
    }
    return true;
}

static int ref_number_cmp(str a, str b)
{
    struct ref_number x, y;
    if (!ref_number(a, &x) || !ref_number(b, &y)) {
        struct number m, n;
        int err = number_read(a, &m) | number_read(b, &n);
        assert(!err);
        return number_cmp(&m, &n);
    }
    if (x.sign != y.sign)
        return x.sign < y.sign ? -1 : 1;
    return x.sign * memcmp(x.digits, y.digits, sizeof x.digits);
}

/* The text of a number that only its normal form is left of. */
static str ref_number_text(struct ref_message *m, const struct number *n)
{
    struct buf b = {0};
    buf_z(&b, n->negative ? "-0." : "0.");
    for (u32 i = 0; i < n->span; i++)
        if (n->digits[i] != '.')
            buf_char(&b, n->digits[i]);
    buf_printf(&b, "0e%ld", (long)n->exponent);
    str ret = arena_dup(&m->arena, buf_view(&b));
    buf_deinit(&b);
    return ret;
}

static bool ref_in_range(struct ref_message *m, const struct policy_range *r, str value)
{
    if (r->has_low) {
        int c = ref_number_cmp(value, ref_number_text(m, &r->low));
        if (c < 0 || (c == 0 && r->low_open))
            return false;
    }
    if (r->has_high) {
        int c = ref_number_cmp(value, ref_number_text(m, &r->high));
        if (c > 0 || (c == 0 && r->high_open))
            return false;
    }
    return true;
}

/* --- texts ------------------------------------------------------------------------------------ */

static bool ref_wildcard(str pattern, str text)
{
    if (pattern.n == 0)
        return text.n == 0;
    if (pattern.p[0] == '*') {
        for (size_t i = 0; i <= text.n; i++)
            if (ref_wildcard(str_slice(pattern, 1, pattern.n), str_slice(text, i, text.n)))
                return true;
        return false;
    }
    size_t skip = pattern.p[0] == '\\';
    return text.n > 0 && text.p[0] == pattern.p[skip] &&
           ref_wildcard(str_slice(pattern, 1 + skip, pattern.n), str_slice(text, 1, text.n));
}

/* The characters of s, folded. */
static str ref_fold(struct ref_message *m, str s)
{
    u32 *out = arena_alloc(&m->arena, (s.n + 1) * sizeof *out);
    size_t n = 0;
    for (size_t at = 0; at < s.n;)
        out[n++] = fold_char(str_next_char(s, &at));
    return str_from(out, n * sizeof *out);
}

static bool ref_in_cidr(const struct policy_operand *o, str text)
{
    struct address a;
    if (!address_read(text, &a) || a.family != o->address.family)
        return false;
    for (u32 bit = 0; bit < o->cidr_bits; bit++)
        if (((a.bytes[bit / 8] ^ o->address.bytes[bit / 8]) >> (7 - bit % 8)) & 1)
            return false;
    return true;
}

static bool ref_equals(const struct policy_operand *o, str text)
{
    struct address a;
    if (o->is_address && address_read(text, &a) && a.family == o->address.family &&
        memcmp(a.bytes, o->address.bytes, sizeof a.bytes) == 0)
        return true;
    return str_eq(o->text, text);
}

/* --- rules ------------------------------------------------------------------------------------ */

static bool ref_text_operand(struct ref_message *m, enum policy_kind kind,
                             const struct policy_operand *o, str text)
{
    switch (kind) {
    case POLICY_STRING: return ref_equals(o, text);
    case POLICY_PREFIX: return str_starts(text, o->text);
    case POLICY_SUFFIX: return str_ends(text, o->text);
    case POLICY_FOLDED: return str_eq(ref_fold(m, text), ref_fold(m, o->text));
    case POLICY_PREFIX_FOLDED: return str_starts(ref_fold(m, text), ref_fold(m, o->text));
    case POLICY_SUFFIX_FOLDED: return str_ends(ref_fold(m, text), ref_fold(m, o->text));
    case POLICY_WILDCARD: return ref_wildcard(o->text, text);
    case POLICY_CIDR: return ref_in_cidr(o, text);
    default: return false;
    }
}

static bool ref_operand(struct ref_message *m, enum policy_kind kind,
                        const struct policy_operand *o, const struct ref_value *v)
{
    if (v->kind == NODE_STRING)
        return ref_text_operand(m, kind, o, v->text);
    if (v->kind == NODE_NUMBER && kind == POLICY_NUMBER)
        return ref_number_cmp(v->text, o->text) == 0;
    return v->kind == NODE_NUMBER && kind == POLICY_NUMERIC && ref_in_range(m, &o->range, v->text);
}

static bool ref_entry(struct ref_message *m, const struct policy_entry *e,
                      const struct ref_value *v)
{
    switch (e->kind) {
    case POLICY_TRUE: return v->kind == NODE_TRUE;
    case POLICY_FALSE: return v->kind == NODE_FALSE;
    case POLICY_NULL: return v->kind == NODE_NULL;
    case POLICY_EXISTS: return true;
    case POLICY_ABSENT: return false;
    default: break;
    }
    bool hit = false;
    for (u32 i = 0; i < e->n; i++)
        hit |= ref_operand(m, e->kind, &e->operands[i], v);
    return hit != e->negated;
}

static bool ref_is_compatible(const struct ref_trail *a, const struct ref_trail *b)
{
    for (const struct ref_trail *x = a; x; x = x->up)
        for (const struct ref_trail *y = b; y; y = y->up)
            if (x->array == y->array && x->index != y->index)
                return false;
    return true;
}

/* The trails that the leaves before this one have chosen. */
struct ref_choice {
    const struct ref_trail *trail;
    const struct ref_choice *before;
};

static bool ref_fits(const struct ref_trail *t, const struct ref_choice *c)
{
    for (; c; c = c->before)
        if (!ref_is_compatible(t, c->trail))
            return false;
    return true;
}

static bool ref_leaves(struct ref_message *m, const struct policy_branch *b, u32 i,
                       const struct ref_choice *before)
{
    if (i == b->n)
        return true;
    const struct policy_leaf *leaf = b->leaves[i];
    bool is_present = false;
    for (const struct ref_value *v = m->values; v; v = v->next) {
        if (!str_eq(v->path, leaf->path))
            continue;
        is_present = true;
        bool is_met = false;
        for (u32 k = 0; k < leaf->n && !is_met; k++)
            is_met = ref_entry(m, &leaf->entries[k], v);
        struct ref_choice mine = {v->trail, before};
        if (is_met && ref_fits(v->trail, before) && ref_leaves(m, b, i + 1, &mine))
            return true;
    }
    for (u32 k = 0; k < leaf->n && !is_present; k++)
        if (leaf->entries[k].kind == POLICY_ABSENT)
            return ref_leaves(m, b, i + 1, before);
    return false;
}

enum filter_eligibility reference_eligibility(enum filter_scope scope,
                                              const struct filter_message *msg)
{
    struct ref_message m = {0};
    bool is_empty;
    arena_init(&m.arena);
    enum filter_eligibility r = scope == FILTER_ATTRIBUTES ? ref_read_attributes(&m, msg)
                                                           : ref_read_body(&m, msg, &is_empty);
    arena_deinit(&m.arena);
    return r;
}

bool reference_match(const struct policy *p, const struct filter_message *msg)
{
    if (p->n == 0)
        return true;
    struct ref_message m = {0};
    bool is_empty = false, hit = false;
    arena_init(&m.arena);
    enum filter_eligibility e = p->scope == FILTER_ATTRIBUTES ? ref_read_attributes(&m, msg)
                                                              : ref_read_body(&m, msg, &is_empty);
    for (u32 i = 0; e == FILTER_ELIGIBLE && !is_empty && i < p->n && !hit; i++)
        hit = ref_leaves(&m, &p->branches[i], 0, NULL);
    arena_deinit(&m.arena);
    return hit;
}
