/* Text patterns: wildcards and case folding. Everything works on UTF-8 bytes: a well-formed piece
 * can match well-formed text only at character boundaries. */
#ifndef TOQUE_FILTER_PATTERN_H
#define TOQUE_FILTER_PATTERN_H

#include "common/base/mem.h"
#include "common/base/str.h"

/* A parsed wildcard pattern: the texts between its asterisks, escapes resolved. A text matches when
 * it starts with the first piece, ends with the last, and contains the others between them in order
 * and without overlap. n = asterisks + 1; pieces may be empty; n == 1 is an exact match. */
struct pattern {
    str *pieces;
    u32 n;
};

enum pattern_error {
    PATTERN_OK,
    PATTERN_CONSECUTIVE, /* two adjacent asterisks */
    PATTERN_ESCAPE,      /* a backslash before anything but an asterisk or a backslash */
};

/* Parses `text`; pieces live in `a`. On an error *ret_pos is the position (in UTF-16 units, from 0)
 * that the service names, and *ret is untouched. */
enum pattern_error pattern_read(struct arena *a, str text, struct pattern *ret, u32 *ret_pos);
/* Time is linear in the text for every piece, for any pattern. */
bool pattern_match(const struct pattern *p, str text);

/* Case folding by simple lower-casing, character by character (final sigma stays distinct from
 * sigma, dotless i from i, sharp s from ss). */
u32 fold_char(u32 c);
/* Buffer size that fold_text needs for n bytes. */
#define FOLD_SIZE(n) ((n) + (n) / 2 + 4)
/* Folds `text` into `out`; returns the length. Malformed UTF-8 bytes stay as they are. */
size_t fold_text(str text, char *out);
str fold_dup(struct arena *a, str text);
/* Whether the folded text equals, starts with, or ends with an already folded one. No
 * allocation. */
bool fold_eq(str folded, str text);
bool fold_starts(str folded, str text);
bool fold_ends(str folded, str text);

#endif
