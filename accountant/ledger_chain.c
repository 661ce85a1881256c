/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
/* ledger_chain.c - BLAKE2b over header and rows, keyed with the ledger's random identity: mac_0 covers the header, mac_i covers
 * mac_(i-1) and row i, whatever its kind. Every field is preceded by its length, so no two contents give the same bytes. */
#include "ledger_internal.h"

#include <sodium.h>
#include <stdio.h>
#include <string.h>

static void update_bytes(crypto_generichash_state *state, const void *bytes, uint64_t n)
{
    uint8_t length[8];
    for (int i = 0; i < 8; i++)
        length[i] = (uint8_t)(n >> (8 * i));
    crypto_generichash_update(state, length, sizeof length);
    crypto_generichash_update(state, bytes, n);
}

static void update_text(crypto_generichash_state *state, const char *text)
{
    update_bytes(state, text, strlen(text));
}

static void update_number(crypto_generichash_state *state, uint64_t number)
{
    char text[24];
    snprintf(text, sizeof text, "%llu", (unsigned long long)number);
    update_text(state, text);
}

/* The bits of a double: the same on every machine with IEEE arithmetic. */
static void update_double(crypto_generichash_state *state, double x)
{
    uint64_t bits = 0;
    memcpy(&bits, &x, sizeof bits);
    update_number(state, bits);
}

static void start(crypto_generichash_state *state, const nw_ledger *ledger, const char *purpose)
{
    crypto_generichash_init(state, ledger->id, sizeof ledger->id, NW__LEDGER_MAC_BYTES);
    update_text(state, purpose);
}

nw__mac nw__ledger_header_mac(const nw_ledger *ledger)
{
    crypto_generichash_state state;
    nw__mac mac;
    start(&state, ledger, "noisewright ledger header 1");
    update_double(&state, ledger->epsilon);
    update_double(&state, ledger->delta);
    update_number(&state, (uint64_t)ledger->adjacency);
    update_number(&state, (uint64_t)ledger->filter);
    update_text(&state, ledger->unit);
    if (ledger->filter == NW_FILTER_RENYI)
        update_double(&state, ledger->order);
    crypto_generichash_final(&state, mac.bytes, sizeof mac.bytes);
    return mac;
}

nw__mac nw__ledger_row_mac(
    const nw_ledger *ledger, nw__mac previous, uint64_t sequence, const char *time, const char *label, const char *text)
{
    crypto_generichash_state state;
    nw__mac mac;
    start(&state, ledger, "noisewright ledger row 1");
    update_bytes(&state, previous.bytes, sizeof previous.bytes);
    update_number(&state, sequence);
    update_text(&state, time);
    update_text(&state, label);
    update_text(&state, text);
    crypto_generichash_final(&state, mac.bytes, sizeof mac.bytes);
    return mac;
}

void nw__ledger_mac_text(nw__mac mac, char out[2 * NW__LEDGER_MAC_BYTES + 1])
{
    sodium_bin2hex(out, 2 * NW__LEDGER_MAC_BYTES + 1, mac.bytes, sizeof mac.bytes);
}
