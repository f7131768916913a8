/* Compares two entries: does one hold for everything that the other holds for? The answers are
 * conservative: true is always correct, false may mean that it is unknown. */
#include "filter/ctl/lint.h"

/* A rule on strings in a common form: prefix "p" is "p*" and so on. */
struct shape {
    bool is_string;  /* only strings satisfy it */
    str first, last; /* what a string must begin and end with */
    bool is_exact;   /* and it is `first` whole */
    bool is_folded;
    bool is_middle; /* it must have more in between */
};

static struct shape shape_of(enum policy_kind kind, const struct policy_operand *o)
{
    struct shape s = {.is_string = true, .first = STR(""), .last = STR("")};

    switch (kind) {
    case POLICY_STRING:
    case POLICY_FOLDED:
        s.first = s.last = o->text;
        s.is_exact = true;
        s.is_folded = kind == POLICY_FOLDED;
        break;
    case POLICY_PREFIX:
    case POLICY_PREFIX_FOLDED:
        s.first = o->text;
        s.is_folded = kind == POLICY_PREFIX_FOLDED;
        break;
    case POLICY_SUFFIX:
    case POLICY_SUFFIX_FOLDED:
        s.last = o->text;
        s.is_folded = kind == POLICY_SUFFIX_FOLDED;
        break;
    case POLICY_WILDCARD:
        s.first = o->pattern.pieces[0];
        s.last = o->pattern.pieces[o->pattern.n - 1];
        s.is_exact = o->pattern.n == 1;
        s.is_middle = o->pattern.n > 2;
        break;
    default: s.is_string = kind == POLICY_CIDR;
    }
    return s;
}

static bool starts(str text, str with, bool is_folded)
{
    if (!is_folded)
        return str_starts(text, with);
    char *folded = mem_alloc(FOLD_SIZE(with.n));
    bool is = fold_starts(str_from(folded, fold_text(with, folded)), text);
    mem_free(folded);
    return is;
}

static bool ends(str text, str with, bool is_folded)
{
    if (!is_folded)
        return str_ends(text, with);
    char *folded = mem_alloc(FOLD_SIZE(with.n));
    bool is = fold_ends(str_from(folded, fold_text(with, folded)), text);
    mem_free(folded);
    return is;
}

static bool range_holds(const struct policy_range *r, const struct number *v, bool v_open,
                        bool is_low_end)
{
    if (r->has_low) {
        int cmp = number_cmp(v, &r->low);
        if (cmp < 0 || (cmp == 0 && r->low_open && !(v_open && is_low_end)))
            return false;
    }
    if (r->has_high) {
        int cmp = number_cmp(v, &r->high);
        if (cmp > 0 || (cmp == 0 && r->high_open && !(v_open && !is_low_end)))
            return false;
    }
    return true;
}

static bool range_covers(const struct policy_range *a, const struct policy_range *b)
{
    if ((a->has_low && !b->has_low) || (a->has_high && !b->has_high))
        return false;
    return (!b->has_low || range_holds(a, &b->low, b->low_open, true)) &&
           (!b->has_high || range_holds(a, &b->high, b->high_open, false));
}

static bool strings_cover(enum policy_kind ka, const struct policy_operand *a, enum policy_kind kb,
                          const struct policy_operand *b)
{
    struct shape sa = shape_of(ka, a), sb = shape_of(kb, b);

    if (!sa.is_string || !sb.is_string || ka == POLICY_CIDR)
        return false;
    if (ka == POLICY_WILDCARD && kb == POLICY_STRING)
        return pattern_match(&a->pattern, b->text);
    if (sa.is_middle)
        return kb == POLICY_WILDCARD && str_eq(a->text, b->text);
    if (sb.is_folded && !sa.is_folded && (sa.first.n || sa.last.n || sa.is_exact))
        return false;
    if (sa.is_exact)
        return sb.is_exact && sa.first.n == sb.first.n &&
               starts(sb.first, sa.first, sa.is_folded) && starts(sa.first, sb.first, sa.is_folded);
    /* p*s covers an exact text only if both ends fit without overlap. */
    if (sb.is_exact && sa.first.n + sa.last.n > sb.first.n)
        return false;
    return starts(sb.first, sa.first, sa.is_folded) && ends(sb.last, sa.last, sa.is_folded);
}

/* For rules without anything-but. */
static bool operand_covers(enum policy_kind ka, const struct policy_operand *a, enum policy_kind kb,
                           const struct policy_operand *b)
{
    if (ka == POLICY_NUMERIC && kb == POLICY_NUMBER)
        return range_holds(&a->range, &b->number, false, false);
    if (ka == POLICY_NUMERIC && kb == POLICY_NUMERIC)
        return range_covers(&a->range, &b->range);
    if (ka == POLICY_NUMBER && kb == POLICY_NUMBER)
        return number_eq(&a->number, &b->number);
    if (ka == POLICY_CIDR && kb == POLICY_CIDR)
        return a->cidr_bits <= b->cidr_bits && address_in(&b->address, &a->address, a->cidr_bits);
    if (ka == POLICY_CIDR && kb == POLICY_STRING)
        return b->is_address && address_in(&b->address, &a->address, a->cidr_bits);
    if (kb == POLICY_STRING && b->is_address && ka == POLICY_STRING && a->is_address)
        return address_eq(&a->address, &b->address);
    if (kb == POLICY_STRING && b->is_address)
        return false; /* it has other spellings, too */
    return strings_cover(ka, a, kb, b);
}

