/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
/* test_train_text.c - texts as nw-train reads them: words, ids and tables. */
#include "common/exit.h"
#include "train/text.h"

#include <setjmp.h>
#include <sodium.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>
/* cmocka wants the headers above first */
#include <cmocka.h>

enum { MOST = 64 };

static char path[64];

/* ---- ids ---- */

/* The id that the definition gives: the first 4 bytes of SipHash-2-4, little-endian, cut to `bits`. */
static uint32_t plain_id(char what, const char *bytes, size_t size, unsigned bits)
{
    unsigned char key[16] = { 'n', 'o', 'i', 's', 'e', 'w', 'r', 'i', 'g', 'h', 't', ' ', 't', 'e', 'x', 't' };
    unsigned char message[80];
    unsigned char hash[8];
    message[0] = (unsigned char)what;
    memcpy(message + 1, bytes, size);
    crypto_shorthash(hash, message, size + 1, key);
    return (uint32_t)((hash[0] + 256.0 * hash[1] + 65536.0 * hash[2] + 16777216.0 * hash[3]) / (double)(1ULL << (32 - bits)));
}

static void check_ids(const text_settings *settings, const char *text, const char *const *expected)
{
    uint32_t ids[MOST];
    const size_t n = text_ids(settings, text, strlen(text), ids);
    size_t i = 0;
    for (; expected[i] != NULL; i++) {
        assert_true(i < n);
        assert_int_equal(ids[i], plain_id(expected[i][0], expected[i] + 1, strlen(expected[i] + 1), settings->bits));
    }
    assert_int_equal(n, i);
}

static void text_ids__splits_words_from_marks_and_blanks(void **state)
{
    const text_settings s = { .bits = 24, .most = MOST };
    (void)state;
    check_ids(&s, "", (const char *const[]){ NULL });
    check_ids(&s, " \t\r ", (const char *const[]){ NULL });
    check_ids(&s, "It is NOT good.", (const char *const[]){ "wit", "wis", "wnot", "wgood", "w.", NULL });
    check_ids(&s, "don't--stop", (const char *const[]){ "wdon't", "w-", "w-", "wstop", NULL });
    check_ids(&s, "a1b2 \xc3\xa9t\xc3\xa9!", (const char *const[]){ "wa1b2", "w\xc3\xa9t\xc3\xa9", "w!", NULL });
}

static void text_ids__a_bag_has_each_id_once(void **state)
{
    text_settings s = { .bits = 24, .most = MOST };
    (void)state;
    check_ids(&s, "a b a", (const char *const[]){ "wa", "wb", "wa", NULL });
    s.is_bag = true;
    check_ids(&s, "a b A", (const char *const[]){ "wa", "wb", NULL });
}

static void text_ids__prefixes_count_characters_not_bytes(void **state)
{
    const text_settings s = { .bits = 24, .prefix = 3, .most = MOST };
    (void)state;
    check_ids(&s, "to tea teapot", (const char *const[]){ "wto", "wtea", "ptea", "wteapot", "ptea", NULL });
    check_ids(&s, "\xc3\xa9t\xc3\xa9s", (const char *const[]){ "w\xc3\xa9t\xc3\xa9s", "p\xc3\xa9t\xc3\xa9", NULL });
    check_ids(&s, "\xe2\x82\xac\xe2\x82\xac", (const char *const[]){ "w\xe2\x82\xac\xe2\x82\xac", NULL });
}

/* Pairs differ by their order and are no words. */
static void text_ids__pairs_have_an_order(void **state)
{
    const text_settings s = { .bits = 24, .has_bigrams = true, .most = MOST };
    uint32_t forth[MOST];
    uint32_t back[MOST];
    (void)state;
    assert_int_equal(text_ids(&s, "good not bad", 12, forth), 5);
    assert_int_equal(text_ids(&s, "not good", 8, back), 3);
    assert_int_equal(forth[0], back[1]);
    assert_int_equal(forth[1], back[0]);
    assert_int_not_equal(forth[2], back[2]);
    assert_int_equal(text_ids(&s, "good not", 8, back), 3);
    assert_int_equal(forth[2], back[2]);
}

