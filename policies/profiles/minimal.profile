# SPDX-License-Identifier: GPL-2.0-or-later
# Seconds and kilobytes: what is needed to define the machine again.
# The keys are documented in foresnap-profile(5).
[profile]
description=configuration and dependencies only

[config]
base=minimal

[memory]
base=minimal

[disk]
base=minimal

[partition]
base=minimal

[network]
base=minimal

[log]
base=minimal

[metrics]
base=minimal

[database]
base=minimal
