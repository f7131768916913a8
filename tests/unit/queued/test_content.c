/* Body rows: a message comes back as it was sent, a publication raw or in its envelope; damaged
 * rows are refused and never read beyond. */
#include "common/base/base.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "common/aws/frame.h"
#include "common/base/mem.h"
#include "queued/content.h"

#define TOPIC "arn:aws:sns:us-east-1:000000000000:t"

static void message_round_trip(void **state)
{
    struct buf row = {0}, work = {0};
    struct content in = {.body = STR("hello"), .group_id = STR("g"), .trace_header = STR("Root=1")},
                   out;
    hash_md5_hex(in.body, in.md5);
    message_attrs_put(&in.attrs, &(struct message_attr){STR("b"), STR("Binary"), STR("\x01\x02")});
    message_attrs_put(&in.attrs, &(struct message_attr){STR("a"), STR("String"), STR("x")});
    content_write(&row, &in);
    assert_int_equal(content_read(buf_view(&row), false, STR(""), &work, &out), 0);
    assert_true(str_eq(out.body, in.body));
    assert_string_equal(out.md5, "5d41402abc4b2a76b9719d911017c592");
    assert_true(str_is(out.group_id, "g") && str_is(out.trace_header, "Root=1"));
    assert_int_equal(out.attrs.n, 2);
    assert_true(str_is(out.attrs.items[0].name, "a") && str_is(out.attrs.items[1].name, "b"));
    assert_int_equal(out.attrs.items[1].value.n, 2);
    assert_false(out.is_published);
    buf_deinit(&row);
    buf_deinit(&work);
}

/* Whatever bit of a row is changed: it is not read as something else. */
static void changed_bits(void **state)
{
    struct buf row = {0}, work = {0};
    struct content in = {.body = STR("hello"), .group_id = STR("g"), .trace_header = STR("Root=1")},
                   out;
    hash_md5_hex(in.body, in.md5);
    message_attrs_put(&in.attrs, &(struct message_attr){STR("b"), STR("Binary"), STR("\x01\x02")});
    content_write(&row, &in);
    for (size_t bit = 0; bit < row.n * 8; bit++) {
        row.p[bit / 8] = (char)(row.p[bit / 8] ^ 1 << bit % 8);
        assert_true(content_read(buf_view(&row), false, STR(""), &work, &out) < 0);
        row.p[bit / 8] = (char)(row.p[bit / 8] ^ 1 << bit % 8);
    }
    assert_int_equal(content_read(buf_view(&row), false, STR(""), &work, &out), 0);
    buf_deinit(&row);
    buf_deinit(&work);
}

/* As version 1 wrote it: without a digest of the row, and with the body's. */
static void rows_of_version_1(void **state)
{
    struct buf row = {0}, work = {0};
    struct content out;
    buf_add(&row, "\1\1\0\0", 4);
    buf_z(&row, "5d41402abc4b2a76b9719d911017c592");
    buf_add(&row, "\0\0\0\0\0\0\0\0", 8);
    buf_z(&row, "hello");
    assert_int_equal(content_read(buf_view(&row), false, STR(""), &work, &out), 0);
    assert_true(str_is(out.body, "hello"));
    row.p[row.n - 1] = 'O';
    assert_int_equal(content_read(buf_view(&row), false, STR(""), &work, &out), E_INVALID);
    buf_deinit(&row);
    buf_deinit(&work);
}

static void fifo_message_round_trip(void **state)
{
    struct buf row = {0}, work = {0};
    struct content in = {.body = STR("hello"), .group_id = STR("g"), .dedup_id = STR("d")}, out;
    hash_md5_hex(in.body, in.md5);
    content_write(&row, &in);
    assert_int_equal(content_read(buf_view(&row), false, STR(""), &work, &out), 0);
    assert_true(str_is(out.body, "hello") && str_is(out.group_id, "g"));
    assert_true(str_is(out.dedup_id, "d") && out.trace_header.n == 0);
    in.dedup_id = STR("");
    content_write(&row, &in);
    assert_int_equal(content_read(buf_view(&row), false, STR(""), &work, &out), 0);
    assert_true(str_is(out.group_id, "g") && out.dedup_id.n == 0);
    buf_deinit(&row);
    buf_deinit(&work);
}

