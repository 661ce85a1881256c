/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
/* keys.c - counts of keys that are not known beforehand: bounded contributions of users, noise, a threshold [WZLDSG20].
 * Deviation: the threshold's delta is exact for the integer law, and not a bound for its continuous relative; of each user the
 * first max_keys keys count, and not a random choice of them. Proof note: docs/rooms/stats.md#unknown-keys. */
#include "keys_internal.h"
#include "accountant_internal.h"
#include "reduce_internal.h"

#include <math.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

static const char NEW[] = "nw_keys_new";
static const uint32_t MAX_BOUND = UINT32_C(1) << 20;
/* Noise values that are charged for: how many keys there are is private, and no set has more. */
static const uint64_t SAMPLES = UINT64_C(1) << 31;
static const double SMALLEST_RISK = 1e-12; /* a SAMPLES-th of it is above the 1e-24 of nw__stats_reach */

void nw_keys_opts_init(nw_keys_opts *opts, size_t struct_size)
{
    const nw_keys_opts defaults = NW_KEYS_OPTS_INIT;
    memcpy(opts, &defaults, struct_size < sizeof defaults ? struct_size : sizeof defaults);
    opts->struct_size = struct_size;
}

static nw_status check_opts(const nw_keys_opts *o, nw_error *err)
{
    NW__TRY(nw__check_budget(o->epsilon, o->delta, NEW, err));
    if (!(o->threshold_delta >= 1e-300 && o->threshold_delta < 1.0))
        return nw__fail(err, NW_E_ARG, NEW, "threshold_delta is %g, must be in [1e-300, 1)", o->threshold_delta);
    if (o->adjacency != NW_ADD_REMOVE)
        return nw__fail(err, NW_E_ARG, NEW, "adjacency is %s, must be add_remove", nw_adjacency_name(o->adjacency));
    if (o->max_keys < 1 || o->max_keys > MAX_BOUND)
        return nw__fail(err, NW_E_ARG, NEW, "max_keys is %u, must be in 1..2^20", o->max_keys);
    if (o->max_count < 1 || o->max_count > MAX_BOUND)
        return nw__fail(err, NW_E_ARG, NEW, "max_count is %u, must be in 1..2^20", o->max_count);
    return NW_OK;
}

/* P[Z >= t], t >= 1: q^t / (1 + q) with q = e^(-1/b), or the normal tail beyond t - 1/2. Relative error: t / b is at most 745
 * with 2 roundings, so the exponent is off by less than 2^-42; the normal argument likewise, squared. 2^-36 covers both with the
 * rest. */
double nw__keys_delta(nw_noise_law law, double scale, uint32_t keys, uint32_t max_count, int64_t threshold)
{
    const double t = (double)(threshold - (int64_t)max_count);
    const double p = law == NW_NOISE_DISCRETE_LAPLACE ? exp(-t / scale) / (1.0 + exp(-1.0 / scale))
                                                      : 0.5 * erfc((t - 0.5) / scale / sqrt(2.0));
    return fmin(1.0, -expm1((double)keys * log1p(-fmin(p, 1.0))) * (1.0 + 0x1p-36)); /* 1 - (1 - p)^keys */
}

/* The least threshold of that delta: doubling, then halving the interval. */
static int64_t find_threshold(const nw_keys_opts *o, nw_noise_law law, double scale)
{
    int64_t low = o->max_count; /* too low: a key of one user would be released half the time */
    int64_t step = 1;
    while (nw__keys_delta(law, scale, o->max_keys, o->max_count, low + step) > o->threshold_delta)
        step *= 2;
    int64_t high = low + step;
    while (high - low > 1) {
        const int64_t middle = low + (high - low) / 2;
        if (nw__keys_delta(law, scale, o->max_keys, o->max_count, middle) > o->threshold_delta)
            low = middle;
        else
            high = middle;
    }
    return high;
}

static nw_status make_event(
    nw_keys *keys, const nw__noise_budget *budget, double scale, nw_sensitivity sensitivity, nw_error *err)
{
    const nw_keys_opts *o = &keys->opts;
    const double delta = nw__keys_delta(budget->law, scale, o->max_keys, o->max_count, keys->threshold);
    nw_event *parts[2] = { NULL, NULL };
    nw_status status = nw_event_noise(&parts[0], budget->event, scale, sensitivity, SAMPLES, err);
    if (status == NW_OK)
        status = nw_event_approx(&parts[1], 0.0, delta, NW_ADD_REMOVE, err);
    if (status == NW_OK)
        status = nw_event_composed(&keys->event, (const nw_event *const *)parts, 2, err);
    nw_event_free(parts[0]);
    nw_event_free(parts[1]);
    return status;
}

