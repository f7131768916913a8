/* The checkpointer. See store_copier.h.
 *
 * The connection belongs to the copier's thread; what it shares with the loop is under `lock`. A
 * PASSIVE checkpoint waits for nobody and blocks nobody: it copies what was committed when it
 * began, while the loop continues to write. */
#include "common/io/store_copier.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <time.h>

#include <sqlite3.h>

#include "common/base/mem.h"
#include "common/io/store_wal.h"

#define COPIER_STACK_SIZE (256 * 1024)
#define COPIER_LATER_S    1

struct store_copier {
    pthread_t thread;
    sqlite3 *db;
    pthread_mutex_t lock; /* guards what follows */
    pthread_cond_t wake, idle;
    bool wanted, later, working, stop;
    u64 failures;
};

/* Waits until there is work; with `later` set, until COPIER_LATER_S have passed. */
static void wait_for_work(struct store_copier *c)
{
    struct timespec end;
    int no = 0;
    while (!c->wanted && !c->later && !c->stop)
        pthread_cond_wait(&c->wake, &c->lock);
    clock_gettime(CLOCK_MONOTONIC, &end);
    end.tv_sec += COPIER_LATER_S;
    while (!c->wanted && !c->stop && no != ETIMEDOUT)
        no = pthread_cond_timedwait(&c->wake, &c->lock, &end);
}

static void *copier_run(void *arg)
{
    struct store_copier *c = arg;
    pthread_mutex_lock(&c->lock);
    for (;;) {
        wait_for_work(c);
        if (c->stop)
            break;
        c->wanted = c->later = false;
        c->working = true;
        pthread_mutex_unlock(&c->lock);
        int rc = store_wal_copy_ahead(c->db);
        pthread_mutex_lock(&c->lock);
        c->working = false;
        if (rc != SQLITE_OK)
            c->failures++;
        pthread_cond_signal(&c->idle);
    }
    pthread_mutex_unlock(&c->lock);
    return NULL;
}

static int thread_start(struct store_copier *c)
{
    pthread_attr_t attr;
    sigset_t all, old;
    pthread_attr_init(&attr);
    pthread_attr_setstacksize(&attr, COPIER_STACK_SIZE);
    /* Signals are handled by the daemon's own thread. */
    sigfillset(&all);
    pthread_sigmask(SIG_BLOCK, &all, &old);
    int no = pthread_create(&c->thread, &attr, copier_run, c);
    pthread_sigmask(SIG_SETMASK, &old, NULL);
    pthread_attr_destroy(&attr);
    return no ? SQLITE_NOMEM : SQLITE_OK;
}

static void copier_free(struct store_copier *c)
{
    sqlite3_close(c->db);
    pthread_cond_destroy(&c->idle);
    pthread_cond_destroy(&c->wake);
    pthread_mutex_destroy(&c->lock);
    mem_free(c);
}

int store_copier_start(struct store_copier **ret, const char *path)
{
    struct store_copier *c = mem_alloc(sizeof(*c));
    pthread_condattr_t attr;
    pthread_condattr_init(&attr);
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    pthread_mutex_init(&c->lock, NULL);
    pthread_cond_init(&c->wake, &attr);
    pthread_condattr_destroy(&attr);
    pthread_cond_init(&c->idle, NULL);
    int rc = store_wal_copier_open(&c->db, path);
    if (rc == SQLITE_OK)
        rc = thread_start(c);
    if (rc != SQLITE_OK) {
        copier_free(c);
        return rc;
    }
    *ret = c;
    return SQLITE_OK;
}

void store_copier_stop(struct store_copier *c)
{
    if (!c)
        return;
    pthread_mutex_lock(&c->lock);
    c->stop = true;
    pthread_cond_signal(&c->wake);
    pthread_mutex_unlock(&c->lock);
    pthread_join(c->thread, NULL);
    copier_free(c);
}

void store_copier_wake(struct store_copier *c)
{
    pthread_mutex_lock(&c->lock);
    c->wanted = true;
    pthread_cond_signal(&c->wake);
    pthread_mutex_unlock(&c->lock);
}

void store_copier_wake_later(struct store_copier *c)
{
    pthread_mutex_lock(&c->lock);
    if (!c->later) {
        c->later = true;
        pthread_cond_signal(&c->wake);
    }
    pthread_mutex_unlock(&c->lock);
}

bool store_copier_rests(struct store_copier *c, bool wait)
{
    pthread_mutex_lock(&c->lock);
    while (wait && (c->wanted || c->working))
        pthread_cond_wait(&c->idle, &c->lock);
    bool rests = !c->wanted && !c->working;
    pthread_mutex_unlock(&c->lock);
    return rests;
}

u64 store_copier_failures(struct store_copier *c)
{
    pthread_mutex_lock(&c->lock);
    u64 n = c->failures;
    pthread_mutex_unlock(&c->lock);
    return n;
}
