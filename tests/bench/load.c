/* Load generator: N keep-alive connections in one epoll loop, each sending its next request when
 * the answer to the last one is there and has been checked. Prints one line a run:
 *
 *   bench=send/1024/64 requests_per_s=… messages_per_s=… p50_us=… p99_us=… max_us=… errors=0
 *
 *   load --port P --scenario send|batch|receive|hold|cycle|publish|raw|latency [options]   (load --help)
 *
 * Every answer's status and content is checked; one wrong answer makes the run fail (exit 1). */
#include <arpa/inet.h>
#include <errno.h>
#include <getopt.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "common/aws/sigv4.h"
#include "common/base/buf.h"
#include "common/base/clock.h"
#include "common/base/date.h"
#include "common/base/form.h"
#include "common/base/hash.h"
#include "common/base/mem.h"

#define CONNECTIONS_MAX 4096
#define SAMPLES_MAX     4000000
#define HANDLE_MAX      1024
#define BATCH           10

enum scenario { SEND, BATCH_SEND, RECEIVE, HOLD, CYCLE, PUBLISH, RAW, LATENCY, SCENARIO_COUNT };
static const char *const scenario_name[SCENARIO_COUNT] = {"send",  "batch",   "receive", "hold",
                                                          "cycle", "publish", "raw",     "latency"};

struct plan {
    enum scenario scenario;
    const char *host;
    u16 port, publish_port;
    u32 connections, size, take, wait_s, rate;
    double seconds, warmup;
    u64 count_max; /* messages; 0: until the time is over */
    const char *queue, *topic, *attributes, *label;
    const char *key, *secret; /* requests are signed */
};

/* What a connection does next. */
enum step { STEP_SEND, STEP_RECEIVE, STEP_DELETE };

struct conn {
    int fd;
    enum step step;
    struct buf out, in;
    size_t sent;
    i64 begun_us;
    u32 handles;
    char handle[BATCH][HANDLE_MAX];
};

struct run {
    struct plan plan;
    int epoll;
    struct buf body_json, batch_json, publish_form; /* requests made once */
    char md5[HASH_MD5_HEX];
    u64 requests, messages, errors, empties, issued;
    u32 *samples;
    size_t sample_count;
    i64 start_us, end_us, stop_us;
    bool measuring;
};

static void die(const char *what)
{
    fprintf(stderr, "load: %s: %s\n", what, strerror(errno));
    exit(2);
}

/* --- signatures ------------------------------------------------------------------------------- */

/* Appends X-Amz-Date and Authorization of a POST to "/". */
static void sign(struct buf *b, const struct plan *p, const char *type, const char *target,
                 str body)
{
    static const char region[] = "us-east-1";
    const char *service = target ? "sqs" : "sns";
    char stamp[DATE_BASIC_SIZE], host[64], action[64], hex[HASH_SHA256_HEX];
    u8 mac[32], next[32];
    struct clock now;
    struct arena arena;
    struct buf text = {0};

    clock_init(&now, false);
    date_basic(now.now_ms, stamp);
    snprintf(host, sizeof host, "%s:%u", p->host, p->port);
    snprintf(action, sizeof action, "AmazonSQS.%s", target ? target : "");
    const struct http_field fields[] = {{STR("content-type"), str_of(type)},
                                        {STR("host"), str_of(host)},
                                        {STR("x-amz-date"), str_of(stamp)},
                                        {STR("x-amz-target"), str_of(action)}};
    struct request rq = request_blank(DOOR_TCP);
    struct identity id = {.signed_headers = target
                                                ? STR("content-type;host;x-amz-date;x-amz-target")
                                                : STR("content-type;host;x-amz-date")};

    rq.method = STR("POST");
    rq.path = STR("/");
    rq.headers = fields;
    rq.header_count = ARRAY_LEN(fields);
    arena_init(&arena);
    sigv4_canonical(&rq, &id, str_of(hash_sha256_hex(body, hex)), 0, &arena, &text);
    hash_sha256_hex(buf_view(&text), hex);
    buf_reset(&text);
    buf_printf(&text, "AWS4%s", p->secret);
    hash_hmac_sha256(buf_view(&text), str_from(stamp, 8), mac);
    buf_reset(&text);
    buf_printf(&text, "AWS4-HMAC-SHA256\n%s\n%.8s/%s/%s/aws4_request\n%s", stamp, stamp, region,
               service, hex);
    const str chain[] = {STR("us-east-1"), str_of(service), STR("aws4_request"), buf_view(&text)};

    for (size_t i = 0; i < ARRAY_LEN(chain); i++) {
        hash_hmac_sha256(str_from(mac, sizeof mac), chain[i], next);
        memcpy(mac, next, sizeof mac);
    }
    hash_hex(mac, sizeof mac, hex);
    buf_printf(b,
               "X-Amz-Date: %s\r\nAuthorization: AWS4-HMAC-SHA256 Credential=%s/%.8s/%s/%s/"
               "aws4_request, SignedHeaders=%.*s, Signature=%s\r\n",
               stamp, p->key, stamp, region, service, STR_ARG(id.signed_headers), hex);
    buf_deinit(&text);
    arena_deinit(&arena);
}

