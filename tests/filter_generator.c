/* The generator. Sets are small on purpose; what is rare is drawn with `one_in`. */
#include "tests/filter_generator.h"

#include "common/base/scan.h"

void gen_init(struct generator *g, u64 seed, const u8 *bytes, size_t size)
{
    *g = (struct generator){.bytes = bytes, .size = size, .seed = seed * 2 + 1};
    arena_init(&g->arena);
}

void gen_deinit(struct generator *g)
{
    arena_deinit(&g->arena);
}

void gen_reset(struct generator *g)
{
    arena_reset(&g->arena);
    g->pool_n = 0;
}

u32 gen_below(struct generator *g, u32 n)
{
    if (g->at < g->size)
        return g->bytes[g->at++] % n;
    g->seed ^= g->seed << 13;
    g->seed ^= g->seed >> 7;
    g->seed ^= g->seed << 17;
    return (u32)((g->seed >> 20) % n);
}

static bool one_in(struct generator *g, u32 n)
{
    return gen_below(g, n) == 0;
}

#define PICK(g, array) ((array)[gen_below(g, ARRAY_LEN(array))])

/* --- texts and numbers ------------------------------------------------------------------------ */

static const char *const TEXTS[] = {
    "",
    "a",
    "A",
    "b",
    "ab",
    "AB",
    "aB",
    "abc",
    "abcabc",
    "ba",
    "a*b",
    "a b",
    " a",
    "a ",
    "\xc3\xa9",
    "\xc3\x89",
    "\xe2\x84\xaa",
    "k",
    "K",
    "\xcf\x82",
    "\xcf\x83",
    "\xce\xa3",
    "ss",
    "\xc3\x9f",
    "\xf0\x9f\x98\x80",
    "5\"",
    "5\\\"",
    "b\\s",
    "12",
    "true",
    "null",
    "[\"a\"]",
    "10.0.0.1",
    "010.0.0.1",
    "10.0.0.255",
    "10.0.1.0",
    "10.0.0.256",
    "::1",
    "0:0:0:0:0:0:0:1",
    "2001:db8::5",
    "2001:DB8:0::5",
    "2001:db9::",
    "::ffff:10.0.0.1",
    "z\n",
};

static const char *const PIECES[] = {"a", "b", "A", "\xc3\xa9", "\xc3\x89",
                                     "1", ".", "*", "\\",       "\""};

/* In ascending order; those of one value stand side by side. */
static const char *const NUMBERS[] = {
    "-1e20",
    "-1000000001",
    "-100.5",
    "-3",
    "-0.5",
    "-0",
    "0",
    "0.0",
    "0.5",
    "5e-1",
    "0.50",
    "1",
    "1.0",
    "10e-1",
    "1.23456",
    "1.234565",
    "1.2345678",
    "1.23457",
    "2",
    "9.99",
    "10",
    "1e1",
    "12",
    "12.0",
    "1.2e1",
    "99999",
    "100000",
    "1E5",
    "123456789012345678901234567890",
    "123456789012345678901234567891",
    "1e30",
};

static str gen_new_text(struct generator *g)
{
    if (g->is_wide && one_in(g, 2))
        return arena_printf(&g->arena, "%s%u", one_in(g, 4) ? "a" : "v", gen_below(g, 200));
    if (!one_in(g, 4))
        return str_of(PICK(g, TEXTS));
    struct buf b = {0};
    for (u32 n = gen_below(g, 5); n > 0; n--)
        buf_z(&b, PICK(g, PIECES));
    str s = arena_dup(&g->arena, buf_view(&b));
    buf_deinit(&b);
    return s;
}

/* `s` with a small change. */
static str gen_change(struct generator *g, str s)
{
    str more = str_of(PICK(g, PIECES));
    switch (gen_below(g, 5)) {
    case 0: return arena_printf(&g->arena, "%.*s%.*s", STR_ARG(s), STR_ARG(more));
    case 1: return arena_printf(&g->arena, "%.*s%.*s", STR_ARG(more), STR_ARG(s));
    case 2: {
        str copy = arena_dup(&g->arena, s);
        for (size_t i = 0; i < copy.n; i++)
            if ((copy.p[i] | 0x20) >= 'a' && (copy.p[i] | 0x20) <= 'z')
                ((char *)copy.p)[i] ^= 0x20;
        return copy;
    }
    case 3: return s.n && (u8)s.p[s.n - 1] < 0x80 ? str_slice(s, 0, s.n - 1) : s;
    default: return s;
    }
}

