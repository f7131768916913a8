/* How an index is made, for every kind of instructions: included by one file for each, after it has
 * defined
 *
 *     static struct index_marks index_marks(const u8 *p);          classes of 64 bytes, a bit a
 * byte: static struct index_masks index_masks(const u8 *p);          what structure needs, and the
 * rest static struct index_digits index_digits(const u8 *p);        classes within numbers: of most
 *     static struct index_powers index_powers(const u8 *p);        of them, and of few
 *     static u64 index_parity(u64 x);                              bit i: parity of bits 0..i
 *     static i64 index_count(u64 x);                               number of bits
 *
 * The grammar is checked by arithmetic on bits. A text is well-formed when
 *
 * 1. what begins a value stands behind a comma, a colon, an opening bracket or at the beginning,
 * and commas and colons do not; a closing bracket does only right behind its opening one;
 * 2. a colon stands behind a string, and the operator before that is a comma or an opening brace;
 * 3. the operator behind a comma or an opening brace is a colon in objects and none in arrays; a
 *    brace may be closed at once;
 * 4. brackets match; strings, numbers and words are spelled right.
 *
 * "Behind" means past blanks, "the operator before" past everything else: both are sums, in which a
 * carry runs through the bits that are passed (behind()). Only rules 3 and 4 look at single
 * brackets, and what is rare in bodies (escapes, words, exponents, empty brackets, blanks before
 * colons) at single bytes. Those functions take copies, so that the state can stay in registers. */
#ifndef TOQUE_FILTER_INDEX_CORE_H
#define TOQUE_FILTER_INDEX_CORE_H

#include "filter/index.h"

struct index_marks {
    u64 quote, slash;
    u64 open, close; /* {[ and }] */
};

struct index_masks {
    u64 curly, comma, colon, blank;
    u64 control; /* below the blank */
    u64 high;    /* 0x80 and above */
};

struct index_digits {
    u64 digit, zero, minus, dot;
};

struct index_powers {
    u64 plus, exponent;
};

static inline struct index_marks index_marks(const u8 *p);
static inline struct index_masks index_masks(const u8 *p);
static inline struct index_digits index_digits(const u8 *p);
static inline struct index_powers index_powers(const u8 *p);
static inline u64 index_parity(u64 x);
static inline i64 index_count(u64 x);

#define CORE static inline __attribute__((always_inline))

/* What one block hands to the next; a bit each where nothing else is said. */
struct core {
    struct index *x;
    const u8 *text;
    u64 size;
    u64 wrong;     /* anything in here: not well-formed */
    u64 high;      /* bytes of 0x80 and above were seen */
    u64 in_string; /* all bits */
    u64 escaped, quote, scalar, sep;
    u64 giver; /* behind(): comma or opening brace */
    u64 word;  /* bits of a word that runs into the next block */
    u64 rare;  /* a word, an exponent or a plus is not over yet */
    u64 sign, plus, exponent, digit, first_minus, first_zero; /* the last byte was one */
    u64 fraction, power; /* runs of digits behind a dot, an exponent */
    u64 end;             /* bytes up to the end of the root; 0: not there yet */
    i64 level;           /* open brackets, when they are only counted */
    u32 depth;
    u32 object; /* the innermost open bracket is a brace */
};

/* The bits right behind those of `x`, moved up past all of `filler`. */
CORE u64 behind(u64 x, u64 filler, u64 *carry)
{
    u64 next = x << 1 | *carry, sum;
    bool on = __builtin_add_overflow(next & filler, filler, &sum);
    *carry = x >> 63 | on;
    return (next | sum) & ~filler;
}

/* The bits right behind those of `x`. */
CORE u64 shift(u64 x, u64 *carry)
{
    u64 next = x << 1 | *carry;
    *carry = x >> 63;
    return next;
}

/* --- what is rare ----------------------------------------------------------------------------- */

