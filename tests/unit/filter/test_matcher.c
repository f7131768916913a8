/* The matcher as its owner uses it: many subscriptions come and go while messages are matched, work
 * that was put off is done, and everything is given back. What policies mean is tested elsewhere.
 */
#include "common/base/base.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "common/base/id.h"
#include "filter/match/matcher.h"

#define SUBSCRIPTIONS 6000u

static struct policy *policy_of(str text, enum filter_scope scope)
{
    static struct fault f;
    struct policy *p;
    fault_clear(&f);
    if (policy_new(&p, text, scope, &FILTER_LIMITS_NONE, &f))
        fail_msg("%.*s: %s", STR_ARG(text), f.text);
    return p;
}

static void add(struct matcher *m, u32 id, const char *text)
{
    struct policy *p = policy_of(str_of(text), FILTER_BODY);
    matcher_add(m, id, p);
    policy_free(p);
}

static u64 matches(struct matcher *m, struct filter_hits *h, const char *body)
{
    struct filter_message msg = {.body = str_of(body)};
    matcher_match(m, &msg, h);
    return h->total;
}

/* The path of dotted names below the body; 0: there is none. */
static u32 path_at(const struct matcher *m, const char *names)
{
    str left = str_of(names);
    u32 path = m->root[FILTER_BODY];
    while (left.p && path)
        path = path_child(m, path, str_cut(&left, '.'));
    return path;
}

/* Policy and message of a family; a subscription of kind k and value v gets message (k, v) as told.
 */
static void text_of(u32 id, char *out, size_t size)
{
    u32 v = id / 6 % 50;
    switch (id % 6) {
    case 0: snprintf(out, size, "{\"a\":[\"v%u\"],\"b\":[{\"prefix\":\"p\"}]}", v); return;
    case 1: snprintf(out, size, "{\"a\":[{\"anything-but\":[\"v%u\"]}]}", v); return;
    case 2:
        snprintf(out, size, "{\"n\":[{\"numeric\":[\">=\",%u]}],\"a\":[\"v1\",\"v2\"]}", v);
        return;
    case 3:
        snprintf(out, size, "{\"a\":[{\"wildcard\":\"v*%u\"}],\"n\":[{\"exists\":true}]}", v);
        return;
    case 4: snprintf(out, size, "{\"$or\":[{\"a\":[\"v%u\"]},{\"n\":[%u]}]}", v, v); return;
    default: snprintf(out, size, "{\"a\":[\"v%u\",{\"exists\":false}]}", v); return;
    }
}

/* What subscription `id` should do with {"a":"v<a>","b":"pp","n":<n>}. */
static bool wants(u32 id, u32 a, u32 n)
{
    u32 v = id / 6 % 50;
    char text[16], tail[16];
    snprintf(text, sizeof(text), "%u", a);
    snprintf(tail, sizeof(tail), "%u", v);
    switch (id % 6) {
    case 0: return a == v;
    case 1: return a != v;
    case 2: return n >= v && (a == 1 || a == 2);
    case 3: return str_ends(str_of(text), str_of(tail));
    case 4: return a == v || n == v;
    default: return a == v;
    }
}

struct crowd {
    struct matcher *m;
    struct filter_hits hits;
    u8 in[SUBSCRIPTIONS], told[SUBSCRIPTIONS];
    u32 n;
};

static void check(struct crowd *c, u32 a, u32 n)
{
    char body[64];
    snprintf(body, sizeof(body), "{\"a\":\"v%u\",\"b\":\"pp\",\"n\":%u}", a, n);
    matches(c->m, &c->hits, body);
    memset(c->told, 0, sizeof(c->told));
    for (size_t i = 0; i < c->hits.n; i++)
        for (u32 k = 0; k < c->hits.spans[i].n; k++)
            c->told[c->hits.spans[i].ids[k]]++;
    for (u32 id = 0; id < SUBSCRIPTIONS; id++)
        if (c->told[id] != (c->in[id] && wants(id, a, n)))
            fail_msg("id %u, a v%u, n %u: told %u times", id, a, n, c->told[id]);
}

static void toggle(struct crowd *c, u32 id)
{
    char text[128];
    if (c->in[id]) {
        assert_int_equal(matcher_remove(c->m, id), 0);
    } else {
        text_of(id, text, sizeof(text));
        add(c->m, id, text);
    }
    c->n += c->in[id] ? UINT32_MAX : 1;
    c->in[id] = !c->in[id];
    assert_int_equal(matcher_count(c->m), c->n);
}

