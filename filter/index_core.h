/* How an index is made, for every kind of instructions: included by one file for each, after it has
 * defined
 *
 *     static struct index_masks index_masks(const u8 *p);          classes of 64 bytes, a bit a byte
 *     static struct index_digits index_digits(const u8 *p);        classes within numbers
 *     static u64 index_parity(u64 x);                              bit i: parity of bits 0..i
 *
 * The grammar is checked by arithmetic on bits. A text is well-formed when
 *
 * 1. what begins a value stands behind a comma, a colon, an opening bracket or at the beginning, and
 *    commas and colons do not; a closing bracket does only right behind its opening one;
 * 2. a colon stands behind a string, and the operator before that is a comma or an opening brace;
 * 3. the operator behind an opening brace is a colon, unless the brace is closed at once;
 * 4. a comma has a colon as the next operator if and only if it stands in an object;
 * 5. brackets match; strings, numbers and words are spelled right.
 *
 * "Behind" means past blanks, "the operator before" past everything else: both are sums, in which a
 * carry runs through the bits that are passed (behind()). Only rule 4 and 5 look at single brackets. */
#ifndef TOQUE_FILTER_INDEX_CORE_H
#define TOQUE_FILTER_INDEX_CORE_H

#include "filter/index.h"

struct index_masks {
    u64 quote, slash, control; /* control: below the blank */
    u64 curly, open, close;    /* { , {[ , }] */
    u64 comma, colon, blank;
    u64 high;                  /* 0x80 and above */
};

struct index_digits {
    u64 digit, zero, minus, plus, dot, exponent;
};

static inline struct index_masks index_masks(const u8 *p);
static inline struct index_digits index_digits(const u8 *p);
static inline u64 index_parity(u64 x);

#define CORE static inline __attribute__((always_inline))

