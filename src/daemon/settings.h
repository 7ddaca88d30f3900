/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>

G_BEGIN_DECLS

/* The file foresnapd.conf. Pure but for fsn_daemon_config_load(). */
typedef struct {
    char *connection;       /* of libvirt; NULL: its own default */
    char *repository;       /* absolute; NULL: the usual one */
    bool sampling;          /* put what domains use into the history */
    unsigned sample_s;      /* so often */
    unsigned refresh_hours; /* fit each domain's forecasts anew so often; 0: never */
    bool schedules;         /* take the snapshots that profiles ask for */
    unsigned schedule_s;    /* look so often what is due */
    bool changemaps;        /* keep change maps where profiles ask for them */
    unsigned changemap_s;   /* ask so often which do */
    bool savefs;            /* libvirt's managed saves go into the repository */
    unsigned parallel;      /* jobs of the daemon at a time */
    guint64 bandwidth;      /* bytes per second of scheduled work; 0: no limit */
    unsigned keep_days;     /* ended jobs are forgotten after so many */
    bool recover;           /* finish interrupted operations at the start */
    char *hook_socket;      /* where foresnap-hook writes to; "" = nowhere */
    char *api_socket;       /* Unix socket of the API; "" = none */
    char *api_listen;       /* ADDRESS:PORT of the API by TCP; NULL or "" = none */
    char *api_certificate;  /* PEM, for TCP */
    char *api_key;          /* PEM, for TCP */
    char *api_tokens;       /* file of tokens; NULL: the usual one */
    char *api_group;        /* whose members may operate; "" = nobody's */
    char *api_read_group;   /* whose members may look; NULL or "" = nobody's */
} FsnDaemonConfig;

/* The defaults; the caller frees. */
FsnDaemonConfig *fsn_daemon_config_new(void);
void fsn_daemon_config_free(FsnDaemonConfig *config);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(FsnDaemonConfig, fsn_daemon_config_free)

/* @text as a configuration; @name names it in messages. What is not known, or makes no sense,
 * is FSN_ERROR_USAGE: "NAME:LINE: …", with the key that may have been meant. */
bool fsn_daemon_config_parse(const char *text,
                             size_t len,
                             const char *name,
                             FsnDaemonConfig **out_config,
                             GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Reads @path; NULL: foresnap/foresnapd.conf in configure's sysconfdir, which need not be
 * there. */
bool fsn_daemon_config_load(const char *path,
                            FsnDaemonConfig **out_config,
                            GError **error) G_GNUC_WARN_UNUSED_RESULT;

G_END_DECLS
