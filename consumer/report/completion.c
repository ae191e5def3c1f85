/* A script for each shell that knows the commands, the options of each with their values, and what the arguments are. No
 * shell has to start the program to complete a word, and none needs more than itself.
 *
 * What stands for a value tells how it is completed: a choice by its words, FILE and PATH by files, OUTCOMES by a list of
 * outcomes; whatever else there is nobody can guess, so nothing is offered. */
#include "report/completion.h"
#include "base/str.h"
#include "host/command.h"
#include "host/option.h"
#include "host/preset.h"
#include "host/print.h"
#include "host/topic.h"
#include <relance/decision.h>

enum value { VALUE_NONE, VALUE_FILES, VALUE_WORDS, VALUE_OUTCOMES, VALUE_UNKNOWN };

static enum value value_of_form(const char *form)
{
    static const struct {
        const char *form;
        enum value value;
    } forms[] = {{"FILE", VALUE_FILES},
                 {"PATH", VALUE_FILES},
                 {"OTHER_RULES", VALUE_FILES},
                 {"MAPPING", VALUE_FILES},
                 {"OUTCOMES", VALUE_OUTCOMES}};
    for (size_t i = 0; i < sizeof forms / sizeof *forms; i++)
        if (strncmp(form, forms[i].form, strlen(forms[i].form)) == 0) return forms[i].value;
    return VALUE_UNKNOWN;
}

static enum value value_of(const struct option_shown *option)
{
    return option->is_flag ? VALUE_NONE : option->is_choice ? VALUE_WORDS : value_of_form(option->form);
}

/* ---- words */

/* "a|b|c", or "[a|b|c]", as a b c. */
static void put_choice(const char *form, FILE *out)
{
    for (; *form; form++)
        if (*form != '[' && *form != ']') print(out, "%c", *form == '|' ? ' ' : *form);
}

static void put_outcomes(FILE *out)
{
    for (int i = 0; i < RELANCE_OUTCOME_COUNT; i++)
        print(out, "%s%.*s", i ? " " : "", STR_ARG(relance_outcome_text((enum relance_outcome)i)));
}

static bool has_words(enum value value)
{
    return value == VALUE_WORDS || value == VALUE_OUTCOMES;
}

static void put_words(const struct option_shown *option, FILE *out)
{
    if (value_of(option) == VALUE_OUTCOMES)
        put_outcomes(out);
    else
        put_choice(option->form, out);
}

static void put_commands(FILE *out)
{
    for (int i = 0; i < COMMAND_COUNT; i++)
        print(out, "%s%s", i ? " " : "", command_table[i].name);
}

/* Within apostrophes: those of the text are written as `apostrophe`, and a backslash goes before each of `special`. */
static void put_quoted(const char *text, const char *special, const char *apostrophe, FILE *out)
{
    for (; *text; text++)
        if (*text == '\'')
            print(out, "%s", apostrophe);
        else
            print(out, "%s%c", strchr(special, *text) ? "\\" : "", *text);
}

static void put_presets(FILE *out)
{
    for (const struct preset *preset = preset_table; preset->name; preset++)
        print(out, "%s%s", preset == preset_table ? "" : " ", preset->name);
}

/* The words of a topic's argument. */
static void put_argument(const struct topic_row *topic, FILE *out)
{
    if (strcmp(topic->argument, "PRESET") == 0) {
        put_presets(out);
        return;
    }
    if (strcmp(topic->argument, "[COMMAND]") == 0)
        put_commands(out);
    else
        put_choice(topic->argument, out);
}

/* ---- bash */

static void bash_option(void *context, const struct option_shown *option)
{
    print(context, "--%s ", option->name);
}

/* Options by their names: each has one meaning, whichever command takes it. */
static void bash_value(void *context, const struct option_shown *option)
{
    FILE *out = context;
    enum value value = value_of(option);
    if (value == VALUE_NONE) return;
    print(out, "    --%s) ", option->name);
    if (value == VALUE_FILES) fputs("files=yes", out);
    if (value == VALUE_UNKNOWN) fputs("return", out);
    if (has_words(value)) fputs("words='", out), put_words(option, out), fputs("'", out);
    fputs(" ;;\n", out);
}

static void bash_help(FILE *out)
{
    fputs("    help)\n        words='", out);
    put_commands(out);
    for (int i = 0; i < TOPIC_COUNT; i++)
        print(out, " %s", topic_table[i].name);
    fputs("'\n        case $((COMP_CWORD - 2))${COMP_WORDS[2]} in\n", out);
    for (int i = 0; i < TOPIC_COUNT; i++) {
        if (!*topic_table[i].argument) continue;
        print(out, "        1%s) words='", topic_table[i].name);
        put_argument(&topic_table[i], out);
        fputs("' ;;\n", out);
    }
    fputs("        [!0]*) words='' ;;\n        esac ;;\n", out);
}

