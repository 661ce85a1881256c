/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef NW_TEST_LEDGER_SUPPORT_H
#define NW_TEST_LEDGER_SUPPORT_H

/* ledger_support.h - a folder for ledger files, and short ways to charge. Included once, by each ledger test. */
#include "ledger_internal.h"

#include <fcntl.h>
#include <math.h>
#include <nw/testing.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <signal.h>
/* cmocka wants the headers above first */
#include <cmocka.h>

static char folder[] = "ledger-test-XXXXXX";
static char path[256];

static inline void fresh_path(const char *name)
{
    char command[900];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    snprintf(command, sizeof command, "rm -rf '%s' '%s-wal' '%s-shm'", path, path, path);
    assert_int_equal(system(command), 0);
}

static inline nw_ledger_opts options(double epsilon, double delta, nw_filter filter)
{
    nw_ledger_opts o = NW_LEDGER_OPTS_INIT;
    o.epsilon = epsilon;
    o.delta = delta;
    o.adjacency = NW_ADD_REMOVE;
    o.filter = filter;
    return o;
}

static inline nw_event *gdp_event(double mu)
{
    nw_event *e = NULL;
    assert_int_equal(nw_event_gdp(&e, mu, NW_ADD_REMOVE, NULL), NW_OK);
    return e;
}

static inline nw_status charge(nw_ledger *ledger, double mu, nw_error *err)
{
    nw_event *e = gdp_event(mu);
    const nw_status status = nw_ledger_charge(ledger, e, "test", NULL, NULL, err);
    nw_event_free(e);
    return status;
}

static inline nw_ledger_summary summary_of(nw_ledger *ledger)
{
    nw_ledger_summary s;
    assert_int_equal(nw_ledger_summarise(ledger, &s, NULL), NW_OK);
    return s;
}

static inline void make_charged_ledger(const char *name, int charges)
{
    nw_ledger_opts o = options(4.0, 1e-9, NW_FILTER_AUTO);
    nw_ledger *ledger = NULL;
    fresh_path(name);
    assert_int_equal(nw_ledger_create(&ledger, path, &o, NULL), NW_OK);
    for (int i = 0; i < charges; i++)
        assert_int_equal(charge(ledger, 0.1 + 0.01 * i, NULL), NW_OK);
    nw_ledger_close(ledger);
}

static inline int make_folder(void **state)
{
    (void)state;
    return mkdtemp(folder) == NULL ? -1 : 0;
}

static inline int remove_folder(void **state)
{
    (void)state;
    char command[300];
    snprintf(command, sizeof command, "rm -rf '%s'", folder);
    return system(command);
}

#endif
