/* The generated workloads of the matcher's benchmark: every line is a formula of its number, so
 * files are the same wherever they are made, and their digests are checked instead of keeping them.
 *
 *   workloads lots|lots-rev [LINES]
 *   workloads sns-policies core|full first|last 0|0.1|1|50 N
 *   workloads sns-messages first|last 0|0.1|1|50 [LINES]
 *   workloads check */
#include <stdlib.h>

#include "tests/bench/draws.h"

enum { LOTS_LINES = 213068, SNS_LINES = 10000 };

/* --- LOTS ------------------------------------------------------------------------------------- */

struct weighted {
    const char *name; /* NULL: null */
    u32 weight;
};

static const struct weighted STREETS[] = {
    {"FULTON", 90},   {"MASON", 125},   {"ACEVEDO", 1},   {"BLAKE", 21},        {"LAKE", 20},
    {"DRUMM", 1},     {"DRAKE", 1},     {"FUNSTON", 22},  {"MISSION", 300},     {"WASHINGTON", 130},
    {"JACKSON", 100}, {"HARRISON", 68}, {"JEFFERSON", 6}, {"RHODE ISLAND", 15}, {"IRVING", 92},
    {"SANTIAGO", 32}, {"BEACH", 10},    {"HYDE", 83},     {"CHESTNUT", 39},     {"17TH", 76},
    {"FOLSOM", 65},   {"FOERSTER", 10}, {"CRANLEIGH", 1}, {NULL, 60},
};
static const struct weighted TYPES[] = {
    {"ST", 5462}, {"AVE", 2900}, {"CT", 83},   {"SQ", 1},   {"BLVD", 300}, {"DR", 400},
    {"WAY", 300}, {"PL", 100},   {"TER", 150}, {"LN", 104}, {NULL, 200},
};
static const char *const HEADS[] = {"TA",  "VAL", "MOR", "SUN", "PER", "CLE", "NOR",
                                    "EUC", "HAI", "GUE", "OCT", "LAR", "WEB"};
static const char *const MIDDLES[] = {"RI", "DE", "VA", "LO", "MI", "SE", "TO", "NA", "BU"};
static const char *const TAILS[] = {"A", "ES", "ER", "IA", "EL", "AN", "IS", "OR", "ET", "US"};

struct lot {
    u64 i;
    bool multi;
    u64 points, x, y;
    char block[16], lot[8], map[24];
};

static u64 lot_below(const struct lot *l, u64 n, u64 j)
{
    return draw_below(n, 1001, l->i, j);
}

/* Walks the table; what is left of r beyond its end is returned, and *ret_name untouched. */
static u64 weigh(const struct weighted *table, size_t n, u64 r, const char **ret_name,
                 bool *ret_hit)
{
    for (size_t i = 0; i < n; i++) {
        if (r < table[i].weight) {
            *ret_name = table[i].name;
            *ret_hit = true;
            return 0;
        }
        r -= table[i].weight;
    }
    *ret_hit = false;
    return r;
}

static void put_text(struct buf *out, const char *key, const char *text)
{
    if (text)
        buf_printf(out, "\"%s\":\"%s\"", key, text);
    else
        buf_printf(out, "\"%s\":null", key);
}

static void put_street(const struct lot *l, struct buf *out)
{
    const char *name = NULL;
    char made[16];
    bool hit;
    u64 r = lot_below(l, 10000, 7), rest = weigh(STREETS, ARRAY_LEN(STREETS), r, &name, &hit);
    if (!hit) {
        u64 f = rest / 8;
        snprintf(made, sizeof(made), "%s%s%s", HEADS[f % 13], MIDDLES[f / 13 % 9], TAILS[f / 117]);
        name = made;
    }
    put_text(out, "STREET", name);
}

