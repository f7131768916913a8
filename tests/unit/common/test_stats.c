/* stats.[ch]: counters are read where they live. */
#include "common/stats.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>

static void counting(void **state)
{
    static struct stats s;
    struct buf b = {0};
    u64 sent = 0, lost = 0;
    stats_json(&s, &b);
    assert_string_equal(b.p, "{}");
    stats_add(&s, "messages_sent", &sent);
    stats_add(&s, "messages_lost", &lost);
    sent = UINT64_MAX;
    assert_true(stats_get(&s, "messages_sent") == UINT64_MAX);
    assert_true(stats_get(&s, "messages_lost") == 0);
    assert_true(stats_get(&s, "nothing") == 0);
    buf_reset(&b);
    stats_json(&s, &b);
    assert_string_equal(b.p, "{\"messages_sent\":18446744073709551615,\"messages_lost\":0}");
    buf_deinit(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(counting)};
    return cmocka_run_group_tests_name("stats", tests, NULL, NULL);
}
