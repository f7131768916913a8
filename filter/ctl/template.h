/* Policies found in files: a policy, named policies, topologies, and the templates of
 * CloudFormation, SAM, Terraform and the Serverless Framework.
 *
 *   {"key":["value"]}                                     a policy
 *   {"name":{…policy…},…}, {"policies":{…}}               named ones
 *   [{"name":…,"scope":…,"policy":{…}},…]                 the same with scopes; also one per line
 *   {"topics":…,"queues":…,"subscriptions":[…]}           a topology
 *   {"Attributes":{"FilterPolicy":"…",…}}                 aws sns get-subscription-attributes
 *   Resources with AWS::SNS::Subscription, AWS::Serverless::Function    CloudFormation, SAM
 *   functions with sns events                             serverless.yml
 *   planned_values, values, resource_changes              terraform show -json */
#ifndef TOQUE_FILTER_CTL_TEMPLATE_H
#define TOQUE_FILTER_CTL_TEMPLATE_H

#include "common/base/buf.h"
#include "filter/policy/tree.h"

#define TEMPLATE_ENTRIES_MAX 4000000 /* policies from one file */
#define TEMPLATE_MODULES_MAX 100     /* Terraform modules within modules */

/* Where a part of a re-serialised policy is in its file: line and column in YAML, a byte offset in
 * JSON. */
struct template_mark {
    u32 at; /* byte of the policy's text */
    u32 line, column;
    u32 byte;
};

struct template_entry {
    str name;  /* empty: it has none */
    str topic; /* short name of the topic, or empty */
    str text;  /* the policy's JSON; empty where there is none */
    bool has_policy;
    bool is_placed;   /* text is a part of the source, from byte `at` on */
    size_t at;        /* byte of the source where the policy begins, also if it is a string */
    u32 line, column; /* the same in YAML; 0: from JSON */
    str scope;        /* as written; empty: none */
    const struct template_mark *marks; /* in order; NULL: the text is unchanged in the file */
    u32 mark_n;
    str unknown;        /* placeholder for a value that the template does not contain; empty:
                         * none */
    u32 unknown_n, ifs; /* number of placeholders; conditions assumed to be true */
};

struct template
{
    struct arena *arena; /* of everything found */
    str source;          /* JSON text that the tree was read from; empty: from YAML */
    bool is_yaml;
    struct template_entry *entries;
    size_t n, cap;
    /* The root looks like a policy, but equally like an object of named policies. */
    bool is_ambiguous;
};

/* Zeroed except for arena and source. The entries are freed by template_deinit. */
void template_find(struct template *t, struct node *root);
/* Reads the members of an ambiguous root as named policies. */
void template_find_named(struct template *t, struct node *root);
void template_deinit(struct template *t);

/* The member of an object, or NULL, also when it is not an object. */
struct node *node_member(const struct node *object, const char *name);
/* Appends a tree as JSON without blanks. */
void node_write(struct buf *out, const struct node *n);

/* --- resolve.c: CloudFormation's functions --------------------------------------------------- */

struct resolution {
    bool is_changed;
    str unknown; /* the first "${…}" for a value that the template does not contain */
    u32 unknown_n, ifs;
};

/* Replaces functions throughout the policy by their values, as far as the template has them. */
struct resolution template_resolve(struct arena *a, struct node *policy,
                                   const struct node *parameters);

/* YAML, with the short forms of CloudFormation's functions (!Ref X is {"Ref":"X"}), anchors and
 * merge keys. Sets kinds, texts and names of the nodes, and as places their lines and columns: of a
 * value in source_at and source_end, of a member's name in open and end. */
#define YAML_NODES_MAX 2000000 /* of one file; what aliases repeat is counted every time */
#define YAML_DEPTH_MAX 200
int yaml_read(struct arena *a, str text, struct node **ret, struct fault *f) MUST_CHECK;

#endif
