/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
/* dpsgd.c - private training in a loop of one's own: a network of one hidden layer in plain C, which learns who is inside of a
 * ring. Of the library it has the batches, what they cost, and the private gradients. */
#include <math.h>
#include <noisewright.h>
#include <stdio.h>
#include <stdlib.h>

#define TRY(call)                                                                                                                \
    do {                                                                                                                         \
        if ((call) != NW_OK) {                                                                                                   \
            fprintf(stderr, "%s: %s\n", err.function, err.message);                                                              \
            exit(1);                                                                                                             \
        }                                                                                                                        \
    } while (0)

enum { RECORDS = 6000, INPUTS = 2, HIDDEN = 24, STEPS = 200, PARAMETERS = 4, CELLS = HIDDEN * INPUTS + HIDDEN + HIDDEN + 1 };
static const double EXPECTED_BATCH = 300.0;
static const double EPSILON = 3.0;
static const double DELTA = 1e-5;
static const float RATE = 2.0f;

static nw_error err;

typedef struct network {
    float w1[HIDDEN * INPUTS], b1[HIDDEN], w2[HIDDEN], b2[1];
} network;

/* What a backward pass has anyway: inputs of layers and gradients of their outputs, of each example's own loss. */
typedef struct activations {
    float x[RECORDS * INPUTS], hidden[RECORDS * HIDDEN], hidden_grad[RECORDS * HIDDEN], out_grad[RECORDS];
} activations;

static float predict(const network *net, const float *x, float *hidden)
{
    float out = net->b2[0];
    for (size_t h = 0; h < HIDDEN; h++) {
        hidden[h] = tanhf(net->w1[h * INPUTS] * x[0] + net->w1[h * INPUTS + 1] * x[1] + net->b1[h]);
        out += net->w2[h] * hidden[h];
    }
    return out;
}

static void forward_and_backward(
    const network *net, const float *points, const float *labels, const uint32_t *batch, size_t n, activations *a)
{
    for (size_t i = 0; i < n; i++) {
        float *x = a->x + i * INPUTS;
        float *hidden = a->hidden + i * HIDDEN;
        x[0] = points[batch[i] * INPUTS];
        x[1] = points[batch[i] * INPUTS + 1];
        const float out = predict(net, x, hidden);
        a->out_grad[i] = 1.0f / (1.0f + expf(-out)) - labels[batch[i]]; /* of the logistic loss: no division by n */
        for (size_t h = 0; h < HIDDEN; h++)
            a->hidden_grad[i * HIDDEN + h] = a->out_grad[i] * net->w2[h] * (1.0f - hidden[h] * hidden[h]);
    }
}

/* One private gradient of a batch, which may be empty; in `gradients` afterwards. */
static void private_gradient(nw_dpsgd *d, nw_rng *rng, size_t n, const activations *a, float *const *gradients)
{
    const nw_dpsgd_use uses[PARAMETERS] = {
        { .kind = NW_DPSGD_LINEAR, .positions = 1, .input = a->x, .grad = a->hidden_grad },
        { .kind = NW_DPSGD_BIAS, .positions = 1, .grad = a->hidden_grad },
        { .kind = NW_DPSGD_LINEAR, .positions = 1, .input = a->hidden, .grad = a->out_grad },
        { .kind = NW_DPSGD_BIAS, .positions = 1, .grad = a->out_grad },
    };
    TRY(nw_dpsgd_begin_step(d, rng, &err));
    TRY(nw_dpsgd_begin_batch(d, n, &err));
    for (size_t p = 0; p < PARAMETERS; p++)
        TRY(nw_dpsgd_norms(d, p, &uses[p], 1, &err));
    TRY(nw_dpsgd_clip(d, &err));
    for (size_t p = 0; p < PARAMETERS; p++)
        TRY(nw_dpsgd_accumulate(d, p, &uses[p], 1, &err));
    TRY(nw_dpsgd_finish_step(d, gradients, &err));
}

/* What the run costs with so much noise: calibration asks this, and the ledger is told the same. */
static nw_status run_event(nw_event **out, double noise_multiplier, const void *batches, nw_error *e)
{
    nw_event *step = NULL;
    const nw_sensitivity one = { 1.0, NW_ADD_REMOVE };
    nw_status status = nw_event_noise(&step, NW_EVENT_ROUNDED_GAUSSIAN, noise_multiplier, one, CELLS, e);
    if (status == NW_OK)
        status = nw_batches_event(batches, step, STEPS, out, e);
    nw_event_free(step);
    return status;
}

