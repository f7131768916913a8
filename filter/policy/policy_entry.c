/* The operators: one element of a policy's list becomes a struct policy_entry, or is refused with
 * the service's text and location.
 *
 * The location of a refusal follows from the position of the service's lazy reader (tree.h): an
 * operand of the wrong type is refused as soon as it is announced (node->open), a word whose text
 * is examined once it is read completely (node->end). To add an operator: a row in OPERATORS, its
 * build function, and, if it may stand below anything-but, a row in EXCLUSIONS. */
#include "filter/policy/policy_build.h"

#define MANY_KEYS     "Only one key allowed in match expression"
#define MANY_ELEMENTS "Too many elements in numeric expression"

/* Position of a reader that continues after `c` in `parent`. */
static u32 next_open(const struct node *parent, const struct node *c)
{
    return c ? c->open : parent->end;
}

static struct policy_operand *add_operands(struct policy_builder *b, struct policy_entry *e,
                                           enum policy_kind kind, u32 n)
{
    struct policy_operand *o = arena_zalloc(b->arena, n * sizeof(*o));

    e->kind = kind;
    e->n = n;
    e->operands = o;
    return o;
}

static struct policy_operand *add_text(struct policy_builder *b, struct policy_entry *e,
                                       enum policy_kind kind, const struct node *value)
{
    struct policy_operand *o = add_operands(b, e, kind, 1);

    o->text = value->text;
    o->at = value->at;
    return o;
}

static void fill_number(struct policy_operand *o, const struct node *value)
{
    o->text = value->text;
    o->at = value->at;
    int err = number_read(value->text, &o->number);
    assert(!err); /* JSON's grammar is a subset */
}

/* --- text operators --------------------------------------------------------------------------- */

static int build_exactly(struct policy_builder *b, const struct node *v, struct policy_entry *e)
{
    if (v->kind != NODE_STRING)
        return policy_refuse_at(b, v, v->open, "exact match pattern must be a string");
    add_text(b, e, POLICY_STRING, v);
    return 0;
}

static void fill_folded(struct policy_builder *b, struct policy_operand *o)
{
    o->folded = fold_dup(b->arena, o->text);
}

static int build_folded(struct policy_builder *b, const struct node *v, struct policy_entry *e)
{
    if (v->kind != NODE_STRING)
        return policy_refuse_at(b, v, v->open, "equals-ignore-case match pattern must be a string");
    fill_folded(b, add_text(b, e, POLICY_FOLDED, v));
    return 0;
}

/* prefix and suffix: a string, or {"equals-ignore-case": string}. */
static int build_affix(struct policy_builder *b, const struct node *v, struct policy_entry *e,
                       bool is_prefix)
{
    const char *word = is_prefix ? "prefix" : "suffix";

    if (v->kind == NODE_STRING) {
        add_text(b, e, is_prefix ? POLICY_PREFIX : POLICY_SUFFIX, v);
        return 0;
    }
    if (v->kind != NODE_OBJECT)
        return policy_refuse_at(b, v, v->open, "%s match pattern must be a string", word);
    const struct node *inner = v->first;
    if (!inner)
        return policy_refuse_at(b, v, v->end, "%s expression name not found",
                                is_prefix ? "Prefix" : "Suffix");
    if (!str_is(inner->name, "equals-ignore-case"))
        return policy_refuse_at(b, inner, inner->open, "Unsupported %s pattern: %.*s", word,
                                STR_ARG(inner->name));
    int err = build_folded(b, inner, e);
    if (err)
        return err;
    if (inner->next)
        return policy_refuse_at(b, inner->next, inner->next->open, MANY_KEYS);
    e->kind = is_prefix ? POLICY_PREFIX_FOLDED : POLICY_SUFFIX_FOLDED;
    return 0;
}

static int build_prefix(struct policy_builder *b, const struct node *v, struct policy_entry *e)
{
    return build_affix(b, v, e, true);
}

static int build_suffix(struct policy_builder *b, const struct node *v, struct policy_entry *e)
{
    return build_affix(b, v, e, false);
}

