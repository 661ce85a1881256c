/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
/* network_step.c - steps: a batch cut into micro-batches, each of them forward and backward, and what becomes of the gradients.
 * */
#include "dpsgd_internal.h"
#include "layers_internal.h"

#include <math.h>
#include <stdlib.h>

/* ---- arguments, memory ---- */

static nw_status check_data(
    const nw_network *net, const nw_network_data *data, bool with_labels, const char *function, nw_error *err)
{
    const nw_network_shape *shape = &net->shape;
    if (data == NULL)
        return nw__fail(err, NW_E_ARG, function, "data is NULL");
    if (data->copies == 0)
        return nw__fail(err, NW_E_ARG, function, "data->copies is 0, must be at least 1");
    if (shape->input == NW_NETWORK_TOKENS ? data->tokens == NULL : data->values == NULL)
        return nw__fail(err, NW_E_ARG, function, "data->%s is NULL", shape->input == NW_NETWORK_TOKENS ? "tokens" : "values");
    if (with_labels && (shape->classes > 0 ? data->classes == NULL : data->targets == NULL))
        return nw__fail(err, NW_E_ARG, function, "data->%s is NULL", shape->classes > 0 ? "classes" : "targets");
    return NW_OK;
}

/* Makes room for micro-batches of so many records. */
static nw_status make_room(nw_network *net, nw__mode mode, size_t records, size_t copies, const char *function, nw_error *err)
{
    nw__plan *plan = &net->plans[mode];
    const size_t examples = records * copies;
    const size_t tokens = net->shape.input == NW_NETWORK_TOKENS ? examples * net->shape.inputs : 0;
    NW__TRY(nw__network_plan_make(net, mode, err, function));
    NW__TRY(nw__network_plan_place(net, mode, examples > plan->examples ? examples : plan->examples, err, function));
    if (records > net->loss_capacity) {
        nw__free_wiped(net->losses, net->loss_capacity * sizeof *net->losses);
        net->losses = nw__calloc(records, sizeof *net->losses);
        net->loss_capacity = net->losses == NULL ? 0 : records;
    }
    if (tokens > net->token_capacity) {
        nw__free_wiped(net->tokens, net->token_capacity * sizeof *net->tokens);
        net->tokens = nw__calloc(tokens, sizeof *net->tokens);
        net->token_capacity = net->tokens == NULL ? 0 : tokens;
    }
    if (net->loss_capacity < records || net->token_capacity < tokens)
        return nw__fail_memory(err, function);
    const size_t bytes = nw__network_bytes(net);
    net->peak_bytes = bytes > net->peak_bytes ? bytes : net->peak_bytes;
    return NW_OK;
}

/* The largest power of two of records that the memory allows: group sizes are powers of two, too. */
static size_t find_limit(nw_network *net, nw__mode mode, size_t copies)
{
    nw__plan *plan = &net->plans[mode];
    const size_t placed = plan->examples;
    if (plan->limit > 0 && plan->limit_copies == copies)
        return plan->limit;
    size_t limit = 1;
    while (limit < (size_t)1 << 20 && nw__network_plan_bytes(net, mode, 2 * limit * copies) <= net->memory_bytes)
        limit *= 2;
    (void)nw__network_plan_bytes(net, mode, placed); /* offsets as they were */
    plan->limit = limit;
    plan->limit_copies = copies;
    return limit;
}

static nw_status limit_of(nw_network *net, nw__mode mode, size_t copies, size_t *limit, const char *function, nw_error *err)
{
    NW__TRY(nw__network_plan_make(net, mode, err, function));
    *limit = find_limit(net, mode, copies);
    return NW_OK;
}

/* Keeping all output gradients, unless the memory is too small for that and allows more examples without. */
static nw_status choose_mode(nw_network *net, nw__mode *mode, size_t *limit, const char *function, nw_error *err)
{
    enum { ENOUGH = 16 };
    *mode = NW__BOOKKEPT;
    if (net->has_differences)
        return limit_of(net, NW__DIFFERENCE, net->copies, limit, function, err);
    NW__TRY(limit_of(net, NW__BOOKKEPT, net->copies, limit, function, err));
    if (*limit >= ENOUGH || nw__network_plan_bytes(net, NW__BOOKKEPT, *limit * net->copies) <= net->memory_bytes)
        return NW_OK;
    *mode = NW__TWO_PASS;
    return limit_of(net, NW__TWO_PASS, net->copies, limit, function, err);
}

