/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
#include "csv_scan.h"
#include "plain_csv.h"
#include "table_support.h"

/* Cuts the bytes into cells with refills of `chunk` bytes and compares every cell, and the error if there is one, with the
 * oracle's. */
static void compare(const char *bytes, size_t n, size_t chunk)
{
    plain_csv plain = plain_csv_parse(bytes, n);
    char path[64];
    const int fd = file_of(bytes, n, path);
    nw__csv csv;
    nw_error err;
    assert_int_equal(nw__csv_open(&csv, path, chunk, &err, "test"), NW_OK);
    for (size_t i = 0; i < plain.count; i++) {
        nw__csv_cell cell;
        if (nw__csv_next(&csv, &cell, &err) != NW_OK)
            fail_msg("cell %zu refused: %s", i, err.message);
        assert_int_equal(cell.stop, plain.cells[i].stop);
        assert_int_equal(cell.is_quoted, plain.cells[i].is_quoted);
        assert_int_equal(cell.length, plain.cells[i].length);
        if (cell.length > 0)
            assert_memory_equal(cell.text, plain.cells[i].text, cell.length);
        csv.column = cell.stop == ',' ? csv.column + 1 : 1;
    }
    if (plain.error != NULL) {
        nw__csv_cell cell;
        char where[64];
        assert_int_equal(nw__csv_next(&csv, &cell, &err), NW_E_FORMAT);
        snprintf(where, sizeof where, "line %zu, column %zu: ", plain.error_line, plain.error_cell);
        if (strncmp(err.message, where, strlen(where)) != 0 || strstr(err.message, plain.error) == NULL)
            fail_msg("\"%s\", expected \"%s%s\"", err.message, where, plain.error);
    }
    nw__csv_close(&csv);
    close(fd);
    plain_csv_free(&plain);
}

static const char *const corpus[] = {"", "\n", "\r\n", "a", "a\n", "a,b\n1,2\n", "a,b\r\n1,2\r\n", "a,b\n1,2", "\"\"", "\"\"\"\"",
    "\"\"\"", "\"a\"", "\"a\"\r\n", "\"a\",\"b\"\n", "\"a\nb\",c\n", "\"a\r\nb\"\r\n\"c\"\"d\"", "\"a,b\"\"\",\n", ",,\n,,\n",
    "a\rb", "a\r", "a\r\r\n", "\"a\"\r", "\"a\"\rx", "x\"y", "\"x\"y", "\"x\" ,y", " \"x\"", "\"x", "a\n\"x\n\ny",
    "a,b\n1,\"2\n3\" 4", "\"a\n\n\"\rx", "\n\n\n", "a\n\n", "\xEF\xBB\xBFx,y\n",
    "abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyz,abcdefghijklmnopqrstuvwxyz\n",
    "\"abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyz\"\"abcdefghijklmnopqrstuvwxyz\",\"\"\n\"\"\"\"\"\"\n"};

static void csv_next__agrees_with_the_plain_parser_at_every_buffer_boundary(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof corpus / sizeof corpus[0]; i++)
        for (size_t chunk = 1; chunk <= 64; chunk++)
            compare(corpus[i], strlen(corpus[i]), chunk);
    for (size_t chunk = 1; chunk <= 8; chunk++) {
        compare("a\0b", 3, chunk);
        compare("\0", 1, chunk);
        compare("\"a\nb\0\"", 6, chunk);
        compare("\"a\"\0", 4, chunk);
        compare("a,b\n1,\0", 7, chunk);
    }
}

/* Random texts of a few bytes that matter, so quotes and line ends meet in every way. */
static void csv_next__agrees_with_the_plain_parser_on_random_bytes(void **state)
{
    (void)state;
    static const char letters[] = "aab,,,\n\n\r\r\n\"\"\"\"\" x";
    nw_rng *rng;
    assert_int_equal(nw_rng_new_insecure_seeded(&rng, 2, NULL), NW_OK);
    for (int i = 0; i < 30000; i++) {
        uint8_t random[201];
        char text[200];
        assert_int_equal(nw_rng_bytes(rng, random, sizeof random, NULL), NW_OK);
        const size_t n = i % 10 == 0 ? random[200] % 200 : random[200] % 16;
        for (size_t j = 0; j < n; j++)
            text[j] = random[j] == 255 ? '\0' : letters[random[j] % (sizeof letters - 1)];
        compare(text, n, 1 + (size_t)random[199] % 70);
    }
    nw_rng_free(rng);
}

