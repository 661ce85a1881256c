/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
#include "curve.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { POINTS = 33, ALPHAS = 101, WIDTH = 900, HEIGHT = 450, SIDE = 320, TOP = 50 };
static const double LEAST_DELTA = 1e-10;

/* One panel: where it stands, and its ranges. */
typedef struct panel {
    double left, low_x, high_x, low_y, high_y;
} panel;

static double at_x(const panel *p, double x)
{
    return p->left + SIDE * (x - p->low_x) / (p->high_x - p->low_x);
}

static double at_y(const panel *p, double y)
{
    return TOP + SIDE * (p->high_y - y) / (p->high_y - p->low_y);
}

/* Points that are not above the panel's foot end the line: a bound of 0 is not drawn as if it were a small one. */
static void line_to(FILE *f, const panel *p, const double *x, const double *y, size_t n, const char *style)
{
    fprintf(f, "<polyline fill=\"none\" stroke-linejoin=\"round\" %s points=\"", style);
    for (size_t i = 0; i < n; i++) {
        fprintf(f, "%.2f,%.2f ", at_x(p, x[i]), at_y(p, fmax(y[i], p->low_y)));
        if (y[i] < p->low_y)
            break;
    }
    fputs("\"/>\n", f);
}

static void text(FILE *f, double x, double y, const char *anchor, const char *words)
{
    fprintf(f, "<text x=\"%.1f\" y=\"%.1f\" text-anchor=\"%s\">%s</text>\n", x, y, anchor, words);
}

static void frame(FILE *f, const panel *p, const char *title, const char *x_name, const char *y_name)
{
    const double middle = TOP + SIDE / 2.0;
    fprintf(f, "<text x=\"%.1f\" y=\"%d\" font-size=\"15\">%s</text>\n", p->left, TOP - 14, title);
    text(f, p->left + SIDE / 2.0, TOP + SIDE + 40.0, "middle", x_name);
    fprintf(f, "<g transform=\"rotate(-90 %.1f %.1f)\">", p->left - 46, middle);
    text(f, p->left - 46, middle, "middle", y_name);
    fputs("</g>\n", f);
}

static void border(FILE *f, const panel *p)
{
    fprintf(f, "<path fill=\"none\" stroke=\"#888\" d=\"M%.1f %d h%d v%d h-%d z\"/>\n", p->left, TOP, SIDE, SIDE, SIDE);
}

static void tick_x(FILE *f, const panel *p, double x)
{
    char words[32];
    fprintf(f, "<path d=\"M%.2f %d v%d\" stroke=\"#e4e4e4\"/>", at_x(p, x), TOP, SIDE);
    fprintf(f, "<path d=\"M%.2f %d v5\" stroke=\"#888\"/>", at_x(p, x), TOP + SIDE);
    snprintf(words, sizeof words, "%.6g", x);
    text(f, at_x(p, x), TOP + SIDE + 19.0, "middle", words);
}

static void tick_y(FILE *f, const panel *p, double y, bool is_log)
{
    char words[32];
    fprintf(f, "<path d=\"M%.2f %.2f h%d\" stroke=\"#e4e4e4\"/>", p->left, at_y(p, y), SIDE);
    fprintf(f, "<path d=\"M%.2f %.2f h-5\" stroke=\"#888\"/>", p->left, at_y(p, y));
    snprintf(words, sizeof words, is_log && y == 0.0 ? "1" : is_log ? "1e%g" : "%.6g", y);
    text(f, p->left - 8, at_y(p, y) + 4.0, "end", words);
}

/* A sample of a line and its name, in the panel's upper right corner. */
static void legend(FILE *f, const panel *p, int row, const char *style, const char *words)
{
    const double x = p->left + SIDE - 140.0;
    const double y = TOP + 20.0 + 19.0 * row;
    fprintf(f, "<path fill=\"none\" d=\"M%.1f %.1f h26\" %s/>", x, y - 4.0, style);
    text(f, x + 33.0, y, "start", words);
}

/* 1, 2 or 5 times a power of ten, about a fifth of the range. */
static double round_step(double range)
{
    const double power = pow(10.0, floor(log10(range / 5.0)));
    const double digit = range / 5.0 / power;
    return power * (digit < 1.5 ? 1.0 : digit < 3.5 ? 2.0 : digit < 7.5 ? 5.0 : 10.0);
}

typedef struct curves {
    double epsilon[POINTS], upper[POINTS], lower[POINTS]; /* log10 delta */
    double alpha[ALPHAS], f[ALPHAS], diagonal[ALPHAS];
} curves;

