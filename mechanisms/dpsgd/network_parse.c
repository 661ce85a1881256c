/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
/* network_parse.c - the JSON of a model: its frame, the list of layers, and what is right for all of them. */
#include "network_parse.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { DEEPEST = 8, MOST_LAYERS = 10000, MOST_POSITIONS = 1 << 20 };

/* ---- members ---- */

nw_status nw__parse_fail(const nw__parse *p, const char *format, ...)
{
    char message[NW_ERROR_MESSAGE_SIZE];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(message, sizeof message, format, arguments);
    va_end(arguments);
    if (p->place[0] == '\0')
        return nw__fail(p->err, NW_E_ARG, p->function, "%s", message);
    return nw__fail(p->err, NW_E_ARG, p->function, "layer %s: %s", p->place, message);
}

nw_status nw__parse_size(const nw__parse *p, const json_t *object, const char *key, size_t lower, size_t upper, size_t *out)
{
    const json_t *value = json_object_get(object, key);
    if (value == NULL)
        return *out == NW__NONE ? nw__parse_fail(p, "%s is missing, must be an integer in [%zu, %zu]", key, lower, upper) : NW_OK;
    if (!json_is_integer(value) || json_integer_value(value) < (json_int_t)lower ||
        json_integer_value(value) > (json_int_t)upper) {
        if (json_is_number(value))
            return nw__parse_fail(
                p, "%s is %.15g, must be an integer in [%zu, %zu]", key, json_number_value(value), lower, upper);
        return nw__parse_fail(p, "%s is no number, must be an integer in [%zu, %zu]", key, lower, upper);
    }
    *out = (size_t)json_integer_value(value);
    return NW_OK;
}

nw_status nw__parse_bool(const nw__parse *p, const json_t *object, const char *key, bool *out)
{
    const json_t *value = json_object_get(object, key);
    if (value != NULL && !json_is_boolean(value))
        return nw__parse_fail(p, "%s must be true or false", key);
    *out = value != NULL ? json_is_true(value) : *out;
    return NW_OK;
}

nw_status nw__parse_real(const nw__parse *p, const json_t *object, const char *key, double lower, double upper, double *out)
{
    const json_t *value = json_object_get(object, key);
    if (value == NULL)
        return NW_OK;
    if (!json_is_number(value))
        return nw__parse_fail(p, "%s is no number, must be in [%g, %g]", key, lower, upper);
    const double number = json_number_value(value);
    if (!(number >= lower && number <= upper))
        return nw__parse_fail(p, "%s is %.15g, must be in [%g, %g]", key, number, lower, upper);
    *out = number;
    return NW_OK;
}

nw_status nw__parse_choice(
    const nw__parse *p, const json_t *object, const char *key, const char *const *names, size_t n, size_t *out)
{
    char all[256] = "";
    const json_t *value = json_object_get(object, key);
    if (value == NULL && *out != NW__NONE)
        return NW_OK;
    for (size_t i = 0; i < n; i++) {
        if (value != NULL && json_is_string(value) && strcmp(json_string_value(value), names[i]) == 0) {
            *out = i;
            return NW_OK;
        }
        const size_t used = strlen(all);
        snprintf(all + used, sizeof all - used, "%s%s", i == 0 ? "" : i + 1 < n ? ", " : " or ", names[i]);
    }
    if (value == NULL)
        return nw__parse_fail(p, "%s is missing, must be %s", key, all);
    return nw__parse_fail(p, "%s is %.40s, must be %s", key, json_is_string(value) ? json_string_value(value) : "no text", all);
}

nw_status nw__parse_known(const nw__parse *p, const json_t *object, const char *const *keys)
{
    const char *key = NULL;
    const json_t *value = NULL;
    json_object_foreach((json_t *)(uintptr_t)object, key, value)
    {
        size_t i = 0;
        while (keys[i] != NULL && strcmp(keys[i], key) != 0)
            i++;
        if (keys[i] == NULL)
            return nw__parse_fail(p, "there is no member \"%.40s\"", key);
    }
    return NW_OK;
}

