/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
/* predictions.c - see predictions.h. */
#include "predictions.h"

#include "exit.h"
#include "files.h"
#include "quality.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int no_memory(void)
{
    return app_fail(APP_INTERNAL, NULL, "out of memory");
}

/* As RFC 4180 has it. */
static void print_name(FILE *f, const char *name)
{
    if (strpbrk(name, ",\"\n\r") == NULL) {
        fputs(name, f);
        return;
    }
    fputc('"', f);
    for (; *name != '\0'; name++) {
        if (*name == '"')
            fputc('"', f);
        fputc(*name, f);
    }
    fputc('"', f);
}

static void print_classes(FILE *f, const predictions *p, char *const *names)
{
    fputs("prediction,probability\n", f);
    for (size_t i = 0; i < p->count; i++) {
        double probability;
        const uint32_t k = score_class(p->outputs + i * p->width, p->width, &probability);
        print_name(f, names[k < p->classes ? k : 0]);
        fprintf(f, ",%.6f\n", probability);
    }
}

static int print_named(FILE *f, const predictions *p)
{
    bool is_whole = true;
    char **names = calloc(p->classes, sizeof *names);
    for (uint32_t k = 0; names != NULL && k < p->classes; k++) {
        names[k] = p->class_name(p->named, k);
        is_whole = is_whole && names[k] != NULL;
    }
    is_whole = is_whole && names != NULL;
    if (is_whole)
        print_classes(f, p, names);
    for (uint32_t k = 0; names != NULL && k < p->classes; k++)
        free(names[k]);
    free(names);
    return is_whole ? APP_OK : no_memory();
}

static int print(FILE *f, const predictions *p)
{
    if (p->classes > 0)
        return print_named(f, p);
    fputs("prediction\n", f);
    for (size_t i = 0; i < p->count; i++)
        fprintf(f, "%.9g\n", table_target_value(p->plan, p->outputs[i]));
    return APP_OK;
}

int predictions_write(const predictions *p, const char *path)
{
    char *text = NULL;
    size_t size = 0;
    FILE *f = open_memstream(&text, &size);
    if (f == NULL)
        return no_memory();
    int code = print(f, p);
    if (fclose(f) != 0 && code == APP_OK)
        code = no_memory();
    if (code == APP_OK)
        code = app_write_text(path == NULL ? "-" : path, text);
    free(text);
    return code;
}
