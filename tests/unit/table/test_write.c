/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
#include "table_support.h"

#include <dirent.h>
#include <fcntl.h>
#include <math.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>

static char folder[] = "/tmp/nw-write-XXXXXX";

static int make_folder(void **state)
{
    (void)state;
    return mkdtemp(folder) == NULL;
}

static int remove_folder(void **state)
{
    (void)state;
    return rmdir(folder); /* every test removes what it made, so this fails if the library left anything */
}

static void name_file(char path[128], const char *name)
{
    snprintf(path, 128, "%s/%s", folder, name);
}

static size_t files_in_folder(void)
{
    DIR *d = opendir(folder);
    size_t n = 0;
    while (readdir(d) != NULL)
        n++;
    closedir(d);
    return n - 2; /* . and .. */
}

static nw_rng *seeded(uint64_t seed)
{
    nw_rng *rng;
    assert_int_equal(nw_rng_new_insecure_seeded(&rng, seed, NULL), NW_OK);
    return rng;
}

/* The text of a small file; static. */
static const char *text_of(const char *path)
{
    static char text[65536];
    FILE *file = fopen(path, "rb");
    assert_non_null(file);
    text[fread(text, 1, sizeof text - 1, file)] = '\0';
    fclose(file);
    return text;
}

static void write_to(const nw_table *table, const char *path, uint64_t seed)
{
    nw_rng *rng = seeded(seed);
    nw_error err;
    if (nw_table_write_csv(table, path, rng, &err) != NW_OK)
        fail_msg("%s", err.message);
    nw_rng_free(rng);
}

/* Reads, writes, returns the text written. */
static const char *rewritten(const char *json, uint32_t max_bins, const char *csv)
{
    char path[128];
    name_file(path, "rewritten.csv");
    nw_schema *schema = schema_of(json, max_bins);
    nw_table *table = table_of(schema, csv);
    write_to(table, path, 1);
    nw_table_free(table);
    nw_schema_free(schema);
    const char *text = text_of(path);
    unlink(path);
    return text;
}

/* ---- text ---- */

static void table_write__writes_each_type_as_the_header_says(void **state)
{
    (void)state;
    const char json[] = "{\"age\": {\"type\": \"int\", \"lower\": -5, \"upper\": 90}, \"pay\": {\"type\": \"float\", \"lower\": "
                        "-1, \"upper\": 1, \"step\": 0.05},"
                        " \"sex\": {\"type\": \"categorical\", \"values\": [\"F\", \"M\"]}, \"in\": {\"type\": \"bool\"},"
                        " \"since\": {\"type\": \"date\", \"lower\": \"1999-12-25\", \"upper\": \"2000-03-05\"}, \"region\": 12}";
    assert_string_equal(rewritten(json, 0, "region,age,pay,sex,in,since\n11,-5,.051,M,yes,2000-02-29\r\n0,,,,,\n"),
        "age,pay,sex,in,since,region\n-5,0.05,M,true,2000-02-29,11\n,,,,,0\n");
    assert_string_equal(rewritten(json, 0, "region,age,pay,sex,in,since\n3,0,-1,F,0,1999-12-25\n"),
        "age,pay,sex,in,since,region\n0,-1.00,F,false,1999-12-25,3\n");
}

static void table_write__quotes_what_needs_it(void **state)
{
    (void)state;
    const char json[] = "{\"a, b\": {\"type\": \"categorical\", \"values\": [\"x,y\", \"say \\\"hi\\\"\", \"two\\nlines\", \" "
                        "x\", \"x\\t\", \"a b\", \"\\r\"]}, \"\\uFEFFn\": 2}";
    const char csv[] =
        "\"a, b\",\"\xEF\xBB\xBFn\"\n\"x,y\",0\n\"say \"\"hi\"\"\",0\n\"two\nlines\",0\n\" x\",0\n\"x\t\",0\na b,0\n\"\r\",1\n";
    assert_string_equal(rewritten(json, 0, csv), csv);
    const char *text = rewritten("{\"\\uFEFFn\": 2}", 0, "\"\xEF\xBB\xBFn\"\n1\n"); /* the name begins the file, and is no mark */
    assert_string_equal(text, "\"\xEF\xBB\xBFn\"\n1\n");
}

