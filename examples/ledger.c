/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
/* ledger.c - a ledger in a file: charged until it refuses, opened again, shown and verified. */
#include <noisewright.h>
#include <stdio.h>

static bool print_charge(void *context, const nw_ledger_entry *entry)
{
    (void)context;
    printf("  %llu %s %s\n", (unsigned long long)entry->sequence, entry->time, entry->label);
    return true; /* go on */
}

/* Charges Gaussian releases of mu = 1/16 each until one is refused; *count receives how many fitted. */
static nw_status spend(nw_ledger *ledger, nw_rng *rng, unsigned *count, nw_receipt *last, nw_error *err)
{
    const nw_sensitivity one_record = { 1.0, NW_ADD_REMOVE };
    nw_event *event = NULL;
    nw_receipt receipt;
    *count = 0;
    nw_status status = nw_event_noise(&event, NW_EVENT_ROUNDED_GAUSSIAN, 16.0, one_record, 1, err);
    while (status == NW_OK && (status = nw_ledger_charge(ledger, event, "a count", rng, &receipt, err)) == NW_OK) {
        /* the charge is durable: now, and only now, a mechanism draws */
        *last = receipt;
        ++*count;
    }
    nw_event_free(event);
    return status == NW_E_BUDGET ? NW_OK : status;
}

int main(void)
{
    const char *path = "example.nwl";
    nw_ledger_opts o = NW_LEDGER_OPTS_INIT;
    o.epsilon = 1.0;
    o.delta = 1e-9;
    o.adjacency = NW_ADD_REMOVE;
    o.unit = "one visit";

    nw_error err;
    nw_rng *rng = NULL;
    nw_ledger *ledger = NULL;
    nw_receipt last;
    unsigned count = 0;
    remove(path);
    bool ok = nw_rng_new(&rng, &err) == NW_OK && nw_ledger_create(&ledger, path, &o, &err) == NW_OK &&
        spend(ledger, rng, &count, &last, &err) == NW_OK;
    nw_ledger_close(ledger);
    ledger = NULL;
    if (ok) {
        printf("%u releases fitted; the last receipt's head is %s\n", count, last.head);
        ok = nw_ledger_open_readonly(&ledger, path, &err) == NW_OK && nw_ledger_each(ledger, print_charge, NULL, &err) == NW_OK &&
            nw_ledger_verify(ledger, last.head, &err) == NW_OK;
    }
    if (!ok)
        fprintf(stderr, "%s: %s\n", err.function, err.message);
    nw_ledger_close(ledger);
    nw_rng_free(rng);
    remove(path);
    return ok ? 0 : 1;
}
