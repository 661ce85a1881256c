/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
/* file.c - a released structure as bytes: one line of JSON (options and receipt), the landmarks as little-endian floats, the
 * totals as 8 little-endian bytes each, and a BLAKE2b-256 of all before it. Public tables are made again from the options. */
#include "kde_internal.h"
#include "csv_scan.h"
#include "output_file.h"

#include <jansson.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char FORMAT[] = "noisewright-kde";
static const char *const LOAD = "nw_kde_load";
enum { FORMAT_VERSION = 2, DIGEST_BYTES = 32 };
static const size_t MOST_BYTES = (size_t)1 << 31;

/* ---- writing ---- */

/* Hexadecimal floats lose nothing. */
static json_t *exact_json(double x)
{
    char text[40];
    snprintf(text, sizeof text, "%a", x);
    return json_string(text);
}

static json_t *bounds_json(const double *bounds, size_t n)
{
    if (bounds == NULL)
        return json_null();
    json_t *list = json_array();
    for (size_t j = 0; j < n; j++)
        json_array_append_new(list, exact_json(bounds[j]));
    return list;
}

static json_t *receipt_json(const nw_receipt *r)
{
    return json_pack("{s:f, s:f, s:s, s:s, s:s, s:s, s:s, s:s, s:b}", "epsilon", r->epsilon, "delta", r->delta, "adjacency",
        nw_adjacency_name(r->adjacency), "unit", r->unit, "method", r->method, "label", r->label, "version", r->version, "time",
        r->time, "is_insecure", (int)r->is_insecure);
}

static char *header_text(const nw_kde *kde)
{
    const nw_kde_opts *o = &kde->opts;
    json_t *header = json_pack("{s:s, s:i, s:s, s:I, s:o, s:b, s:o, s:o, s:o, s:o, s:o, s:s, s:I, s:s, s:I, s:s, s:I, s:I, s:o}",
        "format", FORMAT, "version", FORMAT_VERSION, "kernel", nw_kde_kernel_name(o->kernel), "dimension",
        (json_int_t)o->dimension, "bandwidth", exact_json(o->bandwidth), "is_half", (int)o->is_half, "power",
        exact_json(o->power), "lower", bounds_json(o->lower, o->dimension), "upper", bounds_json(o->upper, o->dimension),
        "epsilon", exact_json(o->epsilon), "delta", exact_json(o->delta), "adjacency", nw_adjacency_name(o->adjacency),
        "public_points", (json_int_t)o->public_points, "estimator", nw_kde_estimator_name(o->estimator), "size",
        (json_int_t)o->size, "public_seed", "", "landmarks", (json_int_t)o->landmark_count, "totals",
        (json_int_t)kde->total_count, "receipt", receipt_json(&kde->receipt));
    char seed[24];
    snprintf(seed, sizeof seed, "%llu", (unsigned long long)o->public_seed);
    json_object_set_new(header, "public_seed", json_string(seed));
    char *text = header == NULL ? NULL : json_dumps(header, JSON_COMPACT);
    json_decref(header);
    return text;
}

typedef struct sink {
    nw__output output;
    crypto_generichash_state hash;
    nw_status status;
    nw_error *err;
} sink;

static void put(sink *s, const void *bytes, size_t n)
{
    if (s->status != NW_OK || n == 0)
        return;
    crypto_generichash_update(&s->hash, bytes, n);
    s->status = nw__output_write(&s->output, bytes, n, s->err);
}

static void put_number(sink *s, uint64_t value, size_t n)
{
    uint8_t bytes[8];
    for (size_t i = 0; i < n; i++)
        bytes[i] = (uint8_t)(value >> (8 * i));
    put(s, bytes, n);
}

static uint32_t bits_of(float x)
{
    uint32_t bits;
    memcpy(&bits, &x, sizeof bits);
    return bits;
}

nw_status nw_kde_save(const nw_kde *kde, const char *path, nw_error *err)
{
    uint8_t digest[DIGEST_BYTES];
    if (kde == NULL || path == NULL)
        return nw__fail(err, NW_E_ARG, __func__, "%s is NULL", kde == NULL ? "kde" : "path");
    if (kde->totals == NULL)
        return nw__fail(err, NW_E_STATE, __func__, "this structure was not released: there is nothing that may be saved");
    char *header = header_text(kde);
    if (header == NULL)
        return nw__fail_memory(err, __func__);
    sink s = { .status = NW_OK, .err = err };
    s.status = nw__output_open(&s.output, path, err, __func__);
    if (s.status != NW_OK) {
        free(header);
        return s.status;
    }
    crypto_generichash_init(&s.hash, NULL, 0, DIGEST_BYTES);
    put(&s, header, strlen(header));
    put(&s, "\n", 1);
    free(header);
    for (size_t i = 0; i < kde->opts.landmark_count * kde->opts.dimension; i++)
        put_number(&s, bits_of(kde->opts.landmarks[i]), 4);
    for (size_t i = 0; i < kde->total_count; i++)
        put_number(&s, (uint64_t)kde->totals[i], 8);
    crypto_generichash_final(&s.hash, digest, sizeof digest);
    if (s.status == NW_OK)
        s.status = nw__output_write(&s.output, digest, sizeof digest, err);
    if (s.status != NW_OK) {
        nw__output_abandon(&s.output);
        return s.status;
    }
    return nw__output_finish(&s.output, err);
}

