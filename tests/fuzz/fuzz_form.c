/* Any bytes as form data: decoding ends, stays inside, and what was decoded comes back when it is
 * written as a form and read again. */
#include "common/base/form.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_round(const struct form *f, struct arena *a)
{
    struct buf text = {0};
    struct form again = {0};
    for (size_t i = 0; i < f->n; i++) {
        form_escape(&text, f->pairs[i].name);
        buf_char(&text, '=');
        form_escape(&text, f->pairs[i].value);
        buf_char(&text, '&');
    }
    int err = form_decode(&again, buf_view(&text), a);
    assert(!err && again.n == f->n);
    for (size_t i = 0; i < f->n; i++) {
        assert(str_eq(f->pairs[i].name, again.pairs[i].name));
        assert(str_eq(f->pairs[i].value, again.pairs[i].value));
    }
    buf_deinit(&text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *copy = mem_grow(NULL, size); /* no NUL behind it: reading on is seen */
    if (size)
        memcpy(copy, data, size);
    struct arena a;
    struct form f = {0};
    arena_init(&a);
    if (form_decode(&f, (str){copy, size}, &a) == 0)
        check_round(&f, &a);
    else
        assert(f.n == 0);
    arena_deinit(&a);
    mem_free(copy);
    return 0;
}
