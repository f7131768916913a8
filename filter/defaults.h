/* Where the service's documentation is silent or its sources disagree, the matcher takes one
 * reading, and it is written down here and nowhere else. Each is what was observed of the service's
 * engine, or the harmless side where nothing was.
 *
 * Some are a choice at one place and have a constant: 1 as its comment says, 0 the other way.
 * Others follow from how a thing is built; for those this says where:
 *
 *   anything-but holds for a value of any other type (null, booleans, a string beside excluded
 *     numbers): a value is excluded by what it fulfils (settle() in probe.c)
 *   {"exists": false} holds for a key whose value is an empty array or an object: a key is present
 *     with its first value (event_close() in event.c)
 *   bare scalars and nested arrays in a String.Array are values, flattened; objects in it offer
 *     nothing and do not make it malformed (read_array() in attributes.c)
 *   of control characters nothing is escaped in attribute scope, only quotes and backslashes are
 *     (escaped() in attributes.c)
 *   text behind a body's closing brace makes it unusable (build() in index_core.h)
 *   numbers are compared exactly, however long, and "5" is never 5 (number.h, decimal.h)
 *   exact strings that are addresses are compared as addresses, except below anything-but
 *     (of_operand() in compile.c) */
#ifndef TOQUE_FILTER_DEFAULTS_H
#define TOQUE_FILTER_DEFAULTS_H

/* The body {} matches no policy at all, {"exists": false} included. */
#define DEFAULT_EMPTY_BODY_MATCHES 0

/* A message whose only attributes are Binary counts as one without attributes. */
#define DEFAULT_BINARY_ALONE_IS_NONE 1

/* Of two members with one name in one object of a body, the last one counts. */
#define DEFAULT_LAST_NAME_WINS 1

/* Attribute types with a label of their own ("Number.int") filter as their base type. */
#define DEFAULT_LABELS_IGNORED 1

#endif
