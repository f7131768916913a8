/* See store_aid.h. */
#include "tests/store_aid.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include <sqlite3.h>

#include "common/base/mem.h"

const struct clock *store_aid_clock(void)
{
    static struct clock clock;

    clock_init(&clock, false);
    return &clock;
}

const struct store_options *store_aid_options(const char *dir, enum store_durability durability)
{
    static struct id_source ids;
    static struct store_options options;

    if (!options.ids)
        id_init(&ids, 1);
    options = (struct store_options){.dir = dir,
                                     .durability = durability,
                                     .cache_kib = 1024,
                                     .clock = store_aid_clock(),
                                     .ids = &ids};
    return &options;
}

char *store_aid_dir(void)
{
    const char *base = getenv("TMPDIR");
    char *dir = mem_printf("%s/toque-store-XXXXXX", base && *base ? base : "/tmp");
    char *made = mkdtemp(dir);
    assert(made);
    return dir;
}

void store_aid_remove(char *dir)
{
    struct dirent *entry;
    DIR *d = opendir(dir);
    assert(d);
    while ((entry = readdir(d)))
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
            unlinkat(dirfd(d), entry->d_name, 0);
    closedir(d);
    rmdir(dir);
    mem_free(dir);
}

void store_aid_write(const char *path, const char *text)
{
    FILE *f = fopen(path, "w");
    assert(f);
    fputs(text, f);
    int err = fclose(f);
    assert(err == 0);
}

static void copy_file(const char *from, const char *to)
{
    char piece[65536];
    ssize_t n;
    int in = open(from, O_RDONLY | O_CLOEXEC);
    if (in < 0 && errno == ENOENT)
        return;
    int out = open(to, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    assert(in >= 0 && out >= 0);
    while ((n = read(in, piece, sizeof piece)) > 0) {
        ssize_t written = write(out, piece, (size_t)n);
        assert(written == n);
    }
    assert(n == 0);
    close(in);
    close(out);
}

void store_aid_copy(const char *from, const char *to)
{
    char *from_wal = mem_printf("%s-wal", from), *to_wal = mem_printf("%s-wal", to);
    copy_file(from, to);
    copy_file(from_wal, to_wal);
    mem_free(from_wal);
    mem_free(to_wal);
}

static sqlite3 *database(const char *path)
{
    sqlite3 *db;
    int rc = sqlite3_open_v2(path, &db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, NULL);
    assert(rc == SQLITE_OK);
    return db;
}

void store_aid_sql(const char *path, const char *sql)
{
    sqlite3 *db = database(path);
    int rc = sqlite3_exec(db, sql, NULL, NULL, NULL);
    assert(rc == SQLITE_OK);
    sqlite3_close(db);
}

i64 store_aid_number(const char *path, const char *sql)
{
    i64 n = -1;
    sqlite3_stmt *stmt;
    sqlite3 *db = database(path);
    int rc = sqlite3_prepare_v2(db, sql, -1, &stmt, NULL);
    assert(rc == SQLITE_OK);
    if (sqlite3_step(stmt) == SQLITE_ROW)
        n = sqlite3_column_int64(stmt, 0);
    sqlite3_finalize(stmt);
    sqlite3_close(db);
    return n;
}
