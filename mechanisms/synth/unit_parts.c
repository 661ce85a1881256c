/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
/* unit_parts.c - which parts of a table by units may be added up.
 *
 * Of each part, read by itself, the first rows_per_unit rows of a unit count. What a unit has in the sum is bounded
 *   by rows_per_unit * parts, if no more than `parts` parts are added up: their number is counted, and no data are looked at; or
 *   by rows_per_unit, if no unit is in two parts. That is the caller's promise, but every part remembers its units, and parts
 *   that share one are not added up: the operator is told, before anything is charged, as of a malformed table.
 * Digests are cut to 64 bits, so units that differ are taken for the same, and refused, with probability n^2 / 2^65. */
#include "synth_internal.h"

#include <stdlib.h>
#include <string.h>

/* Whether two increasing lists have no word in common. */
static bool are_disjoint(const uint64_t *a, size_t n, const uint64_t *b, size_t m)
{
    for (size_t i = 0, k = 0; i < n && k < m;) {
        if (a[i] == b[k])
            return false;
        if (a[i] < b[k])
            i++;
        else
            k++;
    }
    return true;
}

static void merge_lists(uint64_t *out, const uint64_t *a, size_t n, const uint64_t *b, size_t m)
{
    size_t i = 0;
    size_t k = 0;
    while (i < n || k < m)
        *out++ = k == m || (i < n && a[i] < b[k]) ? a[i++] : b[k++];
}

static void forget_units(nw__unit_parts *own)
{
    if (own->units != NULL)
        nw__free_wiped(own->units, own->unit_count * sizeof *own->units);
    own->units = NULL;
    own->unit_count = 0;
}

nw_status nw__unit_parts_join(
    nw__unit_parts *own, uint64_t parts, const uint64_t *units, size_t unit_count, const char *function, nw_error *err)
{
    if (!own->are_needed || parts == 0)
        return NW_OK;
    if (!own->are_apart && parts > own->most - own->count)
        return nw__fail(err, NW_E_STATE, function,
            "%llu tables of units come together, must be at most %llu (parts): a unit may have rows in each of them",
            (unsigned long long)(own->count + parts), (unsigned long long)own->most);
    if (!are_disjoint(own->units, own->unit_count, units, unit_count))
        return nw__fail(err, NW_E_STATE, function,
            "a unit has rows in two parts, must have all in one as was promised; rows without a unit are of one, too");
    uint64_t *all = nw__calloc(own->unit_count + unit_count, sizeof *all);
    if (all == NULL)
        return nw__fail_memory(err, function);
    merge_lists(all, own->units, own->unit_count, units, unit_count);
    const size_t count = own->unit_count + unit_count;
    forget_units(own);
    own->units = all;
    own->unit_count = count;
    own->count += parts;
    return NW_OK;
}

nw_status nw__unit_parts_join_reader(nw__unit_parts *own, const nw_csv_reader *reader, const char *function, nw_error *err)
{
    const nw__units *read = nw__csv_reader_units(reader);
    const size_t n = nw__units_count(read);
    uint64_t *units = nw__calloc(n, sizeof *units);
    if (units == NULL)
        return nw__fail_memory(err, function);
    nw__units_list(read, units);
    const nw_status status = nw__unit_parts_join(own, 1, units, n, function, err);
    nw__free_wiped(units, n * sizeof *units);
    return status;
}

void nw__unit_parts_clear(nw__unit_parts *own)
{
    forget_units(own);
    own->count = 0;
}
