# SPDX-License-Identifier: GPL-2.0-or-later
# The default: the guest goes on where it was.
# The keys are documented in foresnap-profile(5).
[profile]
description=disks and memory of one instant

[config]
base=detailed

[memory]
base=detailed

[disk]
base=detailed

[partition]
base=detailed

[network]
base=detailed

[log]
base=detailed

[metrics]
base=detailed

[database]
base=detailed