static nw_status compute(curves *c, const nw_event *event, nw_adjacency adjacency, nw_error *err)
{
    nw_bounds b;
    nw_status status = nw_account_epsilon(event, adjacency, LEAST_DELTA, NULL, &b, err);
    const double end = isfinite(b.upper) && status == NW_OK ? fmax(b.upper, 1e-6) : 20.0;
    for (size_t i = 0; status == NW_OK && i < POINTS; i++) {
        c->epsilon[i] = end * (double)i / (POINTS - 1);
        status = nw_account_delta(event, adjacency, c->epsilon[i], NULL, &b, err);
        c->upper[i] = log10(fmax(b.upper, 1e-300));
        c->lower[i] = log10(fmax(b.lower, 1e-300));
    }
    for (size_t i = 0; i < ALPHAS; i++) {
        c->alpha[i] = (double)i / (ALPHAS - 1);
        c->diagonal[i] = 1.0 - c->alpha[i];
    }
    return status != NW_OK ? status : nw_account_tradeoff(event, adjacency, c->alpha, ALPHAS, c->f, err);
}

static const char UPPER[] = "stroke=\"#b3301f\" stroke-width=\"2\"";
static const char LOWER[] = "stroke=\"#1f5fb3\" stroke-width=\"2\" stroke-dasharray=\"5 5\"";
static const char PERFECT[] = "stroke=\"#777\" stroke-dasharray=\"2 4\"";

static void draw_privacy(FILE *f, const curves *c)
{
    const panel p = { 80, 0.0, c->epsilon[POINTS - 1], log10(LEAST_DELTA), 0.0 };
    const double step = round_step(p.high_x);
    frame(f, &p, "Privacy curve", "epsilon", "delta");
    for (int i = 0; i * step <= p.high_x * (1.0 + 1e-9); i++)
        tick_x(f, &p, i * step);
    for (double y = p.low_y; y <= 0.0; y += 2.0)
        tick_y(f, &p, y, true);
    border(f, &p);
    line_to(f, &p, c->epsilon, c->upper, POINTS, UPPER);
    line_to(f, &p, c->epsilon, c->lower, POINTS, LOWER);
    legend(f, &p, 0, UPPER, "certified at most");
    legend(f, &p, 1, LOWER, "certified at least");
}

static void draw_tradeoff(FILE *f, const curves *c)
{
    const panel p = { 520, 0.0, 1.0, 0.0, 1.0 };
    frame(f, &p, "Trade-off of an attack", "type I error", "type II error");
    for (int i = 0; i <= 5; i++) {
        tick_x(f, &p, 0.2 * i);
        tick_y(f, &p, 0.2 * i, false);
    }
    border(f, &p);
    line_to(f, &p, c->alpha, c->diagonal, ALPHAS, PERFECT);
    line_to(f, &p, c->alpha, c->f, ALPHAS, UPPER);
    legend(f, &p, 0, UPPER, "certified at least");
    legend(f, &p, 1, PERFECT, "perfect privacy");
}

static void draw(FILE *f, const curves *c, nw_adjacency adjacency)
{
    const char *neighbours = nw_adjacency_name(adjacency);
    fprintf(f, "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %d %d\" font-family=\"sans-serif\" ", WIDTH, HEIGHT);
    fputs("font-size=\"12\" fill=\"#222\" role=\"img\" aria-labelledby=\"title desc\">\n", f);
    fprintf(f, "<title id=\"title\">Privacy curve and trade-off curve, neighbours %s</title>\n", neighbours);
    fputs("<desc id=\"desc\">Left: certified upper and lower delta for each epsilon. Right: the least type II error of a test "
          "between two neighbours for each type I error.</desc>\n",
        f);
    fprintf(f, "<rect width=\"%d\" height=\"%d\" fill=\"#fff\"/>\n", WIDTH, HEIGHT);
    draw_privacy(f, c);
    draw_tradeoff(f, c);
    fprintf(f, "<text x=\"80\" y=\"%d\" fill=\"#555\">neighbours: %s; nw-account %s</text>\n</svg>\n", HEIGHT - 12, neighbours,
        nw_version());
}

nw_status curve_svg(const nw_event *event, nw_adjacency adjacency, char **out, nw_error *err)
{
    size_t size = 0;
    curves *c = calloc(1, sizeof *c);
    nw_status status = c == NULL ? NW_E_NOMEM : compute(c, event, adjacency, err);
    FILE *f = status == NW_OK ? open_memstream(out, &size) : NULL;
    if (f != NULL) {
        draw(f, c, adjacency);
        fclose(f);
    } else if (status == NW_OK || c == NULL) {
        status = NW_E_NOMEM;
        err->status = status;
        snprintf(err->message, sizeof err->message, "memory is exhausted");
    }
    free(c);
    return status;
}
