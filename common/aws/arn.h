/* Resource names: arn:<partition>:<service>:<region>:<account>:<resource>, and the valid names of
 * queues, topics, accounts and regions. */
#ifndef TOQUE_ARN_H
#define TOQUE_ARN_H

#include "common/base/buf.h"
#include "common/base/str.h"

/* The service says "An ARN must have at least 6 elements, not N". */
#define ARN_PARTS_MIN      6
#define ARN_QUEUE_NAME_MAX 80  /* the suffix .fifo counted in */
#define ARN_TOPIC_NAME_MAX 256 /* likewise */
#define ARN_ACCOUNT_SIZE   12
#define ARN_REGION_MAX     32

/* Views of the parsed text. */
struct arn {
    str partition, service, region, account;
    str resource; /* all the rest, colons included: a subscription's is "<topic>:<uuid>" */
};

/* Number of colon-separated parts; 1 for the empty text. */
size_t arn_parts(str text);
/* E_INVALID unless it begins with "arn:" and has ARN_PARTS_MIN parts. Parts may be empty. */
int arn_read(str text, struct arn *ret);
void arn_write(struct buf *out, const struct arn *a);

/* The partition that a region belongs to: "aws-cn" for "cn-…", "aws" for unknown regions. */
str arn_partition(str region);
/* The ARN of a resource, with its region's partition. */
struct arn arn_of(const char *service, str region, str account, str resource);
/* Whether the partition is that of the region. */
bool arn_is_in_partition(const struct arn *a);

/* Twelve digits. */
bool arn_is_account(str s);
/* Lower-case letters, digits and hyphens, at most ARN_REGION_MAX; never empty. */
bool arn_is_region(str s);
/* Letters, digits, hyphens and underscores, optionally followed by .fifo; never empty. */
bool arn_is_queue_name(str s);
bool arn_is_topic_name(str s);
/* Whether a name ends in ".fifo". */
bool arn_is_fifo_name(str s);

#endif
