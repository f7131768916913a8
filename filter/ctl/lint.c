/* The verb lint: prints findings with their place, the line, and a caret below it. */
#include "filter/ctl/lint.h"

#include "filter/ctl/corpus.h"

#define SHOWN_LEFT  60 /* characters of a line shown before the place */
#define SHOWN_TOTAL 100

struct linting {
    struct ctl *c;
    struct ctl_policies set;
    u64 policies, findings;
    struct policies_cursor placed, shown;
    struct buf out;
    /* The corpus, if there is one. */
    struct matcher *probe;
    struct filter_hits hits;
    u64 messages, unusable;
    struct buf first_unusable; /* "FILE:LINE" */
};

static size_t back(str text, size_t at, size_t from, size_t chars)
{
    for (; at > from && chars; chars--)
        do
            at--;
        while (at > from && ((u8)text.p[at] & 0xc0) == 0x80);
    return at;
}

/* The line around byte `at`, and a caret under it. */
static void show_place(struct linting *t, str text, size_t at)
{
    size_t from = at, to = at;

    while (from && text.p[from - 1] != '\n')
        from--;
    while (to < text.n && text.p[to] != '\n' && text.p[to] != '\r')
        to++;
    size_t shown = back(text, at, from, SHOWN_LEFT);
    const char *more = shown > from ? "…" : "";
    struct buf left = {0};
    ctl_show(&left, str_slice(text, shown, at), SIZE_MAX);
    size_t width = shown > from;
    for (size_t i = 0; i < left.n; i++)
        width += ((u8)left.p[i] & 0xc0) != 0x80;
    buf_printf(&t->out, "    %s%s", more, left.n ? left.p : "");
    ctl_show(&t->out, str_slice(text, at, to), SHOWN_TOTAL - SHOWN_LEFT);
    buf_printf(&t->out, "\n    %*s%s^%s\n", (int)width, "", ctl_on(t->c, CTL_GREEN), ctl_off(t->c));
    buf_deinit(&left);
}

static bool is_refusal(const struct lint_finding *f)
{
    return f->code[1] == '0';
}

static void finding_text(struct linting *t, const struct ctl_policy *p,
                         const struct lint_finding *f, u32 line, u32 column)
{
    str file = p->file.n ? p->file : STR("policy");

    buf_printf(&t->out, "%.*s:%u:%u: %s%s%s %.*s: %.*s\n", STR_ARG(file), line, column,
               ctl_on(t->c, is_refusal(f) ? CTL_RED : CTL_YELLOW), f->code, ctl_off(t->c),
               STR_ARG(p->name), STR_ARG(f->words));
    str text;
    size_t at = policies_shown(p, f->at, &t->shown, &text);
    if (text.n)
        show_place(t, text, at);
    buf_printf(&t->out, "    %s%s%s\n", ctl_on(t->c, CTL_DIM), f->advice, ctl_off(t->c));
}

static void finding_json(struct linting *t, const struct ctl_policy *p,
                         const struct lint_finding *f, u32 line, u32 column)
{
    json_begin(&t->out, NULL, '{');
    json_text(&t->out, "file", p->file);
    json_text(&t->out, "name", p->name);
    json_text(&t->out, "code", str_of(f->code));
    json_text(&t->out, "severity", is_refusal(f) ? STR("error") : STR("warning"));
    json_u64(&t->out, "line", line);
    json_u64(&t->out, "column", column);
    json_text(&t->out, "message", f->words);
    json_text(&t->out, "advice", str_of(f->advice));
    json_end(&t->out, '}');
    buf_char(&t->out, '\n');
}

/* Finds body policies whose messages are not JSON objects. */
static void check_bodies(struct linting *t, struct lint *l)
{
    const struct ctl_policy *p = l->subject;

    if (!t->unusable || !p->policy || p->scope != FILTER_BODY || policy_is_empty(p->policy))
        return;
    lint_say(l, "L108", 0, "Publish JSON objects, or filter by attributes.",
             "the policy filters by body, but in %llu of %llu messages of the corpus the body is "
             "not a JSON object, first at %s",
             (unsigned long long)t->unusable, (unsigned long long)t->messages, t->first_unusable.p);
}

static void lint_one(struct linting *t, const struct ctl_policy *p)
{
    struct lint l;

    if (p->is_subscription_without)
        return;
    t->policies++;
    lint_init(&l, p);
    lint_run(&l);
    check_bodies(t, &l);
    for (size_t i = 0; i < l.n; i++) {
        u32 line, column;
        policies_place(p, l.findings[i].at, &t->placed, &line, &column);
        if (t->c->output == CTL_JSON)
            finding_json(t, p, &l.findings[i], line, column);
        else
            finding_text(t, p, &l.findings[i], line, column);
        ctl_put(t->c, &t->out);
    }
    t->findings += l.n;
    lint_deinit(&l);
}

static void lint_take(void *ctx, const struct corpus *at, const struct filter_message *msg,
                      str shown)
{
    struct linting *t = ctx;

    (void)shown;
    matcher_match(t->probe, msg, &t->hits);
    t->messages++;
    if (t->hits.body == FILTER_ELIGIBLE)
        return;
    if (!t->unusable++)
        buf_printf(&t->first_unusable, "%s:%llu", at->file, (unsigned long long)at->line);
}

static void read_corpora(struct linting *t)
{
    struct policy *any = NULL;
    struct fault fault;

    fault_clear(&fault);
    int err = policy_new(&any, STR("{\"a\":[{\"exists\":true},{\"exists\":false}]}"), FILTER_BODY,
                         &FILTER_LIMITS_SNS, &fault);
    assert(err == 0);
    (void)err;
    t->probe = matcher_new(NULL);
    matcher_add(t->probe, 0, any);
    policy_free(any);
    corpus_read(t->c, &t->c->corpora, lint_take, NULL, t);
}

int ctl_lint(struct ctl *c)
{
    struct linting t = {.c = c};
    bool is_good = true;

    policies_init(&t.set);
    for (size_t i = 0; i < c->policies.n; i++)
        is_good &= policies_add(c, &t.set, c->policies.items[i]);
    for (size_t i = 0; i < c->files.n; i++)
        is_good &= policies_add(c, &t.set, c->files.items[i]);
    if (!c->policies.n && !c->files.n)
        is_good = policies_add_file(c, &t.set, STR("-"));
    if (c->corpora.n)
        read_corpora(&t);
    for (size_t i = 0; i < t.set.n; i++)
        lint_one(&t, &t.set.items[i]);
    if (c->output == CTL_TEXT && (is_good || t.policies))
        fprintf(c->out, "%llu %s, %llu %s\n", (unsigned long long)t.policies,
                t.policies == 1 ? "policy" : "policies", (unsigned long long)t.findings,
                t.findings == 1 ? "finding" : "findings");
    filter_hits_deinit(&t.hits);
    matcher_free(t.probe);
    buf_deinit(&t.first_unusable);
    buf_deinit(&t.out);
    policies_deinit(&t.set);
    return ctl_end(c, t.findings == 0);
}
