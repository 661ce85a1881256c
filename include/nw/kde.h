/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef NW_KDE_H
#define NW_KDE_H

/* nw/kde.h - how similar is y to my private points? One private release answers that for any y, for ever.
 *
 * What it is for: f(y) = sum over the private points x of k(x, y), for ten functions k: density, outliers, near-duplicates,
 *   choosing among public candidates, classification by average similarity [BLMST24], [WNM23].
 * What it protects: one point (add_remove or replace_one), at (epsilon, delta), for all queries together.
 * How: each point becomes whole numbers on a public grid (cosines and sines of random frequencies, kernel values at public
 *   landmarks, counts of cells), which add up exactly, whatever the order, the threads or the machines; the totals get one draw
 *   of integer noise; queries read the noisy totals. docs/rooms/kde.md has the estimators, their errors and sensitivities.
 * Points that do not fit: a coordinate beyond its bounds counts as the bound; NaN counts as the middle of the bounds (0 without
 *   bounds, where an infinity counts as 2^40 bandwidths). Never an error.
 * Nothing is taken from the private points for free: bounds, bandwidth, frequencies, landmarks and sizes are public.
 *
 *   nw_kde_opts o = NW_KDE_OPTS_INIT;
 *   o.kernel = NW_KDE_GAUSSIAN;  o.dimension = 50;  o.bandwidth = 4.0;
 *   o.epsilon = 1.0;  o.delta = 1e-6;  o.adjacency = NW_ADD_REMOVE;
 *   nw_kde_new(&k, &o, &err);
 *   nw_kde_add(k, points, n, &err);
 *   nw_kde_release(k, rng, ledger, "points", &receipt, &err);     // charges, then draws
 *   nw_kde_query(k, y, m, values, errors, &err);                   // as often as you like
 *   nw_kde_free(k);
 */
#include <nw/ledger.h>
#include <nw/reduce.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct nw_kde nw_kde; /* confined until the release, shared afterwards */

/** k(x, y), with u = (x - y) / bandwidth. */
typedef enum nw_kde_kernel {
    NW_KDE_GAUSSIAN = 1,      /* exp(-|u|_2^2); with is_half exp(-|u|_2^2 / 2) */
    NW_KDE_EXPONENTIAL = 2,   /* exp(-|u|_2) */
    NW_KDE_LAPLACIAN = 3,     /* exp(-|u|_1) */
    NW_KDE_L1 = 4,            /* |x - y|_1: no bandwidth, as the next three; these four need bounds */
    NW_KDE_L2 = 5,            /* |x - y|_2 */
    NW_KDE_L2SQ = 6,          /* |x - y|_2^2 */
    NW_KDE_LPP = 7,           /* sum over the coordinates of |x_j - y_j|^power */
    NW_KDE_RATIONAL_L2SQ = 8, /* 1 / (1 + |u|_2^2) */
    NW_KDE_RATIONAL_L2 = 9,   /* 1 / (1 + |u|_2) */
    NW_KDE_RATIONAL_L1 = 10   /* 1 / (1 + |u|_1) */
} nw_kde_kernel;
/** "gaussian", "exponential", "laplacian", "l1", "l2", "l2sq", "lpp", "rational-l2sq", "rational-l2", "rational-l1". */
NW_API const char *nw_kde_kernel_name(nw_kde_kernel kernel);
NW_API NW_WARN_UNUSED nw_status nw_kde_kernel_parse(const char *name, nw_kde_kernel *out, nw_error *err);

typedef enum nw_kde_estimator {
    NW_KDE_AUTO = 0,
    NW_KDE_MOMENTS = 1,   /* l2sq: sums of x and |x|^2; exact but for the noise */
    NW_KDE_TABLE = 2,     /* l1, lpp: cosine series of a coordinate, size cells each; l2: of `size` public projections */
    NW_KDE_FEATURES = 3,  /* kernels: `size` pairs of cosine and sine at independent frequencies [RR07] */
    NW_KDE_HADAMARD = 4,  /* the same at frequencies from three sign-Hadamard passes: faster, no less accurate */
    NW_KDE_LANDMARKS = 5, /* positive definite kernels: `size` directions in the span of the caller's public points (Nystrom) */
    NW_KDE_GRID = 6,      /* any function, dimension <= 3: points shared out among splines, `size` cells on the longest side */
    NW_KDE_LSH = 7,       /* laplacian, rational-l1: counts of `size` random binnings (RACE) [CS20] */
    NW_KDE_TREE = 8,      /* l1, published baseline: binary tree of counts, geometric rings [BLMST24] */
    NW_KDE_LSQ_RFF = 9,   /* kernels, published baseline: shifted cosines [WNM23] */
    NW_KDE_LSQ_FGT = 10   /* gaussian, dimension <= 3, published baseline: moments of cells, order `size` [WNM23] */
} nw_kde_estimator;
/** "auto", "moments", "table", "features", "hadamard", "landmarks", "grid", "lsh", "tree", "lsq-rff", "lsq-fgt". */
NW_API const char *nw_kde_estimator_name(nw_kde_estimator estimator);
NW_API NW_WARN_UNUSED nw_status nw_kde_estimator_parse(const char *name, nw_kde_estimator *out, nw_error *err);

