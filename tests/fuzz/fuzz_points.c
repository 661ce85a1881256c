/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
/* fuzz_points.c - any bytes as a file of points: refused as malformed, or points that the formats' own writers say again: written
 * as an array they are read as the same, and as text, too. */
#include "common/exit.h"
#include "kde/npy.h"
#include "kde/points.h"

#include <fcntl.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n);

enum { SAID = 3 }; /* where complaints go: messages of the readers are not wanted */

static void require(bool is_true, const char *what)
{
    if (is_true)
        return;
    dprintf(SAID, "fuzz_points: %s\n", what);
    abort();
}

static void silence(void)
{
    static bool is_silent = false;
    if (is_silent)
        return;
    is_silent = true;
    require(dup2(STDERR_FILENO, SAID) == SAID && freopen("/dev/null", "w", stderr) != NULL, "standard error stays");
}

static int open_bytes(const void *bytes, size_t n, char path[64])
{
    const int fd = memfd_create("fuzz", MFD_CLOEXEC);
    require(fd > SAID && write(fd, bytes, n) == (ssize_t)n, "no file in memory");
    snprintf(path, 64, "/proc/self/fd/%d", fd);
    return fd;
}

static bool same(const points *a, const points *b)
{
    if (a->n != b->n || a->d != b->d)
        return false;
    for (size_t i = 0; i < a->n * a->d; i++)
        if (!(a->x[i] == b->x[i] || (isnan(a->x[i]) && isnan(b->x[i]))))
            return false;
    return true;
}

static void read_again(const points *p, const void *bytes, size_t n, points_header header, const char *what)
{
    char path[64];
    points again;
    csv_terms terms = { .header = header };
    const int fd = open_bytes(bytes, n, path);
    require(points_read(&again, path, &terms) == APP_OK && same(p, &again), what);
    points_free(&again);
    csv_terms_free(&terms);
    close(fd);
}

static double value_of(const void *context, size_t row, size_t column)
{
    const points *p = context;
    return (double)p->x[row * p->d + column];
}

static void write_array(const points *p)
{
    char path[64];
    const size_t size = 128 + 8 * p->n * p->d;
    snprintf(path, sizeof path, "/tmp/fuzz_points_%d.npy", (int)getpid());
    char *text = malloc(size + 1);
    require(text != NULL && npy_write(path, p->n, p->d, value_of, p) == APP_OK, "cannot be written");
    const int file = open(path, O_RDONLY | O_CLOEXEC);
    require(file >= 0 && read(file, text, size + 1) == (ssize_t)size, "an array of another size");
    close(file);
    unlink(path);
    read_again(p, text, size, POINTS_HEADER_AUTO, "written as an array, and read as another");
    free(text);
}

static void write_text(const points *p)
{
    char *text = NULL;
    size_t size = 0;
    FILE *f = open_memstream(&text, &size);
    require(f != NULL, "no memory");
    for (size_t i = 0; i < p->n * p->d; i++) {
        if (isnan(p->x[i]))
            fputs("nan", f);
        else
            fprintf(f, "%.9g", (double)p->x[i]);
        fputc((i + 1) % p->d == 0 ? '\n' : ',', f);
    }
    require(fclose(f) == 0, "no memory");
    read_again(p, text, size, POINTS_HEADER_NO, "written as text, and read as another");
    free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    char path[64];
    points p;
    csv_terms terms = { .header = (points_header)(n % 3) };
    silence();
    const int fd = open_bytes(bytes, n, path);
    const int code = points_read(&p, path, &terms);
    require(code == APP_OK || code == APP_DATA, "an exit code that no file can cause");
    require((code == APP_OK) == (p.d > 0), "code and points disagree");
    require(terms.names.count == 0 || code != APP_OK || terms.names.count == p.d, "names of other columns");
    if (code == APP_OK) {
        write_array(&p);
        if (p.n > 0)
            write_text(&p);
    }
    points_free(&p);
    csv_terms_free(&terms);
    close(fd);
    return 0;
}
