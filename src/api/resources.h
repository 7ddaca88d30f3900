/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <gio/gio.h>

/* Made by glib-compile-resources from web/web.gresource.xml. */
GResource *fsn_web_get_resource(void);
