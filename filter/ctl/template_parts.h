/* Shared by the files of template: reading nodes, adding entries, and the formats that have a file of
 * their own. A new format: a function here, and a branch in template_find. */
#ifndef TOQUE_FILTER_CTL_TEMPLATE_PARTS_H
#define TOQUE_FILTER_CTL_TEMPLATE_PARTS_H

#include "filter/ctl/template.h"

/* The first of these members that is present; b and c may be NULL. */
struct node *node_first_member(const struct node *object, const char *a, const char *b,
                               const char *c);
/* A string's text; empty for everything else, NULL included. */
str node_text(const struct node *n);
bool node_is_array(const struct node *n); /* NULL accepted */

/* Adds a subscription; `policy` may be NULL or null: it has none. */
void template_add(struct template *t, str name, str topic, const struct node *policy, str scope);
/* The part after the last colon of an ARN, or the last slash of a URL; the last word of a reference
 * to another resource. */
str template_short_name(const struct node *n);
/* The member that holds an entry's scope. */
struct node *template_scope_node(const struct node *object);

/* --- template_stack.c --------------------------------------------------------------------------- */

/* CloudFormation's and SAM's Resources; `parameters` may be NULL. */
void template_find_resources(struct template *t, const struct node *resources,
                             const struct node *parameters);
/* serverless.yml has CloudFormation's Resources below `resources`; these and the functions are
 * objects or lists of objects. */
void template_find_serverless(struct template *t, const struct node *root);

/* --- template_terraform.c ----------------------------------------------------------------------- */

/* False: the root is not Terraform's. */
bool template_find_terraform(struct template *t, const struct node *root);

#endif
