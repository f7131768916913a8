/* Evaluates conditions that nothing has fired, on demand of a group; the result is remembered for
 * the rest of the match. */
#include "filter/match/key.h"
#include "filter/match/matcher.h"

static bool takes_folded(const struct cond *c, str text)
{
    switch ((enum cond_kind)c->kind) {
    case COND_FOLDED: return fold_eq(cond_text(c), text);
    case COND_PREFIX_FOLDED: return fold_starts(cond_text(c), text);
    default: return fold_ends(cond_text(c), text);
    }
}

static bool takes_string(const struct cond *c, str text)
{
    struct address address;

    switch ((enum cond_kind)c->kind) {
    case COND_STRING: return str_eq(cond_text(c), text);
    case COND_PREFIX: return str_starts(text, cond_text(c));
    case COND_SUFFIX: return str_ends(text, cond_text(c));
    case COND_FOLDED:
    case COND_PREFIX_FOLDED:
    case COND_SUFFIX_FOLDED: return takes_folded(c, text);
    case COND_WILDCARD: return pattern_match(&c->wild->pattern, text);
    case COND_ADDRESS: {
        char key[COND_ADDRESS_SIZE];
        if (text.n > ADDRESS_TEXT_MAX || !address_read(text, &address))
            return false;
        if (address.family != (u8)cond_text(c).p[0])
            return false;
        u32 bits = (u8)cond_text(c).p[1];
        address_mask(&address, bits);
        return str_eq(cond_text(c), cond_address_text(&address, bits, key));
    }
    default: return false;
    }
}

static bool takes_number(const struct cond *c, struct value *v)
{
    char few[NUMBER_KEY_STACK];

    if (c->kind == COND_RANGE)
        return range_takes(c->range, v);
    if (c->kind != COND_NUMBER)
        return false;
    if (event_decimal(v))
        return str_eq(cond_text(c), decimal_key(&v->decimal, few));
    struct number exact = event_exact(v);
    size_t size = number_key_size(&exact);
    char *key = size > sizeof(few) ? mem_alloc(size) : few;
    bool equal = str_eq(cond_text(c), str_from(key, number_key(&exact, key)));
    if (key != few)
        mem_free(key);
    return equal;
}

/* The value of OR and of anything-but for one value. */
static bool takes_by_kids(struct matcher *m, const struct cond *c, struct value *v)
{
    for (u32 i = 0; i < c->n; i++)
        if (cond_takes(m, c->kids.ids[i], v))
            return c->kind == COND_OR;
    return c->kind != COND_OR;
}

/* The pair set of a longer text selects little and costs much. */
enum { PAIRS_TEXT_MAX = 512 };

bool wild_may_take(struct matcher *m, const struct wild *w, const struct value *v)
{
    if (v->text.n > PAIRS_TEXT_MAX)
        return true;
    if (m->pairs_serial != m->serial) {
        m->pairs_serial = m->serial;
        memset(m->pairs, 0, sizeof(m->pairs));
        for (size_t i = 0; i + 2 <= v->text.n; i++) {
            u32 slot = pair_slot(v->text.p + i);
            m->pairs[slot / 64] |= 1ull << (slot % 64);
        }
    }
    for (u32 i = 0; i < w->pair_n; i++)
        if (!(m->pairs[w->pairs[i] / 64] >> (w->pairs[i] % 64) & 1))
            return false;
    return true;
}

bool cond_takes(struct matcher *m, u32 cond, struct value *v)
{
    const struct cond *c = &m->conds[cond];

    switch ((enum cond_kind)c->kind) {
    case COND_PRESENT: return true;
    case COND_ABSENT:
    case COND_SCOPE:
    case COND_ALWAYS: return false;
    case COND_OR:
    case COND_BUT:
    case COND_BUT_OR_ABSENT: return takes_by_kids(m, c, v);
    default: break;
    }
    switch ((enum value_kind)v->kind) {
    case VALUE_STRING: return takes_string(c, v->text);
    case VALUE_NUMBER: return takes_number(c, v);
    case VALUE_TRUE: return c->kind == COND_TRUE;
    case VALUE_FALSE: return c->kind == COND_FALSE;
    case VALUE_NULL: return c->kind == COND_NULL;
    case VALUE_GONE: break;
    }
    return false;
}

static bool some_value(struct matcher *m, u32 cond, u32 path)
{
    if (m->conds[cond].kind == COND_RANGE) {
        int some = range_takes_some(m, m->conds[cond].range, path);
        if (LIKELY(some))
            return some > 0;
    }
    for (u32 at = m->seen[path].first; at; at = m->event.values[at].next)
        if (cond_takes(m, cond, &m->event.values[at]))
            return true;
    return false;
}

static bool some_kid(struct matcher *m, u32 cond)
{
    for (u32 i = 0; i < m->conds[cond].n; i++)
        if (cond_true(m, m->conds[cond].kids.ids[i]))
            return true;
    return false;
}

/* Called for a condition that has not fired; anything-but or absence that failed are already
 * marked. */
bool cond_find_out(struct matcher *m, u32 cond)
{
    const struct cond *c = &m->conds[cond];
    bool present = m->seen[c->path].epoch == m->epoch, holds = false;

    switch ((enum cond_kind)c->kind) {
    case COND_ABSENT:
    case COND_BUT_OR_ABSENT: holds = true; break;
    case COND_BUT: holds = present; break;
    case COND_OR: holds = (c->lazy || !c->watchers) && some_kid(m, cond); break;
    case COND_WILDCARD:
    case COND_RANGE:
        holds = present && (c->lazy || !c->watchers) && some_value(m, cond, c->path);
        break;
    default: break; /* found by lookup, or not present */
    }
    m->mark[cond] = m->epoch + !holds;
    return holds;
}
