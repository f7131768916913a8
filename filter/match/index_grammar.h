/* The grammar as arithmetic on bits; part of index_core.h. A text is well-formed when
 *
 * 1. a value begins after a comma, a colon, an opening bracket or at the start of the text, and
 *    commas and colons do not; a closing bracket does so only directly after its opening one;
 * 2. a colon follows a string, and the operator before that string is a comma or an opening brace;
 * 3. the operator after a comma or an opening brace is a colon in objects and never in arrays; a
 *    brace may be closed at once;
 * 4. brackets match; strings, numbers and literals are spelled correctly.
 *
 * "After" means past blanks, "the operator before" past everything else. Rules 3 and 4 are checked
 * against the brackets in index_brackets.h. */
#ifndef TOQUE_FILTER_INDEX_GRAMMAR_H
#define TOQUE_FILTER_INDEX_GRAMMAR_H

/* --- what is rare ----------------------------------------------------------------------------- */

enum { ESCAPE_SIMPLE = 1, ESCAPE_HEX = 2 };
static const u8 core_escape_kinds[256] = {
    ['"'] = ESCAPE_SIMPLE, ['\\'] = ESCAPE_SIMPLE, ['/'] = ESCAPE_SIMPLE,
    ['b'] = ESCAPE_SIMPLE, ['f'] = ESCAPE_SIMPLE,  ['n'] = ESCAPE_SIMPLE,
    ['r'] = ESCAPE_SIMPLE, ['t'] = ESCAPE_SIMPLE,  ['u'] = ESCAPE_HEX,
};

static inline bool core_is_hex(u8 c)
{
    return (u8)(c - '0') < 10 || (u8)((c | 0x20) - 'a') < 6;
}

/* The escaped bytes must be ones that JSON allows. */
static bool core_good_escapes(const u8 *text, u64 size, u64 base, u64 escaped)
{
    bool good = true;

    for (; escaped; escaped &= escaped - 1) {
        u64 at = base + (u64)__builtin_ctzll(escaped);
        if (UNLIKELY(at >= size))
            return false;
        u8 kind = core_escape_kinds[text[at]];
        good &= kind != 0;
        if (UNLIKELY(kind == ESCAPE_HEX))
            good &= size - at >= 5 && core_is_hex(text[at + 1]) && core_is_hex(text[at + 2]) &&
                    core_is_hex(text[at + 3]) && core_is_hex(text[at + 4]);
    }
    return good;
}

/* Length of the literal at `at`; 0 when it is none. An object does not end with a literal, so there
 * must be a byte after it. */
static inline u32 core_word(const u8 *text, u64 size, u64 at)
{
    static const u64 behind_words =
        1ull << ' ' | 1ull << '\t' | 1ull << '\n' | 1ull << '\r' | 1ull << ',';
    const u8 *p = text + at;

    if (size - at < 5)
        return 0;
    u32 n = memcmp(p, "true", 4) == 0 || memcmp(p, "null", 4) == 0 ? 4 : 5;
    if (n == 5 && (size - at < 6 || memcmp(p, "false", 5) != 0))
        return 0;
    u8 next = p[n];
    return (next < 64 && behind_words >> next & 1) || (next | 0x20) == '}' ? n : 0;
}

/* The bits of the literals that begin at `starts`, and of one that began in the previous block. */
static u64 core_words(struct rare *r, const u8 *text, u64 size, u64 base, u64 starts)
{
    u64 words = r->word;

    r->word = 0;
    for (; starts; starts &= starts - 1) {
        u32 at = (u32)__builtin_ctzll(starts), n = core_word(text, size, base + at);
        u64 bits = (1ull << n) - 1;
        r->bad |= n == 0;
        words |= bits << at;
        if (at + n > 64)
            r->word = bits >> (64 - at);
    }
    return words;
}