static void bash_command(enum command command, FILE *out)
{
    const struct command_row *row = &command_table[command];
    if (command == COMMAND_HELP) {
        bash_help(out);
        return;
    }
    print(out, "    %s) %swords='", row->name,
          value_of_form(row->arguments) == VALUE_FILES ? "files=maybe " : "");
    options_each(command, bash_option, out);
    fputs("--kafka.bootstrap.servers --help' ;;\n", out);
}

static void bash_print(FILE *out)
{
    fputs("# Completion of relance for bash, made by `relance help completion bash`. In ~/.bashrc:\n"
          "#     eval \"$(relance help completion bash)\"\n\n"
          "_relance_of_command() {\n    case $1 in\n",
          out);
    for (int i = 0; i < COMMAND_COUNT; i++)
        bash_command((enum command)i, out);
    fputs("    esac\n}\n\n"
          "_relance() {\n"
          "    local word=${COMP_WORDS[COMP_CWORD]} option=${COMP_WORDS[COMP_CWORD - 1]}\n"
          "    local before='' words='' files=''\n"
          "    if [[ $word == '=' ]]; then\n"
          "        word=''\n"
          "    elif [[ $option == '=' ]]; then\n"
          "        option=${COMP_WORDS[COMP_CWORD - 2]}\n"
          "    elif [[ $word == --*=* ]]; then # where = is no end of a word\n"
          "        option=${word%%=*} before=$option= word=${word#*=}\n"
          "    fi\n"
          "    case $option in\n",
          out);
    options_each(COMMAND_COUNT, bash_value, out);
    fputs("    --kafka.*) return ;;\n    *)\n        words='", out);
    put_commands(out);
    fputs("'\n"
          "        ((COMP_CWORD == 1)) || _relance_of_command \"${COMP_WORDS[1]}\"\n"
          "        [[ $files == maybe && $word == -* ]] && files='' ;;\n"
          "    esac\n"
          "    if [[ $option == --only && $word == *,* ]]; then\n"
          "        before+=${word%,*}, word=${word##*,}\n"
          "    fi\n"
          "    if [[ $files ]]; then\n"
          "        compopt -o filenames 2>/dev/null\n"
          "        mapfile -t COMPREPLY < <(compgen -P \"$before\" -f -- \"$word\")\n"
          "    else\n"
          "        mapfile -t COMPREPLY < <(compgen -P \"$before\" -W \"$words\" -- \"$word\")\n"
          "    fi\n"
          "}\n"
          "complete -F _relance relance\n",
          out);
}

/* ---- zsh */

static void zsh_quoted(const char *text, FILE *out)
{
    put_quoted(text, "[]:\\", "'\\''", out);
}

/* '--rules=[Rule file.]:PATH:_files' */
static void zsh_option(void *context, const struct option_shown *option)
{
    FILE *out = context;
    enum value value = value_of(option);
    print(out, "            '--%s%s[", option->name, value == VALUE_NONE ? "" : "=");
    zsh_quoted(option->prose, out);
    fputs("]", out);
    if (value != VALUE_NONE) {
        fputs(":", out);
        zsh_quoted(option->form, out);
        fputs(":", out);
    }
    if (value == VALUE_FILES) fputs("_files", out);
    if (has_words(value)) fputs("(", out), put_words(option, out), fputs(")", out);
    fputs("' \\\n", out);
}

static void zsh_help(FILE *out)
{
    fputs("    help)\n        if ((CURRENT == 2)); then\n"
          "            _describe command relance_commands\n            local -a topics=(\n",
          out);
    for (int i = 0; i < TOPIC_COUNT; i++) {
        print(out, "                '%s:", topic_table[i].name);
        zsh_quoted(topic_table[i].prose, out);
        fputs("'\n", out);
    }
    fputs("            )\n            _describe topic topics\n"
          "        else\n            case ${words[2]} in\n",
          out);
    for (int i = 0; i < TOPIC_COUNT; i++) {
        if (!*topic_table[i].argument) continue;
        print(out, "            %s) compadd ", topic_table[i].name);
        put_argument(&topic_table[i], out);
        fputs(" ;;\n", out);
    }
    fputs("            esac\n        fi ;;\n", out);
}