/* What one block hands to the next: a bit each, 0 or 1. */
struct core {
    struct index *x;
    const u8 *text;
    u64 size;
    u64 wrong;                 /* anything in here: not well-formed */
    u64 high;
    u64 in_string;             /* all bits */
    u64 escaped, scalar;
    u64 sep, open, string_end; /* behind() */
    u64 comma, curly;
    u64 word;                  /* bits of a word that runs into the next block */
    u64 sign, dot, exponent, digit, start_minus, zero; /* the last byte was one */
    u64 fraction, power;       /* runs of digits behind a dot, an exponent */
    u64 end;                   /* bytes up to the end of the root; 0: not there yet */
    u32 depth;
    u64 kinds[SCAN_DEPTH_MAX / 64 + 1]; /* a bit a level: 1 object */
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

/* Bytes that a backslash escapes. */
CORE u64 escapes(struct core *c, u64 slash)
{
    u64 escaped = c->escaped;
    slash &= ~escaped;
    c->escaped = 0;
    while (slash) {
        u32 at = (u32)__builtin_ctzll(slash);
        if (at == 63) {
            c->escaped = 1;
            break;
        }
        escaped |= 2ull << at;
        slash &= ~(3ull << at);
    }
    return escaped;
}

static inline bool core_is_hex(u8 c)
{
    return (u8)(c - '0') < 10 || (u8)((c | 0x20) - 'a') < 6;
}

/* The escaped bytes must be ones that JSON knows. */
static inline bool core_good_escapes(const struct core *c, u64 base, u64 escaped)
{
    for (; escaped; escaped &= escaped - 1) {
        u64 at = base + (u64)__builtin_ctzll(escaped);
        if (at >= c->size)
            return false;
        u8 e = c->text[at];
        if (e == 'u') {
            if (c->size - at < 5 || !core_is_hex(c->text[at + 1]) ||
                !core_is_hex(c->text[at + 2]) || !core_is_hex(c->text[at + 3]) ||
                !core_is_hex(c->text[at + 4]))
                return false;
        } else if (e == 0 || !memchr("\"\\/bfnrt", e, 8)) {
            return false;
        }
    }
    return true;
}

/* Length of the word at `at`, 0 when it is none. An object does not end with a word, so there must be
 * a byte behind it. */
static inline u32 core_word(const struct core *c, u64 at)
{
    u64 left = c->size - at;
    const u8 *p = c->text + at;
    u32 n = left > 4 && (memcmp(p, "true", 4) == 0 || memcmp(p, "null", 4) == 0) ? 4
            : left > 5 && memcmp(p, "false", 5) == 0                             ? 5
                                                                                 : 0;
    return n && memchr(",]} \t\n\r", p[n], 7) ? n : 0;
}

/* Bits of the words that begin in this block or run into it. */
static inline u64 core_words(struct core *c, u64 base, u64 starts)
{
    u64 words = c->word;
    c->word = 0;
    for (; starts; starts &= starts - 1) {
        u32 at = (u32)__builtin_ctzll(starts), n = core_word(c, base + at);
        c->wrong |= n == 0;
        u64 bits = (1ull << n) - 1;
        words |= bits << at;
        if (at + n > 64)
            c->word |= bits >> (64 - at);
    }
    return words;
}

/* Numbers: a sign only in front or behind an exponent, digits around a dot, one dot, one exponent, the
 * dot before it, no zero in front of other digits. */
CORE void numbers(struct core *c, const u8 *p, u64 base, u64 scalar, u64 starts)
{
    struct index_digits d = index_digits(p);
    u64 words = core_words(c, base, starts & ~(d.digit | d.minus));
    scalar &= ~words;
    starts &= ~words;
    u64 digit = d.digit & scalar, minus = d.minus & scalar, plus = d.plus & scalar;
    u64 dot = d.dot & scalar, exponent = d.exponent & scalar, zero = d.zero & digit;
    u64 wrong = scalar & ~(digit | minus | plus | dot | exponent);
    u64 behind_exponent = shift(exponent, &c->exponent);
    u64 behind_digit = shift(digit, &c->digit);
    wrong |= minus & ~(starts | behind_exponent);
    wrong |= plus & ~behind_exponent;
    wrong |= shift(minus | plus | dot, &c->sign) & ~digit;
    wrong |= behind_exponent & ~(digit | plus | minus);
    wrong |= (dot | exponent) & ~behind_digit;
    wrong |= behind(dot, digit, &c->fraction) & dot;
    u64 power = exponent & ~((plus | minus) >> 1); /* its last sign: itself, or the sign behind it */
    power |= (plus | minus) & behind_exponent;
    wrong |= behind(power, digit, &c->power) & (dot | exponent);
    u64 first = (starts & zero) | (shift(minus & starts, &c->start_minus) & zero);
    wrong |= shift(first, &c->zero) & digit;
    c->wrong |= wrong;
}

/* One bracket: the stack, and rule 4 for the commas since the bracket before it. */
CORE void bracket(struct core *c, u64 base, u32 at, bool opens, bool keep)
{
    struct index *x = c->x;
    bool object = c->text[base + at] & 0x20;
    u32 number = x->bracket_n;
    if (opens) {
        if (UNLIKELY(c->depth == SCAN_DEPTH_MAX || c->end)) {
            c->wrong |= 1;
            return;
        }
        u64 bit = 1ull << (c->depth % 64), *word = &c->kinds[c->depth / 64];
        *word = object ? *word | bit : *word & ~bit;
        if (keep)
            x->stack[c->depth] = number;
        c->depth++;
    } else {
        if (UNLIKELY(c->depth == 0)) {
            c->wrong |= 1;
            return;
        }
        c->depth--;
        c->wrong |= (c->kinds[c->depth / 64] >> (c->depth % 64) & 1) != object;
        if (keep) {
            u32 mate = x->stack[c->depth];
            x->brackets[mate].mate = number;
            x->brackets[number].mate = mate;
        }
        if (c->depth == 0)
            c->end = base + at + 1;
    }
    if (keep) {
        x->brackets[number].at = (u32)(base + at);
        x->bracket_n = number + 1;
    }
}

/* 1 in an object, 0 in an array; nothing but blanks may stand at the top, which build() sees to. */
CORE u64 container(const struct core *c)
{
    u32 level = c->depth ? c->depth - 1 : 0;
    return c->kinds[level / 64] >> (level % 64) & 1;
}

/* All brackets of a block. in_array and in_object: operators behind a comma that say what it stands
 * in. */
CORE void brackets(struct core *c, u64 base, u64 open, u64 close, u64 in_array, u64 in_object,
                   enum index_mode mode)
{
    u64 all = open | close, done = 0;
    for (; all; all &= all - 1) {
        u32 at = (u32)__builtin_ctzll(all);
        u64 upto = all ^ (all - 1), part = upto & ~done;
        if (mode == INDEX_CHECKED)
            c->wrong |= part & (container(c) ? in_array : in_object);
        done = upto;
        bracket(c, base, at, open >> at & 1, mode != INDEX_SKIP);
    }
    if (mode == INDEX_CHECKED)
        c->wrong |= ~done & (container(c) ? in_array : in_object);
}

CORE void grammar(struct core *c, const u8 *p, u64 base, const struct index_masks *m, u64 quotes,
                  u64 in_string, u64 ops)
{
    u64 blank = m->blank & ~in_string, open = m->open & ops, close = m->close & ops;
    u64 comma = m->comma & ops, colon = m->colon & ops;
    u64 scalar = ~(in_string | quotes | ops | blank);
    u64 starts = scalar & ~shift(scalar, &c->scalar);
    u64 value = (quotes & in_string) | starts | open;
    u64 sep = behind(comma | colon | open, blank, &c->sep);
    u64 after_open = behind(open, blank, &c->open);
    u64 wrong = value & ~sep;
    wrong |= (comma | colon) & sep;
    wrong |= close & sep & ~after_open;
    wrong |= colon & ~behind(quotes & ~in_string, blank, &c->string_end);
    u64 after_comma = behind(comma, ~ops, &c->comma);
    u64 after_curly = behind(m->curly & ops, ~ops, &c->curly);
    wrong |= colon & ~(after_comma | after_curly);
    wrong |= after_curly & ops & ~(colon | (close & after_open));
    wrong |= m->control & in_string;
    c->wrong |= wrong;
    c->high |= m->high;
    if (scalar | c->word | c->sign | c->exponent | c->digit)
        numbers(c, p, base, scalar, starts);
    brackets(c, base, open, close, after_comma & ops & ~colon, after_comma & colon, INDEX_CHECKED);
}

CORE void block(struct core *c, const u8 *p, u64 base, enum index_mode mode)
{
    struct index_masks m = index_masks(p);
    u64 escaped = 0;
    if (UNLIKELY(m.slash | c->escaped)) {
        escaped = escapes(c, m.slash);
        m.quote &= ~escaped;
    }
    u64 in_string = index_parity(m.quote) ^ c->in_string;
    c->in_string = (u64)((i64)in_string >> 63);
    u64 ops = (m.open | m.close | m.comma | m.colon) & ~in_string;
    if (mode != INDEX_SKIP) {
        c->x->blocks[base / 64] = (struct index_block){m.quote, m.colon & ops, ops};
        if (UNLIKELY(c->x->bracket_n + 64 > c->x->bracket_cap))
            index_more_brackets(c->x);
    }
    if (mode == INDEX_CHECKED) {
        if (UNLIKELY(m.slash | escaped))
            c->wrong |= (m.slash & ~in_string) | !core_good_escapes(c, base, escaped);
        grammar(c, p, base, &m, m.quote, in_string, ops);
    } else {
        brackets(c, base, m.open & ops, m.close & ops, 0, 0, mode);
    }
}

CORE bool build(struct index *x, str text, enum index_mode mode)
{
    struct core c = {.x = x, .text = (const u8 *)text.p, .size = text.n, .sep = 1};
    u64 base = 0;
    u8 rest[64];
    c.kinds[0] = 0;
    for (; base + 64 <= text.n && (mode != INDEX_CHECKED || !c.wrong); base += 64)
        block(&c, c.text + base, base, mode);
    if (base < text.n && !c.wrong) {
        memset(rest, ' ', sizeof(rest));
        memcpy(rest, c.text + base, text.n - base);
        block(&c, rest, base, mode);
    }
    if (c.wrong || c.in_string || !c.end || c.depth)
        return false;
    for (u64 i = c.end; i < text.n; i++)
        if (!memchr(" \t\n\r", text.p[i], 4))
            return false;
    if (mode != INDEX_CHECKED)
        return true;
    return text.p[x->brackets[0].at] == '{' && (!c.high || str_is_utf8(text));
}

#undef CORE

#endif
