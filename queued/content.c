/* Rows come from the local disk, but disks fail and files get replaced: a row is read as untrusted
 * input. */
#include "queued/content.h"

#include <endian.h>

#include "common/aws/envelope.h"

#define VERSION       2
#define HEAD_SIZE     4
#define DIGEST_SIZE   8
#define MD5_TEXT_SIZE (HASH_MD5_HEX - 1)

enum { KIND_MESSAGE = 1, KIND_PUBLICATION = 2, KIND_FIFO_MESSAGE = 3 };

/* --- writing ---------------------------------------------------------------------------------- */

static void put_head(struct buf *b, u8 kind, u32 attrs)
{
    u16 n = htole16((u16)attrs);
    buf_char(b, VERSION);
    buf_char(b, (char)kind);
    buf_add(b, &n, sizeof n);
    buf_add(b, &(u64){0}, DIGEST_SIZE);
}

static void put_text(struct buf *b, str s)
{
    u32 n = htole32((u32)s.n);
    buf_add(b, &n, sizeof n);
    buf_str(b, s);
}

/* A digest that detects changed bytes; it does not protect against forgery. */
static u64 digest_of(u8 kind, u32 attrs, str rest)
{
    u8 digest[32];
    u64 first;
    hash_sha256(rest, digest);
    memcpy(&first, digest, sizeof first);
    return le64toh(first) ^ ((u64)kind << 16 | attrs);
}

/* The row is complete: fills in its digest. */
static void end_row(struct buf *out, u8 kind, u32 attrs)
{
    str rest = str_slice(buf_view(out), HEAD_SIZE + DIGEST_SIZE, out->n);
    u64 digest = htole64(digest_of(kind, attrs, rest));
    memcpy(out->p + HEAD_SIZE, &digest, sizeof digest);
}

void content_write(struct buf *out, const struct content *c)
{
    u8 kind = c->dedup_id.n ? KIND_FIFO_MESSAGE : KIND_MESSAGE;
    buf_reset(out);
    put_head(out, kind, c->attrs.n);
    buf_add(out, c->md5, MD5_TEXT_SIZE);
    put_text(out, c->group_id);
    if (c->dedup_id.n)
        put_text(out, c->dedup_id);
    put_text(out, c->trace_header);
    for (u32 i = 0; i < c->attrs.n; i++) {
        put_text(out, c->attrs.items[i].name);
        put_text(out, c->attrs.items[i].type);
        put_text(out, c->attrs.items[i].value);
    }
    buf_str(out, c->body);
    end_row(out, kind, c->attrs.n);
}

void content_write_publication(struct buf *out, const struct frame_publication *p)
{
    u64 time = htole64((u64)p->time_ms);
    buf_reset(out);
    put_head(out, KIND_PUBLICATION, p->attr_count);
    buf_add(out, &time, sizeof time);
    put_text(out, p->topic);
    put_text(out, p->message_id);
    put_text(out, p->subject);
    put_text(out, p->group_id);
    put_text(out, p->fifo);
    put_text(out, p->trace_header);
    put_text(out, p->public_url);
    put_text(out, p->attrs);
    buf_str(out, p->message);
    end_row(out, KIND_PUBLICATION, p->attr_count);
}

str content_origin(str topic, str subscription)
{
    if (str_starts(subscription, topic) && subscription.n > topic.n + 1 &&
        subscription.p[topic.n] == ':')
        return str_slice(subscription, topic.n + 1, subscription.n);
    return subscription;
}

/* --- reading ---------------------------------------------------------------------------------- */

/* False: the row is truncated. */
static bool get_bytes(str *rest, void *p, size_t n)
{
    if (rest->n < n)
        return false;
    memcpy(p, rest->p, n);
    *rest = str_slice(*rest, n, rest->n);
    return true;
}

static bool get_text(str *rest, str *ret)
{
    u32 n;
    if (!get_bytes(rest, &n, sizeof n) || rest->n < le32toh(n))
        return false;
    *ret = str_slice(*rest, 0, le32toh(n));
    *rest = str_slice(*rest, ret->n, rest->n);
    return true;
}

