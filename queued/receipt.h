/* Receipt handles: a consumer presents one to delete a message or to change its visibility. A
 * handle needs no state: it names the delivery, the message and the queue, and a message
 * authentication code with the store's secret proves that this store issued it. It is standard
 * base64, which has no hyphens: a client library splits off its own markers at the last hyphen.
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
    i64 received_ms; /* Unix ms of that receive: visibility can be extended up to 12 hours after it */
};

/* Writes the handle's text; `secret` is the store's 16 bytes. */
str receipt_issue(const u8 *secret, const struct receipt *h, char ret[RECEIPT_SIZE]);
/* E_INVALID: malformed, or issued under another secret. `text` is untrusted. */
int receipt_read(const u8 *secret, str text, struct receipt *ret) MUST_CHECK;

#endif
