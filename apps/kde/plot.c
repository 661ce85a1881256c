/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
/* plot.c - released values only: nothing here is private. */
#include "plot.h"

#include "../common/exit.h"
#include "../common/files.h"
#include "../common/html.h"
#include "../common/numbers.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { CURVE_WIDTH = 760, CURVE_HEIGHT = 420, LEFT = 84, TOP = 46, BOTTOM = 58, RIGHT = 24, STEPS = 401 };
enum { MAP_WIDTH = 980, MAP_HEIGHT = 460, MAP_SIDE = 320, SECOND = 490, CELLS = 64, BAR_GAP = 14, BAR_WIDTH = 12, SHADES = 48 };

/* An area with axes: where it stands, and what its edges mean, in the unit of the points. */
typedef struct area {
    double left, top, width, height;
    double low[2], high[2];
} area;

static double at_x(const area *a, double x)
{
    return a->left + a->width * (x - a->low[0]) / (a->high[0] - a->low[0]);
}

static double at_y(const area *a, double y)
{
    return a->top + a->height * (a->high[1] - y) / (a->high[1] - a->low[1]);
}

/* ---- phrase and axes ---- */

static void text(FILE *f, double x, double y, const char *style, const char *phrase)
{
    fprintf(f, "<text x=\"%.1f\" y=\"%.1f\" %s>", x, y, style);
    app_html_short(f, phrase, 96);
    fputs("</text>\n", f);
}

static void number(FILE *f, double x, double y, const char *style, double value)
{
    char phrase[32];
    snprintf(phrase, sizeof phrase, "%.6g", value + 0.0); /* no "-0" */
    text(f, x, y, style, phrase);
}

static void begin(FILE *f, int width, int height, const plot_terms *t)
{
    char phrase[160];
    const nw_kde_opts o = nw_kde_get_opts(t->kde);
    const nw_receipt *r = nw_kde_receipt(t->kde);
    fprintf(f,
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %d %d\" font-family=\"sans-serif\" font-size=\"12\" "
        "fill=\"#333\">\n<rect width=\"%d\" height=\"%d\" fill=\"#fff\"/>\n",
        width, height, width, height);
    if (t->title != NULL)
        snprintf(phrase, sizeof phrase, "%s", t->title);
    else if (o.bandwidth > 0.0)
        snprintf(phrase, sizeof phrase, "Sum of the %s kernel over the private points, bandwidth %g",
            nw_kde_kernel_name(o.kernel), o.bandwidth);
    else
        snprintf(phrase, sizeof phrase, "Sum of %s distances to the private points", nw_kde_kernel_name(o.kernel));
    fputs("<title>", f);
    app_html_text(f, phrase);
    fputs("</title>\n", f);
    text(f, LEFT, 24.0, "font-size=\"14\" font-weight=\"bold\"", phrase);
    snprintf(
        phrase, sizeof phrase, "epsilon %.3g, delta %g%s", r->epsilon, r->delta, r->is_insecure ? ", NOT PRIVATE: a seed" : "");
    text(f, width - RIGHT, height - 8.0, "text-anchor=\"end\" fill=\"#777\" font-size=\"11\"", phrase);
}

static void mark(FILE *f, const area *a, int axis, double place, double x)
{
    if (axis == 0) {
        fprintf(f, "<path d=\"M%.2f %.2fv4\" stroke=\"#888\"/>", at_x(a, place), a->top + a->height);
        number(f, at_x(a, place), a->top + a->height + 18.0, "text-anchor=\"middle\"", x);
    } else {
        fprintf(f, "<path d=\"M%.2f %.2fh-4\" stroke=\"#888\"/>", a->left, at_y(a, place));
        number(f, a->left - 8.0, at_y(a, place) + 4.0, "text-anchor=\"end\"", x);
    }
}

/* Marks of coordinate j: round numbers, on a logarithmic scale powers of ten above the lower bound. */
static void marks(FILE *f, const area *a, const plot_terms *t, int j)
{
    const view *v = t->view;
    if (v->is_scaled && v->is_log != NULL && v->is_log[j]) {
        for (double step = pow(10.0, floor(log10(t->upper[j] - v->lower[j])) - 4.0); step <= t->upper[j] - v->lower[j];
             step *= 10.0)
            if (v->lower[j] + step >= t->lower[j] && view_place(v, (size_t)j, v->lower[j] + step) > 0.08)
                mark(f, a, j, view_place(v, (size_t)j, v->lower[j] + step), v->lower[j] + step);
        mark(f, a, j, view_place(v, (size_t)j, t->lower[j]), t->lower[j]);
        return;
    }
    const double d = app_round_step(t->upper[j] - t->lower[j]);
    for (double k = ceil(t->lower[j] / d); k * d <= t->upper[j] + 1e-9 * d; k++)
        mark(f, a, j, view_place(v, (size_t)j, k * d), k * d);
}

static void frame(FILE *f, const area *a)
{
    fprintf(f, "<rect x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"%.1f\" fill=\"none\" stroke=\"#888\"/>\n", a->left, a->top,
        a->width, a->height);
}