static void put_properties(const struct lot *l, struct buf *out)
{
    char from[16] = "", to[16];
    const char *type = NULL;
    bool hit;
    u64 r = lot_below(l, 10000, 8), n = 441;
    bool none = r >= 115 && r < 265;
    if (r >= 265)
        n = 1 + lot_below(l, 1 + lot_below(l, 4000, 9), 10);
    snprintf(from, sizeof(from), "%llu", (unsigned long long)n);
    if (lot_below(l, 5, 11) == 0)
        n += 2;
    snprintf(to, sizeof(to), "%llu", (unsigned long long)n);
    buf_printf(out, "\"properties\":{\"MAPBLKLOT\":\"%s\",\"BLKLOT\":\"%s%s\",", l->map, l->block,
               l->lot);
    buf_printf(out, "\"BLOCK_NUM\":\"%s\",\"LOT_NUM\":\"%s\",", l->block, l->lot);
    put_text(out, "FROM_ST", none ? NULL : from);
    buf_char(out, ',');
    put_text(out, "TO_ST", none ? NULL : to);
    buf_char(out, ',');
    put_street(l, out);
    weigh(TYPES, ARRAY_LEN(TYPES), lot_below(l, 10000, 12), &type, &hit);
    buf_char(out, ',');
    put_text(out, "ST_TYPE", type);
    r = lot_below(l, 100, 13);
    buf_char(out, ',');
    put_text(out, "ODD_EVEN", r < 50 ? "E" : r < 98 ? "O" : NULL);
    buf_char(out, '}');
}

static void put_point(const struct lot *l, u64 k, struct buf *out)
{
    bool edge = k == 0 || k == l->points - 1;
    u64 x = l->x, y = l->y;
    if (!edge) {
        x += lot_below(l, 400000000, 100 + 2 * k);
        y += lot_below(l, 400000000, 101 + 2 * k);
    }
    if (edge && (l->i == 50000 || l->i == 60000))
        buf_z(out, "{\"x\":-122.42916360922355,");
    else
        buf_printf(out, "{\"x\":-122.%012llu,", (unsigned long long)x);
    if (edge && l->i == 3)
        buf_z(out, "\"y\":37.729900216217324,\"z\":0.0}");
    else
        buf_printf(out, "\"y\":37.%012llu,\"z\":0.0}", (unsigned long long)y);
}

static void put_geometry(const struct lot *l, struct buf *out)
{
    buf_printf(out, "\"geometry\":{\"type\":\"%s\",\"firstCoordinates\":",
               l->multi ? "MultiPolygon" : "Polygon");
    put_point(l, 0, out);
    buf_printf(out, ",\"coordinates\":[[%s", l->multi ? "[" : "");
    for (u64 k = 0; k < l->points; k++) {
        if (k)
            buf_char(out, ',');
        put_point(l, k, out);
    }
    buf_printf(out, "]]%s}", l->multi ? "]" : "");
}

static void lot_draw(struct lot *l, u64 i)
{
    *l = (struct lot){.i = i};
    int n =
        snprintf(l->block, sizeof(l->block), "%04llu", (unsigned long long)lot_below(l, 7000, 1));
    if (lot_below(l, 100, 2) < 3)
        snprintf(l->block + n, sizeof(l->block) - (size_t)n, "%c",
                 (char)('A' + (int)lot_below(l, 4, 3)));
    snprintf(l->lot, sizeof(l->lot), "%03u", 1 + (u32)lot_below(l, 300, 4));
    if (lot_below(l, 4, 5) != 0)
        snprintf(l->map, sizeof(l->map), "%.8s%.7s", l->block, l->lot);
    else
        snprintf(l->map, sizeof(l->map), "%.8s%03u", l->block, 1 + (u32)lot_below(l, 40, 6));
    const char *fixed = i % 325 == 7     ? "3745012"
                        : i % 2109 == 11 ? "2607117"
                        : i % 6087 == 13 ? "2607218"
                        : i == 100000    ? "1430022"
                        : i == 150000    ? "VACSTWIL"
                                         : NULL;
    if (fixed)
        snprintf(l->map, sizeof(l->map), "%s", fixed);
    l->multi = i % 1775 == 3;
    u64 r = lot_below(l, 1000, 14);
    l->points = r < 500   ? 5
                : r < 750 ? 6 + lot_below(l, 5, 15)
                : r < 930 ? 11 + lot_below(l, 15, 15)
                : r < 993 ? 26 + lot_below(l, 30, 15)
                          : 56 + lot_below(l, 150, 15);
    if (i % 10007 == 5)
        l->points = 2000;
    if (i == 123456)
        l->points = 10000;
    l->x = 373500000000ull + lot_below(l, 141500000000ull, 16);
    l->y = 708100000000ull + lot_below(l, 124200000000ull, 17);
}

