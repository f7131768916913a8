/* The policies of a run: from -p, or from the files that a verb checks. */
#ifndef TOQUE_FILTER_CTL_POLICIES_H
#define TOQUE_FILTER_CTL_POLICIES_H

#include "common/base/mem.h"
#include "filter/ctl/ctl.h"
#include "filter/ctl/template.h"

struct ctl_policy {
    str name;
    str file;  /* origin; empty: the command line */
    str topic; /* short name, or empty */
    str text;  /* as its owner wrote it; empty: accepts everything */
    enum filter_scope scope;
    bool has_scope;               /* it has a scope of its own */
    bool is_scope_bad;            /* an invalid one, which is the fault */
    bool is_named;                /* by its owner, not after its file */
    bool is_subscription_without; /* a subscription without a policy */
    /* The text that contains it, and its position there: for places. Empty: from YAML, or the
     * policy stands alone. */
    str source;
    size_t at;
    bool is_part; /* text is an unchanged part of source */
    /* Of the source's first line in the file; from YAML, of the policy's beginning. */
    u32 line, column;
    /* Where the parts of a re-serialised text are in `whole`; NULL: it is unchanged. */
    const struct template_mark *marks;
    u32 mark_n;
    str whole;
    struct policy *policy; /* NULL: refused, or moved into the set's matcher */
    struct fault *fault;   /* NULL: accepted */
};

struct ctl_policies {
    struct ctl_policy *items;
    size_t n, cap;
    struct arena arena;
    /* For runs that only match: policies go in there under their index and are not kept.
     * Borrowed. */
    struct matcher *matcher;
};

void policies_init(struct ctl_policies *set);
void policies_deinit(struct ctl_policies *set);
/* Reads the argument of one -p: a policy's text, or a file of any format listed in template.h.
 * False: reported (no such file, unknown format). Refused policies are in the set. */
bool policies_add(struct ctl *c, struct ctl_policies *set, str arg);
/* The same for a file only; "-" is standard input. */
bool policies_add_file(struct ctl *c, struct ctl_policies *set, str path);
/* The same for a file's text; the name identifies YAML. */
bool policies_add_text(struct ctl *c, struct ctl_policies *set, str path, str text);
/* Reads all -p options. False: reported; also when there is none, or one is refused. */
bool policies_load(struct ctl *c, struct ctl_policies *set);
/* Reports the service's words for every refused policy. False: there is one. */
bool policies_usable(struct ctl *c, const struct ctl_policies *set);
/* By name, or as TOPIC/NAME; NULL when there is none. */
struct ctl_policy *policies_find(const struct ctl_policies *set, str name);
/* For a refused policy: the byte of its text that the refusal refers to. */
size_t policies_fault_at(const struct ctl_policy *p);
/* The prefix of a refusal's text in the answers of both operations. */
const char *policies_frame(const struct fault *f);
/* The last place computed: the next one is counted from there. Zeroed at first; valid as long as
 * the policies. */
struct policies_cursor {
    const char *text;
    size_t at;
    u32 line, column;
};
/* Line and column of byte `at` of the policy's text in its file; if unknown, of its beginning. Fast
 * when called in file order. */
void policies_place(const struct ctl_policy *p, size_t at, struct policies_cursor *cursor,
                    u32 *ret_line, u32 *ret_column);
/* The text to display for a place, and the byte of that text where it is: the file's if the policy
 * was re-serialised, otherwise the policy's own. With a cursor of its own. */
size_t policies_shown(const struct ctl_policy *p, size_t at, struct policies_cursor *cursor,
                      str *ret_text);
/* "FILE:LINE:COLUMN: name: ", as far as known. */
void policies_where(struct buf *out, const struct ctl_policy *p, u32 line, u32 column);
/* A matcher of all of them, each under its index. */
struct matcher *policies_compile(const struct ctl_policies *set);

#endif
