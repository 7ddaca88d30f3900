/* SPDX-License-Identifier: GPL-2.0-or-later */
/* foresnapd: options, the background, and exit codes. */
#include "config.h"

#include "base/error.h"
#include "daemon/background.h"
#include "daemon/daemon.h"
#include "daemon/log.h"

#include <errno.h>
#include <locale.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { EXIT_DONE = 0, EXIT_FAILED = 1, EXIT_USAGE = 2, EXIT_BUSY = 75 };

static gboolean opt_foreground;
static gboolean opt_version;
static char *opt_config;
static char *opt_connection;
static char *opt_repository;

static GOptionEntry options[] = {
    { "connect", 'c', 0, G_OPTION_ARG_STRING, &opt_connection, "libvirt's connection URI",
      "URI" },
    { "repo", 'r', 0, G_OPTION_ARG_FILENAME, &opt_repository, "folder of the repository",
      "LOCATION" },
    { "config", 0, 0, G_OPTION_ARG_FILENAME, &opt_config, "read this configuration",
      "FILE" },
    { "foreground", 0, 0, G_OPTION_ARG_NONE, &opt_foreground,
      "stay in the foreground, and log to standard error", NULL },
    { "version", 0, 0, G_OPTION_ARG_NONE, &opt_version, "print the version", NULL },
    G_OPTION_ENTRY_NULL,
};

static int
complain(const GError *error)
{
    fprintf(stderr, "foresnapd: %s\n", error->message);
    if (g_error_matches(error, FSN_ERROR, FSN_ERROR_BUSY)) {
        return EXIT_BUSY;
    }
    return error->domain == G_OPTION_ERROR ||
                   g_error_matches(error, FSN_ERROR, FSN_ERROR_USAGE)
               ? EXIT_USAGE
               : EXIT_FAILED;
}

static void
on_ready(gpointer user)
{
    if (!opt_foreground) {
        fsn_background_ready();
        fsn_log_use_syslog();
    }
}

/* Paths are meant from where it was started; it does not stay there. */
static void
make_absolute(char **path)
{
    if (*path) {
        char *absolute = g_canonicalize_filename(*path, NULL);

        g_free(*path);
        *path = absolute;
    }
}

static int
run(void)
{
    FsnDaemonOptions chosen = { .config_path = opt_config,
                                .connection = opt_connection,
                                .repository = opt_repository };
    g_autoptr(FsnDaemon) daemon = NULL;
    g_autoptr(GError) error = NULL;

    daemon = fsn_daemon_new(&chosen, &error);
    if (!daemon) {
        return complain(error);
    }
    if (!fsn_daemon_run(daemon, on_ready, NULL)) {
        /* A thread is still in a call of libvirt: nothing it uses may be freed. */
        fflush(NULL);
        _exit(EXIT_DONE);
    }
    return EXIT_DONE;
}

static bool
read_options(int *argc, char ***argv, GError **error)
{
    g_autoptr(GOptionContext) parser = g_option_context_new(NULL);

    g_option_context_set_summary(parser,
                                 "Watches the virtual machines of libvirt, and does "
                                 "what their profiles ask for.");
    g_option_context_add_main_entries(parser, options, NULL);
    if (!g_option_context_parse(parser, argc, argv, error)) {
        return false;
    }
    if (*argc > 1) {
        g_set_error(error, FSN_ERROR, FSN_ERROR_USAGE, "'%s' is one argument too many",
                    (*argv)[1]);
        return false;
    }
    return true;
}

int
main(int argc, char **argv)
{
    g_autoptr(GError) error = NULL;

    setlocale(LC_ALL, "");
    if (!read_options(&argc, &argv, &error)) {
        return complain(error);
    }
    if (opt_version) {
        printf("foresnapd %s\n", PACKAGE_VERSION);
        return EXIT_DONE;
    }
    make_absolute(&opt_config);
    make_absolute(&opt_repository);
    umask(077);
    if (!opt_foreground && !fsn_background_enter()) {
        fprintf(stderr, "foresnapd: cannot go into the background: %s\n",
                strerror(errno));
        return EXIT_FAILED;
    }
    if (chdir("/") != 0) {
        fprintf(stderr, "foresnapd: cannot go to /: %s\n", strerror(errno));
        return EXIT_FAILED;
    }
    return run();
}