static void test_come_and_go(void **state)
{
    struct id_source chance;
    struct crowd *c = mem_alloc(sizeof(*c));
    size_t empty;
    (void)state;
    id_init(&chance, 11);
    c->m = matcher_new(NULL);
    empty = matcher_bytes(c->m);
    for (u32 id = 0; id < SUBSCRIPTIONS; id++)
        toggle(c, id);
    for (u32 round = 0; round < 40; round++) {
        for (u32 i = 0; i < 500; i++)
            toggle(c, (u32)(id_u64(&chance) % SUBSCRIPTIONS));
        for (u32 i = 0; round % 4 == 3 && matcher_step(c->m) && i < 500; i++)
            ;
        check(c, (u32)(id_u64(&chance) % 52), (u32)(id_u64(&chance) % 52));
    }
    size_t full = matcher_bytes(c->m);
    for (u32 id = 0; id < SUBSCRIPTIONS; id++)
        if (c->in[id])
            toggle(c, id);
    check(c, 1, 1);
    assert_int_equal(c->m->small_bytes, 0);
    assert_int_equal(c->m->cond_table.n + c->m->path_table.n + c->m->group_table.n, 0);
    assert_true(full > empty);
    filter_hits_deinit(&c->hits);
    matcher_free(c->m);
    mem_free(c);
}

/* More rows than one group holds; thinned out, they come together again. */
static void test_groups_join(void **state)
{
    struct matcher *m = matcher_new(NULL);
    struct filter_hits h = {0};
    u32 n = 3 * GROUP_ROWS_MAX;
    (void)state;
    for (u32 id = 0; id < n; id++)
        add(m, id, "{\"k\":[\"same\"]}");
    assert_int_equal(matches(m, &h, "{\"k\":\"same\"}"), n);
    assert_int_equal(h.n, 3);
    for (u32 id = 0; id < n; id++)
        if (id % 8)
            assert_int_equal(matcher_remove(m, id), 0);
    while (matcher_step(m))
        ;
    assert_int_equal(matches(m, &h, "{\"k\":\"same\"}"), n / 8);
    assert_int_equal(h.n, 1);
    for (u32 id = 0; id < n; id += 8)
        assert_int_equal(matcher_remove(m, id), 0);
    assert_int_equal(matches(m, &h, "{\"k\":\"same\"}"), 0);
    filter_hits_deinit(&h);
    matcher_free(m);
}

static void test_unknown_and_always(void **state)
{
    struct matcher *m = matcher_new(NULL);
    struct filter_hits h = {0};
    (void)state;
    assert_int_equal(matcher_remove(m, 5), E_NOT_FOUND);
    matcher_add(m, UINT32_MAX, NULL);
    matcher_add(m, 0, NULL);
    assert_int_equal(matches(m, &h, "no JSON at all"), 2);
    assert_int_equal(h.body, FILTER_ELIGIBLE); /* nobody asked */
    add(m, 7, "{\"a\":[\"x\"]}");
    assert_int_equal(matches(m, &h, "no JSON at all"), 2);
    assert_int_equal(h.body, FILTER_INVALID_BODY);
    assert_int_equal(matches(m, &h, "{\"a\":\"x\"}"), 3);
    assert_int_equal(matcher_remove(m, 0), 0);
    assert_int_equal(matcher_remove(m, 0), E_NOT_FOUND);
    assert_int_equal(matches(m, &h, "{\"a\":\"x\"}"), 2);
    filter_hits_deinit(&h);
    matcher_free(m);
}

/* Epochs and serials come round without old marks being taken for new ones. */
static void test_epochs_start_again(void **state)
{
    struct matcher *m = matcher_new(NULL);
    struct filter_hits h = {0};
    (void)state;
    add(m, 1, "{\"a\":[{\"anything-but\":[\"x\"]}]}");
    add(m, 2, "{\"$or\":[{\"a\":[\"x\"]},{\"b\":[\"y\"]}]}");
    for (u32 i = 0; i < 8; i++) {
        if (i % 2)
            m->epoch = UINT32_MAX - 1;
        if (i % 4 == 2)
            m->serial = UINT32_MAX - 1;
        assert_int_equal(matches(m, &h, "{\"a\":\"x\",\"b\":\"y\"}"), 1);
        assert_int_equal(matches(m, &h, "{\"a\":\"z\",\"b\":\"y\"}"), 2);
    }
    filter_hits_deinit(&h);
    matcher_free(m);
}

