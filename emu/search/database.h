/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * database -- an SQLite file, with heddle's errors around it.
 *
 *      database_open()  ──  database_begin()  database_run()...
 *                           database_commit()        on disk when it returns
 *                       ──  database_query()  while database_next()
 *
 * The file is in WAL mode with full synchronisation: what was committed
 * survives the death of this process at any moment, and of the host.  Others
 * may read it meanwhile, with the sqlite3 program for instance; one heddle at
 * a time writes it.
 *
 * SQLite's integers have a sign: numbers above 2^63 are stored as the negative
 * number of the same 64 bits.
 *
 * Layer 6; has one owner, and must not be used by a child after fork().
 */
#ifndef EMU_SEARCH_DATABASE_H
#define EMU_SEARCH_DATABASE_H

#include "base/base.h"

typedef struct Database Database;

typedef enum DatabaseError {
    DATABASE_ERROR_FILE,    /* cannot be opened, or is no such file */
    DATABASE_ERROR_BUSY,    /* another heddle writes it */
    DATABASE_ERROR_DAMAGED, /* SQLite, or we, cannot make sense of it */
} DatabaseError;

#define DATABASE_ERROR database_error_quark()
GQuark database_error_quark(void);

/* What a file must be to be opened. */
typedef struct DatabaseFormat {
    int32_t application; /* SQLite's application_id */
    int32_t version;     /* SQLite's user_version */
    const char *schema;  /* the statements that make an empty one */
    const char *what;    /* "store of heddle explore", for messages */
} DatabaseFormat;

typedef enum DatabaseMode {
    DATABASE_WRITE, /* made if there is none, or an empty one */
    DATABASE_READ,
} DatabaseMode;

/* Open or make the file.  An existing one is checked for damage. */
Database *database_open(const char *path, const DatabaseFormat *format,
                        DatabaseMode mode, GError **error);
void database_close(Database *database);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Database, database_close)

/* In a child after fork(): let go of the lock, and touch nothing else. */
void database_leave(Database *database);

const char *database_path(const Database *database);

bool database_begin(Database *database, GError **error);
bool database_commit(Database *database, GError **error);
/* Undo what was done since database_begin(), if it was not committed. */
void database_roll_back(Database *database);

/*
 * One statement.  `types` has a letter for each argument: u uint64_t,
 * s const char * (NULL is null).
 */
bool database_run(Database *database, GError **error, const char *sql,
                  const char *types, ...);

/* Rows of the last INSERT: its rowid. */
uint64_t database_last_row(const Database *database);

typedef struct DatabaseRows DatabaseRows;

/* Rows, one after the other; arguments as above.  NULL with an error. */
DatabaseRows *database_query(Database *database, GError **error,
                             const char *sql, const char *types, ...);
/* True if there is one more row.  At the end the rows are freed; `error` is
 * set if it was not the end. */
bool database_next(DatabaseRows **rows, GError **error);
/* Of the present row, by column from 0. */
uint64_t database_u64(DatabaseRows *rows, int column);
/* A copy; NULL for null. */
char *database_text(DatabaseRows *rows, int column);

#endif