/* The bytes that are preceded, past blanks, by one of `set`. */
static u64 core_preceded(const u8 *text, u64 base, u64 bits, const char *set)
{
    u64 good = 0;

    for (; bits; bits &= bits - 1) {
        u64 at = base + (u64)__builtin_ctzll(bits);
        while (at > 0 && memchr(" \t\n\r", text[at - 1], 4))
            at--;
        if (at > 0 && text[at - 1] && strchr(set, text[at - 1]))
            good |= bits & (0 - bits);
    }
    return good;
}

/* The bits that are not preceded by one of `set`. */
static __attribute__((noinline)) u64 not_behind(const u8 *text, u64 base, union set bits,
                                                const char *set)
{
    u64 wrong = 0;

    for (u32 i = 0; i < LANES; i++)
        wrong |= bits.at[i] & ~core_preceded(text, base + (u64)i * 64, bits.at[i], set);
    return wrong;
}

/* --- numbers ---------------------------------------------------------------------------------- */

/* shift() and behind() within one block. */
static inline u64 core_shift(u64 x, u64 *carry)
{
    u64 next = x << 1 | *carry;

    *carry = x >> 63;
    return next;
}

static inline u64 core_behind(u64 x, u64 filler, u64 *carry)
{
    u64 next = x << 1 | *carry, sum;
    bool on = __builtin_add_overflow(next & filler, filler, &sum);

    *carry = x >> 63 | on;
    return (next | sum) & ~filler;
}

/* Scalars of a group. */
struct scalars {
    union set all, starts;
    union set digit, minus, dot, plus, exponent;
    union set behind_exponent;
};

/* One exponent after the dot, with an optional sign. */
static u64 core_exponents(struct rare *r, struct scalars *s, u32 lane)
{
    u64 digit = s->digit.at[lane], plus = s->plus.at[lane], sign = s->minus.at[lane] | plus;
    u64 exponent = s->exponent.at[lane], behind_exponent = core_shift(exponent, &r->exponent);
    u64 wrong = plus & ~behind_exponent;

    wrong |= behind_exponent & ~(digit | sign);
    wrong |= exponent & ~core_shift(digit, &r->last_digit);
    /* Its last byte: itself, or the sign after it. */
    u64 power = (exponent & ~(sign >> 1)) | (sign & behind_exponent);
    wrong |= core_behind(power, digit, &r->power) & (s->dot.at[lane] | exponent);
    wrong |= core_shift(plus, &r->plus) & ~digit;
    s->behind_exponent.at[lane] = behind_exponent;
    return wrong;
}

/* Everything that is not a digit, minus or dot: literals, which are then removed from the scalars,
 * exponents and their signs. */
static __attribute__((noinline)) void rare_scalars(struct rare *r, const u8 *text, u64 size,
                                                   u64 base, struct scalars *s)
{
    for (u32 i = 0; i < LANES; i++) {
        u64 usual = s->digit.at[i] | s->minus.at[i] | s->dot.at[i];
        s->behind_exponent.at[i] = 0;
        if (!(s->all.at[i] & ~usual) && !r->any) {
            r->last_digit = s->digit.at[i] >> 63;
            continue;
        }
        u64 starts = s->starts.at[i] & ~(s->digit.at[i] | s->minus.at[i]);
        u64 words = core_words(r, text, size, base + (u64)i * 64, starts);
        u64 rest = s->all.at[i] & ~words;
        s->starts.at[i] &= ~words;
        s->digit.at[i] &= rest;
        s->minus.at[i] &= rest;
        s->dot.at[i] &= rest;
        s->plus.at[i] &= rest;
        s->exponent.at[i] &= rest;
        u64 wrong = core_exponents(r, s, i);
        wrong |= rest & ~(s->digit.at[i] | s->minus.at[i] | s->dot.at[i] | s->plus.at[i] |
                          s->exponent.at[i]);
        r->bad |= wrong;
        r->any = r->word | r->exponent | r->power | r->plus;
    }
}

