/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
/* ledger_store.c - the ledger in SQLite.
 *
 * WAL with synchronous=FULL: a commit that has returned is on the disk. A new file is made whole under a temporary name and
 * linked into place, so half a ledger never exists. Every read of a row verifies its link of the chain.
 *
 * Format 1 knew only plain charges. Format 2 has the same tables and the same chain, and more kinds of rows (ledger_row.c): a
 * file of format 1 is read as it is, and becomes one of format 2 with the first row that is no plain charge. */
#include "ledger_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { APPLICATION_ID = 0x4e574c31, SCHEMA_VERSION = 2, BUSY_MILLISECONDS = 60000 };

static const char SCHEMA[] =
    "CREATE TABLE header (only INTEGER PRIMARY KEY CHECK (only = 1), id TEXT NOT NULL, epsilon TEXT NOT NULL, delta TEXT NOT "
    "NULL,"
    " adjacency TEXT NOT NULL, filter TEXT NOT NULL, unit TEXT NOT NULL, mac TEXT NOT NULL) STRICT;"
    "CREATE TABLE charge (sequence INTEGER PRIMARY KEY, time TEXT NOT NULL, label TEXT NOT NULL, event TEXT NOT NULL,"
    " mac TEXT NOT NULL) STRICT;";

static nw_status store_error(nw_ledger *ledger, const char *function, nw_error *err)
{
    const int code = sqlite3_errcode(ledger->db) & 0xff;
    const char *text = sqlite3_errmsg(ledger->db);
    switch (code) {
    case SQLITE_NOMEM: return nw__fail_memory(err, function);
    case SQLITE_NOTADB: return nw__fail(err, NW_E_FORMAT, function, "the file is not a ledger (not an SQLite database)");
    case SQLITE_CORRUPT:
    case SQLITE_ERROR:
    case SQLITE_CONSTRAINT:
    case SQLITE_MISMATCH: return nw__fail(err, NW_E_FORMAT, function, "the ledger file is damaged or was altered: %s", text);
    case SQLITE_BUSY: return nw__fail(err, NW_E_IO, function, "the ledger is locked by another process");
    case SQLITE_READONLY: return nw__fail(err, NW_E_IO, function, "the ledger file or its folder cannot be written: %s", text);
    case SQLITE_FULL: return nw__fail(err, NW_E_IO, function, "no space left for the ledger: %s", text);
    default: return nw__fail(err, NW_E_IO, function, "the ledger file could not be read or written: %s", text);
    }
}

nw_status nw__ledger_store_run(nw_ledger *ledger, const char *sql, const char *function, nw_error *err)
{
    return sqlite3_exec(ledger->db, sql, NULL, NULL, NULL) == SQLITE_OK ? NW_OK : store_error(ledger, function, err);
}

/* Doubles are stored as the 16 hex digits of their bits: no locale, no rounding. */
void nw__bits_text(double x, char out[17])
{
    uint64_t bits = 0;
    memcpy(&bits, &x, sizeof bits);
    snprintf(out, 17, "%016llx", (unsigned long long)bits);
}

bool nw__bits_read(const char *text, double *x)
{
    if (text == NULL || strlen(text) != 16 || strspn(text, "0123456789abcdef") != 16)
        return false;
    const uint64_t bits = strtoull(text, NULL, 16);
    memcpy(x, &bits, sizeof bits);
    return true;
}

void nw__ledger_header_fields(const nw_ledger *ledger, nw__header_text *text, const char *fields[NW__LEDGER_HEADER_FIELDS])
{
    char order[17];
    sodium_bin2hex(text->id, sizeof text->id, ledger->id, sizeof ledger->id);
    nw__bits_text(ledger->epsilon, text->epsilon);
    nw__bits_text(ledger->delta, text->delta);
    nw__bits_text(ledger->order, order);
    snprintf(text->filter, sizeof text->filter, "%s%s%s", nw_filter_name(ledger->filter), ledger->order != 0.0 ? ":" : "",
        ledger->order != 0.0 ? order : "");
    nw__ledger_mac_text(nw__ledger_header_mac(ledger), text->mac);
    const char *const all[] = { text->id, text->epsilon, text->delta, nw_adjacency_name(ledger->adjacency), text->filter,
        ledger->unit, text->mac };
    memcpy(fields, all, sizeof all);
}

