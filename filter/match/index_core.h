/* How an index is made, for every kind of instructions: included by one file for each, after it has
 * defined
 *
 *     LANES, lanes      how many blocks of 64 bytes are treated at once, and a vector of so many
 *                       u64, of which lane i is of block i; C's operators work on them
 *     lanes_any(x)      whether a bit is set
 *     lanes_tops(x)     the lanes' highest bits, as a number
 *     lanes_spread(n)   its inverse: all bits of lane i are bit i of n
 *     lanes_up(x, y)    every lane of x moved to the next; the first is the last of y
 *     lanes_add(x, y, &carry)     the sum as of one long number, with a carry of 0 or 1
 *     lanes_parity(x, &odd)       bit i of each lane: parity of its bits 0 to i; and which lanes'
 *                       whole parity is odd
 *     struct bytes, index_bytes(b, text, size, base)  the bytes of the group from `base` on; those
 *                       behind the end are blanks
 *     index_marks(b, g), index_masks(b, g), index_digits(b, g), index_powers(b, g)
 *                       the classes of these bytes: what structure needs, what the grammar needs
 *                       beside it, what numbers need, and what is rare in numbers
 *     index_depths(open, close, depth, least)
 *                       fills in least (index.h) for a group that begins with `depth` open
 *                       brackets; returns how many are open at its end
 *     index_pick(x, mask)         of groups of several blocks: the bits of x that are in the mask,
 *                       side by side
 *
 * Bytes are classified a block at a time, and everything else is arithmetic on the bits of a whole
 * group of blocks, so that it costs little for each. Only what is rare in bodies (escapes, words,
 * exponents, empty brackets, blanks before colons) is looked at byte by byte. */
#ifndef TOQUE_FILTER_INDEX_CORE_H
#define TOQUE_FILTER_INDEX_CORE_H

#include "common/base/ascii.h"
#include "filter/match/index.h"

#define CORE static inline __attribute__((always_inline))

/* Lanes one by one. */
union set {
    lanes all;
    u64 at[LANES];
};

/* Classes of the bytes of a group, one bitmap each. */
struct group {
    union {
        struct {
            union set quote, slash;
            union set open, close; /* {[ and }] */
            union set curly;       /* of brackets: it is a brace; otherwise meaningless */
            union set comma, colon, blank;
        };
        union set marks[8];
    };
    union {
        struct {
            union set control; /* below the blank */
            union set high;    /* 0x80 and above */
            union set digit, zero, minus, dot;
            union set plus, exponent;
        };
        union set masks[8];
    };
};

/* What behind() carries from one group to the next. */
struct carry {
    lanes before;
    u64 over;
};

/* Literals and exponents that continue in the next block. */
struct rare {
    u64 word; /* bits in the next block */
    u64 plus, exponent, power;
    u64 last_digit;
    u64 any; /* one of them is unfinished */
    u64 bad;
};

/* State carried from one group to the next. The parts for rare cases are copied for their use, so
 * that everything else can stay in registers. */
struct core {
    struct index *x;
    const u8 *text;
    u64 size;
    lanes wrong; /* any bit here, or in one of the bad ones: malformed */
    u64 bad;
    lanes high;
    u64 in_string; /* the group ended in a string */
    u64 escaped;
    /* one bit each, innermost lowest: it is a brace */
    u64 kinds;  /* a bit for each, the innermost lowest: it is a brace */
    u64 closed; /* the root was */
    u32 depth;
    /* The grammar; classes of the previous group: */
    lanes quote, scalar;
    struct carry sep;
    struct carry giver; /* comma or opening brace */
    struct carry comma; /* after another comma */
    struct carry colon;
    lanes sign, digit, first_minus, first_zero;
    struct carry fraction; /* runs of digits after a dot */
    bool running;          /* its last byte was within a scalar */
    struct rare rare;
};

CORE void index_bytes(struct bytes *b, const u8 *text, u64 size, u64 base);
CORE void index_marks(const struct bytes *b, struct group *g);
CORE void index_masks(const struct bytes *b, struct group *g);
CORE void index_digits(const struct bytes *b, struct group *g);
CORE void index_powers(const struct bytes *b, struct group *g);
#if LANES > 1
CORE u64 index_pick(u64 x, u64 mask);
#endif
CORE u32 index_depths(lanes open, lanes close, u32 depth, i32 *least);

/* The bits directly after those of `x`. */
CORE lanes shift(lanes x, lanes *before)
{
    lanes next = x << 1 | lanes_up(x, *before) >> 63;

    *before = x;
    return next;
}

/* The same, moved up past all of `filler`: an addition, whose carry runs through the bits that are
 * skipped. */
CORE lanes behind(lanes x, lanes filler, struct carry *c)
{
    lanes next = shift(x, &c->before);
    lanes sum = lanes_add(next & filler, filler, &c->over);

    return (next | sum) & ~filler;
}

/* Bit i: parity of bits 0 to i, and of the previous groups. */
CORE lanes parity(lanes x, u64 *before)
{
    u64 odd;

    x = lanes_parity(x, &odd);
    odd ^= odd << 1;
    odd ^= odd << 2;
    odd ^= odd << 4;
    u64 flip = odd << 1 ^ (0 - *before);
    *before ^= odd >> (LANES - 1) & 1;
    return x ^ lanes_spread(flip);
}

