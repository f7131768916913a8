/* Any bytes as a file of policies: JSON and YAML of every shape. What is found is linted; places
 * lie inside the policy's text. The first byte says what the file is called. */
#include "filter/ctl/lint.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define POLICIES_LINTED 50

static FILE *nowhere(void)
{
    static FILE *f;
    if (!f)
        f = fopen("/dev/null", "w");
    assert(f);
    return f;
}

static void check(const struct ctl_policy *p, struct policies_cursor *cursors)
{
    struct lint l;
    assert(!p->policy == !!p->fault);
    lint_init(&l, p);
    lint_run(&l);
    assert(!p->fault || l.n == 1);
    for (size_t i = 0; i < l.n; i++) {
        u32 line, column;
        assert(l.findings[i].at <= p->text.n && l.findings[i].advice[0]);
        struct policies_cursor afresh = {.at = 0};
        u32 same_line, same_column;
        policies_place(p, l.findings[i].at, &cursors[0], &line, &column);
        policies_place(p, l.findings[i].at, &afresh, &same_line, &same_column);
        assert(line && column && line == same_line && column == same_column);
        str text;
        size_t byte = policies_shown(p, l.findings[i].at, &cursors[1], &text);
        afresh = (struct policies_cursor){.at = 0};
        assert(byte <= text.n && byte == policies_shown(p, l.findings[i].at, &afresh, &text));
    }
    lint_deinit(&l);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const names[] = {"a.json", "a.yaml", "-", "template"};
    if (!size)
        return 0;
    struct ctl c = {.verb = "lint", .out = nowhere(), .err = nowhere()};
    struct policies_cursor cursors[2] = {{.at = 0}};
    struct ctl_policies set;
    c.scope = data[0] & 4 ? FILTER_BODY : FILTER_ATTRIBUTES;
    policies_init(&set);
    policies_add_text(&c, &set, str_of(names[data[0] & 3]), str_from(data + 1, size - 1));
    for (size_t i = 0; i < set.n && i < POLICIES_LINTED; i++)
        check(&set.items[i], cursors);
    policies_deinit(&set);
    return 0;
}
