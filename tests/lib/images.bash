# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
#
# For the tests of images: a registry on loopback, and images made by hand.
#
#	$REGISTRY	host:port of the registry
#	fl ...		floe with a root of the test's own

load ../lib/helpers
load ../lib/registry

FLOE=${FLOE:-$FLOE_BUILD/src/cli/floe/floe}

setup_file()
{
	images_setup_file
}

images_setup_file()
{
	local program
	for program in docker-registry skopeo; do
		command -v $program >/dev/null || skip "no $program (tools/install-deps)"
	done
	cp -a "$("$SOURCE/tools/make-rootfs" busybox)" "$BATS_FILE_TMPDIR/rootfs"
	registry_start
}

teardown_file()
{
	registry_stop
	# Of podman 5, with which some compare.
	rm -f /run/lock/netavark.lock
}

setup()
{
	container_setup
	registry_configure "$T/etc"
}

teardown()
{
	local mount
	while IFS= read -r mount; do
		umount -l "$mount"
	done < <(awk -v t="$T/" 'index($5, t) == 1 { print $5 }' /proc/self/mountinfo)
	clean_up
}

fl()
{
	"$FLOE" --root "$T/root" --runroot "$T/run" "$@" 3>&-
}

# skopeo reads no environment variable for this.
sk()
{
	skopeo --registries-conf="$CONTAINERS_REGISTRIES_CONF" "$@"
}

# refuses STATUS TEXT COMMAND...: it fails with this status and an error that has the text.
refuses()
{
	local want=$1 text=$2
	shift 2
	run "$@"
	if [ "$status" -ne "$want" ] || [[ $output != *"$text"* ]]; then
		echo "status $status: $output"
		return 1
	fi
}

# layer NAME: the directory NAME as NAME.tar, and its digest printed.
layer()
{
	tar -C "$1" --numeric-owner --sort=name -cf "$1.tar" .
	echo "sha256:$(sha256sum "$1.tar" | cut -d ' ' -f 1)"
}

# put_blob FILE LAYOUT: into an OCI layout; prints a descriptor without type.
put_blob()
{
	local hex
	hex=$(sha256sum "$1" | cut -d ' ' -f 1)
	mkdir -p "$2/blobs/sha256"
	cp "$1" "$2/blobs/sha256/$hex"
	printf '{"digest":"sha256:%s","size":%d}' "$hex" "$(stat -c %s "$1")"
}

# make_layout LAYOUT NAME DIR...: an OCI layout with one image of these layers (gzip).
make_layout()
{
	local layout=$1 name=$2 dir diff_ids='[]' layers='[]' history='[]' id descriptor
	shift 2
	mkdir -p "$layout"
	echo '{"imageLayoutVersion":"1.0.0"}' >"$layout/oci-layout"
	for dir; do
		id=$(layer "$dir")
		diff_ids=$(jq -c ". + [\"$id\"]" <<<"$diff_ids")
		history=$(jq -c ". + [{created: \"2026-01-02T03:04:05Z\", created_by: \"layer $(basename "$dir")\"}]" <<<"$history")
		gzip -1 -n -k -f "$dir.tar"
		descriptor=$(put_blob "$dir.tar.gz" "$layout")
		layers=$(jq -c ". + [$descriptor + {mediaType: \"application/vnd.oci.image.layer.v1.tar+gzip\"}]" <<<"$layers")
	done
	jq -nc "{created: \"2026-01-02T03:04:05Z\", architecture: \"amd64\", os: \"linux\",
		config: {Cmd: [\"/bin/sh\"], Env: [\"PATH=/bin\"], Labels: {made: \"by hand\"}},
		rootfs: {type: \"layers\", diff_ids: $diff_ids}, history: $history}" >"$T/config.tmp"
	descriptor=$(put_blob "$T/config.tmp" "$layout")
	jq -nc "{schemaVersion: 2, mediaType: \"application/vnd.oci.image.manifest.v1+json\",
		config: ($descriptor + {mediaType: \"application/vnd.oci.image.config.v1+json\"}), layers: $layers}" >"$T/manifest.tmp"
	descriptor=$(put_blob "$T/manifest.tmp" "$layout")
	jq -nc "{schemaVersion: 2, manifests: [$descriptor + {mediaType: \"application/vnd.oci.image.manifest.v1+json\",
		annotations: {\"org.opencontainers.image.ref.name\": \"$name\"}}]}" >"$layout/index.json"
}

# A small image of two layers: base and change.
make_dirs()
{
	mkdir -p "$T/base/etc" "$T/base/old" "$T/change/etc" "$T/change/old"
	echo one >"$T/base/etc/conf"
	echo gone >"$T/base/gone"
	echo a >"$T/base/old/a"
	echo two >"$T/change/etc/more"
	echo b >"$T/change/old/b"
	: >"$T/change/.wh.gone"
	: >"$T/change/old/.wh..wh..opq"
}

load_image()
{
	make_dirs
	make_layout "$T/layout" "${1:-localhost/web:1}" "$T/base" "$T/change"
	fl load -q -i "$T/layout" >/dev/null
}
