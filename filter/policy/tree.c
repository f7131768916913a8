/* The parser of policy texts: recursive descent, bounded in depth. It is long because its refusals
 * are those of the service's own parser, word for word. Duplicate names: the last value wins and
 * takes the first one's place, as in the map that the service reads into. */
#include "filter/policy/tree.h"

#include "common/base/buf.h"
#include "common/base/map.h"
#include "common/base/scan.h"
#include "filter/policy/tree_reader.h"

/* Objects with more members find duplicates by hash. */
#define NAMES_SCAN_MAX 16
static void skip_blanks(struct tree_reader *r)
{
    for (; r->at < r->text.n; r->at++) {
        char c = r->text.p[r->at];
        if (c != ' ' && c != '\t' && c != '\r' && c != '\n')
            return;
    }
}

static int reader_peek(const struct tree_reader *r)
{
    return r->at < r->text.n ? (u8)r->text.p[r->at] : -1;
}

/* --- strings, numbers, words ------------------------------------------------------------------ */

/* r->at is after the backslash. */
static int check_escape(struct tree_reader *r)
{
    int c = reader_peek(r);

    if (c < 0)
        return tree_refuse(r, r->at, "Unexpected end-of-input in character escape sequence");
    if (c != 'u') {
        if (!memchr("\"\\/bfnrt", c, 8))
            return tree_refuse_char(r, r->at, "Unrecognized character escape ", "");
        r->at++;
        return 0;
    }
    r->at++;
    for (u32 i = 0; i < 4; i++, r->at++) {
        c = reader_peek(r);
        if (c < 0)
            return tree_refuse(r, r->at, "Unexpected end-of-input in character escape sequence");
        if (!((c >= '0' && c <= '9') || ((c | 0x20) >= 'a' && (c | 0x20) <= 'f')))
            return tree_refuse_unexpected(r, "expected a hex-digit for character escape sequence");
    }
    return 0;
}

/* r->at is at the opening quote; the decoded text goes to the arena. */
static int read_node_string(struct tree_reader *r, bool is_name, str *ret)
{
    size_t from = ++r->at;

    for (;;) {
        int c = reader_peek(r);
        if (c < 0)
            return tree_refuse(r, r->at,
                               is_name
                                   ? "Unexpected end-of-input in field name"
                                   : "Unexpected end-of-input: was expecting closing quote for a "
                                     "string value");
        if (c == '"')
            break;
        if (c < 0x20)
            return tree_refuse_char(
                r, r->at, "Illegal unquoted character (",
                is_name ? "): has to be escaped using backslash to be included in name"
                        : "): has to be escaped using backslash to be included in "
                          "string value");
        r->at++;
        if (c == '\\') {
            int err = check_escape(r);
            if (err)
                return err;
        }
    }
    str raw = str_slice(r->text, from, r->at++);
    char *out = arena_alloc(r->arena, raw.n + 1);
    *ret = str_from(out, scan_unescape(raw, out));
    out[ret->n] = '\0';
    return 0;
}

static bool skip_digits(struct tree_reader *r)
{
    size_t from = r->at;

    while (r->at < r->text.n && r->text.p[r->at] >= '0' && r->text.p[r->at] <= '9')
        r->at++;
    return r->at > from;
}

static int refuse_number(struct tree_reader *r, const char *why)
{
    if (reader_peek(r) < 0)
        return tree_refuse(r, r->at, "Unexpected end-of-input in a Number value");
    struct buf b = {0};
    buf_printf(&b, ") in numeric value: %s", why);
    int err = tree_refuse_char(r, r->at, "Unexpected character (", b.p);
    buf_deinit(&b);
    return err;
}

static int read_node_number(struct tree_reader *r, str *ret)
{
    size_t from = r->at;

    if (reader_peek(r) == '-')
        r->at++;
    size_t digits = r->at;
    if (!skip_digits(r))
        return refuse_number(r,
                             "expected digit (0-9) to follow minus sign, for valid numeric value");
    if (r->text.p[digits] == '0' && r->at > digits + 1)
        return tree_refuse(r, digits + 1, "Invalid numeric value: Leading zeroes not allowed");
    if (reader_peek(r) == '.') {
        r->at++;
        if (!skip_digits(r))
            return refuse_number(r, "Decimal point not followed by a digit");
    }
    if (reader_peek(r) == 'e' || reader_peek(r) == 'E') {
        r->at++;
        if (reader_peek(r) == '+' || reader_peek(r) == '-')
            r->at++;
        if (!skip_digits(r))
            return refuse_number(r, "Exponent indicator not followed by a digit");
    }
    *ret = arena_dup(r->arena, str_slice(r->text, from, r->at));
    return 0;
}