/* The row of a publication with these attributes, each "name" of type String. */
static void publication(struct buf *row, u32 attrs)
{
    struct buf frame = {0};
    struct frame_deliver d;
    struct frame_publication p = {.topic = STR(TOPIC),
                                  .message_id = STR("id"),
                                  .subject = STR("s"),
                                  .message = STR("text"),
                                  .group_id = STR("g"),
                                  .fifo = STR(""),
                                  .trace_header = STR(""),
                                  .public_url = STR("http://here:1"),
                                  .time_ms = 1524040407770};
    frame_deliver_begin(&frame, STR("6ba7b810-9dad-41d1-80b4-00c04fd430c8"));
    frame_deliver_number(&frame, 1);
    frame_publication_begin(&frame, &p);
    for (u32 i = 0; i < attrs; i++) {
        char name[16];
        int n = snprintf(name, sizeof name, "a%u", i);
        frame_put_attr(&frame,
                       &(struct message_attr){str_from(name, (size_t)n), STR("String"), STR("v")});
    }
    frame_publication_targets(&frame);
    frame_publication_end(&frame);
    frame_deliver_end(&frame);
    assert_int_equal(frame_read_deliver(buf_view(&frame), &d), 0);
    assert_int_equal(frame_next_publication(&d.publications, &p), 1);
    content_write_publication(row, &p);
    buf_deinit(&frame);
}

static void publication_raw_and_wrapped(void **state)
{
    struct buf row = {0}, work = {0};
    struct content c;
    publication(&row, 2);
    assert_int_equal(content_read(buf_view(&row), true, STR(""), &work, &c), 0);
    assert_true(c.is_published);
    assert_true(str_is(c.body, "text") && str_is(c.group_id, "g"));
    assert_int_equal(c.attrs.n, 2);
    assert_string_equal(c.md5, "1cb251ec0d568de6a929b520c4aed8d1");
    assert_int_equal(content_read(buf_view(&row), false, STR("uuid"), &work, &c), 0);
    assert_int_equal(c.attrs.n, 0);
    assert_non_null(strstr(c.body.p, "?Action=Unsubscribe&SubscriptionArn=" TOPIC ":uuid\""));
    assert_int_equal(content_read(buf_view(&row), false, STR("arn:other"), &work, &c), 0);
    assert_non_null(strstr(c.body.p, "SubscriptionArn=arn:other\""));
    publication(&row, 11);
    assert_int_equal(content_read(buf_view(&row), true, STR(""), &work, &c), E_INVALID);
    assert_int_equal(content_read(buf_view(&row), false, STR("u"), &work, &c), 0);
    buf_deinit(&row);
    buf_deinit(&work);
}

static void damaged_rows(void **state)
{
    struct buf row = {0}, work = {0};
    struct content c;
    for (int kind = 0; kind < 2; kind++) {
        if (kind) {
            publication(&row, 3);
        } else {
            struct content in = {.body = STR("b"), .group_id = STR("g"), .trace_header = STR("t")};
            message_attrs_put(&in.attrs, &(struct message_attr){STR("a"), STR("String"), STR("x")});
            content_write(&row, &in);
        }
        for (size_t n = 0; n < row.n; n++) {
            char *cut = mem_dup(str_from(row.p, n)); /* its own piece: ASan sees its end */
            int err = content_read(str_from(cut, n), true, STR(""), &work, &c);
            assert_true(err == 0 || err == E_INVALID);
            mem_free(cut);
        }
        for (size_t i = 0; i < row.n; i++) {
            char was = row.p[i];
            row.p[i] = (char)0xff;
            int err = content_read(buf_view(&row), false, STR("u"), &work, &c);
            assert_true(err == 0 || err == E_INVALID || err == E_NEWER);
            row.p[i] = was;
        }
    }
    row.p[0] = 3;
    assert_int_equal(content_read(buf_view(&row), false, STR(""), &work, &c), E_NEWER);
    buf_deinit(&row);
    buf_deinit(&work);
}

static void origins(void **state)
{
    assert_true(str_is(content_origin(STR("arn:t"), STR("arn:t:uuid")), "uuid"));
    assert_true(str_is(content_origin(STR("arn:t"), STR("arn:topic:uuid")), "arn:topic:uuid"));
    assert_true(str_is(content_origin(STR("arn:t"), STR("arn:t:")), "arn:t:"));
    assert_true(str_is(content_origin(STR("arn:t"), STR("arn:t")), "arn:t"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(message_round_trip),
        cmocka_unit_test(changed_bits),
        cmocka_unit_test(rows_of_version_1),
        cmocka_unit_test(fifo_message_round_trip),
        cmocka_unit_test(publication_raw_and_wrapped),
        cmocka_unit_test(damaged_rows),
        cmocka_unit_test(origins),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
