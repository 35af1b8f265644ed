# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
#
# What the tests with hostile images have in common: each one gets a rootfs of its own with the attacker in it, and a
# directory of the host, $HOST, that nothing may reach.

ATTACK=$FLOE_BUILD/tests/security/attack

hostile_image()
{
	[ -x "$ATTACK" ] || skip "needs a static C library to build the attacker"
	own_rootfs
	IMAGE=$BUNDLE/rootfs
	cp "$ATTACK" "$IMAGE/attack"
	HOST=$T/host
	mkdir -p "$HOST/dev" "$HOST/sub"
	echo "secret of the host" >"$HOST/secret"
	echo "root:x:0:0::/secret-of-the-host:/bin/sh" >"$HOST/passwd"
	cp "$IMAGE/bin/busybox" "$HOST/busybox"
	host_inventory >"$T/.host"
}

host_inventory()
{
	(cd "$HOST" && find . -printf '%p %y %m %s %T@\n' | sort)
	grep -F " $HOST" /proc/self/mountinfo || :
}

host_is_unchanged()
{
	host_inventory | diff "$T/.host" - || fail "the host's files changed"
}

# A path that leads from any directory to $HOST, for whoever goes up by "..".
up_to_host()
{
	echo "../../../../../../../../../../../../../../../..$HOST"
}

# What an engine gives a container of root's.
usual_capabilities()
{
	configure '["CAP_CHOWN", "CAP_DAC_OVERRIDE", "CAP_FOWNER", "CAP_FSETID", "CAP_KILL", "CAP_NET_BIND_SERVICE", "CAP_SETFCAP",
		"CAP_SETGID", "CAP_SETPCAP", "CAP_SETUID", "CAP_SYS_CHROOT", "CAP_MKNOD"] as $c
		| .process.capabilities = { bounding: $c, effective: $c, permitted: $c } | .process.noNewPrivileges = false'
}
