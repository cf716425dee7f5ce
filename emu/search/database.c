/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/base.h"

#include "search/database.h"

#include <fcntl.h>
#include <sqlite3.h>
#include <sys/file.h>
#include <unistd.h>

G_DEFINE_QUARK(heddle-database-error, database_error)

/* Others may hold the file for the time of a checkpoint. */
#define BUSY_MILLISECONDS 5000

struct Database {
    sqlite3 *sqlite;
    char *path;
    const DatabaseFormat *format;
    int lock;           /* a descriptor, or -1: nobody else writes */
    GHashTable *cached; /* sqlite3_stmt by SQL text: looked up only */
    GPtrArray *statements; /* the same, to be finalised */
};

struct DatabaseRows {
    Database *database;
    sqlite3_stmt *statement;
};

/* --- Errors --------------------------------------------------------------- */

static bool
is_of_disk(int code)
{
    return (code & 0xff) == SQLITE_FULL || (code & 0xff) == SQLITE_IOERR;
}

static bool
fail(const Database *database, int code, GError **error)
{
    const char *text = database->sqlite != NULL
                           ? sqlite3_errmsg(database->sqlite)
                           : sqlite3_errstr(code);

    switch (code & 0xff) {
    case SQLITE_NOTADB:
        g_set_error(error, DATABASE_ERROR, DATABASE_ERROR_FILE,
                    "%s is no %s", database->path, database->format->what);
        break;
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
        g_set_error(error, DATABASE_ERROR, DATABASE_ERROR_BUSY,
                    "%s is in use by another program", database->path);
        break;
    case SQLITE_CORRUPT:
    case SQLITE_ERROR:
    case SQLITE_MISMATCH:
    case SQLITE_CONSTRAINT:
        g_set_error(error, DATABASE_ERROR, DATABASE_ERROR_DAMAGED,
                    "%s is damaged (%s): take a copy of it, or begin anew "
                    "with another",
                    database->path, text);
        break;
    default:
        g_set_error(error, DATABASE_ERROR, DATABASE_ERROR_FILE, "%s: %s%s",
                    database->path, text,
                    is_of_disk(code) ? ": is the disk full?  What is in it "
                                       "stays, and explore --resume goes on "
                                       "with it"
                                     : "");
    }
    return false;
}

/* --- Statements ----------------------------------------------------------- */

static sqlite3_stmt *
statement_of(Database *database, const char *sql, GError **error)
{
    sqlite3_stmt *statement = g_hash_table_lookup(database->cached, sql);
    int code;

    if (statement != NULL) {
        sqlite3_reset(statement);
        sqlite3_clear_bindings(statement);
        return statement;
    }
    code = sqlite3_prepare_v2(database->sqlite, sql, -1, &statement, NULL);
    if (code != SQLITE_OK) {
        fail(database, code, error);
        return NULL;
    }
    g_hash_table_insert(database->cached, g_strdup(sql), statement);
    g_ptr_array_add(database->statements, statement);
    return statement;
}

static void
bind(sqlite3_stmt *statement, const char *types, va_list arguments)
{
    for (int i = 1; types[i - 1] != '\0'; i++)
        if (types[i - 1] == 'u')
            sqlite3_bind_int64(statement, i,
                               (sqlite3_int64)va_arg(arguments, uint64_t));
        else
            sqlite3_bind_text(statement, i, va_arg(arguments, const char *),
                              -1, SQLITE_TRANSIENT);
}

bool
database_run(Database *database, GError **error, const char *sql,
             const char *types, ...)
{
    sqlite3_stmt *statement = statement_of(database, sql, error);
    va_list arguments;
    int code;

    if (statement == NULL)
        return false;
    va_start(arguments, types);
    bind(statement, types, arguments);
    va_end(arguments);
    do
        code = sqlite3_step(statement);
    while (code == SQLITE_ROW);
    sqlite3_reset(statement);
    return code == SQLITE_DONE || fail(database, code, error);
}

uint64_t
database_last_row(const Database *database)
{
    return (uint64_t)sqlite3_last_insert_rowid(database->sqlite);
}

