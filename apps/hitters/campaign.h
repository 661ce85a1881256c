/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef HITTERS_CAMPAIGN_H
#define HITTERS_CAMPAIGN_H

/* campaign.h - the file that devices and servers of a collection share, and the files of aggregates. */
#include "settings.h"

typedef struct collection {
    nw_ldp_campaign campaign;
    nw_hh_opts search;
} collection;

/** Writes it as JSON: the campaign's bytes, and how it is searched. An exit code, with its message written. */
int collection_write(const collection *c, const char *path);
int collection_read(collection *c, const char *path);

/** An aggregate's file. APP_USAGE if it is of another campaign (NULL: any). */
int aggregate_read(nw_ldp_aggregate **out, const char *path, const nw_ldp_campaign *campaign);
int aggregate_write(const nw_ldp_aggregate *aggregate, const char *path);

#endif
