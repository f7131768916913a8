/* AddPermission and RemovePermission, which edit the queue's Policy attribute; access_document.h
 * writes the document. */
#include "common/aws/access_document.h"
#include "queued/api.h"
#include "queued/fault.h"

#define LABEL_MAX      80
#define ACTIONS_MAX    7
#define STATEMENTS_MAX QUEUE_ATTR_STATEMENTS_MAX
#define ACCOUNTS_MAX   ACCESS_POLICY_PRINCIPALS_MAX

static int permission_refuse(struct fault *f, const char *parameter, str value, const char *reason)
{
    return fault_set(f, CALL_FAULT_INVALID_PARAMETER,
                     "Value %.*s for parameter %s is invalid. Reason: %s",
                     (int)MIN(value.n, (size_t)256), value.n ? value.p : "", parameter, reason);
}

static int need_label(str label, struct fault *f)
{
    return label.p ? 0
                   : fault_set(f, CALL_FAULT_MISSING_PARAMETER,
                               "The request must contain the parameter Label.");
}

static int check_label(str label, struct fault *f)
{
    bool fine = label.n <= LABEL_MAX && arn_is_queue_name(label) && !arn_is_fifo_name(label);

    if (need_label(label, f))
        return E_FAULT;
    return fine ? 0
                : permission_refuse(f, "Label", label,
                                    "Can only include alphanumeric characters, hyphens, or "
                                    "underscores. 1 to 80 in length");
}

/* The service verifies that accounts exist; here every well-formed account number is accepted. */
static int check_accounts(struct call *c, const struct val *accounts)
{
    struct buf all = {0};
    bool fine = accounts && accounts->count > 0 && accounts->count <= ACCOUNTS_MAX;

    buf_char(&all, '[');
    for (const struct val *v = accounts ? accounts->first : NULL; v; v = v->next) {
        fine = fine && arn_is_account(v->text);
        buf_z(&all, v == accounts->first ? "" : ", ");
        buf_str(&all, v->text);
    }
    buf_char(&all, ']');
    if (!fine)
        permission_refuse(&c->fault, "PrincipalId", buf_view(&all), "Unable to verify.");
    buf_deinit(&all);
    return fine ? 0 : E_FAULT;
}

static int check_action(struct call *c, str name)
{
    const struct action *a = call_action(c->service, name);
    str shown = arena_printf(&c->arena, "SQS:%.*s", (int)MIN(name.n, (size_t)128), name.p);

    if (str_is(name, "*"))
        return 0;
    /* A permission for an action includes its batch form, which cannot be named. */
    if (!a || str_ends(name, STR("Batch")))
        return permission_refuse(&c->fault, "ActionName", shown,
                                 "Please refer to the appropriate WSDL for a list of valid "
                                 "actions.");
    if (a->flags & ACTION_OWNER)
        return permission_refuse(&c->fault, "ActionName", shown,
                                 "Only the queue owner is allowed to invoke this action.");
    return 0;
}

static int check_actions(struct call *c, const struct val *actions)
{
    int err = 0;

    if (!actions || actions->count == 0)
        return fault_set(&c->fault, CALL_FAULT_MISSING_PARAMETER,
                         "The request must contain the parameter Actions.");
    if (actions->count > ACTIONS_MAX)
        return fault_set(&c->fault, FAULT_OVER_LIMIT,
                         "%u Actions were found, maximum allowed is %d.", actions->count,
                         ACTIONS_MAX);
    for (const struct val *v = actions->first; v && !err; v = v->next)
        err = check_action(c, v->text);
    return err;
}

static const str *texts_of(struct call *c, const struct val *list)
{
    str *texts = arena_alloc(&c->arena, list->count * sizeof *texts), *at = texts;

    for (const struct val *v = list->first; v; v = v->next)
        *at++ = v->text;
    return texts;
}

static str policy_of(const struct queue *q)
{
    return q->attributes.policy ? str_of(q->attributes.policy) : STR("");
}

static void policy_set(struct queue *q, str policy)
{
    queue_attr_read_text(&q->attributes, STR("Policy"), policy);
    queue_changed(q, q->attributes.delay_s, q->attributes.retention_s);
}

/* Why the policy was not edited. */
static int policy_refuse(struct fault *f, int err, str label)
{
    switch (err) {
    case E_EXISTS: return permission_refuse(f, "Label", label, "Already exists.");
    case E_NOT_FOUND: return permission_refuse(f, "Label", label, "can't find label.");
    case E_FULL:
        return fault_set(f, FAULT_OVER_LIMIT, "%d Statements were found, maximum allowed is %d.",
                         STATEMENTS_MAX + 1, STATEMENTS_MAX);
    default: return fault_set(f, FAULT_ATTRIBUTE_VALUE, "Invalid value for the parameter Policy.");
    }
}

void api_add_permission(struct call *c)
{
    struct queue *q = api_queue(c);
    const struct val *accounts = val_get(c->in, "AWSAccountIds"),
                     *actions = val_get(c->in, "Actions");
    str label = val_text(c->in, "Label");
    struct buf policy = {0};

    if (!q || check_label(label, &c->fault) || check_accounts(c, accounts) ||
        check_actions(c, actions)) {
        call_done(c);
        return;
    }
    str id = arena_printf(&c->arena, "%s/SQSDefaultPolicy", q->arn);
    struct access_permission p = {.label = label,
                                  .accounts = texts_of(c, accounts),
                                  .account_count = accounts->count,
                                  .prefix = "SQS:",
                                  .actions = texts_of(c, actions),
                                  .action_count = actions->count,
                                  .resource = str_of(q->arn)};
    int err = access_document_add(policy_of(q), id, &p, STATEMENTS_MAX, &policy);

    if (!err && policy.n > ACCESS_POLICY_SIZE_MAX)
        err = E_TOO_LARGE;
    if (err)
        policy_refuse(&c->fault, err, label);
    else
        policy_set(q, buf_view(&policy));
    buf_deinit(&policy);
    call_done(c);
}

void api_remove_permission(struct call *c)
{
    struct queue *q = api_queue(c);
    str label = val_text(c->in, "Label");
    struct buf policy = {0};

    if (!q || need_label(label, &c->fault)) {
        call_done(c);
        return;
    }
    int err =
        q->attributes.policy ? access_document_remove(policy_of(q), label, &policy) : E_NOT_FOUND;

    if (err)
        policy_refuse(&c->fault, err, label);
    else
        policy_set(q, buf_view(&policy));
    buf_deinit(&policy);
    call_done(c);
}