static void add_losses(const nw__pass *pass, double *loss)
{
    for (size_t i = 0; loss != NULL && i < pass->records; i++)
        *loss += pass->net->losses[i];
}

static nw__pass next_pass(
    nw_network *net, nw__mode mode, const nw_network_data *data, const uint32_t *indices, size_t first, size_t records)
{
    return (nw__pass){ .net = net,
        .mode = mode,
        .data = data,
        .indices = indices == NULL ? NULL : indices + first,
        .first = first,
        .records = records,
        .examples = records * data->copies,
        .weights = (const float *const *)net->pointers };
}

/* ---- with privacy ---- */

typedef nw_status take_function(nw_dpsgd *, size_t, const nw_dpsgd_use *, size_t, nw_error *);

/* Hands all uses of a parameter to nw_dpsgd_norms or nw_dpsgd_accumulate. */
static nw_status take_parameter(const nw__pass *pass, nw_dpsgd *dpsgd, size_t i, take_function *take, nw_error *err)
{
    const nw__parameter *parameter = &pass->net->parameters[i];
    for (size_t k = 0; k < parameter->n_uses; k++)
        pass->net->uses[k] = nw__pass_use(pass, parameter->uses[k]);
    return take(dpsgd, parameter->handle, pass->net->uses, parameter->n_uses, err);
}

/* One backward pass, with each parameter handed on as soon as all is there that it needs. */
static nw_status backward_taking(const nw__pass *pass, nw_dpsgd *dpsgd, take_function *take, nw_error *err)
{
    nw_network *net = pass->net;
    nw__pass_loss(pass, true);
    for (size_t i = net->n_ops; i-- > 0;) {
        const nw__op *op = &net->ops[i];
        nw__pass_prepare(pass, i);
        for (size_t slot = 0; slot < op->n_parameters; slot++)
            if (net->parameters[op->parameters[slot]].n_uses == 1)
                NW__TRY(take_parameter(pass, dpsgd, op->parameters[slot], take, err));
        nw__pass_backward(pass, i);
    }
    for (size_t i = 0; i < net->n_parameters; i++)
        if (net->parameters[i].n_uses > 1)
            NW__TRY(take_parameter(pass, dpsgd, i, take, err));
    return NW_OK;
}

static nw_status private_batch(const nw__pass *pass, nw_dpsgd *dpsgd, double *loss, nw_error *err)
{
    NW__TRY(nw_dpsgd_begin_batch(dpsgd, pass->records, err));
    nw__pass_gather(pass);
    nw__pass_forward(pass);
    NW__TRY(backward_taking(pass, dpsgd, nw_dpsgd_norms, err));
    add_losses(pass, loss);
    NW__TRY(nw_dpsgd_clip(dpsgd, err));
    if (pass->mode == NW__TWO_PASS)
        return backward_taking(pass, dpsgd, nw_dpsgd_accumulate, err);
    for (size_t i = 0; i < pass->net->n_parameters; i++)
        NW__TRY(take_parameter(pass, dpsgd, i, nw_dpsgd_accumulate, err));
    return NW_OK;
}

static nw_status check_step(
    const nw_network *net, const nw_dpsgd *dpsgd, const nw_network_data *data, const char *function, nw_error *err)
{
    if (net == NULL || dpsgd == NULL)
        return nw__fail(err, NW_E_ARG, function, "%s is NULL", net == NULL ? "net" : "dpsgd");
    if (net->registered != dpsgd)
        return nw__fail(err, NW_E_STATE, function, "dpsgd lacks the network's parameters: call nw_network_register");
    NW__TRY(check_data(net, data, true, function, err));
    if (data->copies == net->copies)
        return NW_OK;
    return nw__fail(err, NW_E_ARG, function, "data->copies is %zu, must be %zu as in nw_network_opts", data->copies, net->copies);
}