static nw_status insert_header(nw_ledger *ledger, const char *function, nw_error *err)
{
    nw__header_text text;
    const char *fields[NW__LEDGER_HEADER_FIELDS];
    sqlite3_stmt *insert = NULL;
    nw__ledger_header_fields(ledger, &text, fields);
    bool is_ok =
        sqlite3_prepare_v2(ledger->db, "INSERT INTO header VALUES (1, ?, ?, ?, ?, ?, ?, ?)", -1, &insert, NULL) == SQLITE_OK;
    for (int i = 0; is_ok && i < NW__LEDGER_HEADER_FIELDS; i++)
        is_ok = sqlite3_bind_text(insert, i + 1, fields[i], -1, SQLITE_STATIC) == SQLITE_OK;
    is_ok = is_ok && sqlite3_step(insert) == SQLITE_DONE;
    const nw_status status = is_ok ? NW_OK : store_error(ledger, function, err);
    sqlite3_finalize(insert);
    return status;
}

static nw_status open_database(nw_ledger *ledger, const char *path, int flags, const char *function, nw_error *err)
{
    const int result = sqlite3_open_v2(path, &ledger->db, flags | SQLITE_OPEN_FULLMUTEX, NULL);
    if (ledger->db == NULL)
        return nw__fail_memory(err, function);
    sqlite3_extended_result_codes(ledger->db, 0);
    sqlite3_busy_timeout(ledger->db, BUSY_MILLISECONDS);
    /* What a hostile file may bring along to be run: a trigger that swallows an insertion, a view in place of a table. */
    sqlite3_db_config(ledger->db, SQLITE_DBCONFIG_ENABLE_TRIGGER, 0, NULL);
    sqlite3_db_config(ledger->db, SQLITE_DBCONFIG_ENABLE_VIEW, 0, NULL);
    sqlite3_db_config(ledger->db, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL);
    return result == SQLITE_OK ? NW_OK : store_error(ledger, function, err);
}

static void close_database(nw_ledger *ledger)
{
    sqlite3_close(ledger->db);
    ledger->db = NULL;
}

static nw_status fill_database(nw_ledger *ledger, const nw__stored *first, const char *function, nw_error *err)
{
    char pragmas[128];
    snprintf(pragmas, sizeof pragmas, "PRAGMA application_id=%d; PRAGMA user_version=%d;", APPLICATION_ID, SCHEMA_VERSION);
    ledger->version = SCHEMA_VERSION;
    NW__TRY(nw__ledger_store_run(ledger, "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; BEGIN IMMEDIATE", function, err));
    NW__TRY(nw__ledger_store_run(ledger, SCHEMA, function, err));
    NW__TRY(nw__ledger_store_run(ledger, pragmas, function, err));
    NW__TRY(insert_header(ledger, function, err));
    if (first != NULL)
        NW__TRY(nw__ledger_store_append(ledger, first, function, err));
    return nw__ledger_store_run(ledger, "COMMIT", function, err);
}

/* Makes the file's and its folder's entries durable. */
static bool sync_path(const char *path, int flags)
{
    const int fd = open(path, flags | O_RDONLY | O_CLOEXEC);
    const bool is_ok = fd >= 0 && fsync(fd) == 0;
    if (fd >= 0)
        close(fd);
    return is_ok;
}

static bool sync_folder_of(const char *path)
{
    const char *slash = strrchr(path, '/');
    char *folder = slash == NULL ? nw__strdup(".") : nw__strdup(path);
    if (folder == NULL)
        return false;
    if (slash != NULL)
        folder[slash == path ? 1 : slash - path] = '\0';
    const bool is_ok = sync_path(folder, O_DIRECTORY);
    free(folder);
    return is_ok;
}