static void lots_line(u64 i, bool reversed, struct buf *out)
{
    struct lot l;
    lot_draw(&l, i);
    buf_char(out, '{');
    if (reversed) {
        put_geometry(&l, out);
        buf_char(out, ',');
        put_properties(&l, out);
        buf_z(out, ",\"type\":\"Feature\"");
    } else {
        buf_z(out, "\"type\":\"Feature\",");
        put_properties(&l, out);
        buf_char(out, ',');
        put_geometry(&l, out);
    }
    buf_z(out, "}\n");
}

/* --- SNS -------------------------------------------------------------------------------------- */

struct sns {
    bool full;
    const char *gate; /* acct or zone */
    const char *sel;
};

static u64 sns_values(const struct sns *s)
{
    return str_is(str_of(s->sel), "0.1") ? 610 : str_is(str_of(s->sel), "1") ? 61 : 1000;
}

static void put_gate(const struct sns *s, u64 p, struct buf *out)
{
    unsigned value = (unsigned)draw_below(sns_values(s), 2001, p, 3);
    if (str_is(str_of(s->sel), "50"))
        buf_printf(out, "\"%s\":[{\"anything-but\":[\"g%05u\"]}]", s->gate, value);
    else
        buf_printf(out, "\"%s\":[\"%c%05u\"]", s->gate, s->sel[0] == '0' && !s->sel[1] ? 'x' : 'g',
                   value);
}

static void put_price(u64 p, bool half, struct buf *out)
{
    unsigned t = (unsigned)draw_below(1000000, 2001, p, 24);
    if (half)
        buf_printf(out, ",\"price\":[{\"numeric\":[\"%s\",%u.%02u]}]",
                   draw_below(2, 2001, p, 25) == 1 ? ">=" : "<", t / 100, t % 100);
    else
        buf_z(out, ",\"price\":[{\"numeric\":[\">=\",0]}]");
}

static void put_attribute(const struct sns *s, u64 p, u64 a, bool half, struct buf *out)
{
    char c = (char)('a' + (int)draw_below(2, 2001, p, 20));
    if (a == 0 && half)
        buf_printf(out, ",\"color\":[{\"prefix\":\"%c\"}]", c);
    else if (a == 0)
        buf_printf(out, ",\"color\":[{\"anything-but\":[\"%c%07x\"]}]", c,
                   (unsigned)draw_below(1u << 28, 2001, p, 21));
    else if (a == 1)
        buf_printf(out, ",\"event\":[{\"wildcard\":\"%s\"}]",
                   !half                             ? "*-*"
                   : draw_below(2, 2001, p, 22) == 1 ? "order-*"
                                                     : "refund-*");
    else if (a == 2 && half)
        buf_printf(out, ",\"tier\":[{\"equals-ignore-case\":\"%s\"}]",
                   draw_below(2, 2001, p, 23) == 1 ? "GoLd" : "sILVER");
    else if (a == 2)
        buf_z(out, ",\"tier\":[{\"exists\":true}]");
    else if (a == 3 && !s->full)
        buf_z(out, ",\"kind\":[{\"exists\":false}]");
    else if (a == 3)
        put_price(p, half, out);
    else
        buf_printf(out, ",\"ip\":[{\"cidr\":\"%s\"}]",
                   !half                             ? "10.0.0.0/8"
                   : draw_below(2, 2001, p, 26) == 1 ? "10.128.0.0/9"
                                                     : "10.0.0.0/9");
}

static void sns_policy(const struct sns *s, u64 p, struct buf *out)
{
    u64 na = s->full ? 5 : 4, hp = str_is(str_of(s->sel), "50") ? 74 : 50;
    u64 k = 1 + draw_below(5, 2001, p, 1), off = draw_below(na, 2001, p, 2);
    buf_char(out, '{');
    put_gate(s, p, out);
    for (u64 t = 0; t + 1 < k; t++)
        put_attribute(s, p, (off + t) % na, draw_below(100, 2001, p, 10 + t) < hp, out);
    buf_z(out, "}\n");
}

