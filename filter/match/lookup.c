/* Finds the conditions that a message's values satisfy. Each value is looked up in the ways that
 * its path needs: by its text, by its prefixes and suffixes of the lengths in use, folded, as a
 * number, as an address, and by the grams and blocks that anchor wildcards and ranges. The cost of
 * a value depends on the number of ways, never on the number of policies.
 *
 * Keys of prefixes are computed word by word, so all of them together cost one pass over the
 * text. */
#include "filter/match/key.h"
#include "filter/match/matcher.h"

#define KINDS_FOLDED (1u << COND_FOLDED | 1u << COND_PREFIX_FOLDED | 1u << COND_SUFFIX_FOLDED)

/* --- firing ----------------------------------------------------------------------------------- */

void matcher_fire(struct matcher *m, u32 cond)
{
    if (m->mark[cond] == m->epoch)
        return;
    m->mark[cond] = m->epoch;
    if (m->conds[cond].group_n == 0)
        return;
    if (m->fired_n >= m->fired_cap)
        m->fired = matcher_room(m->fired, &m->fired_cap, m->fired_n, sizeof(*m->fired));
    m->fired[m->fired_n++] = cond;
}

/* The value is one that the anything-but excludes. */
static void exclude(struct matcher *m, u32 but, u32 serial)
{
    struct cond *c = &m->conds[but];

    if (c->kids.last == serial)
        return;
    c->kids.last = serial;
    if (c->kids.count++)
        return;
    if (m->but_n >= m->but_cap)
        m->but = matcher_room(m->but, &m->but_cap, m->but_n, sizeof(*m->but));
    m->but[m->but_n++] = but;
}

/* The condition holds for this value. Recursion depth: an anchor, what it anchors, what is built on
 * that. */
static void hit(struct matcher *m, u32 cond, struct value *v)
{
    matcher_fire(m, cond);
    if (UNLIKELY(m->event.tied))
        same_element_note(m, cond, v->element);
    u32 n = m->conds[cond].parent_n;
    if (LIKELY(n == 0))
        return;
    const u32 *parents = cond_parents(&m->conds[cond]);
    for (u32 i = 0; i < n; i++) {
        u32 parent = parents[i];
        switch ((enum cond_kind)m->conds[parent].kind) {
        case COND_BUT:
        case COND_BUT_OR_ABSENT: exclude(m, parent, m->serial); break;
        case COND_OR: matcher_fire(m, parent); break;
        default:
            if (m->conds[parent].kind == COND_WILDCARD &&
                !wild_may_take(m, m->conds[parent].wild, v))
                continue;
            if (cond_takes(m, parent, v))
                hit(m, parent, v);
        }
    }
}

/* --- looking up ------------------------------------------------------------------------------- */

static void lookup_find(struct matcher *m, enum cond_kind kind, u32 path, u32 tag, str text,
                        struct value *v)
{
    struct table_walk w;
    u32 id;

    table_start(&w, &m->cond_table, tag);
    while ((id = table_next(&w)) != 0) {
        struct cond *c = &m->conds[id];
        if (c->kind == kind && c->path == path && str_eq(cond_text(c), text)) {
            hit(m, id, v);
            return;
        }
    }
}

static inline void look_up(struct matcher *m, enum cond_kind kind, u32 path, u32 tag, str text,
                           struct value *v)
{
    if (path_may_have(&m->paths[path], tag))
        lookup_find(m, kind, path, tag, text, v);
}

static void look_up_text(struct matcher *m, enum cond_kind kind, u32 path, str text,
                         struct value *v)
{
    look_up(m, kind, path, key_of(key_start(m->seed, kind, path), text), text, v);
}

/* The steps of one kind. */
static const struct step *steps_of(const struct path *p, u32 kind, u32 *ret_n)
{
    u32 from = 0, to;

    while (from < p->step_n && p->steps[from].key >> 24 < kind)
        from++;
    for (to = from; to < p->step_n && p->steps[to].key >> 24 == kind; to++)
        ;
    *ret_n = to - from;
    return p->steps + from;
}

static void look_up_prefixes(struct matcher *m, enum cond_kind kind, u32 path, str text,
                             struct value *v)
{
    u32 n;
    const struct step *steps = steps_of(&m->paths[path], kind, &n);
    u64 h = key_start(m->seed, kind, path);
    size_t at = 0;

    for (u32 i = 0; i < n; i++) {
        size_t length = steps[i].key & STEP_LENGTH_MAX;
        if (length > text.n)
            break;
        for (; at + 8 <= length; at += 8)
            h = key_step(h, key_word(text.p + at));
        u32 tag = key_end(h, key_part(text.p + at, length - at), length);
        look_up(m, kind, path, tag, str_slice(text, 0, length), v);
    }
}

