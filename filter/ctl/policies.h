/* The policies that a run is about: from -p, or from the files that a verb looks at. */
#ifndef TOQUE_FILTER_CTL_POLICIES_H
#define TOQUE_FILTER_CTL_POLICIES_H

#include "common/base/mem.h"
#include "filter/ctl/ctl.h"
#include "filter/ctl/template.h"

struct ctl_policy {
    str name;
    str file;  /* where it comes from; empty: the command line */
    str topic; /* short name, or empty */
    str text;  /* as its owner wrote it; empty: everything gets through */
    enum filter_scope scope;
    bool has_scope;               /* it brought its own */
    bool is_scope_bad;            /* which is none: that is the fault */
    bool is_named;                /* by its owner, not after its file */
    bool is_subscription_without; /* a subscription without a policy */
    /* The text that holds it, and where in there it begins: for places. Empty: from YAML, or the
     * policy's own. */
    str source;
    size_t at;
    bool is_part; /* text is a part of source as it is */
    /* Of the source's first line in the file; from YAML, where the policy begins. */
    u32 line, column;
    /* Where the parts of a text that was written out anew stand in `whole`; NULL: it was not. */
    const struct template_mark *marks;
    u32 mark_n;
    str whole;
    struct policy *policy; /* NULL: refused, or it went into the set's matcher */
    struct fault *fault;   /* NULL: accepted */
};

struct ctl_policies {
    struct ctl_policy *items;
    size_t n, cap;
    struct arena arena;
    /* Set by who only matches: policies go in there under their index, and are not kept. Borrowed.
     */
    struct matcher *matcher;
};

void policies_init(struct ctl_policies *set);
void policies_deinit(struct ctl_policies *set);
/* What one -p says: a policy's text, or a file of any shape that ctl_template.h lists. False:
 * complained (no such file, no such shape). Policies that are refused are in the set. */
bool policies_add(struct ctl *c, struct ctl_policies *set, str arg);
/* The same for a file only, "-" being standard input. */
bool policies_add_file(struct ctl *c, struct ctl_policies *set, str path);
/* The same for a file's text; its name tells YAML apart. */
bool policies_add_text(struct ctl *c, struct ctl_policies *set, str path, str text);
/* All of -p. False: complained; also when there is none, or one is refused. */
bool policies_load(struct ctl *c, struct ctl_policies *set);
/* Says of every refused policy what the service says. False: there is one. */
bool policies_usable(struct ctl *c, const struct ctl_policies *set);
/* By name, or as TOPIC/NAME; NULL when there is none. */
struct ctl_policy *policies_find(const struct ctl_policies *set, str name);
/* Of a refused policy: the byte of its text that the refusal is about. */
size_t policies_fault_at(const struct ctl_policy *p);
/* What stands before a refusal's text in the answers of both operations. */
const char *policies_frame(const struct fault *f);
/* Where places were asked for last: the next one is counted from there. Zeroed at first; only for
 * policies that live as long. */
struct policies_cursor {
    const char *text;
    size_t at;
    u32 line, column;
};
/* Line and column of byte `at` of the policy's text in its file; where that is not known, of its
 * beginning. Fast when asked in the order of the file. */
void policies_place(const struct ctl_policy *p, size_t at, struct policies_cursor *cursor,
                    u32 *ret_line, u32 *ret_column);
/* The text to show for it, and the byte of that text where it stands: the file's where the policy
 * was written out anew, else the policy's own. With a cursor of its own. */
size_t policies_shown(const struct ctl_policy *p, size_t at, struct policies_cursor *cursor,
                      str *ret_text);
/* "FILE:LINE:COLUMN: name: " or what there is of it. */
void policies_where(struct buf *out, const struct ctl_policy *p, u32 line, u32 column);
/* A matcher of all of them, each under its index. */
struct matcher *policies_compile(const struct ctl_policies *set);

#endif
