/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
/* fuzz_event.c - any bytes as an event. Of one that is taken: what is written for it reads back as the same event, byte for byte
 * and field for field, and its cost is a number or a reason. As few mutations of a text stay events, the bytes are also the seed
 * of a tree, whose text is read again with some digits changed. */
#include "random_event.h"

#include "accountant_internal.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n);

/* A strategy's sensitivity takes time and memory in proportion to its steps. */
static const char *const COSTLY = "steps";
enum { MOST_STEPS = 1 << 16 };

static void require(bool is_true, const char *what)
{
    if (is_true)
        return;
    fprintf(stderr, "fuzz_event: %s\n", what);
    abort();
}

static bool is_same_array(const double *x, const double *y, size_t n)
{
    return (x == NULL) == (y == NULL) && (x == NULL || memcmp(x, y, n * sizeof *x) == 0);
}

static bool is_same_strategy(const nw_strategy *x, const nw_strategy *y)
{
    if (x == NULL || y == NULL)
        return x == y;
    return x->kind == y->kind && x->steps == y->steps && x->coefficient_count == y->coefficient_count && x->bands == y->bands &&
           x->max_participations == y->max_participations && x->min_separation == y->min_separation &&
           is_same_array(x->coefficients, y->coefficients, x->coefficient_count) &&
           is_same_array(x->theta, y->theta, x->coefficient_count);
}

static bool is_same(const nw_event *x, const nw_event *y)
{
    if (x->kind != y->kind || x->parameter != y->parameter || x->delta != y->delta || x->samples != y->samples ||
        x->count != y->count || x->population != y->population || x->with_replacement != y->with_replacement ||
        x->sensitivity.value != y->sensitivity.value || x->sensitivity.adjacency != y->sensitivity.adjacency ||
        x->curve_size != y->curve_size || !is_same_array(x->orders, y->orders, x->curve_size) ||
        !is_same_array(x->rdp, y->rdp, x->curve_size) || !is_same_strategy(x->strategy, y->strategy) ||
        x->strategy_sensitivity != y->strategy_sensitivity || x->child_count != y->child_count)
        return false;
    for (size_t i = 0; i < x->child_count; i++)
        if (!is_same(x->children[i], y->children[i]))
            return false;
    return true;
}

/* Neither negative nor a NaN. */
static void check_cost(const nw_event *event)
{
    for (nw_adjacency a = NW_ADD_REMOVE; a <= NW_ZERO_OUT; a++) {
        nw_cost cost;
        nw_error err;
        const nw_status status = nw_event_cost(event, a, &cost, &err);
        require(status == NW_OK || (status == NW_E_UNSUPPORTED && err.message[0] != '\0'), "neither a cost nor a reason");
        if (status == NW_OK)
            require(
                cost.mu_squared >= 0.0 && cost.rho_zcdp >= 0.0 && cost.epsilon_pure >= 0.0 && cost.delta >= 0.0, "a bad cost");
    }
}

static void check_event(const nw_event *event)
{
    nw_event *back = NULL;
    char *json[2] = { NULL, NULL };
    require(nw_event_to_json(event, &json[0], NULL) == NW_OK, "cannot be written");
    require(nw_event_from_json(&back, json[0], NULL) == NW_OK, "cannot be read back");
    require(is_same(event, back), "is another event when read back");
    require(nw_event_to_json(back, &json[1], NULL) == NW_OK && strcmp(json[0], json[1]) == 0, "is written in two ways");
    check_cost(event);
    nw_event_free(back);
    nw_string_free(json[0]);
    nw_string_free(json[1]);
}

/* Does the text ask for a strategy of more steps than this test has time for? */
static bool is_costly(const char *text)
{
    for (const char *at = strstr(text, COSTLY); at != NULL; at = strstr(at + 1, COSTLY)) {
        const char *number = at + strcspn(at, "0123456789");
        if (strtod(number, NULL) > MOST_STEPS)
            return true;
    }
    return false;
}

static void check_text(const char *text)
{
    nw_event *event = NULL;
    nw_error err;
    if (!is_costly(text)) {
        const nw_status status = nw_event_from_json(&event, text, &err);
        require((status == NW_OK) == (event != NULL), "an event and an error, or neither");
        require(status == NW_OK ||
                    ((status == NW_E_FORMAT || status == NW_E_UNSUPPORTED) && err.status == status && err.message[0] != '\0'),
            "neither an event nor a message");
        if (status == NW_OK)
            check_event(event);
    }
    nw_event_free(event);
}

static void check_tree(random_bits *r)
{
    const nw_adjacency adjacency = (nw_adjacency)(1 + random_below(r, 3));
    nw_event *event = random_event(r, adjacency, (int)random_below(r, 4), 1.0);
    char *text = NULL;
    check_event(event);
    require(nw_event_to_json(event, &text, NULL) == NW_OK, "cannot be written");
    const size_t n = strlen(text);
    for (int changes = 0; changes < 3; changes++) {
        size_t at = random_below(r, n);
        while (at < n && (text[at] < '0' || text[at] > '9'))
            at++;
        if (at < n)
            text[at] = (char)('0' + random_below(r, 10));
    }
    check_text(text);
    nw_event_free(event);
    nw_string_free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    char *text = nw__calloc(n + 1, 1);
    random_bits r = { n };
    memcpy(text, bytes, n);
    check_text(text);
    for (size_t i = 0; i < n; i++)
        r.state = r.state * 31 + bytes[i];
    check_tree(&r);
    free(text);
    return 0;
}
