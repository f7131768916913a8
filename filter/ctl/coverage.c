/* Which rules a corpus matches. Every rule, and every value that an anything-but excludes, becomes
 * a policy of its own beside the real ones, all in one matcher: one match per message counts them
 * all, at the matcher's speed. */
#include "common/base/scan.h"
#include "filter/ctl/corpus.h"
#include "filter/ctl/keys.h"
#include "filter/ctl/policies.h"
#include "filter/policy/policy.h"

#define MESSAGE_SHOWN_MAX 200
#define VALUE_SHOWN_MAX   80

/* A rule of a policy, or one value that it excludes. */
struct rule {
    u32 policy; /* index in the set */
    bool is_excluded_value;
    str path, text;
};

struct covering {
    struct ctl *c;
    struct ctl_policies set;
    struct matcher *matcher; /* ids: policies, then rules */
    struct rule *rules;
    size_t rule_n, rule_cap;
    struct arena arena;
    struct filter_hits hits;
    u64 *counts; /* by id */
    u64 messages, passed, examples_n;
    struct keys attributes, body;
    bool looks_at_body;
    struct buf out, examples;
};

/* --- rules as policies ------------------------------------------------------------------------ */

static void add_rule(struct covering *v, u32 policy, str path, str entry, bool is_excluded_value)
{
    struct policy *p = NULL;
    struct fault fault;
    struct buf text = {0};

    buf_char(&text, '{');
    scan_quote(&text, path);
    buf_printf(&text, ":[%.*s]}", STR_ARG(entry));
    fault_clear(&fault);
    int err =
        policy_new(&p, buf_view(&text), v->set.items[policy].scope, &FILTER_LIMITS_NONE, &fault);
    buf_deinit(&text);
    if (err)
        return; /* a path that cannot be written as one key */
    matcher_add(v->matcher, (u32)(v->set.n + v->rule_n), p);
    policy_free(p);
    if (v->rule_n == v->rule_cap) {
        v->rule_cap = v->rule_cap ? v->rule_cap * 2 : 64;
        v->rules = mem_grow(v->rules, v->rule_cap * sizeof(*v->rules));
    }
    v->rules[v->rule_n++] = (struct rule){
        .policy = policy, .is_excluded_value = is_excluded_value, .path = path, .text = entry};
}

/* What the anything-but excludes, as a separate entry. */
static str operand_entry(struct covering *v, const struct policy_entry *e,
                         const struct policy_operand *o)
{
    static const char *const names[] = {
        [POLICY_PREFIX] = "prefix",
        [POLICY_SUFFIX] = "suffix",
        [POLICY_FOLDED] = "equals-ignore-case",
        [POLICY_WILDCARD] = "wildcard",
    };
    struct buf text = {0};
    bool is_operator = e->kind < ARRAY_LEN(names) && names[e->kind];

    if (e->kind == POLICY_NUMBER)
        buf_str(&text, o->text);
    else if (is_operator)
        buf_printf(&text, "{\"%s\":", names[e->kind]);
    if (e->kind != POLICY_NUMBER)
        scan_quote(&text, o->text);
    if (is_operator)
        buf_char(&text, '}');
    str s = arena_dup(&v->arena, buf_view(&text));
    buf_deinit(&text);
    return s;
}

static void add_leaf(struct covering *v, u32 policy, const struct policy_leaf *leaf)
{
    const struct policy *p = v->set.items[policy].policy;

    for (u32 i = 0; i < leaf->n; i++) {
        const struct policy_entry *e = &leaf->entries[i];
        add_rule(v, policy, leaf->path, str_slice(p->text, e->at, e->end), false);
        for (u32 k = 0; k < e->n && e->negated; k++)
            add_rule(v, policy, leaf->path, operand_entry(v, e, &e->operands[k]), true);
    }
    keys_read(p->scope == FILTER_BODY ? &v->body : &v->attributes, leaf->path);
}

/* Each leaf once, however many branches share it. */
static void add_policy_rules(struct covering *v, u32 index)
{
    const struct policy *p = v->set.items[index].policy;
    struct idmap seen;

    idmap_init(&seen, NULL);
    for (u32 b = 0; b < p->n; b++)
        for (u32 i = 0; i < p->branches[b].n; i++) {
            const struct policy_leaf *leaf = p->branches[b].leaves[i];
            if (!idmap_put(&seen, (u64)(uintptr_t)leaf, v))
                add_leaf(v, index, leaf);
        }
    idmap_deinit(&seen);
    v->looks_at_body |= p->scope == FILTER_BODY && p->n;
}