static void table_write__writes_a_lone_missing_cell_as_quotes(void **state)
{
    (void)state;
    assert_string_equal(rewritten("{\"x\": {\"type\": \"bool\"}}", 0, "x\n\"\"\n1\n\"\"\n"), "x\n\"\"\ntrue\n\"\"\n");
}

static void table_write__writes_the_header_of_an_empty_table(void **state)
{
    (void)state;
    assert_string_equal(rewritten("{\"a\": 3, \"b\": 4}", 0, "b,a\n"), "a,b\n");
}

/* ---- round trip ---- */

static const char *const columns[] = {"12", "65535", "{\"type\": \"bool\"}", "{\"type\": \"bool\", \"nullable\": false}",
    "{\"type\": \"categorical\", \"values\": [\"\\\"\", \",\", \" \", \"\\n\", \"\\r\\n\", \"x\", \"nan\", \"0\"]}",
    "{\"type\": \"int\", \"lower\": -3, \"upper\": 3}",
    "{\"type\": \"int\", \"lower\": -1000000000000000, \"upper\": 1000000000000000}",
    "{\"type\": \"int\", \"lower\": 0, \"upper\": 100000, \"scale\": \"log\"}",
    "{\"type\": \"int\", \"lower\": 3, \"upper\": 100002, \"step\": 7, \"scale\": \"log\"}",
    "{\"type\": \"int\", \"lower\": -30000, \"upper\": 100000, \"scale\": \"log\"}",
    "{\"type\": \"int\", \"lower\": 5, \"upper\": 5}", "{\"type\": \"float\", \"lower\": 0, \"upper\": 1}",
    "{\"type\": \"float\", \"lower\": -0.37, \"upper\": 123.456789}",
    "{\"type\": \"float\", \"lower\": 0, \"upper\": 1e6, \"step\": 0.01}",
    "{\"type\": \"float\", \"lower\": 0, \"upper\": 1e6, \"step\": 0.01, \"scale\": \"log\"}",
    "{\"type\": \"float\", \"lower\": 0.1, \"upper\": 1e6, \"scale\": \"log\"}",
    "{\"type\": \"float\", \"lower\": 0, \"upper\": 1e6, \"scale\": \"log\"}",
    "{\"type\": \"float\", \"lower\": -1e3, \"upper\": 1e6, \"scale\": \"log\"}",
    "{\"type\": \"float\", \"lower\": 1e-280, \"upper\": 3e-280}", "{\"type\": \"float\", \"lower\": -1e300, \"upper\": 2e300}",
    "{\"type\": \"float\", \"lower\": 1e-250, \"upper\": 1e250, \"scale\": \"log\"}",
    "{\"type\": \"float\", \"lower\": 1000000, \"upper\": 1000001}",
    "{\"type\": \"float\", \"lower\": 0, \"upper\": 3e-19, \"step\": 1e-20}",
    "{\"type\": \"float\", \"lower\": 0.005, \"upper\": 1, \"step\": 0.01}",
    "{\"type\": \"date\", \"lower\": \"2000-01-01\", \"upper\": \"2025-12-31\"}",
    "{\"type\": \"date\", \"lower\": \"0001-01-01\", \"upper\": \"9999-12-31\", \"step\": 30}"};
#define COLUMNS (sizeof columns / sizeof columns[0])

static nw_schema *schema_of_all(uint32_t max_bins)
{
    char json[8192] = "{";
    for (size_t i = 0; i < COLUMNS; i++)
        sprintf(json + strlen(json), "%s\"c%zu\": %s", i == 0 ? "" : ", ", i, columns[i]);
    strcat(json, "}");
    return schema_of(json, max_bins);
}

