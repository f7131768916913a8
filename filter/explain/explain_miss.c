/* Compares one rule with one value: matched, or in what way it missed. This evaluates rules a
 * second time, independently of the matcher; tests check that both agree. */
#include "filter/explain/explain_parts.h"

/* Name and rank of each miss; of several, the one with the highest rank is reported. */
static const struct {
    const char *name;
    u32 rank;
} MISSES[] = {
    [EXPLAIN_MET] = {"met", 100},
    [EXPLAIN_OTHER] = {"other-value", 10},
    [EXPLAIN_CASE] = {"case", 90},
    [EXPLAIN_BLANK] = {"blank", 90},
    [EXPLAIN_NUMBER_QUOTED] = {"number-as-string", 85},
    [EXPLAIN_NUMBER_BARE] = {"string-as-number", 85},
    [EXPLAIN_LITERAL_QUOTED] = {"literal-as-string", 85},
    [EXPLAIN_TYPE] = {"type", 8},
    [EXPLAIN_SUBSTRING] = {"substring", 60},
    [EXPLAIN_EXCLUDED] = {"excluded", 50},
    [EXPLAIN_BOUND] = {"on-the-bound", 70},
    [EXPLAIN_BELOW] = {"below", 20},
    [EXPLAIN_ABOVE] = {"above", 20},
    [EXPLAIN_NO_ADDRESS] = {"no-address", 15},
    [EXPLAIN_ADDRESS_FAMILY] = {"address-family", 30},
    [EXPLAIN_ESCAPE] = {"escape", 95},
    [EXPLAIN_ARRAY_IN_STRING] = {"array-in-string", 80},
    [EXPLAIN_PRESENT] = {"present", 9},
    [EXPLAIN_ABSENT] = {"absent", 0},
    [EXPLAIN_KEY_CASE] = {"key-case", 80},
    [EXPLAIN_DEEPER] = {"deeper", 70},
    [EXPLAIN_HIGHER] = {"higher", 60},
    [EXPLAIN_OBJECT] = {"object", 90},
    [EXPLAIN_EMPTY_ARRAY] = {"empty-array", 95},
    [EXPLAIN_BINARY] = {"binary", 99},
    [EXPLAIN_OTHER_SCOPE] = {"other-scope", 50},
};

const char *explain_miss_name(enum explain_miss miss)
{
    return MISSES[miss].name;
}

u32 explain_miss_rank(enum explain_miss miss)
{
    return MISSES[miss].rank;
}

const char *explain_type_name(enum explain_type type)
{
    static const char *const names[] = {
        [EXPLAIN_STRING] = "string", [EXPLAIN_NUMBER] = "number", [EXPLAIN_TRUE] = "true",
        [EXPLAIN_FALSE] = "false",   [EXPLAIN_NULL] = "null",
    };

    return names[type];
}

static bool text_meets(enum policy_kind kind, const struct policy_operand *o, str text)
{
    struct address a;

    switch (kind) {
    case POLICY_STRING:
        return str_eq(o->text, text) ||
               (o->is_address && address_read(text, &a) && address_eq(&a, &o->address));
    case POLICY_PREFIX: return str_starts(text, o->text);
    case POLICY_SUFFIX: return str_ends(text, o->text);
    case POLICY_FOLDED: return fold_eq(o->folded, text);
    case POLICY_PREFIX_FOLDED: return fold_starts(o->folded, text);
    case POLICY_SUFFIX_FOLDED: return fold_ends(o->folded, text);
    case POLICY_WILDCARD: return pattern_match(&o->pattern, text);
    case POLICY_CIDR: return address_read(text, &a) && address_in(&a, &o->address, o->cidr_bits);
    default: return false;
    }
}

static enum explain_miss number_miss(enum policy_kind kind, const struct policy_operand *o,
                                     const struct number *n)
{
    if (kind == POLICY_NUMBER)
        return number_eq(&o->number, n) ? EXPLAIN_MET : EXPLAIN_OTHER;
    const struct policy_range *r = &o->range;
    if (r->has_low) {
        int c = number_cmp(n, &r->low);
        if (c < 0)
            return EXPLAIN_BELOW;
        if (c == 0 && r->low_open)
            return EXPLAIN_BOUND;
    }
    if (r->has_high) {
        int c = number_cmp(n, &r->high);
        if (c > 0)
            return EXPLAIN_ABOVE;
        if (c == 0 && r->high_open)
            return EXPLAIN_BOUND;
    }
    return EXPLAIN_MET;
}

static bool is_numeric(enum policy_kind kind)
{
    return kind == POLICY_NUMBER || kind == POLICY_NUMERIC;
}

static bool is_literal(enum policy_kind kind)
{
    return kind == POLICY_TRUE || kind == POLICY_FALSE || kind == POLICY_NULL;
}

static const char *literal_text(enum policy_kind kind)
{
    return kind == POLICY_TRUE ? "true" : kind == POLICY_FALSE ? "false" : "null";
}

