#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# The order in which a suspend makes things durable: contents before names, data before the
# manifest, the manifest before the guard, the guard before the mark that QEMU has ended. Only
# a power cut would show it otherwise.
. "${top_srcdir:-.}"/tests/functional/resume.sh
requires "strace is not installed" command -v strace
resume_start
guest_start one 128 --fill 40

trace=$PRIVATE_LIBVIRT/trace
expect_exit 0 private_libvirt_exec env FORESNAP_LIBEXECDIR="$_foresnap_dir" FORESNAP_REPO="$REPO" \
    strace -f -y -o "$trace" -e trace=fsync,fdatasync,rename,link,unlink \
    "$_foresnap_dir/foresnap" -c qemu:///system suspend one
perl - "$trace" <<'END' || fail "the order is wrong"
use strict;
use warnings;
my @levels = (qr{/repo/(packs|indexes|roots|objects)/}, qr{/repo/manifests/},
    qr{/qemu/save/one\.save$|/state/guard/}, qr{/repo/marks/.*\.armed$});
my (%begun, %synced, @names, @seen);
my $now = 0;
while (<>) {
    # Of what another thread has interrupted, the end counts: it is on disk then.
    if (/^(\d+) +(.*) <unfinished/) { $begun{$1} = $2; next }
    s/^(\d+) +<\.\.\. \w+ resumed>/$1 $begun{$1}/;
    next unless / = 0$/;
    $now++;
    $synced{$1} = $now if /sync\(\d+<(.*)>/;
    next unless /(?:rename|link)\("(.*)", "(.*)"\)/;
    my ($from, $to) = ($1, $2);
    my ($level) = grep { $to =~ $levels[$_] } 0 .. $#levels;
    next unless defined $level;
    $synced{$from} or die "$to has a name before its contents are durable\n";
    for my $name (grep { $_->{level} < $level } @names) {
        ($synced{$name->{folder}} // 0) > $name->{at} or die "$to comes before $name->{to} is durable\n";
    }
    push @names, { to => $to, level => $level, at => $now, folder => $to =~ s{/[^/]*$}{}r };
    $seen[$level]++;
}
for (0 .. $#levels) { $seen[$_] or die "nothing like $levels[$_] was named\n" }
END
expect_domain one "shut off"
expect_exit 0 foresnap resume one --wait
guest_verify one
