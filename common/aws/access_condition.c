/* One table of operators: a kind, which determines how values are parsed and compared, and a
 * relation. */
#include "common/aws/access_condition.h"

#include <stdlib.h>

#include "common/aws/access_pattern.h"
#include "common/aws/arn.h"
#include "common/base/date.h"

#define NUMBER_TEXT_MAX 64
/* Longest pattern after its variables are substituted; longer ones match nothing. */
#define FILLED_MAX 4096

enum relation { EQUAL, LESS, LESS_EQUAL, GREATER, GREATER_EQUAL };

/* How an operator's values are parsed, and how a value of the request is compared with one. */
struct kind {
    int (*read)(str text, unsigned parts, struct arena *a, union access_operand *ret);
    bool (*holds)(const struct access_operator *o, const union access_operand *operand, str fact,
                  const struct access_request *rq, u64 *steps_left);
};

struct access_operator {
    const char *name;
    const struct kind *kind;
    enum relation relation;
    bool is_negated;
    unsigned parts, rules; /* of patterns: access_pattern.h */
};

/* --- kinds ------------------------------------------------------------------------------------ */

static int read_pattern(str text, unsigned parts, struct arena *a, union access_operand *ret)
{
    ret->pattern = access_pattern_read(a, text, parts);
    return 0;
}

static bool string_holds(const struct access_operator *o, const union access_operand *operand,
                         str fact, const struct access_request *rq, u64 *steps_left)
{
    char scratch[FILLED_MAX];
    str pattern;

    return access_pattern_fill(operand->pattern, rq, scratch, sizeof scratch, &pattern) &&
           access_pattern_match(pattern, fact, o->rules, steps_left);
}

/* Matches part by part; the sixth part has the rest. "*" alone matches any ARN. */
static bool arn_holds(const struct access_operator *o, const union access_operand *operand,
                      str fact, const struct access_request *rq, u64 *steps_left)
{
    char scratch[FILLED_MAX];
    str pattern;

    if (arn_parts(fact) < ARN_PARTS_MIN ||
        !access_pattern_fill(operand->pattern, rq, scratch, sizeof scratch, &pattern))
        return false;
    if (arn_parts(pattern) == 1)
        return access_pattern_match(pattern, fact, 0, steps_left);
    if (arn_parts(pattern) < ARN_PARTS_MIN)
        return false;
    for (size_t i = 1; i < ARN_PARTS_MIN; i++)
        if (!access_pattern_match(str_cut(&pattern, ':'), str_cut(&fact, ':'), 0, steps_left))
            return false;
    return access_pattern_match(pattern, fact, 0, steps_left);
}

static bool relation_holds(enum relation relation, bool is_less, bool is_equal)
{
    switch (relation) {
    case EQUAL: return is_equal;
    case LESS: return is_less;
    case LESS_EQUAL: return is_less || is_equal;
    case GREATER: return !is_less && !is_equal;
    case GREATER_EQUAL: return !is_less;
    }
    return false;
}

/* Sign, digits, fraction, exponent; neither hexadecimal nor "nan" and "inf". */
static bool read_numeric_operand(str text, double *ret)
{
    char z[NUMBER_TEXT_MAX + 1], *end;

    if (!text.n || text.n > NUMBER_TEXT_MAX)
        return false;
    memcpy(z, text.p, text.n);
    z[text.n] = '\0';
    if (strspn(z, "0123456789.eE+-") != text.n)
        return false;
    *ret = strtod(z, &end);
    return end == z + text.n;
}

static int read_numeric(str text, unsigned parts, struct arena *a, union access_operand *ret)
{
    return read_numeric_operand(text, &ret->number) ? 0 : E_INVALID;
}

static bool numeric_holds(const struct access_operator *o, const union access_operand *operand,
                          str fact, const struct access_request *rq, u64 *steps_left)
{
    double v;

    return read_numeric_operand(fact, &v) &&
           relation_holds(o->relation, v < operand->number,
                          !(v < operand->number) && !(v > operand->number));
}