struct core_bits {
    u64 bits, carry; /* in this block, and in the next */
    bool wrong;
};

/* Bytes behind an odd number of backslashes. The sum of a run and its first bit is the bit behind
 * it; a run that begins at an even place and ends before an odd one is of odd length, and the other
 * way. */
CORE struct core_bits core_escapes(u64 slash, u64 carried)
{
    const u64 even = 0x5555555555555555ull;
    u64 run = slash & ~carried, first = run & ~(run << 1), sum;
    u64 ends = (run + (first & even)) & ~run & ~even;
    bool over = __builtin_add_overflow(run, first & ~even, &sum);
    return (struct core_bits){.bits = ends | (sum & ~run & even) | carried, .carry = over};
}

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

/* The escaped bytes must be ones that JSON knows. */
static inline bool core_good_escapes(const u8 *text, u64 size, u64 base, u64 escaped)
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

/* Length of the word at `at`, 0 when it is none. An object does not end with a word, so there must
 * be a byte behind it. */
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

static struct core_bits core_words(const u8 *text, u64 size, u64 base, u64 starts, u64 carried)
{
    struct core_bits w = {.bits = carried};
    for (; starts; starts &= starts - 1) {
        u32 at = (u32)__builtin_ctzll(starts), n = core_word(text, size, base + at);
        u64 bits = (1ull << n) - 1;
        w.wrong |= n == 0;
        w.bits |= bits << at;
        if (at + n > 64)
            w.carry |= bits >> (64 - at);
    }
    return w;
}

/* The bytes before which, past blanks, one of `set` stands. */
static u64 core_preceded(const u8 *text, u64 base, u64 bits, const char *set)
{
    u64 good = 0;
    for (; bits; bits &= bits - 1) {
        u64 at = base + (u64)__builtin_ctzll(bits);
        while (at > 0 && memchr(" \t\n\r", text[at - 1], 4))
            at--;
        if (at > 0 && text[at - 1] && strchr(set, text[at - 1]))
            good |= bits & -bits;
    }
    return good;
}

/* --- numbers ---------------------------------------------------------------------------------- */

/* One exponent, behind the dot, with a sign perhaps. */
CORE u64 exponents(struct core *c, u64 digit, u64 minus, u64 plus, u64 dot, u64 exponent,
                   u64 behind_digit, u64 *ret_behind)
{
    u64 behind_exponent = shift(exponent, &c->exponent);
    u64 wrong = plus & ~behind_exponent;
    wrong |= behind_exponent & ~(digit | plus | minus);
    wrong |= exponent & ~behind_digit;
    /* Its last byte: itself, or the sign behind it. */
    u64 power = exponent & ~((plus | minus) >> 1);
    power |= (plus | minus) & behind_exponent;
    wrong |= behind(power, digit, &c->power) & (dot | exponent);
    *ret_behind = behind_exponent;
    return wrong;
}

/* What is no digit, minus or dot: words, exponents and their signs. Returns what may stand in front
 * of a minus beside a beginning. */
CORE u64 rare_scalars(struct core *c, const u8 *p, u64 base, u64 *scalar, u64 *starts,
                      const struct index_digits *d)
{
    struct index_powers w = index_powers(p);
    u64 behind_exponent;
    struct core_bits words =
        core_words(c->text, c->size, base, *starts & ~(d->digit | d->minus), c->word);
    *scalar &= ~words.bits;
    *starts &= ~words.bits;
    u64 digit = d->digit & *scalar, minus = d->minus & *scalar, plus = w.plus & *scalar;
    u64 dot = d->dot & *scalar, exponent = w.exponent & *scalar;
    u64 last_digit = c->digit; /* numbers() carries it on */
    u64 wrong = exponents(c, digit, minus, plus, dot, exponent, shift(digit, &last_digit),
                          &behind_exponent);
    wrong |= shift(plus, &c->plus) & ~digit;
    wrong |= *scalar & ~(digit | minus | plus | dot | exponent);
    c->wrong |= wrong | words.wrong;
    c->word = words.carry;
    c->rare = c->word | c->exponent | c->power | c->plus;
    return behind_exponent;
}