static nw_status create_file(
    nw_ledger *ledger, const char *temporary, const char *path, const nw__stored *first, const char *function, nw_error *err)
{
    nw_status status = open_database(ledger, temporary, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, function, err);
    if (status == NW_OK)
        status = fill_database(ledger, first, function, err);
    close_database(ledger); /* folds the WAL into the file */
    if (status == NW_OK && !sync_path(temporary, 0))
        status = nw__fail(err, NW_E_IO, function, "%s could not be made durable: %s", path, strerror(errno));
    if (status == NW_OK && link(temporary, path) != 0)
        status = nw__fail(err, NW_E_IO, function, errno == EEXIST ? "%s exists already" : "%s could not be created", path);
    unlink(temporary);
    if (status == NW_OK && !sync_folder_of(path))
        status = nw__fail(err, NW_E_IO, function, "the folder of %s could not be made durable", path);
    return status;
}

nw_status nw__ledger_store_create(
    nw_ledger *ledger, const char *path, const nw__stored *first, const char *function, nw_error *err)
{
    if (path == NULL) {
        NW__TRY(open_database(ledger, ":memory:", SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, function, err));
        return fill_database(ledger, first, function, err);
    }
    if (access(path, F_OK) == 0)
        return nw__fail(err, NW_E_IO, function, "%s exists already", path);
    const size_t bytes = strlen(path) + 32;
    char *temporary = nw__calloc(bytes, 1);
    if (temporary == NULL)
        return nw__fail_memory(err, function);
    snprintf(temporary, bytes, "%s.new-%08x", path, randombytes_random());
    nw_status status = create_file(ledger, temporary, path, first, function, err);
    free(temporary);
    if (status == NW_OK)
        status = nw__ledger_store_open(ledger, path, function, err);
    return status;
}

static nw_status query_number(nw_ledger *ledger, const char *sql, int64_t *out, const char *function, nw_error *err)
{
    sqlite3_stmt *query = NULL;
    bool is_ok = sqlite3_prepare_v2(ledger->db, sql, -1, &query, NULL) == SQLITE_OK && sqlite3_step(query) == SQLITE_ROW;
    const nw_status status = is_ok ? NW_OK : store_error(ledger, function, err);
    if (is_ok)
        *out = sqlite3_column_int64(query, 0);
    sqlite3_finalize(query);
    return status;
}

static nw_status altered(const char *function, nw_error *err, const char *what)
{
    return nw__fail(err, NW_E_FORMAT, function, "the ledger was altered: %s does not verify", what);
}

static bool parse_filter(const char *text, nw_ledger *ledger)
{
    const char *colon = strchr(text, ':');
    const size_t length = colon == NULL ? strlen(text) : (size_t)(colon - text);
    ledger->filter = NW_FILTER_AUTO;
    for (nw_filter f = NW_FILTER_GDP; f <= NW_FILTER_SCHEDULE; f++)
        if (strlen(nw_filter_name(f)) == length && strncmp(text, nw_filter_name(f), length) == 0)
            ledger->filter = f;
    ledger->order = 0.0;
    if (ledger->filter == NW_FILTER_RENYI)
        return colon != NULL && nw__bits_read(colon + 1, &ledger->order) && ledger->order > 1.0 && ledger->order <= NW__MAX_ORDER;
    return ledger->filter != NW_FILTER_AUTO && colon == NULL;
}

bool nw__ledger_parse_header(nw_ledger *ledger, const char *const fields[NW__LEDGER_HEADER_FIELDS])
{
    char mac[2 * NW__LEDGER_MAC_BYTES + 1];
    size_t id_bytes = 0;
    for (int i = 0; i < NW__LEDGER_HEADER_FIELDS; i++)
        if (fields[i] == NULL)
            return false;
    if (sodium_hex2bin(ledger->id, sizeof ledger->id, fields[0], strlen(fields[0]), NULL, &id_bytes, NULL) != 0 ||
        id_bytes != sizeof ledger->id || !nw__bits_read(fields[1], &ledger->epsilon) ||
        !nw__bits_read(fields[2], &ledger->delta) || nw_adjacency_parse(fields[3], &ledger->adjacency, NULL) != NW_OK ||
        !parse_filter(fields[4], ledger) || strlen(fields[5]) >= sizeof ledger->unit)
        return false;
    if (!(ledger->epsilon > 0.0 && ledger->epsilon <= NW__MAX_EPSILON && ledger->delta >= 0.0 && ledger->delta < 1.0))
        return false;
    snprintf(ledger->unit, sizeof ledger->unit, "%s", fields[5]);
    nw__ledger_mac_text(nw__ledger_header_mac(ledger), mac);
    return strcmp(mac, fields[6]) == 0;
}

