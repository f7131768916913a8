/* The adversarial workloads of the matcher's benchmark, and those that show how time grows with the
 * length of an array.
 *
 *   adversarial policies NAME N
 *   adversarial messages NAME LINES
 *   adversarial scaling NAME LENGTH policy|message
 *   adversarial check */
#include <stdlib.h>

#include "tests/bench/draws.h"

enum { SEED = 3001 };

static u64 below(u64 n, u64 i, u64 j)
{
    return draw_below(n, SEED, i, j);
}

static unsigned small(u64 n, u64 i, u64 j)
{
    return (unsigned)below(n, i, j);
}

/* n letters a..p out of v. */
static void put_letters(struct buf *out, u64 v, u32 n)
{
    for (; n; n--, v >>= 4)
        buf_char(out, (char)('a' + (int)(v & 15)));
}

static void put_wild(struct buf *out, u64 p, u64 j, u32 n)
{
    put_letters(out, draw(SEED, p, j), n);
}

/* --- policies --------------------------------------------------------------------------------- */

static void wild_prefix(u64 p, struct buf *out)
{
    buf_z(out, "{\"path\":[{\"wildcard\":\"/srv/app/*/");
    put_wild(out, p, 1, 4);
    buf_char(out, '*');
    put_wild(out, p, 2, 3);
    buf_z(out, "*.");
    put_wild(out, p, 3, 2);
    buf_z(out, "\"}]}\n");
}

static void wild_inner(u64 p, struct buf *out)
{
    buf_z(out, "{\"path\":[{\"wildcard\":\"*");
    put_wild(out, p, 3, 2);
    buf_char(out, '*');
    put_wild(out, p, 2, 3);
    buf_z(out, "*\"}]}\n");
}

static void ab_open(u64 p, struct buf *out)
{
    buf_printf(out, "{\"k\":[{\"anything-but\":[\"v%06u\"]}]}\n", (unsigned)p);
}

static void ab_gated(u64 p, struct buf *out)
{
    buf_printf(out, "{\"a\":[{\"anything-but\":[\"v%06u\"]}],\"z\":[\"never%06u\"]}\n", (unsigned)p,
               (unsigned)p);
}

static void absent(u64 p, struct buf *out)
{
    buf_printf(out, "{\"a%06u\":[{\"exists\":false}],\"z\":[\"never%06u\"]}\n", (unsigned)p,
               (unsigned)p);
}

static void keys(u64 p, struct buf *out)
{
    buf_printf(out, "{\"key%06u\":[\"v\"]}\n", (unsigned)p);
}

static void same(u64 p, struct buf *out)
{
    (void)p;
    buf_z(out, "{\"acct\":[\"g1\"],\"tier\":[\"gold\"]}\n");
}

static void ranges(u64 p, struct buf *out)
{
    unsigned low = small(900000, p, 4), width = 1 + small(1000, p, 5);
    buf_printf(out, "{\"n\":[{\"numeric\":[\">=\",%u,\"<\",%u]}]}\n", low, low + width);
}

static void lists(u64 p, struct buf *out)
{
    buf_char(out, '{');
    for (u64 q = 0; q < 3; q++) {
        buf_printf(out, "%s\"%c\":[", q ? "," : "", (char)('a' + (int)q));
        for (u64 j = 0; j < (q == 2 ? 6 : 5); j++)
            buf_printf(out, "%s\"v%04u\"", j ? "," : "", small(60, p, 10 + 10 * q + j));
        buf_char(out, ']');
    }
    buf_z(out, "}\n");
}

static void array(u64 p, struct buf *out)
{
    buf_printf(out, "{\"items\":{\"sku\":[\"s%05u\"],\"state\":[\"open\"]}}\n", small(20000, p, 6));
}

static void deep(u64 p, struct buf *out)
{
    unsigned levels = (unsigned)(p % 100);
    buf_char(out, '{');
    for (unsigned i = 0; i < levels; i++)
        buf_printf(out, "\"l%u\":{", i);
    buf_printf(out, "\"s%u\":[\"v%u\"]", levels, levels);
    for (unsigned i = 0; i < levels; i++)
        buf_char(out, '}');
    buf_z(out, "}\n");
}

static void big(u64 p, struct buf *out)
{
    static const char *const parts[] = {"head", "mid", "tail"};
    const char *part = parts[p % 3];
    buf_printf(out, "{\"%s\":{\"id\":[\"%c%u\"]}}\n", part, part[0], (unsigned)(p / 3));
}

/* --- messages --------------------------------------------------------------------------------- */

