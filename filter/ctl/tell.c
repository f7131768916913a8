#include "filter/ctl/tell.h"

static void add_shown(struct buf *out, str s)
{
    ctl_show(out, s, 2000);
}

static void tell_key(const struct ctl *c, struct buf *out, const struct explain_key *k,
                     const char *indent, bool is_said)
{
    if (!is_said) {
        buf_printf(out, "%s  %s%s%s ", indent, ctl_on(c, k->holds ? CTL_GREEN : CTL_RED),
                   k->holds ? "holds" : "fails", ctl_off(c));
        add_shown(out, k->words);
        buf_char(out, '\n');
    }
    /* The nearest rule is already in the key's own sentence. */
    for (u32 i = 0; i < k->rule_count && !k->holds; i++) {
        const struct explain_rule *r = &k->rules[i];
        if (r == k->nearest)
            continue;
        buf_printf(out, "%s        %s", indent, ctl_on(c, CTL_DIM));
        add_shown(out, r->words);
        buf_printf(out, "%s\n", ctl_off(c));
    }
}

/* If a policy's only key fails, the verdict's sentence already contains it. */
static void tell_branch(const struct ctl *c, struct buf *out, const struct explain_branch *b,
                        const char *indent, bool is_only)
{
    for (u32 i = 0; i < b->key_count; i++)
        tell_key(c, out, &b->keys[i], indent, is_only && b->key_count == 1 && !b->keys[i].holds);
}

void tell_text(const struct ctl *c, struct buf *out, const struct explanation *x,
               const char *indent)
{
    buf_z(out, indent);
    add_shown(out, x->words);
    buf_char(out, '\n');
    for (u32 i = 0; i < x->branch_count; i++) {
        const struct explain_branch *b = &x->branches[i];
        if (x->reason == EXPLAIN_HELD && b != x->nearest)
            continue;
        if (x->branch_count > 1)
            buf_printf(out, "%s  alternative %u of %u%s\n", indent, i + 1, x->branch_count,
                       b->is_split ? ": not in the same element" : "");
        tell_branch(c, out, b, indent, x->branch_count == 1);
    }
    if (x->hint.n) {
        buf_printf(out, "%s%shint:%s ", indent, ctl_on(c, CTL_YELLOW), ctl_off(c));
        add_shown(out, x->hint);
        buf_char(out, '\n');
    }
}

/* --- JSON ------------------------------------------------------------------------------------- */

static void value_json(struct buf *out, const char *name, const struct explain_value *v)
{
    json_begin(out, name, '{');
    json_text(out, "place", v->place);
    json_text(out, "type", str_of(explain_type_name(v->type)));
    json_text(out, "text", v->text);
    json_end(out, '}');
}

static void rule_json(struct buf *out, const struct explain_rule *r)
{
    json_raw(out, "rule", r->rule);
    json_bool(out, "holds", r->holds);
    json_text(out, "miss", str_of(explain_miss_name(r->miss)));
    if (r->value)
        value_json(out, "value", r->value);
    json_text(out, "words", r->words);
}

static void key_json(struct buf *out, const struct explain_key *k)
{
    json_text(out, "key", k->leaf->path);
    json_bool(out, "holds", k->holds);
    json_text(out, "words", k->words);
    json_begin(out, "values", '[');
    for (u32 i = 0; i < k->value_count; i++)
        value_json(out, NULL, &k->values[i]);
    json_end(out, ']');
    json_begin(out, "rules", '[');
    for (u32 i = 0; i < k->rule_count; i++) {
        json_begin(out, NULL, '{');
        rule_json(out, &k->rules[i]);
        json_end(out, '}');
    }
    json_end(out, ']');
}

static void branch_json(struct buf *out, const struct explain_branch *b)
{
    json_begin(out, NULL, '{');
    json_bool(out, "holds", b->holds);
    json_bool(out, "split", b->is_split);
    json_begin(out, "keys", '[');
    for (u32 i = 0; i < b->key_count; i++) {
        json_begin(out, NULL, '{');
        key_json(out, &b->keys[i]);
        json_end(out, '}');
    }
    json_end(out, ']');
    json_end(out, '}');
}

void tell_json(struct buf *out, const struct explanation *x)
{
    json_bool(out, "match", x->match);
    json_text(out, "reason", str_of(explain_reason_name(x->reason)));
    json_text(out, "words", x->words);
    json_text(out, "hint", x->hint);
    if (x->decided) {
        json_begin(out, "decided", '{');
        json_text(out, "key", x->decided->leaf->path);
        rule_json(out, x->decided->nearest);
        json_end(out, '}');
    }
    json_begin(out, "branches", '[');
    for (u32 i = 0; i < x->branch_count; i++)
        branch_json(out, &x->branches[i]);
    json_end(out, ']');
}