static void text_ids__stays_within_its_bounds(void **state)
{
    text_settings s = { .bits = 3, .prefix = 2, .has_bigrams = true, .most = 5 };
    uint32_t ids[6] = { 99, 99, 99, 99, 99, 99 };
    char longest[1000];
    (void)state;
    assert_int_equal(text_ids(&s, "ab cd ef gh ij kl", 17, ids), 5);
    assert_int_equal(ids[5], 99);
    for (size_t i = 0; i < 5; i++)
        assert_true(ids[i] < 8);
    memset(longest, 'x', sizeof longest);
    s = (text_settings){ .bits = 24, .most = 5 };
    assert_int_equal(text_ids(&s, longest, sizeof longest, ids), 1);
    assert_int_equal(ids[0], plain_id('w', longest, 64, 24)); /* the first 64 bytes tell words apart */
}

/* ---- tables ---- */

static void write_table(const char *text, size_t size, bool is_gzip)
{
    gzFile file = gzopen(path, is_gzip ? "wb" : "wbT");
    assert_non_null(file);
    assert_int_equal(gzwrite(file, text, (unsigned)size), size);
    assert_int_equal(gzclose(file), Z_OK);
}

static int code_of(const char *text, const char *target, const char *const *names)
{
    examples data;
    write_table(text, strlen(text), false);
    const int code = text_read(&data, path, target, 2, names, &text_defaults);
    examples_free(&data);
    return code;
}

static void check_table(const examples *data)
{
    int32_t words[4];
    assert_int_equal(data->kind, EXAMPLES_TOKENS);
    assert_int_equal(data->count, 3);
    assert_int_equal(data->width, 65536);
    assert_int_equal(data->labels[0], 1);
    assert_int_equal(data->labels[1], 0);
    assert_int_equal(data->labels[2], 1);
    examples_words(data, 0, 4, words);
    assert_int_equal(words[0], plain_id('w', "good", 4, 16));
    assert_int_equal(words[1], plain_id('w', "film", 4, 16));
    assert_int_equal(words[2], -1);
    assert_int_equal(words[3], -1);
    examples_words(data, 1, 1, words);
    assert_int_equal(words[0], plain_id('w', "awful", 5, 16));
    examples_words(data, 2, 1, words); /* an empty text is a record */
    assert_int_equal(words[0], -1);
}

static void text_read__takes_its_columns_in_any_order(void **state)
{
    static const char *const tables[] = { "sentence\tlabel\ngood film\t1\nawful\t0\n\t1\n",
        "label\tremark\ttext\r\n1\tx\tgood film\r\n\r\n0\t\tawful\r\n1\ty\t", "label\treview\n1\tgood film\n0\tawful\n1\t\n" };
    (void)state;
    for (size_t i = 0; i < 2 * sizeof tables / sizeof *tables; i++) {
        examples data;
        write_table(tables[i / 2], strlen(tables[i / 2]), i % 2 == 1);
        assert_int_equal(text_read(&data, path, "label", 2, NULL, &text_defaults), APP_OK);
        check_table(&data);
        examples_free(&data);
    }
}

static void text_read__takes_labels_by_name(void **state)
{
    static const char *const names[] = { "bad", "fine" };
    examples data;
    static const char text[] = "text\ty\ngood film\tfine\nawful\tbad\n\tfine\n";
    (void)state;
    write_table(text, sizeof text - 1, false);
    assert_int_equal(text_read(&data, path, "y", 2, names, &text_defaults), APP_OK);
    check_table(&data);
    examples_free(&data);
    assert_int_equal(code_of("text\ty\ngood film\tFine\n", "y", names), APP_DATA);
    assert_int_equal(code_of("text\ty\ngood film\t1\n", "y", names), APP_DATA);
}

static void text_read__needs_no_labels_to_predict(void **state)
{
    examples data;
    (void)state;
    write_table("text\na\nb\n", 9, false);
    assert_int_equal(text_read(&data, path, NULL, 2, NULL, &text_defaults), APP_OK);
    assert_int_equal(data.count, 2);
    assert_null(data.labels);
    examples_free(&data);
}