static void look_up_suffixes(struct matcher *m, enum cond_kind kind, u32 path, str text,
                             struct value *v)
{
    u32 n;
    const struct step *steps = steps_of(&m->paths[path], kind, &n);
    u64 h = key_start(m->seed, kind, path);
    size_t done = 0;

    for (u32 i = 0; i < n; i++) {
        size_t length = steps[i].key & STEP_LENGTH_MAX;
        if (length > text.n)
            break;
        for (; done + 8 <= length; done += 8)
            h = key_step(h, key_word(text.p + text.n - done - 8));
        size_t from = text.n - length;
        u32 tag = key_end(h, key_part(text.p + from, length - done), length);
        look_up(m, kind, path, tag, str_slice(text, from, text.n), v);
    }
}

/* Every position of the text, for each gram size in use. A gram that repeats is recognised by the
 * serial of the last value that contained it. */
static void look_up_grams(struct matcher *m, u32 path, str text, struct value *v)
{
    u32 n;
    const struct step *steps = steps_of(&m->paths[path], COND_GRAM, &n);
    u64 start = key_start(m->seed, COND_GRAM, path);

    for (u32 i = 0; i < n; i++) {
        size_t size = steps[i].key & STEP_LENGTH_MAX;
        for (size_t at = 0; at + size <= text.n; at++) {
            str gram = str_from(text.p + at, size);
            struct table_walk w;
            u32 id, tag = key_of(start, gram);
            if (!path_may_have(&m->paths[path], tag))
                continue;
            table_start(&w, &m->cond_table, tag);
            while ((id = table_next(&w)) != 0) {
                struct cond *c = &m->conds[id];
                if (c->kind != COND_GRAM || c->path != path || !str_eq(cond_text(c), gram))
                    continue;
                if (c->gram.last != m->serial) {
                    c->gram.last = m->serial;
                    hit(m, id, v);
                }
                break;
            }
        }
    }
}

/* The text of COND_ADDRESS for the network of `bits` bits that contains the address. */
static str network_text(const struct address *a, u32 bits, char out[COND_ADDRESS_SIZE])
{
    str text = cond_address_text(a, bits, out);
    u32 whole = bits / 8, rest = bits % 8;

    if (rest)
        out[2 + whole] = (char)(out[2 + whole] & 0xFF00 >> rest);
    for (size_t i = 2 + whole + (rest != 0); i < text.n; i++)
        out[i] = 0;
    return text;
}

static void look_up_address(struct matcher *m, u32 path, str text, struct value *v)
{
    struct address address;
    u32 n;

    if (text.n > ADDRESS_TEXT_MAX || !address_read(text, &address))
        return;
    const struct step *steps = steps_of(&m->paths[path], COND_ADDRESS, &n);
    for (u32 i = 0; i < n; i++) {
        char key[COND_ADDRESS_SIZE];
        if ((steps[i].key >> 8 & 0xFF) == address.family)
            look_up_text(m, COND_ADDRESS, path, network_text(&address, steps[i].key & 0xFF, key),
                         v);
    }
}

/* Lower case of a text that is ASCII only; false when it is not. */
static bool fold_ascii(str text, char *out)
{
    for (size_t i = 0; i < text.n; i++) {
        u8 c = (u8)text.p[i];
        if (c >= 0x80)
            return false;
        out[i] = (char)(c | ((u8)(c - 'A') < 26) << 5);
    }
    return true;
}

static void look_up_folded(struct matcher *m, u32 path, u32 kinds, struct value *v)
{
    size_t room = FOLD_SIZE(v->text.n);

    if (room > m->folded_cap) {
        mem_free(m->folded);
        m->folded_cap = room * 2;
        m->folded = mem_alloc(m->folded_cap);
    }
    size_t n = v->text.n;
    if (!fold_ascii(v->text, m->folded))
        n = fold_text(v->text, m->folded);
    str text = str_from(m->folded, n);
    if (kinds & 1u << COND_FOLDED)
        look_up_text(m, COND_FOLDED, path, text, v);
    if (kinds & 1u << COND_PREFIX_FOLDED)
        look_up_prefixes(m, COND_PREFIX_FOLDED, path, text, v);
    if (kinds & 1u << COND_SUFFIX_FOLDED)
        look_up_suffixes(m, COND_SUFFIX_FOLDED, path, text, v);
}

/* --- values ----------------------------------------------------------------------------------- */

static void probe_string(struct matcher *m, u32 path, u32 kinds, struct value *v)
{
    if (kinds & 1u << COND_STRING)
        look_up(m, COND_STRING, path, v->tag, v->text, v);
    if (kinds & 1u << COND_PREFIX)
        look_up_prefixes(m, COND_PREFIX, path, v->text, v);
    if (kinds & 1u << COND_SUFFIX)
        look_up_suffixes(m, COND_SUFFIX, path, v->text, v);
    if (kinds & KINDS_FOLDED)
        look_up_folded(m, path, kinds, v);
    if (kinds & 1u << COND_GRAM)
        look_up_grams(m, path, v->text, v);
    if (kinds & 1u << COND_ADDRESS)
        look_up_address(m, path, v->text, v);
}