/* --- the corpus ------------------------------------------------------------------------------- */

static void keep_example(struct covering *v, const struct corpus *at, str shown)
{
    if (v->examples_n++ >= v->c->examples)
        return;
    if (v->c->output == CTL_JSON) {
        json_begin(&v->examples, NULL, '{');
        json_text(&v->examples, "type", STR("unmatched"));
        json_text(&v->examples, "file", str_of(at->file));
        json_u64(&v->examples, "line", at->line);
        json_end(&v->examples, '}');
        buf_char(&v->examples, '\n');
        return;
    }
    struct buf line = {0};
    corpus_show(&line, shown);
    buf_printf(&v->examples, "  %s:%llu ", at->file, (unsigned long long)at->line);
    ctl_show(&v->examples, buf_view(&line), MESSAGE_SHOWN_MAX);
    buf_char(&v->examples, '\n');
    buf_deinit(&line);
}

static void coverage_take(void *ctx, const struct corpus *at, const struct filter_message *msg,
                          str shown)
{
    struct covering *v = ctx;
    bool passes = false;

    matcher_match(v->matcher, msg, &v->hits);
    for (size_t s = 0; s < v->hits.n; s++)
        for (u32 i = 0; i < v->hits.spans[s].n; i++) {
            u32 id = v->hits.spans[s].ids[i];
            v->counts[id]++;
            passes |= id < v->set.n;
        }
    v->messages++;
    v->passed += passes;
    if (!passes)
        keep_example(v, at, shown);
    keys_add_attributes(&v->attributes, msg);
    if (v->looks_at_body)
        keys_add_body(&v->body, msg->body);
}

/* --- the report, for people ------------------------------------------------------------------- */

static double percent(u64 part, u64 whole)
{
    return whole ? 100.0 * (double)part / (double)whole : 0;
}

static void rule_text(struct covering *v, size_t i)
{
    const struct rule *r = &v->rules[i];
    u64 count = v->counts[v->set.n + i];
    bool is_new_key =
        !i || v->rules[i - 1].policy != r->policy || !str_eq(v->rules[i - 1].path, r->path);

    if (is_new_key) {
        buf_z(&v->out, "    ");
        ctl_show(&v->out, r->path, VALUE_SHOWN_MAX);
        buf_char(&v->out, '\n');
    }
    buf_printf(&v->out, "  %10llu  %s", (unsigned long long)count,
               r->is_excluded_value ? "    excluded " : "");
    ctl_show(&v->out, r->text, VALUE_SHOWN_MAX);
    if (!count)
        buf_printf(&v->out, "  %snever%s", ctl_on(v->c, CTL_YELLOW), ctl_off(v->c));
    buf_char(&v->out, '\n');
}

static void policies_text(struct covering *v)
{
    size_t r = 0;

    for (size_t i = 0; i < v->set.n; i++) {
        const struct ctl_policy *p = &v->set.items[i];
        buf_printf(&v->out, "\n%s%.*s%s: %llu message%s (%.1f %%)\n", ctl_on(v->c, CTL_BOLD),
                   STR_ARG(p->name), ctl_off(v->c), (unsigned long long)v->counts[i],
                   v->counts[i] == 1 ? "" : "s", percent(v->counts[i], v->messages));
        for (; r < v->rule_n && v->rules[r].policy == i; r++)
            rule_text(v, r);
    }
}

static void keys_text(struct covering *v, struct keys *k, const char *where)
{
    bool is_first = true;

    keys_sort(k);
    for (size_t i = 0; i < k->n; i++) {
        const struct key_stat *s = k->stats[i];
        if (s->is_read || !s->count)
            continue;
        if (is_first)
            buf_printf(&v->out, "\nkeys of the %s that no policy uses\n", where);
        is_first = false;
        buf_printf(&v->out, "  %10llu  ", (unsigned long long)s->count);
        ctl_show(&v->out, s->name, VALUE_SHOWN_MAX);
        buf_char(&v->out, ':');
        for (size_t n = 0; n < s->value_n && n < v->c->examples; n++) {
            buf_z(&v->out, n ? ", " : " ");
            ctl_show(&v->out, s->values[n]->text, VALUE_SHOWN_MAX);
            buf_printf(&v->out, " (%llu)", (unsigned long long)s->values[n]->count);
        }
        if (s->value_n > v->c->examples || s->other)
            buf_printf(&v->out, ", … %s%zu values", s->other ? "over " : "", s->value_n);
        buf_char(&v->out, '\n');
    }
}

