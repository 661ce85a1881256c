/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
/* zeros.c - cells of 2-ways that the schema's rules leave to no row: their noisy counts are noise, and records that break rules.
 * They become 0, so that nothing of them enters the table's size and the columns' laws. Post-processing. */
#include "rules.h"
#include "synth_internal.h"

#include <stdlib.h>

typedef struct masking {
    const nw__rules *rules;
    uint16_t *first; /* the row: nothing is decided but the pair */
    uint16_t *last;
    uint16_t *cells[4]; /* first and last codes of the cells of both columns */
} masking;

static bool find_codes(uint16_t *first, uint16_t *last, const nw__coding *coding, uint32_t codes)
{
    if (first == NULL || last == NULL)
        return false;
    for (uint32_t code = 0; code < codes; code++) {
        const uint32_t cell = nw__coding_cell(coding, code);
        if (code == 0 || cell != nw__coding_cell(coding, code - 1))
            first[cell] = (uint16_t)code;
        last[cell] = (uint16_t)code;
    }
    return true;
}

static bool is_impossible(const masking *k, size_t a, size_t b)
{
    for (size_t i = 0; i < k->rules->count; i++) {
        const bool *mentions = k->rules->rules[i].mentions;
        if (mentions[a] && mentions[b] && nw__rule_truth(k->rules, i, k->first, k->last) == NW__FALSE)
            return true;
    }
    return false;
}

static bool mask_pair(masking *k, const nw__plan *plan, const nw__marginal *m, const nw__coding *codings)
{
    for (int i = 0; i < 4; i++)
        k->cells[i] = nw__calloc(i < 2 ? m->cells_a : m->cells_b, sizeof(uint16_t));
    const bool is_whole = find_codes(k->cells[0], k->cells[1], &codings[m->a], plan->shapes[m->a].codes) &&
                          find_codes(k->cells[2], k->cells[3], &codings[m->b], plan->shapes[m->b].codes);
    for (uint32_t u = 0; is_whole && u < m->cells_a; u++) {
        k->first[m->a] = k->cells[0][u];
        k->last[m->a] = k->cells[1][u];
        for (uint32_t v = 0; v < m->cells_b; v++) {
            k->first[m->b] = k->cells[2][v];
            k->last[m->b] = k->cells[3][v];
            if (is_impossible(k, m->a, m->b))
                m->counts[(size_t)u * m->cells_b + v] = 0;
        }
    }
    k->first[m->a] = k->last[m->a] = k->first[m->b] = k->last[m->b] = NW__UNDECIDED;
    for (int i = 0; i < 4; i++)
        free(k->cells[i]);
    return is_whole;
}

static bool is_ruled(const nw__rules *rules, const nw__marginal *m)
{
    bool is_it = false;
    for (size_t i = 0; i < rules->count; i++)
        is_it |= rules->rules[i].mentions[m->a] && rules->rules[i].mentions[m->b];
    return is_it;
}

nw_status nw__mask_impossible(nw__plan *plan, const nw__coding *codings, const nw_schema *schema, nw_error *err)
{
    if (schema->rules == NULL)
        return NW_OK;
    masking k = { schema->rules, nw__calloc(plan->columns, sizeof(uint16_t)), nw__calloc(plan->columns, sizeof(uint16_t)),
        { NULL } };
    bool is_whole = k.first != NULL && k.last != NULL;
    for (size_t j = 0; is_whole && j < plan->columns; j++)
        k.first[j] = k.last[j] = NW__UNDECIDED;
    for (size_t i = plan->one_ways; is_whole && i < plan->marginal_count; i++)
        if (is_ruled(schema->rules, &plan->marginals[i]))
            is_whole = mask_pair(&k, plan, &plan->marginals[i], codings);
    free(k.first);
    free(k.last);
    return is_whole ? NW_OK : nw__fail_memory(err, "nw_synth_release");
}