static void look_up_blocks(struct matcher *m, u32 path, struct value *v)
{
    u32 n;
    const struct step *steps = steps_of(&m->paths[path], COND_BLOCK, &n);
    u64 key = range_key(event_approx(v));

    for (u32 i = 0; i < n; i++) {
        char block[RANGE_BLOCK_SIZE];
        range_block(key, steps[i].key & STEP_LENGTH_MAX, block);
        look_up_text(m, COND_BLOCK, path, str_from(block, sizeof(block)), v);
    }
}

static void look_up_long(struct matcher *m, u32 path, struct value *v)
{
    char few[NUMBER_KEY_STACK];
    struct number exact = event_exact(v);
    size_t size = number_key_size(&exact);
    char *key = size > sizeof(few) ? mem_alloc(size) : few;

    look_up_text(m, COND_NUMBER, path, str_from(key, number_key(&exact, key)), v);
    if (key != few)
        mem_free(key);
}

/* The consecutive numbers from `at` on; returns the last of them. */
static u32 probe_numbers(struct matcher *m, u32 path, u32 kinds, u32 at)
{
    const u64 start = key_start(m->seed, COND_NUMBER, path);
    struct value *values = m->event.values;

    for (;;) {
        struct value *v = &values[at];
        m->serial++;
        if (kinds & 1u << COND_NUMBER) {
            char text[DECIMAL_KEY_SIZE];
            if (UNLIKELY(!event_decimal(v))) {
                look_up_long(m, path, v);
            } else {
                str key = decimal_key(&v->decimal, text);
                u32 tag = key_of(start, key);
                look_up(m, COND_NUMBER, path, tag, key, v);
            }
        }
        if (kinds & 1u << COND_BLOCK)
            look_up_blocks(m, path, v);
        if (!v->next || values[v->next].kind != VALUE_NUMBER)
            return at;
        at = v->next;
    }
}

static void probe_value(struct matcher *m, u32 path, struct value *v)
{
    u32 kinds = m->paths[path].kinds;

    m->serial++;
    switch ((enum value_kind)v->kind) {
    case VALUE_STRING: probe_string(m, path, kinds, v); return;
    case VALUE_TRUE:
        if (kinds & 1u << COND_TRUE)
            look_up_text(m, COND_TRUE, path, STR(""), v);
        return;
    case VALUE_FALSE:
        if (kinds & 1u << COND_FALSE)
            look_up_text(m, COND_FALSE, path, STR(""), v);
        return;
    case VALUE_NULL:
        if (kinds & 1u << COND_NULL)
            look_up_text(m, COND_NULL, path, STR(""), v);
        return;
    case VALUE_NUMBER:
    case VALUE_GONE: return;
    }
}

/* Marks anything-but conditions that excluded every value of the path as failed. */
static void settle_buts(struct matcher *m, u32 values)
{
    for (u32 i = 0; i < m->but_n; i++) {
        struct cond *c = &m->conds[m->but[i]];
        if (c->kids.count == values) {
            m->mark[m->but[i]] = m->epoch + 1;
            m->vetoes++;
        }
        c->kids.count = 0;
    }
    m->but_n = 0;
}

/* Removes retracted values; returns the path's first remaining value, 0: none. */
static u32 sweep_gone(struct matcher *m, u32 path)
{
    struct value *values = m->event.values;
    struct path_seen *seen = &m->seen[path];
    u32 *link = &seen->first;

    while (*link) {
        if (values[*link].kind == VALUE_GONE) {
            *link = values[*link].next;
            seen->n--;
        } else {
            link = &values[*link].next;
        }
    }
    if (!seen->first)
        seen->epoch = 0;
    return seen->first;
}

static void probe_path(struct matcher *m, u32 path)
{
    struct value *values = m->event.values;
    const struct path *p = &m->paths[path];

    if (UNLIKELY(m->event.has_gone) && !sweep_gone(m, path))
        return;
    if (p->present)
        matcher_fire(m, p->present);
    if (p->absent) {
        m->mark[p->absent] = m->epoch + 1;
        m->vetoes++;
    }
    if (!p->kinds) /* nothing is looked up: presence, wildcards and ranges evaluated on demand */
        return;
    for (u32 at = m->seen[path].first; at; at = values[at].next) {
        if (values[at].kind == VALUE_NUMBER)
            at = probe_numbers(m, path, p->kinds, at);
        else
            probe_value(m, path, &values[at]);
    }
    settle_buts(m, m->seen[path].n);
}

void matcher_lookup(struct matcher *m)
{
    for (u32 i = 0; i < m->event.touched_n; i++)
        probe_path(m, m->event.touched[i]);
}
