/* The verb match: which messages a policy accepts, as grep selects lines. One matcher holds all
 * policies; a message costs one scan and one match. */
#include <stdlib.h>

#include "filter/ctl/corpus.h"
#include "filter/ctl/policies.h"

struct matching {
    struct ctl *c;
    struct ctl_policies set;
    struct filter_hits hits;
    u64 messages, passed, selected;
    u64 *counts; /* per policy: messages that it accepts */
    u32 *ids;    /* policies that accept one message, with room for all */
    bool says_names;
    struct buf line;
};

static int compare_ids(const void *a, const void *b)
{
    u32 x = *(const u32 *)a, y = *(const u32 *)b;

    return x < y ? -1 : x > y;
}

/* In the order in which the policies were given. */
static void print_names(struct matching *m, bool as_json)
{
    size_t n = 0;

    for (size_t s = 0; s < m->hits.n; s++) {
        memcpy(m->ids + n, m->hits.spans[s].ids, m->hits.spans[s].n * sizeof(*m->ids));
        n += m->hits.spans[s].n;
    }
    qsort(m->ids, n, sizeof(*m->ids), compare_ids);
    for (size_t i = 0; i < n; i++) {
        str name = m->set.items[m->ids[i]].name;
        if (as_json)
            json_text(&m->line, NULL, name);
        else
            buf_printf(&m->line, "%s%.*s", i ? "," : "", STR_ARG(name));
    }
}

static void print_json(struct matching *m, const struct corpus *at, bool passes)
{
    json_begin(&m->line, NULL, '{');
    json_text(&m->line, "file", str_of(at->file));
    json_u64(&m->line, "line", at->line);
    json_bool(&m->line, "match", passes);
    json_begin(&m->line, "names", '[');
    if (passes)
        print_names(m, true);
    json_end(&m->line, ']');
    json_end(&m->line, '}');
    ctl_put_line(m->c, &m->line);
}

static void print_text(struct matching *m, bool passes, str shown)
{
    if (passes && m->says_names) {
        buf_z(&m->line, ctl_on(m->c, CTL_GREEN));
        print_names(m, false);
        buf_z(&m->line, ctl_off(m->c));
        buf_char(&m->line, '\t');
    }
    corpus_show(&m->line, shown);
    ctl_put_line(m->c, &m->line);
}

static void count_names(struct matching *m)
{
    for (size_t s = 0; s < m->hits.n; s++)
        for (u32 i = 0; i < m->hits.spans[s].n; i++)
            m->counts[m->hits.spans[s].ids[i]]++;
}

static void match_take(void *ctx, const struct corpus *at, const struct filter_message *msg,
                       str shown)
{
    struct matching *m = ctx;

    matcher_match(m->set.matcher, msg, &m->hits);
    bool passes = m->hits.total > 0, is_selected = passes != m->c->invert;
    m->messages++;
    m->passed += passes;
    m->selected += is_selected;
    if (m->c->quiet) {
        m->c->is_answered = m->selected > 0;
        return;
    }
    if (m->c->count) {
        if (m->set.n > 1)
            count_names(m);
    } else if (m->c->output == CTL_JSON && (is_selected || !m->c->invert)) {
        print_json(m, at, passes);
    } else if (is_selected && m->c->output == CTL_TEXT) {
        print_text(m, passes, shown);
    }
}

static void take_bad(void *ctx, const struct corpus *at, const char *why)
{
    struct matching *m = ctx;

    if (m->c->quiet || m->c->count || m->c->output != CTL_JSON)
        return;
    json_begin(&m->line, NULL, '{');
    json_text(&m->line, "file", str_of(at->file));
    json_u64(&m->line, "line", at->line);
    json_bool(&m->line, "match", false);
    json_begin(&m->line, "names", '[');
    json_end(&m->line, ']');
    json_text(&m->line, "error", str_of(why));
    json_end(&m->line, '}');
    ctl_put_line(m->c, &m->line);
}

static void print_counts(struct matching *m)
{
    if (m->set.n == 1)
        m->counts[0] = m->passed;
    if (m->c->output == CTL_TEXT) {
        if (!m->says_names || m->c->invert)
            fprintf(m->c->out, "%llu\n", (unsigned long long)m->selected);
        for (size_t i = 0; i < m->set.n && m->says_names && !m->c->invert; i++)
            fprintf(m->c->out, "%.*s\t%llu\n", STR_ARG(m->set.items[i].name),
                    (unsigned long long)m->counts[i]);
        return;
    }
    json_begin(&m->line, NULL, '{');
    json_u64(&m->line, "messages", m->messages);
    json_u64(&m->line, "matched", m->passed);
    json_u64(&m->line, "count", m->selected);
    json_begin(&m->line, "names", '{');
    for (size_t i = 0; i < m->set.n; i++) {
        json_name(&m->line, NULL);
        ctl_quote(&m->line, m->set.items[i].name);
        buf_char(&m->line, ':');
        buf_u64(&m->line, m->counts[i]);
    }
    json_end(&m->line, '}');
    json_end(&m->line, '}');
    ctl_put_line(m->c, &m->line);
}

int ctl_match(struct ctl *c)
{
    struct matching m = {.c = c};

    policies_init(&m.set);
    m.set.matcher = matcher_new(NULL);
    if (policies_load(c, &m.set)) {
        m.counts = mem_array(m.set.n, sizeof(*m.counts));
        m.ids = mem_array(m.set.n, sizeof(*m.ids));
        m.says_names = m.set.n > 1 || m.set.items[0].is_named;
        corpus_read(c, &c->files, match_take, take_bad, &m);
        if (c->count && !c->quiet)
            print_counts(&m);
    }
    filter_hits_deinit(&m.hits);
    matcher_free(m.set.matcher);
    mem_free(m.counts);
    mem_free(m.ids);
    buf_deinit(&m.line);
    policies_deinit(&m.set);
    /* As with grep -q: once a message matched, errors do not count. */
    return c->is_answered ? CTL_YES : ctl_end(c, m.selected > 0);
}