/* A sign only in front or behind an exponent, digits around a dot, one dot, one exponent, the dot
 * before it, no zero in front of other digits. */
CORE void numbers(struct core *c, const u8 *p, u64 base, u64 scalar, u64 starts)
{
    struct index_digits d = index_digits(p);
    u64 behind_exponent = 0;
    if (UNLIKELY((scalar & ~(d.digit | d.minus | d.dot)) | c->rare))
        behind_exponent = rare_scalars(c, p, base, &scalar, &starts, &d);
    u64 digit = d.digit & scalar, minus = d.minus & scalar, dot = d.dot & scalar;
    u64 behind_digit = shift(digit, &c->digit);
    u64 wrong = minus & ~(starts | behind_exponent);
    wrong |= shift(minus | dot, &c->sign) & ~digit;
    wrong |= dot & ~behind_digit;
    wrong |= behind(dot, digit, &c->fraction) & dot;
    u64 first = (starts | shift(minus & starts, &c->first_minus)) & d.zero;
    wrong |= shift(first, &c->first_zero) & digit;
    c->wrong |= wrong;
}

/* --- brackets --------------------------------------------------------------------------------- */

CORE void open_bracket(struct core *c, u32 place)
{
    struct index *x = c->x;
    if (UNLIKELY(c->depth == SCAN_DEPTH_MAX || c->end)) {
        c->wrong |= 1;
        return;
    }
    c->object = c->text[place] >> 5 & 1;
    x->stack[c->depth++] = x->bracket_n << 1 | c->object;
    x->brackets[x->bracket_n++].at = place;
}

CORE void close_bracket(struct core *c, u32 place)
{
    struct index *x = c->x;
    if (UNLIKELY(c->depth == 0)) {
        c->wrong |= 1;
        return;
    }
    u32 top = x->stack[--c->depth];
    c->wrong |= (top ^ c->text[place] >> 5) & 1;
    x->brackets[top >> 1].end = place;
    x->brackets[top >> 1].next = x->bracket_n;
    if (c->depth)
        c->object = x->stack[c->depth - 1] & 1;
    else
        c->end = (u64)place + 1;
}

/* All brackets of a block. in_array and in_object: operators that say what the comma or brace
 * before them stands in. */
CORE void brackets(struct core *c, u64 base, u64 open, u64 close, u64 in_array, u64 in_object,
                   enum index_mode mode)
{
    u64 all = open | close, done = 0;
    for (; all; all &= all - 1) {
        u32 at = (u32)__builtin_ctzll(all);
        u64 upto = all ^ (all - 1);
        if (mode == INDEX_CHECKED)
            c->wrong |= upto & ~done & (c->object ? in_array : in_object);
        done = upto;
        if (open >> at & 1)
            open_bracket(c, (u32)base + at);
        else
            close_bracket(c, (u32)base + at);
    }
    if (mode == INDEX_CHECKED)
        c->wrong |= ~done & (c->object ? in_array : in_object);
}

/* --- the grammar ------------------------------------------------------------------------------ */

