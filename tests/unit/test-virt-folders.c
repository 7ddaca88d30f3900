/* SPDX-License-Identifier: GPL-2.0-or-later */
/* src/virt/folders.c: the folders of Debian's libvirt, of the system and of a session. */
#include "config.h"

#include "virt/folders.h"

static void
test_folders(void)
{
    static const struct {
        FsnVirtFolder which;
        const char *system;
        const char *session;
    } cases[] = {
        { FSN_VIRT_FOLDER_SAVE, "/var/lib/libvirt/qemu/save", "/c/libvirt/qemu/save" },
        { FSN_VIRT_FOLDER_PIDS, "/run/libvirt/qemu", "/r/libvirt/qemu/run" },
        { FSN_VIRT_FOLDER_LOGS, "/var/log/libvirt/qemu", "/h/libvirt/qemu/log" },
        { FSN_VIRT_FOLDER_QEMUS, "/var/lib/libvirt/qemu", "/r" },
    };

    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *system = fsn_virt_folder_of(false, cases[i].which);
        g_autofree char *session = fsn_virt_folder_of(true, cases[i].which);

        g_assert_cmpstr(system, ==, cases[i].system);
        g_assert_cmpstr(session, ==, cases[i].session);
    }
}

int
main(int argc, char **argv)
{
    /* GLib looks at them once. */
    g_setenv("XDG_CONFIG_HOME", "/c", TRUE);
    g_setenv("XDG_RUNTIME_DIR", "/r", TRUE);
    g_setenv("XDG_CACHE_HOME", "/h", TRUE);
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/virt-folders/all", test_folders);
    return g_test_run();
}
