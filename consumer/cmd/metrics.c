/* relance metrics: every counter once, as a table, as JSON or as Prometheus text. */
#include "host/command.h"
#include "report/figures.h"
#include "host/option.h"

static bool metrics_print(const struct options *options, const struct figures *figures)
{
    if (options->json) return figures_print_json(figures, options->group, options->input, stdout);
    if (options->prometheus)
        figures_print_prometheus(figures, options->group, options->input, stdout);
    else
        figures_print_table(figures, NULL, 0, stdout);
    return true;
}

static int metrics_run(const struct options *options)
{
    struct relance_error error;
    struct figures figures = {0};
    if (options->json && options->prometheus) {
        fputs("relance metrics: either --json or --prometheus\n", stderr);
        return EXIT_STATUS_USAGE;
    }
    struct redis_view *view = redis_view_open(options->redis, options->group, options->input, &error);
    bool ok = view && figures_read(view, &figures, &error) == RELANCE_OK;
    if (ok)
        ok = metrics_print(options, &figures);
    else
        fprintf(stderr, "relance metrics: %s\n", error.message);
    figures_free(&figures);
    redis_view_close(view);
    return ok ? EXIT_STATUS_OK : EXIT_STATUS_FAILED;
}

int cmd_metrics(int argc, char **argv)
{
    struct options options;
    if (!options_read(&options, COMMAND_METRICS, argc, argv)) return options.status;
    int status = metrics_run(&options);
    options_free(&options);
    return status;
}
