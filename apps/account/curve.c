/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
/* curve.c - the privacy curve and the trade-off curve of an event, each from above and from below, as a picture.
 *
 * Both are drawn from the same certified deltas. With D(x) = delta(log x), which is convex and falls with a slope of at least -1,
 * the trade-off curve is f(alpha) = sup over x of 1 - D(x) - x alpha [DRS22, Prop. 2.12]: upper deltas at any dots bound it from
 * below. Between two dots D is at least what the chords outside of them say, extended inwards, so f from above takes the sup over
 * the kinks of these lines. x >= 1 gives the branch where f(alpha) >= alpha; f is its own inverse, so the other is its mirror
 * image. */
#include "curve.h"

#include "../common/numbers.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { POINTS = 41, KINKS = 2 * POINTS, BRANCH = 121, ALPHAS = 2 * BRANCH, WIDTH = 900, HEIGHT = 474, SIDE = 320, TOP = 50 };
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

/* A sample of a line and its name, below the panel, where no curve passes. */
static void legend(FILE *f, const panel *p, int column, const char *style, const char *words)
{
    const double x = p->left + 116.0 * column;
    const double y = TOP + SIDE + 66.0;
    fprintf(f, "<path fill=\"none\" d=\"M%.1f %.1f h26\" %s/>", x, y - 4.0, style);
    text(f, x + 31.0, y, "start", words);
}

typedef struct curves {
    double epsilon[POINTS];
    double upper[POINTS], lower[POINTS]; /* delta */
    double log_upper[POINTS], log_lower[POINTS];
    double alpha_low[ALPHAS], f_low[ALPHAS], alpha_high[ALPHAS], f_high[ALPHAS];
    size_t low_count, high_count;
} curves;

/* Points of lines 1 - d - x alpha, of which f is the highest. */
typedef struct lines {
    size_t n;
    double x[KINKS], d[KINKS];
} lines;

static void add_line(lines *l, double x, double d)
{
    if (!isfinite(x) || !isfinite(d))
        return;
    l->x[l->n] = x;
    l->d[l->n++] = fmax(d, 0.0);
}

/* Where the chord that ends in dot i, extended to the right, meets the one that begins in dot i + 1, extended to the left. */
static void add_kink(lines *l, const curves *c, size_t i)
{
    const double x = exp(c->epsilon[i]);
    const double next = exp(c->epsilon[i + 1]);
    const double before = i > 0 ? exp(c->epsilon[i - 1]) : 0.0;
    const double left = i > 0 ? (c->lower[i] - c->upper[i - 1]) / (x - before) : -1.0;
    const double right = i + 2 < POINTS ? fmin(0.0, (c->upper[i + 2] - c->lower[i + 1]) / (exp(c->epsilon[i + 2]) - next)) : 0.0;
    if (!(left < right))
        return;
    const double meet = (c->lower[i + 1] - c->lower[i] + left * x - right * next) / (left - right);
    if (meet > x && meet < next)
        add_line(l, meet, c->lower[i] + left * (meet - x));
}

static double highest(const lines *l, double alpha)
{
    double f = 0.0;
    for (size_t i = 0; i < l->n; i++)
        f = fmax(f, 1.0 - l->d[i] - l->x[i] * alpha);
    return f;
}

/* The branch from (0, f(0)) to the diagonal, dense where f is steep, then its mirror image. */
static size_t branch_and_mirror(const lines *l, double *alpha, double *f)
{
    size_t n = 0;
    double fixed = 0.0;
    for (double step = 0.25; step > 1e-12; step *= 0.5) /* where f(alpha) = alpha */
        fixed += highest(l, fixed + step) >= fixed + step ? step : 0.0;
    for (; n < BRANCH; n++) {
        const double t = (double)n / (BRANCH - 1);
        alpha[n] = fixed * t * t * t;
        f[n] = n + 1 < BRANCH ? highest(l, alpha[n]) : fixed; /* also where f falls too steeply for the dots */
    }
    for (size_t i = 0; i < BRANCH; i++) {
        alpha[n + i] = f[BRANCH - 1 - i];
        f[n + i] = alpha[BRANCH - 1 - i];
    }
    return n + BRANCH;
}

static void trade_off(curves *c)
{
    lines low = { 0 };
    lines high = { 0 };
    for (size_t i = 0; i < POINTS; i++)
        add_line(&low, exp(c->epsilon[i]), c->upper[i]);
    for (size_t i = 0; i + 1 < POINTS; i++) {
        add_line(&high, exp(c->epsilon[i]), c->lower[i]);
        add_kink(&high, c, i);
    }
    add_line(&high, exp(fmin(c->epsilon[POINTS - 1], 700.0)), 0.0); /* nothing is claimed of what lies beyond */
    c->low_count = branch_and_mirror(&low, c->alpha_low, c->f_low);
    c->high_count = branch_and_mirror(&high, c->alpha_high, c->f_high);
}