CORE void grammar(struct core *c, const u8 *p, u64 base, const struct index_masks *m, u64 quotes,
                  u64 in_string, u64 open, u64 close)
{
    u64 blank = m->blank & ~in_string, comma = m->comma & ~in_string;
    u64 colon = m->colon & ~in_string, ops = open | close | comma | colon;
    u64 scalar = ~(in_string | quotes | ops | blank);
    u64 starts = scalar & ~shift(scalar, &c->scalar);
    u64 value = (quotes & in_string) | starts | open;
    u64 sep = LIKELY(!blank) ? shift(comma | colon | open, &c->sep)
                             : behind(comma | colon | open, blank, &c->sep);
    u64 wrong = (value & ~sep) | ((comma | colon) & sep) | (m->control & in_string);
    u64 empty = close & sep;
    if (UNLIKELY(empty))
        wrong |= empty & ~core_preceded(c->text, base, empty, "{[");
    u64 odd = colon & ~shift(quotes, &c->quote);
    if (UNLIKELY(odd))
        wrong |= odd & ~core_preceded(c->text, base, odd, "\"");
    u64 given = behind(comma | (m->curly & open), ~ops, &c->giver);
    wrong |= colon & ~given;
    c->wrong |= wrong;
    c->high |= m->high;
    if (scalar | c->rare | c->sign | c->digit)
        numbers(c, p, base, scalar, starts);
    brackets(c, base, open, close, given & ~(colon | empty), given & colon, INDEX_CHECKED);
}

/* Escaped quotes are none. Returns the bytes that a backslash escapes. */
CORE u64 unescape(struct core *c, struct index_marks *m)
{
    if (LIKELY(!(m->slash | c->escaped)))
        return 0;
    struct core_bits e = core_escapes(m->slash, c->escaped);
    c->escaped = e.carry;
    c->x->has_escapes = true;
    m->quote &= ~e.bits;
    return e.bits;
}

CORE void block(struct core *c, const u8 *p, u64 base, enum index_mode mode)
{
    struct index_marks marks = index_marks(p);
    u64 escaped = unescape(c, &marks);
    u64 in_string = index_parity(marks.quote) ^ c->in_string;
    u64 open = marks.open & ~in_string, close = marks.close & ~in_string;
    c->in_string = 0 - (in_string >> 63);
    if (mode == INDEX_SKIP) {
        c->level += index_count(open) - index_count(close);
        c->wrong |= c->level < 0;
        return;
    }
    struct index_masks m = index_masks(p);
    u64 colons = m.colon & ~in_string, ops = open | close | (m.comma & ~in_string) | colons;
    c->x->blocks[base / 64] = (struct index_block){marks.quote, colons, ops};
    if (UNLIKELY(c->x->bracket_n + 64 > c->x->bracket_cap))
        index_more_brackets(c->x);
    if (mode == INDEX_STRUCTURAL) {
        brackets(c, base, open, close, 0, 0, INDEX_STRUCTURAL);
        return;
    }
    if (UNLIKELY(marks.slash | escaped))
        c->wrong |=
            (marks.slash & ~in_string) | !core_good_escapes(c->text, c->size, base, escaped);
    grammar(c, p, base, &m, marks.quote, in_string, open, close);
}

/* Nothing but blanks may stand around the root. */
static bool core_blank(str text, u64 from, u64 to)
{
    while (from < to && memchr(" \t\n\r", text.p[from], 4))
        from++;
    return from == to;
}

CORE bool build(struct index *x, str text, enum index_mode mode)
{
    struct core c = {.x = x, .text = (const u8 *)text.p, .size = text.n, .sep = 1};
    u64 base = 0;
    u8 rest[64];
    for (; base + 64 <= text.n && (mode != INDEX_CHECKED || !c.wrong); base += 64)
        block(&c, c.text + base, base, mode);
    if (base < text.n && !c.wrong) {
        memset(rest, ' ', sizeof(rest));
        memcpy(rest, c.text + base, text.n - base);
        block(&c, rest, base, mode);
    }
    if (mode == INDEX_SKIP)
        return !c.wrong && !c.in_string && !c.level;
    if (c.wrong || c.in_string || !c.end || c.depth)
        return false;
    if (!core_blank(text, 0, x->brackets[0].at) || !core_blank(text, c.end, text.n))
        return false;
    if (mode != INDEX_CHECKED)
        return true;
    return text.p[x->brackets[0].at] == '{' && (!c.high || str_is_utf8(text));
}

#undef CORE

#endif
