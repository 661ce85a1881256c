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
    nw__marginal marginals[7];
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
        f->marginals[m++] = (nw__marginal){ j, NW__ONE_WAY, cells[j], 1, 7.0 + (double)j, NULL, 0, 0 };
        f->log_p[j] = calloc(cells[j], sizeof(float));
        for (uint32_t v = 0; v < cells[j]; v++)
            f->log_p[j][v] = -0.3f * (float)(v + 1);
        f->columns[j] = f->codes + j * ROWS;
        for (size_t r = 0; r < ROWS; r++)
            f->columns[j][r] = (uint16_t)below_test(f->rng, cells[j]);
    }
    f->marginals[m++] = (nw__marginal){ 0, 1, cells[0], cells[1], 3.0, NULL, 0, 0 };
    f->marginals[m++] = (nw__marginal){ 1, 2, cells[1], cells[2], 4.0, NULL, 0, 0 }; /* the pair (0, 2) is not measured */
    f->marginals[m++] = (nw__marginal){ 0, 1, cells[0], cells[1], 5.0, NULL, 2, cells[2] };
    for (size_t i = 0; i < m; i++) {
        const size_t n = nw__marginal_cells(&f->marginals[i]);
        f->marginals[i].counts = calloc(n, sizeof(int64_t));
        for (size_t c = 0; c < n; c++)
            f->marginals[i].counts[c] = (int64_t)below_test(f->rng, 60) - 10;
    }
    f->plan = (nw__plan){ .columns = COLUMNS, .cells = cells, .marginals = f->marginals, .marginal_count = m };
    f->reference = (nw__reference){ .total = 300.0, .columns = COLUMNS, .log_p = f->log_p };
    f->chain = (nw__chain){ &f->plan, &f->reference, ROWS, 3, 1.0, f->codes, NULL, NULL, false, NULL, NULL };
}

static void teardown(fixture *f)
{
    for (size_t i = 0; i < f->plan.marginal_count; i++)
        free(f->marginals[i].counts);
    for (size_t j = 0; j < COLUMNS; j++)
        free(f->log_p[j]);
    nw_rng_free(f->rng);
}

/* w (s - t N'/n) of the cell of value v, row r's cell (r, j) taken out of s: the comment at the head of gibbs.c. */
static double plain_pull(const fixture *f, const nw__marginal *m, size_t j, size_t r, uint32_t v, double temperature)
{
    const uint32_t sizes[3] = { m->cells_a, m->cells_b, m->cells_c };
    size_t cell = 0;
    double count = 0.0;
    double target = exp((double)f->log_p[j][v]) * f->reference.total;
    double factor = 2.0;
    for (size_t k = 0; k < nw__marginal_ways(m); k++) {
        const size_t column = nw__marginal_column(m, k);
        cell = cell * sizes[k] + (column == j ? v : f->columns[column][r]);
    }
    for (size_t q = 0; q < ROWS; q++) {
        bool is_in = q != r && f->columns[j][q] == v;
        for (size_t k = 0; k < nw__marginal_ways(m); k++) {
            const size_t column = nw__marginal_column(m, k);
            is_in = is_in && (column == j || f->columns[column][q] == f->columns[column][r]);
        }
        count += is_in;
    }
    if (m->b != NW__ONE_WAY) {
        float factors[128];
        assert_int_equal(nw__evidence_make(&f->reference, m, factors, NULL), NW_OK);
        factor = (double)factors[cell];
        target = (double)m->counts[cell];
    }
    return factor * (count - target * ROWS / f->reference.total) / (m->sigma * m->sigma * temperature);
}

static double plain_logit(const fixture *f, size_t j, size_t r, uint32_t v, double temperature, double cool)
{
    double logit = (double)f->log_p[j][v];
    for (size_t i = 0; i < f->plan.marginal_count; i++)
        if (f->plan.marginals[i].a == j || f->plan.marginals[i].b == j || (f->plan.marginals[i].cells_c > 0 && j == 2))
            logit -= cool * plain_pull(f, &f->plan.marginals[i], j, r, v, temperature);
    return logit;
}

