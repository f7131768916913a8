/* Receipt handles: what a consumer shows to delete a message or to change its visibility. Nothing
 * is kept for one; it says by itself which delivery of which message of which queue it belongs to,
 * and a short code under the store's secret says that we made it. Plain base64, never a hyphen: a
 * client library splits its own markers at the last one.
 *
 *   u8 version · u64 queue · u64 message · u32 delivery · u64 received ms · 10 bytes of code */
#ifndef TOQUE_RECEIPT_H
#define TOQUE_RECEIPT_H

#include "common/base/str.h"
#include "common/base/base.h"

#define RECEIPT_SIZE 53 /* with its NUL */

struct receipt {
    u64 queue, message; /* ids */
    u32 delivery;       /* the message's receive count at that delivery, from 1 */
    i64 received_ms; /* Unix ms of that delivery: visibility may be extended for 12 hours from it */
};

/* The text, `secret` being the store's 16 bytes. */
str receipt_issue(const u8 *secret, const struct receipt *h, char ret[RECEIPT_SIZE]);
/* E_INVALID: garbage, or made under another secret. Hostile input welcome. */
int receipt_read(const u8 *secret, str text, struct receipt *ret) MUST_CHECK;

#endif
