/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
/* test_network_model.c - models as JSON and as files: what is read, what is refused and in which words, and files that were
 * altered. */
#include "network_support.h"

#include "network_internal.h"

#include <stdio.h>
#include <unistd.h>

/* ---- JSON ---- */

#define FLOATS "{\"input\": {\"floats\": 4}, \"loss\": \"softmax\", \"layers\": "
#define IMAGE "{\"input\": {\"image\": [2, 4, 4]}, \"loss\": \"softmax\", \"layers\": "
#define TOKENS "{\"input\": {\"tokens\": 4, \"vocabulary\": 5}, \"loss\": \"softmax\", \"layers\": "

typedef struct refusal {
    const char *json;
    const char *words; /* that the message has */
} refusal;

static const refusal REFUSALS[] = {
    { "{", "line 1" },
    { "[]", "must be a JSON object" },
    { "{\"input\": {\"floats\": 4}, \"input\": {\"floats\": 4}}", "duplicate" },
    { "{\"layers\": []}", "input must be" },
    { "{\"input\": {\"floats\": 0}}", "floats is 0" },
    { "{\"input\": {\"floats\": 4, \"image\": [1, 2, 3]}}", "input must be" },
    { "{\"input\": {\"floats\": 4, \"vocabulary\": 3}}", "vocabulary goes with" },
    { "{\"input\": {\"image\": [1, 2]}}", "input.image must be" },
    { "{\"input\": {\"sequence\": [1, 0]}}", "input.sequence must be" },
    { "{\"input\": {\"tokens\": 4}}", "vocabulary is missing" },
    { FLOATS "[]}", "layers must be" },
    { FLOATS "[{}]}", "layer 0: must be an object with a \"type\"" },
    { FLOATS "[{\"type\": \"dense\"}]}", "layer 0.dense: type is dense, must be linear," },
    { FLOATS "[{\"type\": \"linear\"}]}", "layer 0.linear: outputs is missing" },
    { FLOATS "[{\"type\": \"linear\", \"outputs\": 1.5}]}", "outputs is 1.5, must be an integer in [1," },
    { FLOATS "[{\"type\": \"linear\", \"outputs\": \"3\"}]}", "outputs is no number" },
    { FLOATS "[{\"type\": \"linear\", \"outputs\": 3, \"dropout\": 1}]}", "no member \"dropout\"" },
    { FLOATS "[{\"type\": \"linear\", \"outputs\": 3, \"bias\": 1}]}", "bias must be true or false" },
    { FLOATS "[{\"type\": \"linear\", \"outputs\": 3, \"init\": \"xavier\"}]}",
        "init is xavier, must be lecun, he, glorot or zero" },
    { FLOATS "[{\"type\": \"linear\", \"outputs\": 3, \"tied\": \"a\"}]}", "outputs and init are those" },
    { FLOATS "[{\"type\": \"linear\", \"tied\": \"a\"}]}", "tied is \"a\"" },
    { FLOATS "[{\"type\": \"linear\", \"name\": \"a\", \"outputs\": 3}, {\"type\": \"linear\", \"tied\": \"a\"}]}",
        "take 4 numbers, and 3 come in" },
    { FLOATS
        "[{\"type\": \"linear\", \"name\": \"a\", \"outputs\": 4}, {\"type\": \"linear\", \"name\": \"a\", \"outputs\": 4}]}",
        "another layer has that name" },
    { FLOATS "[{\"type\": \"linear\", \"name\": \"a b\", \"outputs\": 4}]}", "name must be" },
    { FLOATS "[{\"type\": \"linear\", \"outputs\": 1}]}", "softmax needs 2 outputs" },
    { FLOATS "[{\"type\": \"relu\"}]}", "no layer has parameters" },
    { FLOATS "[{\"type\": \"linear\", \"outputs\": 16777216}, {\"type\": \"linear\", \"outputs\": 16777216}]}", "parameters" },
    { FLOATS "[{\"type\": \"conv2d\", \"channels\": 3, \"kernel\": 2}]}", "a vector comes in, must be an image" },
    { FLOATS "[{\"type\": \"embedding\", \"width\": 3}]}", "a vector comes in, must be tokens" },
    { FLOATS "[{\"type\": \"attention\", \"heads\": 1}]}", "a vector comes in, must be a sequence" },
    { FLOATS "[{\"type\": \"mean\"}]}", "a sequence or an image" },
    { FLOATS "[{\"type\": \"residual\", \"layers\": [{\"type\": \"linear\", \"outputs\": 3}]}]}",
        "give 1 x 3 numbers, and 1 x 4" },
    { FLOATS "[{\"type\": \"residual\", \"layers\": [{\"type\": \"linear\", \"outputs\": true}]}]}",
        "layer 0.residual.0.linear: " },
    { FLOATS "[{\"type\": \"tempered_sigmoid\", \"temperature\": 0}]}", "temperature is 0, must be in [0.001, 1000]" },
    { TOKENS "[{\"type\": \"linear\", \"outputs\": 3}]}", "tokens come in" },
    { TOKENS "[{\"type\": \"embedding\", \"width\": 3}, {\"type\": \"attention\", \"heads\": 2}]}", "heads is 2, must divide" },
    { TOKENS "[{\"type\": \"embedding_bag\", \"width\": 3, \"combine\": \"max\"}]}",
        "combine is max, must be mean, sqrt or sum" },
    { IMAGE "[{\"type\": \"conv2d\", \"channels\": 3, \"kernel\": 5}]}", "the kernel reaches over 5" },
    { IMAGE "[{\"type\": \"conv2d\", \"channels\": 3, \"kernel\": [2]}]}", "kernel must be" },
    { IMAGE "[{\"type\": \"conv2d\", \"channels\": 3, \"kernel\": 2, \"groups\": 2}]}", "groups is 2, must divide" },
    { IMAGE "[{\"type\": \"max_pool\", \"kernel\": 2, \"padding\": 2}]}", "padding is 2, must be less than the kernel" },
    { IMAGE "[{\"type\": \"linear\", \"outputs\": 2}]}", "an image comes in: add flatten or mean" },
    { IMAGE "[{\"type\": \"conv2d\", \"channels\": 3, \"kernel\": 2}]}", "add flatten or mean" },
    { "{\"input\": {\"floats\": 4}, \"layers\": [{\"type\": \"linear\", \"outputs\": 2}]}", "loss is missing" },
    { "{\"input\": {\"floats\": 4}, \"loss\": \"mse\", \"layers\": [{\"type\": \"linear\", \"outputs\": 2}]}",
        "loss is mse, must be" },
    { "{\"input\": {\"floats\": 4}, \"loss\": \"softmax\", \"delta\": 1, \"layers\": [{\"type\": \"linear\", \"outputs\": 2}]}",
        "delta goes with" },
};