static void resample_cell__keeps_the_logits_of_the_formula(void **state)
{
    (void)state;
    const double temperature = 0.4;
    fixture f;
    nw__gibbs e;
    setup(&f);
    assert_int_equal(engine_make(&e, &f.chain, temperature, NULL), NW_OK);
    count_all_rows(&e, f.columns, ROWS);
    size_t moved = 0;
    for (int sweep = 0; sweep < 3; sweep++) {
        e.cool = 0.25f * (float)(1 << sweep); /* 1/4, 1/2, 1 */
        for (size_t r = 0; r < ROWS; r++) {
            for (size_t j = 0; j < COLUMNS; j++) {
                gather_logits(&e, j, f.columns, r);
                for (uint32_t v = 0; v < cells[j]; v++)
                    assert_true(fabs((double)e.scratch[v] - plain_logit(&f, j, r, v, temperature, (double)e.cool)) < 2e-3);
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

/* Two rows of two columns of two codes: 16 tables, whose law can be written down. */
typedef struct tiny {
    nw__plan plan;
    nw__reference reference;
    nw__marginal marginals[3];
    int64_t counts[8]; /* 1-ways, then the 2-way */
    float laws[2][2];
    float *log_p[2];
    uint32_t cells[2];
} tiny;

static void setup_tiny(tiny *t)
{
    *t = (tiny){ .counts = { 3, 1, 2, 2, 2, 1, 0, 1 }, .cells = { 2, 2 } };
    t->laws[0][0] = logf(0.6f);
    t->laws[0][1] = logf(0.4f);
    t->laws[1][0] = logf(0.3f);
    t->laws[1][1] = logf(0.7f);
    for (size_t j = 0; j < 2; j++) {
        t->log_p[j] = t->laws[j];
        t->marginals[j] = (nw__marginal){ j, NW__ONE_WAY, 2, 1, 2.0, t->counts + 2 * j, 0, 0 };
    }
    t->marginals[2] = (nw__marginal){ 0, 1, 2, 2, 1.5, t->counts + 4, 0, 0 };
    t->plan = (nw__plan){ .columns = 2, .cells = t->cells, .marginals = t->marginals, .marginal_count = 3 };
    t->reference = (nw__reference){ .total = 4.0, .columns = 2, .log_p = t->log_p };
}

/* pi of the table whose cell (row, column) is bit 2 * column + row, not normalised. */
static double tiny_weight(const tiny *t, unsigned table, const float factors[4], double temperature)
{
    double s[8] = { 0 };
    double log_pi = 0.0;
    for (unsigned row = 0; row < 2; row++) {
        const unsigned a = table >> row & 1;
        const unsigned b = table >> (2 + row) & 1;
        s[a] += 1.0;
        s[2 + b] += 1.0;
        s[4 + 2 * a + b] += 1.0;
        log_pi += (double)t->laws[0][a] + (double)t->laws[1][b];
    }
    for (unsigned c = 0; c < 4; c++) /* the 1-ways: two rows of four, so that t N'/n = 2 p1 */
        log_pi -= 2.0 / (temperature * 4.0) * 0.5 * pow(s[c] - 2.0 * exp((double)t->laws[c / 2][c % 2]), 2.0);
    for (unsigned c = 0; c < 4; c++)
        log_pi -= (double)factors[c] / (temperature * 2.25) * 0.5 * pow(s[4 + c] - 0.5 * (double)t->counts[4 + c], 2.0);
    return exp(log_pi);
}

static void resample_cell__has_the_law_pi(void **state)
{
    (void)state;
    enum { SWEEPS = 400000 };
    const double temperature = 0.7;
    tiny t;
    nw__gibbs e;
    float factors[4];
    nw_rng *rng = NULL;
    uint16_t codes[4] = { 0 };
    uint16_t *columns[2] = { codes, codes + 2 };
    double seen[16] = { 0 };
    double p[16];
    double sum = 0.0;
    setup_tiny(&t);
    const nw__chain chain = { &t.plan, &t.reference, 2, 1, 1.0, codes, NULL, NULL, false, NULL, NULL };
    assert_int_equal(nw_rng_new_insecure_seeded(&rng, 3, NULL), NW_OK);
    assert_int_equal(nw__rng_begin(rng, NULL), NW_OK);
    assert_int_equal(engine_make(&e, &chain, temperature, NULL), NW_OK);
    assert_int_equal(nw__evidence_make(&t.reference, &t.marginals[2], factors, NULL), NW_OK);
    count_all_rows(&e, columns, 2);
    for (int sweep = 0; sweep < SWEEPS; sweep++) {
        for (size_t row = 0; row < 2; row++)
            for (size_t j = 0; j < 2; j++)
                resample_cell(&e, j, columns, row, (float)(nw__rng_u32(rng) >> 8) * 0x1p-24f);
        seen[codes[0] + 2 * codes[1] + 4 * codes[2] + 8 * codes[3]] += 1.0 / SWEEPS;
    }
    for (unsigned x = 0; x < 16; x++)
        sum += p[x] = tiny_weight(&t, x, factors, temperature);
    /* Sweeps are dependent: as if there were a tenth of them, and 6 standard deviations. A weight w off by a tenth shows. */
    for (unsigned x = 0; x < 16; x++)
        assert_true(fabs(seen[x] - p[x] / sum) < 6.0 * sqrt(p[x] / sum / (SWEEPS / 10.0)));
    engine_clear(&e);
    nw_rng_free(rng);
}

static void cool_of__rises_in_equal_ratios_to_one(void **state)
{
    (void)state;
    tiny t;
    setup_tiny(&t);
    nw__chain chain = { &t.plan, &t.reference, 1000, 5, 1.0, NULL, NULL, NULL, false, NULL, NULL };
    const double temperature = 0.1; /* the first weight is 2 / 1000 of 1 / (T sigma^2) = 1 / 0.225 */
    assert_true(fabs((double)cool_of(&chain, temperature, 0) / (0.002 * 0.225) - 1.0) < 1e-6);
    assert_true(cool_of(&chain, temperature, 4) == 1.0f);
    for (unsigned sweep = 1; sweep < 4; sweep++) {
        const double before = (double)(cool_of(&chain, temperature, sweep) / cool_of(&chain, temperature, sweep - 1));
        const double after = (double)(cool_of(&chain, temperature, sweep + 1) / cool_of(&chain, temperature, sweep));
        assert_true(fabs(after / before - 1.0) < 1e-5);
    }
    chain.is_started = true;
    assert_true(cool_of(&chain, temperature, 0) == 1.0f);
    chain.is_started = false;
    chain.sweeps = 1;
    assert_true(cool_of(&chain, temperature, 0) == 1.0f);
    chain.sweeps = 3;
    chain.rows = 1; /* the noise is larger than the table: no sweep is hotter than the last */
    assert_true(cool_of(&chain, 100.0, 0) == 1.0f);
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
    nw__gibbs e;
    double p[11];
    double sum = 0.0;
    size_t seen[11] = { 0 };
    double chi_squared = 0.0;
    setup(&f);
    assert_int_equal(engine_make(&e, &f.chain, 1.0, NULL), NW_OK);
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
        cmocka_unit_test(resample_cell__has_the_law_pi),
        cmocka_unit_test(cool_of__rises_in_equal_ratios_to_one),
        cmocka_unit_test(exp_negative__is_within_its_error_bound),
        cmocka_unit_test(draw_softmax__has_the_softmax_law),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
