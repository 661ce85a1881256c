/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
/* page_draw.c - the pictures of the report: SVG in the page, drawn with the page's colours, so that they follow its light or dark
 * scheme. Each has a title and a description; the page has the numbers of each as a table. */
#include "../common/html.h"
#include "page.h"

#include <math.h>
#include <stdlib.h>

enum { WIDTH = 400 };

static void open_picture(FILE *f, const char *id, size_t number, double height)
{
    fprintf(f, "<svg viewBox=\"0 0 %d %.0f\" role=\"img\" aria-labelledby=\"%s-t%zu %s-d%zu\">", WIDTH, height, id, number, id,
        number);
}

/* ---- bars ---- */

enum { LABEL_RIGHT = 128, BAR_LEFT = 134, BAR_RIGHT = 344, BAR_STEP = 20, LABEL_MOST = 18 };

typedef struct scale {
    double low, high;
} scale;

static double at(const scale *s, double share)
{
    return BAR_LEFT + (BAR_RIGHT - BAR_LEFT) * (share - s->low) / (s->high - s->low);
}

/* All bars, dots and whiskers of two deviations. */
static scale scale_of(const page_column *c)
{
    scale s = { 0.0, 1e-9 };
    for (size_t i = 0; i < c->bar_count; i++) {
        const page_bar *b = &c->bars[i];
        s.low = fmin(s.low, b->noisy - 2.0 * b->error);
        s.high = fmax(s.high, fmax(b->synthetic, b->noisy + 2.0 * b->error));
    }
    return s;
}

static void draw_bar(FILE *f, const scale *s, const page_bar *b, double y)
{
    fprintf(f, "<text x=\"%d\" y=\"%.1f\" text-anchor=\"end\">", LABEL_RIGHT, y + 4.0);
    app_html_short(f, b->label, LABEL_MOST);
    fprintf(f, "</text><rect class=\"synthetic\" x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"12\"/>", at(s, 0.0), y - 6.0,
        fmax(at(s, b->synthetic) - at(s, 0.0), 0.0));
    fprintf(f, "<path class=\"noisy\" d=\"M%.1f %.1fH%.1f\"/>", at(s, b->noisy - 2.0 * b->error), y,
        at(s, b->noisy + 2.0 * b->error));
    fprintf(f, "<circle class=\"noisy\" cx=\"%.1f\" cy=\"%.1f\" r=\"3\"/>", at(s, b->noisy), y);
    fprintf(f, "<text class=\"quiet\" x=\"%d\" y=\"%.1f\" text-anchor=\"end\">%.1f %%</text>\n", WIDTH - 2, y + 4.0,
        100.0 * b->synthetic);
}

void page_draw_bars(FILE *f, const page_column *c, size_t number)
{
    const scale s = scale_of(c);
    const double height = (double)(BAR_STEP * c->bar_count) + 8.0;
    open_picture(f, "bars", number, height);
    fprintf(f, "<title id=\"bars-t%zu\">Column ", number);
    app_html_text(f, c->name);
    fprintf(f,
        ": synthetic and noisy shares</title><desc id=\"bars-d%zu\">A bar for each value: its length is the share of the "
        "synthetic rows. The dot is the noisy share that was measured, its line two standard deviations of the noise to either "
        "side.</desc>\n",
        number);
    for (size_t i = 0; i < c->bar_count; i++)
        draw_bar(f, &s, &c->bars[i], BAR_STEP * ((double)i + 0.5) + 4.0);
    fprintf(f, "<path class=\"axis\" d=\"M%.1f 2V%.1f\"/></svg>\n", at(&s, 0.0), height - 2.0);
}

/* ---- pairs ---- */

enum { MAP_LEFT = 104, MAP_TOP = 92, MAP_RIGHT = 396, MOST_NAMED = 60, NUMBERS_FROM = 21 };

/* Names are as large as their lines leave room for; the page's style has a class for each size. */
enum { SMALLEST_NAME = 4, LARGEST_NAME = 10, NAME_UNITS = 120 /* letters times size that fit beside the map */ };

