/* What a POST to /_toque/queues/NAME/aids may hold: nothing of it is taken, or all; and what is shown of
 * it afterwards is taken again and means the same. */
#include "common/base/mem.h"
#include "queued/aids.h"
#include "queued/api.h"
#include "queued/queues.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct service service;
static char dead_letter_arn[] = "arn:aws:sqs:us-east-1:000000000000:dead";
/* Every aid can have an effect on it. */
static const struct queue queue = {.dead_letter_arn = dead_letter_arn};

static int aids_from(struct aids *a, str text)
{
    struct json_doc doc = {0};
    struct json_at root;
    struct fault f;

    fault_clear(&f);
    if (json_open(&doc, text, NULL, false, &f))
        return E_INVALID;
    root = json_root(&doc);
    int err = aids_read(a, &queue, &service, &root, &f);

    assert(!err == !f.code);
    json_close(&doc);
    return err;
}

static void shown_and_taken_again(const struct aids *a)
{
    struct aids *again = mem_alloc(sizeof(*again));
    struct buf first = {0}, second = {0};

    aids_write(a, &service, &first);
    int err = aids_from(again, buf_view(&first));

    assert(!err);
    aids_write(again, &service, &second);
    assert(str_eq(buf_view(&first), buf_view(&second)));
    buf_deinit(&first);
    buf_deinit(&second);
    aids_free(again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct aids *a = mem_alloc(sizeof(*a));

    if (!service.actions) {
        json_setup();
        api_init(&service, NULL);
    }
    a->twice = 7;
    if (aids_from(a, str_from(data, size)) == 0)
        shown_and_taken_again(a);
    else
        assert(a->twice == 7 && !a->fail_action);
    aids_free(a);
    return 0;
}
