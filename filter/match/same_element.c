/* The same-element rule: conditions below one array of objects must hold in the same element.
 *
 * Elements form a tree. Each condition holds in some elements (those that contain a value that
 * satisfies it); a choice of one element per condition is valid when no two of them lie in
 * different elements of one array. Going up the tree from the leaves, every element knows which
 * sets of conditions can be satisfied together inside it: those of its own values, joined with one
 * element of each array in it. Sets are bitmaps; only maximal ones are kept.
 *
 * Absence is not tied to an element. */
#include "filter/match/matcher.h"

/* Conditions of one expression that can be distinguished; beyond this the rule is not applied. The
 * service allows five keys. */
enum { CONDS_MAX = 64 };
/* Sets kept for one element; with six conditions no more than 20 can differ. */
enum { SETS_MAX = 20 };
/* Conditions whose elements are remembered. */
enum { PLACES_MAX = 64 };

/* Sets of conditions, none within another. */
struct sets {
    u32 n;
    u64 set[SETS_MAX];
};

/* An element that contains arrays with touched elements. */
struct frame {
    u32 array;             /* the array whose elements are being collected; 0: none yet */
    struct sets of_array;  /* one of its elements */
    struct sets of_others; /* one element of each previous array */
};

/* Elements in which a condition holds, remembered for the match. */
struct places {
    u32 cond, epoch;
    u32 from, n; /* in `elements` */
};

/* A value satisfied a condition that is looked up. */
struct note {
    u32 cond, element;
    u32 next; /* of the same condition, or of another one with the same slot; 0 ends */
};

struct same_element {
    u32 epoch;
    struct note *notes; /* from 1, in value order */
    u32 note_n, note_cap, note_epoch;
    u32 *slots; /* last note by condition; built at first use */
    u32 slot_n, slot_cap, slot_epoch;
    struct places places[PLACES_MAX];
    u32 *elements;
    u32 element_n, element_cap;
    /* The tree while it is traversed; element 0 is the message itself. */
    u64 *waiting;  /* a bit for each element that is touched and not done */
    u64 *own;      /* by element, while it waits: conditions that its own values satisfy */
    u32 *frame_of; /* by element, while it waits: its frame + 1, 0: none */
    u32 room;      /* capacity in elements */
    struct frame *frames;
    u32 frame_n, frame_cap;
};

struct same_element *same_element_new(void)
{
    return mem_alloc(sizeof(struct same_element));
}

void same_element_free(struct same_element *t)
{
    if (!t)
        return;
    mem_free(t->notes);
    mem_free(t->slots);
    mem_free(t->elements);
    mem_free(t->waiting);
    mem_free(t->own);
    mem_free(t->frame_of);
    mem_free(t->frames);
    mem_free(t);
}

/* --- where rows could have to agree ----------------------------------------------------------- */

/* Absence is tied to no element, and presence beside another condition at its path adds nothing. */
static bool can_tie(const struct matcher *m, const u32 *conds, u32 n, u32 at)
{
    const struct cond *c = &m->conds[conds[at]];

    if (c->kind == COND_ABSENT || c->kind == COND_SCOPE || c->kind == COND_ALWAYS)
        return false;
    for (u32 i = 0; i < n && c->kind == COND_PRESENT; i++)
        if (i != at && m->conds[conds[i]].path == c->path && m->conds[conds[i]].kind != COND_ABSENT)
            return false;
    return true;
}

void same_element_count(struct matcher *m, const u32 *conds, u32 n, i32 change)
{
    for (u32 i = 0; i < n && n > 1; i++) {
        if (!can_tie(m, conds, n, i))
            continue;
        for (u32 path = m->conds[conds[i]].path; path; path = m->paths[path].parent)
            if (++m->seen[path].below == 2)
                m->paths[path].ties += (u32)change;
    }
    for (u32 i = 0; i < n && n > 1; i++)
        for (u32 path = m->conds[conds[i]].path; path; path = m->paths[path].parent)
            m->seen[path].below = 0;
}

/* --- where a condition holds ------------------------------------------------------------------ */

void same_element_note(struct matcher *m, u32 cond, u32 element)
{
    struct same_element *t = m->same_element;

    if (t->note_epoch != m->epoch) {
        t->note_epoch = m->epoch;
        t->note_n = 1;
    }
    t->notes = matcher_room(t->notes, &t->note_cap, t->note_n, sizeof(*t->notes));
    t->notes[t->note_n++] = (struct note){cond, element, 0};
}

