/* Matches brackets and checks them against what commas imply about the enclosing bracket; part of
 * index_core.h.
 *
 * All brackets of a group are compacted side by side, one bit each. Then every opening bracket that
 * is directly followed by its closing one is removed, repeatedly, until none is left: what remains
 * is closing brackets, which are checked against the stack, and then opening ones, which are
 * pushed. Nearly all brackets go in the first round or two, so the cost is per group, not per
 * bracket. */
#ifndef TOQUE_FILTER_INDEX_BRACKETS_H
#define TOQUE_FILTER_INDEX_BRACKETS_H

/* Open brackets, as in struct core. */
struct stack {
    u64 kinds, closed, bad;
    u32 depth;
};

static void open_bracket(struct stack *s, struct index *x, u64 kind)
{
    if (s->depth == SCAN_DEPTH_MAX || s->closed) {
        s->bad = 1;
        return;
    }
    if (s->depth >= 64)
        x->buried[s->depth - 64] = (u8)(s->kinds >> 63);
    s->kinds = s->kinds << 1 | kind;
    s->depth++;
}

static void close_bracket(struct stack *s, const struct index *x, u64 kind)
{
    if (s->depth == 0) {
        s->bad = 1;
        return;
    }
    s->bad |= (s->kinds ^ kind) & 1;
    s->kinds >>= 1;
    if (s->depth > 64)
        s->kinds |= (u64)x->buried[s->depth - 65] << 63;
    s->closed = --s->depth == 0;
}

static __attribute__((noinline)) void one_by_one(struct stack *s, struct index *x,
                                                 const struct brackets *b, enum index_mode mode)
{
    for (u32 i = 0; i < LANES; i++)
        for (u64 all = b->all.at[i]; all; all &= all - 1) {
            u64 bit = all & (0 - all), kind = (b->curly.at[i] & bit) != 0;
            if (mode == INDEX_CHECKED && s->depth && b->open.at[i] & bit)
                s->bad |= (s->kinds ^ ((b->in_object.at[i] & bit) != 0)) & 1;
            if (b->open.at[i] & bit)
                open_bracket(s, x, kind);
            else
                close_bracket(s, x, kind);
        }
}

/* Handles any number and depth of brackets. */
CORE void any_brackets(struct core *c, const struct brackets *b, enum index_mode mode)
{
    struct stack s = {c->kinds, c->closed, c->bad, c->depth};
    struct brackets these = *b;

    one_by_one(&s, c->x, &these, mode);
    c->kinds = s.kinds;
    c->closed = s.closed;
    c->bad = s.bad;
    c->depth = s.depth;
}

#if LANES == 1

CORE void brackets(struct core *c, struct brackets *b, enum index_mode mode)
{
    u64 kinds = c->kinds, bad = 0, all = b->all.all;
    u32 opened = block_count(b->open.all), closed = block_count(all) - opened;

    if (UNLIKELY(c->depth <= closed || c->depth + opened > 64)) {
        any_brackets(c, b, mode);
        return;
    }
    for (; all; all &= all - 1) {
        u64 bit = all & (0 - all), kind = (b->curly.all & bit) != 0;
        if (b->open.all & bit) {
            if (mode == INDEX_CHECKED)
                bad |= (kinds ^ ((b->in_object.all & bit) != 0)) & 1;
            kinds = kinds << 1 | kind;
        } else {
            bad |= (kinds ^ kind) & 1;
            kinds >>= 1;
        }
    }
    c->depth += opened - closed;
    c->kinds = kinds;
    c->bad |= bad;
}

#else

/* Brackets side by side, followed by those that were removed at the end. */
struct run {
    u64 open, curly;
    u64 around; /* 1: the bracket must be within an object; 0: within an array */
    u32 n;
    u64 tail, tail_around; /* 1: some were removed; these must be within an object */
};
enum { RUN_MAX = 63 };