bool entry_takes_any_string(const struct policy_entry *e)
{
    if (e->negated || e->n != 1)
        return false;
    struct shape s = shape_of(e->kind, e->operands);
    return s.is_string && e->kind != POLICY_CIDR && !s.is_exact && !s.is_middle && !s.first.n &&
           !s.last.n;
}

/* Whether all values of `b` are outside what `but` excludes. */
static bool but_covers(const struct policy_entry *but, const struct policy_entry *b)
{
    bool is_number = b->kind == POLICY_NUMBER;

    if (b->kind == POLICY_TRUE || b->kind == POLICY_FALSE || b->kind == POLICY_NULL)
        return true;
    if ((b->kind != POLICY_STRING && !is_number) || b->operands->is_address)
        return false;
    for (u32 i = 0; i < but->n; i++)
        if (operand_covers(but->kind, &but->operands[i], b->kind, b->operands))
            return false;
    return true;
}

bool entry_covers(const struct policy_entry *a, const struct policy_entry *b)
{
    if (a->kind == POLICY_ABSENT || b->kind == POLICY_ABSENT)
        return a->kind == b->kind;
    if (a->kind == POLICY_EXISTS)
        return true;
    if (a->negated && b->negated) {
        for (u32 i = 0; i < a->n; i++) {
            bool is_excluded = false;
            for (u32 k = 0; k < b->n && !is_excluded; k++)
                is_excluded = operand_covers(b->kind, &b->operands[k], a->kind, &a->operands[i]);
            if (!is_excluded)
                return false;
        }
        return true;
    }
    if (a->negated)
        return but_covers(a, b);
    if (b->negated || b->kind == POLICY_EXISTS)
        return false;
    if (a->n == 0 || b->n == 0)
        return a->kind == b->kind;
    if (entry_takes_any_string(a))
        return shape_of(b->kind, b->operands).is_string;
    return operand_covers(a->kind, a->operands, b->kind, b->operands);
}

const struct policy_operand *entry_repeats(const struct policy_entry *but, u32 k)
{
    const struct policy_operand *o = &but->operands[k];

    for (u32 i = 0; i < but->n; i++) {
        const struct policy_operand *other = &but->operands[i];
        /* Of two that cover each other the later one is reported. */
        if (i != k && operand_covers(but->kind, other, but->kind, o) &&
            (i < k || !operand_covers(but->kind, o, but->kind, other)))
            return other;
    }
    return NULL;
}

bool entry_admits(const struct policy_entry *e, const struct policy_entry *but,
                  const struct policy_operand *op)
{
    if (e->kind == POLICY_ABSENT)
        return false;
    if (e->kind == POLICY_EXISTS)
        return true;
    if (e->negated) {
        struct policy_entry one = {.kind = but->kind, .n = 1, .operands = op};
        return but_covers(e, &one);
    }
    if (e->n == 0)
        return false;
    if (entry_takes_any_string(e))
        return shape_of(but->kind, op).is_string;
    return operand_covers(e->kind, e->operands, but->kind, op);
}

/* The anything-but accepts the rest, other entries accept what it excludes. */
static bool is_made_open(const struct policy_leaf *leaf, const struct policy_entry *but)
{
    for (u32 i = 0; i < but->n; i++) {
        bool is_admitted = false;
        for (u32 k = 0; k < leaf->n && !is_admitted; k++)
            is_admitted =
                &leaf->entries[k] != but && entry_admits(&leaf->entries[k], but, &but->operands[i]);
        if (!is_admitted)
            return false;
    }
    return true;
}

bool leaf_is_open(const struct policy_leaf *leaf)
{
    for (u32 i = 0; i < leaf->n && leaf->n <= LINT_ENTRIES_MAX; i++) {
        const struct policy_entry *e = &leaf->entries[i];
        if (e->kind == POLICY_EXISTS || (e->negated && is_made_open(leaf, e)))
            return true;
    }
    return false;
}

/* Whether everything that satisfies leaf `b` satisfies `a`, with the same value. */
static bool leaf_covers(const struct policy_leaf *a, const struct policy_leaf *b)
{
    if (a == b)
        return true;
    if (!str_eq(a->path, b->path) || a->n * b->n > LINT_ENTRIES_MAX)
        return false;
    for (u32 i = 0; i < b->n; i++) {
        bool is_covered = false;
        for (u32 k = 0; k < a->n && !is_covered; k++)
            is_covered = entry_covers(&a->entries[k], &b->entries[i]);
        if (!is_covered)
            return false;
    }
    return true;
}

bool branch_covers(const struct policy_branch *a, const struct policy_branch *b)
{
    for (u32 i = 0; i < a->n; i++) {
        bool is_covered = false;
        for (u32 k = 0; k < b->n && !is_covered; k++)
            is_covered = leaf_covers(a->leaves[i], b->leaves[k]);
        if (!is_covered)
            return false;
    }
    return true;
}
