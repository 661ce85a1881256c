/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
/* network_layers.c - each type of layer: its members, the shapes it takes, its parameters. */
#include "network_parse.h"
#include "rows.h"

#include <string.h>

enum { MOST_WIDTH = 1 << 24 };

/* ---- what several layers share ---- */

static const nw__value *comes_in(const nw__parse *p)
{
    return &p->net->values[p->current];
}

static nw_status needs_rows(const nw__parse *p)
{
    const nw__form form = comes_in(p)->form;
    if (form == NW__TOKENS)
        return nw__parse_fail(p, "tokens come in, which only an embedding takes");
    if (form == NW__IMAGE)
        return nw__parse_fail(p, "an image comes in: add flatten or mean before");
    return NW_OK;
}

static nw_status needs_form(const nw__parse *p, nw__form form)
{
    static const char *const names[] = { "", "tokens", "a vector", "a sequence", "an image" };
    if (comes_in(p)->form != form)
        return nw__parse_fail(p, "%s comes in, must be %s", names[comes_in(p)->form], names[form]);
    return NW_OK;
}

/* Variance of the initial weights of `outputs` sums over `inputs` numbers. */
static nw_status parse_init(const nw__parse *p, const json_t *layer, size_t inputs, size_t outputs, double *variance)
{
    static const char *const names[] = { "lecun", "he", "glorot", "zero" };
    size_t init = 0;
    double scale = 1.0;
    NW__TRY(nw__parse_choice(p, layer, "init", names, 4, &init));
    NW__TRY(nw__parse_real(p, layer, "init_scale", 0.0, 1000.0, &scale));
    const double variances[] = { 1.0 / (double)inputs, 2.0 / (double)inputs, 2.0 / ((double)inputs + (double)outputs), 0.0 };
    *variance = variances[init] * scale * scale;
    return NW_OK;
}

/* Of the layer that is named, which has to come before: its matrix, a row an output. */
static nw_status parse_tied(const nw__parse *p, const json_t *layer, size_t inputs, size_t *parameter, size_t *outputs)
{
    const json_t *tied = json_object_get(layer, "tied");
    const char *name = json_is_string(tied) ? json_string_value(tied) : "";
    const size_t n = strlen(name);
    for (size_t i = 0; i < p->net->n_parameters; i++) {
        const nw__parameter *found = &p->net->parameters[i];
        if (strncmp(found->name, name, n) != 0 || strcmp(found->name + n, ".weight") != 0)
            continue;
        const nw__layer *of = p->net->ops[found->uses[0].op].layer;
        if (of != &nw__layer_linear && of != &nw__layer_embedding && of != &nw__layer_bag)
            return nw__parse_fail(p, "tied names %.64s, must be a linear layer or an embedding", name);
        if (found->cols != inputs)
            return nw__parse_fail(p, "the weights of %.64s take %zu numbers, and %zu come in", name, found->cols, inputs);
        *parameter = i;
        *outputs = found->rows;
        return NW_OK;
    }
    return nw__parse_fail(p, "tied is \"%.64s\", must be the name of a layer before this one", name);
}

/* ---- linear ---- */

/* Adds a linear operation under the current place. */
static nw_status add_linear(nw__parse *p, size_t outputs, double variance, size_t tied, bool has_bias)
{
    nw__op op = { .layer = &nw__layer_linear, .inputs = { p->current }, .n_inputs = 1, .to = *comes_in(p), .n_parameters = 1 };
    if (tied == NW__NONE)
        NW__TRY(nw__parse_parameter(p, "weight", outputs, op.to.width, variance, 0.0F, &tied));
    op.parameters[0] = tied;
    op.to.width = outputs;
    op.scratch = NW__ROWS_SCRATCH;
    if (has_bias)
        NW__TRY(nw__parse_parameter(p, "bias", outputs, 1, 0.0, 0.0F, &op.parameters[op.n_parameters++]));
    return nw__parse_op(p, &op);
}

