/* Compares two sets of policies over one corpus: which messages each one gains and loses. Policies
 * are paired by name; if both sets have only one policy, these are paired whatever their names
 * are. */
#include "common/base/map.h"
#include "filter/ctl/corpus.h"
#include "filter/ctl/policies.h"
#include "filter/ctl/tell.h"

#define MESSAGE_SHOWN_MAX 200
#define NOBODY            UINT32_MAX

struct pair {
    str name;
    u32 sides[2]; /* index in each set; NOBODY: missing on this side */
    u64 passed[2], gained, lost;
    struct buf gains, losses; /* examples */
};

struct differing {
    struct ctl *c;
    struct ctl_policies sets[2];
    struct matcher *matchers[2];
    struct filter_hits hits[2];
    struct pair *pairs;
    u32 pair_n;
    u32 *pair_of[2]; /* by index in the set */
    u64 *seen[2];    /* by pair: the last message that matched on that side */
    u64 messages, changed;
    struct buf out;
};

static void add_pair(struct differing *d, str name, u32 old, u32 new)
{
    struct pair *p = &d->pairs[d->pair_n];

    *p = (struct pair){.name = name, .sides = {old, new}};
    if (old != NOBODY)
        d->pair_of[0][old] = d->pair_n;
    if (new != NOBODY)
        d->pair_of[1][new] = d->pair_n;
    d->pair_n++;
}

static void make_pairs(struct differing *d)
{
    struct ctl_policies *old = &d->sets[0], *new = &d->sets[1];
    struct map names;

    d->pairs = mem_array(old->n + new->n, sizeof(*d->pairs));
    for (int side = 0; side < 2; side++) {
        d->pair_of[side] = mem_array(d->sets[side].n, sizeof(u32));
        d->seen[side] = mem_array(old->n + new->n, sizeof(u64));
    }
    for (size_t i = 0; i < new->n; i++)
        d->pair_of[1][i] = NOBODY;
    if (old->n == 1 && new->n == 1) {
        add_pair(d, new->items[0].name, 0, 0);
        return;
    }
    map_init(&names, NULL);
    for (size_t i = 0; i < new->n; i++)
        map_put(&names, new->items[i].name, &new->items[i]);
    for (size_t i = 0; i < old->n; i++) {
        struct ctl_policy *other = map_del(&names, old->items[i].name);
        add_pair(d, old->items[i].name, (u32)i, other ? (u32)(other - new->items) : NOBODY);
    }
    for (size_t i = 0; i < new->n; i++)
        if (d->pair_of[1][i] == NOBODY)
            add_pair(d, new->items[i].name, NOBODY, (u32)i);
    map_deinit(&names);
}

/* --- examples --------------------------------------------------------------------------------- */

/* The key on the accepting side that corresponds to the failing key of the other side. */
static const struct explain_key *counterpart(const struct explanation *passing,
                                             const struct explanation *failing)
{
    const struct explain_branch *b = passing ? passing->nearest : NULL;

    if (!b || !failing || !failing->decided)
        return NULL;
    for (u32 i = 0; i < b->key_count; i++)
        if (str_eq(b->keys[i].leaf->path, failing->decided->leaf->path))
            return &b->keys[i];
    return NULL;
}

static void example_json(struct buf *out, const struct corpus *at, str words,
                         const struct explanation *failing, const struct explain_key *met)
{
    json_begin(out, NULL, '{');
    json_text(out, "file", str_of(at->file));
    json_u64(out, "line", at->line);
    json_text(out, "words", words);
    if (failing && failing->decided) {
        json_text(out, "key", failing->decided->leaf->path);
        json_raw(out, "rule", failing->decided->nearest->rule);
    }
    if (met) {
        json_begin(out, "met", '{');
        json_raw(out, "rule", met->nearest->rule);
        json_text(out, "words", met->words);
        json_end(out, '}');
    }
    json_end(out, '}');
}

static void example_text(struct differing *d, struct buf *out, bool is_gain,
                         const struct corpus *at, str shown)
{
    struct buf line = {0};

    corpus_show(&line, shown);
    buf_printf(out, "  %s%c%s %s:%llu ", ctl_on(d->c, is_gain ? CTL_GREEN : CTL_RED),
               is_gain ? '+' : '-', ctl_off(d->c), at->file, (unsigned long long)at->line);
    ctl_show(out, buf_view(&line), MESSAGE_SHOWN_MAX);
    buf_char(out, '\n');
    buf_deinit(&line);
}

static void side_text(struct buf *out, const char *when, str words)
{
    buf_printf(out, "      %s: ", when);
    ctl_show(out, words, SIZE_MAX);
    buf_char(out, '\n');
}

static struct explanation *explain_side(struct differing *d, const struct pair *p, int side,
                                        const struct filter_message *msg)
{
    return p->sides[side] == NOBODY ? NULL
                                    : explain_new(d->sets[side].items[p->sides[side]].policy, msg);
}

/* Why the message does not match on one side, and which key accepts it on the other. */
static void add_example(struct differing *d, struct pair *p, bool is_gain, const struct corpus *at,
                        const struct filter_message *msg, str shown)
{
    struct buf *out = is_gain ? &p->gains : &p->losses;
    int side = is_gain ? 0 : 1;
    struct explanation *failing = explain_side(d, p, side, msg);
    struct explanation *passing = explain_side(d, p, !side, msg);
    const struct explain_key *met = counterpart(passing, failing);
    str words = failing   ? failing->words
                : is_gain ? STR("There was no policy of this name.")
                          : STR("The policy of this name was removed.");

    if (d->c->output == CTL_JSON) {
        example_json(out, at, words, failing, met);
    } else {
        example_text(d, out, is_gain, at, shown);
        if (!is_gain && met)
            side_text(out, "before", met->words);
        side_text(out, is_gain ? "before" : "now", words);
        if (is_gain && met)
            side_text(out, "now", met->words);
    }
    explain_free(failing);
    explain_free(passing);
}

