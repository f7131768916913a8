/* The limit that figures are held against: a bare libmicrohttpd loop that appends every body to
 * SQLite and commits once a turn, with the durability setting of the real thing, and nothing else.
 * Also prints the latency of fdatasync on the same file system.
 *
 *   limit PORT DIR      serves until killed; "ready" on stdout when it listens
 *   limit --sync DIR    prints fdatasync latency and ends */
#include <errno.h>
#include <fcntl.h>
#include <microhttpd.h>
#include <pthread.h>
#include <sqlite3.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <time.h>
#include <unistd.h>

#include "common/base/base.h"

#define WAITING_MAX      4096
#define CHECKPOINT_PAGES 4096
#define PATH_SIZE        4096

struct post {
    char *body;
    size_t n;
};

struct limit {
    sqlite3 *db;
    sqlite3_stmt *insert;
    bool open;
    struct MHD_Connection *waiting[WAITING_MAX];
    size_t waiting_count;
    u64 id;
    char path[PATH_SIZE];
    pthread_mutex_t lock; /* guards wanted */
    pthread_cond_t wake;
    bool wanted;
};

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
    struct limit *s = arg;
    sqlite3 *db = open_db(s->path);
    for (;;) {
        pthread_mutex_lock(&s->lock);
        while (!s->wanted)
            pthread_cond_wait(&s->wake, &s->lock);
        s->wanted = false;
        pthread_mutex_unlock(&s->lock);
        sqlite3_wal_checkpoint_v2(db, NULL, SQLITE_CHECKPOINT_PASSIVE, NULL, NULL);
    }
    return NULL;
}

static int on_commit(void *arg, sqlite3 *db, const char *name, int pages)
{
    struct limit *s = arg;
    if (pages % CHECKPOINT_PAGES < 64) {
        pthread_mutex_lock(&s->lock);
        s->wanted = true;
        pthread_cond_signal(&s->wake);
        pthread_mutex_unlock(&s->lock);
    }
    return SQLITE_OK;
}

static enum MHD_Result on_request(void *arg, struct MHD_Connection *c, const char *url,
                                  const char *method, const char *version, const char *data,
                                  size_t *size, void **state)
{
    struct limit *s = arg;
    struct post *p = *state;
    if (!p) {
        *state = calloc(1, sizeof(*p));
        return *state ? MHD_YES : MHD_NO;
    }
    if (*size) {
        char *body = realloc(p->body, p->n + *size);
        if (!body)
            return MHD_NO;
        memcpy(body + p->n, data, *size);
        p->body = body;
        p->n += *size;
        *size = 0;
        return MHD_YES;
    }
    if (p->body) {
        if (!s->open)
            must(sqlite3_exec(s->db, "BEGIN", NULL, NULL, NULL), "begin");
        s->open = true;
        sqlite3_bind_int64(s->insert, 1, (i64)++s->id);
        sqlite3_bind_blob(s->insert, 2, p->body, (int)p->n, SQLITE_STATIC);
        must(sqlite3_step(s->insert), "insert");
        sqlite3_reset(s->insert);
        free(p->body);
        p->body = NULL;
        p->n = 0;
        s->waiting[s->waiting_count++] = c;
        MHD_suspend_connection(c);
        return MHD_YES;
    }
    static char answer[] = "{\"MessageId\":\"00000000-0000-0000-0000-000000000000\"}";
    struct MHD_Response *r =
        MHD_create_response_from_buffer(sizeof(answer) - 1, answer, MHD_RESPMEM_PERSISTENT);
    enum MHD_Result ok = MHD_queue_response(c, 200, r);
    MHD_destroy_response(r);
    return ok;
}

static void on_completed(void *arg, struct MHD_Connection *c, void **state,
                         enum MHD_RequestTerminationCode why)
{
    struct post *p = *state;
    if (p)
        free(p->body);
    free(p);
    *state = NULL;
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

static int serve(struct limit *s, u16 port)
{
    struct MHD_Daemon *d =
        MHD_start_daemon(MHD_USE_EPOLL | MHD_ALLOW_SUSPEND_RESUME, port, NULL, NULL, on_request, s,
                         MHD_OPTION_NOTIFY_COMPLETED, on_completed, NULL,
                         MHD_OPTION_CONNECTION_LIMIT, WAITING_MAX, MHD_OPTION_END);
    if (!d)
        return 2;
    int ep = epoll_create1(0);
    struct epoll_event e = {.events = EPOLLIN};
    epoll_ctl(ep, EPOLL_CTL_ADD, MHD_get_daemon_info(d, MHD_DAEMON_INFO_EPOLL_FD)->epoll_fd, &e);
    puts("ready");
    fflush(stdout);
    for (;;) {
        MHD_UNSIGNED_LONG_LONG ms = 0;
        bool ready = MHD_get_timeout(d, &ms) == MHD_YES && ms == 0;
        epoll_wait(ep, &e, 1, ready ? 0 : -1);
        MHD_run(d);
        if (!s->open)
            continue;
        must(sqlite3_exec(s->db, "COMMIT", NULL, NULL, NULL), "commit");
        s->open = false;
        for (size_t i = 0; i < s->waiting_count; i++)
            MHD_resume_connection(s->waiting[i]);
        s->waiting_count = 0;
        MHD_run(d);
    }
}

int main(int argc, char **argv)
{
    static struct limit s = {.lock = PTHREAD_MUTEX_INITIALIZER, .wake = PTHREAD_COND_INITIALIZER};
    pthread_t thread;
    if (argc == 3 && strcmp(argv[1], "--sync") == 0)
        return sync_latency(argv[2]);
    if (argc != 3)
        return fprintf(stderr, "limit PORT DIR | limit --sync DIR\n"), 2;
    snprintf(s.path, sizeof(s.path), "%s/limit.db", argv[2]);
    s.db = open_db(s.path);
    must(sqlite3_exec(s.db, "CREATE TABLE IF NOT EXISTS m(id INTEGER PRIMARY KEY, body BLOB)", NULL,
                      NULL, NULL),
         "create");
    must(sqlite3_prepare_v2(s.db, "INSERT INTO m VALUES(?,?)", -1, &s.insert, NULL), "prepare");
    sqlite3_wal_hook(s.db, on_commit, &s);
    if (pthread_create(&thread, NULL, checkpointer, &s) != 0)
        return 2;
    return serve(&s, (u16)atoi(argv[1]));
}
