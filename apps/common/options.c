/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
/* options.c - reads arguments by the table. Functions that return int return an exit code; APP_OK means to go on. */
#include "options.h"
#include "exit.h"
#include "numbers.h"

#include <nw/status.h>

#include <stdio.h>
#include <string.h>

#define WORD_SIZE 48   /* longer words are no misspelt option, and are cut in messages */
#define MAX_OPTIONS 64 /* of one command */

typedef struct common_settings {
    bool is_help;
    bool is_version;
    bool is_completion;
} common_settings;

const app_option app_common_options[] = {
    { "help", 'h', APP_FLAG, NULL, NULL, offsetof(common_settings, is_help), false, "print this text" },
    { "version", 'V', APP_FLAG, NULL, NULL, offsetof(common_settings, is_version), false,
        "print the version, how it was built, and the licence of the program" },
    { "completion", '\0', APP_FLAG, NULL, NULL, offsetof(common_settings, is_completion), false, "print a completion for bash" },
};
const size_t app_common_option_count = sizeof app_common_options / sizeof *app_common_options;

typedef struct parser {
    const app_program *program;
    const app_command *command;
    void *settings;
    common_settings common;
    bool was_given[MAX_OPTIONS];
    const char *nearest_command; /* NULL: the first argument looks like none */
    size_t operand_count;
    char **next;  /* the argument to be read next; the list ends with NULL */
    char **taken; /* arguments that were read: a list of operands is kept in their place */
} parser;

/* Edits (insert, delete, replace) that lead from one short word to another: the usual table, one row at a time. */
static size_t edit_distance(const char *a, const char *b)
{
    size_t row[WORD_SIZE];
    const size_t length = strlen(b);
    if (strlen(a) >= WORD_SIZE || length >= WORD_SIZE)
        return WORD_SIZE;
    for (size_t j = 0; j <= length; j++)
        row[j] = j;
    for (size_t i = 0; a[i] != '\0'; i++) {
        size_t diagonal = row[0]++;
        for (size_t j = 0; j < length; j++) {
            const size_t replaced = diagonal + (a[i] != b[j]);
            const size_t shifted = (row[j] < row[j + 1] ? row[j] : row[j + 1]) + 1;
            diagonal = row[j + 1];
            row[j + 1] = replaced < shifted ? replaced : shifted;
        }
    }
    return row[length];
}

/* The nearest candidate so far; at most one edit in three letters, farther words are not what was meant. */
static void keep_nearer(const char *word, const char *candidate, const char **nearest)
{
    const size_t best = *nearest == NULL ? strlen(word) / 3 + 2 : edit_distance(word, *nearest);
    if (edit_distance(word, candidate) < best)
        *nearest = candidate;
}

/* A choice may be written with '_' for '-', as the JSON files do. */
static bool is_same_choice(const char *text, const char *choice, size_t length)
{
    for (size_t i = 0; i < length; i++) {
        if (text[i] != choice[i] && !(text[i] == '_' && choice[i] == '-'))
            return false;
    }
    return text[length] == '\0';
}

static bool parse_choice(const char *text, const char *choices, unsigned *out)
{
    *out = 0;
    for (const char *choice = choices;; (*out)++) {
        const size_t length = strcspn(choice, "|");
        if (strlen(text) == length && is_same_choice(text, choice, length))
            return true;
        if (choice[length] == '\0')
            return false;
        choice += length + 1;
    }
}

static int store_number(const app_option *option, void *target, const char *subject, const char *text)
{
    double value;
    uint64_t count = 0;
    const bool is_count = option->kind == APP_COUNT;
    const bool is_number = is_count ? app_parse_count(text, &count) : app_parse_real(text, &value);
    if (is_count)
        value = (double)count;
    if (!is_number || !app_is_inside(option->admissible, value))
        return app_fail(
            APP_USAGE, subject, "is \"%s\", must be a %s in %s", text, is_count ? "whole number" : "number", option->admissible);
    if (is_count)
        *(uint64_t *)target = count;
    else
        *(double *)target = value;
    return APP_OK;
}

static int store(const app_option *option, void *settings, const char *text)
{
    char subject[WORD_SIZE];
    void *target = (char *)settings + option->target;
    snprintf(subject, sizeof subject, "--%s", option->name);
    switch (option->kind) {
    case APP_FLAG: *(bool *)target = true; return APP_OK;
    case APP_REAL:
    case APP_COUNT: return store_number(option, target, subject, text);
    case APP_CHOICE:
        if (!parse_choice(text, option->admissible, target))
            return app_fail(APP_USAGE, subject, "is \"%s\", must be one of %s", text, option->admissible);
        return APP_OK;
    case APP_TEXT:
    case APP_TEXTS:
    case APP_FILE: break;
    }
    if (*text == '\0')
        return app_fail(APP_USAGE, subject, "is empty, must be a %s", option->value);
    if (option->kind == APP_TEXTS) {
        app_texts *texts = target;
        if (texts->count == APP_MAX_TEXTS)
            return app_fail(APP_USAGE, subject, "given too often, must be given at most %d times", APP_MAX_TEXTS);
        texts->items[texts->count++] = text;
        return APP_OK;
    }
    *(const char **)target = text;
    return APP_OK;
}