/* --- requests --------------------------------------------------------------------------------- */

static void http_head(struct buf *b, const struct plan *p, const char *type, const char *target,
                      str body)
{
    buf_printf(b, "POST / HTTP/1.1\r\nHost: %s:%u\r\nContent-Type: %s\r\n", p->host, p->port, type);
    if (target)
        buf_printf(b, "X-Amz-Target: AmazonSQS.%s\r\n", target);
    if (p->secret)
        sign(b, p, type, target, body);
    else
        buf_z(b,
              "X-Amz-Date: 20260101T000000Z\r\nAuthorization: AWS4-HMAC-SHA256 Credential="
              "000000000000/20260101/us-east-1/sqs/aws4_request, SignedHeaders=content-type;host;"
              "x-amz-date;x-amz-target, Signature="
              "0000000000000000000000000000000000000000000000000000000000000000\r\n");
    buf_printf(b, "Content-Length: %zu\r\n\r\n", body.n);
}

static void sqs(struct buf *out, const struct plan *p, const char *target, const char *body,
                size_t n)
{
    buf_reset(out);
    http_head(out, p, "application/x-amz-json-1.0", target, str_from(body, n));
    buf_add(out, body, n);
}

static void make_payload(struct buf *b, u32 size)
{
    for (u32 i = 0; i < size; i++)
        buf_char(b, "the quick brown fox jumps over 13 lazy dogs "[i % 44]);
}

static void make_requests(struct run *r)
{
    struct plan *p = &r->plan;
    struct buf payload = {0}, encoded = {0}, item = {0};
    make_payload(&payload, p->size);
    hash_md5_hex(buf_view(&payload), r->md5);
    buf_printf(&item, "{\"QueueUrl\":\"%s\",\"MessageBody\":\"%s\"}", p->queue ? p->queue : "",
               payload.p);
    sqs(&r->body_json, p, "SendMessage", item.p, item.n);
    buf_reset(&item);
    buf_printf(&item, "{\"QueueUrl\":\"%s\",\"Entries\":[", p->queue ? p->queue : "");
    for (int i = 0; i < BATCH; i++)
        buf_printf(&item, "%s{\"Id\":\"%d\",\"MessageBody\":\"%s\"}", i ? "," : "", i, payload.p);
    buf_z(&item, "]}");
    sqs(&r->batch_json, p, "SendMessageBatch", item.p, item.n);
    buf_reset(&item);
    form_escape(&encoded, buf_view(&payload));
    buf_printf(&item, "Action=Publish&Version=2010-03-31&TopicArn=%s&Message=%s",
               p->topic ? p->topic : "", encoded.p);
    if (p->attributes)
        buf_printf(&item, "&%s", p->attributes);
    http_head(&r->publish_form, p, "application/x-www-form-urlencoded; charset=utf-8", NULL,
              buf_view(&item));
    buf_add(&r->publish_form, item.p, item.n);
    buf_deinit(&payload);
    buf_deinit(&encoded);
    buf_deinit(&item);
}