/* A user moves max_keys counts by max_count each. */
static nw_status calibrate(nw_keys *keys, nw_error *err)
{
    const nw_keys_opts *o = &keys->opts;
    const double l0 = (double)o->max_keys;
    nw__noise_budget budget;
    nw__calibrated c = { 0 };
    NW__TRY(nw__noise_budget_of(&budget, o->epsilon, o->delta, 1.0, NEW, err));
    const double distance = budget.is_l1 ? o->max_count * l0 : nw__up(o->max_count * nw__up(sqrt(l0)));
    NW__TRY(nw__noise_calibrate(&c, &budget, distance, 1.0, NEW, err));
    keys->noise = c.noise;
    keys->law = budget.law;
    keys->scale = c.scale;
    keys->deviation = c.deviation;
    keys->threshold = find_threshold(o, budget.law, c.scale);
    return make_event(keys, &budget, c.scale, (nw_sensitivity){ distance, NW_ADD_REMOVE }, err);
}

nw_status nw_keys_new(nw_keys **out, const nw_keys_opts *opts, nw_error *err)
{
    const nw_keys_opts defaults = NW_KEYS_OPTS_INIT;
    if (out == NULL)
        return nw__fail(err, NW_E_ARG, __func__, "out is NULL");
    *out = NULL;
    if (opts == NULL)
        return nw__fail(err, NW_E_ARG, __func__, "opts is NULL");
    nw_keys *keys = nw__calloc(1, sizeof *keys);
    if (keys == NULL)
        return nw__fail_memory(err, __func__);
    keys->opts = defaults;
    memcpy(&keys->opts, opts, opts->struct_size < sizeof defaults ? opts->struct_size : sizeof defaults);
    keys->opts.struct_size = sizeof defaults;
    nw_status status = check_opts(&keys->opts, err);
    if (status == NW_OK)
        status = calibrate(keys, err);
    if (status != NW_OK) {
        nw_keys_free(keys);
        return status;
    }
    *out = keys;
    return NW_OK;
}

void nw_keys_free(nw_keys *keys)
{
    if (keys == NULL)
        return;
    nw__records_forget(&keys->records);
    nw__bytes_clear(&keys->records.keys);
    nw__free_wiped(keys->figures, keys->figure_count * sizeof *keys->figures);
    nw_noise_free(keys->noise);
    nw_event_free(keys->event);
    free(keys);
}

const nw_event *nw_keys_event(const nw_keys *keys)
{
    return keys->event;
}

int64_t nw_keys_threshold(const nw_keys *keys)
{
    return keys->threshold;
}

double nw_keys_deviation(const nw_keys *keys)
{
    return keys->deviation;
}

/* A union over every noise value that a set may draw, SAMPLES of them. How many are drawn is private; how many are told will not
 * do: those counts are told because their noise was high. */
double nw_keys_error(const nw_keys *keys, double risk)
{
    if (!(risk >= SMALLEST_RISK && risk <= 0.5))
        return NAN;
    return nw__stats_reach(keys->law, keys->scale, risk / (double)SAMPLES);
}

/* ---- records ---- */

/* Room for the counter of a user that has just come. */
static bool make_room(nw__records *r)
{
    if (r->users.count <= r->user_capacity)
        return true;
    const size_t wanted = r->user_capacity == 0 ? 16 : 2 * r->user_capacity;
    uint32_t *larger = nw__calloc(wanted, sizeof *larger);
    if (larger == NULL)
        return false;
    if (r->user_capacity > 0)
        memcpy(larger, r->user_keys, r->user_capacity * sizeof *larger);
    nw__free_wiped(r->user_keys, r->user_capacity * sizeof *larger);
    r->user_keys = larger;
    r->user_capacity = wanted;
    return true;
}

static uint32_t at_most(uint64_t x, uint32_t limit)
{
    return x < limit ? (uint32_t)x : limit;
}

/* A pair that is new counts if the user has fewer than max_keys; otherwise no trace of it is kept. */
bool nw__records_add(nw__records *r, const nw_keys_opts *bounds, const void *user, size_t user_size, const void *key,
    size_t key_size, uint32_t count)
{
    size_t u, k;
    const size_t known = r->users.count;
    if (!nw__bytes_add(&r->users, user, user_size, &u) || !make_room(r))
        return false;
    const bool is_full = u < known && r->user_keys[u] == bounds->max_keys;
    if (is_full && !nw__bytes_find(&r->keys, key, key_size, &k))
        return true;
    if (!is_full && !nw__bytes_add(&r->keys, key, key_size, &k))
        return false;
    nw__pair *pair = u < known ? nw__pairs_find(&r->pairs, (uint32_t)u, (uint32_t)k) : NULL;
    if (pair != NULL) {
        pair->count = at_most((uint64_t)pair->count + count, bounds->max_count);
        return true;
    }
    if (is_full)
        return true;
    r->user_keys[u]++;
    return nw__pairs_append(&r->pairs, (nw__pair){ (uint32_t)u, (uint32_t)k, at_most(count, bounds->max_count) });
}

