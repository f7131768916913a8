/* A case's policy is taken byte by byte from the file, so that number spellings and duplicate names
 * are tested as written. */
#include "filter/ctl/suite.h"

#include <sys/stat.h>

#include "filter/ctl/input.h"
#include "filter/ctl/template.h"

static const char *const VERDICTS[] = {"match", "no-match", "invalid"};

struct suite {
    struct ctl *c;
    str folder, text;
    u32 first_line;
    const struct ctl_policies *named;
    struct ctl_policies loaded; /* topologies and files that cases name */
    str *loaded_paths;
    size_t loaded_n, *loaded_from;
    struct arena arena; /* of the current case */
    struct message_reader reader;
    struct fault fault;
    suite_fn *fn;
    void *ctx;
};

/* What a case tests. */
struct subject {
    str text;
    enum filter_scope scope;
    struct filter_message message;
};

const char *suite_verdict_name(enum suite_verdict v)
{
    return VERDICTS[v];
}

static str string_of(const struct node *n)
{
    return n && n->kind == NODE_STRING ? n->text : STR_NONE;
}

static str source_of(const struct suite *s, const struct node *n)
{
    return str_slice(s->text, n->source_at, n->source_end);
}

/* --- the policy ------------------------------------------------------------------------------- */

static str case_path(struct suite *s, str name)
{
    if (str_starts(name, STR("/")) || !s->folder.n)
        return name;
    return arena_printf(&s->arena, "%.*s/%.*s", STR_ARG(s->folder), STR_ARG(name));
}

static bool is_file(str path)
{
    struct stat st;
    char *z = mem_dup(path);
    bool is = stat(z, &st) == 0 && S_ISREG(st.st_mode);

    mem_free(z);
    return is;
}

/* The policies of a file, read once: [*ret_from, *ret_to) of s->loaded. */
static bool load_policies(struct suite *s, str path, size_t *ret_from, size_t *ret_to)
{
    for (size_t i = 0; i < s->loaded_n; i++)
        if (str_eq(s->loaded_paths[i], path)) {
            *ret_from = s->loaded_from[i];
            *ret_to = i + 1 < s->loaded_n ? s->loaded_from[i + 1] : s->loaded.n;
            return true;
        }
    size_t from = s->loaded.n;
    if (!is_file(path) || !policies_add_file(s->c, &s->loaded, path))
        return false;
    s->loaded_paths = mem_grow(s->loaded_paths, (s->loaded_n + 1) * sizeof(*s->loaded_paths));
    s->loaded_from = mem_grow(s->loaded_from, (s->loaded_n + 1) * sizeof(*s->loaded_from));
    s->loaded_paths[s->loaded_n] = arena_dup(&s->loaded.arena, path);
    s->loaded_from[s->loaded_n++] = from;
    *ret_from = from;
    *ret_to = s->loaded.n;
    return true;
}

static const char *take_policy(const struct ctl_policy *p, bool has_scope, struct subject *ret)
{
    if (p->is_scope_bad)
        return p->fault->text;
    ret->text = p->text;
    if (p->has_scope || !has_scope)
        ret->scope = p->scope;
    return NULL;
}

static const char *policy_of_file(struct suite *s, str name, bool has_scope, struct subject *ret)
{
    size_t from, to;

    if (!load_policies(s, case_path(s, name), &from, &to))
        return arena_printf(&s->arena, "its policy file %.*s cannot be read", STR_ARG(name)).p;
    if (to == from)
        return arena_printf(&s->arena, "there is no policy in %.*s", STR_ARG(name)).p;
    if (to - from > 1)
        return arena_printf(&s->arena,
                            "%.*s contains several policies: name topology and subscription",
                            STR_ARG(name))
            .p;
    return take_policy(&s->loaded.items[from], has_scope, ret);
}

static const char *policy_of_subscription(struct suite *s, const struct node *n, str name,
                                          bool has_scope, struct subject *ret)
{
    const struct node *topology = node_member(n, "topology");
    struct ctl_policies all = {.n = 0};

    if (topology && topology->kind == NODE_STRING) {
        size_t from, to;
        if (!load_policies(s, case_path(s, topology->text), &from, &to))
            return arena_printf(&s->arena, "its topology %.*s cannot be read",
                                STR_ARG(topology->text))
                .p;
        all.items = s->loaded.items + from;
        all.n = to - from;
    } else if (s->named && s->named->n) {
        all = *s->named;
    } else {
        return "it names a subscription, but neither topology nor -p is given";
    }
    const struct ctl_policy *p = policies_find(&all, name);
    if (!p)
        return arena_printf(&s->arena, "there is no subscription called %.*s", STR_ARG(name)).p;
    return take_policy(p, has_scope, ret);
}

