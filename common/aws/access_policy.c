/* Parses JSON into statements. The document is small and read once, so jansson reads it; every
 * error names its place. */
#include "common/aws/access_statement.h"

#include "common/aws/access_pattern.h"
#include "common/aws/arn.h"
#include "common/base/json.h"

/* The newer grammar has variables; a policy without Version has the older one. */
#define VERSION_NEW "2012-10-17"
#define VERSION_OLD "2008-10-17"

struct reader {
    struct arena *arena;
    enum access_policy_kind kind;
    bool variables;
    struct fault *f;
};

/* Zeroed items; NULL for none. */
static void *reader_array(struct reader *r, size_t n, size_t size)
{
    return n ? arena_zalloc(r->arena, n * size) : NULL;
}

static str json_text(struct reader *r, const struct json_at *at)
{
    return arena_dup(r->arena,
                     str_from(json_string_value(at->value), json_string_length(at->value)));
}

/* --- a text, or a list of texts --------------------------------------------------------------- */

static size_t list_size(const struct json_at *at)
{
    return json_is_array(at->value) ? json_array_size(at->value) : 1;
}

static struct json_at list_at(const struct json_at *at, size_t i)
{
    return json_is_array(at->value) ? json_item(at, i) : *at;
}

/* The number of texts; E_FAULT: none, or one is not a string. */
static int check_texts(struct reader *r, const struct json_at *at)
{
    size_t n = list_size(at);

    if (n == 0)
        return json_complain(at, r->f, "must not be empty");
    for (size_t i = 0; i < n; i++) {
        struct json_at one = list_at(at, i);
        int err = json_want(&one, JSON_STRING, r->f);

        if (err)
            return err;
    }
    return (int)MIN(n, (size_t)ACCESS_POLICY_SIZE_MAX);
}

/* --- members ---------------------------------------------------------------------------------- */

/* One of two members, of which exactly one must be present. */
static int get_either(struct reader *r, const struct json_at *object, const char *name,
                      const char *not_name, bool *ret_not, struct json_at *ret)
{
    bool has = json_object_get(object->value, name),
         has_not = json_object_get(object->value, not_name);

    if (has == has_not)
        return json_complain(object, r->f, has ? "has both %s and %s" : "needs %s or %s", name,
                             not_name);
    *ret_not = has_not;
    return json_get(object, has_not ? not_name : name, ret, r->f);
}

/* --- Action and Resource ---------------------------------------------------------------------- */

static int read_access_list(struct reader *r, const struct json_at *statement, const char *name,
                            const char *not_name, unsigned parts, struct access_list *ret)
{
    struct json_at at;
    int n = get_either(r, statement, name, not_name, &ret->is_not, &at);

    n = n ? n : check_texts(r, &at);
    if (n < 0)
        return n;
    ret->n = (u32)n;
    ret->patterns = reader_array(r, ret->n, sizeof *ret->patterns);
    for (u32 i = 0; i < ret->n; i++) {
        struct json_at one = list_at(&at, i);

        ret->patterns[i] = access_pattern_read(r->arena, json_text(r, &one), parts);
    }
    return 0;
}

static int read_actions(struct reader *r, const struct json_at *statement,
                        struct access_statement *s)
{
    int err = read_access_list(r, statement, "Action", "NotAction", ACCESS_WILDCARDS, &s->actions);

    for (u32 i = 0; !err && i < s->actions.n; i++)
        if (!access_pattern_is_any(s->actions.patterns[i]) &&
            str_find(s->actions.patterns[i], ':') < 0)
            err = json_complain(statement, r->f,
                                "Action must be \"*\" or begin with a service and "
                                "a colon");
    return err;
}

/* --- Principal -------------------------------------------------------------------------------- */

/* "arn:PARTITION:iam::ACCOUNT:root" */
static bool is_root(str text, str *ret_account)
{
    struct arn arn;

    if (arn_read(text, &arn) || !str_is(arn.service, "iam") || !str_is(arn.resource, "root") ||
        !arn_is_account(arn.account))
        return false;
    *ret_account = arn.account;
    return true;
}

static int read_aws_principal(struct reader *r, const struct json_at *at, str text,
                              struct access_principal *ret)
{
    struct arn arn;

    if (arn_is_account(text) || is_root(text, &text))
        *ret = (struct access_principal){ACCESS_ACCOUNT, text};
    else if (arn_read(text, &arn) == 0 && str_find(text, '*') < 0 && str_find(text, '?') < 0)
        *ret = (struct access_principal){ACCESS_USER, text};
    else
        return json_complain(at, r->f, "must be \"*\", an account or the ARN of a user or role");
    return 0;
}

static int read_principal(struct reader *r, const struct json_at *at, const char *type,
                          struct access_principal *ret)
{
    str text = json_text(r, at);