static void make_receive(struct run *r, struct conn *c)
{
    char body[1024];
    int n = snprintf(body, sizeof(body),
                     "{\"QueueUrl\":\"%s\",\"MaxNumberOfMessages\":%u,\"WaitTimeSeconds\":%u}",
                     r->plan.queue, r->plan.take, r->plan.wait_s);
    sqs(&c->out, &r->plan, "ReceiveMessage", body, (size_t)n);
}

static void make_delete(struct run *r, struct conn *c)
{
    struct buf b = {0};
    if (c->handles == 1 && r->plan.take == 1) {
        buf_printf(&b, "{\"QueueUrl\":\"%s\",\"ReceiptHandle\":\"%s\"}", r->plan.queue,
                   c->handle[0]);
        sqs(&c->out, &r->plan, "DeleteMessage", b.p, b.n);
    } else {
        buf_printf(&b, "{\"QueueUrl\":\"%s\",\"Entries\":[", r->plan.queue);
        for (u32 i = 0; i < c->handles; i++)
            buf_printf(&b, "%s{\"Id\":\"%u\",\"ReceiptHandle\":\"%s\"}", i ? "," : "", i,
                       c->handle[i]);
        buf_z(&b, "]}");
        sqs(&c->out, &r->plan, "DeleteMessageBatch", b.p, b.n);
    }
    buf_deinit(&b);
}

static void make_next(struct run *r, struct conn *c)
{
    const struct buf *ready = NULL;
    switch (c->step) {
    case STEP_RECEIVE: make_receive(r, c); return;
    case STEP_DELETE: make_delete(r, c); return;
    case STEP_SEND:
        ready = r->plan.scenario == PUBLISH      ? &r->publish_form
                : r->plan.scenario == BATCH_SEND ? &r->batch_json
                                                 : &r->body_json;
        break;
    }
    buf_reset(&c->out);
    buf_add(&c->out, ready->p, ready->n);
}

/* --- answers ---------------------------------------------------------------------------------- */

static u32 count_of(str body, const char *word)
{
    u32 n = 0;
    size_t len = strlen(word);
    const char *at = body.p, *end = body.p + body.n;
    while ((at = memmem(at, (size_t)(end - at), word, len))) {
        n++;
        at += len;
    }
    return n;
}

static u32 take_handles(struct conn *c, str body)
{
    static const char word[] = "\"ReceiptHandle\":\"";
    const char *at = body.p, *end = body.p + body.n;
    u32 n = 0;
    while (n < BATCH && (at = memmem(at, (size_t)(end - at), word, sizeof(word) - 1))) {
        at += sizeof(word) - 1;
        const char *stop = memchr(at, '"', (size_t)(end - at));
        if (!stop || stop - at >= HANDLE_MAX)
            break;
        memcpy(c->handle[n], at, (size_t)(stop - at));
        c->handle[n++][stop - at] = 0;
        at = stop;
    }
    return n;
}

/* Receives from the first step on, until nothing comes where a count is given. */
static bool is_receiver(const struct plan *p)
{
    return p->scenario == RECEIVE || p->scenario == HOLD;
}

