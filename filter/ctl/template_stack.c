/* Policies in the templates of CloudFormation, SAM and the Serverless Framework. */
#include "filter/ctl/template_parts.h"

static void add_resolved(struct template *t, str name, const struct node *topic,
                         struct node *policy, struct node *scope, const struct node *parameters)
{
    struct resolution found = {.is_changed = false}, of_scope = found;
    str source = t->source;

    if (policy)
        found = template_resolve(t->arena, policy, parameters);
    if (scope)
        of_scope = template_resolve(t->arena, scope, parameters);
    if (found.is_changed)
        t->source = STR_NONE; /* the tree has more than the text */
    template_add(t, name, template_short_name(topic), policy,
                 of_scope.unknown_n ? STR_NONE : node_text(scope));
    t->source = source;
    t->entries[t->n - 1].unknown = found.unknown_n ? found.unknown : of_scope.unknown;
    t->entries[t->n - 1].unknown_n = found.unknown_n + of_scope.unknown_n;
    t->entries[t->n - 1].ifs = found.ifs;
}

static void find_sam_events(struct template *t, const struct node *function,
                            const struct node *events, const struct node *parameters)
{
    if (!events || events->kind != NODE_OBJECT)
        return;
    for (struct node *e = events->first; e; e = e->next) {
        const struct node *p = node_member(e, "Properties");
        if (!str_is(node_text(node_member(e, "Type")), "SNS") || !p)
            continue;
        str name = arena_printf(t->arena, "%.*s.%.*s", STR_ARG(function->name), STR_ARG(e->name));
        add_resolved(t, name, node_member(p, "Topic"), node_member(p, "FilterPolicy"),
                     template_scope_node(p), parameters);
    }
}

void template_find_resources(struct template *t, const struct node *resources,
                             const struct node *parameters)
{
    if (!resources || resources->kind != NODE_OBJECT)
        return;
    for (struct node *r = resources->first; r; r = r->next) {
        str type = node_text(node_member(r, "Type"));
        const struct node *p = node_member(r, "Properties");
        if (str_is(type, "AWS::SNS::Subscription") && p)
            add_resolved(t, r->name, node_member(p, "TopicArn"), node_member(p, "FilterPolicy"),
                         template_scope_node(p), parameters);
        else if (str_is(type, "AWS::Serverless::Function") && p)
            find_sam_events(t, r, node_member(p, "Events"), parameters);
    }
}

static void find_functions(struct template *t, const struct node *functions)
{
    if (!functions || functions->kind != NODE_OBJECT)
        return;
    for (struct node *f = functions->first; f; f = f->next) {
        const struct node *events = node_member(f, "events");
        u32 count = 0;
        for (struct node *e = events ? events->first : NULL; e; e = e->next) {
            const struct node *sns = node_member(e, "sns");
            if (!sns)
                continue;
            str name =
                ++count == 1 ? f->name : arena_printf(t->arena, "%.*s.%u", STR_ARG(f->name), count);
            add_resolved(t, name, node_first_member(sns, "topicName", "arn", NULL),
                         node_first_member(sns, "filterPolicy", "FilterPolicy", NULL),
                         template_scope_node(sns), NULL);
        }
    }
}

void template_find_serverless(struct template *t, const struct node *root)
{
    const struct node *resources = node_member(root, "resources");
    const struct node *functions = node_member(root, "functions");

    find_functions(t, functions);
    for (struct node *f = node_is_array(functions) ? functions->first : NULL; f; f = f->next)
        find_functions(t, f);
    if (resources && resources->kind == NODE_ARRAY)
        for (struct node *r = resources->first; r; r = r->next)
            template_find_resources(t, node_member(r, "Resources"), node_member(r, "Parameters"));
    else
        template_find_resources(t, node_member(resources, "Resources"),
                                node_member(resources, "Parameters"));
}