    if (str_is(text, "*"))
        *ret = (struct access_principal){ACCESS_EVERYONE, text};
    else if (strcmp(type, "AWS") == 0)
        return read_aws_principal(r, at, text, ret);
    else
        *ret = (struct access_principal){
            strcmp(type, "Service") == 0 ? ACCESS_SERVICE : ACCESS_ELSEWHERE, text};
    return 0;
}

/* Room for the principals of all types. */
static int make_principals(struct reader *r, const struct json_at *at, struct access_statement *s)
{
    const char *type;
    json_t *value;
    size_t n = json_is_object(at->value) ? 0 : 1;

    json_object_foreach(at->value, type, value)
        n += json_is_array(value) ? json_array_size(value) : 1;
    if (n > ACCESS_POLICY_PRINCIPALS_MAX)
        return json_complain(at, r->f, "has more than %d principals", ACCESS_POLICY_PRINCIPALS_MAX);
    s->principals = reader_array(r, n, sizeof *s->principals);
    return 0;
}

/* Appends the principals of one type. */
static int read_principals(struct reader *r, const struct json_at *at, const char *type,
                           struct access_statement *s)
{
    int n = check_texts(r, at), err = 0;

    if (n < 0)
        return n;
    for (int i = 0; i < n && !err; i++) {
        struct json_at one = list_at(at, (size_t)i);

        err = read_principal(r, &one, type, &s->principals[s->principal_count++]);
    }
    return err;
}

static int read_principal_types(struct reader *r, const struct json_at *at,
                                struct access_statement *s)
{
    static const char *const types[] = {"AWS", "Service", "Federated", "CanonicalUser"};
    int err = json_want_members(at, types, ARRAY_LEN(types), false, r->f);

    if (!err && json_object_size(at->value) == 0)
        err = json_complain(at, r->f, "must not be empty");
    for (size_t i = 0; i < ARRAY_LEN(types) && !err; i++) {
        struct json_at one;

        if (json_get(at, types[i], &one, r->f) == 0)
            err = read_principals(r, &one, types[i], s);
    }
    return err;
}

static int read_who(struct reader *r, const struct json_at *statement, struct access_statement *s)
{
    struct json_at at;
    int err;

    if (r->kind == ACCESS_OF_IDENTITY) {
        if (json_object_get(statement->value, "Principal") ||
            json_object_get(statement->value, "NotPrincipal"))
            return json_complain(statement, r->f,
                                 "has a Principal, which the policy of a key "
                                 "does not have");
        return 0;
    }
    err = get_either(r, statement, "Principal", "NotPrincipal", &s->not_principals, &at);
    if (err)
        return err;
    s->has_principals = true;
    if ((err = make_principals(r, &at, s)))
        return err;
    if (json_is_string(at.value) && strcmp(json_string_value(at.value), "*") == 0)
        return read_principals(r, &at, "AWS", s);
    return read_principal_types(r, &at, s);
}

/* --- Condition -------------------------------------------------------------------------------- */

/* A value as text: booleans and numbers need no quotes. */
static int operand_text(struct reader *r, const struct json_at *at, str *ret)
{
    struct buf text = {0};

    if (json_is_string(at->value)) {
        *ret = json_text(r, at);
        return 0;
    }
    if (!json_is_boolean(at->value) && !json_is_number(at->value))
        return json_want(at, JSON_STRING, r->f);
    json_write(&text, at->value);
    *ret = arena_dup(r->arena, buf_view(&text));
    buf_deinit(&text);
    return 0;
}

static int read_operands(struct reader *r, const struct json_at *at, struct access_test *t)
{
    size_t n = list_size(at);
    int err = 0;

    t->operands = reader_array(r, n, sizeof *t->operands);
    for (size_t i = 0; i < n && !err; i++) {
        struct json_at one = list_at(at, i);
        str text;

        err = operand_text(r, &one, &text);
        if (!err &&
            access_test_operand(t, text, r->variables, r->arena, &t->operands[t->operand_count++]))
            err = json_complain(&one, r->f, "is not a value for %.*s", STR_ARG(t->written));
    }
    return err;
}

/* All keys of one operator. */
static int read_operator(struct reader *r, const struct json_at *condition, const char *name,
                         struct access_statement *s)
{
    struct json_at at;
    struct access_test proto;
    const char *key;
    json_t *value;
    int err = json_get(condition, name, &at, r->f);

    err = err ? err : json_want(&at, JSON_OBJECT, r->f);
    if (!err && access_test_init(&proto, arena_dup(r->arena, str_of(name))))
        err = json_complain(&at, r->f, "is not an operator");
    if (err)
        return err;
    json_object_foreach(at.value, key, value) {
        struct access_test *t = &s->tests[s->test_count++];
        struct json_at list = {.doc = at.doc, .up = &at, .name = key, .value = value};

        *t = proto;
        t->key = arena_dup(r->arena, str_of(key));
        if ((err = read_operands(r, &list, t)))
            break;
    }
    return err;
}