/* `consumed`: how far the service has read when it examines the pattern of `v`. */
static int fill_wildcard(struct policy_builder *b, const struct node *v, u32 consumed,
                         struct policy_operand *o)
{
    u32 pos;

    switch (pattern_read(b->arena, o->text, &o->pattern, &pos)) {
    case PATTERN_OK: return 0;
    case PATTERN_CONSECUTIVE:
        return policy_refuse_at(b, v, consumed, "Consecutive wildcard characters at pos %u", pos);
    case PATTERN_ESCAPE:
        return policy_refuse_at(b, v, consumed, "Invalid escape character at pos %u", pos);
    }
    return 0;
}

static int build_wildcard(struct policy_builder *b, const struct node *v, struct policy_entry *e)
{
    if (v->kind != NODE_STRING)
        return policy_refuse_at(b, v, v->open, "wildcard match pattern must be a string");
    return fill_wildcard(b, v, v->end, add_text(b, e, POLICY_WILDCARD, v));
}

/* --- exists, cidr ----------------------------------------------------------------------------- */

static int build_exists(struct policy_builder *b, const struct node *v, struct policy_entry *e)
{
    if (v->kind != NODE_TRUE && v->kind != NODE_FALSE)
        return policy_refuse_at(b, v, v->open,
                                "exists match pattern must be either true or false.");
    add_operands(b, e, v->kind == NODE_TRUE ? POLICY_EXISTS : POLICY_ABSENT, 0);
    return 0;
}

/* A decimal integer that fits 32 bits, with or without a sign. */
static int read_bits(str s, i64 *ret)
{
    if (s.n > 1 && s.p[0] == '+' && s.p[1] != '-')
        s = str_slice(s, 1, s.n);
    int err = str_to_i64(s, ret);
    return err || *ret > INT32_MAX || *ret < INT32_MIN ? E_INVALID : 0;
}

/* The texts of cidr have no location. The text for a wrong type names prefix, as the service's
 * does. */
static int build_cidr(struct policy_builder *b, const struct node *v, struct policy_entry *e)
{
    if (v->kind != NODE_STRING)
        return policy_refuse_at(b, v, v->open, "prefix match pattern must be a string");
    ptrdiff_t slash = str_find(v->text, '/');
    if (slash < 0 || slash != str_rfind(v->text, '/') || (size_t)slash + 1 == v->text.n)
        return policy_refuse(b, v, "Malformed CIDR, one '/' required");
    str ip = str_slice(v->text, 0, (size_t)slash);
    i64 bits;
    if (read_bits(str_slice(v->text, (size_t)slash + 1, v->text.n), &bits))
        return policy_refuse(b, v, "Malformed CIDR, mask bits must be an integer");
    if (bits < 0)
        return policy_refuse(b, v, "Malformed CIDR, mask bits must not be negative");
    struct address address;
    if (!address_read(ip, &address))
        return policy_refuse(b, v, "%s IP address: %.*s",
                             address_is_shaped(ip) ? "Invalid" : "Nonstandard", STR_ARG(ip));
    u32 width = address_bits(&address);
    if (bits >= width)
        return policy_refuse(b, v, "IPv%u mask bits must be < %u", address.family, width);
    struct policy_operand *o = add_text(b, e, POLICY_CIDR, v);
    o->address = address;
    o->cidr_bits = (u8)bits;
    address_mask(&o->address, o->cidr_bits);
    return 0;
}

/* --- numeric ---------------------------------------------------------------------------------- */

/* What the service's reader reports as the text of a token. */
static str token_text(const struct node *c)
{
    static const char *const words[] = {
        [NODE_OBJECT] = "{",    [NODE_ARRAY] = "[",   [NODE_TRUE] = "true",
        [NODE_FALSE] = "false", [NODE_NULL] = "null",
    };

    if (!c)
        return STR("]");
    return words[c->kind] ? str_of(words[c->kind]) : c->text;
}

