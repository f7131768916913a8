/* Where the service's documentation is silent or its sources disagree, the matcher takes one
 * reading, and it is written down here and nowhere else. Each is what was observed of the service's
 * engine, or the harmless side where nothing was. 1: as the comment says; 0: the other way. */
#ifndef TOQUE_FILTER_DEFAULTS_H
#define TOQUE_FILTER_DEFAULTS_H

/* anything-but holds for a value of another type: null, booleans, a string beside excluded numbers.
 */
#define DEFAULT_BUT_TAKES_OTHER_TYPES 1

/* {"exists": false} holds for a key whose value is an empty array (and for an empty object). */
#define DEFAULT_EMPTY_ARRAY_IS_ABSENT 1

/* The body {} matches no policy at all, {"exists": false} included. */
#define DEFAULT_EMPTY_BODY_MATCHES 0

/* A message whose only attributes are Binary counts as one without attributes. */
#define DEFAULT_BINARY_ALONE_IS_NONE 1

/* Bare scalars and nested arrays in a String.Array are values (nested ones flattened) and do not
 * make the attribute malformed; objects in it offer nothing. */
#define DEFAULT_ARRAY_FLATTENS 1

/* Of two members with one name in one object of a body, the last one counts. */
#define DEFAULT_LAST_NAME_WINS 1

/* Under the escape quirk of attribute scope only the quote and the backslash are compared escaped,
 * control characters are not. */
#define DEFAULT_ESCAPES_CONTROLS 0

/* Text behind a body's closing brace makes it unusable. */
#define DEFAULT_TRAILING_TEXT_REJECTS 1

/* Attribute types with a label of their own ("Number.int") filter as their base type. */
#define DEFAULT_LABELS_IGNORED 1

#endif