/* Evenly, but for the last dot but one: a pure guarantee falls to 0 at its epsilon, not before. */
static double epsilon_of(size_t i, double end)
{
    return i == POINTS - 2 ? 0.9999 * end : end * (double)(i < POINTS - 2 ? i : i - 1) / (POINTS - 2);
}

static nw_status compute(curves *c, const nw_event *event, nw_adjacency adjacency, nw_error *err)
{
    nw_bounds b;
    nw_status status = nw_account_epsilon(event, adjacency, LEAST_DELTA, NULL, &b, err);
    const double end = status == NW_OK && isfinite(b.upper) ? fmax(b.upper, 1e-6) : 20.0;
    for (size_t i = 0; status == NW_OK && i < POINTS; i++) {
        c->epsilon[i] = epsilon_of(i, end);
        status = nw_account_delta(event, adjacency, c->epsilon[i], NULL, &b, err);
        c->upper[i] = b.upper;
        c->lower[i] = b.lower;
        c->log_upper[i] = log10(fmax(b.upper, 1e-300));
        c->log_lower[i] = log10(fmax(b.lower, 1e-300));
    }
    if (status == NW_OK)
        trade_off(c);
    return status;
}

static const char UPPER[] = "stroke=\"#b3301f\" stroke-width=\"2\"";
static const char LOWER[] = "stroke=\"#1f5fb3\" stroke-width=\"2\" stroke-dasharray=\"5 5\"";
static const char PERFECT[] = "stroke=\"#777\" stroke-dasharray=\"2 4\"";

static void draw_privacy(FILE *f, const curves *c)
{
    const panel p = { 80, 0.0, c->epsilon[POINTS - 1], log10(LEAST_DELTA), 0.0 };
    const double step = app_round_step(p.high_x);
    frame(f, &p, "Privacy curve", "epsilon", "delta");
    for (int i = 0; i * step <= p.high_x * (1.0 + 1e-9); i++)
        tick_x(f, &p, i * step);
    for (double y = p.low_y; y <= 0.0; y += 2.0)
        tick_y(f, &p, y, true);
    border(f, &p);
    line_to(f, &p, c->epsilon, c->log_upper, POINTS, UPPER);
    line_to(f, &p, c->epsilon, c->log_lower, POINTS, LOWER);
    legend(f, &p, 0, UPPER, "at most");
    legend(f, &p, 1, LOWER, "at least");
}

static void draw_tradeoff(FILE *f, const curves *c)
{
    const panel p = { 520, 0.0, 1.0, 0.0, 1.0 };
    frame(f, &p, "Trade-off of the best attack", "type I error", "type II error");
    for (int i = 0; i <= 5; i++) {
        tick_x(f, &p, 0.2 * i);
        tick_y(f, &p, 0.2 * i, false);
    }
    border(f, &p);
    line_to(f, &p, (const double[2]){ 0.0, 1.0 }, (const double[2]){ 1.0, 0.0 }, 2, PERFECT);
    line_to(f, &p, c->alpha_low, c->f_low, c->low_count, UPPER);
    line_to(f, &p, c->alpha_high, c->f_high, c->high_count, LOWER);
    legend(f, &p, 0, UPPER, "at least");
    legend(f, &p, 1, LOWER, "at most");
    legend(f, &p, 2, PERFECT, "perfect privacy");
}

static void draw(FILE *f, const curves *c, nw_adjacency adjacency)
{
    const char *neighbours = nw_adjacency_name(adjacency);
    fprintf(f, "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %d %d\" font-family=\"sans-serif\" ", WIDTH, HEIGHT);
    fputs("font-size=\"12\" fill=\"#222\" role=\"img\" aria-labelledby=\"title desc\">\n", f);
    fprintf(f, "<title id=\"title\">Privacy curve and trade-off curve, neighbours %s</title>\n", neighbours);
    fputs("<desc id=\"desc\">Left: certified upper and lower delta for each epsilon. Right: the least type II error of a test "
          "between two neighbours for each type I error, from below and from above.</desc>\n",
        f);
    fprintf(f, "<rect width=\"%d\" height=\"%d\" fill=\"#fff\"/>\n", WIDTH, HEIGHT);
    draw_privacy(f, c);
    draw_tradeoff(f, c);
    fprintf(f, "<text x=\"80\" y=\"%d\" fill=\"#555\">neighbours: %s; both ends certified; nw-account %s</text>\n</svg>\n",
        HEIGHT - 12, neighbours, nw_version());
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