static void sns_message(const struct sns *s, u64 m, struct buf *out)
{
    static const char *const tiers[] = {"Gold", "gOLD", "Silver", "sILVER"};
    bool first = str_is(str_of(s->gate), "acct");
    unsigned gate = (unsigned)draw_below(sns_values(s), 2002, m, 1);
    unsigned t = (unsigned)draw_below(1000000, 2002, m, 5);
    buf_char(out, '{');
    if (first)
        buf_printf(out, "\"acct\":\"g%05u\",", gate);
    buf_printf(out, "\"color\":\"%c%07x\",", (char)('a' + (int)draw_below(2, 2002, m, 2)),
               (unsigned)draw_below(1u << 28, 2002, m, 3));
    buf_printf(out, "\"event\":\"%s-%03u-ok\",",
               draw_below(2, 2002, m, 4) == 1 ? "order" : "refund",
               (unsigned)draw_below(1000, 2002, m, 6));
    buf_printf(out, "\"ip\":\"10.%u.%u.%u\",", (unsigned)draw_below(256, 2002, m, 7),
               (unsigned)draw_below(256, 2002, m, 8), (unsigned)draw_below(256, 2002, m, 9));
    buf_printf(out, "\"price\":%u.%02u,\"tier\":\"%s\"", t / 100, t % 100,
               tiers[draw_below(4, 2002, m, 10)]);
    if (!first)
        buf_printf(out, ",\"zone\":\"g%05u\"", gate);
    buf_z(out, "}\n");
}

/* --- the command line ------------------------------------------------------------------------- */

struct job {
    struct sns sns;
    bool reversed;
};

static void lots(const void *of, u64 i, struct buf *out)
{
    lots_line(i, ((const struct job *)of)->reversed, out);
}
static void policies(const void *of, u64 i, struct buf *out)
{
    sns_policy(&((const struct job *)of)->sns, i, out);
}
static void messages(const void *of, u64 i, struct buf *out)
{
    sns_message(&((const struct job *)of)->sns, i, out);
}

static int check(void)
{
    struct job job = {.sns = {.gate = "zone", .sel = "1"}};
    bool good = draw_digest("sns-messages last 1", messages, &job, SNS_LINES,
                            "d3195bc61de3130ce34d4912c52a70c8248f7dab6fc22b5dc17c7fbce4997f19");
    good &= draw_digest("sns-policies core last 1 1000", policies, &job, 1000,
                        "9928360b26b86c87941f3438a88d20678161e5ba35d3f66aa6955a254cfd80ac");
    job.sns.full = true;
    good &= draw_digest("sns-policies full last 1 1000", policies, &job, 1000,
                        "09c145590e01df6b7ff8eb1d98743d08a9d917b7ddb4bf8596594ec57f97c074");
    good &= draw_digest("lots", lots, &job, LOTS_LINES,
                        "741b44500ecacd04c26de0be6e308730adb1d03018d821b5a09fe08c37b44a4b");
    job.reversed = true;
    good &= draw_digest("lots-rev", lots, &job, LOTS_LINES,
                        "f579d2929cfcaa6cc9d9349e0c48699456a69c405fb4ed3772d7f3d928437493");
    return good ? 0 : 1;
}

static const char *gate_name(const char *arg)
{
    return str_is(str_of(arg), "first") ? "acct" : "zone";
}

int main(int argc, char **argv)
{
    str verb = argc > 1 ? str_of(argv[1]) : STR("");
    struct job job = {.reversed = str_is(verb, "lots-rev")};
    if (str_is(verb, "check"))
        return check();
    if (str_is(verb, "lots") || job.reversed)
        return draw_print(lots, &job, argc > 2 ? strtoull(argv[2], NULL, 10) : LOTS_LINES);
    if (str_is(verb, "sns-policies") && argc == 6) {
        job.sns = (struct sns){str_is(str_of(argv[2]), "full"), gate_name(argv[3]), argv[4]};
        return draw_print(policies, &job, strtoull(argv[5], NULL, 10));
    }
    if (str_is(verb, "sns-messages") && argc >= 4) {
        job.sns = (struct sns){false, gate_name(argv[2]), argv[3]};
        return draw_print(messages, &job, argc > 4 ? strtoull(argv[4], NULL, 10) : SNS_LINES);
    }
    fprintf(stderr, "workloads lots|lots-rev [LINES]\n"
                    "workloads sns-policies core|full first|last 0|0.1|1|50 N\n"
                    "workloads sns-messages first|last 0|0.1|1|50 [LINES]\n"
                    "workloads check\n");
    return 2;
}