/* Neighbours that doubles, or fifteen digits, cannot tell apart. */
/* Marks of the first epochs mean nothing when the epochs start again at the same numbers. */
static void test_marks_of_old_epochs(void **state)
{
    static const char *const texts[] = {"{\"a\":[\"x\"],\"b\":[\"y\"]}",
                                        "{\"a\":[\"x\"],\"b\":[{\"prefix\":\"y\"}]}"};
    static const char *const halves[] = {"{\"a\":\"x\"}", "{\"b\":\"y\"}"};
    for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
        for (size_t k = 0; k < ARRAY_LEN(halves); k++) {
            struct matcher *m = matcher_new(NULL);
            struct filter_hits h = {0};
            add(m, 1, texts[i]);
            u32 first = m->epoch;
            assert_int_equal(matches(m, &h, "{\"a\":\"x\",\"b\":\"y\"}"), 1);
            m->epoch = 0xFFFFFFF0u;
            assert_int_equal(matches(m, &h, halves[k]), 0);
            assert_int_equal(m->epoch, first + 2);
            filter_hits_deinit(&h);
            matcher_free(m);
        }
    }
}

/* A row that takes the place of a removed one takes its bound along. */
static void test_bounds_of_moved_rows(void **state)
{
    struct matcher *m = matcher_new(NULL);
    struct filter_hits h = {0};
    char text[100];
    for (u32 i = 0; i < 50; i++) {
        snprintf(text, sizeof text, "{\"a\":[\"x\"],\"n\":[{\"numeric\":[\">\",%u]}]}", 10 * i);
        add(m, i, text);
    }
    for (u32 i = 0; i < 40; i++) {
        assert_int_equal(matcher_remove(m, i), 0);
        for (u32 n = 5; n < 500; n += 70) {
            u32 below = (n - 1) / 10 + 1; /* of them are less than n */
            snprintf(text, sizeof text, "{\"a\":\"x\",\"n\":%u}", n);
            assert_int_equal(matches(m, &h, text), below > i + 1 ? below - i - 1 : 0);
        }
    }
    filter_hits_deinit(&h);
    matcher_free(m);
}

static void test_close_numbers(void **state)
{
    static const char *const numbers[] = {
        "122.42916360922355",
        "122.42916360922354",
        "122.42916360922356",
        "9007199254740993",
        "9007199254740992",
        "9007199254740994",
        "12345678901234567890123",
        "12345678901234567890122",
        "12345678901234567890124",
        "1.00000000000005",
        "1.00000000000009999999999",
        "1e-300",
        "1.234567890123456789012345e-300",
        "1.500000000000000000000001e301",
        "2e301",
        "1e-320",
        "1.0001e-320",
        "1e400",
        "0.1",
        "0.10000000000000000001",
        "0",
    };
    static const char *const signs[] = {"=", ">=", ">", "<=", "<"};
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(numbers); i++)
        for (size_t j = 0; j < ARRAY_LEN(numbers); j++)
            for (size_t k = 0; k < ARRAY_LEN(signs); k++) {
                struct filter_hits h = {0};
                struct matcher *m = matcher_new(NULL);
                struct number a, b;
                char policy[128], body[64];
                int err = number_read(str_of(numbers[i]), &a) | number_read(str_of(numbers[j]), &b);
                assert_int_equal(err, 0);
                int order = number_cmp(&b, &a);
                bool want = k == 0   ? order == 0
                            : k == 1 ? order >= 0
                            : k == 2 ? order > 0
                            : k == 3 ? order <= 0
                                     : order < 0;
                snprintf(policy, sizeof(policy), "{\"n\":[{\"numeric\":[\"%s\",%s]}]}", signs[k],
                         numbers[i]);
                snprintf(body, sizeof(body), "{\"n\":%s}", numbers[j]);
                for (u32 id = 0; id < 40; id++) /* asked at first, then looked up */
                    add(m, id, policy);
                if (matches(m, &h, body) != (want ? 40 : 0))
                    fail_msg("%s with %s", policy, body);
                filter_hits_deinit(&h);
                matcher_free(m);
            }
}

