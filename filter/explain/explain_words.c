/* The sentences. Every miss has one, with the value (%V), the rule (%R) and the near match's place
 * (%P) inserted; the caller puts the key in front. */
#include "filter/explain/explain_parts.h"

#include "common/base/scan.h"

/* %V the value, %T its type, %R the rule's text, %P where something like the key was found, %K the
 * key. */
static const char *const SENTENCES[] = {
    [EXPLAIN_MET] = "%V matches %R.",
    [EXPLAIN_OTHER] = "%V does not match %R.",
    [EXPLAIN_CASE] = "%V differs from %R only in case: comparison is case-sensitive, except with "
                     "equals-ignore-case.",
    [EXPLAIN_BLANK] =
        "%V would match %R without its leading or trailing blanks: values are not trimmed.",
    [EXPLAIN_NUMBER_QUOTED] = "%V is a string, but %R expects a number: types are not converted. "
                              "Publish the value as a number, or write the rule with a string.",
    [EXPLAIN_NUMBER_BARE] = "%V is a number, but %R expects a string: types are not converted. "
                            "Write the rule with a number, or publish a string.",
    [EXPLAIN_LITERAL_QUOTED] =
        "%V is a %T, but %R expects the same text as another type: types are not converted.",
    [EXPLAIN_TYPE] = "%V is a %T, which %R never matches.",
    [EXPLAIN_SUBSTRING] = "%V contains the text of %R, but not where the rule requires it; a "
                          "wildcard matches it anywhere.",
    [EXPLAIN_EXCLUDED] = "%R excludes %V.",
    [EXPLAIN_BOUND] = "%V is the bound of %R, which is exclusive.",
    [EXPLAIN_BELOW] = "%V is below %R.",
    [EXPLAIN_ABOVE] = "%V is above %R.",
    [EXPLAIN_NO_ADDRESS] = "%V is not an IP address, so %R cannot match.",
    [EXPLAIN_ADDRESS_FAMILY] = "%V and %R are of different address families (IPv4, IPv6).",
    [EXPLAIN_ESCAPE] = "%V is compared as shown: quotes and backslashes in attributes are compared "
                       "in their escaped form, so the policy must escape them twice.",
    [EXPLAIN_ARRAY_IN_STRING] = "%V is one string that looks like a JSON array: only attributes of "
                                "the data type String.Array are split into elements.",
    [EXPLAIN_PRESENT] = "%V is present, but %R requires that the key is absent.",
    [EXPLAIN_ABSENT] = "the message has no \"%K\"; %R needs a value.",
    [EXPLAIN_KEY_CASE] =
        "the message has no \"%K\", but it has \"%P\": names are compared exactly.",
    [EXPLAIN_DEEPER] = "the message has no \"%K\" at this level, but it has \"%P\".",
    [EXPLAIN_HIGHER] = "the message has no \"%K\", but it has \"%P\" at a higher level.",
    [EXPLAIN_OBJECT] = "\"%P\" is an object, but only values are matched: name a key inside it.",
    [EXPLAIN_EMPTY_ARRAY] = "\"%P\" has no values, so it counts as absent.",
    [EXPLAIN_BINARY] = "\"%P\" is a Binary attribute, so it counts as absent.",
    [EXPLAIN_OTHER_SCOPE] = "\"%P\" is present, but outside the policy's FilterPolicyScope.",
};

void explain_show(struct buf *out, str text)
{
    if (text.n <= EXPLAIN_SHOWN_MAX) {
        buf_str(out, text);
        return;
    }
    size_t n = EXPLAIN_SHOWN_MAX;
    while (n > 0 && ((u8)text.p[n] & 0xc0) == 0x80)
        n--;
    buf_add(out, text.p, n);
    buf_z(out, "...");
}

void explain_show_value(struct buf *out, const struct explain_value *v)
{
    if (v->type != EXPLAIN_STRING) {
        explain_show(out, v->text);
        return;
    }
    struct buf quoted = {0};
    scan_quote(&quoted, v->text);
    explain_show(out, buf_view(&quoted));
    buf_deinit(&quoted);
}

/* What replaces each letter behind a percent sign. */
struct parts {
    const struct explain_value *value;
    str rule, place, key;
};

static void put_part(struct buf *out, char letter, const struct parts *p)
{
    switch (letter) {
    case 'V':
        if (p->value)
            explain_show_value(out, p->value);
        break;
    case 'T': buf_z(out, p->value ? explain_type_name(p->value->type) : ""); break;
    case 'R': explain_show(out, p->rule); break;
    case 'P': explain_show(out, p->place); break;
    case 'K': explain_show(out, p->key); break;
    default: break;
    }
}

static str compose(struct arena *a, const char *sentence, const struct parts *p)
{
    struct buf b = {0};

    for (; *sentence; sentence++) {
        if (*sentence == '%')
            put_part(&b, *++sentence, p);
        else
            buf_char(&b, *sentence);
    }
    str s = arena_dup(a, buf_view(&b));
    buf_deinit(&b);
    return s;
}

