# SPDX-License-Identifier: GPL-2.0-or-later
# What a server needs to boot again, and nothing that it makes anew.
# The keys are documented in foresnap-profile(5).
[profile]
description=configuration and disks, without swap and memory

[config]
base=standard

[memory]
base=standard

[disk]
base=standard

[partition]
base=standard

[network]
base=standard

[log]
base=standard

[metrics]
base=standard

[database]
base=standard
