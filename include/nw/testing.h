/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef NW_TESTING_H
#define NW_TESTING_H

/* nw/testing.h - reproducible randomness, for tests only. NOTHING released with it is private.
 *
 * It is not part of <noisewright.h>: a program that uses it says so in its include list. A durable ledger refuses to be charged
 * by a mechanism whose nw_rng is insecure, and receipts say "insecure": true.
 */
#include <nw/rng.h>

#ifdef __cplusplus
extern "C" {
#endif

/** Opens a stream keyed by BLAKE2b(seed): the same seed gives the same stream on every machine. NOT PRIVATE.
 *
 *  Shapes    *out: new handle, or NULL on error.
 *  Units     none.
 *  Errors    NW_E_ARG if out is NULL; NW_E_NOMEM.
 *  Cost      as nw_rng_new. Threads: any.
 *  Source    none.
 *  Example   tests/unit/random/test_rng.c */
NW_API NW_WARN_UNUSED nw_status nw_rng_new_insecure_seeded(nw_rng **out, uint64_t seed, nw_error *err);

#ifdef __cplusplus
}
#endif
#endif
