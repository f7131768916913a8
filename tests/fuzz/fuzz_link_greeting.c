/* Any bytes to both ends of a link's greeting, in pieces that the first byte says: nobody is let in
 * who does not know the key, and no end takes more than came. */
#include "common/base/mem.h"
#include "common/io/link_greeting.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void greet(bool dials, str text, size_t piece)
{
    struct id_source chance;
    struct link_greeting g;
    struct buf out = {0};
    enum link_greeting_state state = LINK_GREETING_MORE;
    size_t at = 0, end = 0, taken;

    id_init(&chance, 7);
    link_greeting_begin(&g, dials, STR("a key that nobody guesses"), &chance, &out);
    while (state == LINK_GREETING_MORE && end < text.n) {
        end = MIN(text.n, end + piece);
        do {
            state = link_greeting_read(&g, str_slice(text, at, end), &taken, &out);
            assert(taken <= end - at);
            at += taken;
        } while (state == LINK_GREETING_MORE && taken);
    }
    assert(state != LINK_GREETING_DONE);
    buf_deinit(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0)
        return 0;
    greet(true, str_from(data + 1, size - 1), (size_t)data[0] + 1);
    greet(false, str_from(data + 1, size - 1), (size_t)data[0] + 1);
    return 0;
}
