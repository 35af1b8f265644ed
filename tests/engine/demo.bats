#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# What `make demo` runs: that it works, that it looks at what it says, and that nothing of it is left.

load ../lib/engine_cr

setup_file()
{
	if [[ $ENGINE_RUNTIME == *crun ]]; then
		export CANNOT_FREEZE="the demo is floe-runtime's"
	elif ! [ -x /usr/lib/podman/netavark ] && ! [ -x /usr/libexec/podman/netavark ]; then
		export CANNOT_FREEZE="no netavark (tools/install-deps)"
	fi
	engine_cr_setup_file
	replace_systemd_run
	ip link set lo up
	# As ip-netns(8) would leave it; floe makes it where it is missing.
	mkdir -p /run/netns
	mount --bind /run/netns /run/netns
	mount --make-shared /run/netns
}

teardown_file()
{
	! [ -d /sys/fs/cgroup/unified ] || umount /sys/fs/cgroup/unified 2>/dev/null || :
	nft flush ruleset
	umount /run/netns && rmdir /run/netns
	rm -rf /run/containers /run/xtables.lock /run/floe-runtime /run/crun
}

@test "the demo moves a server and says how long it took" {
	export TMPDIR=$T FLOE_DEMO_KEYS=3000 FLOE_DEMO_PORT=17379
	run "$SOURCE/tools/demo" 3>&- 4>&-
	[ "$status" -eq 0 ]
	contains "$output" 3000 "every key is there" "the volume and the files are there" "time to export" frozen "time to restore"
	[[ $output != *$'\e'* ]]
	[ -z "$(find "$T" -maxdepth 1 -name 'floe-demo*')" ]
	is "" "$(ls /run/netns)"
}
