/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef SCALE_ROOMS_H
#define SCALE_ROOMS_H

/* rooms.h - every room whose totals add up over processes, behind one small table of functions. */
#include <noisewright.h>

enum { ROOM_RECORDS = 999, ROOM_MOST_FIGURES = 4096 };

/** What a release tells, as numbers. */
typedef struct room_figures {
    double values[ROOM_MOST_FIGURES];
    size_t n;
} room_figures;

typedef struct room {
    const char *name;
    /** is_other: with another epsilon. */
    nw_status (*open)(void **handle, bool is_other, nw_error *err);
    /** The records of one of `size` processes. */
    nw_status (*add)(void *handle, size_t rank, size_t size, nw_error *err);
    nw_status (*reduce)(void *handle, const nw_reduce *reduce, nw_error *err);
    nw_status (*release)(void *handle, nw_rng *rng, nw_ledger *ledger, room_figures *out, nw_error *err);
    nw_status (*follow)(void *handle, nw_error *err); /* NULL: the others have nothing to do while process 0 releases */
    void (*close)(void *handle);
    /* Totals as bytes; NULL: not tested here. */
    size_t (*size)(const void *handle);
    nw_status (*serialize)(const void *handle, uint8_t *out, size_t capacity, nw_error *err);
    nw_status (*merge_bytes)(void *handle, const uint8_t *bytes, size_t n, nw_error *err);
} room;

extern const room ROOMS[];
extern const size_t ROOM_COUNT;

/** Writes the table of synth_twice. False if it cannot. */
bool rooms_setup(void);
void rooms_teardown(void);

#endif
