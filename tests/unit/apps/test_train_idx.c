/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
/* test_train_idx.c - idx files as nw-train reads them: what is right, and every way in which they can be wrong. */
#include "common/exit.h"
#include "train/idx.h"

#include <math.h>
#include <setjmp.h>
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

enum { IMAGES = 5, SIDE_Y = 3, SIDE_X = 4, WIDTH = SIDE_Y * SIDE_X, IMAGE_BYTES = 16 + IMAGES * WIDTH, LABEL_BYTES = 8 + IMAGES };

static char folder[64];

/* The bytes of two good files, for a test to spoil. */
typedef struct files {
    uint8_t images[IMAGE_BYTES + 1];
    uint8_t labels[LABEL_BYTES + 1];
    size_t image_bytes, label_bytes;
} files;

static files good_files(void)
{
    files f = { .images = { 0, 0, 8, 3, 0, 0, 0, IMAGES, 0, 0, 0, SIDE_Y, 0, 0, 0, SIDE_X },
        .labels = { 0, 0, 8, 1, 0, 0, 0, IMAGES, 3, 0, 9, 1, 3 },
        .image_bytes = IMAGE_BYTES,
        .label_bytes = LABEL_BYTES };
    for (size_t i = 16; i < IMAGE_BYTES; i++)
        f.images[i] = (uint8_t)(7 * i);
    return f;
}

static const char *path_of(const char *name)
{
    static char path[128];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    return path;
}

static void write_plain(const char *name, const void *bytes, size_t n)
{
    FILE *file = fopen(path_of(name), "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(bytes, 1, n, file), n);
    assert_int_equal(fclose(file), 0);
}

static void write_gzip(const char *name, const void *bytes, size_t n)
{
    gzFile file = gzopen(path_of(name), "wb");
    assert_non_null(file);
    assert_int_equal(gzwrite(file, bytes, (unsigned)n), n);
    assert_int_equal(gzclose(file), Z_OK);
}

static void remove_files(void)
{
    static const char *const names[] = { "train-images-idx3-ubyte", "train-images-idx3-ubyte.gz", "train-images.idx3-ubyte",
        "train-labels-idx1-ubyte", "train-labels-idx1-ubyte.gz", "t10k-images-idx3-ubyte.gz", "t10k-labels-idx1-ubyte.gz" };
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        unlink(path_of(names[i]));
}

/* Writes the files and reads them: the exit code. */
static int code_of(const files *f)
{
    examples data;
    remove_files();
    write_plain("train-images-idx3-ubyte", f->images, f->image_bytes);
    write_plain("train-labels-idx1-ubyte", f->labels, f->label_bytes);
    const int code = idx_read(&data, folder, IDX_TRAIN, 10);
    examples_free(&data);
    return code;
}

static void check_good(const examples *data, const files *f)
{
    float row[WIDTH];
    assert_int_equal(data->kind, EXAMPLES_PIXELS);
    assert_int_equal(data->count, IMAGES);
    assert_int_equal(data->width, WIDTH);
    assert_int_equal(data->height, SIDE_Y);
    assert_int_equal(data->columns, SIDE_X);
    assert_int_equal(data->channels, 1);
    assert_int_equal(data->classes, 10);
    for (size_t i = 0; i < IMAGES; i++) {
        assert_int_equal(data->labels[i], f->labels[8 + i]);
        examples_row(data, i, row);
        for (size_t k = 0; k < WIDTH; k++)
            assert_true(row[k] == (float)f->images[16 + i * WIDTH + k] / 255.0F);
    }
}

static void idx_read__takes_plain_and_gzip_files_under_their_usual_names(void **state)
{
    static const struct {
        const char *images, *labels;
        idx_part part;
    } cases[] = { { "train-images-idx3-ubyte", "train-labels-idx1-ubyte.gz", IDX_TRAIN },
        { "train-images-idx3-ubyte.gz", "train-labels-idx1-ubyte", IDX_TRAIN },
        { "train-images.idx3-ubyte", "train-labels-idx1-ubyte", IDX_TRAIN },
        { "t10k-images-idx3-ubyte.gz", "t10k-labels-idx1-ubyte.gz", IDX_TEST } };
    const files f = good_files();
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        examples data;
        const bool is_gzip[2] = { strstr(cases[i].images, ".gz") != NULL, strstr(cases[i].labels, ".gz") != NULL };
        remove_files();
        (is_gzip[0] ? write_gzip : write_plain)(cases[i].images, f.images, f.image_bytes);
        (is_gzip[1] ? write_gzip : write_plain)(cases[i].labels, f.labels, f.label_bytes);
        assert_true(idx_has(folder, cases[i].part));
        assert_false(idx_has(folder, cases[i].part == IDX_TRAIN ? IDX_TEST : IDX_TRAIN));
        assert_int_equal(idx_read(&data, folder, cases[i].part, 10), APP_OK);
        check_good(&data, &f);
        examples_free(&data);
    }
}