/* `attached` is the value that came in the same argument, or NULL. */
static int take_option(parser *p, const app_option *option, void *settings, const char *attached)
{
    char subject[WORD_SIZE];
    snprintf(subject, sizeof subject, "--%s", option->name);
    if (option->kind == APP_FLAG) {
        if (attached != NULL)
            return app_fail(APP_USAGE, subject, "has the value \"%s\", must stand alone", attached);
        return store(option, settings, NULL);
    }
    if (attached == NULL) {
        attached = *p->next;
        if (attached == NULL || strncmp(attached, "--", 2) == 0)
            return app_fail(APP_USAGE, subject, "has no value, must be followed by %s",
                option->kind == APP_CHOICE ? option->admissible : option->value);
        p->next++;
    }
    return store(option, settings, attached);
}

/* The seed of tests goes by two names, each in one half of the programs' interfaces. */
static bool is_called(const app_option *option, const char *name, size_t length)
{
    static const char *const seeds[] = { "insecure-seed", "seed-insecure" };
    bool is_seed[2] = { false, false };
    for (size_t i = 0; i < 2; i++) {
        is_seed[0] |= strcmp(option->name, seeds[i]) == 0;
        is_seed[1] |= strlen(seeds[i]) == length && memcmp(seeds[i], name, length) == 0;
    }
    return (is_seed[0] && is_seed[1]) || (strlen(option->name) == length && memcmp(option->name, name, length) == 0);
}

/* Finds an option among the command's and the common ones by its name or, if name is NULL, its letter, and takes it. */
static int find_and_take(parser *p, const char *name, size_t length, char letter, const char *attached, bool *is_found)
{
    *is_found = true;
    for (size_t i = 0; i < p->command->option_count + app_common_option_count; i++) {
        const bool is_common = i >= p->command->option_count;
        const app_option *option = is_common ? &app_common_options[i - p->command->option_count] : &p->command->options[i];
        const bool is_match = name == NULL ? option->letter == letter : is_called(option, name, length);
        if (!is_match)
            continue;
        if (is_common)
            return take_option(p, option, &p->common, attached);
        if (p->was_given[i] && option->kind != APP_TEXTS)
            return app_fail(APP_USAGE, *(p->next - 1), "given twice, must be given once");
        p->was_given[i] = true;
        return take_option(p, option, p->settings, attached);
    }
    *is_found = false;
    return APP_USAGE;
}

static int take_long(parser *p, const char *name)
{
    bool is_found;
    const char *equals = strchr(name, '=');
    const size_t length = equals == NULL ? strlen(name) : (size_t)(equals - name);
    const int code = find_and_take(p, name, length, '\0', equals == NULL ? NULL : equals + 1, &is_found);
    if (is_found)
        return code;
    char word[WORD_SIZE];
    snprintf(word, sizeof word, "--%.*s", (int)length, name);
    const char *nearest = NULL;
    for (size_t i = 0; i < p->command->option_count; i++)
        keep_nearer(word + 2, p->command->options[i].name, &nearest);
    for (size_t i = 0; i < app_common_option_count; i++)
        keep_nearer(word + 2, app_common_options[i].name, &nearest);
    if (nearest != NULL)
        return app_fail(APP_USAGE, word, "no such option, did you mean --%s?", nearest);
    return app_fail(APP_USAGE, word, "no such option, see --help");
}

static int take_short(parser *p, const char *argument)
{
    bool is_found;
    const int code = find_and_take(p, NULL, 0, argument[1], argument[2] == '\0' ? NULL : argument + 2, &is_found);
    return is_found ? code : app_fail(APP_USAGE, argument, "no such option, see --help");
}

/* Two operands where one is taken may be a misspelt command and its table. */
static int too_many_operands(const parser *p, const char *text)
{
    const char *const *operands = p->settings; /* the first member */
    if (p->nearest_command != NULL && p->operand_count > 0)
        return app_fail(APP_USAGE, operands[0], "no such command, did you mean %s?", p->nearest_command);
    return app_fail(APP_USAGE, text, "one operand too many, see --help");
}