/* A body with tenths/10 in one of several spellings, and two values that are not it. */
static void body_of_tenths(u32 tenths, u32 form, char *out, size_t size)
{
    static const char *const more = ",0.05,\"1.1\"]}";
    switch (form) {
    case 0: snprintf(out, size, "{\"n\":[%u.%u%s", tenths / 10, tenths % 10, more); return;
    case 1: snprintf(out, size, "{\"n\":[%ue-1%s", tenths, more); return;
    case 2: snprintf(out, size, "{\"n\":[0.%05ue4%s", tenths, more); return;
    case 3: snprintf(out, size, "{\"n\":[%u.%u000%s", tenths / 10, tenths % 10, more); return;
    default: snprintf(out, size, "{\"n\":[%u.00E-1%s", tenths, more); return;
    }
}

/* Numbers are asked for and no longer asked for; what is left is found in every spelling. */
static void test_numbers_come_and_go(void **state)
{
    enum { NUMBERS = 200, FORMS = 5 };
    struct matcher *m = matcher_new(NULL);
    struct filter_hits h = {0};
    char policy[64], body[64];
    (void)state;
    for (u32 round = 0; round < 3; round++) {
        for (u32 id = 0; id < NUMBERS; id++) {
            snprintf(policy, sizeof(policy),
                     id % 3 ? "{\"n\":[%u.%u]}" : "{\"n\":[{\"numeric\":[\"=\",%u.%u]}]}", id,
                     id % 7);
            add(m, id, policy);
        }
        for (u32 left = NUMBERS; left > 0; left /= 3) {
            for (u32 i = 0; i < NUMBERS * FORMS; i++) {
                u32 id = i / FORMS;
                body_of_tenths(id * 10 + id % 7, i % FORMS, body, sizeof(body));
                if (matches(m, &h, body) != (id < left))
                    fail_msg("%s with %u left", body, left);
            }
            for (u32 id = left / 3; id < left; id++)
                assert_int_equal(matcher_remove(m, id), 0);
        }
        assert_int_equal(path_at(m, "n"), 0);
    }
    filter_hits_deinit(&h);
    matcher_free(m);
}

/* What a path knows of the texts that are looked up goes with the last of them, though the path
 * stays. */
static void test_tags_of_a_path(void **state)
{
    struct matcher *m = matcher_new(NULL);
    struct filter_hits h = {0};
    (void)state;
    add(m, 1, "{\"n\":[{\"exists\":true}]}");
    assert_true(m->paths[path_at(m, "n")].tags == 0);
    add(m, 2, "{\"n\":[7]}");
    add(m, 3, "{\"n\":[\"text\",123456789012345678901234567890]}");
    assert_true(m->paths[path_at(m, "n")].tags != 0);
    assert_int_equal(matcher_remove(m, 2), 0);
    assert_int_equal(matches(m, &h, "{\"n\":[7,\"text\"]}"), 2);
    assert_int_equal(matches(m, &h, "{\"n\":[7,12345678901234567890123456789e1]}"), 2);
    assert_int_equal(matches(m, &h, "{\"n\":[7,\"texts\"]}"), 1);
    assert_int_equal(matcher_remove(m, 3), 0);
    assert_true(m->paths[path_at(m, "n")].tags == 0);
    filter_hits_deinit(&h);
    matcher_free(m);
}

static bool lies_in(const char *value, const char *low, bool low_open, const char *high,
                    bool high_open)
{
    struct number v, bound;
    assert_int_equal(number_read(str_of(value), &v), 0);
    if (low) {
        assert_int_equal(number_read(str_of(low), &bound), 0);
        if (number_cmp(&v, &bound) < low_open)
            return false;
    }
    if (high) {
        assert_int_equal(number_read(str_of(high), &bound), 0);
        if (number_cmp(&bound, &v) < high_open)
            return false;
    }
    return true;
}

static const char *const NEAR[] = {
    "-1e400",
    "-9007199254740993",
    "-3",
    "0",
    "1e-320",
    "0.1",
    "0.10000000000000000001",
    "2",
    "9007199254740992",
    "9007199254740993",
    "9007199254740994",
    "12345678901234567890122",
    "12345678901234567890123",
    "1e400",
    "1.0000000000000000001e400",
};