static void name_axes(FILE *f, const area *a, const char *across, const char *up)
{
    const double x = a->left - 60.0, y = a->top + a->height / 2.0;
    if (across != NULL)
        text(f, a->left + a->width / 2.0, a->top + a->height + 38.0, "text-anchor=\"middle\" font-size=\"13\"", across);
    if (up == NULL)
        return;
    fprintf(f, "<g transform=\"rotate(-90 %.1f %.1f)\">", x, y);
    text(f, x, y, "text-anchor=\"middle\" font-size=\"13\"", up);
    fputs("</g>\n", f);
}

/* What is drawn of coordinate j, in the unit of the points. */
static double edge(const plot_terms *t, int j, bool is_high)
{
    return view_place(t->view, (size_t)j, is_high ? t->upper[j] : t->lower[j]);
}

/* ---- one dimension ---- */

static void draw_curve(FILE *f, const area *a, const double *x, const double *values, const double *errors)
{
    if (a->low[1] < 0.0 && a->high[1] > 0.0)
        fprintf(f, "<path d=\"M%.1f %.2fh%.1f\" stroke=\"#bbb\"/>\n", a->left, at_y(a, 0.0), a->width);
    fputs("<path fill=\"#9ecae1\" fill-opacity=\"0.6\" d=\"", f);
    for (int i = 0; i < STEPS; i++)
        fprintf(f, "%c%.1f %.1f", i == 0 ? 'M' : 'L', at_x(a, x[i]), at_y(a, values[i] + errors[i]));
    for (int i = STEPS; i-- > 0;)
        fprintf(f, "L%.1f %.1f", at_x(a, x[i]), at_y(a, values[i] - errors[i]));
    fputs("Z\"/>\n<path fill=\"none\" stroke=\"#08519c\" stroke-width=\"1.6\" stroke-linejoin=\"round\" d=\"", f);
    for (int i = 0; i < STEPS; i++)
        fprintf(f, "%c%.1f %.1f", i == 0 ? 'M' : 'L', at_x(a, x[i]), at_y(a, values[i]));
    fputs("\"/>\n", f);
}

static void draw_legend(FILE *f, const area *a)
{
    const double x = a->left + a->width - 218.0, y = a->top + 20.0;
    fprintf(f,
        "<rect x=\"%.1f\" y=\"%.1f\" width=\"26\" height=\"10\" fill=\"#9ecae1\" fill-opacity=\"0.6\"/><path d=\"M%.1f %.1fh26\" "
        "stroke=\"#08519c\" stroke-width=\"1.6\"/>\n",
        x, y - 9.0, x, y - 4.0);
    text(f, x + 32.0, y, "", "value, and one standard error");
}

static nw_status curve(FILE *f, const plot_terms *t, nw_error *err)
{
    static float y[STEPS];
    static double x[STEPS], values[STEPS], errors[STEPS];
    area a = { LEFT, TOP, CURVE_WIDTH - LEFT - RIGHT, CURVE_HEIGHT - TOP - BOTTOM, { edge(t, 0, false), 0.0 },
        { edge(t, 0, true), 0.0 } };
    for (int i = 0; i < STEPS; i++) {
        x[i] = a.low[0] + (a.high[0] - a.low[0]) * i / (STEPS - 1.0);
        y[i] = (float)x[i];
    }
    const nw_status status = nw_kde_query(t->kde, y, STEPS, values, errors, err);
    if (status != NW_OK)
        return status;
    for (int i = 0; i < STEPS; i++) {
        a.low[1] = fmin(a.low[1], values[i] - errors[i]);
        a.high[1] = fmax(a.high[1], values[i] + errors[i]);
    }
    const double margin = a.high[1] > a.low[1] ? 0.04 * (a.high[1] - a.low[1]) : 0.5;
    a.high[1] += margin;
    a.low[1] -= a.low[1] < 0.0 ? margin : 0.0;
    begin(f, CURVE_WIDTH, CURVE_HEIGHT, t);
    draw_curve(f, &a, x, values, errors);
    marks(f, &a, t, 0);
    const double d = app_round_step(a.high[1] - a.low[1]);
    for (double k = ceil(a.low[1] / d); k * d <= a.high[1] + 1e-9 * d; k++)
        mark(f, &a, 1, k * d, k * d);
    frame(f, &a);
    draw_legend(f, &a);
    name_axes(f, &a, t->names[0], "value");
    return NW_OK;
}

/* ---- two dimensions ---- */

/* Colours from the least value to the largest: lightness falls all the way. */
typedef double ramp[4][3];
static const ramp BLUE = { { 255, 255, 255 }, { 158, 202, 225 }, { 33, 113, 181 }, { 8, 29, 70 } };
static const ramp ORANGE = { { 255, 255, 255 }, { 254, 230, 206 }, { 253, 174, 107 }, { 230, 85, 13 } };

static void print_colour(FILE *f, const ramp colours, double share)
{
    const double at = fmin(fmax(share, 0.0), 1.0) * 3.0;
    const int k = at >= 3.0 ? 2 : (int)at;
    fputc('#', f);
    for (int c = 0; c < 3; c++)
        fprintf(f, "%02x", (unsigned)lround(colours[k][c] + (at - k) * (colours[k + 1][c] - colours[k][c])));
}