/* A date, or seconds since the epoch. */
static int read_date_operand(str text, i64 *ret_ms)
{
    i64 s;

    if (date_read_iso(text, ret_ms) == 0)
        return 0;
    if (str_to_i64(text, &s) || __builtin_mul_overflow(s, 1000, ret_ms))
        return E_INVALID;
    return 0;
}

static int read_date(str text, unsigned parts, struct arena *a, union access_operand *ret)
{
    return read_date_operand(text, &ret->ms);
}

static bool date_holds(const struct access_operator *o, const union access_operand *operand,
                       str fact, const struct access_request *rq, u64 *steps_left)
{
    i64 ms;

    return read_date_operand(fact, &ms) == 0 &&
           relation_holds(o->relation, ms < operand->ms, ms == operand->ms);
}

static bool read_flag(str text, bool *ret)
{
    *ret = str_eq_nocase(text, STR("true"));
    return *ret || str_eq_nocase(text, STR("false"));
}

static int read_bool(str text, unsigned parts, struct arena *a, union access_operand *ret)
{
    return read_flag(text, &ret->flag) ? 0 : E_INVALID;
}

static bool bool_holds(const struct access_operator *o, const union access_operand *operand,
                       str fact, const struct access_request *rq, u64 *steps_left)
{
    bool flag;

    return read_flag(fact, &flag) && flag == operand->flag;
}

/* "203.0.113.0/24", or a single address. */
static int read_network(str text, unsigned parts, struct arena *a, union access_operand *ret)
{
    struct address *address = &ret->network.address;
    i64 bits;

    if (!address_read(str_cut(&text, '/'), address))
        return E_INVALID;
    ret->network.bits = address_bits(address);
    if (!text.p)
        return 0;
    if (str_to_i64(text, &bits) || bits < 0 || bits > address_bits(address))
        return E_INVALID;
    ret->network.bits = (u32)bits;
    return 0;
}

static bool network_holds(const struct access_operator *o, const union access_operand *operand,
                          str fact, const struct access_request *rq, u64 *steps_left)
{
    struct address address;

    return address_read(fact, &address) &&
           address_in(&address, &operand->network.address, operand->network.bits);
}

static const struct kind string_kind = {read_pattern, string_holds};
static const struct kind arn_kind = {read_pattern, arn_holds};
static const struct kind numeric_kind = {read_numeric, numeric_holds};
static const struct kind date_kind = {read_date, date_holds};
static const struct kind bool_kind = {read_bool, bool_holds};
static const struct kind network_kind = {read_network, network_holds};
static const struct kind null_kind = {read_bool,
                                      NULL}; /* tests whether the key is in the request */

/* --- operators -------------------------------------------------------------------------------- */

#define ALIKE ACCESS_WILDCARDS

static const struct access_operator operators[] = {
    {"StringEquals", &string_kind, EQUAL, false, 0, 0},
    {"StringNotEquals", &string_kind, EQUAL, true, 0, 0},
    {"StringEqualsIgnoreCase", &string_kind, EQUAL, false, 0, ACCESS_NOCASE},
    {"StringNotEqualsIgnoreCase", &string_kind, EQUAL, true, 0, ACCESS_NOCASE},
    {"StringLike", &string_kind, EQUAL, false, ALIKE, 0},
    {"StringNotLike", &string_kind, EQUAL, true, ALIKE, 0},
    {"NumericEquals", &numeric_kind, EQUAL, false, 0, 0},
    {"NumericNotEquals", &numeric_kind, EQUAL, true, 0, 0},
    {"NumericLessThan", &numeric_kind, LESS, false, 0, 0},
    {"NumericLessThanEquals", &numeric_kind, LESS_EQUAL, false, 0, 0},
    {"NumericGreaterThan", &numeric_kind, GREATER, false, 0, 0},
    {"NumericGreaterThanEquals", &numeric_kind, GREATER_EQUAL, false, 0, 0},
    {"DateEquals", &date_kind, EQUAL, false, 0, 0},
    {"DateNotEquals", &date_kind, EQUAL, true, 0, 0},
    {"DateLessThan", &date_kind, LESS, false, 0, 0},
    {"DateLessThanEquals", &date_kind, LESS_EQUAL, false, 0, 0},
    {"DateGreaterThan", &date_kind, GREATER, false, 0, 0},
    {"DateGreaterThanEquals", &date_kind, GREATER_EQUAL, false, 0, 0},
    {"Bool", &bool_kind, EQUAL, false, 0, 0},
    {"BinaryEquals", &string_kind, EQUAL, false, 0, 0}, /* base64 on both sides */
    {"IpAddress", &network_kind, EQUAL, false, 0, 0},
    {"NotIpAddress", &network_kind, EQUAL, true, 0, 0},
    {"ArnEquals", &arn_kind, EQUAL, false, ALIKE, 0}, /* behaves as ArnLike */
    {"ArnLike", &arn_kind, EQUAL, false, ALIKE, 0},
    {"ArnNotEquals", &arn_kind, EQUAL, true, ALIKE, 0},
    {"ArnNotLike", &arn_kind, EQUAL, true, ALIKE, 0},
    {"Null", &null_kind, EQUAL, false, 0, 0},
};

