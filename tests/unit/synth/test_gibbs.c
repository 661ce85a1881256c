/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
/* test_gibbs.c - the Gibbs engine's kernel against its formula, evaluated plainly in double. */
#include "../../../mechanisms/synth/gibbs.c" /* the file under test, for its static functions */

#include <nw/testing.h>
#include <setjmp.h>
#include <stdarg.h>
/* cmocka wants the headers above first */
#include <cmocka.h>

enum { COLUMNS = 3, ROWS = 200 };
static uint32_t cells[COLUMNS] = { 5, 11, 2 };

static size_t below_test(nw_rng *rng, size_t bound)
{
    return (size_t)(nw__rng_u64(rng) % bound);
}

typedef struct fixture {
    nw__plan plan;
    nw__reference reference;
    nw__marginal marginals[6];
    float *log_p[COLUMNS];
    uint16_t codes[COLUMNS * ROWS];
    uint16_t *columns[COLUMNS];
    nw__chain chain;
    nw_rng *rng;
} fixture;

/* Arbitrary noisy counts, arbitrary reference laws, arbitrary rows. */
static void setup(fixture *f)
{
    size_t m = 0;
    memset(f, 0, sizeof *f);
    assert_int_equal(nw_rng_new_insecure_seeded(&f->rng, 11, NULL), NW_OK);
    assert_int_equal(nw__rng_begin(f->rng, NULL), NW_OK);
    for (size_t j = 0; j < COLUMNS; j++) {
        f->marginals[m++] = (nw__marginal){ j, NW__ONE_WAY, cells[j], 1, 7.0 + (double)j, NULL };
        f->log_p[j] = calloc(cells[j], sizeof(float));
        for (uint32_t v = 0; v < cells[j]; v++)
            f->log_p[j][v] = -0.3f * (float)(v + 1);
        f->columns[j] = f->codes + j * ROWS;
        for (size_t r = 0; r < ROWS; r++)
            f->columns[j][r] = (uint16_t)below_test(f->rng, cells[j]);
    }
    f->marginals[m++] = (nw__marginal){ 0, 1, cells[0], cells[1], 3.0, NULL };
    f->marginals[m++] = (nw__marginal){ 1, 2, cells[1], cells[2], 4.0, NULL }; /* the pair (0, 2) is not measured */
    for (size_t i = 0; i < m; i++) {
        const size_t n = (size_t)f->marginals[i].cells_a * f->marginals[i].cells_b;
        f->marginals[i].counts = calloc(n, sizeof(int64_t));
        for (size_t c = 0; c < n; c++)
            f->marginals[i].counts[c] = (int64_t)below_test(f->rng, 60) - 10;
    }
    f->plan = (nw__plan){ .columns = COLUMNS, .cells = cells, .marginals = f->marginals, .marginal_count = m };
    f->reference = (nw__reference){ .total = 300.0, .columns = COLUMNS, .log_p = f->log_p };
    f->chain = (nw__chain){ &f->plan, &f->reference, ROWS, 3, 1.0, f->codes, NULL, NULL, false };
}

static void teardown(fixture *f)
{
    for (size_t i = 0; i < f->plan.marginal_count; i++)
        free(f->marginals[i].counts);
    for (size_t j = 0; j < COLUMNS; j++)
        free(f->log_p[j]);
    nw_rng_free(f->rng);
}

/* log p1(v) - (1/T) sum_m (s_m - y_m N'/n) / sigma_m^2 with row r's cell (r, j) taken out: the comment at the head of gibbs.c. */
static double plain_logit(const fixture *f, size_t j, size_t r, uint32_t v, double temperature)
{
    double logit = (double)f->log_p[j][v];
    for (size_t i = 0; i < f->plan.marginal_count; i++) {
        const nw__marginal *m = &f->marginals[i];
        if (m->a != j && m->b != j)
            continue;
        const size_t k = m->b == NW__ONE_WAY ? SIZE_MAX : m->a == j ? m->b : m->a;
        double count = 0.0;
        for (size_t q = 0; q < ROWS; q++)
            if (q != r && f->columns[j][q] == v && (k == SIZE_MAX || f->columns[k][q] == f->columns[k][r]))
                count += 1.0;
        const uint32_t u = k == SIZE_MAX ? 0 : f->columns[k][r];
        const size_t cell = m->a == j ? (size_t)v * m->cells_b + u : (size_t)u * m->cells_b + v;
        logit -= (count - (double)m->counts[cell] * ROWS / f->reference.total) / (m->sigma * m->sigma * temperature);
    }
    return logit;
}

