/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "cli/context.h"

#include <stdint.h>

G_BEGIN_DECLS

/* Whether an ordinary process may use userfaultfd, as tried out here and now. */
typedef struct {
    char *user;       /* as whom it was tried: QEMU's user under libvirt, or oneself */
    int error;        /* errno of the system call, 0 if it was allowed */
    int sysctl;       /* vm.unprivileged_userfaultfd, -1 if the kernel does not have it */
    bool device;      /* /dev/userfaultfd exists … */
    bool device_open; /* … and that user may open it */
} FsnHostUffd;

/* What the QEMU of this host can do. */
typedef struct {
    char *binary; /* NULL if there is none */
    char *error;  /* why it could not be asked, NULL if it was; then the rest is void */
    char *version;
    int major;
    bool migrates_to_fd;
    bool postcopy;
    bool background_snapshot;
} FsnHostQemu;

/* What the libvirt of this run is and can do. */
typedef struct {
    char *error;       /* why it cannot be used, NULL if it can; then the rest is void */
    char *uri;         /* that it settled on */
    char *driver;      /* "QEMU" */
    char *version;     /* of the daemon */
    char *no_incoming; /* why it cannot be given a running guest; NULL if it can */
    char *no_continuation; /* why a broken load cannot be continued; NULL if it can */
} FsnHostLibvirt;

/* The hook that keeps libvirt from booting a suspended domain. */
typedef struct {
    char *path;     /* where libvirt looks for it */
    bool session;   /* the libvirt of this run is a user's own, which runs no hooks */
    bool installed; /* it is there and can be executed */
    bool old;       /* … but is of another version of foresnap */
} FsnHostHook;

/* The repository of this run. */
typedef struct {
    char *location;
    char *error;         /* why it cannot be used, NULL if it can */
    bool exists;         /* else it is made on first use */
    uint64_t free_bytes; /* in its file system */
} FsnHostRepo;

/* What check-host has found out about this host; the report is made from it alone. */
typedef struct {
    FsnHostLibvirt libvirt;
    FsnHostQemu qemu;
    FsnHostHook hook;
    FsnHostRepo repo;
    FsnHostUffd uffd;
    int kvm_error;             /* errno of opening /dev/kvm, 0 if it can be used */
    uint64_t memory_total;     /* bytes, 0 if unknown */
    uint64_t memory_available; /* bytes */
} FsnHostFacts;

/* Looks at the host; never fails: what cannot be found out is a fact of its own. */
FsnHostFacts *fsn_host_facts_collect(FsnCliContext *context);
void fsn_host_facts_free(FsnHostFacts *facts);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(FsnHostFacts, fsn_host_facts_free)

/* Total and available bytes out of the text of /proc/meminfo; zeros where it does not say. */
void fsn_host_parse_meminfo(const char *text,
                            uint64_t *out_total,
                            uint64_t *out_available);

G_END_DECLS