str explain_words_of_rule(struct arena *a, const struct policy_leaf *leaf,
                          const struct explain_rule *rule, const struct explain_watch *w)
{
    struct parts p = {rule->value, rule->rule, w->near_place, leaf->path};

    if (rule->holds && !rule->value)
        return compose(a, "the message has no \"%K\", which matches %R.", &p);
    return compose(a, SENTENCES[rule->miss], &p);
}

str explain_words_of_key(struct arena *a, const struct explain_key *key)
{
    struct buf b = {0};

    explain_show(&b, key->leaf->path);
    buf_z(&b, ": ");
    buf_str(&b, key->nearest->words);
    if (!key->holds && key->value_count > 1)
        buf_printf(&b, " None of its %u values matches a rule.", key->value_count);
    str s = arena_dup(a, buf_view(&b));
    buf_deinit(&b);
    return s;
}

/* --- the verdict ------------------------------------------------------------------------------ */

static const char *hint_of(enum explain_miss miss, enum filter_scope scope)
{
    switch (miss) {
    case EXPLAIN_CASE: return "Use equals-ignore-case if case does not matter.";
    case EXPLAIN_BLANK: return "Publish the value without leading or trailing blanks.";
    case EXPLAIN_NUMBER_QUOTED:
        return scope == FILTER_BODY ? "Write the number without quotes in the body."
                                    : "Give the attribute the data type Number.";
    case EXPLAIN_NUMBER_BARE:
        return scope == FILTER_BODY ? "Write the value as a string in the body, or the rule as a "
                                      "number."
                                    : "Give the attribute the data type String, or write the rule "
                                      "as a number.";
    case EXPLAIN_ARRAY_IN_STRING: return "Give the attribute the data type String.Array.";
    case EXPLAIN_OTHER_SCOPE:
        return scope == FILTER_BODY ? "Set FilterPolicyScope to MessageAttributes to filter by "
                                      "attributes."
                                    : "Set FilterPolicyScope to MessageBody to filter by the body.";
    case EXPLAIN_DEEPER:
    case EXPLAIN_HIGHER:
    case EXPLAIN_KEY_CASE: return "Use the same key name as the message.";
    case EXPLAIN_ESCAPE: return "Escape the quote or backslash twice in an attribute policy.";
    case EXPLAIN_ABSENT:
        return "Add {\"exists\":false} to the key's list to accept messages without it.";
    default: return "";
    }
}

static void sum_up_not_eligible(struct explanation *x, const struct policy *p,
                                const struct explain_offer *o)
{
    x->words = arena_printf(&x->arena,
                            "The message is rejected regardless of the policy's rules: %.*s, and "
                            "the policy applies to the %s.",
                            STR_ARG(o->trouble), p->scope == FILTER_BODY ? "body" : "attributes");
    bool is_elsewhere = false;
    for (u32 i = 0; i < o->n; i++)
        is_elsewhere |= o->watches[i].near == EXPLAIN_OTHER_SCOPE;
    if (is_elsewhere)
        x->hint = str_of(hint_of(EXPLAIN_OTHER_SCOPE, p->scope));
    else if (o->eligibility == FILTER_INVALID_ATTRIBUTES)
        x->hint = STR("A malformed attribute causes a rejection even if no policy names it.");
}

static void sum_up_failed(struct explanation *x, const struct policy *p)
{
    const char *several = x->branch_count > 1
                              ? " None of its alternatives matches; the nearest fails "
                                "at:"
                              : "";

    if (x->nearest->is_split) {
        x->words = STR("The policy rejects the message: every key matches by itself, but not "
                       "within the same array element.");
        x->hint = STR("Keys below an array of objects must be satisfied by the same element.");
        return;
    }
    x->words = arena_printf(&x->arena, "The policy rejects the message.%s %.*s", several,
                            STR_ARG(x->decided->words));
    x->hint = str_of(hint_of(x->decided->nearest->miss, p->scope));
}

void explain_sum_up(struct explanation *x, const struct policy *p, const struct explain_offer *o)
{
    x->hint = STR("");
    switch (x->reason) {
    case EXPLAIN_NO_POLICY: x->words = STR("There is no policy: every message is accepted."); break;
    case EXPLAIN_EMPTY_BODY:
        x->words = STR("The message is rejected: an empty object matches no policy.");
        break;
    case EXPLAIN_NOT_ELIGIBLE: sum_up_not_eligible(x, p, o); break;
    case EXPLAIN_FAILED: sum_up_failed(x, p); break;
    case EXPLAIN_HELD:
        if (x->branch_count == 1)
            x->words = STR("The policy accepts the message: every key matches.");
        else
            x->words = arena_printf(&x->arena,
                                    "The policy accepts the message: alternative %u of %u "
                                    "holds.",
                                    (u32)(x->nearest - x->branches) + 1, x->branch_count);
        break;
    }
}
