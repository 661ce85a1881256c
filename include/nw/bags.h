/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef NW_BAGS_H
#define NW_BAGS_H

/* nw/bags.h - learning from aggregate responses: models of private labels, from noisy means of bags of them.
 *
 * What it is for: linear and logistic models where the features are public and the label of each row is private: labels are
 *   clipped, averaged over bags of k rows, released once with noise, and a model is fitted to the released means [JCMM24].
 * What it protects: the LABEL of one row (replace_label), at (epsilon, delta), and NOTHING ELSE. The features of every row, which
 *   rows there are and which bag each is in are taken to be public, are used without noise, and may be recovered from what is
 *   released. Do not use it where a feature is a secret. The unit of its ledgers is "label".
 * How: a label is moved into [center - clip, center + clip], put on a power-of-two grid toward the center, and added up exactly
 *   in the one bag that it is in. One label moves one sum, by at most 2 clip; each sum gets one draw of integer noise: discrete
 *   Laplace if delta is 0, rounded Gaussian otherwise. Everything after that is post-processing and free.
 * Labels that do not fit: NaN counts as the center, infinities as the bound. Never an error.
 * What bags buy: with random bags, nothing. For the same epsilon, bags of one row and a ridge are as good as any bags, and
 *   nw_bags_pick says so. Sorted and curated bags can be better, as docs/rooms/bags.md shows.
 *
 *   nw_bags_opts o = NW_BAGS_OPTS_INIT;
 *   o.rows = n;  o.bag_size = 1;  o.clip = 2.0;  o.epsilon = 1.0;  o.delta = 0.0;
 *   nw_bags_new(&bags, &o, &err);
 *   nw_bags_release(bags, rng, ledger, labels, "income", &receipt, &err);             // charges, then draws
 *   nw_bags_fit(bags, features, p, &fit_opts, coefficients, &fitted, &err);           // as often as you like
 *   nw_bags_free(bags);
 */
#include <nw/ledger.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct nw_bags nw_bags; /* confined until the release, shared afterwards */

/** The unit of the ledgers that a release can be charged to. */
#define NW_BAGS_UNIT "label"

/** How rows come into bags. Never by their labels. */
typedef enum nw_bags_grouping {
    NW_BAGS_RANDOM = 1, /* by a public seed */
    NW_BAGS_SORTED = 2, /* rows of neighbouring public scores together */
    NW_BAGS_CURATED =
        3,              /* half of the rows, by a public seed, are bags of one; the others are sorted by what a model of the first
                            half's released labels predicts [JFM24]; every label is still in one bag */
    NW_BAGS_BY_ID = 4,  /* the caller says for each row which bag it is in */
    NW_BAGS_BY_LIST = 5 /* the caller lists the rows of each bag; a row in two bags is refused */
} nw_bags_grouping;
NW_API const char *nw_bags_grouping_name(nw_bags_grouping grouping); /* "random", "sorted", "curated", "ids", "lists" */

typedef struct nw_bags_opts {
    size_t struct_size;
    size_t rows;               /* public; 1 .. 2^31 - 1; 0 until set, refused if left so */
    double epsilon;            /* nats, in (0, 64]; 0 until set, refused if left so */
    double delta;              /* in [0, 1); 0: discrete Laplace noise, else rounded Gaussian; -1 until set, refused if left so */
    double clip;               /* B: labels count from center - B to center + B, public; > 0; 0 until set, refused if left so */
    double center;             /* public; default 0. Put it in the middle of the range: a clip that is twice as large as it need
                                  be is twice the noise */
    nw_bags_grouping grouping; /* default random */
    size_t bag_size;           /* k, in 1 .. rows: random, sorted, curated. The last bag is smaller where k does not divide */
    uint64_t public_seed;      /* random, curated; default 0 */
    const double *scores;  /* sorted: double[rows], public, not NaN; equal scores in the order of the rows. Read by nw_bags_new */
    size_t bag_count;      /* ids, lists */
    const size_t *ids;     /* ids: size_t[rows], each below bag_count; no bag may be empty */
    const size_t *starts;  /* lists: size_t[bag_count + 1], from 0 on, rising: bag a is members[starts[a] .. starts[a+1]-1] */
    const size_t *members; /* lists: rows. One that is in no list is not used */
    const double *borrowed_features; /* curated: double[rows x feature_count], public; until the release */
    size_t feature_count;
} nw_bags_opts;
/* clang-format off */
#define NW_BAGS_OPTS_INIT { sizeof(nw_bags_opts), 0, 0.0, -1.0, 0.0, 0.0, NW_BAGS_RANDOM, 0, 0, NULL, 0, NULL, NULL, NULL, \
    NULL, 0 }
