# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
#
# Shared by the scripts of this directory; sourced, never run.
#
# What is downloaded here goes through a private apt: its own configuration, package lists, dpkg
# status and archive directory, so that the machine's own apt and dpkg data are only read. From
# the machine's configuration it takes what it needs to reach a mirror (proxies, retries,
# credentials, the mirror itself) and nothing that runs commands.

# shellcheck disable=SC2034 # for the scripts that source this
debian_keyring=/usr/share/keyrings/debian-archive-keyring.gpg

say()
{
	printf '%s: %s\n' "${0##*/}" "$*" >&2
}

die()
{
	say "$@"
	exit 1
}

is_root()
{
	[ "$(id -u)" -eq 0 ]
}

# as_root COMMAND...: run it as root. sudo cleans the environment but for what is named here.
as_root()
{
	if is_root; then
		"$@"
	elif command -v sudo >/dev/null; then
		sudo env ${FLOE_CRIU_PREFIX:+"FLOE_CRIU_PREFIX=$FLOE_CRIU_PREFIX"} \
			${FLOE_PEERS_PREFIX:+"FLOE_PEERS_PREFIX=$FLOE_PEERS_PREFIX"} "$@"
	else
		die "root is needed and there is no sudo; run '$0' as root"
	fi
}

# Fail early, and in words, on a machine whose packages these scripts cannot handle.
require_debian()
{
	if ! command -v apt-get >/dev/null || ! command -v dpkg-query >/dev/null; then
		die "this is not a Debian system (no apt-get);" \
			"install what '${0%/*}/install-deps --list' names in another way"
	fi
}

# require_space DIR MIB: fail early where a full disk would make apt and tar fail in odd ways.
require_space()
{
	local free
	free=$(($(df --output=avail -k "$1" | tail -n 1) / 1024))
	[ "$free" -ge "$2" ] || die "'$1' has $free MiB free; $2 MiB are needed"
}

# apt_install PACKAGE...: onto the machine itself, quietly unless it fails.
apt_install()
{
	local log

	if ! is_root && ! command -v sudo >/dev/null; then
		die "install '$*': root is needed and there is no sudo;" \
			"run as root: apt-get install $*"
	fi
	say "installing $*"
	log=$(mktemp "${TMPDIR:-/tmp}/floe-apt.XXXXXX")
	# A source that cannot be read and that none of these is from is no reason to stop.
	apt_system update >"$log" 2>&1 || :
	if ! apt_system install --no-install-recommends "$@" >>"$log" 2>&1; then
		die "install '$*': $(apt_reason "$log"); is there a network and a mirror?" \
			"(all that apt said is in $log)"
	fi
	rm -f "$log"
}

apt_system()
{
	as_root env DEBIAN_FRONTEND=noninteractive \
		apt-get -q -y -o DPkg::Lock::Timeout=300 -o Dpkg::Use-Pty=0 "$@" </dev/null
}

debian_codename()
{
	# shellcheck source=/dev/null
	(. /etc/os-release && printf '%s\n' "${VERSION_CODENAME:-}")
}

# The machine's Debian mirrors, likeliest first: those its apt configuration uses for its own
# release. Asking apt covers one-line and deb822 sources alike. Security and update suites have
# other directory layouts and are left out.
debian_mirrors()
{
	local codename
	codename=$(debian_codename)
	# shellcheck disable=SC2016 # apt expands these
	apt-get indextargets --format '$(REPO_URI) $(RELEASE) $(COMPONENT)' \
		'Created-By: Packages' 2>/dev/null |
		awk -v own="$codename" '
			$3 != "main" || seen[$1] { next }
			$2 != own && $2 !~ /^(oldstable|stable|testing|unstable|sid)$/ { next }
			{ seen[$1] = 1; print ($1 ~ /\/debian\/?$/ ? 0 : 1), NR, $1 }' |
		sort -k1,1n -k2,2n | cut -d' ' -f3-
}

