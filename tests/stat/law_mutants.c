/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
#include "law_mutants.h"
#include "laws.h"
#include "need.h"
#include "vectors.h"

#include <math.h>
#include <nw/testing.h>
#include <stdlib.h>

enum { DRAWS = 2500000, BATCH = 4096, END = 41, ROUNDS = 24000 };

static void plant(const law_case *c, const law *l, int64_t *x, size_t n)
{
    const int64_t end = (int64_t)(4.0 * l->scale);
    for (size_t i = 0; i < n; i++) {
        switch (c->fault) {
        case LAW_SCALED: x[i] = (int64_t)llround(c->factor * (double)x[i]); break;
        case LAW_TAIL_CUT: x[i] = x[i] > end ? end : x[i] < -end ? -end : x[i]; break;
        case LAW_TRUNCATED: x[i] -= x[i] > 0 && i % 2 == 0; break;
        case LAW_ZERO_TWICE: x[i] = i % 400 == 1 ? 0 : x[i]; break;
        case LAW_SIGN_LOST_AT_END: x[i] = i >= n - n / 100 ? llabs(x[i]) : x[i]; break;
        case LAW_REPEATED: x[i] = x[0]; break;
        case LAW_REORDERED: break; /* planted in each batch */
        }
    }
}

/* What lies beyond 3.2 sigma is always flagged: it goes to the end. */
static void reorder(const law *l, int64_t batch[BATCH])
{
    int64_t moved[BATCH];
    size_t front = 0;
    size_t back = BATCH;
    for (size_t i = 0; i < BATCH; i++) {
        if (fabs((double)batch[i]) > 3.2 * l->scale)
            moved[--back] = batch[i];
        else
            moved[front++] = batch[i];
    }
    memcpy(batch, moved, sizeof moved);
}

/* The last hundredth of many batches. */
static size_t draw_ends(const law *l, const nw_noise *noise, nw_rng *rng, bool is_planted, int64_t *x)
{
    int64_t batch[BATCH];
    for (size_t r = 0; r < ROUNDS; r++) {
        need(nw_noise_fill(noise, rng, batch, BATCH, NULL) == NW_OK);
        if (is_planted)
            reorder(l, batch);
        memcpy(x + r * END, batch + BATCH - END, END * sizeof *batch);
    }
    return (size_t)ROUNDS * END;
}

bool noise_law__is_rejected(const void *context, bool is_planted)
{
    const law_case *c = context;
    json_t *vectors = load_vectors("sampler.json");
    nw_noise *noise = NULL;
    nw_rng *rng = NULL;
    size_t n = DRAWS;
    law l;
    int64_t *x = calloc(DRAWS, sizeof *x);
    need(x != NULL && law_get(vectors, c->kind, c->entry, &l));
    need(nw_rng_new_insecure_seeded(&rng, 31, NULL) == NW_OK);
    need(nw_noise_new(&noise, l.kind, l.scale, NULL) == NW_OK);
    if (c->fault == LAW_REORDERED) {
        n = draw_ends(&l, noise, rng, is_planted, x);
    } else {
        need(nw_noise_fill(noise, rng, x, n, NULL) == NW_OK);
        if (is_planted)
            plant(c, &l, x, n);
    }
    const double departure = law_departure(&l, x, n);
    nw_noise_free(noise);
    nw_rng_free(rng);
    free(x);
    json_decref(vectors);
    return departure >= LAW_LIMIT;
}