/* One range and three values, among them text: by the least and the greatest, or one by one. */
static void check_range(struct matcher *m, struct filter_hits *h, u32 low, u32 high, u32 open)
{
    const char *from = low < ARRAY_LEN(NEAR) ? NEAR[low] : NULL;
    const char *to = high < ARRAY_LEN(NEAR) ? NEAR[high] : NULL;
    char policy[128], body[128], first[48] = "", second[48] = "";
    if (from)
        snprintf(first, sizeof(first), "\"%s\",%s", open & 1 ? ">" : ">=", from);
    if (to)
        snprintf(second, sizeof(second), "%s\"%s\",%s", from ? "," : "", open & 2 ? "<" : "<=", to);
    snprintf(policy, sizeof(policy), "{\"n\":[{\"numeric\":[%s%s]}]}", first, second);
    add(m, 1, policy);
    for (u32 i = 0; i < ARRAY_LEN(NEAR); i++)
        for (u32 k = 0; k < ARRAY_LEN(NEAR); k += 3) {
            bool want = lies_in(NEAR[i], from, open & 1, to, open & 2) ||
                        lies_in(NEAR[k], from, open & 1, to, open & 2) ||
                        lies_in("0.1", from, open & 1, to, open & 2);
            snprintf(body, sizeof(body), "{\"n\":[%s,\"2\",%s,null,0.1]}", NEAR[i], NEAR[k]);
            if (matches(m, h, body) != want)
                fail_msg("%s with %s", policy, body);
        }
    assert_int_equal(matches(m, h, "{\"n\":[\"2\",{},true]}"), 0);
    assert_int_equal(matches(m, h, "{\"n\":[]}"), 0);
    assert_int_equal(matcher_remove(m, 1), 0);
}

static void test_ranges_of_many_values(void **state)
{
    struct matcher *m = matcher_new(NULL);
    struct filter_hits h = {0};
    (void)state;
    for (u32 low = 0; low <= ARRAY_LEN(NEAR); low++)
        for (u32 high = low + 1; high <= ARRAY_LEN(NEAR); high++)
            for (u32 open = 0; open < 4; open++) {
                check_range(m, &h, low, high, open);
                check_range(m, &h, ARRAY_LEN(NEAR), low < ARRAY_LEN(NEAR) ? low : 0, open);
            }
    for (u32 low = 0; low < ARRAY_LEN(NEAR); low++)
        check_range(m, &h, low, ARRAY_LEN(NEAR), low % 4);
    filter_hits_deinit(&h);
    matcher_free(m);
}

#define VALUES 12

/* A number of `digits` digits and a few: most are of one shape. */
static void draw_number(struct id_source *random, u32 digits, char *out, size_t size)
{
    const char *sign = id_u64(random) % 3 ? "-" : "";
    u32 few = (u32)(id_u64(random) % 30), whole = digits / 3, part = digits - whole;
    switch (id_u64(random) % 16) {
    case 0: snprintf(out, size, "%s3%0*u.%0*u0e0", sign, (int)whole, 0u, (int)part, few); return;
    case 1: snprintf(out, size, "%s%ue-%u", sign, few, part); return;
    case 2: snprintf(out, size, "%s3%0*u", sign, (int)(digits + 1), few); return;
    default: snprintf(out, size, "%s3%0*u.%0*u", sign, (int)whole, 0u, (int)part, few);
    }
}

static void range_text(const char *low, const char *high, u32 open, char *out, size_t size)
{
    snprintf(out, size, "{\"n\":[{\"numeric\":[%s%s%s%s%s]}]}",
             !low       ? ""
             : open & 1 ? "\">\","
                        : "\">=\",",
             low ? low : "", low && high ? "," : "",
             !high      ? ""
             : open & 2 ? "\"<\","
                        : "\"<=\",",
             high ? high : "");
}