static void wild_message(u64 m, struct buf *out)
{
    u64 p = below(1000, m, 40);
    buf_z(out, "{\"path\":\"/srv/app/");
    put_wild(out, m, 41, 12);
    buf_char(out, '/');
    if (m % 2)
        put_wild(out, p, 1, 4);
    put_wild(out, m, 42, 12);
    if (m % 2)
        put_wild(out, p, 2, 3);
    else
        buf_char(out, '/');
    put_wild(out, m, 41, 12);
    buf_char(out, '.');
    put_wild(out, p, 3, 2);
    buf_z(out, "\"}\n");
}

static void open_message(u64 m, struct buf *out)
{
    buf_printf(out, "{\"k\":\"v%06u\"}\n", small(1000000, m, 43));
}

static void gated_message(u64 m, struct buf *out)
{
    buf_printf(out, "{\"a\":\"v%06u\",\"z\":\"live\"}\n", small(1000000, m, 43));
}

static void absent_message(u64 m, struct buf *out)
{
    buf_printf(out, "{\"q\":\"v%06u\",\"z\":\"live\"}\n", small(1000000, m, 43));
}

static void keys_message(u64 m, struct buf *out)
{
    buf_printf(out, "{\"key%06u\":\"v\",\"other\":\"v\"}\n", small(1000, m, 43));
}

static void same_message(u64 m, struct buf *out)
{
    buf_printf(out, "{\"acct\":\"g%u\",\"tier\":\"gold\"}\n", m % 2 ? 1u : 2u);
}

static void ranges_message(u64 m, struct buf *out)
{
    buf_printf(out, "{\"n\":%u}\n", small(901000, m, 43));
}

static void lists_message(u64 m, struct buf *out)
{
    buf_printf(out, "{\"a\":\"v%04u\",\"b\":\"v%04u\",\"c\":\"v%04u\"}\n", small(60, m, 43),
               small(60, m, 44), small(60, m, 45));
}

static void array_message(u64 m, struct buf *out)
{
    buf_z(out, "{\"items\":[");
    for (u64 k = 0; k < 1000; k++)
        buf_printf(out, "%s{\"sku\":\"s%05u\",\"state\":\"%s\",\"qty\":%u}", k ? "," : "",
                   small(20000, m, 1000 + k), below(10, m, 3000 + k) == 0 ? "open" : "closed",
                   small(100, m, 5000 + k));
    buf_z(out, "]}\n");
}

static void deep_message(u64 m, struct buf *out)
{
    unsigned levels = (unsigned)(m % 100);
    buf_char(out, '{');
    for (unsigned k = 0; k <= levels; k++) {
        buf_printf(out, "\"n%u\":%u,\"s%u\":\"v%u\"", k, k * k, k, k);
        if (k < levels)
            buf_printf(out, ",\"l%u\":{", k);
    }
    for (unsigned k = 0; k <= levels; k++)
        buf_char(out, '}');
    buf_char(out, '\n');
}

static void put_blob(u64 m, u64 q, struct buf *out)
{
    buf_char(out, '[');
    for (u64 k = 0; k < 4600; k++) {
        unsigned n = (unsigned)k;
        buf_printf(out, "%s{\"k\":\"", k ? "," : "");
        put_wild(out, m, 10000 + 20000 * q + k, 16);
        buf_printf(out, "\",\"note\":\"escaped \\\"quote\\\" {brace} [%u]\",\"id\":\"h%u\",", n,
                   n % 50);
        buf_printf(out, "\"v\":[%u,%u.5,true,null]}", n, n);
    }
    buf_char(out, ']');
}

static void big_message(u64 m, struct buf *out)
{
    buf_printf(out, "{\"head\":{\"id\":\"h%u\"},\"blob1\":", small(100, m, 43));
    put_blob(m, 0, out);
    buf_printf(out, ",\"mid\":{\"id\":\"m%u\"},\"blob2\":", small(100, m, 44));
    put_blob(m, 1, out);
    buf_printf(out, ",\"tail\":{\"id\":\"t%u\"}}\n", small(100, m, 45));
}

/* --- how time grows with an array ------------------------------------------------------------- */

static void scaling_policy(str name, struct buf *out)
{
    if (str_is(name, "tags"))
        buf_z(out, "{\"d\":{\"tags\":[{\"exists\":true}],\"type\":[{\"exists\":true}]}}\n");
    else if (str_is(name, "nested"))
        buf_z(out, "{\"a\":{\"b\":{\"x\":[{\"exists\":true}],\"y\":[{\"exists\":true}]}}}\n");
    else
        buf_z(out, "{\"d\":{\"a\":[{\"exists\":true}],\"b\":[{\"exists\":true}]}}\n");
}

static void put_pair(str name, unsigned j, unsigned n, struct buf *out)
{
    bool both = str_is(name, "both") || (str_is(name, "last") && j == n - 1);
    if (both)
        buf_printf(out, "{\"a\":%u,\"b\":%u}", j, j);
    else
        buf_printf(out, "{\"%c\":%u}", j % 2 ? 'a' : 'b', j);
}

