/* Text patterns of access policies: '*' stands for any text, '?' for one character, "${aws:name}"
 * for the value of a fact of the request ("${aws:name, 'text'}": or else that text), "${*}", "${?}"
 * and "${$}" for the character itself. Rules: IAM user guide, "Policy elements: Resource" and
 * "Policy variables".
 *
 * A compiled pattern is bytes: three values that UTF-8 never uses stand for the special places, so
 * that nothing in a request can be taken for one. */
#ifndef TOQUE_ACCESS_PATTERN_H
#define TOQUE_ACCESS_PATTERN_H

#include "common/aws/access_request.h"
#include "common/base/mem.h"

enum access_pattern_parts {
    ACCESS_WILDCARDS = 1, /* '*' and '?' are special */
    ACCESS_VARIABLES = 2, /* "${…}" is: policies of version 2012-10-17 */
};

enum access_pattern_rules {
    ACCESS_NOCASE = 1,   /* ASCII letters match in either case */
    ACCESS_SEGMENTS = 2, /* an ARN: '?' is no colon; a '*' passes one only at its segment's end */
};

/* `text` is UTF-8, and `parts` says what of it is special. The result lives as long as the arena,
 * or as `text` where nothing is. */
str access_pattern_read(struct arena *a, str text, unsigned parts);
/* Whether it is "*" alone. */
bool access_pattern_is_any(str pattern);
/* The pattern with its variables filled in, in `room` bytes of `scratch` where it has any. False
 * when the request has no such fact or the result is longer. */
bool access_pattern_fill(str pattern, const struct access_request *rq, char *scratch, size_t room,
                         str *ret);
/* Whether the whole text matches. Takes from *steps_left as it goes; at 0 it gives up with false:
 * the cost of a hostile pattern is the caller's bound, never exponential (one step a character
 * where no '*' has to be tried again). */
bool access_pattern_match(str pattern, str text, unsigned rules, u64 *steps_left);

#endif