static void network_new__refuses_and_says_where(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof REFUSALS / sizeof *REFUSALS; i++) {
        nw_error err = { 0 };
        nw_network *net = (nw_network *)&err;
        const nw_status status = nw_network_new(&net, REFUSALS[i].json, NULL, &err);
        if (status != NW_E_ARG || net != NULL || strstr(err.message, REFUSALS[i].words) == NULL)
            fail_msg("%s: status %d, \"%s\"", REFUSALS[i].json, (int)status, err.message);
    }
}

static void network_new__refuses_options(void **state)
{
    (void)state;
    nw_error err = { 0 };
    nw_network *net = NULL;
    nw_network_opts opts = NW_NETWORK_OPTS_INIT;
    opts.memory_mib = 0;
    assert_int_equal(nw_network_new(&net, MODELS[0].json, &opts, &err), NW_E_ARG);
    assert_non_null(strstr(err.message, "memory_mib is 0"));
    nw_network_opts_init(&opts, sizeof opts);
    opts.copies = 0;
    assert_int_equal(nw_network_new(&net, MODELS[0].json, &opts, &err), NW_E_ARG);
    assert_non_null(strstr(err.message, "copies is 0"));
    nw_network_opts_init(&opts, sizeof opts);
    opts.threads = -1;
    assert_int_equal(nw_network_new(&net, MODELS[0].json, &opts, &err), NW_E_ARG);
    assert_non_null(strstr(err.message, "threads is -1"));
    assert_int_equal(nw_network_new(NULL, MODELS[0].json, NULL, &err), NW_E_ARG);
    assert_int_equal(nw_network_new(&net, NULL, NULL, &err), NW_E_ARG);
}

