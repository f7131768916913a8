/* Any bytes through the tokenizer: it ends, stays inside, agrees with its own skipping, and what it
 * unescapes comes back when it is quoted and read again. */
#include "common/base/mem.h"
#include "common/base/scan.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_round(str raw)
{
    char *text = mem_alloc(raw.n + 1);
    struct buf quoted = {0};
    size_t n = scan_unescape(raw, text);
    struct scan s;
    struct scan_text t;
    assert(n <= raw.n);
    scan_quote(&quoted, str_from(text, n));
    scan_init(&s, buf_view(&quoted));
    assert(scan_next(&s, &t) == SCAN_STRING);
    char *again = mem_alloc(t.raw.n + 1);
    size_t m = scan_unescape(t.raw, again);
    assert(m == n && memcmp(text, again, n) == 0);
    assert(scan_next(&s, &t) == SCAN_END);
    mem_free(again);
    mem_free(text);
    buf_deinit(&quoted);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *copy = mem_dup(str_from(data, size));
    struct scan s, skipping;
    struct scan_text t;
    enum scan_token token, skipped;
    scan_init(&s, str_from(copy, size));
    scan_init(&skipping, str_from(copy, size));
    do {
        token = scan_next(&s, &t);
        assert(s.at <= size && s.token_at <= size);
        if (token == SCAN_NAME || token == SCAN_STRING)
            check_round(t.raw);
    } while (token != SCAN_ERROR && token != SCAN_END);
    do {
        skipped = scan_next(&skipping, &t);
        if (skipped == SCAN_OBJECT || skipped == SCAN_ARRAY)
            skipped = scan_skip(&skipping);
    } while (skipped != SCAN_ERROR && skipped != SCAN_END);
    assert(token == skipped && s.at == skipping.at);
    mem_free(copy);
    return 0;
}