/* A text for a message: what a policy held, as it is or changed, or a new one. */
static str gen_text(struct generator *g)
{
    if (g->pool_n == 0 || one_in(g, 3))
        return gen_new_text(g);
    str s = g->pool[gen_below(g, g->pool_n)];
    return one_in(g, 3) ? gen_change(g, s) : s;
}

/* A text for a policy, remembered. */
static str gen_operand(struct generator *g)
{
    str s = one_in(g, 3) ? gen_text(g) : gen_new_text(g);
    if (g->pool_n < GEN_POOL_MAX)
        g->pool[g->pool_n++] = s;
    return s;
}

static str gen_number(struct generator *g)
{
    if (g->is_wide && one_in(g, 2))
        return arena_printf(&g->arena, "%u%s", gen_below(g, 250), one_in(g, 3) ? ".5" : "");
    return str_of(PICK(g, NUMBERS));
}

static const char *gen_key(struct generator *g, enum filter_scope scope)
{
    static const char *const names[] = {"a", "b", "c", "a.b", "ab", "b.c"};
    static const char *const odd[] = {"", "$or2", "a b", "\xc3\xa9", "."};
    if (scope == FILTER_BODY && one_in(g, 20))
        return PICK(g, odd);
    return PICK(g, names);
}

/* --- policies --------------------------------------------------------------------------------- */

/* A wildcard pattern: a text with escapes where needed and up to three asterisks, never side by
 * side. What it stands for without them goes to the pool. */
static void gen_wildcard(struct generator *g, struct buf *out)
{
    struct buf b = {0};
    str s = gen_operand(g);
    bool was_star = false;
    u32 stars = 0;
    for (size_t at = 0; at <= s.n;) {
        bool is_star = !was_star && stars < 3 && one_in(g, 3);
        was_star = is_star;
        if (is_star) {
            buf_char(&b, '*');
            stars++;
        }
        if (at == s.n)
            break;
        size_t from = at;
        str_next_char(s, &at);
        if (is_star && one_in(g, 2))
            continue; /* the asterisk stands for this character */
        if (s.p[from] == '*' || s.p[from] == '\\')
            buf_char(&b, '\\');
        buf_add(&b, s.p + from, at - from);
        was_star = false;
    }
    scan_quote(out, buf_view(&b));
    buf_deinit(&b);
}

static void gen_cidr(struct generator *g, struct buf *out)
{
    static const char *const nets[] = {"10.0.0.0/24",     "10.0.0.77/31", "0.0.0.0/0",
                                       "10.0.0.0/8",      "::/0",         "2001:db8::/32",
                                       "2001:db8::5/127", "::1/64",       "::ffff:0:0/96"};
    scan_quote(out, str_of(PICK(g, nets)));
}

static void gen_numeric(struct generator *g, struct buf *out)
{
    static const char *const words[] = {"=", "<", "<=", ">", ">="};
    u32 n = ARRAY_LEN(NUMBERS), low = gen_below(g, n);
    if (g->is_wide && one_in(g, 2)) {
        low = gen_below(g, 250);
        buf_printf(out, "[\">=\",%u,\"%s\",%u]", low,
                   one_in(g, 2) ? "<" : "<=", low + 1 + gen_below(g, 100));
        return;
    }
    if (one_in(g, 2)) {
        buf_printf(out, "[\"%s\",%s]", PICK(g, words), NUMBERS[low]);
        return;
    }
    u32 high = low + 1 + gen_below(g, n - low);
    if (high >= n)
        high = n - 1;
    buf_printf(out, "[\"%s\",%s,\"%s\",%s]", one_in(g, 2) ? ">" : ">=", NUMBERS[low],
               one_in(g, 2) ? "<" : "<=", NUMBERS[high]);
}

static void gen_text_list(struct generator *g, struct buf *out)
{
    u32 n = 1 + gen_below(g, 3);
    buf_char(out, '[');
    for (u32 i = 0; i < n; i++) {
        if (i)
            buf_char(out, ',');
        scan_quote(out, gen_operand(g));
    }
    buf_char(out, ']');
}

static void gen_anything_but(struct generator *g, struct buf *out)
{
    static const char *const words[] = {"prefix", "suffix", "equals-ignore-case"};
    buf_z(out, "{\"anything-but\":");
    switch (gen_below(g, 7)) {
    case 0: scan_quote(out, gen_operand(g)); break;
    case 1: buf_str(out, gen_number(g)); break;
    case 2: gen_text_list(g, out); break;
    case 3: buf_printf(out, "[%s,%s]", PICK(g, NUMBERS), PICK(g, NUMBERS)); break;
    case 4:
        buf_z(out, "{\"wildcard\":");
        gen_wildcard(g, out);
        buf_char(out, '}');
        break;
    default:
        buf_printf(out, "{\"%s\":", PICK(g, words));
        if (one_in(g, 2))
            gen_text_list(g, out);
        else
            scan_quote(out, gen_operand(g));
        buf_char(out, '}');
    }
    buf_char(out, '}');
}

