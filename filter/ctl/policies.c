/* A file is read as a whole and recognised by its structure. Text that is neither JSON nor YAML is
 * passed unchanged to the policy parser, which has the service's words for it. */
#include "filter/ctl/policies.h"

#include <errno.h>
#include <unistd.h>

#include "common/base/scan.h"
#include "filter/ctl/input.h"
#include "filter/ctl/template.h"

void policies_init(struct ctl_policies *set)
{
    *set = (struct ctl_policies){.n = 0};
    arena_init(&set->arena);
}

void policies_deinit(struct ctl_policies *set)
{
    for (size_t i = 0; i < set->n; i++) {
        policy_free(set->items[i].policy);
        mem_free(set->items[i].fault);
    }
    mem_free(set->items);
    arena_deinit(&set->arena);
}

static struct ctl_policy *policy_add(struct ctl *c, struct ctl_policies *set, str name, str text)
{
    if (set->n == set->cap) {
        set->cap = set->cap ? set->cap * 2 : 16;
        set->items = mem_grow(set->items, set->cap * sizeof(*set->items));
    }
    struct ctl_policy *p = &set->items[set->n++];
    *p = (struct ctl_policy){.name = name, .text = text, .scope = c->scope, .line = 1};
    return p;
}

static void check(struct ctl *c, struct ctl_policies *set, struct ctl_policy *p)
{
    struct fault fault;

    fault_clear(&fault);
    if (policy_new(&p->policy, p->text, p->scope, ctl_limits(c), &fault) == 0) {
        if (!set->matcher)
            return;
        matcher_add(set->matcher, (u32)(p - set->items), p->policy);
        policy_free(p->policy);
        p->policy = NULL;
        return;
    }
    p->policy = NULL;
    p->fault = mem_alloc(sizeof(fault));
    *p->fault = fault;
}

/* --- files ------------------------------------------------------------------------------------ */

struct file {
    struct ctl *c;
    struct ctl_policies *set;
    str path, base; /* base: its name without folders and extension */
    str text;
    bool is_lines; /* one policy per line */
};

static str base_of(str path)
{
    ptrdiff_t slash = str_rfind(path, '/');
    str base = slash >= 0 ? str_slice(path, (size_t)slash + 1, path.n) : path;
    ptrdiff_t dot = str_rfind(base, '.');

    return dot > 0 ? str_slice(base, 0, (size_t)dot) : base;
}

static void refuse_scope(struct ctl_policy *p, str scope)
{
    p->fault = mem_alloc(sizeof(*p->fault));
    fault_clear(p->fault);
    fault_set(p->fault, FILTER_FAULT_SCOPE,
              "FilterPolicyScope: Invalid value [%.*s]. Please use either MessageBody or "
              "MessageAttributes",
              STR_ARG(scope));
}

/* The policy as tried may differ from the one that the stack will have. */
static void note_resolved(struct file *f, const struct ctl_policy *p,
                          const struct template_entry *e)
{
    if (e->unknown_n == 1)
        ctl_note(f->c, "%.*s: %.*s is a placeholder for a value that the template does not contain",
                 STR_ARG(p->name), STR_ARG(e->unknown));
    else if (e->unknown_n)
        ctl_note(
            f->c,
            "%.*s: %.*s and %u more are placeholders for values that the template does not contain",
            STR_ARG(p->name), STR_ARG(e->unknown), e->unknown_n - 1);
    if (e->ifs)
        ctl_note(f->c, "%.*s: the condition of Fn::If is assumed to be true", STR_ARG(p->name));
}