static int read_node_word(struct tree_reader *r, struct node *node)
{
    static const struct {
        str word;
        enum node_kind kind;
    } words[] = {{{"true", 4}, NODE_TRUE}, {{"false", 5}, NODE_FALSE}, {{"null", 4}, NODE_NULL}};
    str rest = str_slice(r->text, r->at, r->text.n);
    for (size_t i = 0; i < ARRAY_LEN(words); i++) {
        size_t n = words[i].word.n;
        if (str_starts(rest, words[i].word) && (rest.n == n || !tree_is_word(rest.p[n]))) {
            node->kind = words[i].kind;
            r->at += n;
            return 0;
        }
    }
    if (tree_starts_word(rest, 0))
        return tree_refuse_word(r);
    return tree_refuse_token(r, rest.p[0] == '}' ? "expected a value"
                                                 : "expected a valid value " TREE_VALUE_LIST);
}

/* --- objects and arrays ----------------------------------------------------------------------- */

static int read_node_value(struct tree_reader *r, struct node *node);

/* The members of one object while it is parsed. */
struct members {
    struct node *node, *last;
    struct map names; /* in use from NAMES_SCAN_MAX members on */
};

static struct node *find_node_member(struct members *m, str name)
{
    if (m->node->n >= NAMES_SCAN_MAX)
        return map_get(&m->names, name);
    for (struct node *c = m->node->first; c; c = c->next)
        if (str_eq(c->name, name))
            return c;
    return NULL;
}

/* The node for the value of member `name`: a new one, or the existing one of this name. */
static struct node *add_member(struct tree_reader *r, struct members *m, str name)
{
    struct node *c = find_node_member(m, name);

    if (c) {
        struct node *next = c->next;
        *c = (struct node){.name = name, .twice = true, .next = next};
        return c;
    }
    c = arena_zalloc(r->arena, sizeof(*c));
    c->name = name;
    if (m->last)
        m->last->next = c;
    else
        m->node->first = c;
    m->last = c;
    m->node->n++;
    if (m->node->n == NAMES_SCAN_MAX) {
        for (struct node *old = m->node->first; old; old = old->next)
            map_put(&m->names, old->name, old);
    } else if (m->node->n > NAMES_SCAN_MAX) {
        map_put(&m->names, c->name, c);
    }
    return c;
}

/* Blanks and the comma between two entries, or the end. *ret_more: another entry follows. */
static int read_separator(struct tree_reader *r, const struct node *node, bool is_first,
                          bool *ret_more)
{
    bool is_object = node->kind == NODE_OBJECT;

    skip_blanks(r);
    int c = reader_peek(r);
    if (c < 0)
        return tree_refuse_open_end(r, is_object, node->source_at);
    if (c == ']' || c == '}') {
        if (c != (is_object ? '}' : ']'))
            return tree_refuse_close(r, is_object, node->source_at);
        r->at++;
        *ret_more = false;
        return 0;
    }
    *ret_more = true;
    if (is_first)
        return 0;
    if (c != ',')
        return tree_refuse_token(r, is_object ? "was expecting comma to separate Object entries"
                                              : "was expecting comma to separate Array entries");
    r->at++;
    skip_blanks(r);
    if (reader_peek(r) < 0)
        return tree_refuse(r, r->at,
                           is_object ? "Unexpected end-of-input within/between Object entries"
                                     : "Unexpected end-of-input within/between Array entries");
    return 0;
}

static int read_node_member(struct tree_reader *r, struct members *m)
{
    str name;

    if (reader_peek(r) != '"')
        return tree_refuse_token(r, "was expecting double-quote to start field name");
    int err = read_node_string(r, true, &name);
    if (err)
        return err;
    skip_blanks(r);
    if (reader_peek(r) >= 0 && reader_peek(r) != ':')
        return tree_refuse_token(r, "was expecting a colon to separate field name and value");
    r->at += reader_peek(r) == ':';
    skip_blanks(r);
    if (reader_peek(r) < 0)
        return tree_refuse(r, r->at, "Unexpected end-of-input within/between Object entries");
    struct node *c = add_member(r, m, name);
    return read_node_value(r, c);
}

static int read_node_object(struct tree_reader *r, struct node *node)
{
    struct members m = {.node = node};

    map_init(&m.names, NULL);
    r->at++;
    bool more = true;
    int err = read_separator(r, node, true, &more);
    while (!err && more) {
        err = read_node_member(r, &m);
        if (!err)
            err = read_separator(r, node, false, &more);
    }
    map_deinit(&m.names);
    return err;
}