/* A sign only at the start or after an exponent, digits around a dot, one dot, one exponent, the
 * dot before it, no zero before other digits. */
CORE void numbers(struct core *c, const struct bytes *b, struct group *g, u64 base, lanes scalar,
                  lanes starts)
{
    lanes behind_exponent = {0};

    index_digits(b, g);
    lanes digit = g->digit.all & scalar, minus = g->minus.all & scalar, dot = g->dot.all & scalar;
    if (UNLIKELY(lanes_any(scalar & ~(digit | minus | dot)) | c->rare.any)) {
        index_powers(b, g);
        struct scalars s = {.all = {scalar},
                            .starts = {starts},
                            .digit = {digit},
                            .minus = {minus},
                            .dot = {dot},
                            .plus = g->plus,
                            .exponent = g->exponent,
                            .behind_exponent = {behind_exponent}};
        c->rare.last_digit = lanes_tops(c->digit) >> (LANES - 1) & 1;
        struct rare rare = c->rare;
        rare_scalars(&rare, c->text, c->size, base, &s);
        c->rare = rare;
        starts = s.starts.all;
        digit = s.digit.all;
        minus = s.minus.all;
        dot = s.dot.all;
        behind_exponent = s.behind_exponent.all;
    }
    lanes wrong = minus & ~(starts | behind_exponent);
    wrong |= shift(minus | dot, &c->sign) & ~digit;
    wrong |= dot & ~shift(digit, &c->digit);
    wrong |= behind(dot, digit, &c->fraction) & dot;
    lanes first = (starts | shift(minus & starts, &c->first_minus)) & g->zero.all;
    wrong |= shift(first, &c->first_zero) & digit;
    c->wrong |= wrong;
}

/* --- all of it -------------------------------------------------------------------------------- */

/* g->open, close, comma and colon exclude bytes within strings already. *ret_in_object: as in
 * struct brackets. */
CORE void grammar(struct core *c, const struct bytes *b, struct group *g, u64 base, lanes in,
                  lanes ops, lanes *ret_in_object)
{
    lanes quote = g->quote.all, open = g->open.all, close = g->close.all, colon = g->colon.all;
    lanes separator = g->comma.all | colon, blank = g->blank.all & ~in;
    lanes scalar = ~(in | quote | ops | blank), starts = scalar & ~shift(scalar, &c->scalar);
    lanes sep;

    if (lanes_any(blank) | c->sep.over)
        sep = behind(separator | open, blank, &c->sep);
    else
        sep = shift(separator | open, &c->sep.before);
    lanes value = (quote & in) | starts | open;
    c->wrong |= (value & ~sep) | (separator & sep) | (g->control.all & in) | (g->slash.all & ~in);
    union set empty = {close & sep}, odd = {colon & ~shift(quote, &c->quote)};
    if (UNLIKELY(lanes_any(empty.all)))
        c->bad |= not_behind(c->text, base, empty, "{[");
    if (UNLIKELY(lanes_any(odd.all)))
        c->bad |= not_behind(c->text, base, odd, "\"");
    lanes given = behind(g->comma.all | (g->curly.all & open), ~ops, &c->giver);
    c->wrong |= colon & ~given;
    c->high |= g->high.all;
    /* All commas of one bracket are of one kind: every one followed by a name and a colon, or none.
     * What the last comma implies, and the colons, must agree with each other and with the next
     * bracket. */
    lanes coloned = behind(colon, ~(open | close), &c->colon), listed = given & ~empty.all;
    c->wrong |= behind(g->comma.all & given, ~ops, &c->comma) & colon;
    c->wrong |= (listed & coloned & (open | close)) | (coloned & close & ~g->curly.all) |
                (listed & close & g->curly.all);
    *ret_in_object = coloned & open;
    if (lanes_any(scalar) || c->running)
        numbers(c, b, g, base, scalar, starts);
    c->running = lanes_tops(scalar) >> (LANES - 1) & 1;
}

#endif