static void gen_text_operator(struct generator *g, struct buf *out)
{
    static const char *const words[] = {"prefix", "suffix", "equals-ignore-case", "exactly"};
    u32 i = gen_below(g, ARRAY_LEN(words));
    bool is_folded = i < 2 && one_in(g, 3);
    buf_printf(out, "{\"%s\":%s", words[i], is_folded ? "{\"equals-ignore-case\":" : "");
    scan_quote(out, gen_operand(g));
    buf_z(out, is_folded ? "}}" : "}");
}

static void gen_entry(struct generator *g, struct buf *out)
{
    static const char *const literals[] = {"true", "false", "null"};
    switch (gen_below(g, 12)) {
    case 0:
    case 1: scan_quote(out, gen_operand(g)); break;
    case 2: buf_str(out, gen_number(g)); break;
    case 3: buf_z(out, PICK(g, literals)); break;
    case 4:
    case 5: gen_text_operator(g, out); break;
    case 6:
        buf_z(out, "{\"wildcard\":");
        gen_wildcard(g, out);
        buf_char(out, '}');
        break;
    case 7:
        buf_z(out, "{\"numeric\":");
        gen_numeric(g, out);
        buf_char(out, '}');
        break;
    case 8: buf_printf(out, "{\"exists\":%s}", one_in(g, 2) ? "true" : "false"); break;
    case 9:
        buf_z(out, "{\"cidr\":");
        gen_cidr(g, out);
        buf_char(out, '}');
        break;
    default: gen_anything_but(g, out);
    }
}

static void gen_leaf(struct generator *g, struct buf *out)
{
    buf_char(out, '[');
    u32 n = 1 + gen_below(g, 2) * gen_below(g, 3);
    for (u32 i = 0; i < n; i++) {
        if (i)
            buf_char(out, ',');
        gen_entry(g, out);
    }
    buf_char(out, ']');
}

static void gen_object(struct generator *g, enum filter_scope scope, u32 depth, struct buf *out);

static void gen_or(struct generator *g, enum filter_scope scope, u32 depth, struct buf *out)
{
    buf_z(out, "\"$or\":[");
    u32 n = 2 + gen_below(g, 2);
    for (u32 i = 0; i < n; i++) {
        if (i)
            buf_char(out, ',');
        gen_object(g, scope, depth + 1, out);
    }
    buf_char(out, ']');
}

static void gen_object(struct generator *g, enum filter_scope scope, u32 depth, struct buf *out)
{
    u32 n = 1 + gen_below(g, depth > 2 ? 1 : 3);
    buf_char(out, '{');
    for (u32 i = 0; i < n; i++) {
        if (i)
            buf_char(out, ',');
        if (depth < 3 && one_in(g, 8)) {
            gen_or(g, scope, depth, out);
            continue;
        }
        scan_quote(out, str_of(gen_key(g, scope)));
        buf_char(out, ':');
        if (scope == FILTER_BODY && depth < 3 && one_in(g, 3))
            gen_object(g, scope, depth + 1, out);
        else
            gen_leaf(g, out);
    }
    buf_char(out, '}');
}

void gen_policy(struct generator *g, enum filter_scope scope, struct buf *out)
{
    if (one_in(g, 40))
        buf_z(out, "{}");
    else
        gen_object(g, scope, 0, out);
}

/* --- messages --------------------------------------------------------------------------------- */

/* A JSON string, sometimes with escapes where none are needed. */
static void gen_quote(struct generator *g, str s, struct buf *out)
{
    if (!one_in(g, 8)) {
        scan_quote(out, s);
        return;
    }
    buf_char(out, '"');
    for (size_t at = 0; at < s.n;) {
        u32 c = str_next_char(s, &at);
        if (c > 0xffff)
            buf_printf(out, "\\u%04x\\u%04X", 0xd800 + ((c - 0x10000) >> 10),
                       0xdc00 + ((c - 0x10000) & 0x3ff));
        else
            buf_printf(out, "\\u%04x", c);
    }
    buf_char(out, '"');
}