/* A column's text; NULL if it is none, or goes on behind a NUL byte where the chain would not see it. */
static const char *column_text(sqlite3_stmt *row, int i)
{
    const char *text = (const char *)sqlite3_column_text(row, i);
    return text != NULL && strlen(text) == (size_t)sqlite3_column_bytes(row, i) ? text : NULL;
}

static bool parse_header_row(nw_ledger *ledger, sqlite3_stmt *row)
{
    const char *fields[NW__LEDGER_HEADER_FIELDS];
    for (int i = 0; i < NW__LEDGER_HEADER_FIELDS; i++)
        fields[i] = column_text(row, i);
    return nw__ledger_parse_header(ledger, fields);
}

static nw_status read_header(nw_ledger *ledger, const char *function, nw_error *err)
{
    int64_t application = 0;
    int64_t version = 0;
    sqlite3_stmt *query = NULL;
    NW__TRY(query_number(ledger, "PRAGMA application_id", &application, function, err));
    if (application != APPLICATION_ID)
        return nw__fail(err, NW_E_FORMAT, function, "the file is an SQLite database but not a ledger");
    NW__TRY(query_number(ledger, "PRAGMA user_version", &version, function, err));
    if (version < 1 || version > SCHEMA_VERSION)
        return nw__fail(err, NW_E_FORMAT, function, "the ledger has format %lld, this version reads 1 to %d", (long long)version,
            SCHEMA_VERSION);
    ledger->version = (int)version;
    if (sqlite3_prepare_v2(ledger->db, "SELECT id, epsilon, delta, adjacency, filter, unit, mac FROM header", -1, &query, NULL) !=
        SQLITE_OK)
        return store_error(ledger, function, err);
    const int step = sqlite3_step(query);
    nw_status status = NW_OK;
    if (step != SQLITE_ROW)
        status = step == SQLITE_DONE ? altered(function, err, "its missing header") : store_error(ledger, function, err);
    else if (!parse_header_row(ledger, query))
        status = altered(function, err, "its header");
    sqlite3_finalize(query);
    return status;
}

/* A WAL database on a medium that cannot be written needs no shared memory if it is opened as immutable, which is right when no
 * log is left over. */
static nw_status open_readonly(nw_ledger *ledger, const char *path, const char *function, nw_error *err)
{
    int64_t rows = 0;
    /* Opened for writing where that is permitted, or the files beside it that reading makes would stay; nothing is written. */
    NW__TRY(open_database(ledger, path, SQLITE_OPEN_READWRITE, function, err));
    NW__TRY(nw__ledger_store_run(ledger, "PRAGMA query_only=ON", function, err));
    if (query_number(ledger, "SELECT count(*) FROM sqlite_master", &rows, function, NULL) == NW_OK)
        return NW_OK;
    if ((sqlite3_errcode(ledger->db) & 0xff) != SQLITE_CANTOPEN && (sqlite3_errcode(ledger->db) & 0xff) != SQLITE_READONLY)
        return store_error(ledger, function, err);
    const size_t bytes = 3 * strlen(path) + 64;
    char *uri = nw__calloc(bytes, 1);
    if (uri == NULL)
        return nw__fail_memory(err, function);
    size_t at = (size_t)snprintf(uri, bytes, "file:");
    for (const char *c = path; *c != '\0'; c++)
        at += (size_t)snprintf(uri + at, bytes - at, strchr("%?#", *c) != NULL ? "%%%02x" : "%c", (unsigned char)*c);
    snprintf(uri + at, bytes - at, "?immutable=1");
    close_database(ledger);
    const nw_status status = open_database(ledger, uri, SQLITE_OPEN_READONLY | SQLITE_OPEN_URI, function, err);
    free(uri);
    return status;
}

