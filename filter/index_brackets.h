/* Brackets matched, and held against what commas say of the brackets around them; a part of
 * index_core.h.
 *
 * All brackets of a group are brought side by side, a bit each. Then an opening one with its
 * closing one right behind it is taken out, wherever there is one, until none is left: what remains
 * are closing ones, which the stack is held against, and then opening ones, which go onto it.
 * Nearly all brackets go in the first round or two, so the cost is that of the group, not of the
 * bracket. */
#ifndef TOQUE_FILTER_INDEX_BRACKETS_H
#define TOQUE_FILTER_INDEX_BRACKETS_H

/* Open brackets, as in struct core. */
struct stack {
    u64 kinds, end, bad;
    u32 depth;
};

static void open_bracket(struct stack *s, struct index *x, u64 at, u64 kind)
{
    if (s->depth == SCAN_DEPTH_MAX || s->end) {
        s->bad = 1;
        return;
    }
    if (s->depth == 0)
        x->root = (u32)at;
    if (s->depth >= 64)
        x->buried[s->depth - 64] = (u8)(s->kinds >> 63);
    s->kinds = s->kinds << 1 | kind;
    s->depth++;
}

static void close_bracket(struct stack *s, const struct index *x, u64 at, u64 kind)
{
    if (s->depth == 0) {
        s->bad = 1;
        return;
    }
    s->bad |= (s->kinds ^ kind) & 1;
    s->kinds >>= 1;
    if (s->depth > 64)
        s->kinds |= (u64)x->buried[s->depth - 65] << 63;
    if (--s->depth == 0)
        s->end = at + 1;
}

static __attribute__((noinline)) void one_by_one(struct stack *s, struct index *x, u64 base,
                                                 const struct brackets *b)
{
    for (u32 i = 0; i < LANES; i++)
        for (u64 all = b->open.at[i] | b->close.at[i]; all; all &= all - 1) {
            u64 bit = all & (0 - all), kind = (b->curly.at[i] & bit) != 0;
            u64 at = base + (u64)i * 64 + (u64)__builtin_ctzll(all);
            s->bad |= bit & (s->kinds & 1 ? b->in_array.at[i] : b->in_object.at[i]);
            if (b->open.at[i] & bit)
                open_bracket(s, x, at, kind);
            else
                close_bracket(s, x, at, kind);
        }
}

/* However many and deep they are. */
CORE void any_brackets(struct core *c, u64 base, const struct brackets *b)
{
    struct stack s = {c->kinds, c->end, c->bad, c->depth};
    struct brackets these = *b;
    one_by_one(&s, c->x, base, &these);
    c->kinds = s.kinds;
    c->end = s.end;
    c->bad = s.bad;
    c->depth = s.depth;
}

#if LANES == 1

