/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
#include "process_mutants.h"
#include "forks.h"
#include "need.h"
#include "random_internal.h"

#include <jansson.h>
#include <math.h>
#include <nw/grid.h>
#include <nw/ledger.h>
#include <nw/noise.h>
#include <nw/testing.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { CELLS = 4 };

static nw_event *event_of(double epsilon)
{
    nw_event *event = NULL;
    need(nw_event_pure(&event, epsilon, NW_ADD_REMOVE, NULL) == NW_OK);
    return event;
}

static nw_ledger_opts options(double epsilon)
{
    nw_ledger_opts o = NW_LEDGER_OPTS_INIT;
    o.epsilon = epsilon;
    o.delta = 0.0;
    o.adjacency = NW_ADD_REMOVE;
    return o;
}

/* Four counts with noise, against a ledger. The twin draws and writes before it charges. */
static nw_status release_counts(nw_ledger *ledger, const nw_event *event, nw_rng *rng, int64_t y[CELLS], bool is_planted)
{
    const int64_t counts[CELLS] = { 10, 20, 30, 40 };
    nw_noise *noise = NULL;
    need(nw_noise_new(&noise, NW_NOISE_DISCRETE_LAPLACE, 1.0, NULL) == NW_OK);
    nw_status status = is_planted ? NW_OK : nw_ledger_charge(ledger, event, "counts", rng, NULL, NULL);
    if (status == NW_OK)
        status = nw_noise_add_i64(noise, rng, counts, y, CELLS, NULL);
    if (status == NW_OK && is_planted)
        status = nw_ledger_charge(ledger, event, "counts", rng, NULL, NULL);
    nw_noise_free(noise);
    return status;
}

/* Over budget, nothing is drawn from the stream and nothing is written. */
bool charge_after_release__is_seen(const void *context, bool is_planted)
{
    (void)context;
    const nw_ledger_opts o = options(0.5);
    nw_ledger *ledger = NULL;
    nw_event *event = event_of(1.0);
    nw_rng *rng[2] = { NULL, NULL };
    uint64_t next[2] = { 0, 0 };
    int64_t y[CELLS] = { -1, -1, -1, -1 };
    need(nw_ledger_memory(&ledger, &o, NULL) == NW_OK);
    for (int i = 0; i < 2; i++)
        need(nw_rng_new_insecure_seeded(&rng[i], 5, NULL) == NW_OK);
    const nw_status status = release_counts(ledger, event, rng[0], y, is_planted);
    bool is_touched = status != NW_E_BUDGET;
    for (int i = 0; i < CELLS; i++)
        is_touched = is_touched || y[i] != -1;
    for (int i = 0; i < 2; i++) {
        need(nw_rng_bytes(rng[i], &next[i], sizeof next[i], NULL) == NW_OK);
        nw_rng_free(rng[i]);
    }
    nw_ledger_close(ledger);
    nw_event_free(event);
    return is_touched || next[0] != next[1];
}

static void copy_file(const char *from, const char *to)
{
    char bytes[65536];
    FILE *in = fopen(from, "rb");
    FILE *out = fopen(to, "wb");
    need(in != NULL && out != NULL);
    for (size_t n = fread(bytes, 1, sizeof bytes, in); n > 0; n = fread(bytes, 1, sizeof bytes, in))
        need(fwrite(bytes, 1, n, out) == n);
    need(fclose(in) == 0 && fclose(out) == 0);
}

static void charge_file(const char *path, nw_receipt *receipt)
{
    nw_ledger *ledger = NULL;
    nw_event *event = event_of(0.25);
    need(nw_ledger_open(&ledger, path, NULL) == NW_OK);
    need(nw_ledger_charge(ledger, event, "counts", NULL, receipt, NULL) == NW_OK);
    nw_ledger_close(ledger);
    nw_event_free(event);
}

/* A copy of the file from before the last charge, put back to spend the same budget again: it verifies by itself, but does not
 * hold the head of the receipt. */
bool rolled_back_ledger__is_seen(const void *context, bool is_planted)
{
    (void)context;
    const nw_ledger_opts o = options(1.0);
    char folder[] = "mutants-XXXXXX";
    char path[64];
    char copy[64];
    nw_ledger *ledger = NULL;
    nw_receipt receipt;
    need(mkdtemp(folder) != NULL);
    snprintf(path, sizeof path, "%s/ledger", folder);
    snprintf(copy, sizeof copy, "%s/copy", folder);
    need(nw_ledger_create(&ledger, path, &o, NULL) == NW_OK);
    nw_ledger_close(ledger);
    charge_file(path, NULL);
    copy_file(path, copy);
    charge_file(path, &receipt);
    if (is_planted)
        copy_file(copy, path);
    need(nw_ledger_open_readonly(&ledger, path, NULL) == NW_OK && nw_ledger_verify(ledger, NULL, NULL) == NW_OK);
    const bool is_seen = nw_ledger_verify(ledger, receipt.head, NULL) == NW_E_FORMAT;
    nw_ledger_close(ledger);
    unlink(path);
    unlink(copy);
    need(rmdir(folder) == 0);
    return is_seen;
}