/* Which of the page's colours a residual has. */
static int level_of(double residual)
{
    static const double limits[] = { 0.5, 0.8, 1.25, 2.0, 4.0 };
    int level = 0;
    while (level < 5 && residual >= limits[level])
        level++;
    return level;
}

static void draw_cell(FILE *f, const page_data *d, const page_pair *p, size_t row, size_t column, double size)
{
    const double x = MAP_LEFT + size * (double)column;
    const double y = MAP_TOP + size * (double)row;
    fprintf(f, "<rect class=\"h%d\" x=\"%.2f\" y=\"%.2f\" width=\"%.2f\" height=\"%.2f\">", level_of(p->residual), x, y,
        size - 0.5, size - 0.5);
    if (d->columns <= MOST_NAMED) {
        fputs("<title>", f);
        app_html_text(f, d->column[p->a].name);
        fputs(" and ", f);
        app_html_text(f, d->column[p->b].name);
        fprintf(f, ": %.2f</title>", p->residual);
    }
    fputs("</rect>", f);
    if (size >= NUMBERS_FROM)
        fprintf(f, "<text class=\"on h%dt\" x=\"%.2f\" y=\"%.2f\" text-anchor=\"middle\">%.1f</text>", level_of(p->residual),
            x + size / 2.0, y + size / 2.0 + 3.5, p->residual);
    fputc('\n', f);
}

static void draw_names(FILE *f, const page_data *d, double size)
{
    const int font = (int)fmin(LARGEST_NAME, fmax(size, SMALLEST_NAME));
    const size_t most = (size_t)(NAME_UNITS / font);
    for (size_t c = 0; c < d->columns && d->columns <= MOST_NAMED; c++) {
        const double middle = size * ((double)c + 0.5) + font / 3.0;
        fprintf(f, "<text class=\"f%d\" x=\"%d\" y=\"%.1f\" text-anchor=\"end\">", font, MAP_LEFT - 5, MAP_TOP + middle);
        app_html_short(f, d->column[c].name, most);
        fprintf(
            f, "</text><text class=\"f%d\" transform=\"translate(%.1f %d) rotate(-90)\">", font, MAP_LEFT + middle, MAP_TOP - 5);
        app_html_short(f, d->column[c].name, most);
        fputs("</text>\n", f);
    }
}

static void draw_legend(FILE *f, double y)
{
    static const char *const words[] = { "&lt;0.5", "&lt;0.8", "&lt;1.25", "&lt;2", "&lt;4", "4+" };
    for (int level = 0; level < 6; level++) {
        const double x = 8.0 + 56.0 * level;
        fprintf(f, "<rect class=\"h%d\" x=\"%.0f\" y=\"%.0f\" width=\"16\" height=\"12\"/>", level, x, y);
        fprintf(f, "<text class=\"f10\" x=\"%.0f\" y=\"%.0f\">%s</text>", x + 20.0, y + 9.5, words[level]);
    }
    fprintf(f, "<rect class=\"unmeasured\" x=\"344\" y=\"%.0f\" width=\"16\" height=\"12\"/>", y);
    fprintf(f, "<text class=\"f10\" x=\"364\" y=\"%.0f\">none</text>\n", y + 9.5);
}

void page_draw_pairs(FILE *f, const page_data *d)
{
    const double size = (double)(MAP_RIGHT - MAP_LEFT) / (double)d->columns;
    const double side = size * (double)d->columns;
    open_picture(f, "pairs", 0, MAP_TOP + side + 34.0);
    fputs(
        "<title id=\"pairs-t0\">Pairs of columns: how far the synthetic table is from what was measured</title>"
        "<desc id=\"pairs-d0\">A square for each pair of columns, coloured by the root mean square, over the cells of the pair, "
        "of "
        "the difference between synthetic and noisy counts in units of the noise. About 1 or less is as near as the noise allows "
        "to tell. Empty squares were not measured.</desc>\n",
        f);
    fprintf(f, "<rect class=\"unmeasured\" x=\"%d\" y=\"%d\" width=\"%.1f\" height=\"%.1f\"/>\n", MAP_LEFT, MAP_TOP, side, side);
    draw_names(f, d, size);
    for (size_t i = 0; i < d->pair_count; i++) {
        draw_cell(f, d, &d->pairs[i], d->pairs[i].a, d->pairs[i].b, size);
        draw_cell(f, d, &d->pairs[i], d->pairs[i].b, d->pairs[i].a, size);
    }
    draw_legend(f, MAP_TOP + side + 14.0);
    fputs("</svg>\n", f);
}