static void add_found(struct file *f, const struct template *t, u32 line)
{
    for (size_t i = 0; i < t->n; i++) {
        const struct template_entry *e = &t->entries[i];
        str name = e->name;
        if (!name.n)
            name = t->n == 1 && !f->is_lines
                       ? f->base
                       : arena_printf(&f->set->arena, "%.*s:%zu", STR_ARG(f->base), i + line);
        struct ctl_policy *p = policy_add(f->c, f->set, name, e->text);
        p->file = f->path;
        p->topic = e->topic;
        p->line = line;
        p->is_named = e->name.n > 0;
        p->is_subscription_without = !e->has_policy;
        p->source = t->source;
        p->at = e->at;
        p->is_part = e->is_placed;
        p->marks = e->marks;
        p->mark_n = e->mark_n;
        p->whole = t->is_yaml ? f->text : t->source;
        if (e->column) {
            p->line = e->line;
            p->column = e->column;
        }
        note_resolved(f, p, e);
        if (e->scope.n) {
            p->has_scope = true;
            p->is_scope_bad = filter_scope_read(e->scope, &p->scope) != 0;
        }
        if (p->is_scope_bad)
            refuse_scope(p, e->scope);
        else
            check(f->c, f->set, p);
    }
}

/* Whether every member reads as a policy, and the whole does not. */
static bool is_named_set(struct ctl *c, const struct template *t)
{
    struct policy *p = NULL;
    struct fault fault;

    fault_clear(&fault);
    int err = policy_new(&p, t->entries[0].text, c->scope, ctl_limits(c), &fault);
    policy_free(p);
    return err != 0;
}

/* `source` is empty for a tree from YAML. */
static void add_tree(struct file *f, struct node *root, str source, u32 line)
{
    struct template t = {.arena = &f->set->arena, .source = source, .is_yaml = !source.n};

    template_find(&t, root);
    if (t.is_ambiguous && is_named_set(f->c, &t)) {
        template_deinit(&t);
        t = (struct template){.arena = &f->set->arena, .source = source, .is_yaml = !source.n};
        template_find_named(&t, root);
    }
    add_found(f, &t, line);
    template_deinit(&t);
}

/* A policy that is not JSON: refused in the service's words. */
static void add_broken(struct file *f, str text)
{
    struct ctl_policy *p = policy_add(f->c, f->set, f->base, text);

    p->file = f->path;
    check(f->c, f->set, p);
}

/* One JSON text per line, or several one after the other. 0 when the first is complete and more
 * follow; otherwise E_INVALID, with nothing added. */
static int add_documents(struct file *f, str text, bool *ret_good)
{
    struct input in;
    str document;
    struct node *root;
    struct fault fault;
    int err;
    size_t n = 0;

    input_open_text(&in, text, "");
    while ((err = input_document(&in, &document)) == 0) {
        str own = arena_dup(&f->set->arena, str_trim(document)), compact;
        if (!own.n)
            continue;
        fault_clear(&fault);
        if (tree_read(&f->set->arena, own, &root, &compact, &fault) != 0) {
            err = E_INVALID;
            if (n) {
                ctl_complain(f->c, "%.*s:%llu: %s", STR_ARG(f->path), (unsigned long long)in.line,
                             fault.text);
                *ret_good = false;
                err = 0;
            }
            break;
        }
        if (!n++ && in.at == in.n) {
            err = E_INVALID;
            break;
        }
        f->is_lines = true;
        add_tree(f, root, own, (u32)MIN(in.line, UINT32_MAX));
    }
    input_close(&in);
    return err == E_NOT_FOUND ? 0 : err;
}

static bool is_yaml_name(str path)
{
    return str_ends(path, STR(".yml")) || str_ends(path, STR(".yaml"));
}

static bool policies_add_source(struct file *f, str text)
{
    struct node *root;
    struct fault fault, ignored;
    str compact, trimmed;
    bool is_good = true;

    if (str_starts(text, STR("\xef\xbb\xbf")))
        text = str_slice(text, 3, text.n);
    trimmed = str_trim(text);
    f->text = text;
    fault_clear(&fault);
    fault_clear(&ignored);
    if (tree_read(&f->set->arena, text, &root, &compact, &fault) == 0) {
        add_tree(f, root, text, 1);
        return true;
    }
    bool is_json = str_starts(trimmed, STR("{")) || str_starts(trimmed, STR("["));
    if (is_json && !is_yaml_name(f->path)) {
        if (add_documents(f, text, &is_good) != 0)
            add_broken(f, text);
        return is_good;
    }
    fault_clear(&ignored);
    if (!trimmed.n) {
        add_broken(f, STR_NONE);
    } else if (yaml_read(&f->set->arena, text, &root, &ignored) != 0) {
        if (!is_yaml_name(f->path)) {
            add_broken(f, text);
            return true;
        }
        ctl_complain(f->c, "%.*s:%u:%u: %s", STR_ARG(f->path), ignored.line, ignored.column,
                     ignored.text);
        return false;
    } else if (root->kind == NODE_OBJECT || root->kind == NODE_ARRAY) {
        add_tree(f, root, STR_NONE, 1);
    } else {
        add_broken(f, text);
    }
    return true;
}

