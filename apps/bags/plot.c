/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
/* plot.c - closed forms of public figures: nothing here comes from a label. Both axes are logarithmic. */
#include "plot.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

enum { WIDTH = 640, HEIGHT = 380, LEFT = 64, RIGHT = 170, TOP = 24, BOTTOM = 48, SIZES = 24 };

typedef struct line {
    nw_bags_rule rule;
    const char *name;
    const char *color;
} line;
static const line LINES[] = { { NW_BAGS_RULE_BAG, "bag loss", "#b2182b" }, { NW_BAGS_RULE_INSTANCE, "instance loss", "#ef8a62" },
    { NW_BAGS_RULE_RIDGE, "bag loss, ridge", "#2166ac" }, { NW_BAGS_RULE_CURATED, "curated, ridge", "#1b7837" } };
enum { LINE_COUNT = sizeof LINES / sizeof *LINES };

typedef struct frame {
    double most_size; /* log 2 */
    double low, high; /* log 10 of the risk */
} frame;

static double place_x(const frame *f, double size)
{
    return LEFT + log2(size) / f->most_size * (WIDTH - LEFT - RIGHT);
}

static double place_y(const frame *f, double risk)
{
    const double share = (log10(risk) - f->low) / (f->high - f->low);
    return HEIGHT - BOTTOM - fmin(fmax(share, 0.0), 1.0) * (HEIGHT - TOP - BOTTOM);
}

/* Sizes up to an eighth of the rows, and risks up to a hundred times the least. */
static frame frame_of(const nw_bags_problem *q, const nw_bags_choice *c)
{
    frame f = { 3.0, INFINITY, -INFINITY };
    while (f.most_size < SIZES && ldexp(8.0, (int)f.most_size) < (double)q->rows)
        f.most_size += 1.0;
    for (int l = 0; l < LINE_COUNT; l++)
        for (int i = 0; i <= (int)f.most_size; i++) {
            const double risk = nw_bags_risk(q, LINES[l].rule, (size_t)1 << i);
            if (isfinite(risk) && risk > 0.0) {
                f.low = fmin(f.low, log10(risk));
                f.high = fmax(f.high, log10(risk));
            }
        }
    f.low = fmin(f.low, log10(c->risk)) - 0.1;
    f.high = fmin(f.high, f.low + 2.0) + 0.1;
    return f;
}

static void draw_line(FILE *out, const frame *f, const nw_bags_problem *q, int l)
{
    char step = 'M';
    fprintf(out, "<path fill=\"none\" stroke=\"%s\" stroke-width=\"1.8\" d=\"", LINES[l].color);
    for (int i = 0; i <= (int)f->most_size; i++) {
        const double risk = nw_bags_risk(q, LINES[l].rule, (size_t)1 << i);
        if (!isfinite(risk))
            continue;
        fprintf(out, "%c%.1f %.1f", step, place_x(f, ldexp(1.0, i)), place_y(f, risk));
        step = 'L';
    }
    fprintf(out, "\"/>\n<path stroke=\"%s\" stroke-width=\"1.8\" d=\"M%d %dh20\"/><text x=\"%d\" y=\"%d\">%s</text>\n",
        LINES[l].color, WIDTH - RIGHT + 14, TOP + 20 + 20 * l, WIDTH - RIGHT + 40, TOP + 24 + 20 * l, LINES[l].name);
}

static void draw_axes(FILE *out, const frame *f)
{
    fprintf(out, "<path d=\"M%d %dH%dM%d %dV%d\" stroke=\"#444\" fill=\"none\"/>\n", LEFT, HEIGHT - BOTTOM, WIDTH - RIGHT, LEFT,
        HEIGHT - BOTTOM, TOP);
    const int every = f->most_size > 10.0 ? 2 : 1;
    for (int i = 0; i <= (int)f->most_size; i += every)
        fprintf(out, "<text x=\"%.1f\" y=\"%d\" text-anchor=\"middle\">%.0f</text>\n", place_x(f, ldexp(1.0, i)),
            HEIGHT - BOTTOM + 16, ldexp(1.0, i));
    for (int i = 0; i <= 4; i++) {
        const double risk = pow(10.0, f->low + (f->high - f->low) * i / 4.0);
        fprintf(out, "<text x=\"%d\" y=\"%.1f\" text-anchor=\"end\">%.3g</text>\n", LEFT - 6, place_y(f, risk) + 4.0, risk);
    }
    fprintf(
        out, "<text x=\"%d\" y=\"%d\" text-anchor=\"middle\">rows in a bag</text>\n", (LEFT + WIDTH - RIGHT) / 2, HEIGHT - 10);
    fprintf(out, "<text x=\"8\" y=\"14\">predicted risk</text>\n");
}

char *bags_plot(const nw_bags_problem *problem, const nw_bags_choice *choice)
{
    char *text = NULL;
    size_t size = 0;
    const frame f = frame_of(problem, choice);
    FILE *out = open_memstream(&text, &size);
    if (out == NULL)
        return NULL;
    fprintf(out,
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %d %d\" font-family=\"sans-serif\" font-size=\"12\">\n"
        "<title>predicted risk by bag size</title>\n<rect width=\"%d\" height=\"%d\" fill=\"white\"/>\n",
        WIDTH, HEIGHT, WIDTH, HEIGHT);
    draw_axes(out, &f);
    for (int l = 0; l < LINE_COUNT; l++)
        draw_line(out, &f, problem, l);
    fprintf(out, "<circle cx=\"%.1f\" cy=\"%.1f\" r=\"5\"/><text x=\"%d\" y=\"%d\">&#9679; the choice</text>\n</svg>\n",
        place_x(&f, fmin((double)choice->bag_size, exp2(f.most_size))), place_y(&f, choice->risk), WIDTH - RIGHT + 18,
        TOP + 24 + 20 * LINE_COUNT);
    if (fclose(out) == 0)
        return text;
    free(text);
    return NULL;
}