/* Counts the answer and chooses the next step. False: it is not what it should be. */
static bool check_answer(struct run *r, struct conn *c, int status, str body)
{
    u32 n;
    if (status != 200)
        return false;
    switch (c->step) {
    case STEP_SEND:
        if (r->plan.scenario == RAW) {
            r->messages += r->measuring;
            return true;
        }
        if (r->plan.scenario == PUBLISH) {
            r->messages += r->measuring;
            return memmem(body.p, body.n, "<MessageId>", 11) != NULL;
        }
        n = count_of(body, r->md5);
        if (n != (r->plan.scenario == BATCH_SEND ? BATCH : 1))
            return false;
        if (r->plan.scenario == CYCLE)
            c->step = STEP_RECEIVE;
        else
            r->messages += r->measuring ? n : 0;
        return true;
    case STEP_RECEIVE:
        c->handles = take_handles(c, body);
        if (count_of(body, "\"MD5OfBody\":") != c->handles)
            return false;
        if (c->handles == 0)
            r->empties++;
        else if (r->plan.scenario == HOLD)
            r->messages += r->measuring ? c->handles : 0;
        else
            c->step = STEP_DELETE;
        return true;
    case STEP_DELETE:
        if (memmem(body.p, body.n, "\"Failed\"", 8))
            return false;
        r->messages += r->measuring ? c->handles : 0;
        c->step = r->plan.scenario == CYCLE ? STEP_SEND : STEP_RECEIVE;
        return true;
    }
    return false;
}

/* A whole answer at the start of `in`: its length, status and body; 0 when more must come. */
static size_t whole_answer(const struct buf *in, int *status, str *body)
{
    const char *end = in->n ? memmem(in->p, in->n, "\r\n\r\n", 4) : NULL;
    if (!end)
        return 0;
    size_t head = (size_t)(end - in->p) + 4, length = 0;
    const char *at = strcasestr(in->p, "\r\ncontent-length:");
    if (at && at < end)
        length = strtoul(at + 17, NULL, 10);
    if (in->n < head + length)
        return 0;
    *status = atoi(in->p + 9);
    *body = str_from(in->p + head, length);
    return head + length;
}

/* --- connections ------------------------------------------------------------------------------ */

static int dial(const struct plan *p, u16 port)
{
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons(port)};
    int one = 1, fd = socket(AF_INET, SOCK_STREAM, 0);
    if (inet_pton(AF_INET, p->host, &a.sin_addr) != 1 || fd < 0 ||
        connect(fd, (struct sockaddr *)&a, sizeof(a)) < 0)
        die("connect");
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
    return fd;
}

static void push(struct run *r, struct conn *c)
{
    while (c->sent < c->out.n) {
        ssize_t n =
            send(c->fd, c->out.p + c->sent, c->out.n - c->sent, MSG_NOSIGNAL | MSG_DONTWAIT);
        if (n < 0 && (errno == EAGAIN || errno == EINTR))
            break;
        if (n <= 0)
            die("send");
        c->sent += (size_t)n;
    }
    struct epoll_event e = {.events = EPOLLIN | (c->sent < c->out.n ? EPOLLOUT : 0), .data.ptr = c};
    if (c->sent < c->out.n)
        epoll_ctl(r->epoll, EPOLL_CTL_MOD, c->fd, &e);
}

/* Sends the connection's next request, unless the run is over or its count is reached. */
static bool begin(struct run *r, struct conn *c)
{
    if (r->plan.count_max && c->step == STEP_SEND) {
        if (r->issued >= r->plan.count_max)
            return false;
        r->issued += r->plan.scenario == BATCH_SEND ? BATCH : 1;
    }
    make_next(r, c);
    c->sent = 0;
    c->begun_us = clock_micros();
    push(r, c);
    return true;
}

static void sample(struct run *r, i64 us)
{
    if (r->measuring && r->sample_count < SAMPLES_MAX)
        r->samples[r->sample_count++] = (u32)us;
}

/* Reads what is there; true when a whole answer was handled. */
static bool pull(struct run *r, struct conn *c, int *status, str *body)
{
    char *to = buf_room(&c->in, 65536);
    ssize_t n = recv(c->fd, to, 65536, MSG_DONTWAIT);
    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return false;
    if (n <= 0) {
        fprintf(stderr, "load: the server closed a connection\n");
        exit(2);
    }
    c->in.n += (size_t)n;
    c->in.p[c->in.n] = 0;
    return whole_answer(&c->in, status, body) != 0;
}