nw_status nw__ledger_store_open(nw_ledger *ledger, const char *path, const char *function, nw_error *err)
{
    struct stat info;
    if (stat(path, &info) != 0)
        return nw__fail(err, NW_E_IO, function, "%s: %s", path, strerror(errno));
    if (!S_ISREG(info.st_mode))
        return nw__fail(err, NW_E_IO, function, "%s is not a regular file", path);
    if (info.st_size == 0)
        return nw__fail(err, NW_E_FORMAT, function, "%s is empty, not a ledger", path);
    if (!ledger->is_readonly && access(path, W_OK) != 0)
        return nw__fail(err, NW_E_IO, function, "%s cannot be written: %s", path, strerror(errno));
    if (ledger->is_readonly)
        NW__TRY(open_readonly(ledger, path, function, err));
    else
        NW__TRY(open_database(ledger, path, SQLITE_OPEN_READWRITE, function, err));
    if (!ledger->is_readonly)
        NW__TRY(nw__ledger_store_run(ledger, "PRAGMA synchronous=FULL", function, err));
    return read_header(ledger, function, err);
}

nw_status nw__ledger_store_upgrade(nw_ledger *ledger, const char *function, nw_error *err)
{
    char sql[64];
    snprintf(sql, sizeof sql, "PRAGMA user_version=%d", SCHEMA_VERSION);
    return nw__ledger_store_run(ledger, sql, function, err);
}

nw_status nw__ledger_store_each(nw_ledger *ledger, uint64_t after, bool (*visit)(void *context, const nw__stored *row),
    void *context, const char *function, nw_error *err)
{
    static const char sql[] = "SELECT sequence, time, label, event, mac FROM charge WHERE sequence >= ? ORDER BY sequence";
    sqlite3_stmt *query = NULL;
    int step = SQLITE_ROW;
    /* From the start: also rows that someone numbered 0 or below, which are no rows of ours. */
    const sqlite3_int64 first = after == 0 ? INT64_MIN : (sqlite3_int64)after + 1;
    if (sqlite3_prepare_v2(ledger->db, sql, -1, &query, NULL) != SQLITE_OK || sqlite3_bind_int64(query, 1, first) != SQLITE_OK) {
        sqlite3_finalize(query);
        return store_error(ledger, function, err);
    }
    bool goes_on = true;
    while (goes_on && (step = sqlite3_step(query)) == SQLITE_ROW) {
        const nw__stored row = { (uint64_t)sqlite3_column_int64(query, 0), column_text(query, 1), column_text(query, 2),
            column_text(query, 3), column_text(query, 4) };
        goes_on = visit(context, &row);
    }
    const nw_status status = !goes_on || step == SQLITE_DONE ? NW_OK : store_error(ledger, function, err);
    sqlite3_finalize(query);
    return status;
}

typedef struct catch_up {
    nw_ledger *ledger;
    const char *function;
    nw_error *err;
    nw_status status;
} catch_up;

/* A row whose link holds: it may still be one that no version of the library would have written there. */
static nw_status take_text(nw_ledger *ledger, const nw__stored *stored, const char *function, nw_error *err)
{
    nw__row row;
    nw__loss loss;
    nw_error own;
    nw_status status = nw__row_from_text(&row, stored->text, &own);
    if (status == NW_OK)
        status = nw__row_check(ledger, &row, &loss, function, &own);
    if (status == NW_OK)
        status = nw__row_prepare(ledger, function, &own);
    if (status == NW_OK)
        status = nw__row_apply(ledger, &row, &loss, stored->sequence, stored->label, &own);
    nw__row_free(&row);
    if (status == NW_OK || status == NW_E_NOMEM)
        return status == NW_OK ? NW_OK : nw__fail_memory(err, function);
    return nw__fail(err, status == NW_E_UNSUPPORTED ? status : NW_E_FORMAT, function, "row %llu of the ledger: %s",
        (unsigned long long)stored->sequence, own.message);
}

