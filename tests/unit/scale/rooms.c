/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
/* rooms.c - see rooms.h. Record i is the same whoever adds it; process r adds those with i modulo size = r, of unknown keys those
 * of such users. */
#include "rooms.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static const double EPSILON = 1.0;
static nw_schema *schema;
static char path[] = "/tmp/nw-scale-XXXXXX";

static double epsilon_of(bool is_other)
{
    return is_other ? 2.0 * EPSILON : EPSILON;
}

/* In [0, 1). */
static double value_of(size_t i)
{
    return (double)((i * 2654435761u) % 1000) / 1000.0;
}

static bool is_mine(size_t i, size_t rank, size_t size)
{
    return i % size == rank;
}

static void tell(room_figures *out, double x)
{
    if (out->n < ROOM_MOST_FIGURES)
        out->values[out->n++] = x;
}

/* ---- similarity ---- */

static nw_status kde_open(void **handle, bool is_other, nw_error *err)
{
    nw_kde_opts o = NW_KDE_OPTS_INIT;
    o.kernel = NW_KDE_GAUSSIAN;
    o.dimension = 2;
    o.bandwidth = 0.5;
    o.epsilon = epsilon_of(is_other);
    o.delta = 1e-6;
    o.adjacency = NW_ADD_REMOVE;
    o.estimator = NW_KDE_FEATURES;
    o.size = 64;
    o.threads = 1;
    return nw_kde_new((nw_kde **)handle, &o, err);
}

static nw_status kde_add(void *handle, size_t rank, size_t size, nw_error *err)
{
    nw_status status = NW_OK;
    for (size_t i = 0; status == NW_OK && i < ROOM_RECORDS; i++) {
        const float x[2] = { (float)value_of(i), (float)value_of(7 * i + 3) };
        status = is_mine(i, rank, size) ? nw_kde_add(handle, x, 1, err) : NW_OK;
    }
    return status;
}

static nw_status kde_reduce(void *handle, const nw_reduce *reduce, nw_error *err)
{
    return nw_kde_reduce(handle, reduce, err);
}

static nw_status kde_release(void *handle, nw_rng *rng, nw_ledger *ledger, room_figures *out, nw_error *err)
{
    nw_status status = nw_kde_release(handle, rng, ledger, "scale", NULL, err);
    for (size_t i = 0; status == NW_OK && i < 16; i++) {
        const float y[2] = { (float)i / 16.0f, 0.5f };
        double value = 0.0;
        status = nw_kde_query(handle, y, 1, &value, NULL, err);
        tell(out, value);
    }
    tell(out, status == NW_OK ? nw_kde_points(handle, NULL) : 0.0);
    return status;
}

static void kde_close(void *handle)
{
    nw_kde_free(handle);
}

/* ---- figures ---- */

static nw_status stats_open(void **handle, bool is_other, nw_error *err)
{
    nw_stats_query q[3] = { NW_STATS_QUERY_INIT, NW_STATS_QUERY_INIT, NW_STATS_QUERY_INIT };
    nw_stats_opts o = NW_STATS_OPTS_INIT;
    q[0].kind = NW_STATS_COUNT;
    q[0].groups = 3;
    q[1].kind = NW_STATS_VARIANCE;
    q[2].kind = NW_STATS_QUANTILE;
    for (size_t k = 1; k < 3; k++)
        q[k].upper = 1.0;
    o.epsilon = epsilon_of(is_other);
    o.delta = 0.0;
    o.adjacency = NW_ADD_REMOVE;
    return nw_stats_new((nw_stats **)handle, q, 3, &o, err);
}

static nw_status stats_add(void *handle, size_t rank, size_t size, nw_error *err)
{
    nw_status status = NW_OK;
    for (size_t i = 0; status == NW_OK && i < ROOM_RECORDS; i++) {
        const double x = value_of(i);
        const uint32_t group = (uint32_t)(i % 5);
        for (size_t k = 0; status == NW_OK && is_mine(i, rank, size) && k < 3; k++)
            status = nw_stats_add(handle, k, k == 0 ? &group : NULL, &x, 1, err);
    }
    return status;
}

static nw_status stats_reduce(void *handle, const nw_reduce *reduce, nw_error *err)
{
    return nw_stats_reduce(handle, reduce, err);
}

static nw_status stats_release(void *handle, nw_rng *rng, nw_ledger *ledger, room_figures *out, nw_error *err)
{
    nw_status status = nw_stats_release(handle, rng, ledger, "scale", NULL, err);
    for (size_t k = 0; status == NW_OK && k < 5; k++) {
        nw_stats_figure figure;
        status = nw_stats_get(handle, k < 3 ? 0 : k - 2, k < 3 ? k : 0, &figure, err);
        tell(out, figure.value);
    }
    return status;
}

static void stats_close(void *handle)
{
    nw_stats_free(handle);
}

static size_t stats_size(const void *handle)
{
    return nw_stats_size(handle);
}

static nw_status stats_serialize(const void *handle, uint8_t *out, size_t capacity, nw_error *err)
{
    return nw_stats_serialize(handle, out, capacity, err);
}