/* ---- reading ---- */

static nw_status malformed(const char *path, const char *what, nw_error *err)
{
    return nw__fail(err, NW_E_FORMAT, LOAD, "%s is not a structure of nw-kde: %s", path, what);
}

static bool get_exact(const json_t *object, const char *key, double *out)
{
    const char *text = json_string_value(json_object_get(object, key));
    char *end = NULL;
    if (text == NULL)
        return false;
    *out = strtod(text, &end);
    return end != text && *end == '\0';
}

static bool get_count(const json_t *object, const char *key, json_int_t least, json_int_t *out)
{
    const json_t *value = json_object_get(object, key);
    *out = json_integer_value(value);
    return json_is_integer(value) && *out >= least && *out <= (json_int_t)1 << 40;
}

/* A new array; *is_right is false if there is something else than null or n numbers. */
static double *get_bounds(const json_t *object, const char *key, size_t n, bool *is_right)
{
    const json_t *list = json_object_get(object, key);
    if (json_is_null(list))
        return NULL;
    double *out = json_array_size(list) == n ? nw__calloc(n, sizeof *out) : NULL;
    *is_right &= out != NULL;
    for (size_t j = 0; out != NULL && j < n; j++) {
        const char *text = json_string_value(json_array_get(list, j));
        *is_right &= text != NULL;
        out[j] = text == NULL ? 0.0 : strtod(text, NULL);
    }
    return out;
}

static void get_text(const json_t *object, const char *key, char *out, size_t size)
{
    const char *text = json_string_value(json_object_get(object, key));
    snprintf(out, size, "%s", text == NULL ? "" : text);
}

static void read_receipt(const json_t *object, nw_receipt *r)
{
    char adjacency[32];
    r->epsilon = json_number_value(json_object_get(object, "epsilon"));
    r->delta = json_number_value(json_object_get(object, "delta"));
    get_text(object, "adjacency", adjacency, sizeof adjacency);
    if (nw_adjacency_parse(adjacency, &r->adjacency, NULL) != NW_OK)
        r->adjacency = NW_ADJACENCY_UNSET;
    get_text(object, "unit", r->unit, sizeof r->unit);
    get_text(object, "method", r->method, sizeof r->method);
    get_text(object, "label", r->label, sizeof r->label);
    get_text(object, "version", r->version, sizeof r->version);
    get_text(object, "time", r->time, sizeof r->time);
    r->is_insecure = json_is_true(json_object_get(object, "is_insecure"));
}

/* Everything but the landmarks, whose bytes follow the header. Arrays in o are new. */
static bool read_options(const json_t *h, nw_kde_opts *o, json_int_t *totals)
{
    char text[64];
    json_int_t dimension = 0, points = 0, size = 0, landmarks = 0;
    get_text(h, "kernel", text, sizeof text);
    bool is_right = nw_kde_kernel_parse(text, &o->kernel, NULL) == NW_OK;
    get_text(h, "estimator", text, sizeof text);
    is_right &= nw_kde_estimator_parse(text, &o->estimator, NULL) == NW_OK && o->estimator != NW_KDE_AUTO;
    get_text(h, "adjacency", text, sizeof text);
    is_right &= nw_adjacency_parse(text, &o->adjacency, NULL) == NW_OK;
    get_text(h, "public_seed", text, sizeof text);
    o->public_seed = strtoull(text, NULL, 10);
    o->is_half = json_is_true(json_object_get(h, "is_half"));
    is_right &= get_exact(h, "bandwidth", &o->bandwidth) && get_exact(h, "power", &o->power) &&
                get_exact(h, "epsilon", &o->epsilon) && get_exact(h, "delta", &o->delta);
    is_right &= get_count(h, "dimension", 1, &dimension) && get_count(h, "public_points", -1, &points) &&
                get_count(h, "size", 1, &size) && get_count(h, "landmarks", 0, &landmarks) && get_count(h, "totals", 1, totals);
    is_right &= dimension <= NW__KDE_MOST_DIMENSIONS && landmarks <= NW__KDE_MOST_LANDMARKS && *totals <= NW__KDE_MOST_TOTALS;
    if (!is_right)
        return false;
    o->dimension = (size_t)dimension;
    o->public_points = points;
    o->size = (size_t)size;
    o->landmark_count = (size_t)landmarks;
    o->lower = get_bounds(h, "lower", o->dimension, &is_right);
    o->upper = get_bounds(h, "upper", o->dimension, &is_right);
    return is_right;
}