static bool take_row(void *context, const nw__stored *row)
{
    catch_up *c = context;
    nw_ledger *ledger = c->ledger;
    char text[2 * NW__LEDGER_MAC_BYTES + 1];
    if (row->sequence != ledger->sequence + 1 || row->time == NULL || row->label == NULL || row->text == NULL ||
        row->mac == NULL) {
        c->status = nw__fail(c->err, NW_E_FORMAT, c->function, "the ledger was altered: row %llu is missing or damaged",
            (unsigned long long)ledger->sequence + 1);
        return false;
    }
    const nw__mac mac = nw__ledger_row_mac(ledger, ledger->mac, row->sequence, row->time, row->label, row->text);
    nw__ledger_mac_text(mac, text);
    if (strcmp(text, row->mac) != 0)
        c->status = nw__fail(c->err, NW_E_FORMAT, c->function, "the ledger was altered: row %llu does not verify",
            (unsigned long long)row->sequence);
    else
        c->status = take_text(ledger, row, c->function, c->err);
    if (c->status != NW_OK)
        return false;
    ledger->sequence = row->sequence;
    ledger->mac = mac;
    return true;
}

/* The last row this handle has seen must still be there, or the file was replaced under it. */
static nw_status check_last_row(nw_ledger *ledger, const char *function, nw_error *err)
{
    char text[2 * NW__LEDGER_MAC_BYTES + 1];
    char sql[128];
    int64_t found = 0;
    if (ledger->sequence == 0)
        return NW_OK;
    nw__ledger_mac_text(ledger->mac, text);
    snprintf(sql, sizeof sql, "SELECT count(*) FROM charge WHERE sequence = %llu AND mac = '%s'",
        (unsigned long long)ledger->sequence, text);
    NW__TRY(query_number(ledger, sql, &found, function, err));
    return found == 1 ? NW_OK : altered(function, err, "a row that was there");
}

nw_status nw__ledger_store_catch_up(nw_ledger *ledger, const char *function, nw_error *err)
{
    catch_up c = { ledger, function, err, NW_OK };
    NW__TRY(check_last_row(ledger, function, err));
    NW__TRY(nw__ledger_store_each(ledger, ledger->sequence, take_row, &c, function, err));
    return c.status;
}

nw_status nw__ledger_store_append(nw_ledger *ledger, const nw__stored *row, const char *function, nw_error *err)
{
    sqlite3_stmt *insert = NULL;
    const char *const texts[] = { row->time, row->label, row->text, row->mac };
    bool is_ok = sqlite3_prepare_v2(ledger->db, "INSERT INTO charge VALUES (?, ?, ?, ?, ?)", -1, &insert, NULL) == SQLITE_OK &&
                 sqlite3_bind_int64(insert, 1, (sqlite3_int64)row->sequence) == SQLITE_OK;
    for (int i = 0; is_ok && i < 4; i++)
        is_ok = sqlite3_bind_text(insert, i + 2, texts[i], -1, SQLITE_STATIC) == SQLITE_OK;
    is_ok = is_ok && sqlite3_step(insert) == SQLITE_DONE;
    nw_status status = is_ok ? NW_OK : store_error(ledger, function, err);
    if (is_ok && sqlite3_changes(ledger->db) != 1)
        status = nw__fail(err, NW_E_FORMAT, function, "the ledger file swallowed a row: it is none of ours");
    sqlite3_finalize(insert);
    return status;
}

nw_status nw__ledger_store_check(nw_ledger *ledger, const char *function, nw_error *err)
{
    sqlite3_stmt *query = NULL;
    bool is_ok = sqlite3_prepare_v2(ledger->db, "PRAGMA integrity_check", -1, &query, NULL) == SQLITE_OK &&
                 sqlite3_step(query) == SQLITE_ROW;
    nw_status status = is_ok ? NW_OK : store_error(ledger, function, err);
    const char *answer = is_ok ? (const char *)sqlite3_column_text(query, 0) : NULL;
    if (is_ok && (answer == NULL || strcmp(answer, "ok") != 0))
        status = nw__fail(err, NW_E_FORMAT, function, "the ledger file is damaged: %s", answer == NULL ? "no answer" : answer);
    sqlite3_finalize(query);
    return status;
}
