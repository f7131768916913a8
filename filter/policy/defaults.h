/* Choices where the service's documentation is silent or its sources disagree, all listed here.
 * Each follows what was observed of the service's engine, or is the harmless alternative where
 * nothing was observed.
 *
 * Choices made in one place have a constant: 1 means what its comment says, 0 the opposite. For the
 * others the list says where they are made.
 *
 * Values and messages:
 *   a Number attribute is well-formed as [+-] digits [. digits] [e [+-] digits]: "+5" and "05" are,
 *     ".5" and "5." are not (number_read() in number.c)
 *   numbers are compared exactly, however long, and "5" is never 5 (number.h, decimal.h)
 *   anything-but holds for a value of any other type (null, booleans, a string beside excluded
 *     numbers): a value is excluded by the operands that it satisfies (settle_buts() in lookup.c)
 *   {"exists": false} holds for a key whose value is an empty array or an object: a key is present
 *     from its first value on (event_add() in event.h)
 *   bare scalars and nested arrays in a String.Array are values, flattened; objects in it have no
 *     values and do not make it malformed (array_read() in attributes.c)
 *   control characters are not escaped in attribute scope, only quotes and backslashes are
 *     (text_escaped() in attributes.c)
 *   text after a body's closing brace makes it invalid (build() in index_core.h)
 *   exact strings that are addresses are compared as addresses, except below anything-but
 *     (of_operand() in compile.c)
 *   case is folded character by character, so that sharp s is not ss (fold_char() in pattern.c)
 *
 * Policies:
 *   of members with the same name the last one counts (add_member() in tree.c)
 *   operands are not limited to +-10^9 and five decimal places; those of "numeric" have at most
 *     POLICY_DIGITS_MAX digits (policy.h, read_bound() in policy_entry.c)
 *   what the engine supports beyond the documentation is accepted: prefix and suffix with
 *     equals-ignore-case, anything-but with equals-ignore-case or with a list below it, exactly
 *     (OPERATORS and EXCLUSIONS in policy_entry.c)
 *   host bits in a cidr are cleared (build_cidr() in policy_entry.c)
 *   a backslash in a wildcard escapes an asterisk or a backslash, nothing else (pattern_read() in
 *     pattern.c)
 *   a $or that is not a list of two objects, or contains a reserved name, is refused and never read
 *     as a key (compile_or() and compile_member() in policy.c)
 *   a repeated path replaces the earlier one, in a member of a $or within that member
 *     (draft_put() in terms.c)
 *   an entry is one combination however long its list; a dotted key is on one level (terms_count()
 *     in terms.c, compile_member() in policy.c)
 *   refusals quote the compact policy and the place in it (policy_location() in policy.c)
 *   a control character in a String attribute makes it malformed: seen with a tab, taken for all of
 *     them (attr_read() in match/attributes.c)
 *   a change of scope that a stored nested policy does not fit is refused (sub_attr_set() in
 *     topicd/sub_attr.c) */
#ifndef TOQUE_FILTER_DEFAULTS_H
#define TOQUE_FILTER_DEFAULTS_H

/* The body {} matches no policy at all, {"exists": false} included. */
#define DEFAULT_EMPTY_BODY_MATCHES 0

/* A message whose only attributes are Binary counts as one without attributes. */
#define DEFAULT_BINARY_ALONE_IS_NONE 1

/* If one object of a body has two members of the same name, the last one counts. */
#define DEFAULT_LAST_NAME_WINS 1

/* Operator names are reserved for all members of a $or and everything nested in them; 0: for the
 * members alone. */
#define DEFAULT_RESERVED_AT_ANY_DEPTH 1

/* Wildcard points are counted only if the policy has a wildcard; 0: a policy with many anything-but
 * entries is refused for them, too. */
#define DEFAULT_POINTS_NEED_WILDCARD 1

/* The refusal, where the service's own text is unknown, of too many asterisks in a pattern, too
 * many points, and a text that is too long: the same as for too many combinations. */
#define DEFAULT_TEXT_COMPLEX "Filter policy is too complex"

/* Attribute types with a label of their own ("Number.int") filter as their base type. */
#define DEFAULT_LABELS_IGNORED 1

#endif
