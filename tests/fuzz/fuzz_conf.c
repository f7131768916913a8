/* Any bytes as a configuration file, under a table with an option of every type: it is taken or
 * refused with a place and a reason, and nothing outside of the bounds gets in. */
#include "common/base/conf.h"
#include "common/base/json.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct options {
    i64 port, size;
    bool open;
    int word;
    char *text, *path;
    struct conf_list list;
};

static const char *const words[] = {"real", "manual", NULL};

#define AT(member) offsetof(struct options, member)
/* clang-format off */
static const struct conf_option rows[] = {
    {.name = "port", .type = CONF_INT, .value = "1", .min = 1, .max = 65535, .help = "",
     .offset = AT(port)},
    {.name = "size", .type = CONF_SIZE, .value = "1KiB", .min = 1, .max = 1 << 30, .help = "",
     .offset = AT(size)},
    {.name = "open", .type = CONF_BOOL, .value = "true", .help = "", .offset = AT(open)},
    {.name = "word", .type = CONF_ENUM, .value = "real", .words = words, .help = "",
     .offset = AT(word)},
    {.name = "text", .type = CONF_STRING, .value = "", .max = 20, .help = "", .offset = AT(text)},
    {.name = "path", .type = CONF_PATH, .value = ".", .min = 1, .max = 20, .help = "",
     .offset = AT(path)},
    {.name = "list", .type = CONF_LIST, .value = "", .max = 3, .help = "", .offset = AT(list)},
};
/* clang-format on */
static const struct conf_table table = {
    .program = "fuzz", .purpose = "", .options = rows, .n = ARRAY_LEN(rows)};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct fault fault;
    struct options o = {0};
    fault_clear(&fault);
    conf_init(&table, &o);
    int err = conf_load_text(&table, &o, str_from(data, size), "f", &fault);
    assert(err == 0 || err == E_FAULT);
    assert(!err == !fault.code);
    if (err)
        assert(fault.line > 0 && fault.column > 0 && fault.text[0]);
    assert(o.port >= 1 && o.port <= 65535 && o.size >= 1 && o.size <= 1 << 30);
    assert(o.word == 0 || o.word == 1);
    assert(strlen(o.text) <= 20 && o.path[0] && strlen(o.path) <= 20 && o.list.n <= 3);
    conf_deinit(&table, &o);
    return 0;
}

/* Once, before the first input: the libFuzzer way. */
int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    json_setup();
    return 0;
}
