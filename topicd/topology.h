/* The topology file: topics and subscriptions that are created at start where they do not exist
 * yet. Member names are the API's own:
 *
 *   {"topics":        [{"Name": …, "Attributes": {…}}],
 *    "queues":        [ … read by queued … ],
 *    "subscriptions": [{"Topic": name or ARN, "Protocol": "sqs", "Endpoint": queue name or ARN,
 *                       "Attributes": {"FilterPolicy": {…} or text, …}}]}
 *
 * Members whose name begins with "//" are comments. What exists already is left unchanged. */
#ifndef TOQUE_TOPICD_TOPOLOGY_H
#define TOQUE_TOPICD_TOPOLOGY_H

#include "common/base/json.h"

#define TOPOLOGY_SIZE_MAX (64 * 1024 * 1024) /* bytes of the file */

struct topicd;

/* Reads the file and creates what is missing, in the current turn. E_FAULT: f->text is one line
 * with file, line, column and reason. */
int topology_create(struct topicd *t, const char *path, struct fault *f) MUST_CHECK;
/* The same from a parsed document. */
int topology_apply(struct topicd *t, const struct json_doc *doc, struct fault *f) MUST_CHECK;

#endif