static void network_new__refuses_a_layer_that_mixes_examples(void **state)
{
    (void)state;
    nw_error err = { 0 };
    nw_network *net = NULL;
    assert_int_equal(nw_network_new(&net, FLOATS "[{\"type\": \"batchnorm\"}]}", NULL, &err), NW_E_UNSUPPORTED);
    assert_non_null(strstr(err.message, "mixes examples"));
}

/* A layer with a parameter but no form for its per-example norms, as the next author might write it. */
static void network_check_norms__names_a_parameter_without_norms(void **state)
{
    (void)state;
    nw_error err = { 0 };
    nw_network *net = new_network(MODELS[0].json, NULL, 1);
    const nw__layer *const proper = net->ops[2].layer;
    nw__layer lacking = *proper;
    lacking.kinds[0] = 0;
    lacking.type = "mystery";
    assert_int_equal(nw__network_check_norms(net, &err, "test"), NW_OK);
    net->ops[2].layer = &lacking;
    assert_int_equal(nw__network_check_norms(net, &err, "test"), NW_E_UNSUPPORTED);
    assert_non_null(strstr(err.message, "2.linear.weight"));
    assert_non_null(strstr(err.message, "mystery"));
    net->ops[2].layer = proper;
    net->parameters[1].n_uses = 0;
    assert_int_equal(nw__network_check_norms(net, &err, "test"), NW_E_UNSUPPORTED);
    assert_non_null(strstr(err.message, "0.linear.bias is not used"));
    net->parameters[1].n_uses = 1;
    nw_network_free(net);
}

static void network_new__counts_shapes_and_names(void **state)
{
    (void)state;
    nw_network_shape s;
    nw_network *net = new_network(MODELS[6].json, NULL, 1); /* the transformer */
    nw_network_get_shape(net, &s);
    assert_int_equal(s.input, NW_NETWORK_TOKENS);
    assert_int_equal(s.inputs, 6);
    assert_int_equal(s.vocabulary, 11);
    assert_int_equal(s.outputs, 3);
    assert_int_equal(s.classes, 1);
    assert_int_equal(s.targets, 0);
    const size_t attention = 8 * 24 + 24 + 8 * 8 + 8;
    assert_int_equal(s.parameters, 11 * 8 + 6 * 8 + 16 + attention + 8 + (8 * 16 + 16) + (16 * 8 + 8) + 8 * 3 + 3);
    assert_string_equal(nw_network_get_parameter(net, 4).name, "2.residual.1.attention.qkv.weight");
    nw_network_free(net);
    net = new_network(MODELS[7].json, NULL, 1); /* tied */
    nw_network_get_shape(net, &s);
    assert_int_equal(s.positions, 5);
    assert_int_equal(s.outputs, 9);
    assert_int_equal(s.classes, 5);
    assert_int_equal(nw_network_parameters(net), 6); /* words once, qkv, out, and the bias of the tied layer */
    nw_network_free(net);
}