/* ---- the network that grows ---- */

static void *grow(void *array, size_t n, size_t size)
{
    /* At the powers of two. */
    return n != 0 && (n & (n - 1)) != 0 ? array : nw__realloc_array(array, n == 0 ? 1 : 2 * n, size);
}

nw_status nw__parse_value(nw__parse *p, const nw__value *value, size_t *out)
{
    size_t floats;
    if (!nw__mul_size(value->positions, value->width, &floats) || floats > NW__LARGEST)
        return nw__parse_fail(p, "an example has more than %zu numbers", NW__LARGEST);
    nw__value *values = grow(p->net->values, p->net->n_values, sizeof *values);
    if (values == NULL)
        return nw__fail_memory(p->err, p->function);
    p->net->values = values;
    values[p->net->n_values] = *value;
    *out = p->net->n_values++;
    return NW_OK;
}

nw_status nw__parse_op(nw__parse *p, const nw__op *op)
{
    nw_network *net = p->net;
    if (net->n_ops == MOST_LAYERS)
        return nw__parse_fail(p, "there are more than %d layers", MOST_LAYERS);
    nw__op *ops = grow(net->ops, net->n_ops, sizeof *ops);
    if (ops == NULL)
        return nw__fail_memory(p->err, p->function);
    net->ops = ops;
    nw__op *added = &ops[net->n_ops];
    *added = *op;
    added->name = nw__strdup(p->place);
    if (added->name == NULL)
        return nw__fail_memory(p->err, p->function);
    net->n_ops++;
    added->from = net->values[op->inputs[0]];
    bool needs_gradient = op->n_parameters > 0;
    for (size_t k = 0; k < op->n_inputs; k++) {
        net->values[op->inputs[k]].readers++;
        needs_gradient = needs_gradient || net->values[op->inputs[k]].needs_gradient;
    }
    nw__value to = op->to;
    to.readers = 0;
    to.needs_gradient = needs_gradient;
    NW__TRY(nw__parse_value(p, &to, &added->output));
    added->to = to;
    p->current = added->output;
    if (op->n_parameters > 0)
        added->group = net->groups++;
    for (size_t slot = 0; slot < op->n_parameters; slot++) {
        nw__parameter *parameter = &net->parameters[op->parameters[slot]];
        nw__use_site *uses = nw__realloc_array(parameter->uses, parameter->n_uses + 1, sizeof *uses);
        if (uses == NULL)
            return nw__fail_memory(p->err, p->function);
        parameter->uses = uses;
        if (parameter->n_uses == 0)
            parameter->group = added->group;
        uses[parameter->n_uses++] = (nw__use_site){ net->n_ops - 1, slot };
    }
    return NW_OK;
}

nw_status nw__parse_parameter(
    nw__parse *p, const char *suffix, size_t rows, size_t cols, double variance, float fill, size_t *out)
{
    nw_network *net = p->net;
    size_t floats;
    if (!nw__mul_size(rows, cols, &floats) || floats > NW__LARGEST || net->shape.parameters + floats > NW__LARGEST)
        return nw__parse_fail(p, "the network has more than %zu parameters", NW__LARGEST);
    nw__parameter *parameters = grow(net->parameters, net->n_parameters, sizeof *parameters);
    if (parameters == NULL)
        return nw__fail_memory(p->err, p->function);
    net->parameters = parameters;
    nw__parameter *added = &parameters[net->n_parameters];
    memset(added, 0, sizeof *added);
    const size_t size = strlen(p->place) + strlen(suffix) + 2;
    added->name = nw__calloc(size, 1);
    added->values = nw__calloc(floats, sizeof *added->values);
    net->n_parameters++;
    if (added->name == NULL || added->values == NULL)
        return nw__fail_memory(p->err, p->function);
    snprintf(added->name, size, "%s.%s", p->place, suffix);
    added->rows = rows;
    added->cols = cols;
    added->variance = variance;
    added->fill = fill;
    net->shape.parameters += floats;
    *out = net->n_parameters - 1;
    return NW_OK;
}

