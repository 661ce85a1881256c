/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef SYNTH_INFER_H
#define SYNTH_INFER_H

/* infer.h - a schema from the data, at a price: everything but the columns' names is told by noisy counts, charged to the ledger
 * before they are drawn. */
#include "../common/progress.h"
#include "../common/receipt.h"
#include "settings.h"

#include <jansson.h>

typedef struct infer {
    const char *path;
    double delta; /* of the whole release, as the ledger holds it */
    double mu;    /* Gaussian-DP budget of the schema */
    nw_ledger *ledger;
    nw_rng *rng;
    app_progress *progress;
    double mu_squared;     /* out: what the charged noise comes to; at most mu^2 */
    app_receipts receipts; /* out, to be freed: of every charge, also after a failure */
} infer;

/** The mu of a release of (epsilon, delta), what thresholds take of delta left aside; and the epsilon that such a mu is
 *  calibrated to again. Both round to the safe side. */
double infer_mu(double epsilon, double delta);
double infer_epsilon(double mu, double delta);

/** Counts, charges, and makes the schema's JSON (to be freed). An exit code, with its message written; what cannot be told is
 *  remarked on standard error. */
int infer_schema(infer *job, char **text);

/** Opens --ledger, or one in memory, for a release whose schema is inferred; asks whether all of it fits. An exit code, with its
 *  message written. */
int infer_open_ledger(const settings *s, nw_ledger **ledger);
/** Says on standard error what the charges to a ledger in memory come to; a file's receipt does so. */
void infer_note_total(nw_ledger *ledger);

#endif
