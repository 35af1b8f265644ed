# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
#
# Programs of a newer Debian suite in a private prefix, beside what the machine has; sourced after
# lib.sh, never run. Their packages and the whole dependency closure, verified by apt, become:
#
#	bin/		plain ELF executables; their interpreter and run path point into the prefix,
#			so they start without a wrapper and may execute themselves (/proc/self/exe), and
#			what else they execute (tar, ip, nft) gets no LD_LIBRARY_PATH and stays the
#			system's
#	lib/		the C library, the loader and what else they are linked with
#	packages	name, version and architecture of what is in there
#	suite		the Debian suite that it is from
#	doc/		the copyright files
#
# Nothing of the system's own libraries, dpkg data and apt configuration is changed by that. The
# prefix is absolute in the executables and cannot be moved.
#
# The script that sources this sets $prefix, and may name packages in $unneeded that are left out.

# shellcheck disable=SC2154 # $prefix: see above
unneeded=
# shellcheck disable=SC2034
newer_suites='forky trixie' # the newest first
work=
failures=

prefix_cleanup()
{
	if [ -n "$work" ]; then
		rm -rf "$work"
	fi
}

# prefix_lock: two at the same time: the second one waits and then finds the work done.
prefix_lock()
{
	mkdir -p "$(dirname "$prefix")"
	exec 9<"$(dirname "$prefix")"
	flock 9
}

# prefix_begin MIB: what an installation needs; its files are in $work, beside the prefix.
prefix_begin()
{
	local template

	require_debian
	[ -r "$debian_keyring" ] ||
		die "read '$debian_keyring': not there; install debian-archive-keyring"
	require_space "$(dirname "$prefix")" "$1"
	template=$(dirname "$prefix")/.$(basename "$0")
	# Left by one that was killed: the lock says that none is running.
	rm -rf "$template".??????
	work=$(mktemp -d "$template.XXXXXX")
	chmod 755 "$work"
	trap prefix_cleanup EXIT
	trap 'exit 130' INT TERM
}

# Why one attempt failed; all of them are told when none succeeds.
prefix_failed()
{
	failures=${failures:+$failures; }$1
}

# prefix_download APT MIRROR SUITE PACKAGE...: fetch SUITE's packages and all that they depend on;
# 1 if the suite lacks one or is not there.
prefix_download()
{
	local apt=$1 mirror=$2 suite=$3
	shift 3

	private_apt_init "$apt" "$mirror" "$suite"
	# shellcheck disable=SC2086 # a list
	private_apt_assume "$apt" $unneeded
	# Without the option apt-get answers 0 also when a list could not be fetched.
	if ! private_apt "$apt" apt-get update --error-on=any; then
		prefix_failed "read Debian suite '$suite': $(apt_reason "$apt/log")"
		return 1
	fi
	if ! private_apt "$apt" apt-get install --download-only "$@"; then
		prefix_failed "download $* of Debian suite '$suite': $(apt_reason "$apt/log")"
		return 1
	fi
}

# prefix_build APT TREE PROGRAM...: arrange the packages in APT/archives as TREE, which runs by
# prefix_run from anywhere and by itself once it is published. PROGRAM is a path in the packages.
# All that was unpacked stays as TREE.root.
prefix_build()
{
	local apt=$1 tree=$2 root=$2.root libdir loader deb program patchelf
	shift 2

	unpack_archives "$apt" "$root" || die "unpack the packages: failed"
	libdir=$(echo "$root"/usr/lib/*/libc.so.6)
	[ -e "$libdir" ] || die "unpack the packages: they hold no C library"
	libdir=$(dirname "$libdir")

	mkdir -p "$tree/bin" "$tree/lib" "$tree/doc"
	for program; do
		cp -p "$root/$program" "$tree/bin" ||
			die "find '$program': not in the packages of Debian"
	done
	find "$libdir" -maxdepth 1 -name '*.so*' -exec cp -pP -t "$tree/lib" {} +
	for deb in "$apt"/archives/*.deb; do
		# shellcheck disable=SC2016 # dpkg-deb expands these
		dpkg-deb -W --showformat '${Package} ${Version} ${Architecture}\n' "$deb"
	done >"$tree/packages"
	while read -r deb _; do
		if [ -e "$root/usr/share/doc/$deb/copyright" ]; then
			cp -L "$root/usr/share/doc/$deb/copyright" "$tree/doc/$deb"
		fi
	done <"$tree/packages"

	# patchelf comes from the same suite and is needed once, here.
	private_apt "$apt" apt-get install --download-only patchelf ||
		die "download patchelf from Debian: $(apt_reason "$apt/log")"
	unpack_archives "$apt" "$root" || die "unpack patchelf: failed"
	loader=$(echo "$libdir"/ld-linux*.so.?)
	patchelf=("$loader" --library-path "$libdir" "$root/usr/bin/patchelf")
	# One after the other: asked for both at once, patchelf 0.18 lets segments of executables that
	# are not position independent overlap, which then crash.
	for program; do
		program=$tree/bin/${program##*/}
		"${patchelf[@]}" --force-rpath --set-rpath "$prefix/lib" "$program"
		"${patchelf[@]}" --set-interpreter "$prefix/lib/${loader##*/}" "$program"
	done
	printf '%s\n' "${loader##*/}" >"$tree.loader"
}

# prefix_run TREE PROGRAM [ARGUMENT]...: a program of a tree that is not published yet.
prefix_run()
{
	local tree=$1 program=$2
	shift 2
	"$tree/lib/$(cat "$tree.loader")" --library-path "$tree/lib" "$tree/bin/$program" "$@"
}

# prefix_publish TREE SUITE: rename TREE to the prefix. An older prefix is out of the way for an
# instant only; what still runs from it goes on.
prefix_publish()
{
	local tree=$1

	printf '%s\n' "$2" >"$tree/suite"
	if [ -e "$prefix" ]; then
		mv -T "$prefix" "$work/old"
	fi
	mv -T "$tree" "$prefix"
}