/* False: too many. */
CORE bool run_of(struct run *r, const struct brackets *b, enum index_mode mode)
{
    *r = (struct run){0};
#pragma GCC unroll 8
    for (u32 i = 0; i < LANES; i++) {
        u64 all = b->all.at[i];
        u32 to = r->n % 64;
        r->open |= index_pick(b->open.at[i], all) << to;
        r->curly |= index_pick(b->curly.at[i], all) << to;
        if (mode == INDEX_CHECKED)
            r->around |= index_pick(b->in_object.at[i], all) << to;
        r->n += (u32)__builtin_popcountll(all);
    }
    r->around |= r->curly & ~r->open; /* closing ones are within the bracket that they close */
    return r->n <= RUN_MAX;
}

/* Removes pairs until none is left. A bracket inside an opening one takes its kind as context, one
 * after a pair has the pair's context. False: malformed. */
CORE bool run_reduce(struct run *r, enum index_mode mode)
{
    u64 wrong = 0;

    for (;;) {
        u64 all = (1ull << r->n) - 1, close = all & ~r->open, pairs = r->open & close >> 1;
        if (mode == INDEX_CHECKED)
            wrong |= r->open << 1 & all & (r->curly << 1 ^ r->around);
        else
            wrong |= pairs & (r->curly ^ r->curly >> 1);
        if (!pairs)
            break;
        u64 gone = pairs | pairs << 1, stay = all & ~gone, tail = gone >> (r->n - 1) & 1;
        if (mode == INDEX_CHECKED) {
            u64 last = r->around >> (r->n - 2);
            wrong |= pairs & all >> 2 & (r->around ^ r->around >> 2);
            wrong |= tail & r->tail & (last ^ r->tail_around);
            r->tail_around = tail ? last : r->tail_around;
            r->around = index_pick(r->around, stay);
        }
        r->tail |= tail;
        r->open = index_pick(r->open, stay);
        r->curly = index_pick(r->curly, stay);
        r->n = (u32)__builtin_popcountll(stay);
    }
    return !wrong;
}

/* Bit order reversed. */
CORE u64 reversed(u64 x)
{
    x = (x >> 1 & 0x5555555555555555ull) | (x & 0x5555555555555555ull) << 1;
    x = (x >> 2 & 0x3333333333333333ull) | (x & 0x3333333333333333ull) << 2;
    x = (x >> 4 & 0x0F0F0F0F0F0F0F0Full) | (x & 0x0F0F0F0F0F0F0F0Full) << 4;
    return __builtin_bswap64(x);
}

CORE void brackets(struct core *c, struct brackets *b, enum index_mode mode)
{
    struct run r;
    u32 depth = c->depth;
    u64 kinds = c->kinds, bad = 0;

    __asm__("" : "+m"(*b)); /* loading lanes from memory is faster than extracting them */
    bool fits = run_of(&r, b, mode);
    if (UNLIKELY(!r.n))
        return;
    if (UNLIKELY(!fits || depth > 64 || c->closed)) {
        any_brackets(c, b, mode);
        return;
    }
    if (depth == 0) { /* the root stays open to the end */
        bad = !(r.open & 1);
        kinds = r.curly & 1;
        depth = 1;
        r = (struct run){r.open >> 1, r.curly >> 1, r.around >> 1, r.n - 1, 0, 0};
    }
    bad |= !run_reduce(&r, mode);
    u32 opens = (u32)__builtin_popcountll(r.open), closes = r.n - opens;
    if (UNLIKELY(closes > depth || depth - closes + opens > 64)) {
        any_brackets(c, b, mode);
        return;
    }
    bad |= (kinds ^ r.curly) & ((1ull << closes) - 1);
    kinds >>= closes;
    c->closed = depth == closes;
    c->bad |= bad | (c->closed & (opens != 0 || r.tail));
    if (mode == INDEX_CHECKED && !c->closed) {
        u64 known = opens ? 1 : r.tail;
        c->bad |= known & (kinds ^ (opens ? r.around >> closes : r.tail_around));
    }
    c->depth = depth - closes + opens;
    c->kinds = opens ? kinds << opens | reversed(r.curly >> closes) >> (64 - opens) : kinds;
}

#endif

#endif