static void zsh_command(enum command command, FILE *out)
{
    const struct command_row *row = &command_table[command];
    if (command == COMMAND_HELP) {
        zsh_help(out);
        return;
    }
    print(out, "    %s)\n        _arguments \\\n", row->name);
    options_each(command, zsh_option, out);
    if (*row->arguments)
        print(out, "            '*:%s:%s' \\\n", row->arguments,
              value_of_form(row->arguments) == VALUE_FILES ? "_files" : "");
    fputs("            '--help[Explain the command.]' ;;\n", out);
}

static void zsh_print(FILE *out)
{
    fputs("#compdef relance\n"
          "# Completion of relance for zsh, made by `relance help completion zsh`. As _relance in a\n"
          "# folder of $fpath, or in ~/.zshrc, behind compinit:\n"
          "#     eval \"$(relance help completion zsh)\"\n\n"
          "_relance() {\n    local -a relance_commands=(\n",
          out);
    for (int i = 0; i < COMMAND_COUNT; i++) {
        print(out, "        '%s:", command_table[i].name);
        zsh_quoted(command_table[i].prose, out);
        fputs("'\n", out);
    }
    fputs("    )\n"
          "    if ((CURRENT == 2)); then\n"
          "        _describe command relance_commands\n"
          "        return\n"
          "    fi\n"
          "    shift words\n"
          "    ((CURRENT--))\n"
          "    case ${words[1]} in\n",
          out);
    for (int i = 0; i < COMMAND_COUNT; i++)
        zsh_command((enum command)i, out);
    fputs("    esac\n}\n\n"
          "if [[ ${funcstack[1]} == _relance ]]; then\n"
          "    _relance \"$@\"\n"
          "else\n"
          "    compdef _relance relance\n"
          "fi\n",
          out);
}

/* ---- fish */

static void fish_quoted(const char *text, FILE *out)
{
    fputs("'", out);
    put_quoted(text, "\\", "\\'", out);
    fputs("'\n", out);
}

static void fish_begin(const char *command, FILE *out)
{
    print(out, "complete -c relance -n '__fish_seen_subcommand_from %s' ", command);
}

struct fish {
    FILE *out;
    enum command command;
};

static void fish_option(void *context, const struct option_shown *option)
{
    const struct fish *fish = context;
    FILE *out = fish->out;
    enum value value = value_of(option);
    fish_begin(command_table[fish->command].name, out);
    print(out, "-l %s ", option->name);
    if (value == VALUE_FILES) fputs("-rF ", out);
    if (value == VALUE_UNKNOWN) fputs("-x ", out);
    if (has_words(value)) fputs("-x -a '", out), put_words(option, out), fputs("' ", out);
    fputs("-d ", out);
    fish_quoted(option->prose, out);
}

static void fish_help(FILE *out)
{
    fish_begin("help", out);
    fputs("-a '", out);
    put_commands(out);
    fputs("'\n", out);
    for (int i = 0; i < TOPIC_COUNT; i++) {
        const struct topic_row *topic = &topic_table[i];
        fish_begin("help", out);
        print(out, "-a %s -d ", topic->name);
        fish_quoted(topic->prose, out);
        if (!*topic->argument) continue;
        fish_begin(topic->name, out);
        fputs("-a '", out);
        put_argument(topic, out);
        fputs("'\n", out);
    }
}

static void fish_command(enum command command, FILE *out)
{
    const struct command_row *row = &command_table[command];
    struct fish fish = {out, command};
    print(out, "\ncomplete -c relance -n __fish_use_subcommand -a %s -d ", row->name);
    fish_quoted(row->prose, out);
    if (value_of_form(row->arguments) == VALUE_FILES) {
        fish_begin(row->name, out);
        fputs("-F\n", out);
    }
    if (command == COMMAND_HELP)
        fish_help(out);
    else
        options_each(command, fish_option, &fish);
}

static void fish_print(FILE *out)
{
    fputs("# Completion of relance for fish, made by `relance help completion fish`. As relance.fish in\n"
          "# ~/.config/fish/completions, or in config.fish:\n"
          "#     relance help completion fish | source\n\n"
          "complete -c relance -f\n",
          out);
    for (int i = 0; i < COMMAND_COUNT; i++)
        fish_command((enum command)i, out);
}

/* ---- all of them */

bool completion_print(const char *shell, FILE *out)
{
    static const struct {
        const char *shell;
        void (*print)(FILE *out);
    } shells[] = {{"bash", bash_print}, {"zsh", zsh_print}, {"fish", fish_print}};
    for (size_t i = 0; i < sizeof shells / sizeof *shells; i++)
        if (strcmp(shells[i].shell, shell) == 0) return shells[i].print(out), true;
    return false;
}