/* Rows with every code of every column: write, read, compare. */
static void round_trip(uint32_t max_bins, size_t rows, const char *name)
{
    char path[128];
    name_file(path, name);
    nw_schema *schema = schema_of_all(max_bins);
    nw_table *table;
    nw_table *back;
    nw_error err;
    assert_int_equal(nw_table_new(&table, schema, rows, &err), NW_OK);
    uint16_t *codes = malloc(rows * sizeof *codes);
    uint16_t *codes_back = malloc(rows * sizeof *codes);
    for (size_t c = 0; c < COLUMNS; c++) {
        for (size_t row = 0; row < rows; row++)
            codes[row] = (uint16_t)((row * 31 + c) % nw_schema_column(schema, c).cells);
        assert_int_equal(nw_table_set(table, c, 0, rows, codes, NULL), NW_OK);
    }
    write_to(table, path, max_bins);
    if (nw_table_read_csv(&back, schema, path, &err) != NW_OK)
        fail_msg("%s", err.message);
    assert_int_equal(nw_table_rows(back), rows);
    for (size_t c = 0; c < COLUMNS; c++) {
        assert_int_equal(nw_table_get(table, c, 0, rows, codes, NULL), NW_OK);
        assert_int_equal(nw_table_get(back, c, 0, rows, codes_back, NULL), NW_OK);
        for (size_t row = 0; row < rows; row++)
            if (codes[row] != codes_back[row])
                fail_msg("column %s: %u came back as %u", columns[c], codes[row], codes_back[row]);
    }
    free(codes);
    free(codes_back);
    nw_table_free(table);
    nw_table_free(back);
    nw_schema_free(schema);
    unlink(path);
}

static void table_write__is_read_back_to_the_same_codes(void **state)
{
    (void)state;
    round_trip(0, 3000, "trip.csv");
    round_trip(1, 50, "trip.csv");
    round_trip(7, 500, "trip.csv.gz");
    round_trip(1000, 70000, "trip.csv");
}

static void table_write__compresses_by_name(void **state)
{
    (void)state;
    char path[128];
    name_file(path, "table.csv.gz");
    nw_schema *schema = schema_of("{\"a\": 3}", 0);
    nw_table *table = table_of(schema, "a\n1\n2\n");
    write_to(table, path, 1);
    assert_memory_equal(text_of(path), "\x1f\x8b\x08", 3);
    unlink(path);
    nw_table_free(table);
    nw_schema_free(schema);
}

static void table_write__draws_the_same_from_the_same_seed(void **state)
{
    (void)state;
    const char json[] = "{\"x\": {\"type\": \"float\", \"lower\": 0, \"upper\": 1}}";
    char first[64];
    snprintf(first, sizeof first, "%s", rewritten(json, 2, "x\n0.1\n0.9\n0.2\n0.8\n"));
    assert_string_equal(rewritten(json, 2, "x\n0.1\n0.9\n0.2\n0.8\n"), first);
}

/* ---- values inside a bin ---- */

/* Writes n rows of one code of a column "x" and calls back with each number. */
static void draw(
    const char *column, uint32_t max_bins, uint16_t code, size_t n, void (*see)(double x, void *context), void *context)
{
    char json[256];
    char path[128];
    snprintf(json, sizeof json, "{\"x\": %s}", column);
    name_file(path, "drawn.csv");
    nw_schema *schema = schema_of(json, max_bins);
    nw_table *table;
    assert_int_equal(nw_table_new(&table, schema, n, NULL), NW_OK);
    for (size_t row = 0; row < n; row++)
        assert_int_equal(nw_table_set(table, 0, row, 1, &code, NULL), NW_OK);
    write_to(table, path, 7);
    FILE *file = fopen(path, "r");
    char line[64];
    size_t rows = 0;
    assert_non_null(fgets(line, sizeof line, file));
    for (; fgets(line, sizeof line, file) != NULL; rows++)
        see(strtod(line, NULL), context);
    assert_int_equal(rows, n);
    fclose(file);
    unlink(path);
    nw_table_free(table);
    nw_schema_free(schema);
}

