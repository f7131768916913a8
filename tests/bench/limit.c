/* The limit that figures are held against: the daemons' own HTTP server and loop, whose handler
 * appends every body to SQLite, one commit a turn, with the durability setting of the real thing,
 * and nothing else. Also prints the latency of fdatasync on the same file system.
 *
 *   limit PORT DIR      serves until killed; "ready" on stdout when it listens
 *   limit --sync DIR    prints fdatasync latency and ends */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sqlite3.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "common/base/slab.h"
#include "common/io/http_server.h"

#define CONNECTIONS_MAX  4096
#define CHECKPOINT_PAGES 4096
#define PATH_SIZE        4096

/* A request whose commit is awaited. */
struct post {
    struct loop_later later;
    struct http_exchange *x;
};

struct limit {
    struct loop *loop;
    sqlite3 *db;
    sqlite3_stmt *insert;
    bool open;
    struct slab posts;
    u64 id, ticket;
    char path[PATH_SIZE];
    pthread_mutex_t lock; /* guards wanted */
    pthread_cond_t wake;
    bool wanted;
};

static struct limit s;

static void must(int rc, const char *what)
{
    if (rc != SQLITE_OK && rc != SQLITE_DONE && rc != SQLITE_ROW) {
        fprintf(stderr, "limit: %s: %s\n", what, sqlite3_errstr(rc));
        exit(2);
    }
}

static sqlite3 *open_db(const char *path)
{
    sqlite3 *db;
    must(sqlite3_open(path, &db), "open");
    must(sqlite3_exec(db, "PRAGMA journal_mode=WAL", NULL, NULL, NULL), "wal");
    must(sqlite3_exec(db, "PRAGMA synchronous=FULL; PRAGMA wal_autocheckpoint=0", NULL, NULL, NULL),
         "pragma");
    return db;
}

static void *checkpointer(void *arg)
{
    sqlite3 *db = open_db(s.path);
    for (;;) {
        pthread_mutex_lock(&s.lock);
        while (!s.wanted)
            pthread_cond_wait(&s.wake, &s.lock);
        s.wanted = false;
        pthread_mutex_unlock(&s.lock);
        sqlite3_wal_checkpoint_v2(db, NULL, SQLITE_CHECKPOINT_PASSIVE, NULL, NULL);
    }
    return NULL;
}

static int on_commit(void *arg, sqlite3 *db, const char *name, int pages)
{
    if (pages % CHECKPOINT_PAGES < 64) {
        pthread_mutex_lock(&s.lock);
        s.wanted = true;
        pthread_cond_signal(&s.wake);
        pthread_mutex_unlock(&s.lock);
    }
    return SQLITE_OK;
}

static void answer(struct loop_later *later, int err)
{
    struct post *p = container_of(later, struct post, later);
    struct http_response r = {.status = 200, .content_type = "application/x-amz-json-1.0"};
    buf_z(&r.body, "{\"MessageId\":\"00000000-0000-0000-0000-000000000000\"}");
    http_answer(p->x, &r);
    buf_deinit(&r.body);
    slab_give(&s.posts, p);
}

static void on_request(void *arg, struct http_exchange *x, const struct http_request *rq)
{
    struct post *p = slab_take(&s.posts);
    p->x = x;
    p->later.run = answer;
    loop_later(s.loop, &p->later);
    if (!s.open)
        must(sqlite3_exec(s.db, "BEGIN", NULL, NULL, NULL), "begin");
    s.open = true;
    loop_dirty(s.loop);
    sqlite3_bind_int64(s.insert, 1, (i64)++s.id);
    sqlite3_bind_blob(s.insert, 2, rq->body.p, (int)rq->body.n, SQLITE_STATIC);
    must(sqlite3_step(s.insert), "insert");
    sqlite3_reset(s.insert);
}

static void on_gone(void *arg, struct http_exchange *x)
{
}