/* clang-format on */
NW_API void nw_bags_opts_init(nw_bags_opts *opts, size_t struct_size);

/** Validates the options, calibrates the noise, and puts the rows into bags. No label is needed.
 *
 *  Shapes    *out: new handle, or NULL on error.
 *  Units     clip and center in the unit of the labels.
 *  Errors    NW_E_ARG naming the option, its value and the admissible set; of bags that overlap, are empty, or hold a row that
 *            there is not: naming the bag; NW_E_NOMEM.
 *  Cost      O(rows); sorted O(rows log rows). Threads: any.
 *  Source    docs/rooms/bags.md.
 *  Example   examples/bags.c */
NW_API NW_WARN_UNUSED nw_status nw_bags_new(nw_bags **out, const nw_bags_opts *opts, nw_error *err);
/** Wipes and frees. NULL is allowed. */
NW_API void nw_bags_free(nw_bags *bags);
/** What a release charges, known before any label is seen: typed replace_label. Borrowed. */
NW_API const nw_event *nw_bags_event(const nw_bags *bags);
/** How many bags there are. */
NW_API size_t nw_bags_count(const nw_bags *bags);
/** Standard deviation of the noise in the SUM of a bag, in the unit of the labels; in its mean, that over the bag's size. */
NW_API double nw_bags_noise(const nw_bags *bags);

/** Charges the event, adds up the labels, draws the noise and wipes the sums. Once. Curated bags are released in two steps, the
 *  second half sorted by what the first half's release predicts, under the one charge.
 *
 *  Shapes    labels: double[rows]. receipt: out, may be NULL.
 *  Units     of the labels.
 *  Errors    NW_E_ARG, also if the ledger's unit is not NW_BAGS_UNIT or its relation not replace_label (nothing was charged);
 *            NW_E_STATE: released already; those of nw_ledger_charge (nothing was drawn); NW_E_NOMEM, NW_E_ENTROPY: charged,
 *            nothing is released. None depends on a label.
 *  Cost      O(rows), a few ns a bag; curated also one fit. Threads: rng confined.
 *  Source    docs/rooms/bags.md.
 *  Example   examples/bags.c */
NW_API NW_WARN_UNUSED nw_status nw_bags_release(
    nw_bags *bags, nw_rng *rng, nw_ledger *ledger, const double *labels, const char *label, nw_receipt *receipt, nw_error *err);
/** The released mean of each bag, double[nw_bags_count], borrowed; NULL before the release. May lie beyond the clip. */
NW_API const double *nw_bags_means(const nw_bags *bags);
/** The number of rows in a bag, 0 if there is no such bag. */
NW_API size_t nw_bags_size(const nw_bags *bags, size_t bag);
/** The bag of each row, SIZE_MAX for a row that is in none. ids: size_t[rows] out. Of curated bags NW_E_STATE before the
 *  release. */
NW_API NW_WARN_UNUSED nw_status nw_bags_get_ids(const nw_bags *bags, size_t *ids, nw_error *err);

typedef enum nw_bags_loss {
    NW_BAGS_SQUARED = 1, /* (y - f)^2 */
    NW_BAGS_LOGISTIC =
        2 /* log(1 + e^f) - t f, t = 1/2 + (y - center) / (2 clip): labels at the two ends are the two classes. It is
                            linear in t, so also defined and convex for noisy means beyond the ends */
} nw_bags_loss;
NW_API const char *nw_bags_loss_name(nw_bags_loss loss); /* "squared", "logistic" */

typedef struct nw_bags_fit_opts {
    size_t struct_size;
    nw_bags_loss loss;  /* default squared */
    double rho;         /* (1 - rho) x bag-level + rho x instance-level loss; in [0, 1]; default 0 */
    double ridge;       /* added: ridge x |coefficients|^2; >= 0; default -1: from the released means, by their evidence, which
                           costs nothing. Logistic: 0 is refused */
    bool has_intercept; /* default true; squared: not penalised */
} nw_bags_fit_opts;
#define NW_BAGS_FIT_OPTS_INIT                                                                                                    \
    {                                                                                                                            \
        sizeof(nw_bags_fit_opts), NW_BAGS_SQUARED, 0.0, -1.0, true                                                               \
    }
NW_API void nw_bags_fit_opts_init(nw_bags_fit_opts *opts, size_t struct_size);