static void wrong(struct run *r, int status, str body)
{
    if (r->errors++ < 3)
        fprintf(stderr, "load: wrong answer: %d %.*s\n", status, (int)MIN(body.n, 400), body.p);
}

static int by_value(const void *a, const void *b)
{
    u32 x = *(const u32 *)a, y = *(const u32 *)b;
    return x < y ? -1 : x > y;
}

static int report(struct run *r)
{
    double s = (double)(r->end_us - r->start_us) / 1e6;
    size_t n = r->sample_count;
    qsort(r->samples, n, sizeof(u32), by_value);
    printf("bench=%s/%u/%u requests_per_s=%.0f messages_per_s=%.0f p50_us=%u p99_us=%u max_us=%u "
           "messages=%" PRIu64 " empties=%" PRIu64 " errors=%" PRIu64 "\n",
           r->plan.label ? r->plan.label : scenario_name[r->plan.scenario], r->plan.size,
           r->plan.connections, (double)r->requests / s, (double)r->messages / s,
           n ? r->samples[n / 2] : 0, n ? r->samples[n * 99 / 100] : 0, n ? r->samples[n - 1] : 0,
           r->messages, r->empties, r->errors);
    return r->errors ? 1 : 0;
}

static void answered(struct run *r, struct conn *c, u32 *alive)
{
    int status;
    str body;
    if (!pull(r, c, &status, &body))
        return;
    sample(r, clock_micros() - c->begun_us);
    r->requests += r->measuring;
    u64 empties = r->empties;
    if (!check_answer(r, c, status, body)) {
        wrong(r, status, body);
        c->step = is_receiver(&r->plan) ? STEP_RECEIVE : STEP_SEND;
    }
    buf_reset(&c->in);
    bool drained = is_receiver(&r->plan) && r->empties > empties && r->plan.count_max;
    if (clock_micros() >= r->stop_us || drained || !begin(r, c))
        (*alive)--;
}

static int run_closed(struct run *r)
{
    u32 n = r->plan.connections, alive = n;
    struct conn *conns = mem_array(n, sizeof(*conns));
    struct epoll_event events[256];
    i64 now = clock_micros();
    r->start_us = now + (i64)(r->plan.warmup * 1e6);
    r->stop_us = r->start_us + (i64)(r->plan.seconds * 1e6);
    r->measuring = r->plan.warmup <= 0;
    for (u32 i = 0; i < n; i++) {
        struct conn *c = &conns[i];
        c->fd = dial(&r->plan, r->plan.port);
        c->step = is_receiver(&r->plan) ? STEP_RECEIVE : STEP_SEND;
        struct epoll_event e = {.events = EPOLLIN, .data.ptr = c};
        epoll_ctl(r->epoll, EPOLL_CTL_ADD, c->fd, &e);
    }
    for (u32 i = 0; i < n; i++)
        if (!begin(r, &conns[i]))
            alive--;
    while (alive) {
        int got = epoll_wait(r->epoll, events, ARRAY_LEN(events), 30000);
        if (got == 0) {
            fprintf(stderr, "load: no answer for 30 s\n");
            return 2;
        }
        if (!r->measuring && clock_micros() >= r->start_us) {
            r->measuring = true;
            r->start_us = clock_micros();
        }
        for (int i = 0; i < got; i++) {
            struct conn *c = events[i].data.ptr;
            if (events[i].events & EPOLLOUT && c->sent < c->out.n) {
                push(r, c);
                if (c->sent >= c->out.n) {
                    struct epoll_event e = {.events = EPOLLIN, .data.ptr = c};
                    epoll_ctl(r->epoll, EPOLL_CTL_MOD, c->fd, &e);
                }
            }
            if (events[i].events & (EPOLLIN | EPOLLHUP | EPOLLERR))
                answered(r, c, &alive);
        }
    }
    r->end_us = clock_micros();
    for (u32 i = 0; i < n; i++) {
        close(conns[i].fd);
        buf_deinit(&conns[i].in);
        buf_deinit(&conns[i].out);
    }
    mem_free(conns);
    return report(r);
}