static const char *case_policy(struct suite *s, const struct node *n, bool has_scope,
                               struct subject *ret)
{
    const struct node *policy = node_member(n, "policy"), *text = node_member(n, "policy_text");
    const struct node *file = node_member(n, "policy_file");
    const struct node *subscription = node_member(n, "subscription");

    if (text && text->kind == NODE_STRING) {
        ret->text = text->text;
    } else if (policy) {
        if (policy->kind == NODE_STRING && policy->text.n && is_file(case_path(s, policy->text)))
            return policy_of_file(s, policy->text, has_scope, ret);
        bool is_text = policy->kind == NODE_STRING && str_starts(str_trim(policy->text), STR("{"));
        ret->text = is_text ? policy->text : source_of(s, policy);
    } else if (file && file->kind == NODE_STRING) {
        return policy_of_file(s, file->text, has_scope, ret);
    } else if (subscription && subscription->kind == NODE_STRING) {
        return policy_of_subscription(s, n, subscription->text, has_scope, ret);
    } else {
        return "a case needs policy, policy_text, policy_file or subscription";
    }
    return NULL;
}

/* --- a case ----------------------------------------------------------------------------------- */

/* The text of Subscribe's refusal. */
static str refusal_text(struct suite *s, const struct fault *f)
{
    return arena_printf(&s->arena, "Invalid parameter: Attributes Reason: %s%s", policies_frame(f),
                        f->text);
}

static void run_policy(struct suite *s, const struct subject *subject, struct suite_result *r)
{
    struct policy *p = NULL;

    fault_clear(&s->fault);
    if (policy_new(&p, subject->text, subject->scope, ctl_limits(s->c), &s->fault) != 0) {
        r->got = SUITE_INVALID;
        r->error = refusal_text(s, &s->fault);
    } else {
        struct filter_hits hits = {0};
        struct matcher *m = matcher_new(NULL);
        matcher_add(m, 0, p);
        matcher_match(m, &subject->message, &hits);
        r->got = hits.total ? SUITE_MATCH : SUITE_NO_MATCH;
        filter_hits_deinit(&hits);
        matcher_free(m);
    }
    r->ok = r->got == r->expect;
    if (r->ok && r->got == SUITE_INVALID && r->wanted.n) {
        str other = arena_printf(&s->arena, "Invalid parameter: %s%s", policies_frame(&s->fault),
                                 s->fault.text);
        r->ok = memmem(r->error.p, r->error.n, r->wanted.p, r->wanted.n) ||
                memmem(other.p, other.n, r->wanted.p, r->wanted.n);
    }
    r->policy = p;
    r->message = &subject->message;
    s->fn(s->ctx, r);
    policy_free(p);
}

static const char *subject_read_message(struct suite *s, const struct node *n, struct subject *ret)
{
    const struct node *attributes = node_member(n, "message_attributes");
    const struct node *body = node_member(n, "body");

    if (!attributes)
        attributes = node_member(n, "MessageAttributes");
    if (!body)
        body = node_member(n, "Message");
    if (attributes && message_read_attributes(&s->reader, source_of(s, attributes), &ret->message))
        return s->reader.why;
    if (body && body->kind != NODE_NULL)
        ret->message.body = body->kind == NODE_STRING ? body->text : source_of(s, body);
    return NULL;
}

/* False: the scope's name is invalid, which is a refusal like others. */
static bool read_scope(struct suite *s, const struct node *scope, struct subject *ret,
                       struct suite_result *r)
{
    ret->scope = s->c->scope;
    if (!scope || (scope->kind == NODE_STRING && filter_scope_read(scope->text, &ret->scope) == 0))
        return true;
    r->got = SUITE_INVALID;
    r->error =
        arena_printf(&s->arena,
                     "Invalid parameter: Attributes Reason: FilterPolicyScope: Invalid value "
                     "[%.*s]. Please use either MessageBody or MessageAttributes",
                     STR_ARG(string_of(scope)));
    r->ok = r->expect == SUITE_INVALID &&
            (!r->wanted.n || memmem(r->error.p, r->error.n, r->wanted.p, r->wanted.n));
    s->fn(s->ctx, r);
    return false;
}

static const char *subject_prepare(struct suite *s, const struct node *n, struct subject *ret,
                                   struct suite_result *r)
{
    str expect = string_of(node_member(n, "expect"));
    size_t v = 0;

