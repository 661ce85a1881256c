/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
/* fuzz_ledger.c - any bytes as a ledger. What begins like SQLite is a file; what begins with '{' is an exported document;
 * anything else is a list of rows, a line each, appended with macs that hold, as someone would who knows the format. Whatever is
 * taken must verify, come out of its JSON form the same, and no row but a commit may give budget back. */
#include "ledger_internal.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n);

static void require(bool is_true, const char *what)
{
    if (is_true)
        return;
    fprintf(stderr, "fuzz_ledger: %s\n", what);
    abort();
}

static bool count_rows(void *context, const nw_ledger_entry *entry)
{
    require(entry->time != NULL && entry->label != NULL && entry->mac != NULL && entry->group != NULL, "a row without its texts");
    ++*(uint64_t *)context;
    return true;
}

/* Everything that can be asked of an open ledger. */
static void look(nw_ledger *ledger)
{
    nw_ledger_summary summary;
    nw_ledger *again = NULL;
    nw_ledger_summary other;
    char *json = NULL;
    uint64_t rows = 0;
    const nw_status verified = nw_ledger_verify(ledger, NULL, NULL);
    require(verified == NW_OK || verified == NW_E_FORMAT || verified == NW_E_IO, "a ledger that opens and does not verify");
    if (verified != NW_OK)
        return;
    require(nw_ledger_summarise(ledger, &summary, NULL) == NW_OK, "no summary");
    require(nw_ledger_each(ledger, count_rows, &rows, NULL) == NW_OK && rows == ledger->sequence, "rows that are not listed");
    if (nw_ledger_to_json(ledger, &json, NULL) != NW_OK)
        return;
    require(nw_ledger_from_json(&again, json, NULL) == NW_OK, "a document that is not read back");
    require(nw_ledger_summarise(again, &other, NULL) == NW_OK && strcmp(summary.head, other.head) == 0 &&
                summary.spent_epsilon == other.spent_epsilon,
        "a document that says something else");
    nw_string_free(json);
    nw_ledger_close(again);
}

static void as_file(const uint8_t *bytes, size_t n)
{
    nw_ledger *ledger = NULL;
    char path[64];
    snprintf(path, sizeof path, "fuzz-ledger-%ld", (long)getpid());
    FILE *file = fopen(path, "wb");
    require(file != NULL && fwrite(bytes, 1, n, file) == n && fclose(file) == 0, "no file");
    if (nw_ledger_open_readonly(&ledger, path, NULL) == NW_OK)
        look(ledger);
    nw_ledger_close(ledger);
    unlink(path);
    strcat(path, "-wal"); /* left by a file that is damaged */
    unlink(path);
    memcpy(strrchr(path, '-'), "-shm", 4);
    unlink(path);
}

static void as_document(const uint8_t *bytes, size_t n)
{
    nw_ledger *ledger = NULL;
    char *text = nw__calloc(n + 1, 1);
    memcpy(text, bytes, n);
    const nw_status status = nw_ledger_from_json(&ledger, text, NULL);
    require((status == NW_OK) == (ledger != NULL), "status and ledger disagree");
    if (status == NW_OK)
        look(ledger);
    nw_ledger_close(ledger);
    free(text);
}

/* False once a row is refused. */
static bool append(nw_ledger *ledger, const char *text)
{
    char mac[2 * NW__LEDGER_MAC_BYTES + 1];
    nw_ledger_summary summary;
    nw__ledger_mac_text(nw__ledger_row_mac(ledger, ledger->mac, ledger->sequence + 1, "t", "l", text), mac);
    const nw__stored row = { ledger->sequence + 1, "t", "l", text, mac };
    require(nw__ledger_store_append(ledger, &row, "fuzz", NULL) == NW_OK, "a row cannot be stored");
    const double before = nw__ledger_spent(ledger, NW__LEDGER_TOTAL).cost.mu_squared;
    const size_t open = ledger->reservation_count;
    const nw_status status = nw_ledger_summarise(ledger, &summary, NULL);
    require(status == NW_OK || status == NW_E_FORMAT || status == NW_E_UNSUPPORTED, "a status that no row can cause");
    if (status != NW_OK)
        return false;
    const double now = nw__ledger_spent(ledger, NW__LEDGER_TOTAL).cost.mu_squared;
    require(now >= before || ledger->reservation_count == open - 1, "a row that gives budget back");
    return true;
}

static void as_rows(const uint8_t *bytes, size_t n)
{
    nw_ledger_opts opts = NW_LEDGER_OPTS_INIT;
    nw_ledger *ledger = NULL;
    char *text = nw__calloc(n + 1, 1);
    opts.epsilon = 4.0;
    opts.delta = 1e-9;
    opts.adjacency = NW_ADD_REMOVE;
    require(nw_ledger_memory(&ledger, &opts, NULL) == NW_OK, "no ledger");
    memcpy(text, bytes, n);
    bool goes_on = true;
    for (char *line = text; goes_on && line != NULL && *line != '\0';) {
        char *end = strchr(line, '\n');
        if (end != NULL)
            *end++ = '\0';
        goes_on = append(ledger, line);
        line = end;
    }
    if (goes_on)
        look(ledger);
    nw_ledger_close(ledger);
    free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    if (n >= 6 && memcmp(bytes, "SQLite", 6) == 0)
        as_file(bytes, n);
    else if (n >= 1 && bytes[0] == '{')
        as_document(bytes, n);
    else if (n >= 1)
        as_rows(bytes + 1, n - 1);
    return 0;
}