/* ---- the list of layers ---- */

static nw_status name_layer(nw__parse *p, const json_t *layer, const char *prefix, size_t i, const char *type)
{
    const json_t *name = json_object_get(layer, "name");
    if (name == NULL) {
        snprintf(p->place, sizeof p->place, "%s%zu.%s", prefix, i, type);
        return NW_OK;
    }
    snprintf(p->place, sizeof p->place, "%s%zu", prefix, i);
    const char *text = json_is_string(name) ? json_string_value(name) : "";
    const size_t n = strlen(text);
    if (n == 0 || n > 64 || strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-.") != n)
        return nw__parse_fail(p, "name must be 1 to 64 letters, digits, '.', '_' and '-'");
    snprintf(p->place, sizeof p->place, "%s", text);
    return NW_OK;
}

/* Two parameters of one name could not be told apart in a model file. */
static nw_status check_name(const nw__parse *p)
{
    const size_t n = strlen(p->place);
    for (size_t i = 0; i < p->net->n_parameters; i++)
        if (strncmp(p->net->parameters[i].name, p->place, n) == 0 && p->net->parameters[i].name[n] == '.')
            return nw__parse_fail(p, "another layer has that name");
    return NW_OK;
}

static nw_status parse_layers(nw__parse *p, const json_t *layers, const char *prefix, unsigned depth);

static nw_status parse_residual(nw__parse *p, const json_t *layer, const char *prefix, unsigned depth)
{
    static const char *const keys[] = { "type", "name", "layers", NULL };
    char inner[sizeof p->place];
    char place[sizeof p->place];
    NW__TRY(nw__parse_known(p, layer, keys));
    if (depth == DEEPEST)
        return nw__parse_fail(p, "residual layers are more than %d deep", DEEPEST);
    const size_t from = p->current;
    if (p->net->values[from].form == NW__TOKENS)
        return nw__parse_fail(p, "tokens come in, which only an embedding takes");
    memcpy(place, p->place, sizeof place);
    snprintf(inner, sizeof inner, "%.*s", (int)(sizeof inner - 1), prefix);
    NW__TRY(parse_layers(p, json_object_get(layer, "layers"), inner, depth + 1));
    memcpy(p->place, place, sizeof place);
    const nw__value a = p->net->values[from];
    const nw__value b = p->net->values[p->current];
    if (a.form != b.form || a.positions != b.positions || a.width != b.width || a.channels != b.channels || a.height != b.height)
        return nw__parse_fail(p, "its layers give %zu x %zu numbers, and %zu x %zu come in: they must be as many", b.positions,
            b.width, a.positions, a.width);
    if (p->current == from)
        return nw__parse_fail(p, "layers must hold a layer that computes something");
    nw__op op = { .layer = &nw__layer_add, .inputs = { from, p->current }, .n_inputs = 2, .to = a };
    return nw__parse_op(p, &op);
}

static nw_status parse_layer(nw__parse *p, const json_t *layer, const char *prefix, size_t i, unsigned depth)
{
    snprintf(p->place, sizeof p->place, "%s%zu", prefix, i);
    const json_t *type = json_object_get(layer, "type");
    if (!json_is_string(type))
        return nw__parse_fail(p, "must be an object with a \"type\"");
    NW__TRY(name_layer(p, layer, prefix, i, json_string_value(type)));
    NW__TRY(check_name(p));
    if (strcmp(json_string_value(type), "residual") != 0)
        return nw__parse_layer(p, json_string_value(type), layer);
    char inner[sizeof p->place];
    const int written = snprintf(inner, sizeof inner, "%s.", p->place);
    if (written < 0 || (size_t)written + 32 > sizeof inner)
        return nw__parse_fail(p, "its name is too long");
    return parse_residual(p, layer, inner, depth);
}

static nw_status parse_layers(nw__parse *p, const json_t *layers, const char *prefix, unsigned depth)
{
    if (!json_is_array(layers) || json_array_size(layers) == 0)
        return nw__parse_fail(p, "layers must be an array of at least one layer");
    for (size_t i = 0; i < json_array_size(layers); i++)
        NW__TRY(parse_layer(p, json_array_get(layers, i), prefix, i, depth));
    p->place[0] = '\0';
    return NW_OK;
}

/* ---- input, loss ---- */

static nw_status parse_image(nw__parse *p, const json_t *image, nw__value *value)
{
    size_t sides[3];
    for (size_t i = 0; i < 3; i++) {
        const json_t *side = json_array_get(image, i);
        if (json_array_size(image) != 3 || !json_is_integer(side) || json_integer_value(side) < 1 ||
            json_integer_value(side) > NW__IMAGE_SIDE)
            return nw__parse_fail(p, "input.image must be [channels, height, width], each in [1, %d]", NW__IMAGE_SIDE);
        sides[i] = (size_t)json_integer_value(side);
    }
    *value = (nw__value){ .form = NW__IMAGE,
        .positions = 1,
        .width = sides[0] * sides[1] * sides[2],
        .channels = sides[0],
        .height = sides[1],
        .wide = sides[2] };
    p->net->shape.channels = sides[0];
    p->net->shape.height = sides[1];
    p->net->shape.width = sides[2];
    return NW_OK;
}

static nw_status parse_sequence(nw__parse *p, const json_t *sequence, nw__value *value)
{
    const json_int_t positions = json_integer_value(json_array_get(sequence, 0));
    const json_int_t width = json_integer_value(json_array_get(sequence, 1));
    if (json_array_size(sequence) != 2 || positions < 1 || positions > MOST_POSITIONS || width < 1 || width > MOST_POSITIONS)
        return nw__parse_fail(p, "input.sequence must be [positions, width], each in [1, %d]", MOST_POSITIONS);
    *value = (nw__value){ .form = NW__SEQUENCE, .positions = (size_t)positions, .width = (size_t)width };
    return NW_OK;
}

static nw_status parse_tokens(nw__parse *p, const json_t *input, nw__value *value)
{
    size_t n = NW__NONE;
    NW__TRY(nw__parse_size(p, input, "tokens", 1, MOST_POSITIONS, &n));
    p->net->shape.vocabulary = NW__NONE;
    NW__TRY(nw__parse_size(p, input, "vocabulary", 1, INT32_MAX, &p->net->shape.vocabulary));
    *value = (nw__value){ .form = NW__TOKENS, .positions = n, .width = 1 };
    return NW_OK;
}

static nw_status parse_input(nw__parse *p, const json_t *input)
{
    static const char *const keys[] = { "floats", "sequence", "image", "tokens", "vocabulary", NULL };
    nw_network_shape *shape = &p->net->shape;
    nw__value value = { .form = NW__VECTOR, .positions = 1 };
    size_t forms = 0;
    for (size_t i = 0; i < 4; i++)
        forms += json_object_get(input, keys[i]) != NULL;
    if (!json_is_object(input) || forms != 1)
        return nw__parse_fail(p, "input must be {\"floats\": n}, {\"sequence\": [positions, width]}, {\"image\": [channels, "
                                 "height, width]} or {\"tokens\": n, \"vocabulary\": n}");
    NW__TRY(nw__parse_known(p, input, keys));
    const bool has_tokens = json_object_get(input, "tokens") != NULL;
    if (!has_tokens && json_object_get(input, "vocabulary") != NULL)
        return nw__parse_fail(p, "input.vocabulary goes with input.tokens");
    shape->input = has_tokens ? NW_NETWORK_TOKENS : NW_NETWORK_FLOATS;
    if (has_tokens)
        NW__TRY(parse_tokens(p, input, &value));
    if (json_object_get(input, "sequence") != NULL)
        NW__TRY(parse_sequence(p, json_object_get(input, "sequence"), &value));
    if (json_object_get(input, "image") != NULL) {
        shape->input = NW_NETWORK_IMAGE;
        NW__TRY(parse_image(p, json_object_get(input, "image"), &value));
    }
    if (json_object_get(input, "floats") != NULL) {
        value.width = NW__NONE;
        NW__TRY(nw__parse_size(p, input, "floats", 1, NW__LARGEST, &value.width));
    }
    shape->inputs = value.positions * value.width;
    return nw__parse_value(p, &value, &p->current);
}

static nw_status parse_loss(nw__parse *p, const json_t *root)
{
    static const char *const losses[] = { "softmax", "logistic", "squared", "huber" };
    nw_network_shape *shape = &p->net->shape;
    size_t loss = NW__NONE;
    NW__TRY(nw__parse_choice(p, root, "loss", losses, 4, &loss));
    shape->loss = (nw_network_loss)(loss + 1);
    p->net->delta = 1.0;
    NW__TRY(nw__parse_real(p, root, "delta", 1e-6, 1e6, &p->net->delta));
    if (shape->loss != NW_NETWORK_HUBER && json_object_get(root, "delta") != NULL)
        return nw__parse_fail(p, "delta goes with the loss huber");
    const nw__value *end = &p->net->values[p->current];
    if (end->form == NW__IMAGE || end->form == NW__TOKENS)
        return nw__parse_fail(p, "the last layer must give a vector or a sequence: add flatten or mean");
    if (!end->needs_gradient)
        return nw__parse_fail(p, "no layer has parameters");
    shape->positions = end->positions;
    shape->outputs = end->width;
    if (shape->loss == NW_NETWORK_SOFTMAX && shape->outputs < 2)
        return nw__parse_fail(p, "softmax needs 2 outputs at least: one output goes with logistic");
    const size_t all = end->positions * end->width;
    shape->classes = shape->loss == NW_NETWORK_SOFTMAX ? end->positions : shape->loss == NW_NETWORK_LOGISTIC ? all : 0;
    shape->targets = shape->loss >= NW_NETWORK_SQUARED ? all : 0;
    return NW_OK;
}

nw_status nw__network_check_norms(const nw_network *net, nw_error *err, const char *function)
{
    for (size_t i = 0; i < net->n_parameters; i++) {
        const nw__parameter *parameter = &net->parameters[i];
        if (parameter->n_uses == 0)
            return nw__fail(err, NW_E_UNSUPPORTED, function, "parameter %s is not used by any layer", parameter->name);
        for (size_t k = 0; k < parameter->n_uses; k++) {
            const nw__layer *layer = net->ops[parameter->uses[k].op].layer;
            if (layer->kinds[parameter->uses[k].slot] == 0)
                return nw__fail(err, NW_E_UNSUPPORTED, function, "parameter %s has no per-example norms in a layer %s",
                    parameter->name, layer->type);
        }
    }
    return NW_OK;
}

nw_status nw__network_parse(nw_network *net, const char *model, nw_error *err, const char *function)
{
    static const char *const keys[] = { "input", "layers", "loss", "delta", NULL };
    json_error_t where;
    nw__parse p = { .net = net, .err = err, .function = function };
    json_t *root = json_loads(model, JSON_REJECT_DUPLICATES, &where);
    if (root == NULL)
        return nw__fail(err, NW_E_ARG, function, "model: line %d: %s", where.line, where.text);
    nw_status status = json_is_object(root) ? NW_OK : nw__parse_fail(&p, "model must be a JSON object");
    if (status == NW_OK)
        status = nw__parse_known(&p, root, keys);
    if (status == NW_OK)
        status = parse_input(&p, json_object_get(root, "input"));
    if (status == NW_OK)
        status = parse_layers(&p, json_object_get(root, "layers"), "", 0);
    if (status == NW_OK)
        status = parse_loss(&p, root);
    if (status == NW_OK)
        status = nw__network_check_norms(net, err, function);
    if (status == NW_OK) {
        net->model = json_dumps(root, JSON_COMPACT | JSON_SORT_KEYS);
        status = net->model != NULL ? NW_OK : nw__fail_memory(err, function);
    }
    json_decref(root);
    return status;
}
