/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * foresnap-savefs: serves libvirt's managed saves from the repository. Started by 'foresnap
 * savefs start' or a service manager, and lives on when they end.
 *
 *   foresnap-savefs URI REPOSITORY STATE-DIR SAVE-FOLDER [READY-FD]
 *   foresnap-savefs --settle UUID URI REPOSITORY STATE-DIR SAVE-FOLDER   (lock: fd 3)
 */
#include "config.h"

#include "cycle/saved-place.h"
#include "savefs/savefs.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define N_SERVE  5
#define N_SETTLE 7

static void
fill_config(FsnSavefsConfig *config, char **args)
{
    config->uri = args[0][0] ? args[0] : NULL;
    config->repo = args[1];
    config->state_dir = args[2];
    config->save_folder = args[3];
    config->run_dir = fsn_saved_run_dir();
    config->saved_dir = fsn_saved_dir(config->state_dir);
}

int
main(int argc, char **argv)
{
    FsnSavefsConfig config = { 0 };
    int status;

    signal(SIGPIPE, SIG_IGN);
    umask(077);
    if (argc == N_SETTLE && strcmp(argv[1], "--settle") == 0) {
        fill_config(&config, argv + 3);
        status = fsn_savefs_settle(&config, argv[2]);
    } else if (argc == N_SERVE || argc == N_SERVE + 1) {
        fill_config(&config, argv + 1);
        status = fsn_savefs_supervise(&config, argc > N_SERVE ? atoi(argv[N_SERVE]) : -1);
    } else {
        g_printerr("foresnap-savefs: started by 'foresnap savefs start', not by hand\n");
        return 2;
    }
    g_free(config.run_dir);
    g_free(config.saved_dir);
    return status;
}