static void coverage_text(struct covering *v)
{
    buf_printf(&v->out,
               "%llu message%s: %llu %s accepted by at least one policy, %llu (%.1f %%) by none\n",
               (unsigned long long)v->messages, v->messages == 1 ? "" : "s",
               (unsigned long long)v->passed, v->passed == 1 ? "is" : "are",
               (unsigned long long)(v->messages - v->passed),
               percent(v->messages - v->passed, v->messages));
    policies_text(v);
    if (v->examples.n)
        buf_printf(&v->out, "\nmessages that no policy accepts\n%s", v->examples.p);
    keys_text(v, &v->attributes, "attributes");
    keys_text(v, &v->body, "body");
}

/* --- the report, for programs ----------------------------------------------------------------- */

static void line_end(struct covering *v)
{
    json_end(&v->out, '}');
    buf_char(&v->out, '\n');
}

static void line_begin(struct covering *v, const char *type)
{
    buf_char(&v->out, '{');
    json_text(&v->out, "type", str_of(type));
}

static void keys_json(struct covering *v, struct keys *k, enum filter_scope scope)
{
    keys_sort(k);
    for (size_t i = 0; i < k->n; i++) {
        const struct key_stat *s = k->stats[i];
        if (s->is_read || !s->count)
            continue;
        line_begin(v, "unread-key");
        json_text(&v->out, "scope", str_of(filter_scope_name(scope)));
        json_text(&v->out, "key", s->name);
        json_u64(&v->out, "count", s->count);
        json_begin(&v->out, "values", '[');
        for (size_t n = 0; n < s->value_n; n++) {
            json_begin(&v->out, NULL, '{');
            json_text(&v->out, "value", s->values[n]->text);
            json_u64(&v->out, "count", s->values[n]->count);
            json_end(&v->out, '}');
        }
        json_end(&v->out, ']');
        json_u64(&v->out, "other", s->other);
        line_end(v);
    }
}

static void coverage_json(struct covering *v)
{
    line_begin(v, "corpus");
    json_u64(&v->out, "messages", v->messages);
    json_u64(&v->out, "matched", v->passed);
    json_u64(&v->out, "unmatched", v->messages - v->passed);
    line_end(v);
    for (size_t i = 0; i < v->set.n; i++) {
        line_begin(v, "policy");
        json_text(&v->out, "name", v->set.items[i].name);
        json_u64(&v->out, "matched", v->counts[i]);
        line_end(v);
    }
    for (size_t i = 0; i < v->rule_n; i++) {
        const struct rule *r = &v->rules[i];
        line_begin(v, r->is_excluded_value ? "excluded-value" : "rule");
        json_text(&v->out, "name", v->set.items[r->policy].name);
        json_text(&v->out, "key", r->path);
        json_raw(&v->out, "rule", r->text);
        json_u64(&v->out, "hits", v->counts[v->set.n + i]);
        line_end(v);
    }
    buf_str(&v->out, buf_view(&v->examples));
    keys_json(v, &v->attributes, FILTER_ATTRIBUTES);
    keys_json(v, &v->body, FILTER_BODY);
}

int ctl_coverage(struct ctl *c)
{
    struct covering v = {.c = c};

    policies_init(&v.set);
    arena_init(&v.arena);
    keys_init(&v.attributes);
    keys_init(&v.body);
    if (policies_load(c, &v.set)) {
        v.matcher = policies_compile(&v.set);
        for (size_t i = 0; i < v.set.n; i++)
            add_policy_rules(&v, (u32)i);
        v.counts = mem_array(v.set.n + v.rule_n, sizeof(*v.counts));
        corpus_read(c, &c->files, coverage_take, NULL, &v);
        if (c->output == CTL_JSON)
            coverage_json(&v);
        else
            coverage_text(&v);
        ctl_put(c, &v.out);
    }
    filter_hits_deinit(&v.hits);
    matcher_free(v.matcher);
    mem_free(v.rules);
    mem_free(v.counts);
    keys_deinit(&v.attributes);
    keys_deinit(&v.body);
    arena_deinit(&v.arena);
    buf_deinit(&v.out);
    buf_deinit(&v.examples);
    policies_deinit(&v.set);
    return ctl_end(c, v.passed > 0);
}