/* Arrays of numbers of one shape or of several, against ranges with bounds among them. */
static void test_ranges_of_shapes(void **state)
{
    struct matcher *m = matcher_new(NULL);
    struct filter_hits h = {0};
    struct id_source random;
    (void)state;
    id_init(&random, 7);
    for (u32 round = 0; round < 6000; round++) {
        char values[VALUES][64], policy[256], body[1024];
        u32 digits = 1 + round % 19, open = (u32)id_u64(&random) % 4, bounds = 1 + round % 3;
        struct number a, b;
        for (u32 i = 0; i < VALUES; i++)
            draw_number(&random, digits, values[i], sizeof(values[i]));
        int err = number_read(str_of(values[0]), &a) | number_read(str_of(values[1]), &b);
        assert_int_equal(err, 0);
        if (bounds == 3 && number_cmp(&a, &b) >= 0)
            continue; /* no range */
        const char *low = bounds & 1 ? values[0] : NULL, *high = bounds & 2 ? values[1] : NULL;
        range_text(low, high, open, policy, sizeof(policy));
        add(m, 1, policy);
        bool want = false;
        size_t n = (size_t)snprintf(body, sizeof(body), "{\"n\":[null");
        for (u32 i = round / 19 % 3; i < VALUES; i++) {
            want |= lies_in(values[i], low, open & 1, high, open & 2);
            n += (size_t)snprintf(body + n, sizeof(body) - n, ",%s", values[i]);
        }
        snprintf(body + n, sizeof(body) - n, "]}");
        if (matches(m, &h, body) != want)
            fail_msg("%s with %s", policy, body);
        assert_int_equal(matcher_remove(m, 1), 0);
    }
    filter_hits_deinit(&h);
    matcher_free(m);
}

/* A later member takes back what earlier ones of its name offered, whatever stands between. */
static void test_values_that_are_gone(void **state)
{
    static const struct {
        const char *body;
        const char *told; /* ids of those that match */
    } cases[] = {
        {"{\"n\":1}", "14"},
        {"{\"n\":1,\"n\":2}", "24"},
        {"{\"n\":1,\"n\":{}}", "5"},
        {"{\"n\":[1,2],\"n\":[]}", "5"},
        {"{\"n\":1,\"n\":\"x\"}", "34"},
        {"{\"n\":[1,\"x\",1],\"n\":[2,2,2]}", "24"},
        {"{\"n\":2,\"a\":[{\"k\":1},{\"k\":1,\"k\":2},{\"k\":3,\"k\":4}]}", "2467"},
        {"{\"n\":2,\"a\":[{\"k\":3,\"k\":4},{\"k\":3,\"k\":5},{\"k\":1}]}", "246"},
        {"{\"n\":2,\"a\":[{\"k\":2},{\"k\":1,\"k\":3}]}", "247"},
        {"{\"n\":2,\"a\":[{\"k\":2},{\"k\":1,\"k\":\"s\"},{\"k\":1,\"k\":\"s\"}]}", "247"},
    };
    struct matcher *m = matcher_new(NULL);
    struct filter_hits h = {0};
    (void)state;
    add(m, 1, "{\"n\":[1]}");
    add(m, 2, "{\"n\":[{\"numeric\":[\">\",1]}]}");
    add(m, 3, "{\"n\":[\"x\"]}");
    add(m, 4, "{\"n\":[{\"exists\":true}]}");
    add(m, 5, "{\"n\":[{\"exists\":false}]}");
    add(m, 6, "{\"a\":{\"k\":[1]}}");
    add(m, 7, "{\"a\":{\"k\":[2]}}");
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        bool told[8] = {false};
        matches(m, &h, cases[i].body);
        for (size_t k = 0; k < h.n; k++)
            for (size_t j = 0; j < h.spans[k].n; j++)
                told[h.spans[k].ids[j]] = true;
        for (u32 id = 1; id < 8; id++)
            if (told[id] != (strchr(cases[i].told, (int)('0' + id)) != NULL))
                fail_msg("%s: %u", cases[i].body, id);
    }
    filter_hits_deinit(&h);
    matcher_free(m);
}

static void test_spans_tell_each_once(void **state)
{
    struct matcher *m = matcher_new(NULL);
    struct filter_hits h = {0};
    (void)state;
    add(m, 9,
        "{\"$or\":[{\"a\":[\"x\"]},{\"a\":[{\"prefix\":\"x\"}]},{\"b\":[{\"exists\":false}]}]}");
    assert_int_equal(matches(m, &h, "{\"a\":\"x\"}"), 1);
    assert_int_equal(matches(m, &h, "{\"a\":\"xy\",\"b\":1}"), 1);
    assert_int_equal(matches(m, &h, "{\"a\":\"y\",\"b\":1}"), 0);
    filter_hits_deinit(&h);
    matcher_free(m);
}

static bool may_tie(const struct matcher *m, const char *names)
{
    u32 path = path_at(m, names);
    return path && path_in_same_element(&m->paths[path]);
}

