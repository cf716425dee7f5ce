/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * json -- builds one line of JSON (RFC 8259).
 *
 *      json_new()  json_text(json, "name", value)  ...  json_finish()
 *
 * The line is one object.  Members stay in the order in which they were added.
 * Strings are valid UTF-8 whatever was passed, and hold no line break.
 * Integers are numbers; a digest is a string of 16 hexadecimal digits, since
 * many readers keep numbers as doubles.
 *
 * In a list members have no name: pass NULL.  Layer 8; has one owner.
 */
#ifndef EMU_REPORT_JSON_H
#define EMU_REPORT_JSON_H

#include "base/base.h"

#define JSON_DEPTH_MAX 8u

typedef struct Json Json;

/* An object with `kind` as its first member. */
Json *json_new(const char *kind);
void json_free(Json *json);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Json, json_free)

/* The line without its newline, for the caller to free; `json` is gone.
 * Everything that was opened must have been closed. */
char *json_finish(Json *json);

/* Append `text` as a JSON string, quotes included, for writers whose lines are
 * not objects with a kind. */
void json_quote(GString *line, const char *text);

/* A string, or null for NULL. */
void json_text(Json *json, const char *name, const char *value);
void json_u64(Json *json, const char *name, uint64_t value);
void json_i64(Json *json, const char *name, int64_t value);
void json_bool(Json *json, const char *name, bool value);
void json_digest(Json *json, const char *name, uint64_t value);

/* A member that has members itself, until json_close(); at most
 * JSON_DEPTH_MAX inside one another. */
void json_open_object(Json *json, const char *name);
void json_open_list(Json *json, const char *name);
void json_close(Json *json);

#endif
