/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef NW_MASKS_INTERNAL_H
#define NW_MASKS_INTERNAL_H

/* masks_internal.h - masks for messages that are made in place. */
#include "base.h"

#include <nw/masks.h>

enum { NW__MASKS_CONTEXT_BYTES = 32 };

/** Takes the round: whatever follows, no other message is made of it. Errors: NW_E_STATE, as nw_masks_seal. */
nw_status nw__masks_use_round(nw_masks *masks, uint64_t round, const char *function, nw_error *err);
/** Adds this party's masks of the round to message[0 .. n], after setting the check word message[n]. context: what all parties
 *  have to agree about, or their masks do not cancel; NULL for nothing. The caller has used the round. */
void nw__masks_add(
    const nw_masks *masks, uint64_t round, const uint8_t context[NW__MASKS_CONTEXT_BYTES], uint64_t *message, size_t n);

/** Counts the round as used, whether it was or not: where all processes count alike, one that fails keeps in step. */
void nw__masks_pass(nw_masks *masks, uint64_t round);

size_t nw__masks_parties(const nw_masks *masks);
/** Drawn from a caller's seed: nothing that it hides is hidden. */
bool nw__masks_is_insecure(const nw_masks *masks);
/** NW_E_ARG unless the processes are the parties. */
nw_status nw__masks_check_reduce(const nw_masks *masks, const nw_reduce *reduce, const char *function, nw_error *err);

#endif
