/* Storage of findings, and the finding about a refused policy: the service's own words, and
 * advice. */
#include "filter/ctl/lint.h"

#include <stdarg.h>

void lint_init(struct lint *l, const struct ctl_policy *subject)
{
    *l = (struct lint){.subject = subject};
    arena_init(&l->arena);
}

void lint_deinit(struct lint *l)
{
    mem_free(l->findings);
    arena_deinit(&l->arena);
}

void lint_say(struct lint *l, const char *code, size_t at, const char *advice, const char *fmt, ...)
{
    char text[FAULT_TEXT_MAX + 64];
    va_list args;

    if (l->n == LINT_FINDINGS_MAX)
        return;
    if (l->n == l->cap) {
        l->cap = l->cap ? l->cap * 2 : 16;
        l->findings = mem_grow(l->findings, l->cap * sizeof(*l->findings));
    }
    va_start(args, fmt);
    vsnprintf(text, sizeof(text), fmt, args);
    va_end(args);
    l->findings[l->n++] = (struct lint_finding){
        .code = code, .at = at, .words = arena_dup(&l->arena, str_of(text)), .advice = advice};
}

/* --- refusals --------------------------------------------------------------------------------- */

static const struct {
    const char *part, *advice;
} REFUSALS[] = {
    {"failed to parse JSON", "Correct the JSON at the place shown."},
    {"Filter is not an object", "A policy is an object: {\"key\":[values]}."},
    {"must be an object or an array", "Put the value into a list: {\"key\":[\"value\"]}."},
    {"Empty arrays", "List at least one value, or leave the key out."},
    {"Empty objects", "Name at least one key in it, or leave it out."},
    {"Match value must be", "Nested lists are not supported: write the values in one list."},
    {"Unrecognized match type", "Use one of the operators: prefix, suffix, equals-ignore-case, "
                                "wildcard, anything-but, numeric, exists, cidr."},
    {"Only one key allowed", "Only one operator is allowed per object: write two entries."},
    {"Too many elements", "Only one operator is allowed per object: write two entries; numeric "
                          "takes one comparison, or a lower bound followed by an upper bound."},
    {"match pattern must be a string", "Put the operand between quotes."},
    {"exists match pattern", "Write {\"exists\": true} or {\"exists\": false}, without quotes."},
    {"numeric", "Write {\"numeric\": [\">=\", 1, \"<\", 10]}, numbers without quotes."},
    {"must be numeric", "Write the operand as a number, without quotes."},
    {"anything", "anything-but takes a value, a list of strings or of numbers, or one of prefix, "
                 "suffix, wildcard."},
    {"CIDR", "Write an address and its prefix length: \"10.0.0.0/8\"; a single address is an "
             "exact string."},
    {"mask bits", "Write a single address as an exact string, without /32 or /128."},
    {"IP address", "Write an IPv4 or IPv6 address before the slash."},
    {"wildcard", "One asterisk matches any text: do not write two in a row."},
    {"escape character", "A backslash escapes an asterisk or a backslash only."},
    {"$or", "$or takes a list of two or more objects."},
    {"name not found", "Name an operator in the braces: {\"prefix\": \"a\"}."},
    {"more than 5 keys", "Use at most five keys: combine related values into one attribute."},
    {"too complex", "Use fewer values: their product over all keys, times the nesting depth, is at "
                    "most 150; at most three asterisks per pattern and 256 KB of text."},
};

/* Whether the refusal's own words, without the policy quoted after them, contain `part`. */
static bool says(const struct fault *f, const char *part)
{
    const char *end = strchr(f->text, '\n'), *hit = strstr(f->text, part);

    return hit && (!end || hit < end);
}

/* The first key of the policy that holds an object. */
static size_t nested_place(struct lint *l)
{
    struct node *root;
    struct fault ignored;
    str compact;

    fault_clear(&ignored);
    if (tree_read(&l->arena, l->subject->text, &root, &compact, &ignored) != 0)
        return 0;
    for (const struct node *m = root->first; m; m = m->next)
        if (m->kind == NODE_OBJECT)
            return m->source_at;
    return root->source_at;
}

void lint_refusal(struct lint *l)
{
    size_t at = policies_fault_at(l->subject);
    const struct fault *f = l->subject->fault;
    const char *code = "L001", *advice = "See the list of operators in the manual.";

    for (size_t i = ARRAY_LEN(REFUSALS); i-- > 0;)
        if (says(f, REFUSALS[i].part))
            advice = REFUSALS[i].advice;
    if (l->subject->is_scope_bad) {
        advice = "The scope must be MessageAttributes or MessageBody, spelled exactly so.";
    } else if (f->code == FILTER_FAULT_SCOPE) {
        code = "L002";
        at = nested_place(l);
        advice = "Set FilterPolicyScope to MessageBody, or name an attribute.";
    } else if (says(f, "Bottom must be less than top")) {
        code = "L003";
        advice =
            "No number lies in this range: swap the bounds, or write [\"=\", n] for one number.";
    }
    lint_say(l, code, at, advice, "Invalid parameter: Attributes Reason: %s%s", policies_frame(f),
             f->text);
}
