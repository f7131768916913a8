/* Evaluates a request against a policy's statements in the document's order. The first Deny that
 * applies decides, else the first Allow that applies. */
#include "common/aws/access_pattern.h"
#include "common/aws/access_statement.h"

/* Most steps of text comparison for one request, about 2 ns each. A policy of 100 statements with
 * ARNs of 100 characters takes about 30,000. */
#define STEPS_MAX 1000000
/* Longest resource after its variables are substituted; longer ones match nothing. */
#define FILLED_MAX 4096
/* Bytes of a value that a report shows. */
#define SHOWN_MAX 256

/* --- the parts of a statement ----------------------------------------------------------------- */

static bool access_list_has(const struct access_list *list, str value, unsigned rules,
                            const struct access_request *rq, u64 *steps_left)
{
    char scratch[FILLED_MAX];
    str pattern;

    for (u32 i = 0; i < list->n; i++)
        if (access_pattern_fill(list->patterns[i], rq, scratch, sizeof scratch, &pattern) &&
            access_pattern_match(pattern, value, rules, steps_left))
            return !list->is_not;
    return list->is_not;
}

/* "sns.amazonaws.com", also in its regional form sns.REGION.amazonaws.com, and either followed by
 * .cn for China. */
static bool is_service(str wanted, const struct access_request *rq)
{
    str domain = rq->service, name = str_cut(&domain, '.');

    if (!rq->service.n || !str_eq(str_cut(&wanted, '.'), name))
        return false;
    if (str_ends(wanted, STR(".cn")))
        wanted.n -= 3;
    if (str_eq(wanted, domain))
        return true;
    return str_eq(str_cut(&wanted, '.'), rq->service_region) && str_eq(wanted, domain);
}

static bool principal_is(const struct access_principal *p, const struct access_request *rq)
{
    switch (p->kind) {
    case ACCESS_EVERYONE: return true;
    case ACCESS_ACCOUNT: return str_eq(p->value, rq->account);
    case ACCESS_USER: return str_eq(p->value, rq->principal);
    case ACCESS_SERVICE: return is_service(p->value, rq);
    case ACCESS_ELSEWHERE: return false;
    }
    return false;
}

static bool has_principal(const struct access_statement *s, const struct access_request *rq)
{
    if (!s->has_principals)
        return true;
    for (u32 i = 0; i < s->principal_count; i++)
        if (principal_is(&s->principals[i], rq))
            return !s->not_principals;
    return s->not_principals;
}

/* The first part that does not match, or ACCESS_PART_NONE; sets *ret_test for a condition. */
static enum access_part statement_misses(const struct access_statement *s,
                                         const struct access_request *rq, u64 *steps_left,
                                         const struct access_test **ret_test)
{
    if (!access_list_has(&s->actions, rq->action, ACCESS_NOCASE, rq, steps_left))
        return ACCESS_PART_ACTION;
    if (!access_list_has(&s->resources, rq->resource, ACCESS_SEGMENTS, rq, steps_left))
        return ACCESS_PART_RESOURCE;
    if (!has_principal(s, rq))
        return ACCESS_PART_PRINCIPAL;
    for (u32 i = 0; i < s->test_count; i++) {
        *ret_test = &s->tests[i];
        if (!access_test_holds(&s->tests[i], rq, steps_left))
            return ACCESS_PART_CONDITION;
    }
    return ACCESS_PART_NONE;
}

/* --- the verdict ------------------------------------------------------------------------------ */

struct access_decision access_policy_judge(const struct access_policy *p,
                                           const struct access_request *rq)
{
    struct access_decision d = {.verdict = ACCESS_NO_STATEMENT};
    u64 steps_left = STEPS_MAX;

    for (u32 i = 0; i < p->n; i++) {
        const struct access_statement *s = &p->statements[i];
        const struct access_test *test = NULL;

        if (!s->is_deny && d.verdict == ACCESS_ALLOWED)
            continue;
        enum access_part missed = statement_misses(s, rq, &steps_left, &test);

        if (steps_left == 0)
            return (struct access_decision){
                .verdict = ACCESS_DENIED, .too_costly = true, .statement = s};
        if (s->is_deny && missed == ACCESS_PART_NONE)
            return (struct access_decision){.verdict = ACCESS_DENIED, .statement = s};
        if (s->is_deny || (d.statement && missed <= d.missed))
            continue;
        d = (struct access_decision){.verdict = missed == ACCESS_PART_NONE ? ACCESS_ALLOWED
                                                                           : ACCESS_NO_STATEMENT,
                                     .statement = s,
                                     .missed = missed,
                                     .test = missed == ACCESS_PART_CONDITION ? test : NULL};
    }
    return d;
}

/* --- telling ---------------------------------------------------------------------------------- */

static void tell_text(struct buf *out, str text)
{
    buf_str(out, str_slice(text, 0, SHOWN_MAX));
    if (text.n > SHOWN_MAX)
        buf_z(out, "…");
}

static void tell_statement(struct buf *out, const struct access_statement *s)
{
    buf_printf(out, "statement %" PRIu32, s->number);
    if (s->sid.n) {
        buf_z(out, " (");
        tell_text(out, s->sid);
        buf_char(out, ')');
    }
}

static void tell_caller(struct buf *out, const struct access_request *rq)
{
    if (rq->service.n)
        tell_text(out, rq->service);
    else if (rq->principal.n)
        tell_text(out, rq->principal);
    else
        buf_z(out, rq->account.n ? "the account" : "an anonymous caller");
}

static void tell_test(struct buf *out, const struct access_test *t, const struct access_request *rq)
{
    str value;
    u32 at = 0;

    buf_z(out, "its condition ");
    tell_text(out, t->written);
    buf_z(out, " on ");
    tell_text(out, t->key);
    buf_z(out, " does not hold: ");
    if (access_request_next(rq, t->key, &at, &value)) {
        buf_z(out, "the request has ");
        tell_text(out, value);
    } else {
        buf_z(out, "the request does not have it");
    }
}

static void tell_missed(struct buf *out, const struct access_decision *d,
                        const struct access_request *rq)
{
    switch (d->missed) {
    case ACCESS_PART_ACTION:
        buf_z(out, "it is about other actions than ");
        tell_text(out, rq->action);
        break;
    case ACCESS_PART_RESOURCE:
        buf_z(out, "it is about other resources than ");
        tell_text(out, rq->resource);
        break;
    case ACCESS_PART_PRINCIPAL:
        buf_z(out, "it does not name ");
        tell_caller(out, rq);
        break;
    case ACCESS_PART_CONDITION: tell_test(out, d->test, rq); break;
    case ACCESS_PART_NONE: break;
    }
}

void access_decision_tell(const struct access_decision *d, const struct access_request *rq,
                          struct buf *out)
{
    if (d->too_costly) {
        buf_z(out, "denied: the policy costs too much to evaluate, up to ");
        tell_statement(out, d->statement);
    } else if (d->verdict != ACCESS_NO_STATEMENT) {
        buf_z(out, d->verdict == ACCESS_ALLOWED ? "allowed by " : "denied by ");
        tell_statement(out, d->statement);
    } else if (!d->statement) {
        buf_z(out, "no statement allows anything");
    } else {
        buf_z(out, "no statement allows it; ");
        tell_statement(out, d->statement);
        buf_z(out, " comes closest, but ");
        tell_missed(out, d, rq);
    }
}