typedef struct nw_bags_fitted {
    double intercept;
    double ridge;      /* as used */
    double loss;       /* of the released means, with the ridge */
    size_t iterations; /* logistic: Newton steps */
} nw_bags_fitted;

/** Fits f(x) = intercept + x'coefficients to the released means. Post-processing: costs no budget.
 *
 *  Computes  the minimum of (1 - rho) L_bag + rho L_ins + ridge |c|^2, with L_bag = sum_a w_a l(ybar_a, fbar_a) and
 *            L_ins = sum_a w_a (1/s_a) sum_{i in a} l(ybar_a, f(x_i)); fbar_a is the mean of f over bag a. The weights of bags of
 *            equal size are 1/m; else they follow the variance of the means. They add up to 1.
 *  Shapes    features: double[rows x p], finite, public, in the order of the labels; coefficients: double[p] out.
 *  Units     of the labels and features; logistic: f is a logit.
 *  Errors    NW_E_ARG naming the option; also if ridge is 0 and there are no more bags than coefficients; NW_E_STATE before the
 *            release; NW_E_NUMERIC: features are collinear and nothing regularises them; NW_E_NOMEM.
 *  Cost      O(rows p^2 + 60 p^3), logistic a step each. The result does not depend on the threads. Threads: any.
 *  Source    [JCMM24]; docs/rooms/bags.md.
 *  Example   examples/bags.c */
NW_API NW_WARN_UNUSED nw_status nw_bags_fit(const nw_bags *bags, const double *features, size_t p, const nw_bags_fit_opts *opts,
    double *coefficients, nw_bags_fitted *fitted, nw_error *err);

/* ---- what bags buy, before any label is seen ---- */

/** A linear problem, in public figures and guesses: y = x'theta + e, features independent with variance 1. */
typedef struct nw_bags_problem {
    size_t struct_size;
    size_t rows;
    size_t features;
    double epsilon; /* as nw_bags_opts */
    double delta;
    double clip;
    double residual_variance; /* of e: a public guess; > 0; default 0: clip^2 / 8 */
    double signal_variance;   /* |theta|^2: a public guess; > 0; default 0: clip^2 / 8 */
    size_t bag_size;          /* default 0: to be chosen */
    double rho;               /* default -1: to be chosen */
    bool is_unregularized;    /* the fit will have ridge 0 */
    bool is_curated;          /* bags will be curated */
    double dimensions;        /* of the features, public: the squared sum of their covariance's eigenvalues over the sum of their
                                 squares, in [1, features]; default 0: as many as features. Of the rules ridge and curated */
} nw_bags_problem;
#define NW_BAGS_PROBLEM_INIT                                                                                                     \
    {                                                                                                                            \
        sizeof(nw_bags_problem), 0, 0, 0.0, -1.0, 0.0, 0.0, 0.0, 0, -1.0, false, false, 0.0                                      \
    }
NW_API void nw_bags_problem_init(nw_bags_problem *problem, size_t struct_size);

/** How a model is fitted, where its risk has a closed form. */
typedef enum nw_bags_rule {
    NW_BAGS_RULE_BAG = 1,      /* rho 0, ridge 0 */
    NW_BAGS_RULE_INSTANCE = 2, /* rho 1, ridge 0 */
    NW_BAGS_RULE_RIDGE = 3,    /* rho 0, the ridge that is best if the guesses are right */
    NW_BAGS_RULE_CURATED = 4   /* as ridge, on curated bags */
} nw_bags_rule;
/** Predicted risk E (x'(coefficients - theta))^2 at a bag size, in squared units of the label; INFINITY where there are too few
 *  bags for the rule; NaN for a problem that nw_bags_pick refuses. */
NW_API double nw_bags_risk(const nw_bags_problem *problem, nw_bags_rule rule, size_t bag_size);

typedef struct nw_bags_choice {
    size_t bag_size;
    double rho;
    double ridge;         /* the best if the guesses are right; nw_bags_fit finds its own from the released means */
    double risk;          /* predicted */
    double baseline_risk; /* of bags of one with a ridge */
    size_t best_bag_size; /* of two rows or more, by the same kind of bags; 0: there is none */
    double best_bag_risk;
    bool is_curated;
    char reason[192]; /* in words */
} nw_bags_choice;
/** Chooses bag size and rho by predicted risk. Bags of one with a ridge are always among the choices, unless the problem fixes
 *  the size or has no ridge. Errors: NW_E_ARG naming the figure. */
NW_API NW_WARN_UNUSED nw_status nw_bags_pick(const nw_bags_problem *problem, nw_bags_choice *out, nw_error *err);

#ifdef __cplusplus
}
#endif
#endif