/* Reads the number `c`, the operand of `name`. */
static int read_bound(struct policy_builder *b, const struct node *list, const struct node *c,
                      const char *name, struct number *ret)
{
    if (!c || c->kind != NODE_NUMBER)
        return policy_refuse_at(b, c ? c : list, next_open(list, c), "Value of %s must be numeric",
                                name);
    int err = number_read(c->text, ret);
    assert(!err);
    if (ret->digit_count > POLICY_DIGITS_MAX)
        return policy_refuse_at(b, c, c->end, "Cannot compare number : %.*s", STR_ARG(c->text));
    return 0;
}

/* [low, n, high, m] from `c`, the second operator, on. */
static int build_range_top(struct policy_builder *b, const struct node *list, const struct node *c,
                           struct policy_range *range)
{
    if (c->kind != NODE_STRING)
        return policy_refuse_at(b, c, c->open, "Bad value in numeric range: %.*s",
                                STR_ARG(token_text(c)));
    bool is_open = str_is(c->text, "<");
    if (!is_open && !str_is(c->text, "<="))
        return policy_refuse_at(b, c, c->end, "Bad numeric range operator: %.*s", STR_ARG(c->text));
    range->has_high = true;
    range->high_open = is_open;
    const struct node *top = c->next;
    int err = read_bound(b, list, top, is_open ? "<" : "<=", &range->high);
    if (err)
        return err;
    if (top->next)
        return policy_refuse_at(b, top->next, top->next->open,
                                "Too many terms in numeric range expression");
    if (number_cmp(&range->low, &range->high) >= 0)
        return policy_refuse_at(b, top, list->end, "Bottom must be less than top");
    return 0;
}

static int build_range(struct policy_builder *b, const struct node *list,
                       struct policy_range *range)
{
    const struct node *word = list->first;

    if (!word || word->kind != NODE_STRING)
        return policy_refuse_at(b, word ? word : list, next_open(list, word),
                                "Invalid member in numeric match: %.*s", STR_ARG(token_text(word)));
    const struct node *value = word->next;
    bool is_equal = str_is(word->text, "=");
    bool is_low = str_is(word->text, ">") || str_is(word->text, ">=");
    bool is_high = str_is(word->text, "<") || str_is(word->text, "<=");
    if (!is_equal && !is_low && !is_high)
        return policy_refuse_at(b, word, next_open(list, value),
                                "Unrecognized numeric range operator: %.*s", STR_ARG(word->text));
    struct number n;
    int err = read_bound(b, list, value, is_equal ? "equals" : word->text.p, &n);
    if (err)
        return err;
    bool is_open = word->text.n == 1 && !is_equal;
    if (!is_high) {
        range->has_low = true;
        range->low = n;
        range->low_open = is_open;
    }
    if (!is_low) {
        range->has_high = true;
        range->high = n;
        range->high_open = is_open;
    }
    if (!value->next)
        return 0;
    if (!is_low)
        return policy_refuse_at(b, value->next, value->next->open, MANY_ELEMENTS);
    return build_range_top(b, list, value->next, range);
}

static int build_numeric(struct policy_builder *b, const struct node *v, struct policy_entry *e)
{
    if (v->kind != NODE_ARRAY)
        return policy_refuse_at(b, v, v->open, "Value of numeric must be an array.");
    struct policy_operand *o = add_operands(b, e, POLICY_NUMERIC, 1);
    o->at = v->at;
    return build_range(b, v, &o->range);
}

/* --- anything-but ----------------------------------------------------------------------------- */

#define EXCLUSION_TYPE "Value of anything-but must be an array or single string/number value."
#define EXCLUSION_LIST                                                                             \
    "Inside anything but list, either all values are number or string, mixed type is not "         \
    "supported"

/* The refusal of a list element contains its location twice: at byte `consumed`. */
static int refuse_element(struct policy_builder *b, const struct node *c, u32 consumed,
                          const char *text)
{
    struct buf twice = {0};

    policy_location(b, consumed, &twice);
    int err = policy_refuse_at(b, c, consumed, "%s%s", text, twice.p);
    buf_deinit(&twice);
    return err;
}

/* A list of only strings or only numbers. */
static int build_exclusion_list(struct policy_builder *b, const struct node *list,
                                struct policy_entry *e)
{
    u32 strings = 0, numbers = 0;

