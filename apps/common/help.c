/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
/* help.c - the table as text for people, and as a completion for bash. */
#include "options.h"

#include <stdio.h>
#include <string.h>

#define LINE_WIDTH 80
#define HELP_COLUMN 29 /* where the explanations begin */

/* Prints words up to LINE_WIDTH; further lines begin at `indent`. `column` is where the cursor is. */
static void print_wrapped(const char *text, int column, int indent)
{
    bool is_line_start = true;
    while (*text != '\0') {
        const int length = (int)strcspn(text, " ");
        if (!is_line_start && column + 1 + length > LINE_WIDTH) {
            printf("\n%*s", indent, "");
            column = indent;
            is_line_start = true;
        }
        column += printf("%s%.*s", is_line_start ? "" : " ", length, text);
        is_line_start = false;
        text += length + (text[length] == ' ');
    }
    putchar('\n');
}

static const char *value_name(const app_option *option)
{
    return option->kind == APP_CHOICE ? option->admissible : option->value;
}

static void print_option(const app_option *option)
{
    char text[512];
    int column =
        option->letter == '\0' ? printf("      --%s", option->name) : printf("  -%c, --%s", option->letter, option->name);
    if (option->kind != APP_FLAG)
        column += printf(" %s", value_name(option));
    if (column + 2 > HELP_COLUMN) {
        putchar('\n');
        column = 0;
    }
    printf("%*s", HELP_COLUMN - column, "");
    const bool is_number = option->kind == APP_REAL || option->kind == APP_COUNT;
    snprintf(text, sizeof text, "%s%s%s%s", option->help, is_number ? "; in " : "", is_number ? option->admissible : "",
        option->is_required ? "; required" : "");
    print_wrapped(text, HELP_COLUMN, HELP_COLUMN);
}

static void print_synopsis(const app_program *program, const app_command *command)
{
    char text[512];
    const char *name = command->name == NULL ? "" : command->name;
    size_t used = (size_t)snprintf(text, sizeof text, "%s%s%s", program->name, *name == '\0' ? "" : " ", name);
    for (size_t i = 0; i < APP_MAX_OPERANDS && command->operands[i] != NULL && used < sizeof text; i++)
        used += (size_t)snprintf(text + used, sizeof text - used,
            command->required_operands > 0 && i >= command->required_operands ? " [%s]" : " %s", command->operands[i]);
    for (size_t i = 0; i < command->option_count && used < sizeof text; i++) {
        if (command->options[i].is_required)
            used += (size_t)snprintf(
                text + used, sizeof text - used, " --%s %s", command->options[i].name, value_name(&command->options[i]));
    }
    if (used < sizeof text)
        snprintf(text + used, sizeof text - used, " [OPTION...]");
    print_wrapped(text, (int)strlen("usage: "), (int)strlen("usage: "));
}

static void print_command_help(const app_command *command)
{
    putchar('\n');
    if (command->name != NULL)
        printf("%s: ", command->name);
    print_wrapped(command->help, command->name == NULL ? 0 : (int)strlen(command->name) + 2, 0);
    for (size_t i = 0; i < command->option_count; i++)
        print_option(&command->options[i]);
}

void app_print_help(const app_program *program, const app_command *command)
{
    if (command != NULL) {
        printf("usage: ");
        print_synopsis(program, command);
        print_command_help(command);
        printf("\n%s --help lists all commands.\n", program->name);
        return;
    }
    printf("%s - %s\n\n", program->name, program->summary);
    for (size_t i = 0; i < program->command_count; i++) {
        printf(i == 0 ? "usage: " : "       ");
        print_synopsis(program, &program->commands[i]);
    }
    for (size_t i = 0; i < program->command_count; i++)
        print_command_help(&program->commands[i]);
    printf("%s", program->command_count == 1 ? "" : "\ncommon options:\n");
    for (size_t i = 0; i < app_common_option_count; i++)
        print_option(&app_common_options[i]);
    printf("\n%s", program->details);
}

static void print_words(const app_option *options, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (options[i].letter != '\0')
            printf("-%c ", options[i].letter);
        printf("--%s ", options[i].name);
    }
}

/* What may follow an option: a file, one of a few words, or something that cannot be guessed. */
static void print_value_cases(const app_option *options, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const app_option *option = &options[i];
        if (option->kind == APP_FLAG)
            continue;
        printf("    --%s", option->name);
        if (option->letter != '\0')
            printf(" | -%c", option->letter);
        if (option->kind == APP_FILE) {
            printf(") mapfile -t COMPREPLY < <(compgen -f -- \"$word\"); return ;;\n");
        } else if (option->kind == APP_CHOICE) {
            printf(") mapfile -t COMPREPLY < <(compgen -W \"");
            for (const char *c = option->admissible; *c != '\0'; c++)
                putchar(*c == '|' ? ' ' : *c);
            printf("\" -- \"$word\"); return ;;\n");
        } else {
            printf(") return ;;\n");
        }
    }
}

static void print_command_completion(const app_command *command)
{
    printf("    case $before in\n");
    print_value_cases(command->options, command->option_count);
    printf("    esac\n    options=\"");
    print_words(command->options, command->option_count);
    print_words(app_common_options, app_common_option_count);
    printf("\"\n");
}

/* The names of the commands stand where the first argument is, beside what a command without a name takes; each has its own
 * options. */
static void print_commands_completion(const app_program *program)
{
    const app_command *nameless = program->commands[0].name == NULL ? &program->commands[0] : NULL;
    printf("    if ((COMP_CWORD == 1)); then\n        mapfile -t COMPREPLY < <(compgen %s-W \"", nameless != NULL ? "-f " : "");
    for (size_t i = nameless != NULL; i < program->command_count; i++)
        printf("%s ", program->commands[i].name);
    if (nameless != NULL)
        print_words(nameless->options, nameless->option_count);
    print_words(app_common_options, app_common_option_count);
    printf("\" -- \"$word\")\n        return\n    fi\n    case ${COMP_WORDS[1]} in\n");
    for (size_t i = nameless != NULL; i < program->command_count; i++) {
        printf("    %s)\n", program->commands[i].name);
        print_command_completion(&program->commands[i]);
        printf("    ;;\n");
    }
    if (nameless != NULL) {
        printf("    *)\n");
        print_command_completion(nameless);
        printf("    ;;\n");
    }
    printf("    esac\n");
}

void app_print_completion(const app_program *program)
{
    printf("# bash completion for %s, made by %s --completion\n_", program->name, program->name);
    for (const char *c = program->name; *c != '\0'; c++)
        putchar(*c == '-' ? '_' : *c);
    printf("()\n{\n    local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD - 1]} options=\n    COMPREPLY=()\n"
           "    if [[ $word == '=' ]]; then\n        word=\n"
           "    elif [[ $before == '=' ]]; then\n        before=${COMP_WORDS[COMP_CWORD - 2]}\n    fi\n");
    if (program->command_count == 1)
        print_command_completion(&program->commands[0]);
    else
        print_commands_completion(program);
    printf("    if [[ $word == -* ]]; then\n        mapfile -t COMPREPLY < <(compgen -W \"$options\" -- \"$word\")\n"
           "    else\n        mapfile -t COMPREPLY < <(compgen -f -- \"$word\")\n    fi\n}\ncomplete -o filenames -F _");
    for (const char *c = program->name; *c != '\0'; c++)
        putchar(*c == '-' ? '_' : *c);
    printf(" %s\n", program->name);
}