DatabaseRows *
database_query(Database *database, GError **error, const char *sql,
               const char *types, ...)
{
    sqlite3_stmt *statement = statement_of(database, sql, error);
    DatabaseRows *rows;
    va_list arguments;

    if (statement == NULL)
        return NULL;
    va_start(arguments, types);
    bind(statement, types, arguments);
    va_end(arguments);
    rows = g_new(DatabaseRows, 1);
    *rows = (DatabaseRows){.database = database, .statement = statement};
    return rows;
}

bool
database_next(DatabaseRows **rows, GError **error)
{
    int code;

    if (*rows == NULL)
        return false;
    code = sqlite3_step((*rows)->statement);
    if (code == SQLITE_ROW)
        return true;
    sqlite3_reset((*rows)->statement);
    if (code != SQLITE_DONE)
        fail((*rows)->database, code, error);
    g_clear_pointer(rows, g_free);
    return false;
}

uint64_t
database_u64(DatabaseRows *rows, int column)
{
    return (uint64_t)sqlite3_column_int64(rows->statement, column);
}

char *
database_text(DatabaseRows *rows, int column)
{
    return g_strdup((const char *)sqlite3_column_text(rows->statement,
                                                      column));
}

/* --- Transactions --------------------------------------------------------- */

bool
database_begin(Database *database, GError **error)
{
    return database_run(database, error, "BEGIN IMMEDIATE", "");
}

bool
database_commit(Database *database, GError **error)
{
    return database_run(database, error, "COMMIT", "");
}

void
database_roll_back(Database *database)
{
    if (sqlite3_get_autocommit(database->sqlite) == 0)
        database_run(database, NULL, "ROLLBACK", "");
}

/* --- Opening -------------------------------------------------------------- */

static bool
query_number(Database *database, const char *sql, uint64_t *number,
             GError **error)
{
    g_autoptr(GError) failure = NULL;
    DatabaseRows *rows = database_query(database, &failure, sql, "");

    *number = 0;
    while (database_next(&rows, &failure))
        *number = database_u64(rows, 0);
    if (failure == NULL)
        return true;
    g_propagate_error(error, g_steal_pointer(&failure));
    return false;
}

static bool
check_format(Database *database, GError **error)
{
    const DatabaseFormat *format = database->format;
    uint64_t application, version;

    if (!query_number(database, "PRAGMA application_id", &application,
                      error) ||
        !query_number(database, "PRAGMA user_version", &version, error))
        return false;
    if (application != (uint64_t)format->application)
        return fail(database, SQLITE_NOTADB, error);
    if (version == (uint64_t)format->version)
        return true;
    g_set_error(error, DATABASE_ERROR, DATABASE_ERROR_FILE,
                "%s has format %" PRIu64 " and this heddle knows %d",
                database->path, version, format->version);
    return false;
}

static bool
is_damaged(const Database *database, GError **error)
{
    g_set_error(error, DATABASE_ERROR, DATABASE_ERROR_DAMAGED,
                "%s is damaged: take a copy of it, or begin anew with another",
                database->path);
    return false;
}

/* Is what the file has under our names ours?  Another view, or a trigger, may
 * never come to an end. */
static bool
check_schema(Database *database, GError **error)
{
    g_auto(GStrv) statements = g_strsplit(database->format->schema, ";", -1);
    g_autoptr(GError) failure = NULL;

    for (char **sql = statements; *sql != NULL && failure == NULL; sql++) {
        DatabaseRows *rows;
        bool found = *g_strstrip(*sql) == '\0';

        rows = database_query(database, &failure,
                              "SELECT 1 FROM sqlite_master WHERE sql = ? AND"
                              " NOT EXISTS (SELECT 1 FROM sqlite_master"
                              " WHERE type = 'trigger')", "s", *sql);
        while (database_next(&rows, &failure))
            found = true;
        if (!found && failure == NULL)
            return is_damaged(database, error);
    }
    if (failure == NULL)
        return true;
    g_propagate_error(error, g_steal_pointer(&failure));
    return false;
}