/* The same with rows as a writer would quote them, so that long files are well-formed. */
static void csv_next__agrees_with_the_plain_parser_on_long_files(void **state)
{
    (void)state;
    static const char *const cells[] = {
        "1", "23", "", "\"\"", "\"a,b\"", "\"say \"\"x\"\"\"", "\"two\r\nlines\"", "plain words here", "-1.25e-3"};
    nw_rng *rng;
    assert_int_equal(nw_rng_new_insecure_seeded(&rng, 3, NULL), NW_OK);
    static char text[40000];
    for (int i = 0; i < 20; i++) {
        size_t n = 0;
        while (n < 39900) {
            uint64_t r;
            assert_int_equal(nw_rng_uniform(rng, 9 * 8, &r, NULL), NW_OK);
            n += (size_t)sprintf(text + n, "%s%s", cells[r % 9], r / 9 == 0 ? "\r\n" : r / 9 == 1 ? "\n" : ",");
        }
        compare(text, n, (size_t)50 + (size_t)i * 997);
    }
    nw_rng_free(rng);
}

/* The limit is the same wherever the buffer ends: 65536 bytes in the file. */
static void csv_next__limits_cells_to_64_kib(void **state)
{
    (void)state;
    const size_t limit = NW__CSV_MAX_CELL;
    char *text = malloc(limit + 16);
    const size_t chunks[] = {1000, 65535, 65536, 65537, 65538, NW__CSV_CHUNK};
    for (size_t quoted = 0; quoted < 2; quoted++)
        for (size_t size = limit - 2; size <= limit + 2; size++)
            for (size_t end = 0; end < 4; end++)
                for (size_t c = 0; c < 6; c++) {
                    memset(text, 'x', size);
                    if (quoted)
                        text[0] = text[size - 1] = '"';
                    const char *stops[] = {",y", "\n", "\r\n", ""};
                    strcpy(text + size, stops[end]);
                    char path[64];
                    const int fd = file_of(text, size + strlen(stops[end]), path);
                    nw__csv csv;
                    nw__csv_cell cell;
                    nw_error err;
                    assert_int_equal(nw__csv_open(&csv, path, chunks[c], &err, "test"), NW_OK);
                    const nw_status status = nw__csv_next(&csv, &cell, &err);
                    assert_int_equal(status, size <= limit ? NW_OK : NW_E_FORMAT);
                    if (status == NW_OK)
                        assert_int_equal(cell.length, size - 2 * quoted);
                    else
                        assert_non_null(strstr(err.message, "line 1, column 1: the cell is larger than 64 KiB"));
                    nw__csv_close(&csv);
                    close(fd);
                }
    free(text);
}

static void csv_special_mask__finds_each_byte(void **state)
{
    (void)state;
    for (int byte = 0; byte < 256; byte++)
        for (int at = 0; at < 64; at++) {
            char block[64];
            memset(block, byte == 'x' ? 'z' : 'x', sizeof block);
            block[at] = (char)byte;
            const bool is_special = byte == ',' || byte == '\n' || byte == '\r' || byte == '"' || byte == 0;
            assert_true(nw__csv_special_mask(block) == (is_special ? UINT64_C(1) << at : 0));
            assert_true(nw__csv_special_mask_plain(block) == (is_special ? UINT64_C(1) << at : 0));
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(csv_special_mask__finds_each_byte),
        cmocka_unit_test(csv_next__agrees_with_the_plain_parser_at_every_buffer_boundary),
        cmocka_unit_test(csv_next__agrees_with_the_plain_parser_on_random_bytes),
        cmocka_unit_test(csv_next__agrees_with_the_plain_parser_on_long_files),
        cmocka_unit_test(csv_next__limits_cells_to_64_kib),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