/* --- latency: one sender at a steady rate, one consumer in a long poll ------------------------ */

static void stamp(struct run *r, struct conn *c)
{
    struct buf body = {0};
    i64 now = clock_micros();
    buf_reset(&c->out);
    if (r->plan.topic) {
        buf_printf(&body, "Action=Publish&Version=2010-03-31&TopicArn=%s&Message=T=%016" PRId64,
                   r->plan.topic, now);
        struct plan at = r->plan;
        at.port = r->plan.publish_port;
        http_head(&c->out, &at, "application/x-www-form-urlencoded", NULL, buf_view(&body));
        buf_add(&c->out, body.p, body.n);
    } else {
        buf_printf(&body, "{\"QueueUrl\":\"%s\",\"MessageBody\":\"T=%016" PRId64 "\"}",
                   r->plan.queue, now);
        sqs(&c->out, &r->plan, "SendMessage", body.p, body.n);
    }
    c->sent = 0;
    push(r, c);
    buf_deinit(&body);
}

static void consumed(struct run *r, struct conn *c)
{
    int status;
    str body;
    if (!pull(r, c, &status, &body))
        return;
    const char *at = body.p, *end = body.p + body.n;
    if (status != 200)
        wrong(r, status, body);
    while (c->step == STEP_RECEIVE && (at = memmem(at, (size_t)(end - at), "T=", 2))) {
        sample(r, clock_micros() - strtoll(at + 2, NULL, 10));
        r->messages += r->measuring;
        at += 2;
    }
    r->requests += r->measuring;
    if (c->step == STEP_DELETE || (c->handles = take_handles(c, body)) == 0)
        c->step = STEP_RECEIVE;
    else
        c->step = STEP_DELETE;
    buf_reset(&c->in);
    make_next(r, c);
    c->sent = 0;
    push(r, c);
}

static int run_latency(struct run *r)
{
    struct conn sender = {.step = STEP_SEND}, consumer = {.step = STEP_RECEIVE};
    struct epoll_event events[8], e = {.events = EPOLLIN};
    i64 period = 1000000000 / (i64)r->plan.rate;
    struct itimerspec every = {{period / 1000000000, period % 1000000000},
                               {period / 1000000000, period % 1000000000}};
    int tick = timerfd_create(CLOCK_MONOTONIC, 0);
    sender.fd = dial(&r->plan, r->plan.topic ? r->plan.publish_port : r->plan.port);
    consumer.fd = dial(&r->plan, r->plan.port);
    e.data.ptr = &sender;
    epoll_ctl(r->epoll, EPOLL_CTL_ADD, sender.fd, &e);
    e.data.ptr = &consumer;
    epoll_ctl(r->epoll, EPOLL_CTL_ADD, consumer.fd, &e);
    e.data.ptr = &tick;
    epoll_ctl(r->epoll, EPOLL_CTL_ADD, tick, &e);
    r->start_us = clock_micros() + (i64)(r->plan.warmup * 1e6);
    r->stop_us = r->start_us + (i64)(r->plan.seconds * 1e6);
    make_next(r, &consumer);
    push(r, &consumer);
    timerfd_settime(tick, 0, &every, NULL);
    bool busy = false;
    while (clock_micros() < r->stop_us) {
        int got = epoll_wait(r->epoll, events, ARRAY_LEN(events), 1000);
        r->measuring = clock_micros() >= r->start_us;
        for (int i = 0; i < got; i++) {
            int status;
            str body;
            u64 ticks;
            if (events[i].data.ptr == &consumer) {
                consumed(r, &consumer);
            } else if (events[i].data.ptr == &sender) {
                if (pull(r, &sender, &status, &body)) {
                    if (status != 200)
                        wrong(r, status, body);
                    buf_reset(&sender.in);
                    busy = false;
                }
            } else if (read(tick, &ticks, sizeof(ticks)) == sizeof(ticks) && !busy) {
                busy = true;
                stamp(r, &sender);
            }
        }
    }
    r->end_us = clock_micros();
    return report(r);
}

