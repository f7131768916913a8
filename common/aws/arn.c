#include "common/aws/arn.h"

#include "common/base/ascii.h"
#include "common/base/err.h"

size_t arn_parts(str text)
{
    size_t parts = 1;
    for (size_t i = 0; i < text.n; i++)
        parts += text.p[i] == ':';
    return parts;
}

int arn_read(str text, struct arn *ret)
{
    if (arn_parts(text) < ARN_PARTS_MIN || !str_is(str_cut(&text, ':'), "arn"))
        return E_INVALID;
    ret->partition = str_cut(&text, ':');
    ret->service = str_cut(&text, ':');
    ret->region = str_cut(&text, ':');
    ret->account = str_cut(&text, ':');
    ret->resource = text;
    return 0;
}

void arn_write(struct buf *out, const struct arn *a)
{
    const str parts[] = {STR("arn"), a->partition, a->service, a->region, a->account, a->resource};
    for (size_t i = 0; i < ARRAY_LEN(parts); i++) {
        if (i)
            buf_char(out, ':');
        buf_str(out, parts[i]);
    }
}

/* As in the SDKs' endpoint tables. */
str arn_partition(str region)
{
    static const struct {
        str prefix, partition;
    } partitions[] = {
        {STR_INIT("cn-"), STR_INIT("aws-cn")},
        {STR_INIT("us-gov-"), STR_INIT("aws-us-gov")},
        {STR_INIT("us-iso-"), STR_INIT("aws-iso")},
        {STR_INIT("us-isob-"), STR_INIT("aws-iso-b")},
        {STR_INIT("eu-isoe-"), STR_INIT("aws-iso-e")},
        {STR_INIT("us-isof-"), STR_INIT("aws-iso-f")},
        {STR_INIT("eusc-"), STR_INIT("aws-eusc")},
    };

    for (size_t i = 0; i < ARRAY_LEN(partitions); i++)
        if (str_starts(region, partitions[i].prefix))
            return partitions[i].partition;
    return STR("aws");
}

struct arn arn_of(const char *service, str region, str account, str resource)
{
    return (struct arn){arn_partition(region), str_of(service), region, account, resource};
}

bool arn_is_in_partition(const struct arn *a)
{
    return str_eq(a->partition, arn_partition(a->region));
}

bool arn_is_account(str s)
{
    for (size_t i = 0; i < s.n; i++)
        if (!ascii_is_digit(s.p[i]))
            return false;
    return s.n == ARN_ACCOUNT_SIZE;
}

bool arn_is_region(str s)
{
    for (size_t i = 0; i < s.n; i++) {
        char c = s.p[i];

        if (!(c >= 'a' && c <= 'z') && !ascii_is_digit(c) && c != '-')
            return false;
    }
    return s.n > 0 && s.n <= ARN_REGION_MAX;
}

static bool is_name_text(str s, size_t size_max)
{
    if (s.n > size_max)
        return false;
    if (arn_is_fifo_name(s))
        s.n -= STR(".fifo").n;
    for (size_t i = 0; i < s.n; i++) {
        char c = s.p[i], letter = (char)(c | 0x20);
        if (!(letter >= 'a' && letter <= 'z') && !ascii_is_digit(c) && c != '-' && c != '_')
            return false;
    }
    return s.n > 0;
}

bool arn_is_queue_name(str s)
{
    return is_name_text(s, ARN_QUEUE_NAME_MAX);
}

bool arn_is_topic_name(str s)
{
    return is_name_text(s, ARN_TOPIC_NAME_MAX);
}

bool arn_is_fifo_name(str s)
{
    return str_ends(s, STR(".fifo"));
}
