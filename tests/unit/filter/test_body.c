/* The walk over a body: what it finds at a path is what was written there, in whatever order
 * members stand, however long their names and what lies between them are, and whoever asked before.
 */
#include "common/base/base.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "common/base/id.h"
#include "filter/match/index.h"
#include "filter/match/matcher.h"

/* Names that end or begin alike, with dots, and around the lengths that are remembered. */
static const char *const NAMES[] = {
    "a",
    "b",
    "ab",
    "a.b",
    "",
    "x",
    "name",
    "surname",
    "mapname",
    "twelve-chars",
    "thirteen-char",
    "fourteen-chars",
    "twenty-one-characters",
    "twenty-two-characters!",
    "a name of forty characters, which is one",
};
#define NAME_N ARRAY_LEN(NAMES)

struct text {
    char at[16384];
    size_t n;
};

static void put(struct text *t, const char *s)
{
    assert_true(t->n + strlen(s) < sizeof(t->at));
    memcpy(t->at + t->n, s, strlen(s) + 1);
    t->n += strlen(s);
}

/* A value that nobody asks for. */
static void put_other(struct text *t, struct id_source *r, u32 depth)
{
    static const char *const plain[] = {
        "1",
        "-0.5e+10",
        "true",
        "null",
        "\"\"",
        "\"{[,:]}\"",
        "[]",
        "{}",
        "[[],{}]",
        "[1,[2]]",
        "{\"a\":\"hit\"}",
        "\"\\\"\\\\\"",
        "\"\\u0061\"",
        "[{\"a\":{\"name\":\"hit\"}},{\"x\":[\"hit\"]}]",
    };
    u64 kind = id_u64(r) % 20;
    if (kind == 19 && depth < 6) {
        put(t, id_u64(r) % 2 ? "{\"in\":" : "{ \"in\" :\n\t");
        put_other(t, r, depth + 1);
        put(t, "}");
    } else if (kind == 18) {
        put(t, "\"");
        for (u64 n = id_u64(r) % 300; n > 0; n--)
            put(t, "z");
        put(t, "\"");
    } else if (kind == 17) {
        put(t, "[");
        for (u64 n = id_u64(r) % 60; n > 0; n--)
            put(t, "{\"a\":[1,2.5]},");
        put(t, "0]");
    } else {
        put(t, plain[kind % ARRAY_LEN(plain)]);
    }
}

static void put_name(struct text *t, struct id_source *r, const char *name)
{
    char letter[8];
    put(t, "\"");
    if (id_u64(r) % 30 == 0)
        for (; *name; name++) {
            snprintf(letter, sizeof(letter), "\\u%04x", (unsigned)(u8)*name);
            put(t, letter);
        }
    else
        put(t, name);
    put(t, id_u64(r) % 10 ? "\":" : "\" : ");
}

/* Every name several times or not at all, among others; the last one of a name counts. */
static void put_members(struct text *t, struct id_source *r, bool hits[NAME_N])
{
    u64 n = id_u64(r) % 24, same = id_u64(r) % 2;
    memset(hits, 0, NAME_N * sizeof(*hits));
    for (u64 i = 0; i < n; i++) {
        u64 name = same ? i % NAME_N : id_u64(r) % (NAME_N + 5);
        bool hit = id_u64(r) % 2;
        if (i)
            put(t, id_u64(r) % 10 ? "," : " ,\n");
        if (name < NAME_N && id_u64(r) % 8) {
            put_name(t, r, NAMES[name]);
            put(t, hit ? "\"hit\"" : "\"miss\"");
            hits[name] = hit;
        } else {
            put(t, id_u64(r) % 2 ? "\"other\":" : "\"a rather long name that nobody asks for\":");
            put_other(t, r, 0);
        }
    }
}

/* Policy `id` asks for name id % NAME_N, in the root or in `deep`. */
static void add(struct matcher *m, u32 id)
{
    char text[128];
    struct policy *p;
    struct fault f = {0};
    snprintf(text, sizeof(text),
             id < NAME_N ? "{\"%s\":[\"hit\"]}" : "{\"deep\":{\"%s\":[\"hit\"]}}",
             NAMES[id % NAME_N]);
    assert_int_equal(policy_new(&p, str_of(text), FILTER_BODY, &FILTER_LIMITS_NONE, &f), 0);
    matcher_add(m, id, p);
    policy_free(p);
}

static void check(struct matcher *m, const bool there[2 * NAME_N], const bool hits[2 * NAME_N],
                  str body)
{
    struct filter_hits h = {0};
    struct filter_message msg = {.body = body};
    bool told[2 * NAME_N] = {false};
    matcher_match(m, &msg, &h);
    for (size_t i = 0; i < h.n; i++)
        for (u32 k = 0; k < h.spans[i].n; k++)
            told[h.spans[i].ids[k]] = true;
    for (u32 i = 0; i < 2 * NAME_N; i++)
        if (told[i] != (there[i] && hits[i]))
            fail_msg("policy %u should %smatch %.*s", i, told[i] ? "not " : "", STR_ARG(body));
    filter_hits_deinit(&h);
}

static void walk_with(const char *instructions)
{
    struct id_source r;
    struct text t;
    bool there[2 * NAME_N] = {false}, hits[2 * NAME_N];
    if (!index_use(str_of(instructions)))
        return;
    struct matcher *m = matcher_new(NULL);

    id_init(&r, 11);
    for (u32 round = 0; round < 6000; round++) {
        u32 id = (u32)(id_u64(&r) % (2 * NAME_N));
        if (round % 8 == 0) {
            if (there[id])
                matcher_remove(m, id);
            else
                add(m, id);
            there[id] = !there[id];
        }
        t.n = 0;
        put(&t, "{");
        put_members(&t, &r, hits);
        put(&t, t.n > 1 ? ",\"deep\":{" : "\"deep\":{");
        put_members(&t, &r, hits + NAME_N);
        put(&t, id_u64(&r) % 2 ? "}}" : "}, \"end\" : []}");
        matcher_check_bodies(m, round % 5 != 0);
        check(m, there, hits, str_from(t.at, t.n));
    }
    matcher_free(m);
}

static void test_members(void **state)
{
    static const char *const names[] = {"portable", "avx2", "avx512"};
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(names); i++)
        walk_with(names[i]);
}

/* Deeper than the stack of kinds is wide, and skipped or entered at any depth. */
static void test_deep(void **state)
{
    struct matcher *m = matcher_new(NULL);
    bool there[2 * NAME_N] = {true}, hits[2 * NAME_N] = {true};
    struct text t;
    (void)state;
    add(m, 0);
    for (u32 depth = 1; depth < 300; depth += 7) {
        t.n = 0;
        put(&t, "{\"other\":");
        for (u32 i = 0; i < depth; i++)
            put(&t, i % 3 ? "[" : "{\"a\":");
        put(&t, "\"miss\"");
        for (u32 i = depth; i-- > 0;)
            put(&t, i % 3 ? ",[],{}]" : ",\"b\":{},\"a\":[]}");
        put(&t, ",\"a\":\"hit\"}");
        check(m, there, hits, str_from(t.at, t.n));
    }
    matcher_free(m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_members),
        cmocka_unit_test(test_deep),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