static void count_integer(double x, void *context)
{
    assert_true(x == floor(x) && x >= 20 && x < 30);
    ((size_t *)context)[(size_t)x - 20]++;
}

static void table_write__draws_uniformly_from_the_values_of_a_bin(void **state)
{
    (void)state;
    size_t counts[10] = {0};
    draw("{\"type\": \"int\", \"lower\": 0, \"upper\": 99}", 10, 2, 20000, count_integer, counts);
    for (size_t i = 0; i < 10; i++) /* 2000 expected, standard deviation 42; 7 of them either way */
        assert_true(counts[i] > 1700 && counts[i] < 2300);
}

static void count_decades(double x, void *context)
{
    assert_true(x >= 1 && x <= 1000);
    ((size_t *)context)[x < 10 ? 0 : x < 100 ? 1 : 2]++;
}

static void table_write__draws_log_uniformly_on_a_log_scale(void **state)
{
    (void)state;
    size_t real[3] = {0};
    draw("{\"type\": \"float\", \"lower\": 1, \"upper\": 1000, \"scale\": \"log\"}", 1, 0, 18000, count_decades, real);
    for (size_t i = 0; i < 3; i++) /* a third each; standard deviation 63 */
        assert_true(real[i] > 5550 && real[i] < 6450);
    size_t grid[3] = {0};
    draw("{\"type\": \"int\", \"lower\": 1, \"upper\": 999, \"scale\": \"log\"}", 1, 0, 18000, count_decades, grid);
    for (size_t i = 0; i < 3; i++) /* floor of a log-uniform number on [1, 1000) */
        assert_true(grid[i] > 5550 && grid[i] < 6450);
}

static void check_bounds(double x, void *context)
{
    (void)context;
    assert_true(x >= 0.123456789 && x <= 0.123456987);
}

static void table_write__stays_within_the_bounds(void **state)
{
    (void)state;
    const char column[] = "{\"type\": \"float\", \"lower\": 0.123456789, \"upper\": 0.123456987}";
    draw(column, 2, 0, 5000, check_bounds, NULL);
    draw(column, 2, 1, 5000, check_bounds, NULL);
}

/* ---- files ---- */

static nw_table *big_table(const nw_schema *schema)
{
    nw_table *table;
    assert_int_equal(nw_table_new(&table, schema, 200000, NULL), NW_OK);
    return table;
}

static void refused_write(const nw_table *table, const char *path, const char *words)
{
    nw_rng *rng = seeded(1);
    nw_error err;
    assert_int_equal(nw_table_write_csv(table, path, rng, &err), NW_E_IO);
    assert_string_equal(err.function, "nw_table_write_csv");
    if (strstr(err.message, words) == NULL)
        fail_msg("\"%s\" lacks \"%s\"", err.message, words);
    nw_rng_free(rng);
}

static void table_write__refuses_null(void **state)
{
    (void)state;
    nw_schema *schema = schema_of("{\"a\": 3}", 0);
    nw_table *table = table_of(schema, "a\n");
    nw_rng *rng = seeded(1);
    assert_int_equal(nw_table_write_csv(NULL, "x", rng, NULL), NW_E_ARG);
    assert_int_equal(nw_table_write_csv(table, NULL, rng, NULL), NW_E_ARG);
    assert_int_equal(nw_table_write_csv(table, "x", NULL, NULL), NW_E_ARG);
    nw_rng_free(rng);
    nw_table_free(table);
    nw_schema_free(schema);
}