static nw_status stats_merge_bytes(void *handle, const uint8_t *bytes, size_t n, nw_error *err)
{
    return nw_stats_merge_bytes(handle, bytes, n, err);
}

/* ---- linear queries, a tree ---- */

static nw_linear_opts linear_opts(bool is_other)
{
    nw_linear_opts o = NW_LINEAR_OPTS_INIT;
    o.epsilon = epsilon_of(is_other);
    o.delta = 0.0;
    o.adjacency = NW_REPLACE_ONE;
    return o;
}

static nw_status linear_open(void **handle, bool is_other, nw_error *err)
{
    static const int64_t weights[2 * 5] = { 1, 2, 3, 4, 5, -1, 0, 1, 0, -1 };
    const nw_linear_opts o = linear_opts(is_other);
    return nw_linear_new((nw_linear **)handle, &o, weights, 2, 5, err);
}

static nw_status linear_add(void *handle, size_t rank, size_t size, nw_error *err)
{
    nw_status status = NW_OK;
    for (size_t i = 0; status == NW_OK && i < ROOM_RECORDS; i++) {
        const uint32_t cell = (uint32_t)(i % 6);
        status = is_mine(i, rank, size) ? nw_linear_add(handle, &cell, 1, err) : NW_OK;
    }
    return status;
}

static nw_status linear_reduce(void *handle, const nw_reduce *reduce, nw_error *err)
{
    return nw_linear_reduce(handle, reduce, err);
}

static nw_status linear_release(void *handle, nw_rng *rng, nw_ledger *ledger, room_figures *out, nw_error *err)
{
    int64_t answers[2] = { 0, 0 };
    const nw_status status = nw_linear_release(handle, rng, ledger, "scale", answers, NULL, err);
    for (size_t k = 0; status == NW_OK && k < 2; k++)
        tell(out, (double)answers[k]);
    return status;
}

static void linear_close(void *handle)
{
    nw_linear_free(handle);
}

static size_t linear_size(const void *handle)
{
    return nw_linear_size(handle);
}

static nw_status linear_serialize(const void *handle, uint8_t *out, size_t capacity, nw_error *err)
{
    return nw_linear_serialize(handle, out, capacity, err);
}

static nw_status linear_merge_bytes(void *handle, const uint8_t *bytes, size_t n, nw_error *err)
{
    return nw_linear_merge_bytes(handle, bytes, n, err);
}

static nw_status tree_open(void **handle, bool is_other, nw_error *err)
{
    const nw_linear_opts o = linear_opts(is_other);
    return nw_tree_new((nw_tree **)handle, &o, 0.0, 1.0, 5, err);
}

static nw_status tree_add(void *handle, size_t rank, size_t size, nw_error *err)
{
    nw_status status = NW_OK;
    for (size_t i = 0; status == NW_OK && i < ROOM_RECORDS; i++) {
        const double x = value_of(i);
        status = is_mine(i, rank, size) ? nw_tree_add(handle, &x, 1, err) : NW_OK;
    }
    return status;
}

static nw_status tree_reduce(void *handle, const nw_reduce *reduce, nw_error *err)
{
    return nw_tree_reduce(handle, reduce, err);
}

static nw_status tree_release(void *handle, nw_rng *rng, nw_ledger *ledger, room_figures *out, nw_error *err)
{
    nw_status status = nw_tree_release(handle, rng, ledger, "scale", NULL, err);
    for (size_t k = 0; status == NW_OK && k < 32; k++) {
        double records = 0.0;
        status = nw_tree_rank(handle, (double)k / 32.0, &records, err);
        tell(out, records);
    }
    return status;
}

static void tree_close(void *handle)
{
    nw_tree_free(handle);
}

static size_t tree_size(const void *handle)
{
    return nw_tree_size(handle);
}

static nw_status tree_serialize(const void *handle, uint8_t *out, size_t capacity, nw_error *err)
{
    return nw_tree_serialize(handle, out, capacity, err);
}

static nw_status tree_merge_bytes(void *handle, const uint8_t *bytes, size_t n, nw_error *err)
{
    return nw_tree_merge_bytes(handle, bytes, n, err);
}

/* ---- unknown keys ---- */

static nw_status keys_open(void **handle, bool is_other, nw_error *err)
{
    nw_keys_opts o = NW_KEYS_OPTS_INIT;
    o.epsilon = epsilon_of(is_other);
    o.delta = 0.0;
    o.threshold_delta = 1e-6;
    o.adjacency = NW_ADD_REMOVE;
    o.max_keys = 2;
    o.max_count = 3;
    return nw_keys_new((nw_keys **)handle, &o, err);
}

/* 333 users with three records each, of which the third is of a third key and does not count. */
static nw_status keys_add(void *handle, size_t rank, size_t size, nw_error *err)
{
    nw_status status = NW_OK;
    for (size_t i = 0; status == NW_OK && i < ROOM_RECORDS; i++) {
        const uint64_t user = i / 3;
        char key[16];
        const int n = snprintf(key, sizeof key, "key %zu", (size_t)(10.0 * value_of(user) + 4.0 * (double)(i % 3)) % 9);
        status = is_mine(user, rank, size) ? nw_keys_add(handle, &user, sizeof user, key, (size_t)n, err) : NW_OK;
    }
    return status;
}

