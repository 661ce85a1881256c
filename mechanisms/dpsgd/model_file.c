/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
/* model_file.c - models in the layout of safetensors [HF22]: the size of the header in 8 bytes, little-endian; the header, JSON;
 * the float32 values of the parameters in the header's order.
 *
 *   {"__metadata__": {"checksum": "<64 hex digits>", "format": "noisewright", "version": "1", "model": "<JSON>",
 *    "info": "<JSON>"},
 *    "<parameter>": {"dtype": "F32", "shape": [rows, cols], "data_offsets": [from, to]}, ...}
 *
 * The checksum is BLAKE2b-256 of the whole file with zeros in the place of its digits, which is the same in every file. */
#include "network_internal.h"
#include "output_file.h"

#include <errno.h>
#include <jansson.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PREFIX "{\"__metadata__\":{\"checksum\":\""
enum { SIZE_BYTES = 8, DIGITS = 64, HASH = 32, PLACE = SIZE_BYTES + sizeof PREFIX - 1, MOST_HEADER = 1 << 26 };
static const char VERSION[] = "1";

static bool is_little_endian(void)
{
    const uint16_t one = 1;
    uint8_t first;
    memcpy(&first, &one, 1);
    return first == 1;
}

static void put_size(uint8_t out[SIZE_BYTES], size_t size)
{
    for (size_t i = 0; i < SIZE_BYTES; i++)
        out[i] = (uint8_t)((uint64_t)size >> (8 * i));
}

static uint64_t get_size(const uint8_t in[SIZE_BYTES])
{
    uint64_t size = 0;
    for (size_t i = SIZE_BYTES; i-- > 0;)
        size = size << 8 | in[i];
    return size;
}

/* ---- writing ---- */

static json_t *metadata_of(const nw_network *net)
{
    char zeros[DIGITS + 1];
    memset(zeros, '0', DIGITS);
    zeros[DIGITS] = '\0';
    json_t *metadata =
        json_pack("{s:s, s:s, s:s, s:s}", "checksum", zeros, "format", "noisewright", "version", VERSION, "model", net->model);
    if (metadata != NULL && net->info != NULL && json_object_set_new(metadata, "info", json_string(net->info)) != 0) {
        json_decref(metadata);
        return NULL;
    }
    return metadata;
}

/* To be freed; padded with spaces so that the values are aligned. NULL if memory lacks. */
static char *header_of(const nw_network *net)
{
    size_t at = 0;
    json_t *header = json_object();
    json_object_set_new(header, "__metadata__", metadata_of(net));
    for (size_t i = 0; i < net->n_parameters; i++) {
        const nw__parameter *p = &net->parameters[i];
        const size_t end = at + p->rows * p->cols * sizeof(float);
        json_object_set_new(header, p->name,
            json_pack("{s:s, s:[I, I], s:[I, I]}", "dtype", "F32", "shape", (json_int_t)p->rows, (json_int_t)p->cols,
                "data_offsets", (json_int_t)at, (json_int_t)end));
        at = end;
    }
    const bool is_whole = header != NULL && json_object_size(header) == net->n_parameters + 1;
    char *text = is_whole ? json_dumps(header, JSON_COMPACT) : NULL;
    json_decref(header);
    const size_t size = text == NULL ? 0 : strlen(text);
    const size_t padded = (size + 7) / 8 * 8;
    char *out = text == NULL ? NULL : nw__calloc(padded + 1, 1);
    if (out != NULL) {
        memset(out, ' ', padded);
        memcpy(out, text, size);
    }
    free(text);
    return out;
}

static void hash_file(const nw_network *net, const uint8_t size[SIZE_BYTES], const char *header, char digits[DIGITS + 1])
{
    uint8_t hash[HASH];
    crypto_generichash_state state;
    crypto_generichash_init(&state, NULL, 0, HASH);
    crypto_generichash_update(&state, size, SIZE_BYTES);
    crypto_generichash_update(&state, (const uint8_t *)header, strlen(header));
    for (size_t i = 0; i < net->n_parameters; i++)
        crypto_generichash_update(&state, (const uint8_t *)net->parameters[i].values,
            net->parameters[i].rows * net->parameters[i].cols * sizeof(float));
    crypto_generichash_final(&state, hash, HASH);
    sodium_bin2hex(digits, DIGITS + 1, hash, HASH);
}