static void resample_cell__keeps_the_logits_of_the_formula(void **state)
{
    (void)state;
    const double temperature = 0.4;
    fixture f;
    engine e;
    setup(&f);
    assert_true(engine_make(&e, &f.chain, temperature));
    count_all_rows(&e, f.columns, ROWS);
    size_t moved = 0;
    for (int sweep = 0; sweep < 3; sweep++) {
        for (size_t r = 0; r < ROWS; r++) {
            for (size_t j = 0; j < COLUMNS; j++) {
                gather_logits(&e, j, f.columns, r);
                e.scratch[f.columns[j][r]] += e.own_weight[j];
                for (uint32_t v = 0; v < cells[j]; v++)
                    assert_true(fabs((double)e.scratch[v] - plain_logit(&f, j, r, v, temperature)) < 1e-3);
                const uint16_t old = f.columns[j][r];
                resample_cell(&e, j, f.columns, r, (float)below_test(f.rng, 1 << 24) * 0x1p-24f);
                moved += f.columns[j][r] != old;
            }
        }
    }
    assert_true(moved > ROWS); /* the rows did move, so the bookkeeping was exercised */
    engine_clear(&e);
    teardown(&f);
}

static void exp_negative__is_within_its_error_bound(void **state)
{
    (void)state;
    for (int i = 0; i <= 87000; i++) {
        vector x = { 0 };
        x[3] = -(float)i * 1e-3f;
        const double exact = exp((double)x[3]);
        exp_negative(&x);
        assert_true(x[0] == 1.0f);
        if (i < 86900)
            assert_true(fabs((double)x[3] / exact - 1.0) < 1e-6);
    }
    vector far = { -88.0f, -1e30f, -INFINITY, 0.0f };
    exp_negative(&far);
    assert_true(far[0] == 0.0f && far[1] == 0.0f && far[2] == 0.0f && far[3] == 1.0f);
}

static void draw_softmax__has_the_softmax_law(void **state)
{
    (void)state;
    enum { DRAWS = 400000 };
    fixture f;
    engine e;
    double p[11];
    double sum = 0.0;
    size_t seen[11] = { 0 };
    double chi_squared = 0.0;
    setup(&f);
    assert_true(engine_make(&e, &f.chain, 1.0));
    for (int v = 0; v < 11; v++)
        sum += p[v] = exp(-0.25 * v);
    for (int i = 0; i < DRAWS; i++) {
        for (uint32_t v = 0; v < e.padded[1]; v++)
            e.scratch[v] = v < 11 ? 50.0f - 0.25f * (float)v : -INFINITY;
        seen[draw_softmax(&e, 1, (float)i / DRAWS)]++; /* an equidistributed sequence: errors stay near 1 / DRAWS */
    }
    for (int v = 0; v < 11; v++)
        chi_squared += pow((double)seen[v] - DRAWS * p[v] / sum, 2.0) / (DRAWS * p[v] / sum);
    assert_true(chi_squared < 0.01);
    for (uint32_t v = 0; v < e.padded[1]; v++)
        e.scratch[v] = v == 4 ? 0.0f : -INFINITY;
    assert_int_equal(draw_softmax(&e, 1, 0.99999994f), 4);
    engine_clear(&e);
    teardown(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(resample_cell__keeps_the_logits_of_the_formula),
        cmocka_unit_test(exp_negative__is_within_its_error_bound),
        cmocka_unit_test(draw_softmax__has_the_softmax_law),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
