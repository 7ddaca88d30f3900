/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <glib.h>
#include <stdbool.h>

G_BEGIN_DECLS

/* Each takes domain XML and writes a changed copy, which the caller frees; what is not
 * named stays as it was. FSN_ERROR_FORMAT if @xml is refused by the bounded parser or
 * lacks the element that is to be changed. */

/* New name and UUID; NULL keeps the one it has. */
bool fsn_domain_xml_rename(const char *xml,
                           const char *name,
                           const char *uuid,
                           char **out_xml,
                           GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Another <emulator>. */
bool fsn_domain_xml_set_emulator(const char *xml,
                                 const char *path,
                                 char **out_xml,
                                 GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* @cpu_xml, one <cpu> element, in place of the one that is there or added. */
bool fsn_domain_xml_set_cpu(const char *xml,
                            const char *cpu_xml,
                            char **out_xml,
                            GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Adds QEMU arguments @args (NULL-terminated) at the end of <qemu:commandline>, and takes
 * exactly this run of them out again wherever it stands; an element left empty goes too.
 * Dropping what is not there changes nothing. */
bool fsn_domain_xml_add_arguments(const char *xml,
                                  const char *const *args,
                                  char **out_xml,
                                  GError **error) G_GNUC_WARN_UNUSED_RESULT;
bool fsn_domain_xml_drop_arguments(const char *xml,
                                   const char *const *args,
                                   char **out_xml,
                                   GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* The text of @xml, whose root must be <@root>, parsed and written again: exactly one
 * element, safe to be put inside another document. */
bool fsn_xml_one_element(const char *xml,
                         const char *root,
                         char **out_xml,
                         GError **error) G_GNUC_WARN_UNUSED_RESULT;

G_END_DECLS