static void table_write__leaves_nothing_where_it_cannot_write(void **state)
{
    (void)state;
    nw_schema *schema = schema_of("{\"a\": 3}", 0);
    nw_table *table = big_table(schema);
    refused_write(table, "/nowhere/out.csv", "cannot create /nowhere/out.csv: No such file or directory");
    refused_write(table, folder, "Is a directory");
    refused_write(table, "/dev/full", "cannot write /dev/full: No space left on device");
    char path[128];
    name_file(path, "a-name-too-long");
    char *longer = malloc(600);
    memset(longer, 'n', 599);
    memcpy(longer, path, strlen(path));
    longer[599] = '\0';
    refused_write(table, longer, "File name too long");
    free(longer);
    assert_int_equal(files_in_folder(), 0);
    nw_table_free(table);
    nw_schema_free(schema);
}

/* A full disk, played by a limit on the size of files: the old file stays, no temporary one does. */
static void full_disk(const char *name)
{
    char path[128];
    name_file(path, name);
    FILE *old = fopen(path, "w");
    fputs("old", old);
    fclose(old);
    nw_schema *schema = schema_of("{\"a\": {\"type\": \"float\", \"lower\": 0, \"upper\": 1}}", 0);
    nw_table *table = big_table(schema);
    struct rlimit limit;
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &limit), 0);
    void (*handler)(int) = signal(SIGXFSZ, SIG_IGN); /* so that the write fails with EFBIG */
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &(struct rlimit){100000, limit.rlim_max}), 0);
    refused_write(table, path, "File too large");
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
    signal(SIGXFSZ, handler);
    assert_string_equal(text_of(path), "old");
    assert_int_equal(files_in_folder(), 1);
    unlink(path);
    nw_table_free(table);
    nw_schema_free(schema);
}

static void table_write__leaves_the_old_file_on_a_full_disk(void **state)
{
    (void)state;
    full_disk("out.csv");
    full_disk("out.csv.gz");
}

static unsigned mode_of(const char *path)
{
    struct stat status;
    assert_int_equal(stat(path, &status), 0);
    return status.st_mode & 0777;
}

static void table_write__keeps_modes(void **state)
{
    (void)state;
    char path[128];
    name_file(path, "out.csv");
    nw_schema *schema = schema_of("{\"a\": 3}", 0);
    nw_table *table = table_of(schema, "a\n1\n");
    const mode_t mask = umask(027);
    write_to(table, path, 1);
    umask(mask);
    assert_int_equal(mode_of(path), 0640);
    assert_int_equal(chmod(path, 0600), 0);
    write_to(table, path, 1);
    assert_int_equal(mode_of(path), 0600); /* replacing a file does not open it to others */
    assert_string_equal(text_of(path), "a\n1\n");
    unlink(path);
    nw_table_free(table);
    nw_schema_free(schema);
}

static void table_write__writes_to_pipes_and_standard_output(void **state)
{
    (void)state;
    char path[128];
    char text[64] = "";
    name_file(path, "pipe");
    nw_schema *schema = schema_of("{\"a\": 3}", 0);
    nw_table *table = table_of(schema, "a\n1\n2\n");
    assert_int_equal(mkfifo(path, 0600), 0);
    const int reader = open(path, O_RDONLY | O_NONBLOCK);
    write_to(table, path, 1);
    assert_int_equal(read(reader, text, sizeof text - 1), 6);
    assert_string_equal(text, "a\n1\n2\n");

    fflush(stdout);
    const int saved = dup(STDOUT_FILENO);
    const int writer = open(path, O_WRONLY);
    assert_int_equal(dup2(writer, STDOUT_FILENO), STDOUT_FILENO);
    nw_rng *rng = seeded(1);
    const nw_status status = nw_table_write_csv(table, "-", rng, NULL);
    nw_rng_free(rng);
    assert_int_equal(dup2(saved, STDOUT_FILENO), STDOUT_FILENO);
    close(saved);
    close(writer);
    assert_int_equal(status, NW_OK);
    memset(text, 0, sizeof text);
    assert_int_equal(read(reader, text, sizeof text - 1), 6);
    assert_string_equal(text, "a\n1\n2\n");
    close(reader);
    struct stat kind;
    assert_true(stat(path, &kind) == 0 && S_ISFIFO(kind.st_mode)); /* not replaced by a file */
    unlink(path);
    nw_table_free(table);
    nw_schema_free(schema);
}

