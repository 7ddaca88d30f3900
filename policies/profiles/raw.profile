# SPDX-License-Identifier: GPL-2.0-or-later
# Independent of what QEMU has recorded of changes; costs the most.
# The keys are documented in foresnap-profile(5).
[profile]
description=everything, read in full

[config]
base=raw

[memory]
base=raw

[disk]
base=raw

[partition]
base=raw

[network]
base=raw

[log]
base=raw

[metrics]
base=raw

[database]
base=raw
