/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
/* slot_table.c - covers the area under a law with 2^14 rectangles of one common area A.
 *
 * Blocks of 2^s cells tile the line from 0 outward on each side. A block gets as many levels of height h = A / 2^s as reach its
 * highest point; a block that one level covers is widened as far as it stays covered. A is the smallest area, up to bisection,
 * with which the slots suffice. The law of an accepted trial is exact for *every* A and every tiling that covers the law, so
 * nothing here can bias a sample: rounding is outward, and an A that is too large only wastes trials. */
#include "kernels.h"

#include <math.h>
#include <stdlib.h>

/* Gaussians end at 15 sigma (mass beyond: 2^-166), Laplace bodies at 16 b, from where one slot a side holds the exact tail. */
static const double GAUSSIAN_END = 15.0;
static const double LAPLACE_END = 16.0;
/* No block is wider than this many scales: a wide block has few accepted cells, and its height must not fall below 2^-17. */
static const double WIDEST_BLOCK = 16.0;
/* The exponent is at most 128 and carries at most 8 relative roundings of 2^-53, exp adds an ulp: below 2^-42 < OUTWARD. */
static const double OUTWARD = 1e-12;
/* On a lattice this fine, few of a real-valued law's slots are cut by the law's edge. */
static const double SMALLEST_LATTICE_SCALE = 64.0;
/* A chord is kept in floats: two roundings of 2^-24 relative to at most top + level, and those of the evaluation in double. */
static const double CHORD_ROUNDING = 0x1p-20;

/* One side of the tiling: blocks outward from 0, mirrored for the negative cells. A block's ends are multiples of the fast slots'
 * width, fewer than 2^11 of them, so a double holds them exactly at every scale; a cell next to one has up to 60 bits and is
 * counted in int64. Distances that are rounded only go into heights, which are rounded outward. */
typedef struct layout {
    nw_noise *noise; /* slots are written if `emit` */
    double area;
    bool emit;
    size_t used;
} layout;

static double height(const nw_noise *noise, double distance)
{
    const double z = distance / noise->lattice_scale;
    return noise->law == NW_NOISE_DISCRETE_LAPLACE ? exp(-z) : exp(-0.5 * z * z);
}

static double end_of(const nw_noise *noise)
{
    return ceil((noise->law == NW_NOISE_DISCRETE_LAPLACE ? LAPLACE_END : GAUSSIAN_END) * noise->lattice_scale) + 1.0;
}

/* Between a chord and its curve lies at most width^2 / 8 times the largest |p''|; in units z of the scale that is |z^2 - 1| p or
 * p. The block does not contain 0 inside, so |z^2 - 1| and p are largest at its ends. */
static void set_chord(const nw_noise *noise, nw__slot *slot)
{
    const double width = ldexp(1.0, slot->log2_width);
    const double first = fabs((double)slot->base);
    const double last = fabs((double)slot->base + width);
    const double near = fmin(first, last) / noise->lattice_scale;
    const double far = fmax(first, last) / noise->lattice_scale;
    const double unit = width / noise->area; /* from p to heights */
    const double at_first = height(noise, first) * unit;
    const double at_last = height(noise, last) * unit;
    const double top = fmax(at_first, at_last);
    const double factor = noise->law == NW_NOISE_DISCRETE_LAPLACE ? 1.0 : fmax(fabs(near * near - 1.0), fabs(far * far - 1.0));
    const double spread = width / noise->lattice_scale;
    const double bend = spread * spread / 8.0 * factor * top;
    const double rounding = (top + slot->level + 1.0) * CHORD_ROUNDING;
    slot->start = (float)(at_first - slot->level);
    slot->slope = (float)(at_last - at_first);
    slot->slack = slot->kind == NW__SLOT_BLOCK ? (float)((bend + rounding + noise->margin * top) * 1.001) : INFINITY;
}

static void put_slot(layout *l, nw__slot slot, bool is_fast)
{
    if (l->emit && l->used < NW__SLOTS) {
        if (!is_fast)
            set_chord(l->noise, &slot);
        l->noise->slots[l->used] = slot;
        l->noise->fast[l->used] = is_fast ? (int16_t)(slot.base >> slot.log2_width) : NW__SLOT_FLAGGED;
    }
    l->used++;
}

/* The block of cells at distances lo .. lo + width - 1 (positive side) or lo + 1 .. lo + width (negative side, cells -lo-width
 * .. -lo-1); returns its width. */
static double put_block(layout *l, bool is_negative, double lo)
{
    const nw_noise *noise = l->noise;
    unsigned s = noise->log2_width;
    double width = ldexp(1.0, (int)s);
    const bool is_integer = !noise->is_continuous;
    const double top = height(noise, is_negative && is_integer ? lo + 1.0 : lo) * (1.0 + OUTWARD);
    size_t levels = (size_t)ceil(top * width / l->area);
    if (levels <= 1) {
        levels = 1;
        while (l->area / (2.0 * width) >= top && 2.0 * width <= fmax(1.0, WIDEST_BLOCK * noise->lattice_scale)) {
            width *= 2.0;
            s++;
        }
    }
    const double bottom = height(noise, is_negative || !is_integer ? lo + width : lo + width - 1.0) * (1.0 - OUTWARD);
    const int64_t base = is_negative ? -(int64_t)(lo + width) : (int64_t)lo;
    for (size_t level = 0; level < levels; level++) {
        const nw__slot slot = { base, (uint16_t)level, (uint8_t)s, NW__SLOT_BLOCK, 0, 0, 0 };
        const bool is_fast = s == noise->log2_width && ((double)level + 1.0) * l->area / width <= bottom;
        put_slot(l, slot, is_fast);
        if (l->used > NW__SLOTS)
            break;
    }
    return width;
}

