/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
/* test_query_file.c - answers to queries in measurement files: written, read and fitted again, and files that somebody else
 * wrote. */
#include "query_support.h"

#include <sodium.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* A file made by the room and read again; with `from`, its first such text replaced by `to` and the file sealed again. */
static nw_status reread(const nw_synth_measurements *measured, const char *from, const char *to, nw_synth_measurements **out)
{
    char path[] = "/tmp/nw-queries-XXXXXX";
    const int fd = mkstemp(path);
    assert_true(fd >= 0);
    close(fd);
    assert_int_equal(nw_synth_measurements_write(measured, path, NULL), NW_OK);
    if (from != NULL) {
        static uint8_t bytes[1 << 20];
        static uint8_t edited[1 << 20];
        FILE *file = fopen(path, "rb");
        const size_t n = fread(bytes, 1, sizeof bytes, file);
        fclose(file);
        const uint8_t *at = memmem(bytes, n, from, strlen(from));
        assert_non_null(at);
        const size_t head = (size_t)(at - bytes);
        const size_t tail = n - 32 - head - strlen(from);
        memcpy(edited, bytes, head);
        memcpy(edited + head, to, strlen(to));
        memcpy(edited + head + strlen(to), at + strlen(from), tail);
        const size_t size = head + strlen(to) + tail;
        crypto_generichash(edited + size, 32, edited, size, NULL, 0);
        file = fopen(path, "wb");
        assert_int_equal(fwrite(edited, 1, size + 32, file), size + 32);
        fclose(file);
    }
    const nw_status status = nw_synth_measurements_read(out, schema, path, NULL);
    unlink(path);
    return status;
}

/* Written and read: the same list, the same choices, the same counts, and so the same table. */
static void synth_measurements_write__keeps_queries_and_answers(void **state)
{
    (void)state;
    nw_queries *q = make_queries(false);
    const nw_query_term terms[] = { { X, 2, 9 }, { D, 1, 2 } };
    assert_int_equal(nw_queries_add_conjunction(q, terms, 2, C, NULL), NW_OK);
    nw_table *table = make_table(0, 500);
    nw_synth_opts o = options(q, 5.0);
    o.rounds = 2;
    o.per_round = 5;
    o.round_rows = 50;
    nw_synth_measurements *kept[2] = { release(&o, table, 3), NULL };
    uint16_t codes[2][200];
    assert_int_equal(reread(kept[0], NULL, NULL, &kept[1]), NW_OK);
    const nw__query_results *a = &kept[0]->queries;
    const nw__query_results *b = &kept[1]->queries; /* ten of them */
    assert_int_equal(nw_queries_workloads(b->queries), nw_queries_workloads(q));
    assert_memory_equal(b->queries->terms, q->terms, q->term_count * sizeof *q->terms);
    assert_memory_equal(b->queries->thetas, q->thetas, q->theta_count * q->columns * sizeof *q->thetas);
    for (size_t i = 0; i < 10; i++) {
        size_t workload;
        double sigma;
        const int64_t *counts = nw_synth_measurements_answer(kept[1], i, &workload, &sigma);
        assert_int_equal(workload, a->chosen[i]);
        assert_true(sigma == a->sigma[i]);
        assert_memory_equal(counts, a->counts[i], q->workloads[workload].cells * sizeof *counts);
    }
    for (int i = 0; i < 2; i++) {
        nw_synth_fit_opts f = NW_SYNTH_FIT_OPTS_INIT;
        nw_table *out = NULL;
        nw_rng *rng = seeded(8);
        f.rows = 200;
        assert_int_equal(nw_synth_fit(kept[i], rng, &f, &out, NULL), NW_OK);
        assert_int_equal(nw_table_get(out, X, 0, 200, codes[i], NULL), NW_OK);
        nw_table_free(out);
        nw_rng_free(rng);
    }
    assert_memory_equal(codes[0], codes[1], sizeof codes[0]);
    nw_synth_measurements_free(kept[0]);
    nw_synth_measurements_free(kept[1]);
    nw_table_free(table);
    nw_queries_free(q);
}

static void synth_measurements_read__refuses_malformed_queries(void **state)
{
    (void)state;
    static const char *const edits[][2] = { { "\"marginals\"", "\"margarine\"" }, { "\"count\":20", "\"count\":-1" },
        { "\"count\":20", "\"count\":4294967295" }, { "\"levels\":3", "\"levels\":99" },
        { "\"measured\":[0,1", "\"measured\":[1,1" }, { "\"measured\":[0,1", "\"measured\":[0,9999" },
        { "\"measured\":[0,1", "\"measured\":[0" }, { "\"lists\":[", "\"lists\":[3," }, { "[0,2,9]", "[0,9,2]" },
        { "[0,2,9]", "[77,2,9]" }, { "\"label\":1", "\"label\":0" }, { "\"terms\":[", "\"terms\":[7,7,7,7,7,7,7," } };
    nw_queries *q = make_queries(false);
    const nw_query_term terms[] = { { X, 2, 9 }, { D, 1, 2 } };
    const size_t read[] = { Y };
    assert_int_equal(nw_queries_add_conjunction(q, terms, 2, C, NULL), NW_OK);
    nw_table *table = make_table(0, 50);
    nw_synth_opts o = options(q, 5.0);
    nw_synth_measurements *measured = release(&o, table, 3);
    for (size_t i = 0; i < sizeof edits / sizeof *edits; i++) {
        nw_synth_measurements *out = NULL;
        if (reread(measured, edits[i][0], edits[i][1], &out) != NW_E_FORMAT)
            fail_msg("%s", edits[i][1]);
        assert_null(out);
    }
    nw_synth_measurements_free(measured);
    assert_int_equal(nw_queries_add_predicate(q, half, NULL, read, 1, NULL), NW_OK);
    measured = release(&o, table, 3);
    assert_int_equal(nw_synth_measurements_write(measured, "/tmp/nw-never-written", NULL), NW_E_UNSUPPORTED);
    nw_synth_measurements_free(measured);
    nw_table_free(table);
    nw_queries_free(q);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(synth_measurements_write__keeps_queries_and_answers),
        cmocka_unit_test(synth_measurements_read__refuses_malformed_queries),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
