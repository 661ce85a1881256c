/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
/* options.c - options checked: public quantities only. */
#include "bags_internal.h"

#include <math.h>
#include <string.h>

static const double MOST_LABEL = 1e30; /* of clip and center: their squares are doubles */
static const double LEAST_CLIP = 1e-30;

void nw_bags_opts_init(nw_bags_opts *opts, size_t struct_size)
{
    const nw_bags_opts defaults = NW_BAGS_OPTS_INIT;
    memcpy(opts, &defaults, struct_size < sizeof defaults ? struct_size : sizeof defaults);
    opts->struct_size = struct_size;
}

void nw_bags_fit_opts_init(nw_bags_fit_opts *opts, size_t struct_size)
{
    const nw_bags_fit_opts defaults = NW_BAGS_FIT_OPTS_INIT;
    memcpy(opts, &defaults, struct_size < sizeof defaults ? struct_size : sizeof defaults);
    opts->struct_size = struct_size;
}

const char *nw_bags_grouping_name(nw_bags_grouping grouping)
{
    switch (grouping) {
    case NW_BAGS_RANDOM: return "random";
    case NW_BAGS_SORTED: return "sorted";
    case NW_BAGS_CURATED: return "curated";
    case NW_BAGS_BY_ID: return "ids";
    case NW_BAGS_BY_LIST: return "lists";
    }
    return NULL;
}

const char *nw_bags_loss_name(nw_bags_loss loss)
{
    return loss == NW_BAGS_SQUARED ? "squared" : loss == NW_BAGS_LOGISTIC ? "logistic" : NULL;
}

static nw_status check_grouping(const nw_bags_opts *o, const char *function, nw_error *err)
{
    const bool is_given = o->grouping == NW_BAGS_BY_ID || o->grouping == NW_BAGS_BY_LIST;
    if (nw_bags_grouping_name(o->grouping) == NULL)
        return nw__fail(err, NW_E_ARG, function, "grouping is %d, must be one of nw_bags_grouping", (int)o->grouping);
    if (!is_given && !(o->bag_size >= 1 && o->bag_size <= o->rows))
        return nw__fail(err, NW_E_ARG, function, "bag_size is %zu, must be in 1 .. %zu (rows)", o->bag_size, o->rows);
    if (is_given && !(o->bag_count >= 1 && o->bag_count <= o->rows))
        return nw__fail(err, NW_E_ARG, function, "bag_count is %zu, must be in 1 .. %zu (rows)", o->bag_count, o->rows);
    if (o->grouping == NW_BAGS_SORTED && o->scores == NULL)
        return nw__fail(err, NW_E_ARG, function, "scores is NULL, must be given with grouping sorted");
    if (o->grouping == NW_BAGS_BY_ID && o->ids == NULL)
        return nw__fail(err, NW_E_ARG, function, "ids is NULL, must be given with grouping ids");
    if (o->grouping == NW_BAGS_BY_LIST && (o->starts == NULL || o->members == NULL))
        return nw__fail(err, NW_E_ARG, function, "starts or members is NULL, both must be given with grouping lists");
    if (o->grouping == NW_BAGS_CURATED && (o->rows < 2 || o->borrowed_features == NULL))
        return nw__fail(err, NW_E_ARG, function, "grouping is curated, must have borrowed_features and two rows or more");
    if (o->grouping == NW_BAGS_CURATED && (o->feature_count < 1 || o->feature_count > NW__BAGS_MOST_FEATURES))
        return nw__fail(
            err, NW_E_ARG, function, "feature_count is %zu, must be in 1 .. %d", o->feature_count, NW__BAGS_MOST_FEATURES);
    return NW_OK;
}

nw_status nw__bags_options_read(nw_bags_opts *out, const nw_bags_opts *opts, const char *function, nw_error *err)
{
    nw_bags_opts o = NW_BAGS_OPTS_INIT;
    if (opts == NULL)
        return nw__fail(err, NW_E_ARG, function, "opts is NULL");
    memcpy(&o, opts, opts->struct_size < sizeof o ? opts->struct_size : sizeof o);
    o.struct_size = sizeof o;
    NW__TRY(nw__check_budget(o.epsilon, o.delta, function, err));
    if (!(o.rows >= 1 && o.rows <= NW__BAGS_MOST_ROWS))
        return nw__fail(err, NW_E_ARG, function, "rows is %zu, must be in 1 .. %zu", o.rows, NW__BAGS_MOST_ROWS);
    if (!(o.clip >= LEAST_CLIP && o.clip <= MOST_LABEL))
        return nw__fail(err, NW_E_ARG, function, "clip is %g, must be in [%g, %g]", o.clip, LEAST_CLIP, MOST_LABEL);
    if (!(fabs(o.center) <= MOST_LABEL))
        return nw__fail(err, NW_E_ARG, function, "center is %g, must be in [-%g, %g]", o.center, MOST_LABEL, MOST_LABEL);
    NW__TRY(check_grouping(&o, function, err));
    *out = o;
    return NW_OK;
}
