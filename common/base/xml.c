#include "common/base/xml.h"

void xml_open(struct buf *out, const char *name)
{
    buf_char(out, '<');
    buf_z(out, name);
    buf_char(out, '>');
}

void xml_close(struct buf *out, const char *name)
{
    buf_add(out, "</", 2);
    buf_z(out, name);
    buf_char(out, '>');
}

/* The replacement of an ASCII character; NULL: none needed. */
static const char *xml_entity(unsigned char c)
{
    switch (c) {
    case '&': return "&amp;";
    case '<': return "&lt;";
    case '>': return "&gt;";
    case '"': return "&quot;";
    case '\r': return "&#xD;";
    case '\t':
    case '\n': return NULL;
    default: return c < 0x20 ? "\xEF\xBF\xBD" : NULL;
    }
}

/* Whether an ASCII character needs no replacement, found without a branch per character: all four
 * that need an entity lie between 0x20 and 0x3F. Newlines and tabs take the slow path. */
static bool is_plain(unsigned char c)
{
    const u32 special = 1u << ('&' - 32) | 1u << ('<' - 32) | 1u << ('>' - 32) | 1u << ('"' - 32);

    return c >= 0x20 && c < 0x80 && (c >= 0x40 || !(special >> (c - 32) & 1));
}

void xml_text(struct buf *out, str text)
{
    size_t done = 0; /* bytes already written */

    for (size_t i = 0; i < text.n;) {
        if (is_plain((unsigned char)text.p[i])) {
            i++;
            continue;
        }
        size_t at = i;
        const char *instead = NULL;
        if ((unsigned char)text.p[i] < 0x80) {
            instead = xml_entity((unsigned char)text.p[i++]);
        } else {
            u32 c = str_next_char(text, &i);
            /* U+FFFD may occur in the text itself: three bytes that are replaced by the same three
             * bytes. */
            if (c == 0xFFFD || c == 0xFFFE || c == 0xFFFF)
                instead = "\xEF\xBF\xBD";
        }
        if (!instead)
            continue;
        buf_add(out, text.p + done, at - done);
        buf_z(out, instead);
        done = i;
    }
    buf_str(out, str_slice(text, done, text.n));
}

void xml_element(struct buf *out, const char *name, str text)
{
    xml_open(out, name);
    xml_text(out, text);
    xml_close(out, name);
}

void xml_element_i64(struct buf *out, const char *name, i64 v)
{
    xml_open(out, name);
    buf_i64(out, v);
    xml_close(out, name);
}
