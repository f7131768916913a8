/* Extracts policies from templates, in the form that -p reads: an array of name, topic, scope and
 * policy, or one such object per line. */
#include "filter/ctl/policies.h"
#include "filter/policy/tree.h"

/* The policy's text: compact if it is a policy, as written if it is at least JSON. */
static void add_policy_json(struct buf *out, struct arena *a, const struct ctl_policy *p)
{
    struct node *root;
    struct fault ignored;
    str compact;

    fault_clear(&ignored);
    if (p->policy && !policy_is_empty(p->policy))
        json_raw(out, "policy", policy_text(p->policy));
    else if (p->policy)
        json_raw(out, "policy", STR("{}"));
    else if (tree_read(a, p->text, &root, &compact, &ignored) == 0)
        json_raw(out, "policy", compact);
    else
        json_text(out, "policy_text", p->text);
}

static void add_object(struct buf *out, struct arena *a, const struct ctl_policy *p)
{
    json_text(out, "name", p->name);
    if (p->topic.n)
        json_text(out, "topic", p->topic);
    json_text(out, "scope", str_of(filter_scope_name(p->scope)));
    add_policy_json(out, a, p);
}

/* The file had no known format, was tried as a policy, and is not one. */
static bool is_nothing(const struct ctl_policy *p)
{
    return p->fault && !p->is_named;
}

int ctl_convert(struct ctl *c)
{
    struct ctl_policies set;
    struct buf out = {0};
    struct arena a;
    bool is_good = true;
    u64 n = 0;

    arena_init(&a);
    policies_init(&set);
    for (size_t i = 0; i < c->files.n; i++)
        is_good &= policies_add_file(c, &set, c->files.items[i]);
    if (!c->files.n)
        is_good = policies_add_file(c, &set, STR("-"));
    for (size_t i = 0; i < set.n; i++) {
        const struct ctl_policy *p = &set.items[i];
        if (p->is_subscription_without)
            continue;
        if (is_nothing(p)) {
            ctl_complain(c, "%.*s: neither a policy nor a file with policies: %s", STR_ARG(p->file),
                         p->fault->text);
            continue;
        }
        if (!p->policy)
            ctl_note(c, "%.*s: %s%s", STR_ARG(p->name), policies_frame(p->fault), p->fault->text);
        if (c->output == CTL_TEXT)
            buf_z(&out, n ? ",\n" : "[\n");
        n++;
        buf_char(&out, '{');
        add_object(&out, &a, p);
        buf_char(&out, '}');
        if (c->output == CTL_JSON)
            buf_char(&out, '\n');
        ctl_put(c, &out);
    }
    if (c->output == CTL_TEXT && (is_good || n))
        fputs(n ? "\n]\n" : "[]\n", c->out);
    buf_deinit(&out);
    policies_deinit(&set);
    arena_deinit(&a);
    return ctl_end(c, n > 0);
}