static bool
check_damage(Database *database, GError **error)
{
    g_autoptr(GError) failure = NULL;
    DatabaseRows *rows =
        database_query(database, &failure, "PRAGMA quick_check(1)", "");
    g_autofree char *text = NULL;

    while (database_next(&rows, &failure)) {
        g_free(text);
        text = database_text(rows, 0);
    }
    if (failure != NULL) {
        g_propagate_error(error, g_steal_pointer(&failure));
        return false;
    }
    return g_strcmp0(text, "ok") == 0 || is_damaged(database, error);
}

/* The schema, the mark of the format, and all of it or nothing. */
static bool
make(Database *database, GError **error)
{
    g_autofree char *sql = g_strdup_printf(
        "BEGIN; PRAGMA application_id = %d; PRAGMA user_version = %d; %s "
        "COMMIT;",
        database->format->application, database->format->version,
        database->format->schema);
    int code = sqlite3_exec(database->sqlite, sql, NULL, NULL, NULL);

    return code == SQLITE_OK || fail(database, code, error);
}

static bool
prepare(Database *database, DatabaseMode mode, GError **error)
{
    uint64_t ignored, tables;

    if (mode != DATABASE_READ &&
        (!query_number(database, "PRAGMA journal_mode = WAL", &ignored,
                       error) ||
         !query_number(database, "PRAGMA synchronous = FULL", &ignored,
                       error)))
        return false;
    if (mode != DATABASE_READ &&
        !query_number(database, "PRAGMA schema_version", &tables, error))
        return false;
    /* Nothing in it: we died before it was made. */
    if (mode != DATABASE_READ && tables == 0)
        return make(database, error);
    return check_format(database, error) && check_damage(database, error) &&
           check_schema(database, error);
}

/* flock(), which SQLite's own locks do not mind.  Its descriptor is closed
 * after SQLite's, or it would take their locks along. */
static bool
take_lock(Database *database, GError **error)
{
    database->lock =
        open(database->path, O_RDWR | O_CREAT | O_CLOEXEC, 0666);
    if (database->lock < 0) {
        g_set_error(error, DATABASE_ERROR, DATABASE_ERROR_FILE,
                    "%s cannot be written: %s", database->path,
                    g_strerror(errno));
        return false;
    }
    return flock(database->lock, LOCK_EX | LOCK_NB) == 0 ||
           fail(database, SQLITE_BUSY, error);
}

static void
finalize(void *statement)
{
    sqlite3_finalize(statement);
}

Database *
database_open(const char *path, const DatabaseFormat *format,
              DatabaseMode mode, GError **error)
{
    g_autoptr(Database) database = g_new0(Database, 1);
    int flags = mode == DATABASE_READ ? SQLITE_OPEN_READONLY
                                      : SQLITE_OPEN_READWRITE;
    int code;

    database->path = g_strdup(path);
    database->format = format;
    database->lock = -1;
    database->statements = g_ptr_array_new_with_free_func(finalize);
    database->cached =
        g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    if (g_file_test(path, G_FILE_TEST_IS_DIR) ||
        (mode == DATABASE_READ && !g_file_test(path, G_FILE_TEST_EXISTS))) {
        g_set_error(error, DATABASE_ERROR, DATABASE_ERROR_FILE, "%s is no %s",
                    *path != '\0' ? path : "\"\"", format->what);
        return NULL;
    }
    if (mode != DATABASE_READ && !take_lock(database, error))
        return NULL;
    code = sqlite3_open_v2(path, &database->sqlite, flags, NULL);
    if (code != SQLITE_OK) {
        fail(database, code, error);
        return NULL;
    }
    sqlite3_busy_timeout(database->sqlite, BUSY_MILLISECONDS);
    if (!prepare(database, mode, error))
        return NULL;
    return g_steal_pointer(&database);
}

void
database_close(Database *database)
{
    if (database == NULL)
        return;
    g_hash_table_unref(database->cached);
    g_ptr_array_unref(database->statements);
    sqlite3_close(database->sqlite);
    database_leave(database);
    g_free(database->path);
    g_free(database);
}

void
database_leave(Database *database)
{
    if (database->lock >= 0)
        close(database->lock);
    database->lock = -1;
}

const char *
database_path(const Database *database)
{
    return database->path;
}