/* The brackets of a group. */
struct brackets {
    union set all, open, curly;
    union set in_object; /* opening ones that must be within an object; the others within an
                          * array */
};

#include "filter/match/index_grammar.h"

/* --- escapes ---------------------------------------------------------------------------------- */

struct core_bits {
    u64 bits, carry; /* in this block, and in the next */
};

/* Bytes after an odd number of backslashes. Adding a run and its first bit gives the bit after it;
 * a run that begins at an even position and ends before an odd one has odd length, and vice
 * versa. */
CORE struct core_bits core_escapes(u64 slash, u64 carried)
{
    const u64 even = 0x5555555555555555ull;
    u64 run = slash & ~carried, first = run & ~(run << 1), sum;
    u64 ends = (run + (first & even)) & ~run & ~even;
    bool over = __builtin_add_overflow(run, first & ~even, &sum);

    return (struct core_bits){.bits = ends | (sum & ~run & even) | carried, .carry = over};
}

/* Removes escaped quotes. Escaped characters are checked as the mode requires. */
CORE void unescape(struct core *c, struct group *g, u64 base, enum index_mode mode)
{
    for (u32 i = 0; i < LANES; i++) {
        u64 slash = g->slash.at[i];
        if (!(slash | c->escaped))
            continue;
        struct core_bits e = core_escapes(slash, c->escaped);
        c->escaped = e.carry;
        g->quote.at[i] &= ~e.bits;
        if (mode == INDEX_CHECKED)
            c->bad |= !core_good_escapes(c->text, c->size, base + (u64)i * 64, e.bits);
    }
    c->x->has_escapes = true;
}

#include "filter/match/index_brackets.h"

/* --- groups ----------------------------------------------------------------------------------- */

CORE void keep(u64 *map, u64 base, lanes bits)
{
    memcpy(map + base / 64, &bits, sizeof(bits));
}

CORE void group(struct core *c, u64 base, enum index_mode mode)
{
    struct group g;
    struct bytes bytes;

    index_bytes(&bytes, c->text, c->size, base);
    index_marks(&bytes, &g);
    if (mode == INDEX_CHECKED)
        index_masks(&bytes, &g);
    if (UNLIKELY(lanes_any(g.slash.all) | c->escaped))
        unescape(c, &g, base, mode);
    lanes in = parity(g.quote.all, &c->in_string), none = {0};
    g.open.all &= ~in;
    g.close.all &= ~in;
    u32 depth = index_depths(g.open.all, g.close.all, c->depth, c->x->least + base / 64);
    if (mode == INDEX_SKIP) {
        c->depth = depth;
        return;
    }
    g.colon.all &= ~in;
    g.comma.all &= ~in;
    lanes ops = g.open.all | g.close.all | g.colon.all | g.comma.all;
    keep(c->x->quotes, base, g.quote.all);
    keep(c->x->ops, base, ops);
    keep(c->x->opens, base, g.open.all);
    keep(c->x->closes, base, g.close.all);
    struct brackets b = {{g.open.all | g.close.all}, g.open, g.curly, {none}};
    if (mode == INDEX_CHECKED)
        grammar(c, &bytes, &g, base, in, ops, &b.in_object.all);
    brackets(c, &b, mode);
}

CORE void begin(struct core *c, struct index *x, str text)
{
    const lanes none = {0};
    union set last = {none};

    last.at[LANES - 1] = 1ull << 63;
    c->x = x;
    c->text = (const u8 *)text.p;
    c->size = text.n;
    c->wrong = c->high = c->quote = c->scalar = none;
    c->giver = c->comma = c->colon = c->fraction = (struct carry){none, 0};
    c->sign = c->digit = c->first_minus = c->first_zero = none;
    c->bad = c->in_string = c->escaped = c->kinds = c->closed = 0;
    c->depth = 0;
    c->running = false;
    c->rare = (struct rare){0};
    c->sep.over = 0;
    c->sep.before = last.all; /* a value may begin */
}

CORE bool build(struct index *x, str text, enum index_mode mode)
{
    struct core c;
    size_t from = 0, to = text.n;

    while (from < to && ascii_is_blank(text.p[from]))
        from++;
    while (to > from && ascii_is_blank(text.p[to - 1]))
        to--;
    if (from == to || (text.p[from] != '{' && (mode == INDEX_CHECKED || text.p[from] != '[')))
        return false;
    x->root = (u32)from;
    begin(&c, x, text);
    for (u64 base = 0; base < text.n; base += 64 * LANES) {
        group(&c, base, mode);
        if (mode == INDEX_CHECKED && UNLIKELY(lanes_any(c.wrong) | c.bad | c.rare.bad))
            return false;
    }
    if (c.bad || c.in_string || c.depth)
        return false;
    if (mode == INDEX_SKIP)
        return true;
    /* The last bracket is the root's, and nothing follows it. */
    if (!c.closed || (text.p[to - 1] != '}' && text.p[to - 1] != ']'))
        return false;
    return mode != INDEX_CHECKED || !lanes_any(c.high) || str_is_utf8(text);
}

#endif