static int read_condition(struct reader *r, const struct json_at *statement,
                          struct access_statement *s)
{
    struct json_at at;
    const char *name;
    json_t *value;
    size_t n = 0;
    int err = json_get(statement, "Condition", &at, r->f);

    if (err)
        return err == E_NOT_FOUND ? 0 : err;
    if ((err = json_want(&at, JSON_OBJECT, r->f)))
        return err;
    json_object_foreach(at.value, name, value)
        n += json_object_size(value);
    s->tests = reader_array(r, n, sizeof *s->tests);
    json_object_foreach(at.value, name, value)
        if ((err = read_operator(r, &at, name, s)))
            return err;
    return 0;
}

/* --- statements ------------------------------------------------------------------------------- */

static int read_effect(struct reader *r, const struct json_at *statement, bool *ret_deny)
{
    str effect;
    int err = json_get_str(statement, "Effect", &effect, r->f);

    if (err && err != E_NOT_FOUND)
        return err;
    if (err || (!str_is(effect, "Allow") && !str_is(effect, "Deny")))
        return json_complain(statement, r->f, "Effect must be Allow or Deny");
    *ret_deny = str_is(effect, "Deny");
    return 0;
}

static int read_sid(struct reader *r, const struct json_at *statement, str *ret)
{
    int err = json_get_str(statement, "Sid", ret, r->f);

    if (err == E_NOT_FOUND)
        return 0;
    if (!err)
        *ret = arena_dup(r->arena, *ret);
    return err;
}

static int read_statement(struct reader *r, const struct json_at *at, struct access_statement *s)
{
    static const char *const names[] = {"Sid",          "Effect",      "Principal",
                                        "NotPrincipal", "Action",      "NotAction",
                                        "Resource",     "NotResource", "Condition"};
    unsigned parts = ACCESS_WILDCARDS | (r->variables ? ACCESS_VARIABLES : 0);
    int err = json_want_members(at, names, ARRAY_LEN(names), false, r->f);

    err = err ? err : read_sid(r, at, &s->sid);
    err = err ? err : read_effect(r, at, &s->is_deny);
    err = err ? err : read_who(r, at, s);
    err = err ? err : read_actions(r, at, s);
    err = err ? err : read_access_list(r, at, "Resource", "NotResource", parts, &s->resources);
    return err ? err : read_condition(r, at, s);
}

static int read_statements(struct reader *r, const struct json_at *root, struct access_policy *p)
{
    struct json_at at;
    int err = json_get(root, "Statement", &at, r->f);

    if (err == E_NOT_FOUND)
        return json_complain(root, r->f, "needs Statement");
    if (!err && list_size(&at) > ACCESS_POLICY_STATEMENTS_MAX)
        err = json_complain(&at, r->f, "has more than %d statements", ACCESS_POLICY_STATEMENTS_MAX);
    if (err)
        return err;
    p->statements = reader_array(r, list_size(&at), sizeof *p->statements);
    while (!err && p->n < list_size(&at)) {
        struct json_at one = list_at(&at, p->n);
        struct access_statement *s = &p->statements[p->n++];

        s->number = p->n;
        err = read_statement(r, &one, s);
    }
    return err;
}

static int read_document_head(struct reader *r, const struct json_at *root)
{
    static const char *const names[] = {"Version", "Id", "Statement"};
    str version = STR(VERSION_OLD), id;
    int err = json_want_members(root, names, ARRAY_LEN(names), false, r->f);

    err = err ? err : json_get_str(root, "Version", &version, r->f);
    if (err == 0 || err == E_NOT_FOUND)
        err = json_get_str(root, "Id", &id, r->f);
    if (err && err != E_NOT_FOUND)
        return err;
    r->variables = str_is(version, VERSION_NEW);
    if (!r->variables && !str_is(version, VERSION_OLD))
        return json_complain(root, r->f, "Version must be " VERSION_NEW " or " VERSION_OLD);
    return 0;
}

int access_policy_open(struct access_policy **ret, str text, enum access_policy_kind kind,
                       struct fault *f)
{
    struct json_doc doc;
    int err;

    if (text.n > ACCESS_POLICY_SIZE_MAX)
        return fault_set(f, ACCESS_POLICY_FAULT, "the policy has more than %d bytes",
                         ACCESS_POLICY_SIZE_MAX);
    if ((err = json_open(&doc, text, NULL, false, f)))
        return err;
    struct access_policy *p = mem_alloc(sizeof *p);
    struct json_at root = json_root(&doc);
    struct reader r = {.arena = &p->arena, .kind = kind, .f = f};

    err = read_document_head(&r, &root);
    err = err ? err : read_statements(&r, &root, p);
    json_close(&doc);
    if (err)
        access_policy_free(p);
    else
        *ret = p;
    return err;
}

u32 access_policy_count(const struct access_policy *p)
{
    return p->n;
}

void access_policy_free(struct access_policy *p)
{
    if (!p)
        return;
    arena_deinit(&p->arena);
    mem_free(p);
}
