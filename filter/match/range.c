/* Numeric ranges. A range that must fire is anchored in blocks: doubles map to integers of the same
 * order, and a range between two bounds is covered by at most two blocks whose size is a power of
 * two hardly larger than the range. A value lies in one block of each size in use; the few ranges
 * found there are compared exactly. Doubles only preselect; equal or adjacent ones are decided by
 * the decimals. */
#include <math.h>

#include "filter/policy/digits.h"
#include "filter/match/matcher.h"

/* Blocks larger than this contain a large part of all numbers: such a range is evaluated on demand,
 * not looked up. */
enum { LEVEL_MAX = 58 };

u64 range_key(double d)
{
    u64 bits;

    if (d == 0)
        d = 0; /* -0 is 0 */
    memcpy(&bits, &d, sizeof(bits));
    return bits >> 63 ? ~bits : bits | 1ull << 63;
}

void range_block(u64 key, u32 level, char out[RANGE_BLOCK_SIZE])
{
    u64 block = key >> level;

    out[0] = (char)level;
    memcpy(out + 1, &block, sizeof(block));
}

u32 range_blocks(const struct range *r, char blocks[2][RANGE_BLOCK_SIZE])
{
    if (!r->exact.has_low || !r->exact.has_high)
        return 0;
    double low_error = fabs(r->low) * DECIMAL_ERROR + DECIMAL_LEAST;
    double high_error = fabs(r->high) * DECIMAL_ERROR + DECIMAL_LEAST;
    u64 low = range_key(r->low - low_error), high = range_key(r->high + high_error);
    u32 level = high > low ? 64 - (u32)__builtin_clzll(high - low) : 0;
    if (level > LEVEL_MAX || high < low)
        return 0;
    range_block(low, level, blocks[0]);
    if (low >> level == high >> level)
        return 1;
    range_block(high, level, blocks[1]);
    return 2;
}

static void keep_number(struct number *n, char **at)
{
    if (n->span)
        memcpy(*at, n->digits, n->span);
    n->digits = *at;
    *at += n->span;
}

struct range *range_new(struct matcher *m, const struct policy_range *exact, str key)
{
    size_t size = sizeof(struct range) + key.n;

    size += exact->has_low ? exact->low.span : 0;
    size += exact->has_high ? exact->high.span : 0;
    struct range *r = matcher_alloc(m, size);
    char *at = (char *)(r + 1);
    *r = (struct range){.size = (u32)size, .exact = *exact};
    r->low = exact->has_low ? decimal_approx_of(&exact->low) : -INFINITY;
    r->high = exact->has_high ? decimal_approx_of(&exact->high) : INFINITY;
    if (exact->has_low)
        keep_number(&r->exact.low, &at);
    if (exact->has_high)
        keep_number(&r->exact.high, &at);
    memcpy(at, key.p, key.n);
    r->key = str_from(at, key.n);
    return r;
}

bool range_takes(const struct range *r, struct value *v)
{
    double approx = event_approx(v);
    int low = r->exact.has_low ? decimal_against(approx, r->low) : 1;
    int high = r->exact.has_high ? decimal_against(approx, r->high) : -1;

    if (low < 0 || high > 0)
        return false;
    if (LIKELY(low && high))
        return true;
    struct number exact = event_exact(v);
    if (!low) {
        int order = number_cmp(&exact, &r->exact.low);
        if (order < 0 || (order == 0 && r->exact.low_open))
            return false;
    }
    if (!high) {
        int order = number_cmp(&exact, &r->exact.high);
        if (order > 0 || (order == 0 && r->exact.high_open))
            return false;
    }
    return true;
}

/* The smallest and largest of the consecutive numbers of one shape from `at` on, by their texts;
 * `at` itself when it has no shape. Returns the first value after them. */
static u32 find_ends(struct value *values, u32 at, u32 *ret_least, u32 *ret_most)
{
    struct digits_shape shape;
    digits_place here, least, most;

    *ret_least = *ret_most = at;
    if (!digits_shape(values[at].text, &shape) || !digits_place_of(&shape, values[at].text, &least))
        return values[at].next;
    most = least;
    for (at = values[at].next; at; at = values[at].next) {
        const struct value *v = &values[at];
        if (v->kind != VALUE_NUMBER || !digits_place_of(&shape, v->text, &here))
            break;
        *ret_least = here < least ? at : *ret_least;
        least = here < least ? here : least;
        *ret_most = here > most ? at : *ret_most;
        most = here > most ? here : most;
    }
    return at;
}

static void find_bounds(struct matcher *m, struct path_seen *seen)
{
    struct value *values = m->event.values;

    seen->low = INFINITY;
    seen->high = -INFINITY;
    seen->has_bounds = true;
    for (u32 at = seen->first, ends[2]; at;) {
        if (values[at].kind != VALUE_NUMBER) {
            at = values[at].next;
            continue;
        }
        at = find_ends(values, at, &ends[0], &ends[1]);
        for (u32 i = 0; i < 2; i++) { /* reversed below zero */
            double approx = event_approx(&values[ends[i]]);
            seen->low = MIN(seen->low, approx);
            seen->high = MAX(seen->high, approx);
        }
    }
}

int range_takes_some(struct matcher *m, const struct range *r, u32 path)
{
    struct path_seen *seen = &m->seen[path];

    if (!seen->has_bounds)
        find_bounds(m, seen);
    double low = seen->low, high = seen->high;
    bool has_low = r->exact.has_low, has_high = r->exact.has_high;
    int least = has_low ? decimal_against(high, r->low) : 1;
    int most = has_high ? decimal_against(low, r->high) : -1;
    if (low > high || least < 0 || most > 0)
        return -1;
    if (least > 0 && (!has_high || decimal_against(high, r->high) < 0))
        return 1;
    if (most < 0 && (!has_low || decimal_against(low, r->low) > 0))
        return 1;
    return 0;
}