static void initialise__draws_the_variance_that_was_asked_for(void **state)
{
    (void)state;
    static const char json[] = "{\"input\": {\"floats\": 400}, \"loss\": \"softmax\", \"layers\": [{\"type\": \"linear\", "
                               "\"outputs\": 200, \"init\": \"he\", \"init_scale\": 0.5}, {\"type\": \"linear\", \"outputs\": 2, "
                               "\"init\": \"zero\"}]}";
    nw_network *net = new_network(json, NULL, 3);
    const nw_network_parameter weight = nw_network_get_parameter(net, 0);
    double sum = 0.0;
    double square = 0.0;
    for (size_t i = 0; i < 80000; i++) {
        sum += (double)weight.values[i];
        square += (double)weight.values[i] * (double)weight.values[i];
    }
    /* Of 80000 uniform numbers: five standard errors of the mean, and of the variance sqrt(4/5) over sqrt(n). */
    const double variance = 0.25 * 2.0 / 400.0;
    assert_true(fabs(sum / 80000.0) < 5.0 * sqrt(variance / 80000.0));
    assert_true(fabs(square / 80000.0 / variance - 1.0) < 5.0 * 0.9 / sqrt(80000.0));
    for (size_t i = 0; i < 400; i++)
        assert_true(nw_network_get_parameter(net, 2).values[i] == 0.0F);
    nw_network_free(net);
}

/* ---- files ---- */

static char folder[] = "/tmp/test-network-XXXXXX";
static char path[64];

static int make_folder(void **state)
{
    (void)state;
    if (mkdtemp(folder) == NULL)
        return -1;
    snprintf(path, sizeof path, "%s/model.nw", folder);
    return 0;
}

static int remove_folder(void **state)
{
    (void)state;
    unlink(path);
    return rmdir(folder);
}

static size_t read_file(uint8_t *bytes, size_t room)
{
    FILE *file = fopen(path, "rb");
    assert_non_null(file);
    const size_t n = fread(bytes, 1, room, file);
    fclose(file);
    return n;
}

static void write_file(const uint8_t *bytes, size_t n)
{
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(bytes, 1, n, file), n);
    fclose(file);
}

static void load__gives_back_what_was_saved(void **state)
{
    (void)state;
    for (size_t m = 0; m < N_MODELS; m++) {
        nw_network *net = new_network(MODELS[m].json, NULL, 5);
        nw_network *again = NULL;
        nw_network_shape s;
        nw_network_get_shape(net, &s);
        const size_t n = 4 * s.positions * s.outputs;
        records r = new_records(net, 4, 1, 37);
        float *before = calloc(n, sizeof *before);
        float *after = calloc(n, sizeof *after);
        assert_int_equal(nw_network_set_info(net, "{\"epsilon\": 3}", NULL), NW_OK);
        assert_int_equal(nw_network_save(net, path, NULL), NW_OK);
        assert_int_equal(nw_network_load(&again, path, NULL, NULL), NW_OK);
        assert_string_equal(nw_network_info(again), "{\"epsilon\": 3}");
        assert_string_equal(nw_network_model(again), nw_network_model(net));
        assert_int_equal(nw_network_forward(net, &r.data, NULL, 4, before, NULL, NULL), NW_OK);
        assert_int_equal(nw_network_forward(again, &r.data, NULL, 4, after, NULL, NULL), NW_OK);
        assert_memory_equal(before, after, n * sizeof *before);
        free(before);
        free(after);
        free_records(&r);
        nw_network_free(net);
        nw_network_free(again);
    }
}

/* The layout by hand: 8 bytes of size, JSON, values. */
static void save__writes_the_layout_of_safetensors(void **state)
{
    (void)state;
    static uint8_t bytes[1 << 16];
    nw_network *net = new_network(MODELS[0].json, NULL, 5);
    assert_int_equal(nw_network_save(net, path, NULL), NW_OK);
    const size_t n = read_file(bytes, sizeof bytes - 1);
    uint64_t size = 0;
    for (size_t i = 8; i-- > 0;)
        size = size * 256 + bytes[i];
    nw_network_shape s;
    nw_network_get_shape(net, &s);
    assert_int_equal(size % 8, 0);
    assert_int_equal(n, 8 + size + 4 * s.parameters);
    assert_memory_equal(bytes + 8 + size, nw_network_get_parameter(net, 0).values, 7 * 5 * 4);
    bytes[8 + size] = '\0';
    assert_non_null(
        strstr((char *)bytes + 8, "\"0.linear.weight\":{\"dtype\":\"F32\",\"shape\":[7,5],\"data_offsets\":[0,140]}"));
    nw_network_free(net);
}

