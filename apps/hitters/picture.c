/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
/* picture.c - two panels of an SVG: what was estimated against what is true, and F1 against epsilon. */
#include "simulate.h"

#include "../common/exit.h"
#include "../common/files.h"
#include "../common/html.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

enum { WIDTH = 820, HEIGHT = 400, SIDE = 320, TOP_EDGE = 40, LEFT_PANEL = 60, RIGHT_PANEL = 470, TICKS = 5 };

static const char STYLE[] = "<style>text{font:11px sans-serif;fill:#333}.t{font-size:13px;font-weight:bold}"
                            ".axis,.grid{fill:none;stroke:#999}.grid{stroke:#e4e4e4}.error{stroke:#7aa6d8;stroke-width:2}"
                            ".dot{fill:#1f5fa8}.false{fill:#c2452d}.line{fill:none;stroke:#1f5fa8;stroke-width:2}</style>\n";

static double y_at(double share)
{
    return TOP_EDGE + SIDE * (1.0 - share);
}

/* Steps of 1, 2 or 5 times a power of ten that lead to `most` in TICKS steps or fewer. */
static double round_step(double most)
{
    const double rough = most / TICKS;
    const double power = pow(10.0, floor(log10(rough)));
    const double part = rough / power;
    return power * (part <= 1.0 ? 1.0 : part <= 2.0 ? 2.0 : part <= 5.0 ? 5.0 : 10.0);
}

static void draw_frame(FILE *f, double left, const char *title, const char *across, const char *up)
{
    fprintf(f,
        "<text class=\"t\" x=\"%.0f\" y=\"24\">%s</text><rect class=\"axis\" x=\"%.0f\" y=\"%d\" width=\"%d\" height=\"%d\"/>\n",
        left, title, left, TOP_EDGE, SIDE, SIDE);
    fprintf(f, "<text x=\"%.0f\" y=\"%d\" text-anchor=\"end\">%s</text><text x=\"%.0f\" y=\"%d\">%s</text>\n", left + SIDE,
        TOP_EDGE + SIDE + 30, across, left, TOP_EDGE - 4, up);
}

static void draw_ticks(FILE *f, double left, double most, double step, bool is_across)
{
    for (double t = step; t <= most * (1.0 + 1e-9); t += step) {
        if (is_across)
            fprintf(f, "<path class=\"grid\" d=\"M%.1f %dv%d\"/><text x=\"%.1f\" y=\"%d\" text-anchor=\"middle\">%g</text>\n",
                left + SIDE * t / most, TOP_EDGE, SIDE, left + SIDE * t / most, TOP_EDGE + SIDE + 14, t);
        else
            fprintf(f, "<path class=\"grid\" d=\"M%.0f %.1fh%d\"/><text x=\"%.0f\" y=\"%.1f\" text-anchor=\"end\">%g</text>\n",
                left, y_at(t / most), SIDE, left - 4, y_at(t / most) + 4, t);
    }
}

static void draw_counts(FILE *f, const sim_point *point)
{
    const double left = LEFT_PANEL;
    double most = 1.0;
    for (size_t i = 0; i < point->found; i++)
        most = fmax(most, fmax((double)point->hits[i].truth, point->hits[i].count + 2.0 * point->hits[i].error));
    char title[80];
    snprintf(title, sizeof title, "Counts at epsilon %g, with 2 standard errors", point->epsilon);
    draw_frame(f, left, title, "true users", "estimated users");
    draw_ticks(f, left, most, round_step(most), true);
    draw_ticks(f, left, most, round_step(most), false);
    fprintf(f, "<path class=\"axis\" d=\"M%.0f %.1fL%.0f %d\"/>\n", left, y_at(0.0), left + SIDE, TOP_EDGE);
    for (size_t i = 0; i < point->found; i++) {
        const sim_hit *h = &point->hits[i];
        const double x = left + SIDE * (double)h->truth / most;
        fprintf(f, "<path class=\"error\" d=\"M%.1f %.1fV%.1f\"/><circle class=\"%s\" cx=\"%.1f\" cy=\"%.1f\" r=\"3.5\"><title>",
            x, y_at(fmax(h->count - 2.0 * h->error, 0.0) / most), y_at((h->count + 2.0 * h->error) / most),
            h->truth > 0 ? "dot" : "false", x, y_at(fmax(h->count, 0.0) / most));
        app_html_text(f, h->text);
        fprintf(f, ": %.0f, truly %llu</title></circle>\n", h->count, (unsigned long long)h->truth);
    }
}

static void draw_scores(FILE *f, const simulation *sim, size_t runs)
{
    const double left = RIGHT_PANEL;
    double most = 0.0;
    for (size_t i = 0; i < sim->point_count; i++)
        most = fmax(most, sim->points[i].epsilon);
    draw_frame(f, left, "F1 against epsilon", "epsilon", "F1");
    draw_ticks(f, left, most, round_step(most), true);
    draw_ticks(f, left, 1.0, 0.2, false);
    for (size_t i = 0; i < sim->point_count; i++)
        fprintf(f, "%s%.1f %.1f", i == 0 ? "<path class=\"line\" d=\"M" : "L", left + SIDE * sim->points[i].epsilon / most,
            y_at(simulation_mean(&sim->points[i], runs, offsetof(sim_run, f1)).value));
    fputs("\"/>\n", f);
    for (size_t i = 0; i < sim->point_count; i++) {
        const mean f1 = simulation_mean(&sim->points[i], runs, offsetof(sim_run, f1));
        const double x = left + SIDE * sim->points[i].epsilon / most;
        if (runs > 1)
            fprintf(f, "<path class=\"error\" d=\"M%.1f %.1fV%.1f\"/>", x, y_at(fmax(f1.value - 2.0 * f1.error, 0.0)),
                y_at(fmin(f1.value + 2.0 * f1.error, 1.0)));
        fprintf(f, "<circle class=\"dot\" cx=\"%.1f\" cy=\"%.1f\" r=\"3.5\"><title>epsilon %g: F1 %.3f</title></circle>\n", x,
            y_at(f1.value), sim->points[i].epsilon, f1.value);
    }
}

int picture_write(const simulation *sim, const settings *s)
{
    char *text = NULL;
    size_t size = 0;
    FILE *f = open_memstream(&text, &size);
    if (f == NULL)
        return app_fail(APP_INTERNAL, s->picture, "out of memory");
    fprintf(f,
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %d %d\" width=\"%d\" height=\"%d\" role=\"img\" "
        "aria-labelledby=\"t d\"><title id=\"t\">Heavy hitters, protocol %s</title><desc id=\"d\">Left: the estimated counts of "
        "the items that were found against their true counts; items that nobody holds are red. Right: F1 against "
        "epsilon.</desc>\n%s<rect width=\"%d\" height=\"%d\" fill=\"#fff\"/>\n",
        WIDTH, HEIGHT, WIDTH, HEIGHT, settings_protocol_name(s), STYLE, WIDTH, HEIGHT);
    draw_counts(f, &sim->points[0]);
    draw_scores(f, sim, (size_t)s->runs);
    fputs("</svg>\n", f);
    const int code = fclose(f) == 0 ? app_write_text(s->picture, text) : app_fail(APP_INTERNAL, s->picture, "out of memory");
    free(text);
    return code;
}
