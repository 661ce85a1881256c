/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
/* plot.c - released values only: nothing here is private. */
#include "plot.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

enum { WIDTH = 640, HEIGHT = 360, MARGIN = 56, STEPS = 240, SIDE = 64 };

typedef struct frame {
    double low[2];
    double high[2];
} frame;

static double place_x(const frame *f, double x)
{
    return MARGIN + (x - f->low[0]) / (f->high[0] - f->low[0]) * (WIDTH - 2 * MARGIN);
}

static double place_y(const frame *f, double y)
{
    return HEIGHT - MARGIN - (y - f->low[1]) / (f->high[1] - f->low[1]) * (HEIGHT - 2 * MARGIN);
}

static void begin(FILE *out, const char *title)
{
    fprintf(out,
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %d %d\" font-family=\"sans-serif\" font-size=\"12\">\n"
        "<title>%s</title>\n<rect width=\"%d\" height=\"%d\" fill=\"white\"/>\n",
        WIDTH, HEIGHT, title, WIDTH, HEIGHT);
}

static void axes(FILE *out, const frame *f)
{
    fprintf(out, "<path d=\"M%d %dH%dM%d %dV%d\" stroke=\"#444\" fill=\"none\"/>\n", MARGIN, HEIGHT - MARGIN, WIDTH - MARGIN,
        MARGIN, HEIGHT - MARGIN, MARGIN);
    for (int i = 0; i <= 4; i++) {
        const double x = f->low[0] + (f->high[0] - f->low[0]) * i / 4.0, y = f->low[1] + (f->high[1] - f->low[1]) * i / 4.0;
        fprintf(out, "<text x=\"%.1f\" y=\"%d\" text-anchor=\"middle\">%.4g</text>\n", place_x(f, x), HEIGHT - MARGIN + 18, x);
        fprintf(out, "<text x=\"%d\" y=\"%.1f\" text-anchor=\"end\">%.4g</text>\n", MARGIN - 6, place_y(f, y) + 4.0, y);
    }
}

/* A band of one standard error around the curve. */
static void draw_curve(FILE *out, const frame *f, const float *x, const double *values, const double *errors)
{
    fputs("<path fill=\"#9ecae1\" fill-opacity=\"0.6\" d=\"", out);
    for (int i = 0; i < STEPS; i++)
        fprintf(out, "%c%.1f %.1f", i == 0 ? 'M' : 'L', place_x(f, (double)x[i]), place_y(f, values[i] + errors[i]));
    for (int i = STEPS; i-- > 0;)
        fprintf(out, "L%.1f %.1f", place_x(f, (double)x[i]), place_y(f, values[i] - errors[i]));
    fputs("Z\"/>\n<path fill=\"none\" stroke=\"#08519c\" stroke-width=\"1.5\" d=\"", out);
    for (int i = 0; i < STEPS; i++)
        fprintf(out, "%c%.1f %.1f", i == 0 ? 'M' : 'L', place_x(f, (double)x[i]), place_y(f, values[i]));
    fputs("\"/>\n", out);
}

static bool curve(FILE *out, const nw_kde *kde, const double *lower, const double *upper)
{
    static float x[STEPS];
    static double values[STEPS], errors[STEPS];
    frame f = { { lower[0], 0.0 }, { upper[0], 0.0 } };
    for (int i = 0; i < STEPS; i++)
        x[i] = (float)(lower[0] + (upper[0] - lower[0]) * i / (STEPS - 1.0));
    if (nw_kde_query(kde, x, STEPS, values, errors, NULL) != NW_OK)
        return false;
    for (int i = 0; i < STEPS; i++) {
        f.low[1] = fmin(f.low[1], values[i] - errors[i]);
        f.high[1] = fmax(f.high[1], values[i] + errors[i]);
    }
    if (!(f.high[1] > f.low[1]))
        f.high[1] = f.low[1] + 1.0;
    begin(out, "sum over the private points, with one standard error");
    draw_curve(out, &f, x, values, errors);
    axes(out, &f);
    return true;
}

/* White at the lowest value, dark blue at the highest. */
static void cell(FILE *out, int i, int j, double share)
{
    const double width = (WIDTH - 2.0 * MARGIN) / SIDE, height = (HEIGHT - 2.0 * MARGIN) / SIDE;
    const int red = (int)(255.0 - 247.0 * share), green = (int)(255.0 - 174.0 * share), blue = (int)(255.0 - 99.0 * share);
    fprintf(out, "<rect x=\"%.2f\" y=\"%.2f\" width=\"%.2f\" height=\"%.2f\" fill=\"#%02x%02x%02x\"/>\n", MARGIN + i * width,
        HEIGHT - MARGIN - (j + 1) * height, width + 0.2, height + 0.2, red, green, blue);
}

static bool map(FILE *out, const nw_kde *kde, const double *lower, const double *upper)
{
    static float y[2 * SIDE * SIDE];
    static double values[SIDE * SIDE];
    const frame f = { { lower[0], lower[1] }, { upper[0], upper[1] } };
    double least = INFINITY, most = -INFINITY;
    for (int i = 0; i < SIDE * SIDE; i++) {
        y[2 * i] = (float)(lower[0] + (upper[0] - lower[0]) * (i % SIDE + 0.5) / SIDE);
        y[2 * i + 1] = (float)(lower[1] + (upper[1] - lower[1]) * ((double)(i / SIDE) + 0.5) / SIDE);
    }
    if (nw_kde_query(kde, y, SIDE * SIDE, values, NULL, NULL) != NW_OK)
        return false;
    for (int i = 0; i < SIDE * SIDE; i++) {
        least = fmin(least, values[i]);
        most = fmax(most, values[i]);
    }
    begin(out, "sum over the private points");
    for (int i = 0; i < SIDE * SIDE; i++)
        cell(out, i % SIDE, i / SIDE, most > least ? (values[i] - least) / (most - least) : 0.0);
    axes(out, &f);
    fprintf(out, "<text x=\"%d\" y=\"20\">from %.4g (white) to %.4g (blue)</text>\n", MARGIN, least, most);
    return true;
}

char *plot_svg(const nw_kde *kde, const double *lower, const double *upper)
{
    char *text = NULL;
    size_t size = 0;
    const size_t d = nw_kde_get_opts(kde).dimension;
    FILE *out = d > 2 ? NULL : open_memstream(&text, &size);
    if (out == NULL)
        return NULL;
    const bool is_whole = d == 1 ? curve(out, kde, lower, upper) : map(out, kde, lower, upper);
    fputs("</svg>\n", out);
    if (fclose(out) == 0 && is_whole)
        return text;
    free(text);
    return NULL;
}