/* Compares the policies that match on one side with the other side. */
static void compare_side(struct differing *d, int side, const struct corpus *at,
                         const struct filter_message *msg, str shown, bool *ret_changed)
{
    const struct filter_hits *h = &d->hits[side];

    for (size_t s = 0; s < h->n; s++)
        for (u32 i = 0; i < h->spans[s].n; i++) {
            u32 index = d->pair_of[side][h->spans[s].ids[i]];
            struct pair *p = &d->pairs[index];
            p->passed[side]++;
            if (d->seen[!side][index] == d->messages)
                continue;
            u64 *count = side ? &p->gained : &p->lost;
            if ((*count)++ < d->c->examples)
                add_example(d, p, side == 1, at, msg, shown);
            *ret_changed = true;
        }
}

static void diff_take(void *ctx, const struct corpus *at, const struct filter_message *msg,
                      str shown)
{
    struct differing *d = ctx;
    bool is_changed = false;

    d->messages++;
    for (int side = 0; side < 2; side++) {
        const struct filter_hits *h = &d->hits[side];
        matcher_match(d->matchers[side], msg, &d->hits[side]);
        for (size_t s = 0; s < h->n; s++)
            for (u32 i = 0; i < h->spans[s].n; i++)
                d->seen[side][d->pair_of[side][h->spans[s].ids[i]]] = d->messages;
    }
    compare_side(d, 0, at, msg, shown, &is_changed);
    compare_side(d, 1, at, msg, shown, &is_changed);
    d->changed += is_changed;
}

/* --- the report ------------------------------------------------------------------------------- */

static void pair_text(struct differing *d, const struct pair *p)
{
    if (!p->gained && !p->lost)
        return;
    buf_printf(&d->out, "\n%s%.*s%s: gains %llu, loses %llu (%llu before, %llu now)\n",
               ctl_on(d->c, CTL_BOLD), STR_ARG(p->name), ctl_off(d->c),
               (unsigned long long)p->gained, (unsigned long long)p->lost,
               (unsigned long long)p->passed[0], (unsigned long long)p->passed[1]);
    buf_str(&d->out, buf_view(&p->gains));
    buf_str(&d->out, buf_view(&p->losses));
}

static void pair_json(struct differing *d, const struct pair *p)
{
    json_begin(&d->out, NULL, '{');
    json_text(&d->out, "name", p->name);
    json_u64(&d->out, "messages", d->messages);
    json_u64(&d->out, "before", p->passed[0]);
    json_u64(&d->out, "after", p->passed[1]);
    json_u64(&d->out, "gained", p->gained);
    json_u64(&d->out, "lost", p->lost);
    json_name(&d->out, "gains");
    buf_printf(&d->out, "[%s]", p->gains.n ? p->gains.p : "");
    json_name(&d->out, "losses");
    buf_printf(&d->out, "[%s]", p->losses.n ? p->losses.p : "");
    json_end(&d->out, '}');
    buf_char(&d->out, '\n');
}

static void report(struct differing *d)
{
    if (d->c->output == CTL_TEXT)
        buf_printf(&d->out, "%llu message%s, %llu of them %s others than before\n",
                   (unsigned long long)d->messages, d->messages == 1 ? "" : "s",
                   (unsigned long long)d->changed, d->changed == 1 ? "reaches" : "reach");
    for (u32 i = 0; i < d->pair_n; i++)
        if (d->c->output == CTL_TEXT)
            pair_text(d, &d->pairs[i]);
        else
            pair_json(d, &d->pairs[i]);
    ctl_put(d->c, &d->out);
}

static bool load_side(struct differing *d)
{
    bool is_good = true;

    if (d->c->policies.n != 2) {
        ctl_complain(d->c, "diff takes two policies: -p OLD -p NEW");
        return false;
    }
    for (int side = 0; side < 2; side++) {
        is_good &= policies_add(d->c, &d->sets[side], d->c->policies.items[side]);
        is_good &= policies_usable(d->c, &d->sets[side]);
    }
    return is_good;
}

int ctl_diff(struct ctl *c)
{
    struct differing d = {.c = c};

    for (int side = 0; side < 2; side++)
        policies_init(&d.sets[side]);
    if (load_side(&d)) {
        make_pairs(&d);
        for (int side = 0; side < 2; side++)
            d.matchers[side] = policies_compile(&d.sets[side]);
        corpus_read(c, &c->files, diff_take, NULL, &d);
        report(&d);
    }
    for (u32 i = 0; i < d.pair_n; i++) {
        buf_deinit(&d.pairs[i].gains);
        buf_deinit(&d.pairs[i].losses);
    }
    for (int side = 0; side < 2; side++) {
        filter_hits_deinit(&d.hits[side]);
        matcher_free(d.matchers[side]);
        mem_free(d.pair_of[side]);
        mem_free(d.seen[side]);
        policies_deinit(&d.sets[side]);
    }
    mem_free(d.pairs);
    buf_deinit(&d.out);
    return ctl_end(c, d.changed == 0);
}
