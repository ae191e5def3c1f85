/* relance metrics: every counter once, as a table, as JSON or as Prometheus text. */
#include "host/command.h"
#include "host/print.h"
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

int cmd_metrics(const struct options *options)
{
    struct relance_error error;
    struct figures figures = {0};
    if (options->json && options->prometheus) {
        print_mistake("either --json or --prometheus");
        return EXIT_STATUS_USAGE;
    }
    struct redis_view *view = redis_view_open(options->redis, options->group, options->input, &error);
    bool ok = view && figures_read(view, &figures, &error) == RELANCE_OK;
    if (ok)
        ok = metrics_print(options, &figures);
    else
        print_mistake("%s", error.message);
    figures_free(&figures);
    redis_view_close(view);
    return ok ? EXIT_STATUS_OK : EXIT_STATUS_FAILED;
}
