#include "common/aws/tags.h"

#include <locale.h>
#include <wctype.h>

#include "common/base/mem.h"
#include "common/base/scan.h"

/* --- the set ---------------------------------------------------------------------------------- */

static struct tag tag_new(str key, str value)
{
    char *p = mem_grow(NULL, key.n + value.n + 1);

    if (key.n)
        memcpy(p, key.p, key.n);
    if (value.n)
        memcpy(p + key.n, value.p, value.n);
    return (struct tag){{p, key.n}, {p + key.n, value.n}};
}

static void tag_free(struct tag *t)
{
    mem_free((void *)(uintptr_t)t->key.p);
}

void tags_deinit(struct tags *t)
{
    for (u32 i = 0; i < t->n; i++)
        tag_free(&t->items[i]);
    mem_free(t->items);
    *t = (struct tags){0};
}

void tags_copy(struct tags *to, const struct tags *from)
{
    *to = (struct tags){from->n ? mem_array(from->n, sizeof *to->items) : NULL, from->n};
    for (u32 i = 0; i < from->n; i++)
        to->items[i] = tag_new(from->items[i].key, from->items[i].value);
}

/* Where the key is, or belongs. */
static u32 tags_place(const struct tags *t, str key)
{
    u32 low = 0, high = t->n;

    while (low < high) {
        u32 middle = low + (high - low) / 2;

        if (str_cmp(t->items[middle].key, key) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

const struct tag *tags_find(const struct tags *t, str key)
{
    u32 at = tags_place(t, key);

    return at < t->n && str_eq(t->items[at].key, key) ? &t->items[at] : NULL;
}

void tags_set(struct tags *t, str key, str value)
{
    u32 at = tags_place(t, key);
    struct tag new = tag_new(key, value);

    if (at < t->n && str_eq(t->items[at].key, key)) {
        tag_free(&t->items[at]);
    } else {
        t->items = mem_grow(t->items, (t->n + 1) * sizeof *t->items);
        memmove(&t->items[at + 1], &t->items[at], (t->n - at) * sizeof *t->items);
        t->n++;
    }
    t->items[at] = new;
}

void tags_remove(struct tags *t, str key)
{
    u32 at = tags_place(t, key);

    if (at == t->n || !str_eq(t->items[at].key, key))
        return;
    tag_free(&t->items[at]);
    t->n--;
    memmove(&t->items[at], &t->items[at + 1], (t->n - at) * sizeof *t->items);
}

bool tags_hold(const struct tags *t, const struct tags *part)
{
    for (u32 i = 0; i < part->n; i++) {
        const struct tag *mine = tags_find(t, part->items[i].key);

        if (!mine || !str_eq(mine->value, part->items[i].value))
            return false;
    }
    return true;
}

void tags_write(const struct tags *t, struct buf *out)
{
    buf_char(out, '{');
    for (u32 i = 0; i < t->n; i++) {
        if (i)
            buf_char(out, ',');
        scan_quote(out, t->items[i].key);
        buf_char(out, ':');
        scan_quote(out, t->items[i].value);
    }
    buf_char(out, '}');
}

/* --- checks ----------------------------------------------------------------------------------- */

/* Unicode's letters and digits, as the C library knows them. The locale is made once. */
static bool is_letter(u32 c)
{
    static locale_t unicode;

    if (!unicode)
        unicode = newlocale(LC_CTYPE_MASK, "C.UTF-8", (locale_t)0);
    return unicode ? iswalnum_l((wint_t)c, unicode) : c >= 0x80;
}

/* Unicode's blanks, line breaks not among them. */
static bool is_blank(u32 c)
{
    return c == ' ' || c == 0xA0 || c == 0x1680 || (c >= 0x2000 && c <= 0x200A) || c == 0x2028 ||
           c == 0x2029 || c == 0x202F || c == 0x205F || c == 0x3000;
}

/* The number of characters, or -1 when one of them is not allowed. */
static i64 tag_length(str text)
{
    i64 n = 0;

    for (size_t at = 0; at < text.n; n++) {
        u32 c = str_next_char(text, &at);
        bool is_symbol = c && c < 0x80 && strchr("_.:/=+-@", (int)c);

        if (!is_symbol && !is_blank(c) && !is_letter(c))
            return -1;
    }
    return n;
}

const char *tags_refuse(str key, str value)
{
    i64 key_n = tag_length(key), value_n = tag_length(value);

    if (key_n < 0)
        return "Tag keys may only contain unicode letters, digits, whitespace, or one of these "
               "symbols: _ . : / = + - @";
    if (key_n < 1 || key_n > TAG_KEY_MAX)
        return "Tag keys must be between 1 and 128 characters in length.";
    if (value_n < 0)
        return "Tag values may only contain unicode letters, digits, whitespace, or one of these "
               "symbols: _ . : / = + - @";
    if (value_n > TAG_VALUE_MAX)
        return "Tag values must be between 0 and 256 characters in length.";
    return NULL;
}