static nw_status parse_linear(nw__parse *p, const json_t *layer)
{
    static const char *const keys[] = { "type", "name", "outputs", "bias", "init", "init_scale", "tied", NULL };
    bool has_bias = true;
    size_t outputs = NW__NONE;
    size_t tied = NW__NONE;
    double variance = 0.0;
    NW__TRY(nw__parse_known(p, layer, keys));
    NW__TRY(needs_rows(p));
    NW__TRY(nw__parse_bool(p, layer, "bias", &has_bias));
    if (json_object_get(layer, "tied") == NULL) {
        NW__TRY(nw__parse_size(p, layer, "outputs", 1, MOST_WIDTH, &outputs));
        NW__TRY(parse_init(p, layer, comes_in(p)->width, outputs, &variance));
    } else {
        if (json_object_get(layer, "outputs") != NULL || json_object_get(layer, "init") != NULL)
            return nw__parse_fail(p, "outputs and init are those of the layer that it is tied to");
        NW__TRY(parse_tied(p, layer, comes_in(p)->width, &tied, &outputs));
    }
    return add_linear(p, outputs, variance, tied, has_bias);
}

/* ---- tokens ---- */

static nw_status parse_embedding(nw__parse *p, const json_t *layer)
{
    static const char *const keys[] = { "type", "name", "width", "init", "init_scale", NULL };
    size_t width = NW__NONE;
    double variance;
    NW__TRY(nw__parse_known(p, layer, keys));
    NW__TRY(needs_form(p, NW__TOKENS));
    NW__TRY(nw__parse_size(p, layer, "width", 1, MOST_WIDTH, &width));
    NW__TRY(parse_init(p, layer, width, width, &variance));
    nw__op op = { .layer = &nw__layer_embedding, .inputs = { p->current }, .n_inputs = 1, .n_parameters = 1 };
    NW__TRY(nw__parse_parameter(p, "weight", p->net->shape.vocabulary, width, variance, 0.0F, &op.parameters[0]));
    op.to = (nw__value){ .form = NW__SEQUENCE, .positions = comes_in(p)->positions, .width = width };
    return nw__parse_op(p, &op);
}

static nw_status parse_bag(nw__parse *p, const json_t *layer)
{
    static const char *const keys[] = { "type", "name", "width", "combine", "init", "init_scale", NULL };
    static const char *const combines[] = { "mean", "sqrt", "sum" };
    size_t width = NW__NONE;
    size_t combine = NW__MEAN;
    double variance;
    NW__TRY(nw__parse_known(p, layer, keys));
    NW__TRY(needs_form(p, NW__TOKENS));
    NW__TRY(nw__parse_size(p, layer, "width", 1, MOST_WIDTH, &width));
    NW__TRY(nw__parse_choice(p, layer, "combine", combines, 3, &combine));
    NW__TRY(parse_init(p, layer, width, width, &variance));
    nw__op op = {
        .layer = &nw__layer_bag, .inputs = { p->current }, .n_inputs = 1, .n_parameters = 1, .combine = (nw__combine)combine
    };
    NW__TRY(nw__parse_parameter(p, "weight", p->net->shape.vocabulary, width, variance, 0.0F, &op.parameters[0]));
    op.saved = comes_in(p)->positions * width; /* the gradient, spread over the tokens */
    op.to = (nw__value){ .form = NW__VECTOR, .positions = 1, .width = width };
    return nw__parse_op(p, &op);
}

static nw_status parse_position(nw__parse *p, const json_t *layer)
{
    static const char *const keys[] = { "type", "name", "init", "init_scale", NULL };
    double variance;
    NW__TRY(nw__parse_known(p, layer, keys));
    NW__TRY(needs_form(p, NW__SEQUENCE));
    nw__op op = { .layer = &nw__layer_position, .inputs = { p->current }, .n_inputs = 1, .to = *comes_in(p), .n_parameters = 1 };
    NW__TRY(parse_init(p, layer, op.to.width, op.to.width, &variance));
    NW__TRY(nw__parse_parameter(p, "weight", op.to.positions, op.to.width, variance, 0.0F, &op.parameters[0]));
    return nw__parse_op(p, &op);
}

/* ---- normalisation, attention ---- */

static nw_status parse_norm(nw__parse *p, const json_t *layer, const nw__layer *kind)
{
    static const char *const keys[] = { "type", "name", "epsilon", NULL };
    double epsilon = 1e-5;
    NW__TRY(nw__parse_known(p, layer, keys));
    NW__TRY(needs_rows(p));
    NW__TRY(nw__parse_real(p, layer, "epsilon", 1e-12, 1.0, &epsilon));
    nw__op op = {
        .layer = kind, .inputs = { p->current }, .n_inputs = 1, .to = *comes_in(p), .n_parameters = 1, .epsilon = (float)epsilon
    };
    NW__TRY(nw__parse_parameter(p, "weight", 1, op.to.width, 0.0, 1.0F, &op.parameters[0]));
    if (kind == &nw__layer_layernorm)
        NW__TRY(nw__parse_parameter(p, "bias", op.to.width, 1, 0.0, 0.0F, &op.parameters[op.n_parameters++]));
    op.saved = op.to.positions * (op.to.width + 1); /* normalised input; then 1 / deviation of each row */
    return nw__parse_op(p, &op);
}