static u32 *slot_of(struct same_element *t, u32 cond)
{
    return &t->slots[(cond * 0x9E3779B1u) % t->slot_n];
}

/* Indexes the notes by their conditions, once per match. */
static void sort_notes(struct matcher *m)
{
    struct same_element *t = m->same_element;
    u32 n = t->note_epoch == m->epoch ? t->note_n : 1;

    if (t->slot_epoch == m->epoch)
        return;
    t->slot_epoch = m->epoch;
    t->slot_n = 2 * n + 1;
    t->slots = matcher_room(t->slots, &t->slot_cap, t->slot_n, sizeof(*t->slots));
    memset(t->slots, 0, t->slot_n * sizeof(*t->slots));
    for (u32 i = 1; i < n; i++) {
        u32 *slot = slot_of(t, t->notes[i].cond);
        t->notes[i].next = *slot;
        *slot = i;
    }
}

static void add_place(struct same_element *t, struct places *p, u32 element)
{
    t->elements = matcher_room(t->elements, &t->element_cap, t->element_n, sizeof(*t->elements));
    t->elements[t->element_n++] = element;
    p->n++;
}

/* Every value was looked up, so the notes are complete. */
static void find_by_notes(struct matcher *m, u32 cond, struct places *p)
{
    struct same_element *t = m->same_element;

    sort_notes(m);
    for (u32 i = *slot_of(t, cond); i; i = t->notes[i].next)
        if (t->notes[i].cond == cond)
            add_place(t, p, t->notes[i].element);
}

static void find_by_asking(struct matcher *m, u32 cond, struct places *p)
{
    for (u32 at = m->seen[m->conds[cond].path].first; at; at = m->event.values[at].next)
        if (cond_takes(m, cond, &m->event.values[at]))
            add_place(m->same_element, p, m->event.values[at].element);
}

static struct places *places_of(struct matcher *m, u32 cond)
{
    struct same_element *t = m->same_element;

    if (t->epoch != m->epoch) {
        t->epoch = m->epoch;
        t->element_n = 0;
    }
    struct places *p = &t->places[cond % PLACES_MAX];
    if (p->cond == cond && p->epoch == m->epoch)
        return p;
    *p = (struct places){cond, m->epoch, t->element_n, 0};
    if (m->conds[cond].kind < COND_LOOKED_UP)
        find_by_notes(m, cond, p);
    else
        find_by_asking(m, cond, p);
    return p;
}

/* Whether it may disagree with others: it holds, and in array elements only. */
static bool is_tied(struct matcher *m, u32 cond)
{
    const struct cond *c = &m->conds[cond];

    if (c->kind == COND_ABSENT || c->kind == COND_SCOPE || c->kind == COND_ALWAYS)
        return false;
    if (m->seen[c->path].epoch != m->epoch || !m->seen[c->path].tied)
        return false; /* holds by absence, or also outside of arrays */
    const struct places *p = places_of(m, cond);
    for (u32 i = 0; i < p->n; i++)
        if (m->same_element->elements[p->from + i] == 0)
            return false;
    return p->n > 0;
}

/* --- sets ------------------------------------------------------------------------------------- */

/* Keeps only sets that no other contains. */
static void element_sets_add(struct sets *s, u64 set)
{
    u32 kept = 0;

    for (u32 i = 0; i < s->n; i++)
        if ((s->set[i] & set) == set)
            return;
    for (u32 i = 0; i < s->n; i++)
        if ((s->set[i] & set) != s->set[i])
            s->set[kept++] = s->set[i];
    s->n = kept;
    if (s->n < SETS_MAX)
        s->set[s->n++] = set;
}

/* Every set of one joined with every set of the other. */
static void sets_join(struct sets *to, const struct sets *with)
{
    struct sets old = *to;

    to->n = 0;
    for (u32 i = 0; i < old.n; i++)
        for (u32 j = 0; j < with->n; j++)
            element_sets_add(to, old.set[i] | with->set[j]);
}

/* --- the tree --------------------------------------------------------------------------------- */

