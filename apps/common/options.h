/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef APP_OPTIONS_H
#define APP_OPTIONS_H

/* options.h - one table per app, from which the arguments are read, --help is printed and the shell completion is made.
 * The settings are a struct of the app, called `settings`, whose first member is `const char *operands[APP_MAX_OPERANDS]`.
 *
 * A program has one command without a name, or several with names ("nw-ledger create"), or both: then the one without a
 * name comes first, and is meant when the first argument is no command's name. Each command has operands and options.
 * Accepted: --name VALUE, --name=VALUE, -n VALUE, -nVALUE, options and operands in any order, "--" before operands that begin
 * with '-'. Refused: abbreviations, an option given twice (but APP_TEXTS), a separate value that begins with "--" (more likely an
 * option whose neighbour lost its value).
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef enum app_kind {
    APP_FLAG = 1, /* bool */
    APP_TEXT,     /* const char *, not empty */
    APP_FILE,     /* const char *, completed as a file name */
    APP_REAL,     /* double */
    APP_COUNT,    /* uint64_t */
    APP_CHOICE,   /* unsigned: the position in `admissible` */
    APP_TEXTS     /* app_texts: may be given several times */
} app_kind;

#define APP_MAX_TEXTS 256
typedef struct app_texts {
    const char *items[APP_MAX_TEXTS];
    size_t count;
} app_texts;

typedef struct app_option {
    const char *name; /* without dashes */
    char letter;      /* '\0': none */
    app_kind kind;
    const char *value;      /* what --help calls the value; NULL for a flag and a choice */
    const char *admissible; /* numbers: an interval such as "(0, 1e6]"; choices: "one|other"; else NULL */
    size_t target;          /* offsetof in the app's settings */
    bool is_required;
    const char *help;
} app_option;

#define APP_OPTION(name, letter, kind, value, admissible, member, is_required, help)                                             \
    {                                                                                                                            \
        name, letter, kind, value, admissible, offsetof(settings, member), is_required, help                                     \
    }

#define APP_MAX_OPERANDS 4

/* All operands of a command that takes any number of them. */
typedef struct app_list {
    char **items; /* in argv */
    size_t count;
} app_list;

typedef struct app_command {
    const char *name;                       /* NULL: the command without a name */
    const char *operands[APP_MAX_OPERANDS]; /* what --help calls them, then NULL */
    size_t required_operands;
    const char *help;
    const app_option *options;
    size_t option_count;
    size_t list; /* offsetof an app_list in the settings: there may be any number of operands; 0: as many as are named */
} app_command;
#define APP_OPTIONS(array) .options = array, .option_count = sizeof array / sizeof *array

typedef struct app_program {
    const char *name;
    const char *summary; /* one line */
    const app_command *commands;
    size_t command_count;
    const char *details; /* printed at the end of --help: lines of at most 80 characters */
} app_program;

/** --help, --version and --completion, which every program has and app_parse answers. */
extern const app_option app_common_options[];
extern const size_t app_common_option_count;

/** Reads the arguments into `settings`, which holds the defaults. True: run *command. False: end with *exit_code (an error was
 *  printed, or one of the common options was answered). */
bool app_parse(const app_program *program, int argc, char **argv, void *settings, const app_command **command, int *exit_code);

/** Prints --help: at most 80 columns. Of one command if it is not NULL, else of all. */
void app_print_help(const app_program *program, const app_command *command);

/** Prints a bash completion. */
void app_print_completion(const app_program *program);

#endif