nw_status nw_network_step_batch(
    nw_network *net, nw_dpsgd *dpsgd, const nw_network_data *data, const uint32_t *indices, size_t n, double *loss, nw_error *err)
{
    nw__mode mode;
    size_t limit;
    NW__TRY(check_step(net, dpsgd, data, __func__, err));
    if (loss != NULL)
        *loss = 0.0;
    NW__TRY(choose_mode(net, &mode, &limit, __func__, err));
    const size_t micro_batch = dpsgd->opts.micro_batch > 0 ? dpsgd->opts.micro_batch : n;
    for (size_t first = 0; first < n; first += micro_batch) {
        const size_t records = n - first < micro_batch ? n - first : micro_batch;
        NW__TRY(make_room(net, mode, records, data->copies, __func__, err));
        const nw__pass pass = next_pass(net, mode, data, indices, first, records);
        NW__TRY(private_batch(&pass, dpsgd, loss, err));
    }
    return NW_OK;
}

nw_status nw_network_step_difference(nw_network *net, const float *const *previous, nw_dpsgd *dpsgd, const nw_network_data *data,
    const uint32_t *indices, size_t n, nw_error *err)
{
    NW__TRY(check_step(net, dpsgd, data, __func__, err));
    if (!net->has_differences)
        return nw__fail(err, NW_E_STATE, __func__, "has_differences is false in nw_network_opts, must be true");
    for (size_t i = 0; i < net->n_parameters; i++)
        if (previous == NULL || previous[i] == NULL)
            return nw__fail(err, NW_E_ARG, __func__, "previous[%zu], of parameter '%s', is NULL", i, net->parameters[i].name);
    const size_t micro_batch = dpsgd->opts.micro_batch > 0 ? dpsgd->opts.micro_batch : n;
    for (size_t first = 0; first < n; first += micro_batch) {
        const size_t records = n - first < micro_batch ? n - first : micro_batch;
        NW__TRY(make_room(net, NW__DIFFERENCE, records, data->copies, __func__, err));
        const nw__pass pass = next_pass(net, NW__DIFFERENCE, data, indices, first, records);
        NW__TRY(nw__difference_batch(&pass, previous, dpsgd, err));
    }
    return NW_OK;
}

nw_status nw_network_micro_batch(nw_network *net, size_t *records, nw_error *err)
{
    nw__mode mode;
    if (net == NULL || records == NULL)
        return nw__fail(err, NW_E_ARG, __func__, "%s is NULL", net == NULL ? "net" : "records");
    return choose_mode(net, &mode, records, __func__, err);
}

nw_status nw_network_register(nw_network *net, nw_dpsgd *dpsgd, nw_error *err)
{
    if (net == NULL || dpsgd == NULL)
        return nw__fail(err, NW_E_ARG, __func__, "%s is NULL", net == NULL ? "net" : "dpsgd");
    for (size_t i = 0; i < net->n_parameters; i++) {
        nw__parameter *p = &net->parameters[i];
        size_t positions = 0;
        for (size_t k = 0; k < p->n_uses; k++)
            positions += net->has_differences ? nw__difference_positions(net, p->uses[k]) : nw__use_positions(net, p->uses[k]);
        NW__TRY(nw_dpsgd_add_parameter(dpsgd, p->name, p->rows, p->cols, positions, p->group, &p->handle, err));
    }
    net->registered = dpsgd;
    return NW_OK;
}

/* ---- without ---- */

static void plain_batch(const nw__pass *pass, double *loss)
{
    nw_network *net = pass->net;
    nw__pass_gather(pass);
    nw__pass_forward(pass);
    nw__pass_loss(pass, true);
    add_losses(pass, loss);
    for (size_t i = net->n_ops; i-- > 0;) {
        const nw__op *op = &net->ops[i];
        nw__pass_prepare(pass, i);
        for (size_t slot = 0; slot < op->n_parameters; slot++) {
            const size_t parameter = op->parameters[slot];
            const nw_dpsgd_use use = nw__pass_use(pass, (nw__use_site){ i, slot });
            const nw__plain plain = { .parameter = &net->parameters[parameter],
                .records = pass->records,
                .threads = net->threads,
                .scratch = net->arena + net->plans[pass->mode].scratch };
            nw__plain_accumulate(&plain, &use, net->gradients[parameter]);
        }
        nw__pass_backward(pass, i);
    }
}

