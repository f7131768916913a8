/* figures.[ch]: one list of calls becomes one JSON object. */
#include "common/base/figures.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>

static void as_json(void **state)
{
    struct buf out = {0};
    struct figures_json json;
    struct figures *to = &json.to;

    figures_json_begin(&json, &out);
    figures_begin(to, "none");
    figures_end(to);
    figure_state(to, "link", "a \"word\"", "A state.");
    figure_counter(to, "sent", "", UINT64_MAX, "A counter.");
    figures_begin(to, "peers");
    for (u64 i = 1; i <= 2; i++) {
        figures_of(to, "url", i == 1 ? "ipc://a" : "ipc://b");
        figure_gauge(to, "held_bytes", "bytes", i, "A gauge.");
    }
    figures_end(to);
    figure_gauge(to, "last", "", 0, "Behind a list.");
    figures_json_end(&json);
    buf_char(&out, '\0');
    assert_string_equal(out.p,
                        "{\"none\":[],\"link\":\"a \\\"word\\\"\",\"sent\":18446744073709551615,"
                        "\"peers\":[{\"url\":\"ipc://a\",\"held_bytes\":1},"
                        "{\"url\":\"ipc://b\",\"held_bytes\":2}],\"last\":0}");
    buf_deinit(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(as_json)};

    return cmocka_run_group_tests_name("figures", tests, NULL, NULL);
}
