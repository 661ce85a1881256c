/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
/* curve.c - see curve.h. Two panels: the value over the privacy that was spent for it, and the loss over the steps. */
#include "curve.h"

#include "exit.h"
#include "files.h"
#include "html.h"
#include "numbers.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

enum { WIDTH = 900, HEIGHT = 440, SIDE = 320, TOP = 54 };

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

static void text(FILE *f, double x, double y, const char *anchor, const char *words)
{
    fprintf(f, "<text x=\"%.1f\" y=\"%.1f\" text-anchor=\"%s\">", x, y, anchor);
    app_html_text(f, words);
    fputs("</text>\n", f);
}

static void ticks(FILE *f, const panel *p)
{
    char words[32];
    const double dx = app_round_step(p->high_x - p->low_x);
    const double dy = app_round_step(p->high_y - p->low_y);
    for (double x = ceil(p->low_x / dx) * dx; x <= p->high_x * (1.0 + 1e-9); x += dx) {
        fprintf(f, "<path d=\"M%.2f %d v%d\" stroke=\"#e4e4e4\"/>", at_x(p, x), TOP, SIDE);
        snprintf(words, sizeof words, "%.6g", x);
        text(f, at_x(p, x), TOP + SIDE + 19.0, "middle", words);
    }
    for (double y = ceil(p->low_y / dy) * dy; y <= p->high_y + 1e-9 * dy; y += dy) {
        fprintf(f, "<path d=\"M%.2f %.2f h%d\" stroke=\"#e4e4e4\"/>", p->left, at_y(p, y), SIDE);
        snprintf(words, sizeof words, "%.4g", y);
        text(f, p->left - 8, at_y(p, y) + 4.0, "end", words);
    }
}

static double x_of(const curve_point *p, bool is_loss)
{
    return is_loss ? (double)p->step : p->epsilon;
}

static double y_of(const curve_point *p, bool is_loss)
{
    return is_loss ? p->loss : p->value;
}

/* A margin of a twentieth around what there is; a line of one height gets some. */
static panel panel_of(const curve *c, double left, bool is_loss)
{
    panel p = { left, 0.0, 0.0, INFINITY, -INFINITY };
    for (size_t i = 0; i < c->count; i++) {
        const double y = y_of(&c->points[i], is_loss);
        p.high_x = fmax(p.high_x, x_of(&c->points[i], is_loss));
        p.low_y = isfinite(y) ? fmin(p.low_y, y) : p.low_y;
        p.high_y = isfinite(y) ? fmax(p.high_y, y) : p.high_y;
    }
    if (!(p.high_x > 0.0))
        p.high_x = 1.0;
    if (!(p.low_y <= p.high_y))
        p.low_y = p.high_y = 0.0;
    const double margin = p.high_y > p.low_y ? 0.05 * (p.high_y - p.low_y) : 0.5;
    p.low_y -= margin;
    p.high_y += margin;
    return p;
}

static void draw_panel(FILE *f, const curve *c, double left, bool is_loss)
{
    const panel p = panel_of(c, left, is_loss);
    const double middle = TOP + SIDE / 2.0;
    ticks(f, &p);
    fprintf(f, "<path fill=\"none\" stroke=\"#888\" d=\"M%.1f %d h%d v%d h-%d z\"/>\n", p.left, TOP, SIDE, SIDE, SIDE);
    text(f, p.left + SIDE / 2.0, TOP + SIDE + 40.0, "middle", is_loss ? "step" : "epsilon spent");
    fprintf(f, "<g transform=\"rotate(-90 %.1f %.1f)\">", p.left - 50, middle);
    text(f, p.left - 50, middle, "middle", is_loss ? "test loss" : c->value_name);
    fputs("</g>\n<polyline fill=\"none\" stroke=\"#1b6ca8\" stroke-width=\"2\" stroke-linejoin=\"round\" points=\"", f);
    for (size_t i = 0; i < c->count; i++)
        if (isfinite(y_of(&c->points[i], is_loss)))
            fprintf(f, "%.2f,%.2f ", at_x(&p, x_of(&c->points[i], is_loss)), at_y(&p, y_of(&c->points[i], is_loss)));
    fputs("\"/>\n", f);
}

int curve_write(const curve *c, const char *path)
{
    char *svg = NULL;
    size_t size = 0;
    FILE *f = open_memstream(&svg, &size);
    if (f == NULL)
        return app_fail(APP_INTERNAL, NULL, "out of memory");
    fprintf(f,
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %d %d\" font-family=\"sans-serif\" font-size=\"13\">\n"
        "<rect width=\"%d\" height=\"%d\" fill=\"#fff\"/>\n",
        WIDTH, HEIGHT, WIDTH, HEIGHT);
    text(f, WIDTH / 2.0, 24.0, "middle", c->title);
    draw_panel(f, c, 90.0, false);
    draw_panel(f, c, 530.0, true);
    fputs("</svg>\n", f);
    const bool is_whole = fclose(f) == 0;
    const int code = is_whole ? app_write_text(path, svg) : app_fail(APP_INTERNAL, NULL, "out of memory");
    free(svg);
    return code;
}