static void gen_scalar(struct generator *g, struct buf *out)
{
    static const char *const literals[] = {"true", "false", "null"};
    switch (gen_below(g, 6)) {
    case 0:
    case 1: buf_str(out, gen_number(g)); break;
    case 2: buf_z(out, PICK(g, literals)); break;
    default: gen_quote(g, gen_text(g), out);
    }
}

static void gen_value(struct generator *g, u32 depth, struct buf *out);

static void gen_body_object(struct generator *g, u32 depth, struct buf *out)
{
    u32 n = gen_below(g, 4) + (depth == 0);
    buf_char(out, '{');
    for (u32 i = 0; i < n; i++) {
        if (i)
            buf_char(out, ',');
        gen_quote(g, str_of(gen_key(g, FILTER_BODY)), out);
        buf_z(out, one_in(g, 10) ? " : " : ":");
        gen_value(g, depth + 1, out);
    }
    buf_char(out, '}');
}

static void gen_array(struct generator *g, u32 depth, struct buf *out)
{
    u32 n = gen_below(g, 4);
    buf_char(out, '[');
    for (u32 i = 0; i < n; i++) {
        if (i)
            buf_char(out, ',');
        gen_value(g, depth + 1, out);
    }
    buf_char(out, ']');
}

static void gen_value(struct generator *g, u32 depth, struct buf *out)
{
    u32 kind = depth > 4 ? 9 : gen_below(g, 10);
    if (kind < 3)
        gen_body_object(g, depth, out);
    else if (kind < 5)
        gen_array(g, depth, out);
    else
        gen_scalar(g, out);
}

static void gen_body(struct generator *g, struct buf *out)
{
    static const char *const odd[] = {
        "",     " ",          "{}", "[]",           "42",         "\"a\"",
        "text", "{\"a\":1}x", "{",  "{\"a\":[1,]}", "{\"a\":01}", "{\"a\":\"\\x\"}",
        "\xff"};
    if (one_in(g, 25)) {
        buf_z(out, PICK(g, odd));
        return;
    }
    if (one_in(g, 10))
        buf_z(out, " \n");
    gen_body_object(g, 0, out);
    if (one_in(g, 60))
        out->n -= gen_below(g, 2) + 1;
}

static void gen_string_array(struct generator *g, struct buf *out)
{
    static const char *const odd[] = {"a",     "[",         "[\"a\"]]", "38",
                                      "\"a\"", "{\"a\":1}", " [ ] ",    "[[\"a\"],{\"b\":1}]"};
    if (one_in(g, 12)) {
        buf_z(out, PICK(g, odd));
        return;
    }
    u32 n = gen_below(g, 4);
    buf_char(out, '[');
    for (u32 i = 0; i < n; i++) {
        if (i)
            buf_z(out, ", ");
        gen_scalar(g, out);
    }
    buf_char(out, ']');
}

static void gen_attribute(struct generator *g, struct filter_attr *a)
{
    static const char *const odd_numbers[] = {".5", "5.", "+5", "05", " 5", "x", "1e", ""};
    struct buf b = {0};
    switch (gen_below(g, 8)) {
    case 0:
        a->type = STR("Binary");
        buf_str(&b, gen_text(g));
        break;
    case 1:
    case 2:
        a->type = STR("String.Array");
        gen_string_array(g, &b);
        break;
    case 3:
    case 4:
        a->type = one_in(g, 6) ? STR("Number.int") : STR("Number");
        buf_str(&b, one_in(g, 25) ? str_of(PICK(g, odd_numbers)) : gen_number(g));
        break;
    default:
        a->type = one_in(g, 6) ? STR("String.note") : STR("String");
        buf_str(&b, gen_text(g));
        if (one_in(g, 25))
            buf_char(&b, "\t\n\x01\x1f\x7f"[gen_below(g, 5)]);
    }
    a->value = arena_dup(&g->arena, buf_view(&b));
    buf_deinit(&b);
}

struct filter_message gen_message(struct generator *g)
{
    static const char *const names[] = {"a", "b", "c", "a.b", "ab", "b.c"};
    u32 n = one_in(g, 12) ? 0 : 1 + gen_below(g, GEN_ATTRS_MAX);
    u32 first = gen_below(g, ARRAY_LEN(names));
    for (u32 i = 0; i < n; i++) {
        g->attrs[i].name = str_of(names[(first + i) % ARRAY_LEN(names)]);
        gen_attribute(g, &g->attrs[i]);
    }
    struct buf b = {0};
    gen_body(g, &b);
    str body = arena_dup(&g->arena, buf_view(&b));
    buf_deinit(&b);
    return (struct filter_message){.attrs = g->attrs, .attr_count = n, .body = body};
}
