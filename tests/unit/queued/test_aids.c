/* Test aids when the store fails. */
#include "queued/aids.h"
#include "tests/unit/queued/rig.h"

static void aids_order(struct rig *r, const char *name, u32 twice)
{
    struct aids *a = mem_alloc(sizeof *a);
    *a = (struct aids){.twice = twice};
    rig_queue(r, name)->aids = a;
}

/* A turn is lost, and the queues are read anew: each has its aids still, a queue that came with the
 * turn is gone with its own, and there are none where there were none. */
static void they_outlive_a_failing_store(void **state)
{
    struct rig *r = rig_started();
    struct rig_answer lost;
    rig_create(r, "a");
    rig_create(r, "b");
    rig_create(r, "none");
    aids_order(r, "a", 1);
    aids_order(r, "b", 2);
    u64 id = rig_queue(r, "a")->id;
    rig_fail_disk();
    rig_begin(r, &lost, "CreateQueue", "{'QueueName':'never'}");
    aids_order(r, "never", 3);
    RIG_UNTIL(r, lost.there);
    assert_int_equal(lost.status, 503);
    rig_end(&lost);
    assert_null(rig_queue(r, "never"));
    assert_int_equal(rig_queue(r, "a")->id, id);
    assert_int_equal(rig_queue(r, "a")->aids->twice, 1);
    assert_int_equal(rig_queue(r, "b")->aids->twice, 2);
    assert_null(rig_queue(r, "none")->aids);
    failing_vfs_heal();
    rig_free(r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(they_outlive_a_failing_store),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