static void load__refuses_a_file_cut_off_anywhere(void **state)
{
    (void)state;
    static uint8_t bytes[1 << 16];
    nw_network *net = new_network(MODELS[0].json, NULL, 5);
    assert_int_equal(nw_network_save(net, path, NULL), NW_OK);
    const size_t n = read_file(bytes, sizeof bytes);
    nw_network *again = NULL;
    for (size_t length = 0; length < n; length += 1 + n / 97) {
        write_file(bytes, length);
        assert_int_equal(nw_network_load(&again, path, NULL, NULL), NW_E_FORMAT);
        assert_null(again);
    }
    bytes[n] = 0;
    write_file(bytes, n + 1);
    assert_int_equal(nw_network_load(&again, path, NULL, NULL), NW_E_FORMAT);
    nw_network_free(net);
}

static void load__refuses_a_file_with_any_bit_changed(void **state)
{
    (void)state;
    static uint8_t bytes[1 << 16];
    nw_network *net = new_network(MODELS[0].json, NULL, 5);
    assert_int_equal(nw_network_set_info(net, "[1]", NULL), NW_OK);
    assert_int_equal(nw_network_save(net, path, NULL), NW_OK);
    const size_t n = read_file(bytes, sizeof bytes);
    nw_network *again = NULL;
    for (size_t i = 0; i < n; i += 3) {
        bytes[i] ^= (uint8_t)(1U << (i % 8));
        write_file(bytes, n);
        const nw_status status = nw_network_load(&again, path, NULL, NULL);
        if (status != NW_E_FORMAT)
            fail_msg("byte %zu of %zu: status %d", i, n, (int)status);
        bytes[i] ^= (uint8_t)(1U << (i % 8));
    }
    nw_network_free(net);
}

static void load_and_save__tell_what_the_system_refused(void **state)
{
    (void)state;
    nw_error err = { 0 };
    nw_network *again = NULL;
    nw_network *net = new_network(MODELS[0].json, NULL, 5);
    assert_int_equal(nw_network_load(&again, "/no/such/file", NULL, &err), NW_E_IO);
    assert_non_null(strstr(err.message, "/no/such/file"));
    assert_int_equal(nw_network_save(net, "/no/such/file", &err), NW_E_IO);
    assert_int_equal(nw_network_save(net, NULL, &err), NW_E_ARG);
    assert_int_equal(nw_network_save(net, "model.nw.gz", &err), NW_E_ARG);
    assert_non_null(strstr(err.message, "model.nw.gz"));
    assert_int_equal(nw_network_load(NULL, path, NULL, &err), NW_E_ARG);
    assert_int_equal(nw_network_set_info(net, "{", &err), NW_E_ARG);
    nw_network_free(net);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(network_new__refuses_and_says_where),
        cmocka_unit_test(network_new__refuses_options),
        cmocka_unit_test(network_new__refuses_a_layer_that_mixes_examples),
        cmocka_unit_test(network_check_norms__names_a_parameter_without_norms),
        cmocka_unit_test(network_new__counts_shapes_and_names),
        cmocka_unit_test(initialise__draws_the_variance_that_was_asked_for),
        cmocka_unit_test(load__gives_back_what_was_saved),
        cmocka_unit_test(save__writes_the_layout_of_safetensors),
        cmocka_unit_test(load__refuses_a_file_cut_off_anywhere),
        cmocka_unit_test(load__refuses_a_file_with_any_bit_changed),
        cmocka_unit_test(load_and_save__tell_what_the_system_refused),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