void nw__records_forget(nw__records *r)
{
    nw__free_wiped(r->user_keys, r->user_capacity * sizeof *r->user_keys);
    r->user_keys = NULL;
    r->user_capacity = 0;
    nw__bytes_clear(&r->users);
    nw__pairs_clear(&r->pairs);
}

bool nw__records_merge(nw__records *r, const nw_keys_opts *bounds, const nw__records *other)
{
    for (size_t i = 0; i < other->pairs.count; i++) {
        const nw__pair *pair = &other->pairs.pairs[i];
        size_t user_size = 0;
        size_t key_size = 0;
        const char *user = nw__bytes_get(&other->users, pair->user, &user_size);
        const char *key = nw__bytes_get(&other->keys, pair->key, &key_size);
        if (!nw__records_add(r, bounds, user, user_size, key, key_size, pair->count))
            return false;
    }
    return true;
}

nw_status nw__keys_check_open(const nw_keys *keys, const char *function, nw_error *err)
{
    if (keys == NULL)
        return nw__fail(err, NW_E_ARG, function, "keys is NULL");
    if (keys->is_released)
        return nw__fail(err, NW_E_STATE, function, "this handle was released: make a new one for another release");
    return NW_OK;
}

nw_status nw_keys_add(nw_keys *keys, const void *user, size_t user_size, const void *key, size_t key_size, nw_error *err)
{
    NW__TRY(nw__keys_check_open(keys, __func__, err));
    if ((user == NULL && user_size > 0) || (key == NULL && key_size > 0))
        return nw__fail(err, NW_E_ARG, __func__, "%s is NULL", user == NULL && user_size > 0 ? "user" : "key");
    if (user_size > NW__KEYS_MAX_SIZE || key_size > NW__KEYS_MAX_SIZE)
        return nw__fail(err, NW_E_ARG, __func__, "%s is too large, must be at most 2^16",
            user_size > NW__KEYS_MAX_SIZE ? "user_size" : "key_size");
    return nw__records_add(&keys->records, &keys->opts, user, user_size, key, key_size, 1) ? NW_OK
                                                                                           : nw__fail_memory(err, __func__);
}

static bool is_same_opts(const nw_keys_opts *a, const nw_keys_opts *b)
{
    return a->epsilon == b->epsilon && a->delta == b->delta && a->threshold_delta == b->threshold_delta &&
           a->max_keys == b->max_keys && a->max_count == b->max_count;
}

nw_status nw_keys_merge(nw_keys *keys, const nw_keys *other, nw_error *err)
{
    NW__TRY(nw__keys_check_open(keys, __func__, err));
    NW__TRY(nw__keys_check_open(other, __func__, err));
    if (keys == other || !is_same_opts(&keys->opts, &other->opts))
        return nw__fail(err, NW_E_ARG, __func__, "other is the same handle or has other options, must be another of the same");
    return nw__records_merge(&keys->records, &keys->opts, &other->records) ? NW_OK : nw__fail_memory(err, __func__);
}

/* ---- release ---- */

/* By bytes, the shorter first: the order in which keys came is not shown. */
static int compare_released(const void *a, const void *b, void *context)
{
    const nw__bytes *keys = context;
    const nw__released_key *p = a;
    const nw__released_key *q = b;
    size_t n = 0;
    size_t m = 0;
    if (p->prefix != q->prefix)
        return p->prefix < q->prefix ? -1 : 1;
    const char *x = nw__bytes_get(keys, p->key, &n);
    const char *y = nw__bytes_get(keys, q->key, &m);
    const int order = memcmp(x, y, n < m ? n : m);
    return order != 0 ? order : n < m ? -1 : n > m;
}

/* Zeros behind the end: a key comes before those that it begins. */
static uint64_t prefix_of(const nw__bytes *keys, uint32_t key)
{
    size_t n = 0;
    uint64_t prefix = 0;
    const unsigned char *x = (const unsigned char *)nw__bytes_get(keys, key, &n);
    for (size_t i = 0; i < sizeof prefix; i++)
        prefix = prefix << 8 | (i < n ? x[i] : 0);
    return prefix;
}

