/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#define FUSE_USE_VERSION 312
#include <fuse3/fuse_lowlevel.h>

/* What the kernel may ask; the session's user data is a FsnSavefs. */
extern const struct fuse_lowlevel_ops fsn_savefs_ops;
