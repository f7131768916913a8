/* xml.[ch]: whatever the text holds, the element around it can be parsed and gives it back. */
#include "common/base/xml.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>

static void check(str text, const char *want)
{
    struct buf b = {0};
    xml_element(&b, "M", text);
    assert_true(str_starts(buf_view(&b), STR("<M>")) && str_ends(buf_view(&b), STR("</M>")));
    assert_true(str_is(str_slice(buf_view(&b), 3, b.n - 4), want));
    buf_deinit(&b);
}

static void escaping(void **state)
{
    check(STR(""), "");
    check(STR_NONE, "");
    check(STR("plain text's"), "plain text's");
    check(STR("<a href=\"x\">&amp;</a>"), "&lt;a href=&quot;x&quot;&gt;&amp;amp;&lt;/a&gt;");
    check(STR("a\tb\nc\rd\r\n"), "a\tb\nc&#xD;d&#xD;\n");
    check(STR("]]>"), "]]&gt;");
    check(STR("\xE2\x82\xAC\xF0\x9F\x92\xB6\x7F\xC2\x85"),
          "\xE2\x82\xAC\xF0\x9F\x92\xB6\x7F\xC2\x85");
}

/* What XML cannot carry. */
static void replaced(void **state)
{
    check(STR("a\0b"), "a\xEF\xBF\xBD"
                       "b");
    check(STR("\x01\x08\x0B\x0C\x1F"),
          "\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD");
    check(STR("\xEF\xBF\xBE|\xEF\xBF\xBF|\xEF\xBF\xBD"), "\xEF\xBF\xBD|\xEF\xBF\xBD|\xEF\xBF\xBD");
    check(STR("\xFFz\xC3"), "\xEF\xBF\xBDz\xEF\xBF\xBD");
    check(STR("\xED\xA0\x80"), "\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD");
}

static void structure(void **state)
{
    struct buf b = {0};
    xml_open(&b, "A");
    xml_element_i64(&b, "N", -5);
    xml_close(&b, "A");
    assert_string_equal(b.p, "<A><N>-5</N></A>");
    buf_deinit(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(escaping),
        cmocka_unit_test(replaced),
        cmocka_unit_test(structure),
    };
    return cmocka_run_group_tests_name("xml", tests, NULL, NULL);
}