CORE void brackets(struct core *c, u64 base, struct brackets *b, enum index_mode mode)
{
    u64 kinds = c->kinds, bad = 0, all = b->open.all | b->close.all;
    u32 closed = block_count(b->close.all), opened = block_count(b->open.all);
    if (UNLIKELY(c->depth <= closed || c->depth + opened > 64)) {
        any_brackets(c, base, b);
        return;
    }
    for (; all; all &= all - 1) {
        u64 bit = all & (0 - all), kind = (b->curly.all & bit) != 0;
        if (mode == INDEX_CHECKED)
            bad |= bit & (kinds & 1 ? b->in_array.all : b->in_object.all);
        if (b->open.all & bit) {
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

/* Brackets side by side. What is said of them is said of the place before each, and bit n is of the
 * place behind the last. */
struct run {
    u64 open, curly, in_array, in_object;
    u32 n;
};
enum { RUN_MAX = 63 };

/* False: they are too many. */
CORE bool run_of(struct run *r, const struct brackets *b, enum index_mode mode)
{
    *r = (struct run){0};
#pragma GCC unroll 8
    for (u32 i = 0; i < LANES; i++) {
        u64 all = b->open.at[i] | b->close.at[i];
        u32 to = r->n % 64;
        r->open |= index_pick(b->open.at[i], all) << to;
        r->curly |= index_pick(b->curly.at[i], all) << to;
        if (mode == INDEX_CHECKED) {
            r->in_array |= index_pick(b->in_array.at[i], all) << to;
            r->in_object |= index_pick(b->in_object.at[i], all) << to;
        }
        r->n += (u32)__builtin_popcountll(all);
    }
    return r->n <= RUN_MAX;
}

/* What is said of the places before pairs that go is said of the place behind them. */
CORE u64 handed_on(u64 said, u64 pairs, u64 gone, u64 stay)
{
    return index_pick((said & stay) | (((said & pairs) + gone) & stay), stay);
}

/* Takes out pairs until none is left. *ret_last: the last bracket was in one. False: not
 * well-formed. */
CORE bool run_reduce(struct run *r, enum index_mode mode, bool *ret_last)
{
    u64 wrong = 0, last = 0;
    for (;;) {
        u64 places = (2ull << r->n) - 1, all = places >> 1, close = all & ~r->open;
        u64 curly = (close & r->curly) | (r->open & r->curly) << 1;
        u64 square = (close & ~r->curly) | (r->open & ~r->curly) << 1;
        wrong |= (r->in_object & (square | r->in_array)) | (r->in_array & curly);
        u64 pairs = r->open & close >> 1;
        if (!pairs)
            break;
        wrong |= pairs & (r->curly ^ r->curly >> 1);
        u64 gone = pairs | pairs << 1, stay = places & ~gone;
        last |= gone & (places ^ all) >> 1;
        if (mode == INDEX_CHECKED) {
            r->in_array = handed_on(r->in_array, pairs, gone, stay);
            r->in_object = handed_on(r->in_object, pairs, gone, stay);
        }
        r->open = index_pick(r->open, stay);
        r->curly = index_pick(r->curly, stay);
        r->n = (u32)__builtin_popcountll(stay) - 1;
    }
    *ret_last = last != 0;
    return !wrong;
}

/* Place of the first bracket, or of the last. */
static u64 first_bracket(const struct brackets *b, u64 base)
{
    u32 i = 0;
    while (!(b->open.at[i] | b->close.at[i]))
        i++;
    return base + (u64)i * 64 + (u64)__builtin_ctzll(b->open.at[i] | b->close.at[i]);
}

static u64 last_bracket(const struct brackets *b, u64 base)
{
    u32 i = LANES - 1;
    while (!(b->open.at[i] | b->close.at[i]))
        i--;
    return base + (u64)i * 64 + 63 - (u64)__builtin_clzll(b->open.at[i] | b->close.at[i]);
}

/* The last bit first. */
CORE u64 reversed(u64 x)
{
    x = (x >> 1 & 0x5555555555555555ull) | (x & 0x5555555555555555ull) << 1;
    x = (x >> 2 & 0x3333333333333333ull) | (x & 0x3333333333333333ull) << 2;
    x = (x >> 4 & 0x0F0F0F0F0F0F0F0Full) | (x & 0x0F0F0F0F0F0F0F0Full) << 4;
    return __builtin_bswap64(x);
}

CORE void brackets(struct core *c, u64 base, struct brackets *b, enum index_mode mode)
{
    struct run r;
    u32 depth = c->depth;
    u64 kinds = c->kinds, bad = 0;
    __asm__("" : "+m"(*b)); /* lanes are read from memory, which is faster than taking them out */
    bool last, fits = run_of(&r, b, mode);
    if (UNLIKELY(!r.n))
        return;
    if (UNLIKELY(!fits || depth > 64 || c->end)) {
        any_brackets(c, base, b);
        return;
    }
    if (depth == 0) { /* the root is open to the end */
        bad = !(r.open & 1);
        c->x->root = (u32)first_bracket(b, base);
        kinds = r.curly & 1;
        depth = 1;
        r = (struct run){r.open >> 1, r.curly >> 1, r.in_array >> 1, r.in_object >> 1, r.n - 1};
    }
    bad |= !run_reduce(&r, mode, &last);
    u32 opens = (u32)__builtin_popcountll(r.open), closes = r.n - opens;
    if (UNLIKELY(closes > depth || depth - closes + opens > 64)) {
        any_brackets(c, base, b);
        return;
    }
    bad |= (kinds ^ r.curly) & ((1ull << closes) - 1);
    kinds >>= closes;
    bad |= (kinds & 1 ? r.in_array : r.in_object) >> closes & 1;
    if (depth == closes) {
        bad |= opens || last;
        c->end = last_bracket(b, base) + 1;
    }
    c->bad |= bad;
    c->depth = depth - closes + opens;
    c->kinds = kinds << opens | reversed(r.curly >> closes) >> 1 >> (63 - opens);
}

#endif

#endif