static int take_operand(parser *p, char *text)
{
    const bool is_named = p->operand_count < APP_MAX_OPERANDS && p->command->operands[p->operand_count] != NULL;
    if (!is_named && p->command->list == 0)
        return too_many_operands(p, text);
    if (*text == '\0')
        return app_fail(
            APP_USAGE, is_named ? p->command->operands[p->operand_count] : "operand", "is empty, must be a file name");
    const char **operands = p->settings; /* the first member */
    if (p->command->list != 0) {
        p->taken[p->operand_count] = text; /* no more operands than arguments were read */
        *(app_list *)(void *)((char *)p->settings + p->command->list) = (app_list){ p->taken, p->operand_count + 1 };
    }
    if (is_named)
        operands[p->operand_count] = text;
    p->operand_count++;
    return APP_OK;
}

static bool is_answered(const parser *p)
{
    return p->common.is_help || p->common.is_version || p->common.is_completion;
}

/* One of the common options ends the reading, so that --help helps whatever else is wrong behind it. */
static int take_all(parser *p)
{
    bool are_options_over = false;
    int code = APP_OK;
    while (code == APP_OK && *p->next != NULL && !is_answered(p)) {
        char *argument = *p->next++;
        if (are_options_over || argument[0] != '-' || argument[1] == '\0')
            code = take_operand(p, argument);
        else if (strcmp(argument, "--") == 0)
            are_options_over = true;
        else if (argument[1] == '-')
            code = take_long(p, argument + 2);
        else
            code = take_short(p, argument);
    }
    return code;
}

static int check_required(const parser *p)
{
    char subject[4 * WORD_SIZE] = "";
    size_t missing = 0;
    for (size_t i = 0; i < p->command->option_count; i++) {
        const app_option *option = &p->command->options[i];
        const size_t used = strlen(subject);
        if (option->is_required && !p->was_given[i])
            snprintf(subject + used, sizeof subject - used, "%s--%s", missing++ == 0 ? "" : ", ", option->name);
    }
    if (missing > 0)
        return app_fail(
            APP_USAGE, subject, "missing, must be given: %s no default; see --help", missing == 1 ? "it has" : "they have");
    if (p->operand_count < p->command->required_operands)
        return app_fail(APP_USAGE, p->command->operands[p->operand_count], "missing, must be given");
    return APP_OK;
}

/* The command that `word` names, or NULL and the name that is nearest to it. */
static const app_command *find_command(const app_program *program, const char *word, const char **nearest)
{
    *nearest = NULL;
    for (size_t i = 0; i < program->command_count; i++) {
        const app_command *command = &program->commands[i];
        if (command->name == NULL)
            continue;
        keep_nearer(word, command->name, nearest);
        if (strcmp(word, command->name) == 0)
            return command;
    }
    return NULL;
}

/* The first argument names the command, unless it is an option. What names none belongs to the command without a name; where
 * there is no such command it is a mistake, and before an option only the common options are known. */
static int take_command(parser *p)
{
    static const app_command none = { .name = "" };
    const char *word = *p->next;
    const char *nearest = NULL;
    const bool has_nameless = p->program->commands[0].name == NULL;
    p->command = has_nameless ? &p->program->commands[0] : &none;
    if (word == NULL && !has_nameless)
        return app_fail(APP_USAGE, "COMMAND", "missing, must be given: see --help");
    if (word == NULL || word[0] == '-')
        return APP_OK;
    const app_command *named = find_command(p->program, word, &nearest);
    if (named != NULL) {
        p->command = named;
        p->next++;
    }
    p->nearest_command = nearest;
    if (named != NULL || has_nameless)
        return APP_OK;
    if (nearest != NULL)
        return app_fail(APP_USAGE, word, "no such command, did you mean %s?", nearest);
    return app_fail(APP_USAGE, word, "no such command, see --help");
}

static int answer(const parser *p)
{
    const bool has_command = p->command->name != NULL && *p->command->name != '\0';
    if (p->common.is_help)
        app_print_help(p->program, has_command ? p->command : NULL);
    else if (p->common.is_version)
        printf("%s %s\n%s\n", p->program->name, nw_version(), nw_build_info());
    else
        app_print_completion(p->program);
    return fflush(stdout) == 0 ? APP_OK : app_fail(APP_IO, "standard output", "could not be written");
}

bool app_parse(const app_program *program, int argc, char **argv, void *settings, const app_command **command, int *exit_code)
{
    parser p = { .program = program, .settings = settings, .next = argv + (argc > 0), .taken = argv + (argc > 0) };
    *exit_code = take_command(&p);
    if (*exit_code == APP_OK)
        *exit_code = take_all(&p);
    if (*exit_code != APP_OK)
        return false;
    if (is_answered(&p)) {
        *exit_code = answer(&p);
        return false;
    }
    *command = p.command;
    *exit_code = p.command->name != NULL && *p.command->name == '\0'
                     ? app_fail(APP_USAGE, "COMMAND", "missing, must be given: see --help")
                     : check_required(&p);
    return *exit_code == APP_OK;
}
