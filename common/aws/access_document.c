/* Documents are small and rarely edited: jansson's tree, which keeps the order of members. */
#include "common/aws/access_document.h"

#include "common/aws/access_policy.h"
#include "common/aws/arn.h"
#include "common/base/json.h"
#include "common/base/mem.h"

#define VERSION "2008-10-17" /* what AddPermission writes into a new policy */

static json_t *json_text(str s)
{
    json_t *text = json_stringn(s.n ? s.p : "", s.n);

    assert(text); /* labels, accounts, actions and ARNs are checked, and so UTF-8 */
    return text;
}

/* The policy and its statements, as a list whatever they were. E_INVALID. */
static int document_read(str policy, json_t **ret_root, json_t **ret_statements)
{
    json_error_t error;
    json_t *root = policy.n <= ACCESS_POLICY_SIZE_MAX
                       ? json_loadb(policy.n ? policy.p : "", policy.n, 0, &error)
                       : NULL;
    json_t *statements = json_object_get(root, "Statement");

    if (json_is_object(statements)) {
        json_t *list = json_array();

        json_array_append(list, statements);
        json_object_set_new(root, "Statement", list);
        statements = list;
    }
    if (!json_is_array(statements)) {
        json_decref(root);
        return E_INVALID;
    }
    *ret_root = root;
    *ret_statements = statements;
    return 0;
}

static json_t *document_new(str id, json_t **ret_statements)
{
    json_t *root = json_object();

    *ret_statements = json_array();
    json_object_set_new(root, "Version", json_string(VERSION));
    json_object_set_new(root, "Id", json_text(id));
    json_object_set_new(root, "Statement", *ret_statements);
    return root;
}

static bool has_label(const json_t *statement, str label)
{
    const json_t *sid = json_object_get(statement, "Sid");

    return json_is_string(sid) &&
           str_eq(str_from(json_string_value(sid), json_string_length(sid)), label);
}

/* --- AddPermission ---------------------------------------------------------------------------- */

/* The text alone where there is one, else the list; takes it. */
static json_t *one_or_list(json_t *list)
{
    if (json_array_size(list) != 1)
        return list;
    json_t *one = json_incref(json_array_get(list, 0));

    json_decref(list);
    return one;
}

/* Appends a text unless the list has it; takes it. */
static void json_list_add(json_t *list, json_t *text)
{
    size_t i;
    json_t *one;

    json_array_foreach(list, i, one) {
        if (json_equal(one, text)) {
            json_decref(text);
            return;
        }
    }
    json_array_append_new(list, text);
}

static json_t *root_arn(str partition, str account)
{
    struct buf arn = {0};

    arn_write(&arn, &(struct arn){partition, STR("iam"), STR(""), account, STR("root")});
    json_t *text = json_text(buf_view(&arn));

    buf_deinit(&arn);
    return text;
}

static json_t *principals_of(const struct access_permission *p)
{
    struct arn resource;
    json_t *list = json_array(), *principal = json_object();
    int err = arn_read(p->resource, &resource);

    assert(err == 0);
    (void)err;
    for (size_t i = 0; i < p->account_count; i++)
        json_list_add(list, root_arn(resource.partition, p->accounts[i]));
    json_object_set_new(principal, "AWS", one_or_list(list));
    return principal;
}

static json_t *actions_of(const struct access_permission *p)
{
    json_t *list = json_array();

    for (size_t i = 0; i < p->action_count; i++) {
        char *name = mem_printf("%s%.*s", p->prefix, STR_ARG(p->actions[i]));

        json_list_add(list, json_text(str_of(name)));
        mem_free(name);
    }
    return one_or_list(list);
}

static json_t *statement_of(const struct access_permission *p)
{
    json_t *s = json_object();

    json_object_set_new(s, "Sid", json_text(p->label));
    json_object_set_new(s, "Effect", json_string("Allow"));
    json_object_set_new(s, "Principal", principals_of(p));
    json_object_set_new(s, "Action", actions_of(p));
    json_object_set_new(s, "Resource", json_text(p->resource));
    return s;
}

int access_document_add(str policy, str id, const struct access_permission *p,
                        size_t statements_max, struct buf *out)
{
    json_t *root, *statements, *one;
    size_t i;
    int err = 0;

    if (policy.n)
        err = document_read(policy, &root, &statements);
    else
        root = document_new(id, &statements);
    if (err)
        return err;
    json_array_foreach(statements, i, one)
        if (has_label(one, p->label))
            err = E_EXISTS;
    if (!err && json_array_size(statements) >= statements_max)
        err = E_FULL;
    if (!err) {
        json_array_append_new(statements, statement_of(p));
        json_write(out, root);
    }
    json_decref(root);
    return err;
}

/* --- RemovePermission ------------------------------------------------------------------------- */

int access_document_remove(str policy, str label, struct buf *out)
{
    json_t *root, *statements;
    size_t before, i = 0;
    int err = document_read(policy, &root, &statements);

    if (err)
        return err;
    before = json_array_size(statements);
    while (i < json_array_size(statements)) {
        if (has_label(json_array_get(statements, i), label))
            json_array_remove(statements, i);
        else
            i++;
    }
    if (json_array_size(statements) == before)
        err = E_NOT_FOUND;
    else if (json_array_size(statements))
        json_write(out, root);
    json_decref(root);
    return err;
}

/* --- the form that Amazon SNS keeps ------------------------------------------------------------ */

static bool is_account(const json_t *v)
{
    return json_is_string(v) &&
           arn_is_account(str_from(json_string_value(v), json_string_length(v)));
}

static void normalize_principal(json_t *principal, str partition)
{
    json_t *accounts = json_object_get(principal, "AWS"), *one;
    size_t i;

    if (is_account(accounts))
        json_object_set_new(principal, "AWS",
                            root_arn(partition, str_of(json_string_value(accounts))));
    json_array_foreach(accounts, i, one)
        if (is_account(one))
            json_array_set_new(accounts, i, root_arn(partition, str_of(json_string_value(one))));
}

int access_document_normal(str policy, str partition, struct buf *out)
{
    json_t *root, *statements, *one;
    size_t i;
    int err = document_read(policy, &root, &statements);

    if (err)
        return err;
    json_array_foreach(statements, i, one) {
        normalize_principal(json_object_get(one, "Principal"), partition);
    }
    json_write(out, root);
    json_decref(root);
    return 0;
}