bool policies_add_text(struct ctl *c, struct ctl_policies *set, str path, str text)
{
    struct file f = {.c = c, .set = set, .path = arena_dup(&set->arena, path)};

    f.base = str_is(path, "-") ? STR("policy") : base_of(f.path);
    if (str_is(path, "-"))
        f.path = STR("standard input");
    return policies_add_source(&f, arena_dup(&set->arena, text));
}

bool policies_add_file(struct ctl *c, struct ctl_policies *set, str path)
{
    struct buf text = {0};
    int err = input_file(&text, path);
    bool is_good = err == 0;

    if (is_good)
        is_good = policies_add_text(c, set, path, buf_view(&text));
    else
        ctl_complain(c, "%.*s: %s", STR_ARG(path),
                     err == E_IO ? strerror(errno) : "file too large");
    buf_deinit(&text);
    return is_good;
}

/* --- the command line ------------------------------------------------------------------------- */

static bool path_is_file(str path)
{
    char *z = mem_dup(path);
    bool is = access(z, F_OK) == 0;

    mem_free(z);
    return is;
}

bool policies_add(struct ctl *c, struct ctl_policies *set, str arg)
{
    str text = str_trim(arg);
    bool is_text = !text.n || strchr("{[\"", text.p[0]);

    if (!is_text || (text.n && path_is_file(arg)))
        return policies_add_file(c, set, arg);
    size_t number = 1;
    for (size_t i = 0; i < set->n; i++)
        number += !set->items[i].file.n;
    str name = c->policies.n > 1 ? arena_printf(&set->arena, "policy-%zu", number) : STR("policy");
    check(c, set, policy_add(c, set, name, arena_dup(&set->arena, arg)));
    return true;
}

bool policies_usable(struct ctl *c, const struct ctl_policies *set)
{
    bool is_usable = true;
    struct policies_cursor cursor = {.at = 0};
    struct buf where = {0};

    for (size_t i = 0; i < set->n; i++) {
        const struct ctl_policy *p = &set->items[i];
        u32 line = 0, column = 0;
        if (!p->fault)
            continue;
        if (p->fault->line)
            policies_place(p, policies_fault_at(p), &cursor, &line, &column);
        buf_reset(&where);
        policies_where(&where, p, line, column);
        ctl_complain(c, "%s%s%s", where.p, policies_frame(p->fault), p->fault->text);
        is_usable = false;
    }
    buf_deinit(&where);
    return is_usable;
}

bool policies_load(struct ctl *c, struct ctl_policies *set)
{
    bool is_good = true;

    if (!c->policies.n) {
        ctl_complain(c, "a policy is required: -p POLICY (text or file); try filterctl %s --help",
                     c->verb);
        return false;
    }
    for (size_t i = 0; i < c->policies.n; i++)
        is_good &= policies_add(c, set, c->policies.items[i]);
    if (is_good && !set->n) {
        ctl_complain(c, "%.*s: contains no policy", STR_ARG(c->policies.items[0]));
        return false;
    }
    return policies_usable(c, set) && is_good;
}

/* --- the set ---------------------------------------------------------------------------------- */

struct ctl_policy *policies_find(const struct ctl_policies *set, str name)
{
    ptrdiff_t slash = str_find(name, '/');
    str topic = slash > 0 ? str_slice(name, 0, (size_t)slash) : STR_NONE;
    str rest = slash > 0 ? str_slice(name, (size_t)slash + 1, name.n) : STR_NONE;

