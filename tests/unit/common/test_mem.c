/* mem.[ch]: pieces are zeroed, arenas keep their pieces apart and give everything back at once. */
#include "common/base/mem.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

static void pieces(void **state)
{
    u8 *p = mem_alloc(100);
    for (int i = 0; i < 100; i++)
        assert_int_equal(p[i], 0);
    p = mem_grow(p, 200);
    mem_free(p);
    u64 *a = mem_array(50, sizeof *a);
    for (int i = 0; i < 50; i++)
        assert_int_equal(a[i], 0);
    mem_free(a);
    mem_free(mem_alloc(0));
    mem_free(NULL);
    char *copy = mem_dup(STR("topic"));
    assert_string_equal(copy, "topic");
    mem_free(copy);
    copy = mem_dup(STR_NONE);
    assert_string_equal(copy, "");
    mem_free(copy);
    copy = mem_printf("%s-%d", "queue", 7);
    assert_string_equal(copy, "queue-7");
    mem_free(copy);
}

static void overflow(void)
{
    volatile size_t many = SIZE_MAX / 4;
    mem_free(mem_array(many, 8));
}

/* What nobody can have ends the program by SIGABRT, with a line on standard error. */
static void stops_when_memory_ends(void **state)
{
    int end[2], status;
    char line[64] = "";
    assert_int_equal(pipe(end), 0);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        struct rlimit no_core = {0};
        setrlimit(RLIMIT_CORE, &no_core);
        signal(SIGABRT, SIG_DFL);
        dup2(end[1], STDERR_FILENO);
        overflow();
        _exit(0);
    }
    close(end[1]);
    assert_true(read(end[0], line, sizeof line - 1) > 0);
    assert_non_null(strstr(line, "out of memory"));
    close(end[0]);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT);
}

/* Pieces of all sizes, filled with a byte of their own, still hold it when all are there. */
static void arena_keeps_apart(void **state)
{
    enum { PIECES = 2000 };
    struct arena a;
    arena_init(&a);
    for (int round = 0; round < 3; round++) {
        u8 *pieces_of[PIECES];
        for (int i = 0; i < PIECES; i++) {
            size_t size = (size_t)i * 7919 % (i % 100 == 0 ? 300000 : 700);
            pieces_of[i] = arena_alloc(&a, size);
            assert_int_equal((uintptr_t)pieces_of[i] % 8, 0);
            memset(pieces_of[i], i & 255, size);
        }
        for (int i = 0; i < PIECES; i++) {
            size_t size = (size_t)i * 7919 % (i % 100 == 0 ? 300000 : 700);
            for (size_t k = 0; k < size; k++)
                assert_true(pieces_of[i][k] == (i & 255));
        }
        arena_reset(&a);
    }
    arena_deinit(&a);
}

static void arena_texts(void **state)
{
    struct arena a;
    arena_init(&a);
    arena_reset(&a); /* harmless before the first piece */
    str s = arena_dup(&a, STR("subscription"));
    assert_true(str_is(s, "subscription"));
    assert_int_equal(s.p[s.n], 0);
    str t = arena_printf(&a, "%d/%s", 42, "x");
    assert_true(str_is(t, "42/x"));
    assert_int_equal(t.p[t.n], 0);
    assert_true(str_is(s, "subscription"));
    assert_int_equal(arena_dup(&a, STR_NONE).n, 0);
    u8 *z = memset(arena_alloc(&a, 64), 0xFF, 64);
    arena_reset(&a);
    z = arena_zalloc(&a, 64);
    for (int i = 0; i < 64; i++)
        assert_int_equal(z[i], 0);
    arena_deinit(&a);
    assert_null(a.blocks);
}

#ifdef __SANITIZE_ADDRESS__ /* every piece is apart then, and nothing is kept */
#define AGAIN(p, first) assert_true((p) && (first))
#else
#define AGAIN(p, first) assert_ptr_equal(p, first)
#endif

/* After a reset the kept block serves again: the same addresses come back. */
static void arena_keeps_one_block(void **state)
{
    struct arena a;
    arena_init(&a);
    void *first = arena_alloc(&a, 100);
    arena_reset(&a);
    AGAIN(arena_alloc(&a, 100), first);
    arena_deinit(&a);
}

static void arena_keeps_no_large_block(void **state)
{
    struct arena a;
    arena_init(&a);
    arena_alloc(&a, 300 * 1024);
    arena_reset(&a);
    assert_null(a.blocks);
    arena_deinit(&a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pieces),
        cmocka_unit_test(stops_when_memory_ends),
        cmocka_unit_test(arena_keeps_apart),
        cmocka_unit_test(arena_texts),
        cmocka_unit_test(arena_keeps_one_block),
        cmocka_unit_test(arena_keeps_no_large_block),
    };
    return cmocka_run_group_tests_name("mem", tests, NULL, NULL);
}
