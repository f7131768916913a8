/* Where the service's documentation is silent or its sources disagree, one reading is taken, and it
 * is written down here and nowhere else. Each is what was observed of the service's engine, or the
 * harmless side where nothing was.
 *
 * Some are a choice at one place and have a constant: 1 as its comment says, 0 the other way.
 * Others follow from how a thing is built; for those this says where.
 *
 * Values and messages:
 *   a Number attribute is well-formed as [+-] digits [. digits] [e [+-] digits]: "+5" and "05" are,
 *     ".5" and "5." are not (number_read() in number.c)
 *   numbers are compared exactly, however long, and "5" is never 5 (number.h, decimal.h)
 *   anything-but holds for a value of any other type (null, booleans, a string beside excluded
 *     numbers): a value is excluded by what it fulfils (settle() in lookup.c)
 *   {"exists": false} holds for a key whose value is an empty array or an object: a key is present
 *     with its first value (event_add() in event.h)
 *   bare scalars and nested arrays in a String.Array are values, flattened; objects in it offer
 *     nothing and do not make it malformed (read_array() in attributes.c)
 *   of control characters nothing is escaped in attribute scope, only quotes and backslashes are
 *     (escaped() in attributes.c)
 *   text behind a body's closing brace makes it unusable (build() in index_core.h)
 *   exact strings that are addresses are compared as addresses, except below anything-but
 *     (of_operand() in compile.c)
 *   case is folded character by character, so that sharp s is not ss (fold_char() in pattern.c)
 *
 * Policies:
 *   of members with one name the last one counts (add_member() in tree.c)
 *   operands are not held to +-10^9 and five decimal places; those of "numeric" have
 *     POLICY_DIGITS_MAX digits (policy.h, read_bound() in policy_entry.c)
 *   what the engine knows and the documentation does not is taken: prefix and suffix with
 *     equals-ignore-case, anything-but with equals-ignore-case or with a list below it, exactly
 *     (OPERATORS and EXCLUSIONS in policy_entry.c)
 *   host bits in a cidr are cleared (build_cidr() in policy_entry.c)
 *   a backslash in a wildcard takes an asterisk or a backslash, nothing else (pattern_read() in
 *     pattern.c)
 *   a $or that is no list of two objects, or has a reserved name in it, is refused and never read
 *     as a key (compile_or() and compile_member() in policy.c)
 *   a path that is named again replaces the one before, in a member of a $or within that member
 *     (draft_put() in terms.c)
 *   an entry is one combination however long its list; a dotted key is on one level (terms_count()
 *     in terms.c, compile_member() in policy.c)
 *   refusals show the policy compactly and the place in it (policy_location() in policy.c)
 *   a change of scope that a stored nested policy does not fit is refused (sub_attr_set() in
 *     topicd/sub_attr.c) */
#ifndef TOQUE_FILTER_DEFAULTS_H
#define TOQUE_FILTER_DEFAULTS_H

/* The body {} matches no policy at all, {"exists": false} included. */
#define DEFAULT_EMPTY_BODY_MATCHES 0

/* A message whose only attributes are Binary counts as one without attributes. */
#define DEFAULT_BINARY_ALONE_IS_NONE 1

/* Of two members with one name in one object of a body, the last one counts. */
#define DEFAULT_LAST_NAME_WINS 1

/* What must not be called like an operator in a $or: its members and all that is nested in them; 0:
 * its members alone. */
#define DEFAULT_RESERVED_AT_ANY_DEPTH 1

/* Points of wildcards are counted only where some wildcard is in the policy; 0: a policy of many
 * anything-but is refused for them, too. */
#define DEFAULT_POINTS_NEED_WILDCARD 1

/* What is said where nobody has seen the words: to too many asterisks in a pattern, too many
 * points, and a text that is too long, as to too many combinations. */
#define DEFAULT_TEXT_COMPLEX "Filter policy is too complex"

/* Attribute types with a label of their own ("Number.int") filter as their base type. */
#define DEFAULT_LABELS_IGNORED 1

#endif