static void put_side(layout *l, bool is_negative)
{
    const double end = end_of(l->noise);
    double lo = 0.0;
    while (lo < end && l->used <= NW__SLOTS)
        lo += put_block(l, is_negative, lo);
    if (l->noise->law == NW_NOISE_DISCRETE_LAPLACE) {
        /* the next cell outward; its whole tail has mass e^(-first/b) / (1 - e^(-1/b)), which one slot must hold */
        const int64_t first = is_negative ? (int64_t)lo + 1 : (int64_t)lo;
        const double mass = height(l->noise, (double)first) / -expm1(-1.0 / l->noise->lattice_scale) * (1.0 + OUTWARD);
        const nw__slot slot = { is_negative ? -first : first, 0, 0, NW__SLOT_TAIL, 0, 0, 0 };
        put_slot(l, slot, false);
        if (mass > l->area)
            l->used = NW__SLOTS + 1; /* this area is too small */
    }
}

static bool lay_out(nw_noise *noise, double area, bool emit)
{
    layout l = { noise, area, emit, 0 };
    put_side(&l, false);
    put_side(&l, true);
    return l.used <= NW__SLOTS;
}

/* The smallest area that fits, within a factor 1 + 2^-20, rounded up. */
static double find_area(nw_noise *noise)
{
    double low = 0.0;
    double high = 4.0 * (noise->lattice_scale + 1.0) * 0x1p-8; /* far more than Z / slots, Z < 2.6 (scale + 1) */
    while (!lay_out(noise, high, false))
        high *= 2.0;
    while (high - low > high * 0x1p-20) {
        const double middle = 0.5 * (low + high);
        if (lay_out(noise, middle, false))
            high = middle;
        else
            low = middle;
    }
    return high;
}

/* Blocks of about scale * sqrt(10 / slots) cells minimise the flagged trials. At the largest lattice scale, 2^55, they have 2^50
 * cells: a slot and a cell are the 64 bits of a word. */
static unsigned width_for(double lattice_scale)
{
    const double bits = log2(lattice_scale * sqrt(10.0 / NW__SLOTS));
    return bits > 0.0 ? (unsigned)lround(bits) : 0;
}

nw_status nw__noise_new_with_margin(nw_noise **out, nw_noise_law law, double scale, double margin, nw_error *err)
{
    static const char *const name = "nw_noise_new";
    if (out == NULL)
        return nw__fail(err, NW_E_ARG, name, "out is NULL");
    *out = NULL;
    if (law != NW_NOISE_ROUNDED_GAUSSIAN && law != NW_NOISE_DISCRETE_GAUSSIAN && law != NW_NOISE_DISCRETE_LAPLACE)
        return nw__fail(err, NW_E_ARG, name, "law is %d, must be a value of nw_noise_law", (int)law);
    if (!(scale >= NW_NOISE_SMALLEST_SCALE && scale <= NW_NOISE_LARGEST_SCALE))
        return nw__fail(err, NW_E_ARG, name, "scale is %g, must be in [2^-10, 2^54]", scale);
    nw_noise *noise = nw__calloc(1, sizeof *noise);
    if (noise == NULL)
        return nw__fail_memory(err, name);
    noise->law = law;
    noise->scale = scale;
    noise->lattice_scale = scale;
    noise->margin = margin;
    noise->is_continuous = law == NW_NOISE_ROUNDED_GAUSSIAN;
    if (noise->is_continuous) {
        do { /* at least one halving, so that the rounding boundaries y / 2^halvings = n + 1/2 are cell boundaries */
            noise->lattice_scale *= 2.0;
            noise->halvings++;
        } while (noise->lattice_scale < SMALLEST_LATTICE_SCALE);
    }
    noise->log2_width = width_for(noise->lattice_scale);
    noise->area = find_area(noise);
    for (size_t i = 0; i < sizeof noise->fast / sizeof *noise->fast; i++)
        noise->fast[i] = NW__SLOT_FLAGGED;
    for (size_t i = 0; i < NW__SLOTS; i++)
        noise->slots[i].start = -INFINITY; /* of those that stay unused: always rejects */
    lay_out(noise, noise->area, true);
    noise->kernels = nw__kernels_best();
    if (!nw__kernels_agree(noise->kernels, noise))
        noise->kernels = &nw__kernels_plain;
    *out = noise;
    return NW_OK;
}

nw_status nw_noise_new(nw_noise **out, nw_noise_law law, double scale, nw_error *err)
{
    return nw__noise_new_with_margin(out, law, scale, NW__NOISE_MARGIN, err);
}

void nw_noise_free(nw_noise *noise)
{
    free(noise);
}

nw_noise_law nw_noise_get_law(const nw_noise *noise)
{
    return noise->law;
}

double nw_noise_get_scale(const nw_noise *noise)
{
    return noise->scale;
}