static int commit(void *arg, u64 *ret_ticket)
{
    must(sqlite3_exec(s.db, "COMMIT", NULL, NULL, NULL), "commit");
    s.open = false;
    *ret_ticket = ++s.ticket;
    return 0;
}

static int settled(void *arg, u64 *ret_ticket)
{
    *ret_ticket = s.ticket;
    return 0;
}

/* COMMIT never returns an error here: what goes wrong ends the program. */
static void failed(void *arg, int err)
{
    fprintf(stderr, "limit: a commit failed: %d\n", err);
    exit(2);
}

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return x < y ? -1 : x > y;
}

static int sync_latency(const char *dir)
{
    char path[PATH_SIZE], page[4096] = {1};
    double us[500];
    snprintf(path, sizeof(path), "%s/sync-latency", dir);
    int fd = open(path, O_CREAT | O_RDWR | O_TRUNC, 0600);
    if (fd < 0)
        return 2;
    for (size_t i = 0; i < ARRAY_LEN(us); i++) {
        struct timespec a, b;
        if (write(fd, page, sizeof(page)) != (ssize_t)sizeof(page))
            return 2;
        clock_gettime(CLOCK_MONOTONIC, &a);
        if (fdatasync(fd) < 0)
            return 2;
        clock_gettime(CLOCK_MONOTONIC, &b);
        us[i] = (double)(b.tv_sec - a.tv_sec) * 1e6 + (double)(b.tv_nsec - a.tv_nsec) / 1e3;
    }
    close(fd);
    unlink(path);
    qsort(us, ARRAY_LEN(us), sizeof(us[0]), by_value);
    printf("bench=fdatasync/4096 p50_us=%.0f p99_us=%.0f\n", us[250], us[495]);
    return 0;
}

static int serve(u16 port)
{
    static struct clock clock;
    static struct fault f;
    static struct budget budget = {.max = 256u << 20};
    static const struct http_limits limits = {.body_size_max = 16u << 20,
                                              .header_size_max = 32u << 10,
                                              .connections_max = CONNECTIONS_MAX,
                                              .idle_timeout_s = 75,
                                              .request_timeout_s = 60,
                                              .answer_timeout_s = 60};
    struct http_server *http;
    clock_init(&clock, false);
    s.loop = loop_new(&clock);
    loop_set_store(s.loop,
                   (struct loop_store){.commit = commit, .settled = settled, .failed = failed});
    if (http_server_new(&http, s.loop, &limits, &budget,
                        (struct http_handler){.request = on_request, .gone = on_gone}) < 0 ||
        http_server_listen_tcp(http, (const char *const[]){"127.0.0.1"}, 1, port, NULL, &f) < 0)
        return fprintf(stderr, "limit: %s\n", f.text), 2;
    puts("ready");
    fflush(stdout);
    loop_run(s.loop);
    return 0;
}

int main(int argc, char **argv)
{
    pthread_t thread;
    if (argc == 3 && strcmp(argv[1], "--sync") == 0)
        return sync_latency(argv[2]);
    if (argc != 3)
        return fprintf(stderr, "limit PORT DIR | limit --sync DIR\n"), 2;
    pthread_mutex_init(&s.lock, NULL);
    pthread_cond_init(&s.wake, NULL);
    slab_init(&s.posts, sizeof(struct post));
    snprintf(s.path, sizeof(s.path), "%s/limit.db", argv[2]);
    s.db = open_db(s.path);
    must(sqlite3_exec(s.db, "CREATE TABLE IF NOT EXISTS m(id INTEGER PRIMARY KEY, body BLOB)", NULL,
                      NULL, NULL),
         "create");
    must(sqlite3_prepare_v2(s.db, "INSERT INTO m VALUES(?,?)", -1, &s.insert, NULL), "prepare");
    sqlite3_wal_hook(s.db, on_commit, NULL);
    if (pthread_create(&thread, NULL, checkpointer, NULL) != 0)
        return 2;
    return serve((u16)atoi(argv[1]));
}