    while (v < ARRAY_LEN(VERDICTS) && !str_is(expect, VERDICTS[v]))
        v++;
    if (v == ARRAY_LEN(VERDICTS))
        return "expect must be match, no-match or invalid";
    r->expect = (enum suite_verdict)v;
    r->has_expect = true;
    r->wanted = string_of(node_member(n, "error_contains"));
    return NULL;
}

static void run_case(struct suite *s, const struct node *n, size_t number)
{
    struct subject subject = {0};
    u32 column;
    struct suite_result r = {.id = string_of(node_member(n, "id"))};

    arena_reset(&s->arena);
    tree_place(s->text, n->source_at, &r.line, &column);
    r.line += s->first_line - 1;
    if (!r.id.n)
        r.id = arena_printf(&s->arena, "case %zu", number);
    r.trouble =
        n->kind == NODE_OBJECT ? subject_prepare(s, n, &subject, &r) : "a case must be an object";
    if (!r.trouble && !read_scope(s, node_member(n, "scope"), &subject, &r))
        return;
    if (!r.trouble)
        r.trouble = case_policy(s, n, node_member(n, "scope") != NULL, &subject);
    if (!r.trouble)
        r.trouble = subject_read_message(s, n, &subject);
    if (r.trouble)
        s->fn(s->ctx, &r);
    else
        run_policy(s, &subject, &r);
}

/* --- files ------------------------------------------------------------------------------------ */

static void run_case_list(struct suite *s, const struct node *root, size_t *number)
{
    const struct node *cases = node_member(root, "cases");

    if (cases && cases->kind == NODE_ARRAY)
        root = cases;
    if (root->kind != NODE_ARRAY) {
        run_case(s, root, ++*number);
        return;
    }
    for (const struct node *n = root->first; n; n = n->next)
        run_case(s, n, ++*number);
}

/* One case per line, or spread over a few lines. */
static int run_lines(struct suite *s, struct fault *f)
{
    struct input in;
    struct arena a;
    struct node *root;
    str whole = s->text, document, compact;
    size_t number = 0;
    int err;

    arena_init(&a);
    input_open_text(&in, whole, "");
    while ((err = input_document(&in, &document)) == 0) {
        s->text = str_trim(document);
        s->first_line = (u32)in.line;
        if (!s->text.n)
            continue;
        arena_reset(&a);
        if ((err = tree_read(&a, s->text, &root, &compact, f)) != 0) {
            f->line += s->first_line - 1;
            break;
        }
        run_case_list(s, root, &number);
    }
    s->text = whole;
    input_close(&in);
    arena_deinit(&a);
    return err == E_NOT_FOUND ? 0 : E_FAULT;
}

/* Whether the text's first line is JSON by itself, and more follows. */
static bool is_lines(str text)
{
    str rest = str_trim(text), first = str_cut(&rest, '\n');
    struct scan s;
    struct scan_text t;

    scan_init(&s, first);
    return rest.n && scan_next(&s, &t) == SCAN_OBJECT && scan_skip(&s) != SCAN_ERROR &&
           scan_next(&s, &t) == SCAN_END;
}

int suite_run(struct ctl *c, str path, str text, const struct ctl_policies *named, suite_fn *fn,
              void *ctx, struct fault *f)
{
    ptrdiff_t slash = str_rfind(path, '/');
    struct suite s = {.c = c, .text = text, .first_line = 1, .named = named, .fn = fn, .ctx = ctx};
    struct arena a;
    struct node *root;
    str compact;
    size_t number = 0;
    int err;

    s.folder = slash >= 0 ? str_slice(path, 0, (size_t)slash) : STR_NONE;
    arena_init(&a);
    arena_init(&s.arena);
    policies_init(&s.loaded);
    message_reader_init(&s.reader, false, NULL, NULL);
    if (is_lines(text)) {
        err = run_lines(&s, f);
    } else if ((err = tree_read(&a, text, &root, &compact, f)) == 0) {
        if (root->kind == NODE_OBJECT || root->kind == NODE_ARRAY)
            run_case_list(&s, root, &number);
        else
            err = fault_set_at(f, FILTER_FAULT_POLICY, 1, 1, "a suite must be an array of cases");
    }
    message_reader_deinit(&s.reader);
    policies_deinit(&s.loaded);
    mem_free(s.loaded_paths);
    mem_free(s.loaded_from);
    arena_deinit(&s.arena);
    arena_deinit(&a);
    return err;
}
