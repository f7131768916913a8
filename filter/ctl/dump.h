/* Texts that hold JSON, or would be JSON but for who wrote them: log lines, CSV exports, and what
 * Python's print makes of boto3's answers. */
#ifndef TOQUE_FILTER_CTL_DUMP_H
#define TOQUE_FILTER_CTL_DUMP_H

#include "common/base/mem.h"
#include "common/base/str.h"

/* Whether the line begins as logs do: a date, a level in brackets, what Lambda writes around its
 * handler, the head of a CSV export. */
bool dump_is_log(str line);
/* Whether the text begins with a level or a date in brackets, not with a JSON array. */
bool dump_is_tagged(str text);
/* A field of a CSV export, from behind its quote: doubled quotes are single ones. The arena's. */
str dump_csv_field(struct arena *a, str text);
/* Whether the text begins as a dict, or a list of dicts, that Python printed. */
bool dump_is_python(str text);
/* The same as JSON, the arena's: quotes, True, False, None and bytes in JSON's spelling, calls such
 * as datetime(…) as null. What Python would not print comes out as no JSON either. */
str dump_python(struct arena *a, str text);

#endif