static uint64_t get_number(const uint8_t *bytes, size_t n)
{
    uint64_t value = 0;
    for (size_t i = 0; i < n; i++)
        value |= (uint64_t)bytes[i] << (8 * i);
    return value;
}

static float *read_landmarks(const uint8_t *bytes, size_t n)
{
    float *out = nw__calloc(n, sizeof *out);
    for (size_t i = 0; out != NULL && i < n; i++) {
        const uint32_t bits = (uint32_t)get_number(bytes + 4 * i, 4);
        memcpy(&out[i], &bits, sizeof bits);
    }
    return out;
}

/* `body` follows the header, n bytes without the digest. */
static nw_status build(nw_kde *kde, nw_kde_opts *o, const json_t *header, json_int_t totals, const uint8_t *body, size_t n,
    const char *path, nw_error *err)
{
    const size_t coordinates = o->landmark_count * o->dimension;
    if (n != 4 * coordinates + 8 * (size_t)totals)
        return malformed(path, "its length is not what its header says", err);
    float *landmarks = coordinates == 0 ? NULL : read_landmarks(body, coordinates);
    if (coordinates > 0 && landmarks == NULL)
        return nw__fail_memory(err, LOAD);
    o->landmarks = landmarks;
    nw_status status = nw__kde_options_read(kde, o, LOAD, err);
    free(landmarks);
    o->landmarks = NULL;
    if (status == NW_OK)
        status = nw__kde_setup(kde, LOAD, err);
    if (status == NW_E_NOMEM)
        return status;
    if (status != NW_OK || kde->total_count != (size_t)totals)
        return malformed(path, "its header does not describe its totals", err);
    kde->totals = nw__calloc(kde->total_count, sizeof *kde->totals);
    if (kde->totals == NULL)
        return nw__fail_memory(err, LOAD);
    for (size_t i = 0; i < kde->total_count; i++)
        kde->totals[i] = (int64_t)get_number(body + 4 * coordinates + 8 * i, 8);
    kde->is_released = true;
    read_receipt(json_object_get(header, "receipt"), &kde->receipt);
    return kde->ops->decode(kde, err);
}

static nw_status parse(nw_kde *kde, const uint8_t *bytes, size_t n, const char *path, nw_error *err)
{
    uint8_t digest[DIGEST_BYTES];
    nw_kde_opts o = NW_KDE_OPTS_INIT;
    json_int_t totals = 0;
    const uint8_t *newline = memchr(bytes, '\n', n);
    if (newline == NULL || n < DIGEST_BYTES + (size_t)(newline - bytes) + 1)
        return malformed(path, "it has no header, or is truncated", err);
    json_t *header = json_loadb((const char *)bytes, (size_t)(newline - bytes), JSON_REJECT_DUPLICATES, NULL);
    const char *format = json_string_value(json_object_get(header, "format"));
    nw_status status = NW_OK;
    crypto_generichash(digest, sizeof digest, bytes, n - DIGEST_BYTES, NULL, 0);
    if (format == NULL || strcmp(format, FORMAT) != 0)
        status = malformed(path, "it has another header", err);
    else if (json_integer_value(json_object_get(header, "version")) != FORMAT_VERSION)
        status = nw__fail(err, NW_E_UNSUPPORTED, LOAD, "%s is of version %d, must be %d", path,
            (int)json_integer_value(json_object_get(header, "version")), FORMAT_VERSION);
    else if (memcmp(digest, bytes + n - DIGEST_BYTES, DIGEST_BYTES) != 0)
        status = malformed(path, "its checksum differs: it is truncated, or was altered", err);
    else if (!read_options(header, &o, &totals))
        status = malformed(path, "an option in its header is missing or not admissible", err);
    else
        status = build(kde, &o, header, totals, newline + 1, n - DIGEST_BYTES - (size_t)(newline + 1 - bytes), path, err);
    free((void *)(uintptr_t)o.lower);
    free((void *)(uintptr_t)o.upper);
    json_decref(header);
    return status;
}

nw_status nw_kde_load(nw_kde **out, const char *path, nw_error *err)
{
    uint8_t *bytes = NULL;
    size_t n = 0;
    if (out == NULL || path == NULL)
        return nw__fail(err, NW_E_ARG, __func__, "%s is NULL", out == NULL ? "out" : "path");
    *out = NULL;
    NW__TRY(nw__init(err));
    nw_kde *kde = nw__calloc(1, sizeof *kde);
    nw_status status =
        kde == NULL ? nw__fail_memory(err, __func__) : nw__source_read_all(path, MOST_BYTES, &bytes, &n, err, LOAD);
    if (status == NW_OK)
        status = parse(kde, bytes, n, path, err);
    free(bytes);
    if (status != NW_OK) {
        nw_kde_free(kde);
        return status;
    }
    *out = kde;
    return NW_OK;
}