static int read_node_array(struct tree_reader *r, struct node *node)
{
    struct node **link = &node->first;

    r->at++;
    bool more = true;
    int err = read_separator(r, node, true, &more);
    while (!err && more) {
        struct node *c = arena_zalloc(r->arena, sizeof(*c));
        *link = c;
        link = &c->next;
        node->n++;
        err = read_node_value(r, c);
        if (!err)
            err = read_separator(r, node, false, &more);
    }
    return err;
}

static int read_nested(struct tree_reader *r, struct node *node)
{
    if (r->depth == TREE_DEPTH_MAX)
        return tree_refuse(r, r->at + 1,
                           "Document nesting depth (1001) exceeds the maximum allowed (1000, from "
                           "`StreamReadConstraints.getMaxNestingDepth()`)");
    r->depth++;
    int err = node->kind == NODE_OBJECT ? read_node_object(r, node) : read_node_array(r, node);
    r->depth--;
    return err;
}

/* r->at is at the value's first byte, not at the end. Fills `node` except for its name. */
static int read_node_value(struct tree_reader *r, struct node *node)
{
    node->source_at = (u32)r->at;
    int err;
    switch (r->text.p[r->at]) {
    case '{':
        node->kind = NODE_OBJECT;
        err = read_nested(r, node);
        break;
    case '[':
        node->kind = NODE_ARRAY;
        err = read_nested(r, node);
        break;
    case '"':
        node->kind = NODE_STRING;
        err = read_node_string(r, false, &node->text);
        break;
    case '-':
    case '0':
    case '1':
    case '2':
    case '3':
    case '4':
    case '5':
    case '6':
    case '7':
    case '8':
    case '9':
        node->kind = NODE_NUMBER;
        err = read_node_number(r, &node->text);
        break;
    default: err = read_node_word(r, node); break;
    }
    node->source_end = (u32)r->at;
    return err;
}

/* --- writing ---------------------------------------------------------------------------------- */

static void tree_write_node(struct buf *out, struct node *node);

static void write_children(struct buf *out, struct node *node)
{
    for (struct node *c = node->first; c; c = c->next) {
        if (c != node->first)
            buf_char(out, ',');
        if (node->kind == NODE_OBJECT) {
            c->name_at = (u32)out->n;
            scan_quote(out, c->name);
            buf_char(out, ':');
        }
        tree_write_node(out, c);
    }
}

static void tree_write_node(struct buf *out, struct node *node)
{
    node->at = (u32)out->n;
    switch (node->kind) {
    case NODE_OBJECT:
        buf_char(out, '{');
        write_children(out, node);
        buf_char(out, '}');
        break;
    case NODE_ARRAY:
        buf_char(out, '[');
        write_children(out, node);
        buf_char(out, ']');
        break;
    case NODE_STRING: scan_quote(out, node->text); break;
    case NODE_NUMBER: buf_str(out, node->text); break;
    case NODE_TRUE: buf_z(out, "true"); break;
    case NODE_FALSE: buf_z(out, "false"); break;
    case NODE_NULL: buf_z(out, "null"); break;
    }
    node->end = (u32)out->n;
    bool is_lazy = node->kind <= NODE_STRING;
    node->open = is_lazy ? node->at + 1 : node->end;
}

/* The first byte that is not part of a character. */
static size_t malformed_at(str text)
{
    size_t at = 0, from = 0;

    while (at < text.n) {
        from = at;
        if (str_next_char(text, &at) == 0xfffd && at == from + 1)
            break;
    }
    return from;
}

int tree_read(struct arena *a, str text, struct node **ret, str *ret_compact, struct fault *f)
{
    struct tree_reader r = {.text = text, .arena = a, .fault = f};

    if (!str_is_utf8(text))
        return tree_refuse(&r, malformed_at(text), "Invalid UTF-8 byte");
    struct node *root = arena_zalloc(a, sizeof(*root));
    skip_blanks(&r);
    if (reader_peek(&r) < 0)
        return tree_refuse(&r, r.at, "No content to map due to end-of-input");
    int err = read_node_value(&r, root);
    if (err)
        return err;
    skip_blanks(&r);
    if (reader_peek(&r) >= 0)
        return tree_starts_word(r.text, r.at)
                   ? tree_refuse_word(&r)
                   : tree_refuse_token(&r, "expected the end of the text");
    struct buf out = {0};
    tree_write_node(&out, root);
    *ret_compact = arena_dup(a, buf_view(&out));
    buf_deinit(&out);
    *ret = root;
    return 0;
}
