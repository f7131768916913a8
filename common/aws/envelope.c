/* Members in the service's order, two blanks and " : " between name and value; the objects of the
 * attributes are compact. A member without a value is omitted: neither null nor empty. Notifications
 * of FIFO topics have a SequenceNumber and no signature. */
#include "common/aws/envelope.h"

#include "common/base/clock.h"
#include "common/base/hash.h"
#include "common/base/scan.h"

/* The certificate's name is derived from the URL under which it is served. */
#define CERTIFICATE_DIGITS 32

static void envelope_member(struct buf *out, const char *name, str value)
{
    buf_z(out, ",\n  \"");
    buf_z(out, name);
    buf_z(out, "\" : ");
    scan_quote(out, value);
}

/* Some clients drop a fraction of .000 when they parse the time, and then fail to verify the
 * signature. The service's Timestamp has three digits, so a whole second is given one millisecond
 * later. */
static str envelope_timestamp(i64 ms, char text[CLOCK_ISO_SIZE])
{
    return str_of(clock_iso(ms % 1000 == 0 ? ms + 1 : ms, text));
}

static void envelope_signature(struct buf *out, const struct frame_publication *p)
{
    char digits[HASH_MD5_HEX];
    struct buf url = {0};
    envelope_member(out, "SignatureVersion", STR("1"));
    envelope_member(out, "Signature", STR(""));
    buf_str(&url, p->public_url);
    buf_z(&url, "/SimpleNotificationService-");
    buf_add(&url, hash_md5_hex(p->public_url, digits), CERTIFICATE_DIGITS);
    buf_z(&url, ".pem");
    envelope_member(out, "SigningCertURL", buf_view(&url));
    buf_deinit(&url);
}

static void envelope_unsubscribe_url(struct buf *out, const struct frame_publication *p,
                                     str subscription)
{
    struct buf url = {0};
    buf_str(&url, p->public_url);
    buf_z(&url, "/?Action=Unsubscribe&SubscriptionArn=");
    buf_str(&url, subscription);
    envelope_member(out, "UnsubscribeURL", buf_view(&url));
    buf_deinit(&url);
}

static void envelope_attribute(struct buf *out, const struct message_attr *a)
{
    buf_z(out, "    ");
    scan_quote(out, a->name);
    buf_z(out, " : {\"Type\":");
    scan_quote(out, a->type);
    buf_z(out, ",\"Value\":");
    if (str_starts(a->type, STR("Binary"))) {
        buf_char(out, '"');
        hash_base64(out, a->value);
        buf_char(out, '"');
    } else {
        scan_quote(out, a->value);
    }
    buf_char(out, '}');
}

static void envelope_attributes(struct buf *out, str attrs)
{
    struct message_attr a;
    const char *before = ",\n  \"MessageAttributes\" : {\n";
    while (frame_next_attr(&attrs, &a) > 0) {
        buf_z(out, before);
        envelope_attribute(out, &a);
        before = ",\n";
    }
    if (before[1] == '\n' && before[2] == '\0')
        buf_z(out, "\n  }");
}

void envelope_render(struct buf *out, const struct frame_publication *p, str subscription)
{
    char time[CLOCK_ISO_SIZE];
    buf_z(out, "{\n  \"Type\" : \"Notification\"");
    envelope_member(out, "MessageId", p->message_id);
    if (p->fifo.n)
        envelope_member(out, "SequenceNumber", frame_sequence(p));
    envelope_member(out, "TopicArn", p->topic);
    if (p->subject.n)
        envelope_member(out, "Subject", p->subject);
    envelope_member(out, "Message", p->message);
    envelope_member(out, "Timestamp", envelope_timestamp(p->time_ms, time));
    if (!p->fifo.n)
        envelope_signature(out, p);
    envelope_unsubscribe_url(out, p, subscription);
    if (p->attr_count)
        envelope_attributes(out, p->attrs);
    buf_z(out, "\n}");
}