/* Elements are numbered where some expression has conditions to agree, as long as it is there. */
static void test_ties_come_and_go(void **state)
{
    struct matcher *m = matcher_new(NULL);
    struct filter_hits h = {0};
    (void)state;
    add(m, 1, "{\"a\":{\"x\":[1],\"c\":{\"z\":[5]}}}");
    add(m, 2, "{\"a\":{\"x\":[1]},\"b\":[3]}");
    add(m, 3, "{\"a\":{\"x\":[{\"exists\":false}],\"y\":[2]}}");
    add(m, 4, "{\"a\":{\"y\":[{\"numeric\":[\"<\",9]}]}}"); /* its presence, and the range */
    assert_true(may_tie(m, "a"));
    assert_false(may_tie(m, "a.c"));
    assert_int_equal(matcher_remove(m, 1), 0);
    assert_false(may_tie(m, "a"));
    assert_int_equal(matches(m, &h, "{\"a\":[{\"x\":1},{\"y\":2}],\"b\":3}"), 2);
    assert_false(m->event.tied);

    for (u32 id = 10; id < 60;
         id++) /* popular: the conditions stand in the tail, then in columns */
        add(m, id, "{\"a\":{\"x\":[1],\"y\":[2]}}");
    assert_true(may_tie(m, "a"));
    assert_int_equal(m->paths[path_at(m, "a")].ties, 50);
    assert_int_equal(m->paths[m->root[FILTER_BODY]].ties, 51);
    assert_int_equal(matches(m, &h, "{\"a\":[{\"x\":1},{\"y\":2}],\"b\":3}"), 2);
    assert_int_equal(matches(m, &h, "{\"a\":[{\"x\":1,\"y\":2}],\"b\":3}"), 52);
    for (u32 id = 10; id < 60; id++)
        assert_int_equal(matcher_remove(m, id), 0);
    assert_false(may_tie(m, "a"));
    assert_int_equal(m->paths[m->root[FILTER_BODY]].ties, 1);
    filter_hits_deinit(&h);
    matcher_free(m);
}

/* Arrays in arrays: the outer one ties, the inner one does not, and the other way round. */
static void test_ties_of_some_arrays(void **state)
{
    struct matcher *m = matcher_new(NULL);
    struct filter_hits h = {0};
    (void)state;
    add(m, 1, "{\"a\":{\"x\":[1],\"c\":{\"z\":[5]}}}");
    assert_true(may_tie(m, "a") && !may_tie(m, "a.c"));
    assert_int_equal(matches(m, &h, "{\"a\":[{\"x\":1},{\"x\":2,\"c\":[{\"z\":5}]}]}"), 0);
    assert_int_equal(matches(m, &h, "{\"a\":[{\"x\":1,\"c\":[{\"z\":4},{\"z\":5}]},{\"x\":2}]}"),
                     1);
    assert_int_equal(matcher_remove(m, 1), 0);
    add(m, 2, "{\"a\":{\"c\":{\"z\":[5],\"w\":[6]}}}");
    assert_true(may_tie(m, "a") && may_tie(m, "a.c"));
    assert_int_equal(matches(m, &h, "{\"a\":[{\"c\":[{\"z\":5},{\"w\":6}]}]}"), 0);
    assert_int_equal(matches(m, &h, "{\"a\":[{\"c\":[{\"z\":4},{\"z\":5,\"w\":6}]}]}"), 1);
    filter_hits_deinit(&h);
    matcher_free(m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_come_and_go),           cmocka_unit_test(test_groups_join),
        cmocka_unit_test(test_unknown_and_always),    cmocka_unit_test(test_epochs_start_again),
        cmocka_unit_test(test_spans_tell_each_once),  cmocka_unit_test(test_close_numbers),
        cmocka_unit_test(test_marks_of_old_epochs),   cmocka_unit_test(test_bounds_of_moved_rows),
        cmocka_unit_test(test_ties_come_and_go),      cmocka_unit_test(test_ties_of_some_arrays),
        cmocka_unit_test(test_numbers_come_and_go),   cmocka_unit_test(test_tags_of_a_path),
        cmocka_unit_test(test_ranges_of_many_values), cmocka_unit_test(test_ranges_of_shapes),
        cmocka_unit_test(test_values_that_are_gone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
