/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * foresnap-pager: loads the memory of a resuming guest. Started by foresnap with a plan
 * (memory/pager-plan.h); leaves its caller, reports (memory/pager-status.h), and ends when
 * all is loaded. This file is options and the fork; what happens is in the three roles.
 */
#include "config.h"

#include "base/error.h"
#include "base/files.h"
#include "memory/pager-session.h"
#include "pager/roles.h"

#include <fcntl.h>
#include <locale.h>
#include <signal.h>
#include <unistd.h>

typedef struct {
    char *plan;
    int status_fd;
    int socket_fd;
    gboolean foreground;
    gboolean recover;
    gboolean take_over;
    gboolean supervisor;
    gboolean worker;
    gboolean report;
    gboolean no_report;
    int n_fds;
    int parent;
    int keep_fds[FSN_SESSION_MAX_KEEP];
    unsigned n_keep_fds;
} Options;

/* --keep-fd N, as often as FSN_SESSION_MAX_KEEP */
static gboolean
add_keep_fd(const char *name, const char *value, gpointer data, GError **error)
{
    Options *o = data;
    gint64 fd;

    if (o->n_keep_fds == FSN_SESSION_MAX_KEEP ||
        !g_ascii_string_to_signed(value, 10, 3, 4095, &fd, NULL)) {
        g_set_error(error, G_OPTION_ERROR, G_OPTION_ERROR_BAD_VALUE,
                    "%s %s: not a descriptor, or too many", name, value);
        return FALSE;
    }
    o->keep_fds[o->n_keep_fds++] = (int)fd;
    return TRUE;
}

static bool
parse_options(int *argc, char ***argv, Options *o, GError **error)
{
    const GOptionEntry entries[] = {
        { "plan", 0, 0, G_OPTION_ARG_FILENAME, &o->plan, "What to load", "FILE" },
        { "status-fd", 0, 0, G_OPTION_ARG_INT, &o->status_fd, "Report there", "FD" },
        { "fd", 0, 0, G_OPTION_ARG_INT, &o->socket_fd, "Connection to QEMU", "FD" },
        { "foreground", 0, 0, G_OPTION_ARG_NONE, &o->foreground, "Do not fork", NULL },
        { "recover", 0, 0, G_OPTION_ARG_NONE, &o->recover, "Continue a broken load",
          NULL },
        { "supervisor", 0, G_OPTION_FLAG_HIDDEN, G_OPTION_ARG_NONE, &o->supervisor, NULL,
          NULL },
        { "take-over", 0, G_OPTION_FLAG_HIDDEN, G_OPTION_ARG_NONE, &o->take_over, NULL,
          NULL },
        { "worker", 0, G_OPTION_FLAG_HIDDEN, G_OPTION_ARG_NONE, &o->worker, NULL, NULL },
        { "report", 0, G_OPTION_FLAG_HIDDEN, G_OPTION_ARG_NONE, &o->report, NULL, NULL },
        { "no-report", 0, G_OPTION_FLAG_HIDDEN, G_OPTION_ARG_NONE, &o->no_report, NULL,
          NULL },
        { "fds", 0, G_OPTION_FLAG_HIDDEN, G_OPTION_ARG_INT, &o->n_fds, NULL, NULL },
        { "parent", 0, G_OPTION_FLAG_HIDDEN, G_OPTION_ARG_INT, &o->parent, NULL, NULL },
        { "keep-fd", 0, 0, G_OPTION_ARG_CALLBACK, add_keep_fd,
          "Hold this descriptor until all is loaded", "FD" },
        G_OPTION_ENTRY_NULL,
    };
    g_autoptr(GOptionContext) context = g_option_context_new(NULL);
    GOptionGroup *group; /* of the context */

    g_option_context_set_summary(context, "Loads the memory of a resuming guest; started "
                                          "by foresnap.");
    group = g_option_group_new(NULL, NULL, NULL, o, NULL);
    g_option_group_add_entries(group, entries);
    g_option_context_set_main_group(context, group);
    return g_option_context_parse(context, argc, argv, error);
}

/* Away from the caller: own session, no terminal, messages into the plan's log. */
static void
detach(const FsnPagerPlan *plan)
{
    int null;
    int log = -1;

    if (fork() != 0) {
        _exit(0);
    }
    (void)setsid();
    (void)chdir("/");
    null = open("/dev/null", O_RDWR | O_CLOEXEC);
    if (plan->log_file) {
        log = open(plan->log_file, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    }
    (void)dup2(null, 0);
    (void)dup2(null, 1);
    (void)dup2(log >= 0 ? log : null, 2);
}

static int
run_peer(const Options *o)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(GBytes) text = NULL;
    g_autoptr(FsnPagerPlan) plan = NULL;
    FsnPeerOptions options = { .recover = o->recover,
                               .status_fd = o->status_fd,
                               .socket_fd = o->socket_fd,
                               .keep_fds = o->keep_fds,
                               .n_keep_fds = o->n_keep_fds };
    size_t len;
    const char *data;

    if (!fsn_file_read(o->plan, FSN_PLAN_MAX, &text, &error)) {
        g_printerr("foresnap-pager: %s\n", error->message);
        return 2;
    }
    data = g_bytes_get_data(text, &len);
    if (!fsn_pager_plan_parse(data, len, &plan, &error)) {
        g_printerr("foresnap-pager: %s\n", error->message);
        return 2;
    }
    if ((plan->transport == FSN_TRANSPORT_FD) != (o->socket_fd >= 0)) {
        g_printerr("foresnap-pager: --fd belongs to plans with transport \"fd\"\n");
        return 2;
    }
    if (!o->foreground) {
        detach(plan);
    }
    if (o->status_fd >= 0) {
        (void)fcntl(o->status_fd, F_SETFL, fcntl(o->status_fd, F_GETFL) | O_NONBLOCK);
        (void)fcntl(o->status_fd, F_SETFD, FD_CLOEXEC);
    }
    (void)signal(SIGPIPE, SIG_IGN);
    (void)signal(SIGHUP, SIG_IGN);
    options.plan = plan;
    options.plan_text = text;
    return fsn_role_peer(&options);
}

static FsnPagerOpening
opening_of(const Options *o)
{
    return o->take_over ? FSN_OPEN_TAKE_OVER
           : o->recover ? FSN_OPEN_RECOVER
                        : FSN_OPEN_FRESH;
}

int
main(int argc, char **argv)
{
    Options o = { .status_fd = -1, .socket_fd = -1 };
    g_autoptr(GError) error = NULL;
    g_autofree char *plan = NULL;

    setlocale(LC_ALL, "");
    if (!parse_options(&argc, &argv, &o, &error)) {
        g_printerr("foresnap-pager: %s\n", error->message);
        return 2;
    }
    plan = o.plan;
    if (o.supervisor || o.worker) {
        if (o.n_fds < (int)FSN_ARENA_MIN_FDS || o.n_fds > FSN_ARENA_MAX_FDS) {
            return 2; /* only this program itself comes here */
        }
        return o.supervisor
                   ? fsn_role_supervisor((unsigned)o.n_fds, o.report, opening_of(&o))
                   : fsn_role_worker((unsigned)o.n_fds, o.parent);
    }
    if (!o.plan || argc > 1) {
        g_printerr("foresnap-pager: needs --plan FILE and nothing else\n");
        return 2;
    }
    return run_peer(&o);
}