static nw_status write_parts(
    nw__output *output, const nw_network *net, const uint8_t size[SIZE_BYTES], const char *header, nw_error *err)
{
    NW__TRY(nw__output_write(output, size, SIZE_BYTES, err));
    NW__TRY(nw__output_write(output, header, strlen(header), err));
    for (size_t i = 0; i < net->n_parameters; i++)
        NW__TRY(nw__output_write(
            output, net->parameters[i].values, net->parameters[i].rows * net->parameters[i].cols * sizeof(float), err));
    return NW_OK;
}

nw_status nw_network_save(const nw_network *net, const char *path, nw_error *err)
{
    nw__output output;
    uint8_t size[SIZE_BYTES];
    char digits[DIGITS + 1];
    if (net == NULL || path == NULL)
        return nw__fail(err, NW_E_ARG, __func__, "%s is NULL", net == NULL ? "net" : "path");
    if (nw__output_is_compressed(path))
        return nw__fail(err, NW_E_ARG, __func__, "path is %.200s, must not end in .gz: a model file is not compressed", path);
    if (!is_little_endian())
        return nw__fail(err, NW_E_UNSUPPORTED, __func__, "model files need a little-endian machine");
    NW__TRY(nw__init(err));
    char *header = header_of(net);
    if (header == NULL)
        return nw__fail_memory(err, __func__);
    put_size(size, strlen(header));
    hash_file(net, size, header, digits);
    memcpy(header + PLACE - SIZE_BYTES, digits, DIGITS);
    nw_status status = nw__output_open(&output, path, err, __func__);
    if (status == NW_OK) {
        status = write_parts(&output, net, size, header, err);
        if (status == NW_OK)
            status = nw__output_finish(&output, err);
        else
            nw__output_abandon(&output);
    }
    free(header);
    return status;
}

/* ---- reading ---- */

static const char READ[] = "nw_network_load";

static nw_status bad(const char *path, const char *what, nw_error *err)
{
    return nw__fail(err, NW_E_FORMAT, READ, "%.200s %s", path, what);
}

static nw_status read_header(FILE *file, const char *path, uint8_t size[SIZE_BYTES], char **header, nw_error *err)
{
    if (fread(size, 1, SIZE_BYTES, file) != SIZE_BYTES)
        return bad(path, "is no model file: it is too short", err);
    const uint64_t n = get_size(size);
    if (n < PLACE - SIZE_BYTES + DIGITS || n > MOST_HEADER)
        return bad(path, "is no model file: it does not begin with the size of a header", err);
    char *text = nw__calloc((size_t)n + 1, 1);
    if (text == NULL)
        return nw__fail_memory(err, READ);
    *header = text;
    if (fread(text, 1, (size_t)n, file) != n)
        return bad(path, "is cut off", err);
    if (memcmp(text, PREFIX, sizeof PREFIX - 1) != 0 || strlen(text) != n)
        return bad(path, "is no model file of nw_network_save", err);
    return NW_OK;
}

/* The network that the header's metadata describes, without its values. */
static nw_status network_of(json_t *header, const char *path, const nw_network_opts *opts, nw_network **out, nw_error *err)
{
    const json_t *metadata = json_object_get(header, "__metadata__");
    const char *format = json_string_value(json_object_get(metadata, "format"));
    const char *version = json_string_value(json_object_get(metadata, "version"));
    const char *model = json_string_value(json_object_get(metadata, "model"));
    const char *info = json_string_value(json_object_get(metadata, "info"));
    if (format == NULL || strcmp(format, "noisewright") != 0 || version == NULL || model == NULL)
        return bad(path, "is no model file of nw_network_save", err);
    if (strcmp(version, VERSION) != 0)
        return nw__fail(err, NW_E_FORMAT, READ, "%.200s has version %.20s, must be %s", path, version, VERSION);
    nw_status status = nw_network_new(out, model, opts, err);
    if (status == NW_OK && info != NULL)
        status = nw_network_set_info(*out, info, err);
    return status == NW_OK || status == NW_E_NOMEM ? status : bad(path, "holds a model that is none", err);
}