/* Queries, keys and values by one matrix, then heads, then the output's matrix. */
static nw_status parse_attention(nw__parse *p, const json_t *layer)
{
    static const char *const keys[] = { "type", "name", "heads", "causal", "bias", "init", "init_scale", NULL };
    char place[sizeof p->place];
    bool has_bias = true;
    bool is_causal = false;
    size_t heads = NW__NONE;
    double variance;
    NW__TRY(nw__parse_known(p, layer, keys));
    NW__TRY(needs_form(p, NW__SEQUENCE));
    const nw__value in = *comes_in(p);
    NW__TRY(nw__parse_size(p, layer, "heads", 1, in.width, &heads));
    if (in.width % heads != 0)
        return nw__parse_fail(p, "heads is %zu, must divide the width %zu", heads, in.width);
    NW__TRY(nw__parse_bool(p, layer, "causal", &is_causal));
    NW__TRY(nw__parse_bool(p, layer, "bias", &has_bias));
    NW__TRY(parse_init(p, layer, in.width, in.width, &variance));
    memcpy(place, p->place, sizeof place);
    const size_t n = strlen(place);
    if (n + 5 > sizeof place)
        return nw__parse_fail(p, "its name is too long");
    memcpy(p->place + n, ".qkv", 5);
    NW__TRY(add_linear(p, 3 * in.width, variance, NW__NONE, has_bias));
    memcpy(p->place, place, sizeof place);
    nw__op op = {
        .layer = &nw__layer_attention, .inputs = { p->current }, .n_inputs = 1, .to = in, .heads = heads, .is_causal = is_causal
    };
    op.scratch = 2 * in.positions * in.positions;
    NW__TRY(nw__parse_op(p, &op));
    memcpy(p->place + n, ".out", 5);
    NW__TRY(add_linear(p, in.width, variance, NW__NONE, has_bias));
    memcpy(p->place, place, sizeof place);
    return NW_OK;
}

/* ---- images ---- */

/* "kernel": 3, or [height, width]. */
static nw_status parse_kernel(const nw__parse *p, const json_t *layer, size_t kernel[2])
{
    const json_t *value = json_object_get(layer, "kernel");
    for (size_t i = 0; i < 2; i++) {
        const json_t *side = json_is_array(value) ? json_array_get(value, i) : value;
        if ((json_is_array(value) && json_array_size(value) != 2) || !json_is_integer(side) || json_integer_value(side) < 1 ||
            json_integer_value(side) > NW__IMAGE_SIDE)
            return nw__parse_fail(
                p, "kernel must be an integer, or an array [height, width] of them, in [1, %d]", NW__IMAGE_SIDE);
        kernel[i] = (size_t)json_integer_value(side);
    }
    return NW_OK;
}

/* How often a kernel that reaches over `reach` fits into a side. */
static nw_status fit(const nw__parse *p, size_t side, size_t reach, size_t stride, size_t padding, size_t *out)
{
    if (reach > side + 2 * padding)
        return nw__parse_fail(
            p, "the kernel reaches over %zu, and the image has %zu with its padding", reach, side + 2 * padding);
    *out = (side + 2 * padding - reach) / stride + 1;
    return NW_OK;
}

