/* Suites of cases: files that are kept beside the policies that they test.
 *
 * A file is a JSON array of objects, {"cases":[…]}, or one object a line. Members of a case:
 *   id                      its name
 *   scope                   MessageAttributes (default) or MessageBody
 *   policy                  the policy as JSON; a string is a file's name or, with a brace, text
 *   policy_text             its text
 *   policy_file             a file, from the suite's folder on
 *   subscription, topology  a name in a topology; without one, in the policies of -p
 *   message_attributes      {"name":{"DataType":…,"StringValue":…}}; also MessageAttributes
 *   body                    text; other JSON stands for its own text; also Message
 *   expect                  "match", "no-match" or "invalid"
 *   error_contains          part of the refusal */
#ifndef TOQUE_FILTER_CTL_SUITE_H
#define TOQUE_FILTER_CTL_SUITE_H

#include "filter/ctl/message.h"
#include "filter/ctl/policies.h"

enum suite_verdict { SUITE_MATCH, SUITE_NO_MATCH, SUITE_INVALID };
const char *suite_verdict_name(enum suite_verdict v); /* "match", … */

struct suite_result {
    str id;
    u32 line; /* of the case in its file */
    enum suite_verdict expect, got;
    bool has_expect; /* the case says what it expects */
    bool ok;
    const char *trouble;         /* the case itself cannot be run; the verdicts are then
                                  * undefined */
    str error;                   /* of a refused policy: the service's full text */
    str wanted;                  /* error_contains */
    const struct policy *policy; /* NULL when refused */
    const struct filter_message *message;
};

typedef void suite_fn(void *ctx, const struct suite_result *result);

/* Runs the cases of one file, `text`, in order. `named` may be NULL: the policies of -p. E_FAULT:
 * not a suite; f says why, with its place in the text. */
int suite_run(struct ctl *c, str path, str text, const struct ctl_policies *named, suite_fn *fn,
              void *ctx, struct fault *f) MUST_CHECK;

#endif
