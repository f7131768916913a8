/* Any bytes as a receipt handle: it is refused, or it is exactly what was made. The first bytes
 * also become a handle's members, which must come back. */
#include "common/base/err.h"
#include "common/base/mem.h"
#include "queued/receipt.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const u8 secret[16] = "sixteen secret b";

static void check_round(const struct receipt *h)
{
    char text[RECEIPT_SIZE];
    struct receipt got;
    str s = receipt_issue(secret, h, text);
    assert(s.n == RECEIPT_SIZE - 1 && !memchr(text, '-', s.n));
    assert(receipt_read(secret, s, &got) == 0);
    assert(got.queue == h->queue && got.message == h->message && got.delivery == h->delivery &&
           got.received_ms == h->received_ms);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct receipt h = {0};
    char *copy = mem_dup(str_from(data, size));
    if (receipt_read(secret, str_from(copy, size), &h) == 0) {
        char text[RECEIPT_SIZE];
        assert(str_eq(receipt_issue(secret, &h, text), str_from(copy, size)));
    }
    mem_free(copy);
    if (size >= 28) {
        memcpy(&h.queue, data, 8);
        memcpy(&h.message, data + 8, 8);
        memcpy(&h.delivery, data + 16, 4);
        memcpy(&h.received_ms, data + 20, 8);
        check_round(&h);
    }
    return 0;
}