static void table_write__writes_the_roundest_value_of_a_spike(void **state)
{
    (void)state;
    static const struct {
        const char *schema;
        double value; /* of which the code is a spike */
        const char *text;
    } cases[] = {
        {"{\"x\": {\"type\": \"int\", \"lower\": -3000, \"upper\": 999999}}", 50003, "50000"},
        {"{\"x\": {\"type\": \"int\", \"lower\": -3000, \"upper\": 999999}}", 2, "0"},
        {"{\"x\": {\"type\": \"int\", \"lower\": -3000, \"upper\": 999999}}", -1234, "-1000"},
        {"{\"x\": {\"type\": \"int\", \"lower\": 3, \"upper\": 700003, \"step\": 7}}", 10, "500"}, /* 3 + 71 * 7 */
        {"{\"x\": {\"type\": \"float\", \"lower\": 0, \"upper\": 10000, \"step\": 0.01}}", 15.13, "20.00"},
        {"{\"x\": {\"type\": \"float\", \"lower\": 1000, \"upper\": 4000}}", 2872.7, "2871"},
        {"{\"x\": {\"type\": \"float\", \"lower\": 0, \"upper\": 1}}", 0.2501, "0.25"},
        {"{\"x\": {\"type\": \"date\", \"lower\": \"2000-01-01\", \"upper\": \"2029-12-31\"}}", 10957, "2000-01-01"},
    };
    char path[128];
    name_file(path, "spike.csv");
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char expected[64];
        nw_table *table = NULL;
        nw_schema *schema = schema_of(cases[i].schema, 999);
        const uint16_t code = nw__domain_encode_number(&schema->domains[0], cases[i].value);
        assert_int_equal(nw_table_new(&table, schema, 2, NULL), NW_OK);
        assert_int_equal(nw_table_set(table, 0, 0, 2, (const uint16_t[]){code, code}, NULL), NW_OK);
        assert_false(nw__table_is_spike(table, 0, code));
        assert_int_equal(nw__table_mark_spike(table, 0, code, NULL, "test"), NW_OK);
        assert_true(nw__table_is_spike(table, 0, code));
        write_to(table, path, i);
        snprintf(expected, sizeof expected, "x\n%s\n%s\n", cases[i].text, cases[i].text);
        assert_string_equal(text_of(path), expected);
        nw_table_free(table);
        nw_schema_free(schema);
    }
    unlink(path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(table_write__writes_each_type_as_the_header_says),
        cmocka_unit_test(table_write__quotes_what_needs_it),
        cmocka_unit_test(table_write__writes_a_lone_missing_cell_as_quotes),
        cmocka_unit_test(table_write__writes_the_header_of_an_empty_table),
        cmocka_unit_test(table_write__is_read_back_to_the_same_codes),
        cmocka_unit_test(table_write__compresses_by_name),
        cmocka_unit_test(table_write__draws_the_same_from_the_same_seed),
        cmocka_unit_test(table_write__draws_uniformly_from_the_values_of_a_bin),
        cmocka_unit_test(table_write__draws_log_uniformly_on_a_log_scale),
        cmocka_unit_test(table_write__writes_the_roundest_value_of_a_spike),
        cmocka_unit_test(table_write__stays_within_the_bounds),
        cmocka_unit_test(table_write__refuses_null),
        cmocka_unit_test(table_write__leaves_nothing_where_it_cannot_write),
        cmocka_unit_test(table_write__leaves_the_old_file_on_a_full_disk),
        cmocka_unit_test(table_write__keeps_modes),
        cmocka_unit_test(table_write__writes_to_pipes_and_standard_output),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