/* Whether the unescaped text matches, when a policy was written without the escapes. */
static bool meets_unescaped(enum policy_kind kind, const struct policy_operand *o, str text)
{
    if (str_find(text, '\\') < 0)
        return false;
    char *p = mem_alloc(text.n);
    size_t n = 0;
    for (size_t i = 0; i < text.n; i++) {
        i += text.p[i] == '\\' && i + 1 < text.n;
        p[n++] = text.p[i];
    }
    bool r = text_meets(kind, o, str_from(p, n));
    mem_free(p);
    return r;
}

static bool meets_folded(enum policy_kind kind, const struct policy_operand *o, str text)
{
    struct arena a;

    arena_init(&a);
    struct policy_operand folded = {.text = fold_dup(&a, o->text)};
    folded.pattern =
        (struct pattern){arena_zalloc(&a, (o->pattern.n + 1) * sizeof(str)), o->pattern.n};
    for (u32 i = 0; i < o->pattern.n; i++)
        folded.pattern.pieces[i] = fold_dup(&a, o->pattern.pieces[i]);
    bool r = text_meets(kind, &folded, fold_dup(&a, text));
    arena_deinit(&a);
    return r;
}

static bool contains(str text, str part)
{
    return part.n > 0 && part.n <= text.n && memmem(text.p, text.n, part.p, part.n);
}

static bool is_array_text(str text)
{
    text = str_trim(text);
    return text.n >= 2 && text.p[0] == '[' && text.p[text.n - 1] == ']';
}

/* Classifies a string value that does not match a rule on strings. */
static enum explain_miss text_miss(enum policy_kind kind, const struct policy_operand *o, str text,
                                   enum filter_scope scope)
{
    struct address a;

    if (kind == POLICY_CIDR && !address_read(text, &a))
        return EXPLAIN_NO_ADDRESS;
    if (kind == POLICY_CIDR)
        return a.family == o->address.family ? EXPLAIN_OTHER : EXPLAIN_ADDRESS_FAMILY;
    if (scope == FILTER_ATTRIBUTES && meets_unescaped(kind, o, text))
        return EXPLAIN_ESCAPE;
    if (text_meets(kind, o, str_trim(text)))
        return EXPLAIN_BLANK;
    if (meets_folded(kind, o, text))
        return EXPLAIN_CASE;
    bool is_part = kind == POLICY_STRING || kind == POLICY_PREFIX || kind == POLICY_SUFFIX;
    if (scope == FILTER_ATTRIBUTES && is_array_text(text))
        return EXPLAIN_ARRAY_IN_STRING;
    return is_part && contains(text, o->text) ? EXPLAIN_SUBSTRING : EXPLAIN_OTHER;
}

/* Compares a rule's operand with a value, ignoring anything-but. */
static enum explain_miss operand_miss(enum policy_kind kind, const struct policy_operand *o,
                                      const struct explain_value *v, enum filter_scope scope)
{
    struct number n;

    if (is_numeric(kind)) {
        if (v->type == EXPLAIN_NUMBER)
            return number_read(v->text, &n) ? EXPLAIN_TYPE : number_miss(kind, o, &n);
        bool is_quoted = v->type == EXPLAIN_STRING && number_read(str_trim(v->text), &n) == 0;
        return is_quoted && number_miss(kind, o, &n) == EXPLAIN_MET ? EXPLAIN_NUMBER_QUOTED
                                                                    : EXPLAIN_TYPE;
    }
    if (v->type == EXPLAIN_STRING)
        return text_meets(kind, o, v->text) ? EXPLAIN_MET : text_miss(kind, o, v->text, scope);
    if (!text_meets(kind, o, v->text))
        return EXPLAIN_TYPE;
    return v->type == EXPLAIN_NUMBER ? EXPLAIN_NUMBER_BARE : EXPLAIN_LITERAL_QUOTED;
}

static enum explain_miss literal_miss(enum policy_kind kind, const struct explain_value *v)
{
    bool is_same = str_is(v->text, literal_text(kind));

    if (v->type == EXPLAIN_STRING)
        return is_same ? EXPLAIN_LITERAL_QUOTED : EXPLAIN_TYPE;
    if (v->type == EXPLAIN_NUMBER)
        return EXPLAIN_TYPE;
    return is_same ? EXPLAIN_MET : EXPLAIN_OTHER;
}

enum explain_miss explain_compare(const struct policy_entry *e, const struct explain_value *v,
                                  enum filter_scope scope)
{
    if (is_literal(e->kind))
        return literal_miss(e->kind, v);
    if (e->kind == POLICY_EXISTS)
        return EXPLAIN_MET;
    if (e->kind == POLICY_ABSENT)
        return EXPLAIN_PRESENT;
    if (!e->negated)
        return operand_miss(e->kind, &e->operands[0], v, scope);
    for (u32 i = 0; i < e->n; i++) {
        const struct policy_operand *o = &e->operands[i];
        struct number n;
        bool is_hit = is_numeric(e->kind)
                          ? v->type == EXPLAIN_NUMBER && number_read(v->text, &n) == 0 &&
                                number_eq(&o->number, &n)
                          : v->type == EXPLAIN_STRING && text_meets(e->kind, o, v->text);
        if (is_hit)
            return EXPLAIN_EXCLUDED;
    }
    return EXPLAIN_MET;
}