# private_apt_init DIR [MIRROR SUITE]: make DIR a private apt root, for one suite of one mirror,
# or for the machine's own sources and the lists it already has. Its dpkg status is empty, so that
# a closure is always the whole closure.
private_apt_init()
{
	local dir=$1 mirror=${2:-} suite=${3:-} arch

	arch=$(dpkg --print-architecture)
	mkdir -p "$dir/lists/partial" "$dir/cache" "$dir/archives/partial" \
		"$dir/preferences.d" "$dir/sources.list.d"
	chmod 755 "$dir" # apt's download user must get in
	: >"$dir/status"
	{
		apt-config dump --no-empty --format '%F "%v";%n' |
			grep -E '^(Acquire|APT::Sandbox)::' |
			grep -vE '^Acquire::(Languages|IndexTargets|Changelogs|Gzip|Compress)'
		cat <<-CONF
			Dir::Etc::main "/dev/null";
			Dir::Etc::parts "/dev/null";
			Dir::Etc::preferences "/dev/null";
			Dir::Etc::preferencesparts "$dir/preferences.d";
			Dir::Etc::netrc "/etc/apt/auth.conf";
			Dir::Etc::netrcparts "/etc/apt/auth.conf.d";
			Dir::State "$dir";
			Dir::State::status "$dir/status";
			Dir::Cache "$dir/cache";
			Dir::Cache::archives "$dir/archives";
			Dir::Log "$dir";
			APT::Architecture "$arch";
			APT::Architectures { "$arch"; };
			APT::Install-Recommends "false";
			APT::Get::Assume-Yes "true";
			Acquire::Languages "none";
		CONF
		if [ -n "$mirror" ]; then
			cat <<-CONF
				Dir::Etc::sourcelist "$dir/sources.list";
				Dir::Etc::sourceparts "$dir/sources.list.d";
				Dir::State::lists "$dir/lists";
			CONF
			printf 'deb [arch=%s signed-by=%s] %s %s main\n' \
				"$arch" "$debian_keyring" "$mirror" "$suite" >"$dir/sources.list"
		else
			printf 'Dir::State::lists "/var/lib/apt/lists";\n'
		fi
	} >"$dir/apt.conf"
	chmod 600 "$dir/apt.conf" # proxies may have passwords
}

# private_apt DIR COMMAND...: an apt command in that root; what it said is in DIR/log.
private_apt()
{
	local dir=$1
	shift
	APT_CONFIG=$dir/apt.conf "$@" >"$dir/log" 2>&1
}

# apt_reason LOG: what apt-get complained about, in one line: what could not be fetched or
# verified if there is that, else its last error.
apt_reason()
{
	awk '/^[EW]: (Failed to fetch|GPG error|OpenPGP)/ || /^E: Unable to locate/ {
			if (!fetch) { fetch = $0; gsub(/  +/, ": ", fetch) } }
		/^E: / { error = $0 }
		{ last = $0 }
		END { reason = fetch ? fetch : error ? error : last
			sub(/^[EW]: /, "", reason); sub(/\.$/, "", reason); print reason }' "$1"
}

# private_apt_assume DIR PACKAGE...: have the closure leave these out, as if they were installed.
private_apt_assume()
{
	local dir=$1 arch package
	shift
	arch=$(dpkg --print-architecture)
	for package; do
		cat <<-STANZA
			Package: $package
			Status: install ok installed
			Architecture: $arch
			Multi-Arch: allowed
			Version: 999:0
			Maintainer: none
			Description: left out

		STANZA
	done >>"$dir/status"
}

# unpack_archives DIR ROOT: unpack every package that lies in DIR/archives, without documentation
# (but licences) and translations; no maintainer script runs. The links of the merged /usr are
# made first, so that packages from before and after the merge meet in one directory.
unpack_archives()
{
	local dir=$1 root=$2 deb link

	mkdir -p "$root/usr"
	for link in bin sbin lib lib64; do
		mkdir -p "$root/usr/$link"
		[ -e "$root/$link" ] || ln -s "usr/$link" "$root/$link"
	done
	for deb in "$dir"/archives/*.deb; do
		dpkg-deb --fsys-tarfile "$deb" |
			tar -x -C "$root" --numeric-owner --keep-directory-symlink \
				--exclude=./usr/share/man --exclude=./usr/share/info \
				--exclude=./usr/share/locale --exclude=./usr/share/lintian \
				-f - || return 1
	done
	find "$root/usr/share/doc" -type f ! -name copyright -delete || return 1
}