static nw_dpsgd *new_dpsgd(double noise_multiplier)
{
    nw_dpsgd *d = NULL;
    size_t p = 0;
    nw_dpsgd_opts options = NW_DPSGD_OPTS_INIT;
    options.clip_norm = 1.0;
    options.noise_multiplier = noise_multiplier;
    options.expected_batch = EXPECTED_BATCH;
    options.adjacency = NW_ADD_REMOVE;
    TRY(nw_dpsgd_new(&d, &options, &err));
    TRY(nw_dpsgd_add_parameter(d, "hidden weight", HIDDEN, INPUTS, 1, 0, &p, &err));
    TRY(nw_dpsgd_add_parameter(d, "hidden bias", HIDDEN, 1, 1, 0, &p, &err));
    TRY(nw_dpsgd_add_parameter(d, "output weight", 1, HIDDEN, 1, 0, &p, &err));
    TRY(nw_dpsgd_add_parameter(d, "output bias", 1, 1, 1, 0, &p, &err));
    return d;
}

/* A budget that is the run, and nothing else. */
static nw_ledger *new_ledger(const nw_event *run)
{
    nw_ledger *ledger = NULL;
    nw_ledger_opts options = NW_LEDGER_OPTS_INIT;
    options.epsilon = EPSILON;
    options.delta = DELTA;
    options.adjacency = NW_ADD_REMOVE;
    options.schedule = run;
    TRY(nw_ledger_memory(&ledger, &options, &err));
    return ledger;
}

static float uniform(nw_rng *rng)
{
    uint64_t x = 0;
    TRY(nw_rng_uniform(rng, 1 << 20, &x, &err));
    return (float)x / (float)(1 << 19) - 1.0f;
}

static void make_data(nw_rng *rng, float *points, float *labels, network *net)
{
    for (size_t i = 0; i < RECORDS; i++) {
        points[i * INPUTS] = 2.0f * uniform(rng);
        points[i * INPUTS + 1] = 2.0f * uniform(rng);
        labels[i] = hypotf(points[i * INPUTS], points[i * INPUTS + 1]) < 1.5f ? 1.0f : 0.0f;
    }
    for (size_t i = 0; i < HIDDEN * INPUTS; i++)
        net->w1[i] = 2.0f * uniform(rng);
    for (size_t h = 0; h < HIDDEN; h++) {
        net->b1[h] = uniform(rng);
        net->w2[h] = 0.3f * uniform(rng);
    }
    net->b2[0] = 0.0f;
}

static void descend(float *weights, const float *gradient, size_t n)
{
    for (size_t i = 0; i < n; i++)
        weights[i] -= RATE * gradient[i];
}

int main(void)
{
    static float points[RECORDS * INPUTS], labels[RECORDS];
    static activations a;
    static network net, gradient;
    float *const gradients[PARAMETERS] = { gradient.w1, gradient.b1, gradient.w2, gradient.b2 };
    double noise_multiplier = 0.0;
    nw_batches *batches = NULL;
    nw_event *run = NULL;
    nw_rng *rng = NULL;
    nw_receipt receipt;
    uint64_t reservation = 0;
    TRY(nw_rng_new(&rng, &err));
    make_data(rng, points, labels, &net);

    TRY(nw_batches_poisson(&batches, RECORDS, EXPECTED_BATCH / RECORDS, NW_ADD_REMOVE, &err));
    TRY(nw_calibrate(&noise_multiplier, NW_CALIBRATE_LEAST, 0.3, 20.0, EPSILON, DELTA, NW_ADD_REMOVE, run_event, batches, &err));
    TRY(run_event(&run, noise_multiplier, batches, &err));
    nw_dpsgd *d = new_dpsgd(noise_multiplier);
    nw_ledger *ledger = new_ledger(run);
    TRY(nw_dpsgd_reserve(d, batches, STEPS, ledger, "circle", rng, &reservation, &receipt, &err)); /* before the first draw */

    for (size_t step = 0; step < STEPS; step++) {
        const uint32_t *batch = NULL;
        size_t n = 0;
        TRY(nw_batches_next(batches, rng, &batch, &n, &err));
        forward_and_backward(&net, points, labels, batch, n, &a);
        private_gradient(d, rng, n, &a, gradients);
        descend(net.w1, gradient.w1, HIDDEN * INPUTS);
        descend(net.b1, gradient.b1, HIDDEN);
        descend(net.w2, gradient.w2, HIDDEN);
        descend(net.b2, gradient.b2, 1);
    }

    size_t right = 0;
    float hidden[HIDDEN];
    for (size_t i = 0; i < RECORDS; i++)
        right += (predict(&net, points + i * INPUTS, hidden) > 0.0f) == (labels[i] > 0.5f);
    const double accuracy =
        (double)right / RECORDS; /* for the demonstration: a figure about private records is not for release */
    printf("noise multiplier %.3f, accuracy %.1f %% at epsilon %.2f, delta %g\n", noise_multiplier, 100.0 * accuracy,
        receipt.spent_epsilon, receipt.spent_delta);

    nw_ledger_close(ledger);
    nw_dpsgd_free(d);
    nw_event_free(run);
    nw_batches_free(batches);
    nw_rng_free(rng);
    return accuracy > 0.8 ? 0 : 1;
}