static nw_status parse_conv2d(nw__parse *p, const json_t *layer)
{
    static const char *const keys[] = { "type", "name", "channels", "kernel", "stride", "padding", "dilation", "groups", "bias",
        "init", "init_scale", NULL };
    size_t kernel[2];
    size_t height = 0;
    size_t wide = 0;
    bool has_bias = true;
    double variance;
    NW__TRY(nw__parse_known(p, layer, keys));
    NW__TRY(needs_form(p, NW__IMAGE));
    const nw__value in = *comes_in(p);
    nw_dpsgd_conv c = { .channels_in = in.channels,
        .height = in.height,
        .width = in.wide,
        .channels_out = NW__NONE,
        .stride = 1,
        .dilation = 1,
        .groups = 1 };
    NW__TRY(parse_kernel(p, layer, kernel));
    NW__TRY(nw__parse_size(p, layer, "channels", 1, NW__IMAGE_SIDE, &c.channels_out));
    NW__TRY(nw__parse_size(p, layer, "stride", 1, NW__IMAGE_SIDE, &c.stride));
    NW__TRY(nw__parse_size(p, layer, "padding", 0, NW__IMAGE_SIDE, &c.padding));
    NW__TRY(nw__parse_size(p, layer, "dilation", 1, NW__IMAGE_SIDE, &c.dilation));
    NW__TRY(nw__parse_size(p, layer, "groups", 1, NW__IMAGE_SIDE, &c.groups));
    NW__TRY(nw__parse_bool(p, layer, "bias", &has_bias));
    if (c.channels_in % c.groups != 0 || c.channels_out % c.groups != 0)
        return nw__parse_fail(
            p, "groups is %zu, must divide the %zu channels in and the %zu out", c.groups, c.channels_in, c.channels_out);
    c.kernel_height = kernel[0];
    c.kernel_width = kernel[1];
    NW__TRY(fit(p, in.height, (kernel[0] - 1) * c.dilation + 1, c.stride, c.padding, &height));
    NW__TRY(fit(p, in.wide, (kernel[1] - 1) * c.dilation + 1, c.stride, c.padding, &wide));
    const size_t inputs = c.channels_in / c.groups * kernel[0] * kernel[1];
    NW__TRY(parse_init(p, layer, inputs, c.channels_out, &variance));
    nw__op op = { .layer = &nw__layer_conv2d, .inputs = { p->current }, .n_inputs = 1, .n_parameters = 1, .conv = c };
    NW__TRY(nw__parse_parameter(p, "weight", c.channels_out, inputs, variance, 0.0F, &op.parameters[0]));
    if (has_bias) {
        NW__TRY(nw__parse_parameter(p, "bias", c.channels_out, 1, 0.0, 0.0F, &op.parameters[op.n_parameters++]));
        op.saved = c.channels_out; /* its gradient */
    }
    op.scratch = inputs * height * wide;
    op.to = (nw__value){ .form = NW__IMAGE,
        .positions = 1,
        .width = c.channels_out * height * wide,
        .channels = c.channels_out,
        .height = height,
        .wide = wide };
    return nw__parse_op(p, &op);
}

static nw_status parse_pool(nw__parse *p, const json_t *layer, const nw__layer *kind)
{
    static const char *const keys[] = { "type", "name", "kernel", "stride", "padding", NULL };
    size_t kernel[2];
    NW__TRY(nw__parse_known(p, layer, keys));
    NW__TRY(needs_form(p, NW__IMAGE));
    const nw__value in = *comes_in(p);
    NW__TRY(parse_kernel(p, layer, kernel));
    nw__window w = { .kernel_height = kernel[0], .kernel_width = kernel[1], .stride = kernel[0] };
    NW__TRY(nw__parse_size(p, layer, "stride", 1, NW__IMAGE_SIDE, &w.stride));
    NW__TRY(nw__parse_size(p, layer, "padding", 0, NW__IMAGE_SIDE, &w.padding));
    if (w.padding >= kernel[0] || w.padding >= kernel[1])
        return nw__parse_fail(p, "padding is %zu, must be less than the kernel", w.padding);
    NW__TRY(fit(p, in.height, kernel[0], w.stride, w.padding, &w.height_out));
    NW__TRY(fit(p, in.wide, kernel[1], w.stride, w.padding, &w.width_out));
    nw__op op = { .layer = kind, .inputs = { p->current }, .n_inputs = 1, .window = w };
    op.to = in;
    op.to.height = w.height_out;
    op.to.wide = w.width_out;
    op.to.width = in.channels * w.height_out * w.width_out;
    return nw__parse_op(p, &op);
}

/* ---- shapes, activations ---- */

