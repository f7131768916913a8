/* Documents are small and rare, so jansson reads them. Members keep their order. */
#include "topicd/topic_policy.h"

#include "common/aws/arn.h"
#include "common/base/json.h"
#include "topicd/fault.h"

#define ACTION_PREFIX "SNS:"
/* Longest label that an error text shows. */
#define LABEL_SHOWN_MAX 1000

static const char *const action_names[] = {"GetTopicAttributes",
                                           "SetTopicAttributes",
                                           "AddPermission",
                                           "RemovePermission",
                                           "DeleteTopic",
                                           "Subscribe",
                                           "ListSubscriptionsByTopic",
                                           "Publish",
                                           "Receive",
                                           "TagResource",
                                           "UntagResource",
                                           "ListTagsForResource",
                                           "GetDataProtectionPolicy",
                                           "PutDataProtectionPolicy",
                                           "Unsubscribe"};

static int policy_refuse(struct fault *f, const char *frame, const char *text)
{
    return fault_set(f, FAULT_INVALID, "%s%s", frame, text);
}

static int refuse_action(struct fault *f, const char *frame)
{
    return policy_refuse(f, frame, "Policy statement action out of service scope!");
}

/* The name as the service spells it; NULL: unknown. */
static const char *action_find(str name)
{
    for (size_t i = 0; i < ARRAY_LEN(action_names); i++)
        if (str_eq_nocase(name, str_of(action_names[i])))
            return action_names[i];
    return NULL;
}

void topic_policy_default(str topic_arn, str account, struct buf *out)
{
    buf_printf(
        out,
        "{\"Version\":\"2008-10-17\",\"Id\":\"__default_policy_ID\",\"Statement\":[{\"Sid\":"
        "\"__default_statement_ID\",\"Effect\":\"Allow\",\"Principal\":{\"AWS\":\"*\"},\"Action\":"
        "[\"SNS:GetTopicAttributes\",\"SNS:SetTopicAttributes\",\"SNS:AddPermission\","
        "\"SNS:RemovePermission\",\"SNS:DeleteTopic\",\"SNS:Subscribe\","
        "\"SNS:ListSubscriptionsByTopic\",\"SNS:Publish\"],\"Resource\":\"%.*s\",\"Condition\":{"
        "\"StringEquals\":{\"AWS:SourceOwner\":\"%.*s\"}}}]}",
        STR_ARG(topic_arn), STR_ARG(account));
}

/* --- checks ----------------------------------------------------------------------------------- */

static bool is_action_known(const json_t *v)
{
    str text = json_is_string(v) ? str_of(json_string_value(v)) : STR_NONE;

    return str_starts_nocase(text, STR(ACTION_PREFIX)) &&
           action_find(str_slice(text, strlen(ACTION_PREFIX), text.n));
}

static bool are_actions_known(const json_t *actions)
{
    size_t i;
    json_t *one;

    if (!json_is_array(actions))
        return is_action_known(actions);
    json_array_foreach(actions, i, one)
        if (!is_action_known(one))
            return false;
    return json_array_size(actions) > 0;
}

static int check_statement(const json_t *statement, const char *frame, struct fault *f)
{
    if (!json_is_object(statement))
        return policy_refuse(f, frame, "Policy Error: null");
    if (!json_object_get(statement, "Principal"))
        return policy_refuse(f, frame, "Policy Error: PrincipalNotFound");
    return are_actions_known(json_object_get(statement, "Action")) ? 0 : refuse_action(f, frame);
}

/* --- the stored form -------------------------------------------------------------------------- */

static json_t *root_user(str account)
{
    return json_sprintf("arn:aws:iam::%.*s:root", STR_ARG(account));
}

/* A new reference: the principal as it is stored. */
static json_t *principal_kept(json_t *principal)
{
    str text = json_is_string(principal) ? str_of(json_string_value(principal)) : STR_NONE;

    return arn_is_account(text) ? root_user(text) : json_incref(principal);
}

static void keep_principals(json_t *statement)
{
    json_t *principal = json_object_get(statement, "Principal");
    json_t *aws = json_object_get(principal, "AWS"), *one;
    size_t i;

    json_array_foreach(aws, i, one) {
        json_array_set_new(aws, i, principal_kept(one));
    }
    if (json_is_string(aws))
        json_object_set_new(principal, "AWS", principal_kept(aws));
}

/* A new reference; NULL: not a policy. */
static json_t *policy_read(str text)
{
    json_error_t error;
    json_t *root =
        text.n && text.n <= TOPIC_POLICY_TEXT_MAX ? json_loadb(text.p, text.n, 0, &error) : NULL;
    json_t *statements = json_object_get(root, "Statement");

    if (json_is_object(statements) || (json_is_array(statements) && json_array_size(statements) &&
                                       json_array_size(statements) <= TOPIC_POLICY_STATEMENTS))
        return root;
    json_decref(root);
    return NULL;
}

