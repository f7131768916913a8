/* Any bytes as an HTTP request, its head in lines: its credentials are read, and when they name the
 * one key there is, its signature is verified. Nothing but what was signed passes, so a request
 * that does must still pass after it was read again. */
#include <stdlib.h>
#include <unistd.h>

#include "common/aws/sigv4.h"
#include "common/base/json.h"
#include "tests/key_file.h"

#define HEADERS_MAX 128
#define NOW_MS      INT64_C(1767323045000)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct keys *the_keys(void)
{
    static struct keys *keys;
    static struct fault f;
    char path[] = KEY_FILE_TEMPLATE;

    if (keys)
        return keys;
    json_setup();
    key_file_make(path, "{\"keys\":[{\"access_key_id\":\"AKIDEXAMPLE\",\"secret_access_key\":"
                        "\"wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY\",\"account\":"
                        "\"000000000000\"}]}");
    int err = keys_open(&keys, path, &f);

    unlink(path);
    assert(err == 0);
    return keys;
}

/* METHOD path?query, headers, an empty line, the body. */
static void read_request(str text, struct request *rq, struct http_field *headers)
{
    str first = str_cut(&text, '\n');

    rq->method = str_cut(&first, ' ');
    rq->path = str_cut(&first, '?');
    rq->query = first.p ? first : STR("");
    if (!str_starts(rq->path, STR("/")))
        rq->path = STR("/");
    while (text.n && rq->header_count < HEADERS_MAX) {
        str value = str_cut(&text, '\n'), name;

        if (!value.n)
            break;
        name = str_cut(&value, ':');
        headers[rq->header_count++] =
            (struct http_field){name, value.p ? str_trim(value) : STR("")};
        if (str_eq_nocase(name, STR("authorization")))
            rq->authorization = headers[rq->header_count - 1].value;
        if (str_eq_nocase(name, STR("x-amz-target")))
            rq->target = headers[rq->header_count - 1].value;
    }
    rq->headers = headers;
    rq->body = text.p ? text : STR("");
}

static int verify(struct call *c)
{
    const struct key *key = NULL;

    fault_clear(&c->fault);
    int err = sigv4_verify(c, "sqs", the_keys(), NOW_MS, &key);

    assert((err == 0) == (key != NULL) && (err == 0) == (c->fault.code == 0));
    return err;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct http_field headers[HEADERS_MAX];
    struct call *c = mem_alloc(sizeof *c);

    arena_init(&c->arena);
    c->request = request_blank(DOOR_TCP);
    read_request(str_from(data, size), &c->request, headers);
    int err = sigv4_read(&c->request, &c->arena, &c->identity, &c->fault);

    assert((err == 0) == (c->fault.code == 0));
    if (!err && c->identity.is_signed && verify(c) == 0)
        assert(verify(c) == 0);
    buf_deinit(&c->scratch);
    arena_deinit(&c->arena);
    mem_free(c);
    return 0;
}
