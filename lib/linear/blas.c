/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
/* blas.c - OpenBLAS by dlopen. Its own threads are turned off: loops of ours call it from theirs, and two levels of threads would
 * make the order of sums depend on their number. */
#include "blas.h"

#include <dlfcn.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

/* cblas.h, of which OpenBLAS with 32-bit integers is one implementation. */
enum { ROW_MAJOR = 101, AS_IT_IS = 111, TURNED = 112, LOWER = 122 };
typedef void sgemm_function(int, int, int, int, int, int, float, const float *, int, const float *, int, float, float *, int);
typedef void ssyrk_function(int, int, int, int, int, float, const float *, int, float, float *, int);
typedef void sgemv_function(int, int, int, int, float, const float *, int, const float *, int, float, float *, int);

static struct {
    sgemm_function *sgemm;
    ssyrk_function *ssyrk;
    sgemv_function *sgemv;
    bool is_slow;
    char name[96];
} library;

static atomic_bool is_plain_wanted;

/* POSIX lets a pointer to a function travel in a void *, ISO C does not. */
static bool find(void *handle, const char *name, void *function)
{
    void *const symbol = dlsym(handle, name);
    memcpy(function, &symbol, sizeof symbol);
    return symbol != NULL;
}

/* Releases of OpenBLAS that do not know a processor take kernels without AVX for it. */
static bool is_slow_core(const char *core)
{
#if defined(__x86_64__)
    static const char *const fast[] = { "Haswell", "Zen", "SkylakeX", "Cooperlake", "SapphireRapids", "Excavator" };
    if (!__builtin_cpu_supports("avx2"))
        return false;
    for (size_t i = 0; i < sizeof fast / sizeof *fast; i++)
        if (strcmp(core, fast[i]) == 0)
            return false;
    return true;
#else
    (void)core;
    return false;
#endif
}

static void name_library(void *handle)
{
    const char *(*config)(void) = NULL;
    const char *(*core)(void) = NULL;
    const char *const text = find(handle, "openblas_get_config", &config) ? config() : "OpenBLAS";
    const char *const version_end = strchr(text, ' ') == NULL ? NULL : strchr(strchr(text, ' ') + 1, ' ');
    const char *const kernels = find(handle, "openblas_get_corename", &core) ? core() : "unknown";
    const size_t length = version_end == NULL ? strlen(text) : (size_t)(version_end - text);
    library.is_slow = is_slow_core(kernels);
    snprintf(library.name, sizeof library.name, "%.*s with %s kernels%s", (int)(length < 40 ? length : 40), text, kernels,
        library.is_slow ? " (slow: not this processor's)" : "");
}

static void load(void)
{
    snprintf(library.name, sizeof library.name, "plain C (slow: no libopenblas.so.0)");
    library.is_slow = true;
    void (*set_threads)(int) = NULL;
    void *const handle = dlopen("libopenblas.so.0", RTLD_NOW | RTLD_LOCAL);
    if (handle == NULL)
        return;
    if (!find(handle, "cblas_sgemm", &library.sgemm) || !find(handle, "cblas_ssyrk", &library.ssyrk) ||
        !find(handle, "cblas_sgemv", &library.sgemv) || !find(handle, "openblas_set_num_threads", &set_threads)) {
        library.sgemm = NULL;
        dlclose(handle);
        return;
    }
    set_threads(1);
    name_library(handle);
}

/* True if calls go to OpenBLAS. */
static bool is_loaded(void)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, load);
    return library.sgemm != NULL && !atomic_load(&is_plain_wanted);
}

const char *nw_blas_name(void)
{
    return is_loaded() ? library.name : library.sgemm == NULL ? library.name : "plain C";
}

bool nw_blas_is_slow(void)
{
    (void)is_loaded();
    return library.is_slow;
}

void nw__blas_use_plain(bool is_plain)
{
    atomic_store(&is_plain_wanted, is_plain);
}

void nw__sgemm(const nw__product *p)
{
    if (p->m == 0 || p->n == 0)
        return;
    if (!is_loaded() || p->k == 0) {
        nw__plain_sgemm(p);
        return;
    }
    library.sgemm(ROW_MAJOR, p->is_a_turned ? TURNED : AS_IT_IS, p->is_b_turned ? TURNED : AS_IT_IS, (int)p->m, (int)p->n,
        (int)p->k, 1.0f, p->a, (int)p->lda, p->b, (int)p->ldb, p->beta, p->c, (int)p->ldc);
}

void nw__ssyrk(size_t n, size_t k, const float *a, size_t lda, float *c, size_t ldc)
{
    if (is_loaded() && n > 0 && k > 0) {
        library.ssyrk(ROW_MAJOR, LOWER, AS_IT_IS, (int)n, (int)k, 1.0f, a, (int)lda, 0.0f, c, (int)ldc);
        return;
    }
    const nw__product product = {
        .is_b_turned = true, .m = n, .n = n, .k = k, .a = a, .lda = lda, .b = a, .ldb = lda, .c = c, .ldc = ldc
    };
    nw__plain_sgemm(&product);
}

void nw__sgemv(bool is_turned, size_t m, size_t n, const float *a, size_t lda, const float *x, float *y)
{
    if (is_loaded() && m > 0 && n > 0) {
        library.sgemv(ROW_MAJOR, is_turned ? TURNED : AS_IT_IS, (int)m, (int)n, 1.0f, a, (int)lda, x, 1, 0.0f, y, 1);
        return;
    }
    const nw__product product = { .is_a_turned = is_turned,
        .m = is_turned ? n : m,
        .n = 1,
        .k = is_turned ? m : n,
        .a = a,
        .lda = lda,
        .b = x,
        .ldb = 1,
        .c = y,
        .ldc = 1 };
    nw__plain_sgemm(&product);
}