static void text_read__refuses_what_is_no_such_table(void **state)
{
    static const char *const tables[] = { "", "sentence\tlabel\n", "sentence\tlabel\n\n\n", "sentence\tlabel\na\t2\n",
        "sentence\tlabel\na\t-1\n", "sentence\tlabel\na\t\n", "sentence\tlabel\na\t0.5\n", "sentence\tlabel\na\tone\n",
        "sentence\tlabel\na\t1\t1\n", "sentence\tlabel\na 1\n", "sentence\ty\na\t1\n", "label\n1\n", "label\tx\ty\n1\ta\tb\n",
        "sentence\tlabel\na\t99999999999999999999999\n" };
    (void)state;
    for (size_t i = 0; i < sizeof tables / sizeof *tables; i++)
        if (code_of(tables[i], "label", NULL) != APP_DATA)
            fail_msg("table %zu was not refused", i);
    assert_int_equal(code_of("sentence\tsentence\na\t1\n", "sentence", NULL), APP_DATA);
}

static void text_read__refuses_gzip_data_that_are_cut(void **state)
{
    static const char text[] = "sentence\tlabel\ngood film\t1\nawful\t0\n";
    uint8_t bytes[256];
    (void)state;
    write_table(text, sizeof text - 1, true);
    FILE *file = fopen(path, "rb");
    const size_t size = fread(bytes, 1, sizeof bytes, file);
    fclose(file);
    for (size_t n = 0; n < size; n++) {
        examples data;
        file = fopen(path, "wb");
        assert_int_equal(fwrite(bytes, 1, n, file), n);
        fclose(file);
        assert_int_equal(text_read(&data, path, "label", 2, NULL, &text_defaults), APP_DATA);
        examples_free(&data);
    }
}

/* Lines longer than the buffer, and records over its end. */
static void text_read__lines_do_not_depend_on_the_buffer(void **state)
{
    enum { ROWS = 300 };
    text_settings s = { .bits = 24, .most = 8 };
    uint32_t ids[8];
    examples data;
    gzFile file = gzopen(path, "wb");
    (void)state;
    assert_int_equal(gzbuffer(file, 1 << 19), 0); /* gzprintf writes no more at once */
    gzputs(file, "sentence\tlabel\n");
    for (unsigned i = 0; i < ROWS; i++)
        gzprintf(file, "w%u%*s\t%u\n", i, (int)(i * i % 5000), "v", i % 2);
    gzprintf(file, "last%*s\t1\n", 200000, "v");
    assert_int_equal(gzclose(file), Z_OK);
    assert_int_equal(text_read(&data, path, "label", 2, NULL, &s), APP_OK);
    assert_int_equal(data.count, ROWS + 1);
    for (unsigned i = 0; i < ROWS; i++) {
        char text[32];
        snprintf(text, sizeof text, i * i % 5000 <= 1 ? "w%uv" : "w%u v", i);
        assert_int_equal(data.labels[i], i % 2);
        assert_int_equal(data.starts[i + 1] - data.starts[i], text_ids(&s, text, strlen(text), ids));
        assert_memory_equal(data.ids + data.starts[i], ids, (data.starts[i + 1] - data.starts[i]) * sizeof *ids);
    }
    assert_int_equal(data.starts[ROWS + 1] - data.starts[ROWS], 2);
    examples_free(&data);
}

static int set_up(void **state)
{
    (void)state;
    snprintf(path, sizeof path, "/tmp/nw-test-text-XXXXXX");
    const int fd = mkstemp(path);
    return sodium_init() < 0 || fd < 0 || close(fd) != 0;
}

static int tear_down(void **state)
{
    (void)state;
    return unlink(path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(text_ids__splits_words_from_marks_and_blanks),
        cmocka_unit_test(text_ids__a_bag_has_each_id_once),
        cmocka_unit_test(text_ids__prefixes_count_characters_not_bytes),
        cmocka_unit_test(text_ids__pairs_have_an_order),
        cmocka_unit_test(text_ids__stays_within_its_bounds),
        cmocka_unit_test(text_read__takes_its_columns_in_any_order),
        cmocka_unit_test(text_read__takes_labels_by_name),
        cmocka_unit_test(text_read__needs_no_labels_to_predict),
        cmocka_unit_test(text_read__refuses_what_is_no_such_table),
        cmocka_unit_test(text_read__refuses_gzip_data_that_are_cut),
        cmocka_unit_test(text_read__lines_do_not_depend_on_the_buffer),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