/* The same numbers, called a vector: no operation. */
static nw_status parse_flatten(nw__parse *p, const json_t *layer)
{
    static const char *const keys[] = { "type", "name", NULL };
    NW__TRY(nw__parse_known(p, layer, keys));
    nw__value *value = &p->net->values[p->current];
    if (value->form == NW__TOKENS)
        return nw__parse_fail(p, "tokens come in, which only an embedding takes");
    if (value->readers > 0)
        return nw__parse_fail(p, "must not be the first layer inside of a residual");
    const bool needs_gradient = value->needs_gradient;
    *value = (nw__value){ .form = NW__VECTOR, .positions = 1, .width = value->positions * value->width };
    value->needs_gradient = needs_gradient;
    return NW_OK;
}

static nw_status parse_mean(nw__parse *p, const json_t *layer)
{
    static const char *const keys[] = { "type", "name", NULL };
    NW__TRY(nw__parse_known(p, layer, keys));
    const nw__value in = *comes_in(p);
    if (in.form != NW__SEQUENCE && in.form != NW__IMAGE)
        return nw__parse_fail(p, "a sequence or an image has to come in");
    nw__op op = { .layer = &nw__layer_mean, .inputs = { p->current }, .n_inputs = 1 };
    op.to = (nw__value){ .form = NW__VECTOR, .positions = 1, .width = in.form == NW__IMAGE ? in.channels : in.width };
    return nw__parse_op(p, &op);
}

static nw_status parse_activation(nw__parse *p, const json_t *layer, const nw__layer *kind)
{
    static const char *const plain[] = { "type", "name", NULL };
    static const char *const tempered[] = { "type", "name", "scale", "temperature", "offset", NULL };
    double scale = 2.0;
    double temperature = 2.0;
    double offset = 1.0;
    NW__TRY(nw__parse_known(p, layer, kind == &nw__layer_tempered ? tempered : plain));
    if (comes_in(p)->form == NW__TOKENS)
        return nw__parse_fail(p, "tokens come in, which only an embedding takes");
    NW__TRY(nw__parse_real(p, layer, "scale", 1e-3, 1e3, &scale));
    NW__TRY(nw__parse_real(p, layer, "temperature", 1e-3, 1e3, &temperature));
    NW__TRY(nw__parse_real(p, layer, "offset", -1e3, 1e3, &offset));
    nw__op op = { .layer = kind,
        .inputs = { p->current },
        .n_inputs = 1,
        .to = *comes_in(p),
        .scale = (float)scale,
        .temperature = (float)temperature,
        .offset = (float)offset };
    return nw__parse_op(p, &op);
}

/* ---- all of them ---- */

nw_status nw__parse_layer(nw__parse *p, const char *type, const json_t *layer)
{
    static const struct {
        const char *type;
        nw_status (*parse)(nw__parse *, const json_t *);
    } plain[] = { { "linear", parse_linear }, { "embedding", parse_embedding }, { "embedding_bag", parse_bag },
        { "position", parse_position }, { "attention", parse_attention }, { "conv2d", parse_conv2d },
        { "flatten", parse_flatten }, { "mean", parse_mean } };
    static const struct {
        const char *type;
        nw_status (*parse)(nw__parse *, const json_t *, const nw__layer *);
        const nw__layer *layer;
    } kinds[] = { { "layernorm", parse_norm, &nw__layer_layernorm }, { "rmsnorm", parse_norm, &nw__layer_rmsnorm },
        { "max_pool", parse_pool, &nw__layer_max_pool }, { "avg_pool", parse_pool, &nw__layer_avg_pool },
        { "relu", parse_activation, &nw__layer_relu }, { "gelu", parse_activation, &nw__layer_gelu },
        { "softplus", parse_activation, &nw__layer_softplus }, { "tanh", parse_activation, &nw__layer_tanh },
        { "tempered_sigmoid", parse_activation, &nw__layer_tempered } };
    for (size_t i = 0; i < sizeof plain / sizeof *plain; i++)
        if (strcmp(type, plain[i].type) == 0)
            return plain[i].parse(p, layer);
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        if (strcmp(type, kinds[i].type) == 0)
            return kinds[i].parse(p, layer, kinds[i].layer);
    if (strcmp(type, "batchnorm") == 0)
        return nw__fail(p->err, NW_E_UNSUPPORTED, p->function,
            "layer %s: batchnorm mixes examples, so that no example has a gradient of its own: use layernorm", p->place);
    return nw__parse_fail(p,
        "type is %.40s, must be linear, embedding, embedding_bag, position, layernorm, rmsnorm, attention, "
        "conv2d, max_pool, avg_pool, relu, gelu, softplus, tanh, tempered_sigmoid, residual, flatten or mean",
        type);
}