typedef struct nw_kde_opts {
    size_t struct_size;
    nw_kde_kernel kernel; /* 0 until set, refused if left so */
    size_t dimension;     /* 1 .. 16384 */
    double bandwidth;     /* in [1e-30, 1e30]; no default; ignored by l1, l2, l2sq, lpp */
    bool is_half;         /* the Gaussian's convention */
    double power;         /* lpp: in [0.1, 8] */
    const double *lower;  /* bounds of the coordinates, double[dimension]; NULL: none. Copied by nw_kde_new */
    const double *upper;
    double epsilon;         /* nats, in (0, 64]; 0 until set, refused if left so */
    double delta;           /* in [0, 1); 0: discrete Laplace noise, else rounded Gaussian; -1 until set, refused if left so */
    nw_adjacency adjacency; /* add_remove or replace_one; NW_ADJACENCY_UNSET until set */
    int64_t public_points; /* how many points there are, where that is public: >= 0; default -1: it is private, and functions that
                               need it pay for it */
    nw_kde_estimator estimator; /* default auto */
    size_t size;                /* of the estimator, see there; default 0: chosen by predicted error */
    double expected_points;     /* for that choice, public: default 0: public_points, or 10000 */
    double expected_density;    /* for that choice, public: a guess of the average kernel value, in (0, 1]; default 0.05 */
    uint64_t public_seed;       /* of frequencies, projections and binnings; equal seeds for parts that are to be merged */
    const float *landmarks;     /* float[landmark_count x dimension], public; copied */
    size_t landmark_count;      /* at most 8192 */
    unsigned threads;           /* of add and query; default 0: as OpenMP decides; never part of a result */
} nw_kde_opts;
/* clang-format off */
#define NW_KDE_OPTS_INIT { sizeof(nw_kde_opts), (nw_kde_kernel)0, 0, 0.0, false, 0.0, NULL, NULL, 0.0, -1.0, \
    NW_ADJACENCY_UNSET, -1, NW_KDE_AUTO, 0, 0.0, 0.05, 0, NULL, 0, 0 }
/* clang-format on */
NW_API void nw_kde_opts_init(nw_kde_opts *opts, size_t struct_size);

/** Validates the options, chooses estimator and size, calibrates the noise, draws the public frequencies, allocates the totals.
 *
 *  Shapes    *out: new handle, or NULL on error.
 *  Units     bounds, landmarks and bandwidth in the unit of the points.
 *  Errors    NW_E_ARG naming the option, its value and the admissible set; NW_E_UNSUPPORTED: that estimator cannot do that
 *            function; NW_E_NOMEM.
 *  Cost      8 bytes a total, and the estimator's public tables (nw_kde_get_plan). Threads: any.
 *  Source    docs/rooms/kde.md.
 *  Example   examples/kde.c */
NW_API NW_WARN_UNUSED nw_status nw_kde_new(nw_kde **out, const nw_kde_opts *opts, nw_error *err);
/** Wipes and frees. NULL is allowed. */
NW_API void nw_kde_free(nw_kde *kde);
/** What a release charges, known before any data is seen. Borrowed. */
NW_API const nw_event *nw_kde_event(const nw_kde *kde);

/** How queries will be answered: public, known before any data is seen. */
typedef struct nw_kde_plan {
    nw_kde_estimator estimator;
    size_t size;
    size_t totals; /* noise values of the release */
    double noise;  /* standard deviation of the noise in a value; grid and lsh: the largest; landmarks: on average over them */
    double approximation; /* predicted standard deviation of the rest, in units of the value; NaN: not predicted */
    size_t bytes;         /* of the handle once released */
    char reason[128];     /* why this estimator and size */
} nw_kde_plan;
NW_API nw_kde_plan nw_kde_get_plan(const nw_kde *kde);

/** Adds n points.
 *
 *  Shapes    points: float[n x dimension].
 *  Units     of the bounds.
 *  Errors    NW_E_ARG on NULL; NW_E_STATE after the release; NW_E_NOMEM. None of them depends on a point.
 *  Cost      docs/rooms/kde.md has a table. The totals do not depend on the order of the points, the calls or the threads.
 *            Threads: confined; use a handle a thread or machine and merge.
 *  Source    docs/rooms/kde.md.
 *  Example   examples/kde.c */