static int keep_statements(json_t *statements, const char *frame, struct fault *f)
{
    size_t i;
    json_t *one;
    int err = 0;

    json_array_foreach(statements, i, one) {
        err = err ? err : check_statement(one, frame, f);
        if (!err)
            keep_principals(one);
    }
    if (json_is_object(statements)) {
        err = check_statement(statements, frame, f);
        if (!err)
            keep_principals(statements);
    }
    return err;
}

int topic_policy_keep(str text, const char *frame, struct buf *out, struct fault *f)
{
    json_t *root = policy_read(text);
    int err = root ? keep_statements(json_object_get(root, "Statement"), frame, f)
                   : policy_refuse(f, frame, "Policy Error: null");

    if (!err)
        json_write(out, root);
    json_decref(root);
    return err;
}

/* --- AddPermission, RemovePermission ---------------------------------------------------------- */

/* A new reference to the policy, its Statement made an array. */
static json_t *policy_with_list(str text)
{
    json_t *root = policy_read(text), *statements = json_object_get(root, "Statement");

    if (json_is_object(statements))
        json_object_set_new(root, "Statement", json_pack("[O]", statements));
    return root;
}

static bool has_label(const json_t *statement, str label)
{
    const char *sid = json_string_value(json_object_get(statement, "Sid"));

    return sid && str_eq(str_of(sid), label);
}

/* One text, or an array of several. Takes the array. */
static json_t *as_one(json_t *list)
{
    if (json_array_size(list) != 1)
        return list;
    json_t *one = json_incref(json_array_get(list, 0));

    json_decref(list);
    return one;
}

static int check_grant(const struct topic_grant *g, struct fault *f)
{
    for (size_t i = 0; i < g->account_count; i++)
        if (!arn_is_account(g->accounts[i]))
            return policy_refuse(f, FAULT_PREFIX, "Policy Error: PrincipalNotFound");
    for (size_t i = 0; i < g->action_count; i++)
        if (!action_find(g->actions[i]))
            return refuse_action(f, FAULT_PREFIX);
    return 0;
}

static json_t *statement_of(const struct topic_grant *g)
{
    json_t *principals = json_array(), *actions = json_array();

    for (size_t i = 0; i < g->account_count; i++)
        json_array_append_new(principals, root_user(g->accounts[i]));
    for (size_t i = 0; i < g->action_count; i++)
        json_array_append_new(actions,
                              json_sprintf(ACTION_PREFIX "%s", action_find(g->actions[i])));
    return json_pack("{s:s%,s:s,s:{s:o},s:o,s:s%}", "Sid", g->label.p, g->label.n, "Effect",
                     "Allow", "Principal", "AWS", as_one(principals), "Action", as_one(actions),
                     "Resource", g->topic_arn.p, g->topic_arn.n);
}

static int add_statement(json_t *root, const struct topic_grant *g, struct fault *f)
{
    json_t *statements = json_object_get(root, "Statement"), *one;
    size_t i;

    json_array_foreach(statements, i, one)
        if (has_label(one, g->label))
            return policy_refuse(f, FAULT_PREFIX, "Statement already exists");
    int err = check_grant(g, f);

    if (err)
        return err;
    if (json_array_size(statements) >= TOPIC_POLICY_STATEMENTS)
        return policy_refuse(f, FAULT_PREFIX, "Policy Error: null");
    json_array_append_new(statements, statement_of(g));
    return 0;
}

int topic_policy_grant(str policy, const struct topic_grant *g, struct buf *out, struct fault *f)
{
    json_t *root = policy_with_list(policy);
    int err = add_statement(root, g, f);

    if (!err)
        json_write(out, root);
    if (!err && out->n > TOPIC_POLICY_TEXT_MAX)
        err = policy_refuse(f, FAULT_PREFIX, "Policy Error: null");
    json_decref(root);
    return err;
}

int topic_policy_revoke(str policy, str label, struct buf *out, struct fault *f)
{
    json_t *root = policy_with_list(policy), *statements = json_object_get(root, "Statement");
    int err = 0;

    for (size_t i = 0; i < json_array_size(statements); i++)
        if (has_label(json_array_get(statements, i), label))
            json_array_remove(statements, i--);
    if (json_array_size(statements) == 0)
        err = fault_set(f, FAULT_INVALID,
                        FAULT_PREFIX "%.*s Reason: Policy must include at least one statement",
                        (int)MIN(label.n, (size_t)LABEL_SHOWN_MAX), label.n ? label.p : "");
    else
        json_write(out, root);
    json_decref(root);
    return err;
}