static void examples_row__brings_rows_to_norm_1_if_asked(void **state)
{
    examples data;
    float row[WIDTH];
    files f = good_files();
    (void)state;
    memset(f.images + 16, 0, WIDTH); /* the first is black */
    assert_int_equal(code_of(&f), APP_OK);
    assert_int_equal(idx_read(&data, folder, IDX_TRAIN, 10), APP_OK);
    data.has_unit_rows = true;
    for (size_t i = 0; i < IMAGES; i++) {
        const uint8_t *pixels = f.images + 16 + i * WIDTH;
        double squares = 0.0;
        examples_row(&data, i, row);
        for (size_t k = 0; k < WIDTH; k++)
            squares += (double)pixels[k] * pixels[k];
        for (size_t k = 0; k < WIDTH; k++)
            assert_true(fabs((double)row[k] - (i == 0 ? 0.0 : pixels[k] / sqrt(squares))) <= 1e-6);
    }
    examples_free(&data);
}

static void examples_smooth__averages_neighbours(void **state)
{
    static const uint8_t expected[3][WIDTH] = { { 64, 32, 0, 0, 32, 16 }, { 0, 16, 32, 16, 0, 32, 64, 32, 0, 16, 32, 16 },
        { 0, 0, 16, 32, 0, 0, 32, 64, 0, 0, 16, 32 } };
    examples data;
    files f = good_files();
    (void)state;
    memset(f.images + 16, 0, IMAGES * WIDTH);
    f.images[16 + 0] = 255;                          /* a corner of the first */
    f.images[16 + WIDTH + 1 * SIDE_X + 2] = 255;     /* inside of the second */
    f.images[16 + 2 * WIDTH + 1 * SIDE_X + 3] = 255; /* at the right of the third, whose next row begins without it */
    memset(f.images + 16 + 3 * WIDTH, 255, WIDTH);   /* all of the fourth */
    assert_int_equal(code_of(&f), APP_OK);
    assert_int_equal(idx_read(&data, folder, IDX_TRAIN, 10), APP_OK);
    assert_true(examples_smooth(&data));
    assert_memory_equal(data.pixels, expected, sizeof expected);
    assert_int_equal(data.pixels[3 * WIDTH + SIDE_X + 1], 255);
    examples_free(&data);
}

static void idx_read__refuses_another_type_or_number_of_dimensions(void **state)
{
    (void)state;
    for (size_t i = 0; i < 4; i++) {
        files f = good_files();
        f.images[i] ^= 1;
        assert_int_equal(code_of(&f), APP_DATA);
        f = good_files();
        f.labels[i] ^= 1;
        assert_int_equal(code_of(&f), APP_DATA);
    }
}

/* Cut anywhere, plain or gzip, a file is refused; so is one that goes on. */
static void idx_read__refuses_files_that_end_early_or_late(void **state)
{
    (void)state;
    for (size_t n = 0; n <= IMAGE_BYTES + 1; n++) {
        files f = good_files();
        f.image_bytes = n;
        assert_int_equal(code_of(&f), n == IMAGE_BYTES ? APP_OK : APP_DATA);
    }
    for (size_t n = 0; n <= LABEL_BYTES + 1; n++) {
        files f = good_files();
        f.label_bytes = n;
        assert_int_equal(code_of(&f), n == LABEL_BYTES ? APP_OK : APP_DATA);
    }
}