static void tree_room(struct same_element *t, u32 elements)
{
    if (elements <= t->room)
        return;
    u32 room = elements + elements / 2 + 64;
    t->waiting = mem_grow(t->waiting, (room / 64 + 1) * sizeof(u64));
    memset(t->waiting, 0, (room / 64 + 1) * sizeof(u64));
    t->own = mem_grow(t->own, room * sizeof(*t->own));
    t->frame_of = mem_grow(t->frame_of, room * sizeof(*t->frame_of));
    t->room = room;
}

static void touch(struct same_element *t, u32 element)
{
    u64 bit = 1ull << (element % 64);

    if (t->waiting[element / 64] & bit)
        return;
    t->waiting[element / 64] |= bit;
    t->own[element] = 0;
    t->frame_of[element] = 0;
}

static struct frame *frame_of(struct same_element *t, u32 element)
{
    if (t->frame_of[element] == 0) {
        t->frames = matcher_room(t->frames, &t->frame_cap, t->frame_n, sizeof(*t->frames));
        struct frame *f = &t->frames[t->frame_n++];
        f->array = f->of_array.n = 0;
        f->of_others.n = 1;
        f->of_others.set[0] = 0;
        t->frame_of[element] = t->frame_n;
    }
    return &t->frames[t->frame_of[element] - 1];
}

static void close_array(struct frame *f)
{
    if (f->array)
        sets_join(&f->of_others, &f->of_array);
    f->of_array.n = 0;
}

/* Passes what one element satisfies to the element that contains its array. Elements of one array
 * are consecutive, since elements are numbered in text order. */
static void hand_up(struct matcher *m, u32 element)
{
    struct same_element *t = m->same_element;
    struct element e = m->event.elements[element];
    struct sets only = {.n = 1, .set = {t->own[element]}};

    if (t->frame_of[element]) {
        struct frame *f = frame_of(t, element);
        close_array(f);
        sets_join(&only, &f->of_others);
    }
    touch(t, e.parent);
    struct frame *up = frame_of(t, e.parent);
    if (up->array != e.array) {
        close_array(up);
        up->array = e.array;
    }
    for (u32 i = 0; i < only.n; i++)
        element_sets_add(&up->of_array, only.set[i]);
}

/* Visits the touched elements, the last one first; true when all conditions are satisfied. */
static bool go_up(struct matcher *m, u64 all)
{
    struct same_element *t = m->same_element;

    touch(t, 0);
    for (u32 word = (m->event.element_n - 1) / 64 + 1; word-- > 0;) {
        while (t->waiting[word]) {
            u32 element = word * 64 + 63 - (u32)__builtin_clzll(t->waiting[word]);
            if (element == 0)
                break;
            hand_up(m, element);
            t->waiting[word] &= ~(1ull << (element % 64));
        }
    }
    t->waiting[0] = 0;
    struct frame *top = frame_of(t, 0);
    close_array(top);
    for (u32 i = 0; i < top->of_others.n; i++)
        if ((top->of_others.set[i] & all) == all)
            return true;
    return false;
}

/* Whether it can be tied in this message. */
static bool may_be_tied(const struct matcher *m, const u32 *conds, u32 n, u32 at)
{
    const struct path_seen *seen = &m->seen[m->conds[conds[at]].path];

    return seen->epoch == m->epoch && seen->tied && can_tie(m, conds, n, at);
}

bool same_element_holds(struct matcher *m, const u32 *conds, u32 n)
{
    struct same_element *t = m->same_element;
    u32 tied[CONDS_MAX], tied_n = 0, candidates = 0;

    for (u32 i = 0; i < n; i++)
        candidates += may_be_tied(m, conds, n, i);
    if (candidates < 2)
        return true;
    for (u32 i = 0; i < n && tied_n < CONDS_MAX; i++)
        if (may_be_tied(m, conds, n, i) && is_tied(m, conds[i]))
            tied[tied_n++] = conds[i];
    if (tied_n < 2)
        return true;
    tree_room(t, m->event.element_n);
    t->frame_n = 0;
    for (u32 i = 0; i < tied_n; i++) {
        const struct places *p = places_of(m, tied[i]);
        for (u32 j = 0; j < p->n; j++) {
            u32 element = t->elements[p->from + j];
            touch(t, element);
            t->own[element] |= 1ull << i;
        }
    }
    return go_up(m, tied_n == 64 ? ~0ull : (1ull << tied_n) - 1);
}