/* Cells of one shade are one path, of which runs are one rectangle; they overlap a little, against seams. */
static void draw_cells(FILE *f, const area *a, const ramp colours, const double *values, double least, double most)
{
    const double w = a->width / CELLS, h = a->height / CELLS, overlap = 0.7;
    for (int shade = 1; shade < SHADES; shade++) { /* 0 is white, as the ground */
        bool is_begun = false;
        for (int j = 0; j < CELLS; j++)
            for (int i = 0, end; i < CELLS; i = end) {
                for (end = i; end < CELLS; end++)
                    if (lround((values[j * CELLS + end] - least) / (most - least) * (SHADES - 1)) != shade)
                        break;
                if (end > i) {
                    fputs(is_begun ? "" : "<path d=\"", f);
                    is_begun = true;
                    fprintf(f, "M%.6g %.6gh%.6gv%.6gh%.6gz", a->left + i * w, a->top + a->height - (j + 1) * h,
                        (end - i) * w + overlap, h + overlap, -(end - i) * w - overlap);
                }
                end += end == i;
            }
        if (is_begun) {
            fputs("\" fill=\"", f);
            print_colour(f, colours, (double)shade / (SHADES - 1));
            fputs("\"/>\n", f);
        }
    }
}

static void draw_bar(FILE *f, const area *a, const ramp colours, double least, double most)
{
    const double x = a->left + a->width + BAR_GAP, step = a->height / SHADES, d = app_round_step(most - least);
    for (int k = 0; k < SHADES; k++) {
        fprintf(f, "<path d=\"M%.1f %.2fh%dv%.2fh-%dz\" fill=\"", x, a->top + a->height - (k + 1) * step, BAR_WIDTH, step + 0.3,
            BAR_WIDTH);
        print_colour(f, colours, k / (SHADES - 1.0));
        fputs("\"/>", f);
    }
    fprintf(f, "<rect x=\"%.1f\" y=\"%.1f\" width=\"%d\" height=\"%.1f\" fill=\"none\" stroke=\"#888\"/>\n", x, a->top, BAR_WIDTH,
        a->height);
    for (double k = ceil(least / d); k * d <= most + 1e-9 * d; k++)
        number(f, x + BAR_WIDTH + 5.0, a->top + a->height * (most - k * d) / (most - least) + 4.0, "font-size=\"11\"", k * d);
}

/* One of the two maps. Values begin at `least`, or at the smallest if that is below. */
static void draw_map(FILE *f, const plot_terms *t, double left, const ramp colours, const double *values, const char *phrase)
{
    const area a = { left, TOP + 18.0, MAP_SIDE, MAP_SIDE, { edge(t, 0, false), edge(t, 1, false) },
        { edge(t, 0, true), edge(t, 1, true) } };
    double least = 0.0, most = 0.0;
    for (int i = 0; i < CELLS * CELLS; i++) {
        least = fmin(least, values[i]);
        most = fmax(most, values[i]);
    }
    if (!(most > least))
        most = least + 1.0;
    draw_cells(f, &a, colours, values, least, most);
    marks(f, &a, t, 0);
    marks(f, &a, t, 1);
    frame(f, &a);
    draw_bar(f, &a, colours, least, most);
    text(f, left, TOP + 8.0, "font-size=\"13\"", phrase);
    name_axes(f, &a, t->names[0], t->names[1]);
}

static nw_status map(FILE *f, const plot_terms *t, nw_error *err)
{
    static float y[2 * CELLS * CELLS];
    static double values[CELLS * CELLS], errors[CELLS * CELLS];
    for (int i = 0; i < CELLS * CELLS; i++)
        for (int j = 0; j < 2; j++) {
            const int cell = j == 0 ? i % CELLS : i / CELLS;
            const double low = edge(t, j, false), high = edge(t, j, true);
            y[2 * i + j] = (float)(low + (high - low) * (cell + 0.5) / CELLS);
        }
    const nw_status status = nw_kde_query(t->kde, y, (size_t)CELLS * CELLS, values, errors, err);
    if (status != NW_OK)
        return status;
    begin(f, MAP_WIDTH, MAP_HEIGHT, t);
    draw_map(f, t, LEFT, BLUE, values, "value");
    draw_map(f, t, LEFT + SECOND, ORANGE, errors, "standard error of the value");
    return NW_OK;
}

int plot_write(const plot_terms *terms, const char *path)
{
    char *svg = NULL;
    size_t size = 0;
    nw_error err;
    FILE *f = open_memstream(&svg, &size);
    if (f == NULL)
        return app_fail(APP_INTERNAL, NULL, "out of memory");
    const nw_status status = nw_kde_get_opts(terms->kde).dimension == 1 ? curve(f, terms, &err) : map(f, terms, &err);
    fputs("</svg>\n", f);
    int code = fclose(f) == 0 ? APP_OK : app_fail(APP_INTERNAL, NULL, "out of memory");
    if (code == APP_OK)
        code = status == NW_OK ? app_write_text(path, svg) : app_fail_error("plot", &err);
    free(svg);
    return code;
}