static int read_message(str rest, bool is_fifo, u32 attrs, struct content *c)
{
    if (attrs > MESSAGE_ATTRS_MAX || !get_bytes(&rest, c->md5, MD5_TEXT_SIZE) ||
        !get_text(&rest, &c->group_id) || (is_fifo && !get_text(&rest, &c->dedup_id)) ||
        !get_text(&rest, &c->trace_header))
        return E_INVALID;
    c->md5[MD5_TEXT_SIZE] = '\0';
    for (u32 i = 0; i < attrs; i++) {
        struct message_attr *a = &c->attrs.items[i];
        if (!get_text(&rest, &a->name) || !get_text(&rest, &a->type) || !get_text(&rest, &a->value))
            return E_INVALID;
    }
    c->attrs.n = attrs;
    c->body = rest;
    return 0;
}

static int read_publication(str rest, u32 attrs, struct frame_publication *p)
{
    u64 time;
    *p = (struct frame_publication){.attr_count = attrs};
    if (!get_bytes(&rest, &time, sizeof time) || !get_text(&rest, &p->topic) ||
        !get_text(&rest, &p->message_id) || !get_text(&rest, &p->subject) ||
        !get_text(&rest, &p->group_id) || !get_text(&rest, &p->fifo) ||
        !get_text(&rest, &p->trace_header) || !get_text(&rest, &p->public_url) ||
        !get_text(&rest, &p->attrs))
        return E_INVALID;
    p->time_ms = (i64)le64toh(time);
    p->message = rest;
    return 0;
}

/* Raw delivery: the topic's attributes become the message's. */
static int raw_attrs(const struct frame_publication *p, struct message_attrs *ret)
{
    struct message_attr item;
    str rest = p->attrs;
    int more;
    while ((more = frame_next_attr(&rest, &item)) > 0) {
        if (ret->n == MESSAGE_ATTRS_MAX)
            return E_INVALID;
        message_attrs_put(ret, &item);
    }
    return more;
}

static void render_envelope(const struct frame_publication *p, str subscription, struct buf *work)
{
    struct buf arn = {0};
    if (!str_starts(subscription, STR("arn:"))) {
        buf_str(&arn, p->topic);
        buf_char(&arn, ':');
    }
    buf_str(&arn, subscription);
    envelope_render(work, p, buf_view(&arn));
    buf_deinit(&arn);
}

static int publication_render(const struct frame_publication *p, bool raw, str subscription,
                              struct buf *work, struct content *ret)
{
    ret->is_published = true;
    ret->group_id = p->group_id;
    ret->dedup_id = frame_dedup_id(p);
    ret->trace_header = p->trace_header;
    ret->body = p->message;
    if (raw) {
        if (raw_attrs(p, &ret->attrs))
            return E_INVALID;
    } else {
        buf_reset(work);
        render_envelope(p, subscription, work);
        ret->body = buf_view(work);
    }
    hash_md5_hex(ret->body, ret->md5);
    return 0;
}

static int check_body(const struct content *c)
{
    char md5[HASH_MD5_HEX];
    return strcmp(hash_md5_hex(c->body, md5), c->md5) == 0 ? 0 : E_INVALID;
}

int content_read(str row, bool raw, str subscription, struct buf *work, struct content *ret)
{
    u8 head[2];
    u16 attrs;
    u64 digest;
    struct frame_publication p;
    ret->attrs.n = 0;
    ret->is_published = false;
    ret->dedup_id = STR("");
    if (!get_bytes(&row, head, sizeof head) || !get_bytes(&row, &attrs, sizeof attrs))
        return E_INVALID;
    if (head[0] == 0 || head[0] > VERSION)
        return head[0] ? E_NEWER : E_INVALID;
    if (head[0] == VERSION && (!get_bytes(&row, &digest, sizeof digest) ||
                               le64toh(digest) != digest_of(head[1], le16toh(attrs), row)))
        return E_INVALID;
    if (head[1] == KIND_MESSAGE || head[1] == KIND_FIFO_MESSAGE) {
        int err = read_message(row, head[1] == KIND_FIFO_MESSAGE, le16toh(attrs), ret);
        return err || head[0] == VERSION ? err : check_body(ret);
    }
    if (head[1] != KIND_PUBLICATION || read_publication(row, le16toh(attrs), &p))
        return E_INVALID;
    return publication_render(&p, raw, subscription, work, ret);
}