    for (const struct node *c = list->first; c; c = c->next) {
        strings += c->kind == NODE_STRING;
        numbers += c->kind == NODE_NUMBER;
        if (c->kind != NODE_STRING && c->kind != NODE_NUMBER)
            return refuse_element(b, c, c->open,
                                  "Inside anything but list, start|null|boolean is not supported.");
    }
    if ((strings == 0) == (numbers == 0))
        return policy_refuse_at(b, list, list->end, EXCLUSION_LIST);
    struct policy_operand *o = add_operands(b, e, strings ? POLICY_STRING : POLICY_NUMBER, list->n);
    for (const struct node *c = list->first; c; c = c->next, o++) {
        o->text = c->text;
        o->at = c->at;
        if (numbers)
            fill_number(o, c);
    }
    return 0;
}

/* Operators allowed in an object below anything-but. */
static const struct exclusion {
    const char *name;
    enum policy_kind kind;
    bool may_be_empty;
    const char *null_text;    /* refusal of null, a boolean or an object */
    const char *number_text;  /* refusal of a number */
    const char *element_text; /* refusal of anything but a string in a list */
} EXCLUSIONS[] = {
    /* For prefix, recorded from the service with its earlier text; the rest follow its engine. */
    {"prefix", POLICY_PREFIX, false, "prefix match pattern must be a string",
     "prefix match pattern must be a string", "prefix/suffix match pattern must be a string"},
    {"suffix", POLICY_SUFFIX, false, EXCLUSION_TYPE, "prefix/suffix match pattern must be a string",
     "prefix/suffix match pattern must be a string"},
    {"equals-ignore-case", POLICY_FOLDED, true, EXCLUSION_TYPE,
     "Inside anything-but/equals-ignore-case list, number|start|null|boolean is not supported.",
     "Inside anything-but/equals-ignore-case list, number|start|null|boolean is not supported."},
    {"wildcard", POLICY_WILDCARD, true, EXCLUSION_TYPE, "wildcard match pattern must be a string",
     "wildcard match pattern must be a string"},
};

#define EXCLUSION_EMPTY "Null prefix/suffix not allowed"

static void fill_exclusion(struct policy_builder *b, const struct node *c, struct policy_operand *o,
                           enum policy_kind kind)
{
    o->text = c->text;
    o->at = c->at;
    if (kind == POLICY_FOLDED)
        fill_folded(b, o);
}

/* The list is read completely before a pattern in it is examined. */
static int build_exclusion_texts(struct policy_builder *b, const struct exclusion *x,
                                 const struct node *list, struct policy_entry *e)
{
    if (list->n == 0)
        return policy_refuse_at(b, list, list->end, EXCLUSION_LIST);
    struct policy_operand *o = add_operands(b, e, x->kind, list->n);
    for (const struct node *c = list->first; c; c = c->next, o++) {
        if (c->kind != NODE_STRING)
            return refuse_element(b, c, c->open, x->element_text);
        if (c->text.n == 0 && !x->may_be_empty)
            return refuse_element(b, c, c->end, EXCLUSION_EMPTY);
        fill_exclusion(b, c, o, x->kind);
    }
    o = (struct policy_operand *)e->operands;
    for (const struct node *c = list->first; c && x->kind == POLICY_WILDCARD; c = c->next, o++) {
        int err = fill_wildcard(b, c, list->end, o);
        if (err)
            return err;
    }
    return 0;
}

/* The operand of the operator below anything-but: a string or a list of strings. */
static int build_exclusion_operand(struct policy_builder *b, const struct exclusion *x,
                                   const struct node *v, struct policy_entry *e)
{
    if (v->kind == NODE_ARRAY)
        return build_exclusion_texts(b, x, v, e);
    if (v->kind != NODE_STRING)
        return policy_refuse_at(b, v, v->open, "%s",
                                v->kind == NODE_NUMBER ? x->number_text : x->null_text);
    if (v->text.n == 0 && !x->may_be_empty)
        return policy_refuse_at(b, v, v->end, EXCLUSION_EMPTY);
    struct policy_operand *o = add_operands(b, e, x->kind, 1);
    fill_exclusion(b, v, o, x->kind);
    return x->kind == POLICY_WILDCARD ? fill_wildcard(b, v, v->end, o) : 0;
}

