/* Any bytes as Authorization header, then as query string: taken apart, refused, or passed over;
 * what is taken apart lies within what was given. */
#include "common/aws/sigv4.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(const struct request *rq)
{
    static struct fault f;
    struct arena arena;
    struct identity id = {.is_signed = false};
    size_t given = rq->authorization.n + rq->query.n;
    arena_init(&arena);
    fault_clear(&f);
    int err = sigv4_read(rq, &arena, &id, &f);
    assert((err == 0) == (f.code == 0));
    assert(err == 0 || !id.is_signed);
    assert(!id.is_signed || id.access_key.n > 0);
    assert(id.access_key.n + id.region.n + id.service.n <= given);
    arena_deinit(&arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *copy = mem_alloc(size);
    if (size)
        memcpy(copy, data, size);
    struct request rq = {.authorization = str_from(copy, size)};
    check(&rq);
    rq = (struct request){.query = str_from(copy, size)};
    check(&rq);
    mem_free(copy);
    return 0;
}