static size_t size_of(const char *path)
{
    FILE *file = fopen(path, "rb");
    assert_non_null(file);
    assert_int_equal(fseek(file, 0, SEEK_END), 0);
    const long size = ftell(file);
    fclose(file);
    return (size_t)size;
}

static void idx_read__refuses_gzip_data_that_are_cut_or_damaged(void **state)
{
    const files f = good_files();
    const char *const name = "train-images-idx3-ubyte.gz";
    uint8_t bytes[512];
    (void)state;
    remove_files();
    write_plain("train-labels-idx1-ubyte", f.labels, f.label_bytes);
    write_gzip(name, f.images, f.image_bytes);
    const size_t size = size_of(path_of(name));
    assert_true(size < sizeof bytes);
    FILE *file = fopen(path_of(name), "rb");
    assert_int_equal(fread(bytes, 1, size, file), size);
    fclose(file);
    for (size_t n = 0; n < size; n++) {
        examples data;
        write_plain(name, bytes, n);
        assert_int_equal(idx_read(&data, folder, IDX_TRAIN, 10), APP_DATA);
        examples_free(&data);
    }
    for (size_t i = size - 8; i < size; i++) { /* the checksum and the length */
        examples data;
        bytes[i] ^= 0x40;
        write_plain(name, bytes, size);
        assert_int_equal(idx_read(&data, folder, IDX_TRAIN, 10), APP_DATA);
        examples_free(&data);
        bytes[i] ^= 0x40;
    }
}

static void idx_read__refuses_labels_that_do_not_fit(void **state)
{
    files f = good_files();
    (void)state;
    f.labels[8 + 2] = 10; /* classes are 0 .. 9 */
    assert_int_equal(code_of(&f), APP_DATA);
    f = good_files();
    f.labels[7] = IMAGES - 1; /* one label too few, and the file is as long as it says */
    f.label_bytes = LABEL_BYTES - 1;
    assert_int_equal(code_of(&f), APP_DATA);
}

/* A header may claim any size: no such memory is asked for before the bytes are there. */
static void idx_read__is_not_impressed_by_large_headers(void **state)
{
    (void)state;
    files f = good_files();
    f.images[4] = f.labels[4] = 0x7f;
    assert_int_equal(code_of(&f), APP_DATA);
    f.images[4] = f.labels[4] = 0xff;
    assert_int_equal(code_of(&f), APP_DATA);
    f = good_files();
    f.images[8] = 0x7f;
    assert_int_equal(code_of(&f), APP_DATA);
    f = good_files();
    memset(f.images + 4, 0, 4);
    assert_int_equal(code_of(&f), APP_DATA);
}

static void idx_read__says_which_file_is_not_there(void **state)
{
    examples data;
    const files f = good_files();
    (void)state;
    remove_files();
    assert_int_equal(idx_read(&data, folder, IDX_TRAIN, 10), APP_NO_INPUT);
    examples_free(&data);
    write_plain("train-images-idx3-ubyte", f.images, f.image_bytes);
    assert_int_equal(idx_read(&data, folder, IDX_TRAIN, 10), APP_NO_INPUT);
    examples_free(&data);
    assert_int_equal(idx_read(&data, "/nowhere/at/all", IDX_TRAIN, 10), APP_NO_INPUT);
    examples_free(&data);
}

static int set_up(void **state)
{
    (void)state;
    snprintf(folder, sizeof folder, "/tmp/nw-test-idx-XXXXXX");
    return mkdtemp(folder) == NULL;
}

static int tear_down(void **state)
{
    (void)state;
    remove_files();
    return rmdir(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(idx_read__takes_plain_and_gzip_files_under_their_usual_names),
        cmocka_unit_test(examples_row__brings_rows_to_norm_1_if_asked),
        cmocka_unit_test(examples_smooth__averages_neighbours),
        cmocka_unit_test(idx_read__refuses_another_type_or_number_of_dimensions),
        cmocka_unit_test(idx_read__refuses_files_that_end_early_or_late),
        cmocka_unit_test(idx_read__refuses_gzip_data_that_are_cut_or_damaged),
        cmocka_unit_test(idx_read__refuses_labels_that_do_not_fit),
        cmocka_unit_test(idx_read__is_not_impressed_by_large_headers),
        cmocka_unit_test(idx_read__says_which_file_is_not_there),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