static nw_status keys_reduce(void *handle, const nw_reduce *reduce, nw_error *err)
{
    return nw_keys_reduce(handle, reduce, err);
}

static nw_status keys_release(void *handle, nw_rng *rng, nw_ledger *ledger, room_figures *out, nw_error *err)
{
    nw_status status = nw_keys_release(handle, rng, ledger, "scale", NULL, err);
    for (size_t k = 0; status == NW_OK && k < nw_keys_released(handle); k++) {
        const char *key;
        size_t size;
        int64_t count;
        status = nw_keys_get(handle, k, &key, &size, &count, err);
        tell(out, status == NW_OK ? (double)key[size - 1] : 0.0);
        tell(out, (double)count);
    }
    return status;
}

static void keys_close(void *handle)
{
    nw_keys_free(handle);
}

/* ---- synthetic tables ---- */

static nw_status synth_open(void **handle, bool is_other, nw_error *err)
{
    nw_synth_opts o = NW_SYNTH_OPTS_INIT;
    o.epsilon = epsilon_of(is_other);
    o.delta = 1e-6;
    o.adjacency = NW_REPLACE_ONE;
    o.threads = 1;
    return nw_synth_new((nw_synth **)handle, schema, &o, err);
}

static nw_status synth_add(void *handle, size_t rank, size_t size, nw_error *err)
{
    nw_status status = nw_synth_share(handle, rank, size, err);
    return status == NW_OK ? nw_synth_add_csv(handle, path, NULL, err) : status;
}

static nw_status synth_add_twice(void *handle, size_t rank, size_t size, nw_error *err)
{
    nw_status status = nw_synth_share(handle, rank, size, err);
    return status == NW_OK ? nw_synth_read_csv(handle, path, NULL, NULL, NULL, NULL, err) : status;
}

static nw_status synth_reduce(void *handle, const nw_reduce *reduce, nw_error *err)
{
    return nw_synth_reduce(handle, reduce, err);
}

static nw_status synth_release(void *handle, nw_rng *rng, nw_ledger *ledger, room_figures *out, nw_error *err)
{
    nw_synth_measurements *measured = NULL;
    const nw_status status = nw_synth_release(handle, rng, ledger, "scale", &measured, NULL, err);
    for (size_t i = 0; status == NW_OK && i < nw_synth_measurements_count(measured); i++)
        for (uint64_t c = 0; c < nw_synth_measurements_get(measured, i).cells; c++)
            tell(out, (double)nw_synth_measurements_counts(measured, i)[c]);
    tell(out, status == NW_OK ? nw_synth_measurements_rows(measured, NULL) : 0.0);
    nw_synth_measurements_free(measured);
    return status;
}

static nw_status synth_follow(void *handle, nw_error *err)
{
    return nw_synth_follow(handle, err);
}

static void synth_close(void *handle)
{
    nw_synth_free(handle);
}

bool rooms_setup(void)
{
    static const char text[] = "{\"x\": {\"type\": \"int\", \"lower\": 0, \"upper\": 199}, \"c\": 3, \"d\": 4}";
    const int fd = mkstemp(path);
    FILE *f = fd < 0 ? NULL : fdopen(fd, "w");
    if (f == NULL || nw_schema_parse(&schema, text, NW_SYNTH_BINS, NULL) != NW_OK)
        return false;
    fputs("c,x,d\n", f);
    for (size_t i = 0; i < ROOM_RECORDS; i++)
        fprintf(f, "%zu,%s%.0f,%zu\n", i % 3, i % 50 == 7 ? "" : "1", 90.0 * value_of(i), (i * i) % 4);
    return fclose(f) == 0;
}

void rooms_teardown(void)
{
    unlink(path);
    nw_schema_free(schema);
}

const room ROOMS[] = {
    { "kde", kde_open, kde_add, kde_reduce, kde_release, NULL, kde_close, NULL, NULL, NULL },
    { "stats", stats_open, stats_add, stats_reduce, stats_release, NULL, stats_close, stats_size, stats_serialize,
        stats_merge_bytes },
    { "linear", linear_open, linear_add, linear_reduce, linear_release, NULL, linear_close, linear_size, linear_serialize,
        linear_merge_bytes },
    { "tree", tree_open, tree_add, tree_reduce, tree_release, NULL, tree_close, tree_size, tree_serialize, tree_merge_bytes },
    { "keys", keys_open, keys_add, keys_reduce, keys_release, NULL, keys_close, NULL, NULL, NULL },
    { "synth", synth_open, synth_add, synth_reduce, synth_release, NULL, synth_close, NULL, NULL, NULL },
    { "synth_twice", synth_open, synth_add_twice, synth_reduce, synth_release, synth_follow, synth_close, NULL, NULL, NULL },
};
const size_t ROOM_COUNT = sizeof ROOMS / sizeof *ROOMS;
