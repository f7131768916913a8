#include "tests/sim/chance.h"

#include "common/base/id.h"

static struct id_source series[CHANCE_COUNT];

void chance_init(u64 seed)
{
    struct id_source all;

    id_init(&all, seed + 1);
    for (size_t i = 0; i < CHANCE_COUNT; i++)
        id_init(&series[i], id_u64(&all) | 1);
}

u64 chance_u64(enum chance of)
{
    return id_u64(&series[of]);
}

u64 chance_below(enum chance of, u64 n)
{
    assert(n > 0);
    return id_u64(&series[of]) % n;
}

i64 chance_between(enum chance of, i64 low, i64 high)
{
    assert(low <= high);
    return low + (i64)chance_below(of, (u64)(high - low) + 1);
}

bool chance_one_in(enum chance of, u64 n)
{
    return chance_below(of, n) == 0;
}

i64 chance_skewed(enum chance of, i64 low, i64 high)
{
    u64 span = (u64)(high - low) + 1;
    int bits = 64 - __builtin_clzll(span);
    u64 below = MIN((u64)1 << chance_between(of, 0, bits), span);

    return low + (i64)chance_below(of, below);
}