/* --- options ---------------------------------------------------------------------------------- */

static const struct option options[] = {{"host", 1, NULL, 'h'},         {"port", 1, NULL, 'p'},
                                        {"publish-port", 1, NULL, 'P'}, {"scenario", 1, NULL, 's'},
                                        {"connections", 1, NULL, 'c'},  {"size", 1, NULL, 'z'},
                                        {"take", 1, NULL, 't'},         {"wait", 1, NULL, 'w'},
                                        {"rate", 1, NULL, 'r'},         {"seconds", 1, NULL, 'S'},
                                        {"warmup", 1, NULL, 'W'},       {"count", 1, NULL, 'n'},
                                        {"queue", 1, NULL, 'q'},        {"topic", 1, NULL, 'T'},
                                        {"attributes", 1, NULL, 'a'},   {"label", 1, NULL, 'l'},
                                        {"key", 1, NULL, 'k'},          {"secret", 1, NULL, 'K'},
                                        {"help", 0, NULL, 'H'},         {NULL, 0, NULL, 0}};

static int usage(int status)
{
    printf("load --port P --scenario send|batch|receive|hold|cycle|publish|raw|latency\n"
           "  --host 127.0.0.1  --connections 16  --seconds 3  --warmup 1  --size 1024 (bytes)\n"
           "  --queue URL  --topic ARN  --attributes FORM (publish)  --take 10  --wait 0 (receive, "
           "hold)\n"
           "  --count N (messages; receive: until empty)  --rate 200 (latency)  --publish-port P\n"
           "  --label NAME  --key ID --secret SECRET (requests are signed)\n");
    return status;
}

static enum scenario scenario_of(const char *name)
{
    for (int i = 0; i < SCENARIO_COUNT; i++)
        if (strcmp(name, scenario_name[i]) == 0)
            return (enum scenario)i;
    exit(usage(2));
}

int main(int argc, char **argv)
{
    struct run r = {.plan = {.host = "127.0.0.1",
                             .connections = 16,
                             .size = 1024,
                             .take = 10,
                             .rate = 200,
                             .seconds = 3,
                             .warmup = 1}};
    struct plan *p = &r.plan;
    int o;
    while ((o = getopt_long(argc, argv, "", options, NULL)) != -1) {
        switch (o) {
        case 'h': p->host = optarg; break;
        case 'p': p->port = (u16)atoi(optarg); break;
        case 'P': p->publish_port = (u16)atoi(optarg); break;
        case 's': p->scenario = scenario_of(optarg); break;
        case 'c': p->connections = (u32)MIN(atoi(optarg), CONNECTIONS_MAX); break;
        case 'z': p->size = (u32)atoi(optarg); break;
        case 't': p->take = (u32)atoi(optarg); break;
        case 'w': p->wait_s = (u32)atoi(optarg); break;
        case 'r': p->rate = (u32)atoi(optarg); break;
        case 'S': p->seconds = atof(optarg); break;
        case 'W': p->warmup = atof(optarg); break;
        case 'n': p->count_max = strtoull(optarg, NULL, 10); break;
        case 'q': p->queue = optarg; break;
        case 'T': p->topic = optarg; break;
        case 'a': p->attributes = optarg; break;
        case 'l': p->label = optarg; break;
        case 'k': p->key = optarg; break;
        case 'K': p->secret = optarg; break;
        case 'H': return usage(0);
        default: return usage(2);
        }
    }
    if (!p->port || !p->connections)
        return usage(2);
    r.samples = mem_array(SAMPLES_MAX, sizeof(u32));
    r.epoll = epoll_create1(0);
    make_requests(&r);
    return p->scenario == LATENCY ? run_latency(&r) : run_closed(&r);
}
