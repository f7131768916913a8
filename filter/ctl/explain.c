/* Explains why each message matches or not, policy by policy. */
#include "filter/ctl/corpus.h"
#include "filter/ctl/policies.h"
#include "filter/ctl/tell.h"

#define MESSAGE_SHOWN_MAX 200

struct telling {
    struct ctl *c;
    struct ctl_policies set;
    u64 passed;
    struct buf out;
};

static void begin_text(struct telling *t, const struct corpus *at, str shown)
{
    struct buf line = {0};

    corpus_show(&line, shown);
    buf_printf(&t->out, "%s%s:%llu%s ", ctl_on(t->c, CTL_BOLD), at->file,
               (unsigned long long)at->line, ctl_off(t->c));
    ctl_show(&t->out, buf_view(&line), MESSAGE_SHOWN_MAX);
    buf_char(&t->out, '\n');
    buf_deinit(&line);
}

static void one_text(struct telling *t, const struct ctl_policy *p, const struct explanation *x)
{
    buf_printf(&t->out, "  %.*s: %s%s%s\n", STR_ARG(p->name),
               ctl_on(t->c, x->match ? CTL_GREEN : CTL_RED), x->match ? "match" : "no match",
               ctl_off(t->c));
    tell_text(t->c, &t->out, x, "    ");
}

static void one_json(struct telling *t, const struct ctl_policy *p, const struct explanation *x)
{
    json_begin(&t->out, NULL, '{');
    json_text(&t->out, "name", p->name);
    tell_json(&t->out, x);
    json_end(&t->out, '}');
}

static void take_json(struct telling *t, const struct corpus *at, struct explanation **all)
{
    bool passes = false;

    for (size_t i = 0; i < t->set.n; i++)
        passes |= all[i]->match;
    json_begin(&t->out, NULL, '{');
    json_text(&t->out, "file", str_of(at->file));
    json_u64(&t->out, "line", at->line);
    json_bool(&t->out, "match", passes);
    json_begin(&t->out, "names", '[');
    for (size_t i = 0; i < t->set.n; i++)
        if (all[i]->match)
            json_text(&t->out, NULL, t->set.items[i].name);
    json_end(&t->out, ']');
    json_begin(&t->out, "policies", '[');
    for (size_t i = 0; i < t->set.n; i++)
        one_json(t, &t->set.items[i], all[i]);
    json_end(&t->out, ']');
    json_end(&t->out, '}');
    ctl_put_line(t->c, &t->out);
}

static void explain_take(void *ctx, const struct corpus *at, const struct filter_message *msg,
                         str shown)
{
    struct telling *t = ctx;
    struct explanation **all = mem_array(t->set.n, sizeof(*all));
    bool passes = false;

    for (size_t i = 0; i < t->set.n; i++) {
        all[i] = explain_new(t->set.items[i].policy, msg);
        passes |= all[i]->match;
    }
    t->passed += passes;
    if (t->c->output == CTL_JSON) {
        take_json(t, at, all);
    } else {
        begin_text(t, at, shown);
        for (size_t i = 0; i < t->set.n; i++)
            one_text(t, &t->set.items[i], all[i]);
        ctl_put(t->c, &t->out);
    }
    for (size_t i = 0; i < t->set.n; i++)
        explain_free(all[i]);
    mem_free(all);
}

int ctl_explain(struct ctl *c)
{
    struct telling t = {.c = c};

    policies_init(&t.set);
    if (policies_load(c, &t.set))
        corpus_read(c, &c->files, explain_take, NULL, &t);
    buf_deinit(&t.out);
    policies_deinit(&t.set);
    return ctl_end(c, t.passed > 0);
}
