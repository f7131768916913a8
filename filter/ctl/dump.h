/* Texts that contain JSON or near-JSON: log lines, CSV exports, and Python's print of boto3's
 * answers. */
#ifndef TOQUE_FILTER_CTL_DUMP_H
#define TOQUE_FILTER_CTL_DUMP_H

#include "common/base/mem.h"
#include "common/base/str.h"

/* Whether the line begins like a log line: a date, a level in brackets, the lines that Lambda
 * writes around its handler, the head of a CSV export. */
bool dump_is_log(str line);
/* Whether the text begins with a level or a date in brackets rather than a JSON array. */
bool dump_is_tagged(str text);
/* A field of a CSV export, from after its quote, with doubled quotes undoubled. In the arena. */
str dump_csv_field(struct arena *a, str text);
/* Whether the text begins like a dict, or a list of dicts, printed by Python. */
bool dump_is_python(str text);
/* The text as JSON, in the arena: quotes, True, False, None and bytes in JSON's spelling, calls
 * such as datetime(…) as null. What Python would not print does not become valid JSON either. */
str dump_python(struct arena *a, str text);

#endif
