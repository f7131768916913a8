/* Policies in the JSON output of Terraform: plans, states and planned values. */
#include "filter/ctl/template_parts.h"

static void add_terraform_values(struct template *t, str name, const struct node *values)
{
    struct node *policy = node_member(values, "filter_policy");
    str scope = node_text(node_member(values, "filter_policy_scope"));
    bool is_none = !policy || (policy->kind == NODE_STRING && !policy->text.n);

    template_add(t, name, template_short_name(node_member(values, "topic_arn")),
                 is_none ? NULL : policy, scope);
}

static void add_terraform(struct template *t, const struct node *resource,
                          const struct node *values)
{
    if (str_is(node_text(node_member(resource, "type")), "aws_sns_topic_subscription") && values)
        add_terraform_values(t, node_text(node_first_member(resource, "address", "name", NULL)),
                             values);
}

static void find_module(struct template *t, const struct node *module, u32 depth)
{
    const struct node *list = node_member(module, "resources");

    for (struct node *r = list ? list->first : NULL; r; r = r->next)
        add_terraform(t, r, node_member(r, "values"));
    list = depth < TEMPLATE_MODULES_MAX ? node_member(module, "child_modules") : NULL;
    for (struct node *m = list ? list->first : NULL; m; m = m->next)
        find_module(t, m, depth + 1);
}

/* The output of `terraform state pull`: each resource with its instances. */
static void find_state(struct template *t, const struct node *resources)
{
    for (struct node *r = resources->first; r; r = r->next) {
        const struct node *module = node_member(r, "module");
        const struct node *instances = node_member(r, "instances");
        if (!str_is(node_text(node_member(r, "type")), "aws_sns_topic_subscription"))
            continue;
        for (struct node *i = instances ? instances->first : NULL; i; i = i->next) {
            const struct node *key = node_member(i, "index_key");
            struct buf name = {0};
            if (module)
                buf_printf(&name, "%.*s.", STR_ARG(node_text(module)));
            buf_printf(&name, "aws_sns_topic_subscription.%.*s",
                       STR_ARG(node_text(node_member(r, "name"))));
            if (key && (key->kind == NODE_STRING || key->kind == NODE_NUMBER)) {
                buf_char(&name, '[');
                node_write(&name, key);
                buf_char(&name, ']');
            }
            add_terraform_values(t, arena_dup(t->arena, buf_view(&name)),
                                 node_member(i, "attributes"));
            buf_deinit(&name);
        }
    }
}

bool template_find_terraform(struct template *t, const struct node *root)
{
    const struct node *resources = node_member(root, "resources");
    const struct node *values = node_first_member(root, "planned_values", "values", NULL);
    const struct node *module = node_member(values, "root_module");
    const struct node *changes = node_member(root, "resource_changes");

    if (module) {
        find_module(t, module, 0);
        return true;
    }
    if (node_is_array(resources) && node_member(root, "terraform_version")) {
        find_state(t, resources);
        return true;
    }
    if (!changes || changes->kind != NODE_ARRAY || !node_member(root, "format_version"))
        return false;
    for (struct node *r = changes->first; r; r = r->next)
        add_terraform(t, r, node_member(node_member(r, "change"), "after"));
    return true;
}