NW_API NW_WARN_UNUSED nw_status nw_kde_add(nw_kde *kde, const float *points, size_t n, nw_error *err);
/** Adds the totals of `other`, made of the same options, over other points. Errors: NW_E_ARG if they differ; NW_E_STATE if either
 *  was released; NW_E_NOMEM. */
NW_API NW_WARN_UNUSED nw_status nw_kde_merge(nw_kde *kde, const nw_kde *other, nw_error *err);
/** The totals as bytes, for engines that reduce bytes: exact and unprotected, as secret as the points. Versioned, with a
 *  checksum; equal totals have equal bytes. Into a new buffer, to be freed with nw_kde_bytes_free. Errors: NW_E_STATE after the
 *  release; NW_E_NOMEM. */
NW_API NW_WARN_UNUSED nw_status nw_kde_totals_to_bytes(const nw_kde *kde, uint8_t **out, size_t *n, nw_error *err);
/** nw_kde_merge with the bytes of another handle. Errors: NW_E_FORMAT if they are cut short, damaged, or of other options: then
 *  nothing was added; NW_E_STATE after the release. Who can write the bytes can say anything: authenticate them. */
NW_API NW_WARN_UNUSED nw_status nw_kde_totals_add_bytes(nw_kde *kde, const uint8_t *bytes, size_t n, nw_error *err);
NW_API void nw_kde_bytes_free(uint8_t *bytes, size_t n);
/** Adds up the totals of all processes, in process 0, which then releases; those of the others are 0 afterwards. All processes
 *  call it, any number of times.
 *
 *  Shapes    kde: of the same options on every process.
 *  Units     none.
 *  Errors    on every process the same: NW_E_ARG if the options of one differ from those of process 0; NW_E_STATE after the
 *            release; NW_E_IO if the others cannot be reached: then the handle is only to be freed.
 *  Cost      one sum of 8 bytes a total. Threads: of `reduce`.
 *  Source    docs/scale-out.md.
 *  Example   examples/mpi.c */
NW_API NW_WARN_UNUSED nw_status nw_kde_reduce(nw_kde *kde, const nw_reduce *reduce, nw_error *err);

/** Charges the event, then draws the noise and wipes the exact totals. Once.
 *
 *  Shapes    receipt: out, may be NULL.
 *  Units     none.
 *  Errors    NW_E_ARG; NW_E_STATE: released already; those of nw_ledger_charge (nothing was drawn); NW_E_NOMEM, NW_E_ENTROPY:
 *            charged, nothing is released.
 *  Cost      a few ns a total. Threads: rng confined.
 *  Source    docs/rooms/kde.md.
 *  Example   examples/kde.c */
NW_API NW_WARN_UNUSED nw_status nw_kde_release(
    nw_kde *kde, nw_rng *rng, nw_ledger *ledger, const char *label, nw_receipt *receipt, nw_error *err);

/** f(y) for m queries: the sum over the private points, not divided by their number.
 *
 *  Shapes    y: float[m x dimension]; values: double[m] out; errors: double[m] out, may be NULL: the standard error of each.
 *  Units     of the function. y is clamped as points are.
 *  Errors    NW_E_ARG on NULL; NW_E_STATE before the release; NW_E_NOMEM.
 *  Cost      independent of the number of private points. The values do not depend on the batch or the threads. Threads: any.
 *  Source    docs/rooms/kde.md.
 *  Example   examples/kde.c */
NW_API NW_WARN_UNUSED nw_status nw_kde_query(
    const nw_kde *kde, const float *y, size_t m, double *values, double *errors, nw_error *err);
/** The noisy number of points, or the public one; NaN if the estimator has neither. *error (may be NULL): its standard error. */
NW_API double nw_kde_points(const nw_kde *kde, double *error);

/** The released state: what a query needs, and nothing private. Versioned and checksummed; the same bytes on every machine.
 *  Errors: NW_E_STATE before the release; NW_E_IO; NW_E_NOMEM. */
NW_API NW_WARN_UNUSED nw_status nw_kde_save(const nw_kde *kde, const char *path, nw_error *err);
/** Errors: NW_E_IO; NW_E_FORMAT: no such file, truncated or altered; NW_E_UNSUPPORTED: of a later version; NW_E_NOMEM. */
NW_API NW_WARN_UNUSED nw_status nw_kde_load(nw_kde **out, const char *path, nw_error *err);
/** The options of a handle, as resolved: estimator and size are set. Arrays are borrowed from the handle. */
NW_API nw_kde_opts nw_kde_get_opts(const nw_kde *kde);
/** Of the release: also of a loaded handle; NULL before the release. Borrowed. */
NW_API const nw_receipt *nw_kde_receipt(const nw_kde *kde);

/** k(x, y) itself, in double: float[dimension] each. */
NW_API double nw_kde_exact(const nw_kde_opts *opts, const float *x, const float *y);

#ifdef __cplusplus
}
#endif
#endif