/* Each parameter of the model, in order, and nothing else. */
static nw_status check_entries(const nw_network *net, const json_t *header, const char *path, nw_error *err)
{
    size_t at = 0;
    if (json_object_size(header) != net->n_parameters + 1)
        return bad(path, "holds other parameters than its model has", err);
    for (size_t i = 0; i < net->n_parameters; i++) {
        const nw__parameter *p = &net->parameters[i];
        json_int_t rows;
        json_int_t cols;
        json_int_t from;
        json_int_t to;
        const char *type;
        json_t *entry = json_object_get(header, p->name);
        const size_t end = at + p->rows * p->cols * sizeof(float);
        if (json_unpack(
                entry, "{s:s, s:[I, I!], s:[I, I!]!}", "dtype", &type, "shape", &rows, &cols, "data_offsets", &from, &to) != 0 ||
            strcmp(type, "F32") != 0 || rows != (json_int_t)p->rows || cols != (json_int_t)p->cols || from != (json_int_t)at ||
            to != (json_int_t)end)
            return bad(path, "holds other parameters than its model has", err);
        at = end;
    }
    return NW_OK;
}

static nw_status read_values(nw_network *net, FILE *file, const char *path, nw_error *err)
{
    for (size_t i = 0; i < net->n_parameters; i++) {
        const size_t n = net->parameters[i].rows * net->parameters[i].cols;
        if (fread(net->parameters[i].values, sizeof(float), n, file) != n)
            return bad(path, "is cut off", err);
    }
    if (fgetc(file) != EOF)
        return bad(path, "goes on after its end", err);
    return NW_OK;
}

static nw_status read_network(FILE *file, const char *path, const nw_network_opts *opts, nw_network **out, nw_error *err)
{
    uint8_t size[SIZE_BYTES];
    char said[DIGITS];
    char digits[DIGITS + 1];
    char *header = NULL;
    json_t *root = NULL;
    nw_status status = read_header(file, path, size, &header, err);
    if (status == NW_OK) {
        root = json_loads(header, JSON_REJECT_DUPLICATES, NULL);
        status = root == NULL ? bad(path, "has a header that is no JSON", err) : network_of(root, path, opts, out, err);
    }
    if (status == NW_OK)
        status = check_entries(*out, root, path, err);
    if (status == NW_OK)
        status = read_values(*out, file, path, err);
    if (status == NW_OK) {
        memcpy(said, header + PLACE - SIZE_BYTES, DIGITS);
        memset(header + PLACE - SIZE_BYTES, '0', DIGITS);
        hash_file(*out, size, header, digits);
        status = memcmp(said, digits, DIGITS) == 0 ? NW_OK : bad(path, "has been altered: its checksum is another", err);
    }
    json_decref(root);
    free(header);
    return status;
}

nw_status nw_network_load(nw_network **out, const char *path, const nw_network_opts *opts, nw_error *err)
{
    if (out == NULL || path == NULL)
        return nw__fail(err, NW_E_ARG, __func__, "%s is NULL", out == NULL ? "out" : "path");
    *out = NULL;
    if (!is_little_endian())
        return nw__fail(err, NW_E_UNSUPPORTED, __func__, "model files need a little-endian machine");
    NW__TRY(nw__init(err));
    FILE *file = fopen(path, "rbe");
    if (file == NULL)
        return nw__fail(err, NW_E_IO, __func__, "cannot open %.200s: %s", path, strerrordesc_np(errno));
    nw_network *net = NULL;
    nw_status status = read_network(file, path, opts, &net, err);
    if (ferror(file) != 0)
        status = nw__fail(err, NW_E_IO, __func__, "cannot read %.200s", path);
    fclose(file);
    if (status != NW_OK) {
        nw_network_free(net);
        return status;
    }
    *out = net;
    return NW_OK;
}