/* Exact counts of all keys in the order of their bytes, in `figures`. */
static void count_in_order(nw_keys *keys, int64_t *counts)
{
    const nw__pairs *pairs = &keys->records.pairs;
    nw__bytes *names = &keys->records.keys;
    for (size_t i = 0; i < pairs->count; i++)
        counts[pairs->pairs[i].key] += pairs->pairs[i].count;
    for (uint32_t k = 0; k < names->count; k++)
        keys->figures[k] = (nw__released_key){ prefix_of(names, k), k, counts[k] };
    if (names->count > 0)
        qsort_r(keys->figures, names->count, sizeof *keys->figures, compare_released, names);
}

/* In the order of the keys' bytes, so that the same records get the same noise in whatever order they came, or parts were
 * merged. counts: by key number, out. */
static nw_status draw_in_order(nw_keys *keys, nw_rng *rng, int64_t *counts, nw_error *err)
{
    const size_t n = keys->records.keys.count;
    count_in_order(keys, counts);
    for (size_t i = 0; i < n; i++)
        counts[i] = keys->figures[i].count;
    if (n > 0)
        NW__TRY(nw_noise_add_i64(keys->noise, rng, counts, counts, n, err));
    for (size_t i = 0; i < n; i++)
        keys->figures[i].count = counts[i];
    for (size_t i = 0; i < n; i++)
        counts[keys->figures[i].key] = keys->figures[i].count;
    return NW_OK;
}

/* Every key here has a record that counts. A key all of whose records came from users with enough other keys is not: a user may
 * bring any number of those, and each would have its own chance to be released. */
static nw_status draw(nw_keys *keys, nw_rng *rng, nw_error *err)
{
    nw__bytes *names = &keys->records.keys;
    const size_t room = names->count + 1;
    int64_t *counts = nw__calloc(room, sizeof *counts);
    keys->figures = nw__calloc(room, sizeof *keys->figures);
    nw_status status = counts == NULL || keys->figures == NULL ? nw__fail_memory(err, "nw_keys_release") : NW_OK;
    if (status == NW_OK)
        status = draw_in_order(keys, rng, counts, err);
    if (keys->figures != NULL)
        sodium_memzero(keys->figures, room * sizeof *keys->figures); /* those that stay come back */
    for (uint32_t k = 0; status == NW_OK && k < names->count; k++) {
        const uint32_t kept = (uint32_t)keys->figure_count;
        if (counts[k] < keys->threshold)
            continue;
        nw__bytes_move(names, k, kept);
        keys->figures[keys->figure_count++] = (nw__released_key){ prefix_of(names, kept), kept, counts[k] };
    }
    nw__bytes_cut(names, keys->figure_count); /* nobody may ask for the others any more */
    if (keys->figure_count > 0)
        qsort_r(keys->figures, keys->figure_count, sizeof *keys->figures, compare_released, names);
    nw__free_wiped(counts, room * sizeof *counts);
    return status;
}

nw_status nw_keys_release(nw_keys *keys, nw_rng *rng, nw_ledger *ledger, const char *label, nw_receipt *receipt, nw_error *err)
{
    if (receipt != NULL)
        *receipt = (nw_receipt){ 0 };
    NW__TRY(nw__keys_check_open(keys, __func__, err));
    NW__TRY(keys->is_handed ? nw__fail_handed(__func__, err) : NW_OK);
    if (rng == NULL || ledger == NULL || label == NULL)
        return nw__fail(err, NW_E_ARG, __func__, "%s is NULL", rng == NULL ? "rng" : ledger == NULL ? "ledger" : "label");
    NW__TRY(nw_ledger_charge(ledger, keys->event, label, rng, receipt, err));
    keys->is_released = true;
    const nw_status status = draw(keys, rng, err);
    nw__records_forget(&keys->records);
    keys->has_figures = status == NW_OK;
    if (status != NW_OK)
        nw__bytes_clear(&keys->records.keys);
    return status;
}

size_t nw_keys_released(const nw_keys *keys)
{
    return keys->figure_count;
}

nw_status nw_keys_get(const nw_keys *keys, size_t i, const char **key, size_t *key_size, int64_t *count, nw_error *err)
{
    if (keys == NULL || key == NULL || key_size == NULL || count == NULL)
        return nw__fail(err, NW_E_ARG, __func__, "an argument is NULL");
    if (!keys->has_figures)
        return nw__fail(err, NW_E_STATE, __func__, "there are no figures: call nw_keys_release first");
    if (i >= keys->figure_count)
        return nw__fail(err, NW_E_ARG, __func__, "i is %zu, must be below %zu", i, keys->figure_count);
    *key = nw__bytes_get(&keys->records.keys, keys->figures[i].key, key_size);
    *count = keys->figures[i].count;
    return NW_OK;
}