static str without_prefix(str text, str prefix)
{
    return str_starts(text, prefix) ? str_slice(text, prefix.n, text.n) : text;
}

int access_test_init(struct access_test *t, str written)
{
    static const str if_exists = STR_INIT("IfExists");
    str name = without_prefix(written, STR("ForAnyValue:"));

    *t = (struct access_test){.written = written};
    if (name.n < written.n)
        t->quantity = ACCESS_ANY_VALUE;
    else if ((name = without_prefix(written, STR("ForAllValues:"))).n < written.n)
        t->quantity = ACCESS_ALL_VALUES;
    t->if_exists = str_ends(name, if_exists);
    if (t->if_exists)
        name.n -= if_exists.n;
    for (size_t i = 0; i < ARRAY_LEN(operators); i++)
        if (str_is(name, operators[i].name))
            t->op = &operators[i];
    if (!t->op || (t->op->kind == &null_kind && written.n != name.n))
        return E_INVALID;
    return 0;
}

int access_test_operand(const struct access_test *t, str text, bool variables, struct arena *a,
                        union access_operand *ret)
{
    const struct access_operator *o = t->op;

    return o->kind->read(text, o->parts | (variables ? ACCESS_VARIABLES : 0), a, ret);
}

/* --- judging ---------------------------------------------------------------------------------- */

static bool null_holds(const struct access_test *t, bool is_there)
{
    for (u32 i = 0; i < t->operand_count; i++)
        if (t->operands[i].flag != is_there)
            return true;
    return false;
}

/* Tests one value of the key against all values in the policy. */
static bool fact_holds(const struct access_test *t, str fact, const struct access_request *rq,
                       u64 *steps_left)
{
    const struct access_operator *o = t->op;

    for (u32 i = 0; i < t->operand_count; i++)
        if (o->kind->holds(o, &t->operands[i], fact, rq, steps_left))
            return !o->is_negated;
    return o->is_negated;
}

/* The result for a key that is not in the request. */
static bool missing_holds(const struct access_test *t)
{
    if (t->if_exists || t->quantity == ACCESS_ALL_VALUES)
        return true;
    return t->quantity == ACCESS_SINGLE && t->op->is_negated;
}

bool access_test_holds(const struct access_test *t, const struct access_request *rq,
                       u64 *steps_left)
{
    u32 at = 0;
    str fact;
    bool is_there = access_request_next(rq, t->key, &at, &fact);
    /* A single-valued test of a key with several values: with a negated operator all of them must
     * satisfy it, otherwise one. */
    bool all =
        t->quantity == ACCESS_ALL_VALUES || (t->quantity == ACCESS_SINGLE && t->op->is_negated);

    if (t->op->kind == &null_kind)
        return null_holds(t, is_there);
    if (!is_there)
        return missing_holds(t);
    do {
        if (fact_holds(t, fact, rq, steps_left) != all)
            return !all;
    } while (access_request_next(rq, t->key, &at, &fact));
    return all;
}