static void scaling_message(str name, unsigned n, struct buf *out)
{
    buf_z(out, str_is(name, "tags")     ? "{\"d\":{\"tags\":["
               : str_is(name, "nested") ? "{\"a\":["
                                        : "{\"d\":[");
    for (unsigned j = 0; j < n; j++) {
        if (j)
            buf_char(out, ',');
        if (str_is(name, "tags")) {
            buf_printf(out, "\"t%u\"", j);
        } else if (str_is(name, "nested")) {
            buf_z(out, "{\"b\":[");
            for (unsigned i = 0; i < 10; i++)
                buf_printf(out, "%s{\"x\":%u,\"y\":%u}", i ? "," : "", i, i);
            buf_z(out, "]}");
        } else {
            put_pair(name, j, n, out);
        }
    }
    buf_z(out, str_is(name, "tags") ? "],\"type\":\"x\"}}\n" : "]}\n");
}

/* --- the command line ------------------------------------------------------------------------- */

static const struct workload {
    const char *name;
    void (*policy)(u64 p, struct buf *out);
    void (*message)(u64 m, struct buf *out);
    u32 policies, messages; /* of the digests */
    const char *policy_digest, *message_digest;
} WORKLOADS[] = {
    {"wild-prefix", wild_prefix, wild_message, 1000, 2000, "5b0475eaaa4af96a", "3dffebad1cd722ce"},
    {"wild-inner", wild_inner, wild_message, 1000, 2000, "df41f10a38e2c309", "3dffebad1cd722ce"},
    {"ab-open", ab_open, open_message, 1000, 1000, "0316b400b2514e2d", "5f3630444dc200c9"},
    {"ab-gated", ab_gated, gated_message, 1000, 1000, "25bf7d18157691b1", "540e4553d6f25fa7"},
    {"absent", absent, absent_message, 1000, 1000, "3cb22625bec6b13d", "202f3ecea7d892cc"},
    {"keys", keys, keys_message, 1000, 1000, "d9b5e95bf5683114", "cf62dcd3b2ec3c6e"},
    {"same", same, same_message, 1000, 1000, "935d52adcf6cb5d9", "f843a3981fee31ff"},
    {"ranges", ranges, ranges_message, 1000, 1000, "03a9d4e9b9810317", "5f67072bac16f647"},
    {"lists", lists, lists_message, 300, 1000, "f4bac0cf9d2782c4", "69b1f1576ddda260"},
    {"array", array, array_message, 1000, 200, "56197407fd201db4", "15cd54478943c905"},
    {"deep", deep, deep_message, 100, 1000, "cb437cd0e331f953", "ce2e5084c0297d37"},
    {"big", big, big_message, 300, 12, "43f17838d64ef57e", "3d7ac2f6be9a9b60"},
};

static void policy_line(const void *of, u64 i, struct buf *out)
{
    ((const struct workload *)of)->policy(i, out);
}
static void message_line(const void *of, u64 i, struct buf *out)
{
    ((const struct workload *)of)->message(i, out);
}

static int check(void)
{
    bool good = true;
    for (size_t i = 0; i < ARRAY_LEN(WORKLOADS); i++) {
        const struct workload *w = &WORKLOADS[i];
        char name[64];
        snprintf(name, sizeof(name), "%s policies", w->name);
        good &= draw_digest(name, policy_line, w, w->policies, w->policy_digest);
        snprintf(name, sizeof(name), "%s messages", w->name);
        good &= draw_digest(name, message_line, w, w->messages, w->message_digest);
    }
    return good ? 0 : 1;
}

static int scaling(str name, unsigned n, str what)
{
    struct buf b = {0};
    if (str_is(what, "policy"))
        scaling_policy(name, &b);
    else
        scaling_message(name, n, &b);
    fwrite(b.p, 1, b.n, stdout);
    buf_deinit(&b);
    return 0;
}

int main(int argc, char **argv)
{
    str verb = argc > 1 ? str_of(argv[1]) : STR("");
    if (str_is(verb, "check"))
        return check();
    if (str_is(verb, "scaling") && argc == 5)
        return scaling(str_of(argv[2]), (unsigned)strtoul(argv[3], NULL, 10), str_of(argv[4]));
    for (size_t i = 0; i < ARRAY_LEN(WORKLOADS) && argc == 4; i++) {
        const struct workload *w = &WORKLOADS[i];
        if (!str_is(str_of(argv[2]), w->name))
            continue;
        bool of_policies = str_is(verb, "policies");
        return draw_print(of_policies ? policy_line : message_line, w, strtoull(argv[3], NULL, 10));
    }
    fprintf(stderr, "adversarial policies|messages NAME N\n"
                    "adversarial scaling tags|both|last|none|nested LENGTH policy|message\n"
                    "adversarial check\n");
    return 2;
}
