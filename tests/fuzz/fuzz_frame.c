/* Any bytes as a frame of the link: refused or read within their memory; what was read as a DELIVER
 * walks to its end, and what was read as a small frame is the same when it is written again. */
#include "common/aws/frame.h"
#include "common/base/mem.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_same(const struct buf *written, str frame)
{
    assert(str_eq(buf_view(written), frame));
}

static void walk_deliver(str frame)
{
    struct frame_deliver d;
    struct frame_publication p;
    struct message_attr attr;
    struct frame_target target;
    str publications, rest;
    int r;

    if (frame_read_deliver(frame, &d) < 0)
        return;
    publications = d.publications;
    for (u32 i = 0; i < d.publication_count; i++) {
        r = frame_next_publication(&publications, &p);
        assert(r == 1);
        rest = p.attrs;
        for (u32 n = 0; n < p.attr_count; n++)
            assert(frame_next_attr(&rest, &attr) == 1);
        assert(frame_next_attr(&rest, &attr) == 0);
        rest = p.targets;
        for (u32 n = 0; n < p.target_count; n++)
            assert(frame_next_target(&rest, &target) == 1);
        assert(frame_next_target(&rest, &target) == 0);
    }
    assert(frame_next_publication(&publications, &p) == 0);
}

static void walk_rejected(str frame)
{
    struct frame_rejected j;
    struct frame_place place;
    struct buf again = {0};

    if (frame_read_rejected(frame, &j) < 0)
        return;
    frame_rejected_begin(&again, j.session, j.ordinal);
    for (u32 i = 0; i < j.count; i++) {
        assert(frame_next_place(&j.places, &place) == 1);
        frame_rejected_add(&again, place);
    }
    assert(frame_next_place(&j.places, &place) == 0);
    check_same(&again, frame);
    buf_deinit(&again);
}

static void walk_queues(str frame)
{
    struct frame_queues q;
    struct buf again = {0};
    str s;

    if (frame_read_queues(frame, &q) < 0)
        return;
    frame_queues_begin(&again, q.all, q.last);
    while (frame_next_str(&q.added, &s) == 1)
        frame_queues_add(&again, s);
    frame_queues_removed(&again);
    while (frame_next_str(&q.removed, &s) == 1)
        frame_queues_add(&again, s);
    frame_queues_end(&again);
    check_same(&again, frame);
    buf_deinit(&again);
}

static void read_talk(str frame, enum frame_kind kind)
{
    struct frame_greeting greeting;
    struct frame_call call;
    struct frame_answer answer;
    struct buf again = {0};

    if (frame_read_greeting(frame, &greeting) == 0) {
        if (kind == FRAME_HELLO)
            frame_write_hello(&again, &greeting);
        else
            frame_write_welcome(&again, &greeting);
        check_same(&again, frame);
    } else if (frame_read_call(frame, &call) == 0) {
        frame_write_call(&again, &call);
        check_same(&again, frame);
    } else if (frame_read_answer(frame, &answer) == 0) {
        frame_write_answer(&again, answer.id, answer.asks, &answer.answer);
        check_same(&again, frame);
        buf_deinit(&answer.answer.body);
    }
    buf_deinit(&again);
}

static void read_numbers(str frame)
{
    struct frame_ack ack;
    struct frame_answered answered;
    struct buf again = {0};
    u64 id;
    i64 ms;

    if (frame_read_ack(frame, &ack) == 0) {
        frame_write_ack(&again, &ack);
        check_same(&again, frame);
    } else if (frame_read_answered(frame, &answered) == 0) {
        frame_write_answered(&again, &answered);
        check_same(&again, frame);
    } else if (frame_read_cancel(frame, &id) == 0) {
        frame_write_cancel(&again, id);
        check_same(&again, frame);
    } else if (frame_read_clock(frame, &ms) == 0) {
        frame_write_clock(&again, ms);
        check_same(&again, frame);
    } else if (frame_read_sync(frame, &id) == 0) {
        frame_write_sync(&again, id);
        check_same(&again, frame);
    }
    buf_deinit(&again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *copy = mem_alloc(size ? size : 1);
    str frame = {copy, size};
    enum frame_kind kind;

    if (size)
        memcpy(copy, data, size);
    if (frame_kind(frame, &kind) == 0) {
        walk_deliver(frame);
        walk_queues(frame);
        walk_rejected(frame);
        read_talk(frame, kind);
        read_numbers(frame);
    }
    mem_free(copy);
    return 0;
}