/* The last row of the chain once more, with its own MAC or as the next in sequence. */
bool replayed_row__is_seen(const void *context, bool is_planted)
{
    (void)context;
    const nw_ledger_opts o = options(1.0);
    nw_ledger *ledger = NULL;
    nw_ledger *read = NULL;
    nw_event *event = event_of(0.25);
    char *text = NULL;
    bool is_seen = true;
    need(nw_ledger_memory(&ledger, &o, NULL) == NW_OK);
    for (int i = 0; i < 2; i++)
        need(nw_ledger_charge(ledger, event, "counts", NULL, NULL, NULL) == NW_OK);
    need(nw_ledger_to_json(ledger, &text, NULL) == NW_OK);
    for (int way = 0; way < 2; way++) {
        json_t *document = json_loads(text, 0, NULL);
        json_t *rows = json_object_get(document, "rows");
        need(json_array_size(rows) == 2);
        if (is_planted) {
            json_t *row = json_deep_copy(json_array_get(rows, 1));
            if (way == 1)
                json_object_set_new(row, "sequence", json_integer(3));
            json_array_append_new(rows, row);
        }
        char *edited = json_dumps(document, 0);
        is_seen = nw_ledger_from_json(&read, edited, NULL) == NW_E_FORMAT && is_seen;
        nw_ledger_close(read);
        read = NULL;
        free(edited);
        json_decref(document);
    }
    nw_string_free(text);
    nw_ledger_close(ledger);
    nw_event_free(event);
    return is_seen;
}

/* A ledger in a file refuses a stream that came from a seed. */
bool seeded_generator__is_refused(const void *context, bool is_planted)
{
    (void)context;
    const nw_ledger_opts o = options(2.0);
    char folder[] = "mutants-XXXXXX";
    char path[64];
    nw_ledger *ledger = NULL;
    nw_rng *rng = NULL;
    nw_event *event = event_of(1.0);
    int64_t y[CELLS] = { 0 };
    need(mkdtemp(folder) != NULL);
    snprintf(path, sizeof path, "%s/ledger", folder);
    need(nw_ledger_create(&ledger, path, &o, NULL) == NW_OK);
    need((is_planted ? nw_rng_new_insecure_seeded(&rng, 1, NULL) : nw_rng_new(&rng, NULL)) == NW_OK);
    const nw_status status = release_counts(ledger, event, rng, y, false);
    nw_rng_free(rng);
    nw_ledger_close(ledger);
    nw_event_free(event);
    unlink(path);
    need(rmdir(folder) == 0);
    return status == NW_E_STATE;
}

typedef struct inherited {
    nw_rng *rng;
    nw_noise *noise;
    bool is_planted;
} inherited;

/* The twin's child takes the inherited stream for its own: as if no fork were noticed. */
static bool draw_noise(void *context, uint8_t out[FORK_BYTES])
{
    const inherited *in = context;
    int64_t z[FORK_BYTES / sizeof(int64_t)];
    if (in->is_planted) {
        nw_rng *own = NULL;
        need(nw_rng_new(&own, NULL) == NW_OK);
        in->rng->fork_generation = own->fork_generation;
        nw_rng_free(own);
    }
    if (nw_noise_fill(in->noise, in->rng, z, sizeof z / sizeof *z, NULL) != NW_OK)
        return false;
    memcpy(out, z, sizeof z);
    return true;
}

bool inherited_key__repeats_noise(const void *context, bool is_planted)
{
    (void)context;
    uint8_t out[FORK_CHILDREN + 1][FORK_BYTES];
    inherited in = { .is_planted = is_planted };
    need(nw_rng_new(&in.rng, NULL) == NW_OK);
    need(nw_noise_new(&in.noise, NW_NOISE_DISCRETE_LAPLACE, 0x1p45, NULL) == NW_OK);
    need(fork_and_draw(draw_noise, &in, out));
    nw_noise_free(in.noise);
    nw_rng_free(in.rng);
    return fork_count_repeats(out, FORK_CHILDREN + 1) > 0;
}

/* Rounding commutes with a shift by one step, as post-processing of x + noise has to; half-to-even does not at ties. */
bool rint_for_floor__is_seen(const void *context, bool is_planted)
{
    (void)context;
    const double values[] = { -2.5, -1.5, -0.5, 0.5, 1.5, 0.25, 0x1.fffffffffffffp-2, 1e6 + 0.5 };
    for (size_t i = 0; i < sizeof values / sizeof *values; i++) {
        int64_t q[2];
        for (int shift = 0; shift < 2; shift++) {
            const double x = values[i] + shift;
            need(nw_grid_round((nw_grid){ 0 }, &x, 1, -1e9, 1e9, &q[shift], NULL) == NW_OK);
            if (is_planted)
                q[shift] = (int64_t)rint(x);
        }
        if (values[i] + 1.0 - 1.0 == values[i] && q[1] != q[0] + 1)
            return true;
    }
    return false;
}

/* A sum at the end of int64 stays there: a count of 2^63 - 1 never comes out negative. */
bool wrapping_add__is_seen(const void *context, bool is_planted)
{
    (void)context;
    enum { N = 1000 };
    int64_t x[N];
    int64_t y[N];
    nw_noise *noise = NULL;
    nw_rng *rng = NULL;
    bool is_seen = false;
    need(nw_rng_new_insecure_seeded(&rng, 3, NULL) == NW_OK);
    need(nw_noise_new(&noise, NW_NOISE_ROUNDED_GAUSSIAN, 1000.0, NULL) == NW_OK);
    for (size_t i = 0; i < N; i++)
        x[i] = i % 2 == 0 ? INT64_MAX : INT64_MIN;
    if (is_planted) {
        need(nw_noise_fill(noise, rng, y, N, NULL) == NW_OK);
        for (size_t i = 0; i < N; i++)
            y[i] = (int64_t)((uint64_t)x[i] + (uint64_t)y[i]);
    } else {
        need(nw_noise_add_i64(noise, rng, x, y, N, NULL) == NW_OK);
    }
    for (size_t i = 0; i < N; i++)
        is_seen = is_seen || (y[i] < 0) != (x[i] < 0);
    nw_noise_free(noise);
    nw_rng_free(rng);
    return is_seen;
}