    for (size_t i = 0; i < set->n; i++) {
        struct ctl_policy *p = &set->items[i];
        if (str_eq(p->name, name) || (rest.n && str_eq(p->topic, topic) && str_eq(p->name, rest)))
            return p;
    }
    return NULL;
}

size_t policies_fault_at(const struct ctl_policy *p)
{
    u32 line = 1, column = 1;
    size_t at = 0;

    while (at < p->text.n &&
           (line < p->fault->line || (line == p->fault->line && column < p->fault->column))) {
        size_t from = at;
        u32 c = str_next_char(p->text, &at);
        if (c == '\n' || (c == '\r' && !(at < p->text.n && p->text.p[at] == '\n'))) {
            if (line == p->fault->line)
                return from;
            line++;
            column = 1;
        } else {
            column += c >= 0x10000 ? 2 : 1;
        }
    }
    return at;
}

const char *policies_frame(const struct fault *f)
{
    return f->code == FILTER_FAULT_POLICY ? "FilterPolicy: " : "";
}

/* The mark of the innermost part that begins at or before byte `at`. */
static const struct template_mark *mark_of(const struct ctl_policy *p, size_t at)
{
    u32 low = 0, high = p->mark_n;

    while (low < high) {
        u32 mid = low + (high - low) / 2;
        if (p->marks[mid].at <= at)
            low = mid + 1;
        else
            high = mid;
    }
    return low ? &p->marks[low - 1] : NULL;
}

size_t policies_shown(const struct ctl_policy *p, size_t at, struct policies_cursor *cursor,
                      str *ret_text)
{
    const struct template_mark *m = mark_of(p, at);
    struct policies_cursor *c = cursor;

    *ret_text = m ? p->whole : p->text;
    if (!m || !p->column)
        return m ? m->byte : at;
    if (!c->line || c->text != p->whole.p || c->line > m->line)
        *c = (struct policies_cursor){.text = p->whole.p, .line = 1};
    for (; c->line < m->line; c->line++) {
        const char *end = memchr(p->whole.p + c->at, '\n', p->whole.n - c->at);
        c->at = end ? (size_t)(end - p->whole.p) + 1 : p->whole.n;
    }
    size_t byte = c->at;
    for (u32 column = 1; column < m->column && byte < p->whole.n; column++)
        str_next_char(p->whole, &byte);
    return byte;
}

static void count_on(struct policies_cursor *c, str text, size_t at)
{
    u32 line, column;

    if (!c->line || c->text != text.p || c->at > at)
        *c = (struct policies_cursor){.text = text.p, .line = 1, .column = 1};
    tree_place(str_slice(text, c->at, text.n), at - c->at, &line, &column);
    c->column = line == 1 ? c->column + column - 1 : column;
    c->line += line - 1;
    c->at = at;
}

void policies_place(const struct ctl_policy *p, size_t at, struct policies_cursor *cursor,
                    u32 *ret_line, u32 *ret_column)
{
    const struct template_mark *m = mark_of(p, at);

    if (m && p->column) {
        *ret_line = m->line;
        *ret_column = m->column;
        return;
    }
    if (p->column) {
        *ret_line = p->line;
        *ret_column = p->column;
        return;
    }
    if (m)
        count_on(cursor, p->source, m->byte);
    else if (p->source.n)
        count_on(cursor, p->source, p->at + (p->is_part ? at : 0));
    else
        count_on(cursor, p->text, at);
    *ret_line = cursor->line + p->line - 1;
    *ret_column = cursor->column;
}

void policies_where(struct buf *out, const struct ctl_policy *p, u32 line, u32 column)
{
    if (p->file.n)
        buf_printf(out, "%.*s:", STR_ARG(p->file));
    if (line)
        buf_printf(out, "%u:%u:", line, column);
    if (p->file.n || line)
        buf_char(out, ' ');
    buf_printf(out, "%.*s: ", STR_ARG(p->name));
}

struct matcher *policies_compile(const struct ctl_policies *set)
{
    struct matcher *m = matcher_new(NULL);

    for (size_t i = 0; i < set->n; i++)
        if (set->items[i].policy)
            matcher_add(m, (u32)i, set->items[i].policy);
    return m;
}