static nw_status zero_gradients(nw_network *net, const char *function, nw_error *err)
{
    const size_t n = net->shape.parameters;
    if (net->gradient_block == NULL)
        net->gradient_block = nw__calloc(n, sizeof *net->gradient_block);
    if (net->gradient_block == NULL)
        return nw__fail_memory(err, function);
    memset(net->gradient_block, 0, n * sizeof *net->gradient_block);
    float *next = net->gradient_block;
    for (size_t i = 0; i < net->n_parameters; i++) {
        net->gradients[i] = next;
        next += net->parameters[i].rows * net->parameters[i].cols;
    }
    return NW_OK;
}

float *const *nw_network_gradients(nw_network *net)
{
    const bool is_private = net->registered != NULL && nw_dpsgd_gradient(net->registered, net->parameters[0].handle) != NULL;
    float *next = net->gradient_block;
    if (!is_private && next == NULL)
        return NULL;
    for (size_t i = 0; i < net->n_parameters; i++) {
        net->gradients[i] = is_private ? nw_dpsgd_gradient(net->registered, net->parameters[i].handle) : next;
        next = is_private ? NULL : next + net->parameters[i].rows * net->parameters[i].cols;
    }
    return net->gradients;
}

nw_status nw_network_plain_step(
    nw_network *net, const nw_network_data *data, const uint32_t *indices, size_t n, double divisor, double *loss, nw_error *err)
{
    size_t limit;
    if (net == NULL)
        return nw__fail(err, NW_E_ARG, __func__, "net is NULL");
    if (!(divisor > 0.0 && divisor < INFINITY))
        return nw__fail(err, NW_E_ARG, __func__, "divisor is %g, must be positive and finite", divisor);
    NW__TRY(check_data(net, data, true, __func__, err));
    NW__TRY(zero_gradients(net, __func__, err));
    NW__TRY(limit_of(net, NW__PLAIN, data->copies, &limit, __func__, err));
    if (loss != NULL)
        *loss = 0.0;
    for (size_t first = 0; first < n; first += limit) {
        const size_t records = n - first < limit ? n - first : limit;
        NW__TRY(make_room(net, NW__PLAIN, records, data->copies, __func__, err));
        const nw__pass pass = next_pass(net, NW__PLAIN, data, indices, first, records);
        plain_batch(&pass, loss);
    }
    const float factor = (float)(1.0 / divisor);
    for (size_t i = 0; i < net->shape.parameters; i++)
        net->gradient_block[i] *= factor;
    return NW_OK;
}

nw_status nw_network_forward(nw_network *net, const nw_network_data *data, const uint32_t *indices, size_t n, float *outputs,
    double *losses, nw_error *err)
{
    size_t limit;
    if (net == NULL)
        return nw__fail(err, NW_E_ARG, __func__, "net is NULL");
    NW__TRY(check_data(net, data, losses != NULL, __func__, err));
    NW__TRY(limit_of(net, NW__FORWARD, data->copies, &limit, __func__, err));
    const size_t floats = data->copies * net->shape.positions * net->shape.outputs;
    for (size_t first = 0; first < n; first += limit) {
        const size_t records = n - first < limit ? n - first : limit;
        NW__TRY(make_room(net, NW__FORWARD, records, data->copies, __func__, err));
        const nw__pass pass = next_pass(net, NW__FORWARD, data, indices, first, records);
        nw__pass_gather(&pass);
        nw__pass_forward(&pass);
        if (outputs != NULL)
            memcpy(outputs + first * floats, nw__pass_outputs(&pass), records * floats * sizeof *outputs);
        if (losses != NULL) {
            nw__pass_loss(&pass, false);
            memcpy(losses + first, net->losses, records * sizeof *losses);
        }
    }
    return NW_OK;
}
