/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A look every few seconds, and a run of 'foresnap savefs' where there is something to do. */
#include "config.h"

#include "daemon/saves.h"

#include "cycle/savefs-control.h"
#include "daemon/arguments.h"
#include "daemon/child.h"
#include "daemon/log.h"
#include "daemon/source.h"

#include <signal.h>
#include <string.h>

#define LOOK_S       3u
#define ENABLE_LOOKS 20u /* so often also without news, which may be lost */
#define CHILD_TIME_S 120u
#define WAKES        "\nvoluntary_ctxt_switches:"

struct FsnSaves {
    const FsnDaemonConfig *config;
    const char *state_dir;
    GSource *timer;
    FsnChild *child;
    FsnSavesSeen seen;
    unsigned looks; /* since domains were looked for */
    bool changed;
    bool restart; /* the server was ended by us */
};

uint64_t
fsn_saves_parse_wakes(const char *status)
{
    const char *line = strstr(status, WAKES);

    return line ? g_ascii_strtoull(line + strlen(WAKES), NULL, 10) : 0;
}

bool
fsn_saves_is_stuck(FsnSavesSeen *seen, int pid, uint64_t wakes)
{
    bool stands = pid > 0 && pid == seen->pid && wakes > 0 && wakes == seen->wakes;

    *seen = (FsnSavesSeen){ pid, wakes, stands ? seen->same + 1 : 0 };
    return seen->same >= FSN_SAVES_STUCK_LOOKS;
}

static uint64_t
read_wakes(int pid)
{
    g_autofree char *path = g_strdup_printf("/proc/%d/status", pid);
    g_autofree char *text = NULL;

    /* The lock tells the pid; the name, that it has not become somebody else's since. */
    if (pid <= 0 || !g_file_get_contents(path, &text, NULL, NULL) ||
        !g_str_has_prefix(text, "Name:\tforesnap-savefs\n")) {
        return 0;
    }
    return fsn_saves_parse_wakes(text);
}

/* The worker ends with its supervisor, and with it all waiting for the file system. */
static void
watch_server(FsnSaves *saves)
{
    int pid = fsn_savefs_running(saves->state_dir);

    if (!fsn_saves_is_stuck(&saves->seen, pid, read_wakes(pid))) {
        return;
    }
    fsn_log(FSN_LOG_WARNING, NULL,
            "the server of managed saves does not go on, nor does its watchdog: process "
            "%d is ended",
            pid);
    if (kill(pid, SIGKILL) == 0) {
        saves->restart = true;
    }
    saves->seen = (FsnSavesSeen){ 0 };
}

static void
on_done(JsonObject *document, const char *complaint, gpointer user)
{
    FsnSaves *saves = user;

    saves->child = NULL;
    if (complaint) {
        fsn_log(FSN_LOG_WARNING, NULL, "managed saves: %s", complaint);
    }
}

static bool
run(FsnSaves *saves, char **arguments)
{
    g_autoptr(GError) error = NULL;

    saves->child = fsn_child_start(arguments, CHILD_TIME_S, on_done, saves, &error);
    if (!saves->child) {
        fsn_log(FSN_LOG_WARNING, NULL, "managed saves: %s", error->message);
    }
    return saves->child != NULL;
}

static void
start_server(FsnSaves *saves)
{
    g_auto(GStrv) arguments =
        fsn_daemon_arguments(saves->config, "savefs", "start", NULL);

    if (fsn_savefs_running(saves->state_dir) == 0 && run(saves, arguments)) {
        saves->restart = false;
    }
}

static void
enable_new(FsnSaves *saves)
{
    g_auto(GStrv) arguments =
        fsn_daemon_arguments(saves->config, "savefs", "enable", "--all", "--new", NULL);

    if (run(saves, arguments)) {
        saves->changed = false;
        saves->looks = 0;
    }
}

static gboolean
on_look(gpointer user)
{
    FsnSaves *saves = user;

    watch_server(saves);
    saves->looks++;
    if (saves->child) {
        return G_SOURCE_CONTINUE;
    }
    if (saves->restart) {
        start_server(saves);
    } else if (saves->config->savefs &&
               (saves->changed || saves->looks >= ENABLE_LOOKS)) {
        enable_new(saves);
    }
    return G_SOURCE_CONTINUE;
}

void
fsn_saves_changed(FsnSaves *saves)
{
    saves->changed = true;
}

void
fsn_saves_set(FsnSaves *saves, const FsnDaemonConfig *config)
{
    saves->config = config;
    saves->changed = true;
}

FsnSaves *
fsn_saves_new(const FsnDaemonConfig *config, const char *state_dir)
{
    FsnSaves *saves = g_new0(FsnSaves, 1);

    saves->state_dir = state_dir;
    fsn_saves_set(saves, config);
    saves->timer =
        fsn_source_attach(g_timeout_source_new_seconds(LOOK_S), on_look, saves);
    return saves;
}

void
fsn_saves_free(FsnSaves *saves)
{
    if (!saves) {
        return;
    }
    fsn_source_clear(&saves->timer);
    fsn_child_abandon(saves->child);
    g_free(saves);
}