static int build_exclusion_object(struct policy_builder *b, const struct node *v,
                                  struct policy_entry *e)
{
    const struct node *inner = v->first;

    if (!inner)
        return policy_refuse_at(b, v, v->end, "Anything-But expression name not found");
    for (size_t i = 0; i < ARRAY_LEN(EXCLUSIONS); i++) {
        if (!str_is(inner->name, EXCLUSIONS[i].name))
            continue;
        int err = build_exclusion_operand(b, &EXCLUSIONS[i], inner, e);
        if (!err && inner->next)
            err = policy_refuse_at(b, inner->next, inner->next->open, MANY_ELEMENTS);
        return err;
    }
    return policy_refuse_at(b, inner, inner->open, "Unsupported anything-but pattern: %.*s",
                            STR_ARG(inner->name));
}

static int build_anything_but(struct policy_builder *b, const struct node *v,
                              struct policy_entry *e)
{
    e->negated = true;
    switch (v->kind) {
    case NODE_STRING: add_text(b, e, POLICY_STRING, v); return 0;
    case NODE_NUMBER: fill_number(add_operands(b, e, POLICY_NUMBER, 1), v); return 0;
    case NODE_ARRAY: return build_exclusion_list(b, v, e);
    case NODE_OBJECT: return build_exclusion_object(b, v, e);
    default: return policy_refuse_at(b, v, v->open, EXCLUSION_TYPE);
    }
}

/* --- one entry -------------------------------------------------------------------------------- */

static const struct policy_operator {
    const char *name;
    int (*build)(struct policy_builder *b, const struct node *value, struct policy_entry *e);
} OPERATORS[] = {
    {"anything-but", build_anything_but},
    {"prefix", build_prefix},
    {"suffix", build_suffix},
    {"equals-ignore-case", build_folded},
    {"wildcard", build_wildcard},
    {"numeric", build_numeric},
    {"exists", build_exists},
    {"cidr", build_cidr},
    {"exactly", build_exactly},
};

static int build_expression(struct policy_builder *b, const struct node *v, struct policy_entry *e)
{
    const struct node *m = v->first;

    if (!m)
        return policy_refuse_at(b, v, v->end, "Match expression name not found");
    const struct policy_operator *op = NULL;
    for (size_t i = 0; i < ARRAY_LEN(OPERATORS) && !op; i++)
        op = str_is(m->name, OPERATORS[i].name) ? &OPERATORS[i] : NULL;
    if (!op)
        return policy_refuse_at(b, m, m->open, "Unrecognized match type %.*s", STR_ARG(m->name));
    int err = op->build(b, m, e);
    if (err || !m->next)
        return err;
    /* The service's text depends on what came first. */
    bool is_numeric = op->build == build_numeric || op->build == build_anything_but;
    return policy_refuse_at(b, m->next, m->next->open, is_numeric ? MANY_ELEMENTS : MANY_KEYS);
}

int policy_entry_build(struct policy_builder *b, const struct node *v, struct policy_entry *ret)
{
    *ret = (struct policy_entry){.at = v->at, .end = v->end};
    struct policy_operand *o;
    switch (v->kind) {
    case NODE_STRING:
        /* The service compares a text that looks like an address as one. */
        o = add_text(b, ret, POLICY_STRING, v);
        o->is_address = address_read(v->text, &o->address);
        return 0;
    case NODE_NUMBER: fill_number(add_operands(b, ret, POLICY_NUMBER, 1), v); return 0;
    case NODE_TRUE: ret->kind = POLICY_TRUE; return 0;
    case NODE_FALSE: ret->kind = POLICY_FALSE; return 0;
    case NODE_NULL: ret->kind = POLICY_NULL; return 0;
    case NODE_ARRAY:
        return policy_refuse_at(b, v, v->open,
                                "Match value must be String, number, true, false, or null");
    case NODE_OBJECT: return build_expression(b, v, ret);
    }
    return 0;
}