/* ---- the fit ---- */

enum { PLOT_LEFT = 44, PLOT_RIGHT = 388, PLOT_TOP = 12, PLOT_BOTTOM = 150 };

static double trace_x(double fraction)
{
    return PLOT_LEFT + (PLOT_RIGHT - PLOT_LEFT) * fraction;
}

static double trace_y(const scale *s, double misfit)
{
    return PLOT_BOTTOM - (PLOT_BOTTOM - PLOT_TOP) * (misfit - s->low) / (s->high - s->low);
}

/* From a tenth of the range below the line to a tenth above it. */
static scale trace_scale(const page_trace *t)
{
    scale s = { t->misfit[0], t->misfit[0] };
    for (size_t i = 1; i < t->count; i++)
        s = (scale){ fmin(s.low, t->misfit[i]), fmax(s.high, t->misfit[i]) };
    const double margin = fmax(0.1 * (s.high - s.low), 0.01 * s.high + 1e-9);
    return (scale){ fmax(s.low - margin, 0.0), s.high + margin };
}

void page_draw_trace(FILE *f, const page_trace *t)
{
    const scale s = trace_scale(t);
    open_picture(f, "trace", 0, 186.0);
    fputs("<title id=\"trace-t0\">The fit over time</title><desc id=\"trace-d0\">The mean square of the difference between "
          "synthetic and noisy counts in units of the noise, averaged over the chains, against the share of the fit that was "
          "done.</desc>\n",
        f);
    fprintf(f, "<path class=\"axis\" d=\"M%d %dV%dH%d\"/>\n", PLOT_LEFT, PLOT_TOP, PLOT_BOTTOM, PLOT_RIGHT);
    if (s.low < 1.0 && s.high > 1.0)
        fprintf(f, "<path class=\"dashed\" d=\"M%d %.1fH%d\"/><text x=\"%d\" y=\"%.1f\" text-anchor=\"end\">1</text>\n",
            PLOT_LEFT, trace_y(&s, 1.0), PLOT_RIGHT, PLOT_RIGHT, trace_y(&s, 1.0) - 4.0);
    fputs("<polyline class=\"line\" points=\"", f);
    for (size_t i = 0; i < t->count; i++)
        fprintf(f, "%.1f,%.1f ", trace_x(t->fraction[i]), trace_y(&s, t->misfit[i]));
    fprintf(f, "\"/>\n<text x=\"%d\" y=\"%d\" text-anchor=\"end\">%.3f</text>", PLOT_LEFT - 6, PLOT_TOP + 8, s.high);
    fprintf(f, "<text x=\"%d\" y=\"%d\" text-anchor=\"end\">%.3f</text>", PLOT_LEFT - 6, PLOT_BOTTOM, s.low);
    fprintf(f, "<text x=\"%d\" y=\"%d\" text-anchor=\"middle\">share of the fit</text>", (PLOT_LEFT + PLOT_RIGHT) / 2,
        PLOT_BOTTOM + 30);
    fprintf(f, "<text x=\"%d\" y=\"%d\">0 %%</text><text x=\"%d\" y=\"%d\" text-anchor=\"end\">100 %%</text></svg>\n", PLOT_LEFT,
        PLOT_BOTTOM + 16, PLOT_RIGHT, PLOT_BOTTOM + 16);
}
