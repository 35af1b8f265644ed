#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
#
# Images: between registry, archives and store, and what the commands print about them.

load ../lib/images

# --- registry -------------------------------------------------------------------------------------------------------------

@test "push and pull keep id and digest" {
	load_image
	id=$(fl images -q --no-trunc)
	fl push -q --digestfile "$T/digest" web:1 "$REGISTRY/team/web:1"
	# As /dev/stdout, which is a link, too.
	ln -s /proc/self/fd/1 "$T/stdout"
	fl push -q --digestfile "$T/stdout" web:1 "$REGISTRY/team/web:1" >"$T/printed"
	[ -L "$T/stdout" ]
	cmp "$T/digest" "$T/printed"
	fl rmi -a >/dev/null
	[ "$(fl pull -q team/web:1)" = "${id#sha256:}" ]
	[ "$(fl images --format '{{.Digest}}')" = "$(<"$T/digest")" ]
	[ "$(fl images --format '{{.Repository}}:{{.Tag}}')" = "$REGISTRY/team/web:1" ]
	fl image inspect --format '{{json .RepoDigests}}' team/web:1 | grep -q "\"$REGISTRY/team/web@$(<"$T/digest")\""
	[ "$(fl pull -q "$REGISTRY/team/web@$(<"$T/digest")")" = "${id#sha256:}" ]
}

@test "pull keeps the manifests of docker as they are" {
	load_image
	fl push -q --format v2s2 --digestfile "$T/digest" web:1 "$REGISTRY/docker/web:1"
	sk inspect --raw "docker://$REGISTRY/docker/web:1" | grep -q vnd.docker.distribution.manifest.v2
	id=$(sk inspect --raw "docker://$REGISTRY/docker/web:1" | jq -r .config.digest)
	fl rmi -a >/dev/null
	fl pull -q docker/web:1
	[ "$(fl images -q --no-trunc)" = "$id" ]
	[ "$(fl images --format '{{.Digest}}')" = "$(<"$T/digest")" ]
	[ "$(fl image inspect --format '{{.ManifestType}}' web:1)" = application/vnd.docker.distribution.manifest.v2+json ]
}

answers()
{
	(exec 9<>"/dev/tcp/${1/:/\/}") 2>/dev/null
}

@test "a registry with TLS and passwords: --cert-dir, --creds, --authfile, login, logout" {
	local there=127.0.0.1:5001 wrong="unauthorized: authentication required"
	mkdir "$T/certs"
	openssl req -x509 -newkey rsa:2048 -nodes -keyout "$T/key.pem" -out "$T/certs/ca.crt" -days 2 -subj /CN=127.0.0.1 \
		-addext subjectAltName=IP:127.0.0.1 2>/dev/null
	# The password is "it".
	# shellcheck disable=SC2016 # no variables
	echo 'me:$2b$05$abcdefghijklmnopqrstuuXX5TzdubCr0FQd/936DTGl5C3KZ8irq' >"$T/htpasswd"
	cat >"$T/registry.yml" <<-CONFIG
		version: 0.1
		storage: {filesystem: {rootdirectory: $T/registry}}
		auth: {htpasswd: {realm: test, path: $T/htpasswd}}
		http: {addr: $there, tls: {certificate: $T/certs/ca.crt, key: $T/key.pem}}
	CONFIG
	# Its own settings begin with REGISTRY, too.
	env -u REGISTRY_AUTH_FILE docker-registry serve "$T/registry.yml" >"$T/registry.log" 2>&1 3>&- &
	local registry=$!
	eventually answers $there || {
		cat "$T/registry.log"
		return 1
	}
	load_image
	local tls=(--cert-dir "$T/certs")
	refuses 125 "certificate signed by unknown authority" fl push -q web:1 $there/web:1
	refuses 125 "$wrong" fl push -q "${tls[@]}" web:1 $there/web:1
	refuses 125 "$wrong" fl push -q "${tls[@]}" --creds me:no web:1 $there/web:1
	refuses 125 "give USER:PASSWORD" fl push -q "${tls[@]}" --creds me web:1 $there/web:1
	fl push -q "${tls[@]}" --creds me:it web:1 $there/web:1
	refuses 125 "$wrong" fl pull -q "${tls[@]}" $there/web:1
	fl pull -q "${tls[@]}" --creds me:it $there/web:1
	fl pull -q --tls-verify=false --creds me:it $there/web:1
	refuses 125 "invalid username/password" fl login "${tls[@]}" -u me -p no $there
	echo '{}' >"$REGISTRY_AUTH_FILE"
	refuses 125 "not logged into $there" fl logout $there
	[ "$(echo it | fl login "${tls[@]}" -u me --password-stdin $there)" = "Login Succeeded!" ]
	[ "$(fl login --get-login $there)" = me ]
	fl push -q "${tls[@]}" web:1 $there/web:2
	fl pull -q "${tls[@]}" $there/web:2
	cp "$REGISTRY_AUTH_FILE" "$T/kept.json"
	[ "$(fl logout $there)" = "Removed login credentials for $there" ]
	refuses 125 "$wrong" fl pull -q "${tls[@]}" $there/web:2
	fl pull -q "${tls[@]}" --authfile "$T/kept.json" $there/web:2
	fl push -q "${tls[@]}" --authfile "$T/kept.json" web:1 $there/web:3
	[ "$(fl logout --authfile "$T/kept.json" --all)" = "Removed login credentials for all registries" ]
	refuses 125 "not logged into $there" fl login --authfile "$T/kept.json" --get-login $there
	kill $registry
	wait $registry || :
}

# What the registry has of team/packed:1.
packed()
{
	sk inspect --raw "docker://$REGISTRY/team/packed:1" | jq -r '[.mediaType] + [.layers[].mediaType] | map(split(".")[-1]) | join(" ")'
}

@test "push compresses layers as it was told, also those that are compressed" {
	local to
	load_image
	to=$REGISTRY/team/packed:1
	fl push -q web:1 "$to"
	[ "$(packed)" = "v1+json tar+gzip tar+gzip" ]
	fl push -q --compression-format zstd --compression-level 3 --digestfile "$T/digest" web:1 "$to"
	[ "$(packed)" = "v1+json tar+zstd tar+zstd" ]
	[ "$(<"$T/digest")" = "sha256:$(sk inspect --raw "docker://$to" | sha256sum | cut -d ' ' -f 1)" ]
	fl push -q --compression-format zstd:chunked web:1 "$to"
	sk inspect --raw "docker://$to" | grep -q zstd-chunked
	fl push -q --compression-format gzip --compression-level 9 --format v2s2 web:1 "$to"
	[ "$(packed)" = "v2+json gzip gzip" ]
	# What is as it shall be goes as it is.
	fl push -q --compression-format gzip web:1 "$to"
	[ "$(sk inspect --raw "docker://$to" | sha256sum)" = "$(fl image inspect --format '{{.Digest}}' web:1 | cut -d : -f 2)  -" ]
	fl push -q --compression-format zstd --force-compression=false web:1 "$to"
	[ "$(packed)" = "v1+json tar+gzip tar+gzip" ]
	fl push -q --compression-format zstd web:1 "oci:$T/zstd:1"
	[ "$(jq -r '.manifests[0].digest[7:]' "$T/zstd/index.json" | xargs -I {} jq -r '.layers[].mediaType' "$T/zstd/blobs/sha256/{}" |
		grep -c '+zstd$')" -eq 2 ]
	# The same image, for who pulls it.
	id=$(fl images -q --no-trunc)
	fl push -q --compression-format zstd web:1 "$to"
	fl rmi -a >/dev/null
	[ "$(fl pull -q team/packed:1)" = "${id#sha256:}" ]
	refuses 125 "compression format 'lz' is not one of gzip, zstd, zstd:chunked" fl push -q --compression-format lz packed:1 "$to"
	refuses 125 "compression level 'x' is not a number" fl push -q --compression-level x packed:1 "$to"
	refuses 125 "'zstd' is only in OCI's manifests" fl push -q --compression-format zstd --format v2s2 packed:1 "$to"
	refuses 125 "with --format v2s1 layers stay as they are" fl push -q --compression-level 3 --format v2s1 packed:1 "$to"
	[ -z "$(ls -A "$T/root/staging")" ]
}

@test "pull chooses the image for this machine out of a list" {
	load_image
	fl push -q --digestfile "$T/digest" web:1 "$REGISTRY/multi/one:1"
	size=$(sk inspect --raw "docker://$REGISTRY/multi/one:1" | wc -c)
	other=sha256:$(printf '%064d' 7)
	jq -nc "{schemaVersion: 2, mediaType: \"application/vnd.oci.image.index.v1+json\", manifests: [
		{mediaType: \"application/vnd.oci.image.manifest.v1+json\", digest: \"$(<"$T/digest")\", size: $size,
		 platform: {architecture: \"amd64\", os: \"linux\"}}]}" >"$T/list"
	python3 - "$REGISTRY" "$T/list" <<-'PUT'
		import sys, urllib.request
		data = open(sys.argv[2], 'rb').read()
		urllib.request.urlopen(urllib.request.Request('http://%s/v2/multi/one/manifests/list' % sys.argv[1], data=data,
			method='PUT', headers={'Content-Type': 'application/vnd.oci.image.index.v1+json'}))
	PUT
	fl rmi -a >/dev/null
	fl pull -q multi/one:list
	[ "$(fl images --format '{{.Digest}}')" = "$(<"$T/digest")" ]
	# The list's digest is one of the image's too.
	fl image inspect --format '{{json .RepoDigests}}' multi/one:list | grep -q "$(sha256sum "$T/list" | cut -c 1-64)"
	refuses 125 "there is none for linux/s390x" fl pull -q --arch s390x multi/one:list
}

@test "pull --policy says whether the registry is asked" {
	load_image
	fl push -q web:1 "$REGISTRY/policy/web:1"
	refuses 125 "image not known" fl pull -q --policy never policy/web:1
	fl pull -q --policy missing policy/web:1
	before=$(asked_for /v2/policy/web/)
	fl pull -q --policy missing policy/web:1
	[ "$(asked_for /v2/policy/web/)" -eq "$before" ]
	fl pull -q --policy never policy/web:1
	fl pull -q --policy newer policy/web:1
	[ "$(asked_for /v2/policy/web/)" -gt "$before" ]
	refuses 125 "unsupported pull policy 'often'" fl pull --policy often policy/web:1
}

@test "pull does not fetch what is there" {
	load_image
	fl push -q web:1 "$REGISTRY/again/web:1"
	fl rmi -a >/dev/null
	fl pull -q again/web:1
	before=$(asked_for /v2/again/web/blobs/)
	fl pull -q again/web:1
	[ "$(asked_for /v2/again/web/blobs/)" -eq "$before" ]
}

@test "pull --all-tags takes all tags" {
	load_image
	fl push -q web:1 "$REGISTRY/tags/web:1"
	fl push -q web:1 "$REGISTRY/tags/web:2"
	fl rmi -a >/dev/null
	fl pull -q -a tags/web
	[ "$(fl images --format '{{.Tag}}' | sort | tr '\n' ' ')" = "1 2 " ]
}

@test "pulls of the same image at once all succeed, and fetch it once" {
	load_image
	fl push -q web:1 "$REGISTRY/many/web:1"
	fl rmi -a >/dev/null
	before=$(asked_for /v2/many/web/blobs/)
	for i in 1 2 3 4; do
		fl pull -q many/web:1 >"$T/out.$i" 2>&1 &
		pids[i]=$!
	done
	for i in 1 2 3 4; do
		wait "${pids[i]}" || { cat "$T/out.$i"; return 1; }
	done
	[ "$(cat "$T"/out.? | sort -u | wc -l)" -eq 1 ]
	# Two layers and the configuration.
	[ $(($(asked_for /v2/many/web/blobs/) - before)) -eq 3 ]
	[ "$(ls "$T/root/staging")" = "" ]
}

@test "a pull that was killed leaves no image, and the next one resumes" {
	mkdir -p "$T/small" "$T/large"
	echo small >"$T/small/file"
	head -c 120000000 /dev/urandom >"$T/large/file"
	make_layout "$T/layout" localhost/big:1 "$T/small" "$T/large"
	small=$(jq -r '.layers[0].digest' "$T/manifest.tmp")
	fl load -q -i "$T/layout" >/dev/null
	fl push -q big:1 "$REGISTRY/killed/big:1"
	fl rmi -a >/dev/null
	[ "$(ls "$T/root/blobs/sha256")" = "" ]
	"$FLOE" --root "$T/root" --runroot "$T/run" pull killed/big:1 >"$T/out" 2>&1 3>&- &
	pid=$!
	until process_is_gone $pid || {
		[ -e "$T/root/blobs/sha256/${small#sha256:}" ] && compgen -G "$T/root/staging/*/image/oci-put-blob*" >/dev/null
	}; do
		sleep 0.01
	done
	kill -KILL $pid
	wait $pid || :
	[ "$(fl images -q)" = "" ]
	# skopeo dies with it.
	eventually gone_from_processes "$T/root/staging"
	fl pull -q killed/big:1
	[ "$(asked_for "/v2/killed/big/blobs/$small")" -eq 1 ]
	fl rmi -a >/dev/null
	[ -z "$(find "$T/root/blobs/sha256" "$T/root/staging" "$T/root/layers" -mindepth 1 -not -name l)" ]
}

gone_from_processes()
{
	! grep -lsaF "$1" /proc/[0-9]*/cmdline >/dev/null
}

@test "layers that the registry damaged are refused" {
	load_image
	fl push -q web:1 "$REGISTRY/damaged/web:1"
	fl rmi -a >/dev/null
	digest=$(sk inspect --raw "docker://$REGISTRY/damaged/web:1" | jq -r '.layers[0].digest')
	data=$BATS_FILE_TMPDIR/registry/docker/registry/v2/blobs/sha256/${digest:7:2}/${digest#sha256:}/data
	cp "$data" "$T/saved"
	head -c "$(stat -c %s "$data")" /dev/zero >"$data"
	refuses 125 "Digest" fl pull -q damaged/web:1
	cp "$T/saved" "$data"
	[ "$(fl images -q)" = "" ]
	fl pull -q damaged/web:1
}

@test "a damaged blob of the store is told of, and replaced by the next pull" {
	load_image
	fl push -q web:1 "$REGISTRY/store/web:1"
	fl rmi -a >/dev/null
	digest=$(sk inspect --raw "docker://$REGISTRY/store/web:1" | jq -r '.layers[0].digest')
	echo garbage >"$T/root/blobs/sha256/${digest#sha256:}"
	refuses 125 "" fl pull -q store/web:1
	fl pull -q store/web:1
	[ "$(fl images -q | wc -l)" -eq 1 ]
}

@test "errors of registries are one sentence" {
	refuses 125 "manifest unknown" fl pull -q "$REGISTRY/none/such:1"
	[ "$(wc -l <<<"$output")" -eq 1 ]
	refuses 125 "connection refused" fl pull -q --tls-verify=false 127.0.0.1:5999/x:1
	refuses 125 "names must be lower case" fl pull -q Upper
	refuses 125 "parse image name 'a b'" fl pull -q "a b"
	refuses 125 "not OS/ARCH" fl pull -q --platform linux x
	refuses 125 "image not known" fl push -q nothing
}

@test "short names without a registry say what to do" {
	: >"$T/etc/registries.conf"
	refuses 125 "no unqualified-search registries" fl pull -q web
	printf 'unqualified-search-registries = [\n' >"$T/etc/registries.conf"
	refuses 125 "registries.conf:2:" fl pull -q web
}

@test "an alias says where a short name comes from" {
	load_image
	fl push -q web:1 "$REGISTRY/team/aliased:1"
	fl rmi -a >/dev/null
	printf '[aliases]\n"nick" = "%s/team/aliased"\n' "$REGISTRY" >>"$T/etc/registries.conf"
	fl pull -q nick:1
	[ "$(fl images --format '{{.Repository}}')" = "$REGISTRY/team/aliased" ]
}

# --- archives -------------------------------------------------------------------------------------------------------------

@test "search lists repositories of a registry, and tags of one" {
	load_image localhost/web:1
	for name in found/web:1 found/web:2 found/other:1 elsewhere:1; do
		fl push -q localhost/web:1 "docker://$REGISTRY/$name"
	done
	is "$REGISTRY/found/web 1,$REGISTRY/found/web 2" \
		"$(fl search --list-tags --format '{{.Name}} {{.Tag}}' "$REGISTRY/found/web" | sort | paste -sd ,)"
	is 1 "$(fl search --list-tags --limit 1 --format '{{.Tag}}' found/web | wc -l)"
	refuses 125 "nothing" fl search --list-tags "$REGISTRY/nothing"
	! command -v curl >/dev/null || {
		is "$REGISTRY/found/other,$REGISTRY/found/web" "$(fl search --format '{{.Name}}' "$REGISTRY/found" | sort | paste -sd ,)"
		# In the search registries.
		is "$REGISTRY/found/web" "$(fl search --format '{{.Name}}' found/web)"
		is "" "$(fl search --format '{{.Name}}' "$REGISTRY/no-such-thing")"
		run fl search "$REGISTRY/found"
		contains "${lines[0]}" NAME DESCRIPTION
		refuses 125 "search registry '127.0.0.1:1'" fl search 127.0.0.1:1/x
		# A registry's catalogue knows of nothing that it were official, or has stars.
		run fl search --compatible --filter is-official=false --filter stars=0 "$REGISTRY/found/web"
		contains "${lines[0]}" NAME DESCRIPTION STARS OFFICIAL AUTOMATED
		contains "${lines[1]}" "$REGISTRY/found/web" 0
		is "" "$(fl search --filter is-official --format '{{.Name}}' "$REGISTRY/found/web")"
		is "" "$(fl search --filter stars=3 --format '{{.Name}}' "$REGISTRY/found/web")"
	}
	refuses 125 'invalid filter type "nosuch=1"' fl search --filter nosuch=1 x
	refuses 125 "incorrect value type for stars filter" fl search --filter stars=many x
	refuses 125 "expected true or false" fl search --filter is-automated=perhaps x
	refuses 125 "filters are not applicable to list tags" fl search --filter stars=3 --list-tags x
}

@test "a mirror stands in for a registry that does not answer, and a blocked one is not asked" {
	load_image localhost/web:1
	fl push -q localhost/web:1 "docker://$REGISTRY/mirrored/web:1"
	cat >"$CONTAINERS_REGISTRIES_CONF" <<-CONFIG
		[[registry]]
		location = "127.0.0.1:1/web"
		insecure = true
		[[registry.mirror]]
		location = "$REGISTRY/mirrored/web"
		insecure = true
		[[registry]]
		location = "127.0.0.1:2"
		blocked = true
	CONFIG
	fl pull -q 127.0.0.1:1/web:1 >/dev/null
	is "$(fl image inspect --format '{{.Id}}' localhost/web:1)" "$(fl image inspect --format '{{.Id}}' 127.0.0.1:1/web:1)"
	# The name is the registry's, not the mirror's.
	run fl image exists "$REGISTRY/mirrored/web:1"
	is 1 "$status"
	refuses 125 blocked fl pull -q 127.0.0.1:2/web:1
}

@test "what the signature policy does not allow is not pulled" {
	load_image localhost/web:1
	fl push -q localhost/web:1 "docker://$REGISTRY/good/web:1"
	fl push -q localhost/web:1 "docker://$REGISTRY/bad/web:1"
	fl rmi localhost/web:1 >/dev/null
	cat >"$T/policy.json" <<-POLICY
		{ "default": [{ "type": "reject" }],
		  "transports": { "docker": { "$REGISTRY/good": [{ "type": "insecureAcceptAnything" }] } } }
	POLICY
	refuses 125 "bad/web" fl pull -q --signature-policy "$T/policy.json" "$REGISTRY/bad/web:1"
	is "" "$(fl images -q)"
	fl pull -q --signature-policy "$T/policy.json" "$REGISTRY/good/web:1" >/dev/null
	fl image exists "$REGISTRY/good/web:1"
}

@test "the signature policy is asked again for what is here, and for files" {
	load_image localhost/web:1
	fl push -q localhost/web:1 "docker://$REGISTRY/web:1"
	fl pull -q "$REGISTRY/web:1" >/dev/null
	for format in docker-archive oci-archive oci-dir docker-dir; do
		fl save -q --format $format -o "$T/$format" localhost/web:1
	done
	policy() { printf '%s' "$1" >"$T/policy.json"; }
	judged() { fl pull -q --signature-policy "$T/policy.json" "$1"; }
	policy '{ "default": [{ "type": "reject" }] }'
	refuses 125 "rejected by policy" judged "$REGISTRY/web:1"
	for source in "docker-archive:$T/docker-archive" "oci-archive:$T/oci-archive" "oci:$T/oci-dir" "dir:$T/docker-dir"; do
		refuses 125 "rejected by policy" judged "$source"
		policy "{ \"default\": [{ \"type\": \"reject\" }],
			\"transports\": { \"${source%%:*}\": { \"\": [{ \"type\": \"insecureAcceptAnything\" }] } } }"
		judged "$source" >/dev/null
		policy "{ \"default\": [{ \"type\": \"insecureAcceptAnything\" }],
			\"transports\": { \"${source%%:*}\": { \"\": [{ \"type\": \"signedBy\", \"keyType\": \"GPGKeys\" }] } } }"
		refuses 125 "requires 'signedBy'" judged "$source"
		policy '{ "default": [{ "type": "reject" }] }'
	done
	# The nearest directory decides.
	policy "{ \"default\": [{ \"type\": \"reject\" }],
		\"transports\": { \"oci\": { \"$(realpath "$T")\": [{ \"type\": \"insecureAcceptAnything\" }] } } }"
	judged "oci:$T/oci-dir" >/dev/null
	for bad in '' nonsense '{}' '[]' '{ "default": [] }'; do
		policy "$bad"
		refuses 125 "signature policy '$T/policy.json'" judged "oci:$T/oci-dir"
	done
	# load and import have no option for it.
	mkdir -p "$T/home/.config/containers"
	echo '{ "default": [{ "type": "reject" }] }' >"$T/home/.config/containers/policy.json"
	tar -C "$T/base" -cf "$T/base.tar" .
	export HOME=$T/home
	refuses 125 "rejected by policy" fl load -q -i "$T/docker-archive"
	refuses 125 "rejected by policy" fl import -q "$T/base.tar"
}

@test "names in directories are full, or asked for" {
	load_image localhost/web:1
	fl save -q -o "$T/web.tar" localhost/web:1
	skopeo copy -q --insecure-policy "docker-archive:$T/web.tar" "oci:$T/words:short"
	fl rmi -a >/dev/null
	fl pull -q "oci:$T/words" >/dev/null
	is '<none>:<none>' "$(fl images --format '{{.Repository}}:{{.Tag}}')"
	fl pull -q "oci:$T/words:short" >/dev/null
	is docker.io/library/short:latest "$(fl images --format '{{.Repository}}:{{.Tag}}')"
	refuses 125 "cannot have a digest" fl tag short sha256:abc
	fl tag short another
	refuses 125 "more than one tag ([" fl rmi "$(fl images -q short)"
	# A whole name lists the image by that name; less than that lists the image.
	is docker.io/library/short:latest "$(fl images --format '{{.Repository}}:{{.Tag}}' docker.io/library/short:latest)"
	is docker.io/library/short:latest "$(fl images --format json docker.io/library/short:latest | jq -r '.[].Names[]')"
	is 2 "$(fl images --noheading short | wc -l)"
}

@test "save and load keep id and names, in every format" {
	load_image
	id=$(fl images -q --no-trunc)
	for format in docker-archive oci-archive oci-dir docker-dir; do
		fl save -q --format $format -o "$T/saved-$format" web:1
		fl rmi -a >/dev/null
		fl load -i "$T/saved-$format"
		[ "$(fl images -q --no-trunc)" = "$id" ] || { echo $format; fl images; return 1; }
		# A directory of skopeo's knows no names.
		[ $format != docker-dir ] || fl tag "$id" localhost/web:1
		[ "$(fl images --format '{{.Repository}}:{{.Tag}}')" = localhost/web:1 ]
	done
	fl save web:1 >"$T/stdout.tar"
	fl rmi -a >/dev/null
	gzip <"$T/stdout.tar" | fl load | grep -q "Loaded image: localhost/web:1"
}

@test "podman loads what we save, and we load what podman saves" {
	command -v podman >/dev/null || skip "no podman (tools/install-deps)"
	p() {
		podman --root "$T/p" --runroot "$T/prun" --storage-driver vfs "$@" 3>&-
	}
	load_image
	id=$(fl images -q --no-trunc)
	for format in docker-archive oci-archive; do
		fl save -q --format $format -o "$T/ours-$format" web:1
		p load -q -i "$T/ours-$format"
		[ "$(p images -q --no-trunc)" = "$id" ]
		p save -q --format $format -o "$T/theirs-$format" localhost/web:1
		p rmi -af >/dev/null
		fl rmi -a >/dev/null
		fl load -q -i "$T/theirs-$format"
		[ "$(fl images -q --no-trunc)" = "$id" ]
		[ "$(fl images --format '{{.Repository}}:{{.Tag}}')" = localhost/web:1 ]
	done
	rm -r /run/containers /run/libpod
}

@test "several images go into one archive" {
	load_image
	fl tag web:1 localhost/other:2
	fl import -q "$T/base.tar" localhost/base:1 >/dev/null
	fl save -q -m -o "$T/many.tar" web:1 base:1 other:2
	fl rmi -af >/dev/null
	fl load -i "$T/many.tar" >"$T/out"
	[ "$(sort "$T/out" | tr '\n' ' ')" = \
		"Loaded image: localhost/base:1 Loaded image: localhost/other:2 Loaded image: localhost/web:1 " ]
	[ "$(fl images -q | wc -l)" -eq 2 ]
	refuses 125 "docker-archive only" fl save -m --format oci-archive -o "$T/x" web:1 base:1
}

@test "hostile and broken archives are refused" {
	echo nonsense >"$T/nonsense"
	refuses 125 "load '$T/nonsense'" fl load -i "$T/nonsense"
	mkdir "$T/a"
	echo '[{"Config":"../../etc/passwd","Layers":[]}]' >"$T/a/manifest.json"
	tar -C "$T/a" -cf "$T/a.tar" manifest.json
	refuses 125 "missing" fl load -i "$T/a.tar"
	tar -C "$T/a" --transform 's,manifest.json,../../out,' -Pcf "$T/b.tar" manifest.json
	refuses 125 "leads out of the archive" fl load -i "$T/b.tar"
	ln -s /etc/passwd "$T/a/config"
	echo '[{"Config":"config","Layers":[]}]' >"$T/a/manifest.json"
	tar -C "$T/a" -cf "$T/c.tar" manifest.json config
	refuses 125 "" fl load -i "$T/c.tar"
	load_image
	fl save -q -o "$T/good.tar" web:1
	head -c 8000 "$T/good.tar" >"$T/cut.tar"
	refuses 125 "" fl load -i "$T/cut.tar"
	refuses 125 "open '$T/none'" fl load -i "$T/none"
	[ "$(ls "$T/root/staging")" = "" ]
}

@test "import makes an image of an archive" {
	make_dirs
	tar -C "$T/base" -cf "$T/base.tar" .
	id=$(fl import -m "from a test" -c 'CMD ["/bin/x","y"]' -c 'ENV A=b' -c 'LABEL k=v' -c 'EXPOSE 80' -c 'USER me' \
		-c 'WORKDIR /srv' -c 'VOLUME /data' -c 'ENTRYPOINT /bin/sh' -c 'STOPSIGNAL SIGINT' "$T/base.tar" imported:1)
	[[ $id == sha256:* ]]
	fl import -q --arch arm64 --variant v8 --os linux "$T/base.tar" other:1 >/dev/null
	[ "$(fl image inspect --format '{{.Architecture}} {{.Variant}} {{.Os}}' other:1)" = "arm64 v8 linux" ]
	[ "$(fl image inspect --format '{{.Architecture}} {{.Os}}' imported:1)" = "amd64 linux" ]
	[ "$(fl image inspect --format '{{json .Config.Cmd}} {{.Config.User}} {{.Config.WorkingDir}} {{.Comment}}' imported:1)" = \
		'["/bin/x","y"] me /srv from a test' ]
	[ "$(fl image inspect --format '{{json .Config.ExposedPorts}}{{json .Config.Volumes}}{{json .Config.Entrypoint}}' imported:1)" = \
		'{"80/tcp":{}}{"/data":{}}["/bin/sh","-c","/bin/sh"]' ]
	gzip <"$T/base.tar" | fl import - imported:2
	refuses 125 "the instruction is not one of" fl import -c 'RUN x' "$T/base.tar"
	for bad in x 0 65536 80/x 90-80 "80 x"; do
		refuses 125 "change 'EXPOSE $bad': expected PORT or PORT/PROTOCOL" fl import -c "EXPOSE $bad" "$T/base.tar"
	done
	refuses 125 "change 'STOPSIGNAL NONE': there is no such signal" fl import -c 'STOPSIGNAL NONE' "$T/base.tar"
	refuses 125 "open '$T/none'" fl import "$T/none"
	refuses 125 "" fl import "$T/etc/registries.conf" bad:1
}

# --- what is here ---------------------------------------------------------------------------------------------------------

@test "images prints the table, ids, json and templates" {
	load_image
	fl tag web:1 localhost/alpha:2
	run fl images
	[ "${lines[0]}" = "REPOSITORY       TAG         IMAGE ID      CREATED        SIZE" ] || [[ ${lines[0]} == "REPOSITORY "*"IMAGE ID "*"SIZE" ]]
	[ "${#lines[@]}" -eq 3 ]
	[ "$(fl images -n | wc -l)" -eq 2 ]
	[ "$(fl images -q | wc -l)" -eq 1 ]
	[ "$(fl images --sort repository --format '{{.Repository}}' | head -n 1)" = localhost/alpha ]
	fl images --format json | jq -e '.[0] | .Id and .RepoTags == ["localhost/alpha:2", "localhost/web:1"] and .Labels.made == "by hand" and .Size > 0' >/dev/null
	[ "$(fl images --format 'table {{.Tag}}\t{{.CreatedAt}}' | head -n 1)" = "TAG         CREATED AT" ]
	[ "$(fl images --format '{{.IsDangling}} {{.IsReadOnly}} {{.ImageSummary.Size}} {{.IsManifestList}}' | head -n 1 | tr -d 0-9)" = "false false  <nil>" ]
	fl images --format '{{json .}}' | jq -se 'all(.[]; has("repository") and (.Created | type) == "number" and (.Id | length) == 64)' >/dev/null
	[ "$(fl images --digests | awk 'NR == 1 { print $3 } NR == 2 { print $3 }' | paste -sd ' ')" = "DIGEST $(fl images --format '{{.Digest}}' | head -n 1)" ]
	[ "$(fl images --history | awk 'NR == 1 { print $NF }')" = HISTORY ]
	fl images --history | grep -qE '(localhost/alpha:2, localhost/web:1|localhost/web:1, localhost/alpha:2) *$'
	refuses 125 "can't evaluate field None" fl images --format '{{.None}}'
	refuses 125 "parse template" fl images --format '{{.ID'
}

@test "images filters" {
	load_image
	fl import -q -c 'LABEL x=1' "$T/base.tar" localhost/base:1 >/dev/null
	fl import -q -m nameless "$T/change.tar" >/dev/null
	names() {
		fl images --format '{{.Repository}}' "$@" | sort | tr '\n' ' '
	}
	[ "$(names -f dangling=true)" = "<none> " ]
	[ "$(names -f dangling=false)" = "localhost/base localhost/web " ]
	[ "$(names -f label=x)" = "localhost/base " ]
	[ "$(names -f label=x=2)" = "" ]
	[ "$(names -f label!=x -f dangling=false)" = "localhost/web " ]
	[ "$(names -f 'reference=*/we*')" = "localhost/web " ]
	[ "$(names -f reference=base)" = "localhost/base " ]
	[ "$(names web)" = "localhost/web " ]
	[ "$(names -f before=base:1)" = "localhost/web " ]
	[ "$(names -f since=web:1 -f dangling=false)" = "localhost/base " ]
	[ "$(names -f until=2026-02-01)" = "localhost/web " ]
	[ "$(names -f containers=false -f reference=web)" = "localhost/web " ]
	[ "$(names -f "id=$(fl images -q web)")" = "localhost/web " ]
	refuses 125 "filter 'nothing=1': not one of" fl images -f nothing=1
	refuses 125 "the value is wrong" fl images -f dangling=maybe
	refuses 125 "image not known" fl images -f before=none
}

@test "tag, untag, exists" {
	load_image
	fl tag web:1 one two:2 "$REGISTRY/three:3"
	[ "$(fl images --format '{{.Repository}}:{{.Tag}}' | sort | tr '\n' ' ')" = \
		"$REGISTRY/three:3 localhost/one:latest localhost/two:2 localhost/web:1 " ]
	fl untag web:1 two:2
	refuses 125 "tag not known" fl untag web:1 two:2
	fl image exists one
	run fl image exists two:2
	[ "$status" -eq 1 ]
	refuses 125 "cannot have a digest" fl tag web:1 "x@sha256:$(printf '%064d' 1)"
	fl untag one
	[ "$(fl images --format '{{.Repository}}:{{.Tag}}')" = "<none>:<none>" ]
	# By id it is still there.
	fl image exists "$(fl images -q)"
}

@test "a name moves to the image that is tagged with it last" {
	load_image
	fl import -q "$T/base.tar" localhost/base:1 >/dev/null
	fl tag base:1 web:1
	[ "$(fl images -q web:1)" = "$(fl images -q base:1)" ]
	[ "$(fl images -f dangling=true -q | wc -l)" -eq 1 ]
}

@test "rmi removes names, then the image, and leaves nothing" {
	load_image
	fl tag web:1 two
	[ "$(fl rmi two)" = "Untagged: localhost/two:latest" ]
	id=$(fl images -q --no-trunc)
	fl tag web:1 two
	refuses 125 "please force removal" fl rmi "$id"
	refuses 1 "nothing: image not known" fl rmi nothing
	fl rmi -f nothing
	fl rmi -i nothing
	fl rmi -f "$id" | grep -q "Deleted: ${id#sha256:}"
	[ -z "$(find "$T/root/blobs/sha256" "$T/root/layers" -mindepth 1 -not -name l)" ]
	refuses 125 "name an image" fl rmi
	# A parent without a name goes too, unless it shall not.
	for keep in --no-prune ""; do
		load_image
		make_layout "$T/layout1" localhost/parent:1 "$T/base"
		fl load -q -i "$T/layout1" >/dev/null
		fl untag parent:1
		[ "$(fl rmi $keep web:1 | grep -c Deleted)" -eq "$([ "$keep" ] && echo 1 || echo 2)" ]
		[ "$(fl images -aq | wc -l)" -eq "$([ "$keep" ] && echo 1 || echo 0)" ]
		fl rmi -af >/dev/null
	done
}

@test "image prune takes what nobody names, with --all what nobody uses" {
	load_image
	fl import -q "$T/base.tar" >/dev/null
	[ "$(fl image prune -f --build-cache --external | wc -l)" -eq 1 ]
	[ "$(fl images -q | wc -l)" -eq 1 ]
	echo n | fl image prune -a >/dev/null
	[ "$(fl images -q | wc -l)" -eq 1 ]
	fl image prune -a -f --filter label=none
	[ "$(fl images -q | wc -l)" -eq 1 ]
	fl image prune -a -f
	[ "$(fl images -q | wc -l)" -eq 0 ]
}

@test "history and tree show the layers" {
	load_image
	[ "$(fl history --format '{{.CreatedBy}}' web:1 | tr '\n' ';')" = "layer change;layer base;" ]
	[ "$(fl history -q web:1 | tail -n 1)" = "<missing>" ]
	fl history web:1 | head -n 1 | grep -q '^ID  *CREATED  *CREATED BY  *SIZE  *COMMENT$'
	is "2026-01-01T22:04:05-05:00" "$(TZ=EST5 fl history --format '{{.CreatedAt}}' web:1 | tail -n 1)"
	fl history --format json web:1 | jq -e 'length == 2 and .[0].size > 0' >/dev/null
	[ "$(fl image tree web:1 | grep -c '── ID: ')" -eq 2 ]
	fl image tree web:1 | grep -q 'Top Layer of: \[localhost/web:1\]'
	[ "$(fl history --no-trunc -q web:1 | head -n 1)" = "$(fl images -q --no-trunc | cut -d : -f 2)" ]
	fl history --human=false web:1 | grep -q "2026-01-02T03:04:05Z  *layer base  *$(fl history --format json web:1 | jq '.[1].size')"
	# What is made from it hangs below it.
	make_layout "$T/layout2" localhost/more:1 "$T/base" "$T/change" "$T/base"
	fl load -q -i "$T/layout2" >/dev/null
	fl image tree --whatrequires web:1 | grep -q 'Top Layer of: \[localhost/more:1\]'
	run ! grep -q more <<<"$(fl image tree web:1)"
}

@test "image mount shows the image with its whiteouts applied" {
	load_image
	dir=$(fl image mount web:1)
	[ "$(<"$dir/etc/conf")" = one ]
	[ "$(<"$dir/etc/more")" = two ]
	[ ! -e "$dir/gone" ]
	[ "$(ls "$dir/old")" = b ]
	run ! touch "$dir/new"
	fl image mount | grep -q "localhost/web:1  $dir"
	[ "$(fl image mount --format json | jq -r '.[] | .Repositories[0] + " " + .mountpoint')" = "localhost/web:1 $dir" ]
	refuses 125 "only 'json' is known here" fl image mount --format '{{.ID}}'
	refuses 2 "is mounted" fl rmi web:1
	fl image mount web:1 >/dev/null
	fl image unmount web:1
	[ -e "$dir/etc/conf" ]
	fl image unmount web:1
	[ ! -e "$dir/etc/conf" ]
	is "" "$(fl image unmount web:1)"
	fl image mount web:1 >/dev/null
	fl image mount web:1 >/dev/null
	fl image unmount --force web:1
	[ ! -e "$dir/etc/conf" ]
	fl image mount web:1 >/dev/null
	[ "$(fl image unmount --all)" = "$(fl images -q --no-trunc | cut -d : -f 2)" ]
	[ ! -e "$dir/etc/conf" ]
}

@test "image mount works without overlay too" {
	make_dirs
	make_layout "$T/layout" localhost/web:1 "$T/base" "$T/change"
	v() {
		"$FLOE" --root "$T/vroot" --runroot "$T/run" --storage-driver vfs "$@" 3>&-
	}
	v load -q -i "$T/layout" >/dev/null
	dir=$(v image mount web:1)
	[ ! -e "$dir/gone" ]
	[ "$(ls "$dir/old")" = b ]
	[ "$(<"$dir/etc/conf")" = one ]
	v image unmount web:1
	refuses 125 "it was made with driver 'vfs'" "$FLOE" --root "$T/vroot" --runroot "$T/run" --storage-driver overlay images
}

@test "diff and image diff: how an image or a container differs from another" {
	load_image localhost/web:1
	fl create --name one --network none localhost/web:1 true >/dev/null
	root=$(fl mount one)
	echo new >"$root/new"
	mkdir -p "$root/more/deep"
	echo x >"$root/more/deep/file"
	fl unmount one >/dev/null
	fl commit -q one localhost/other:1 >/dev/null
	is "A /more,A /more/deep,A /more/deep/file,A /new" "$(fl image diff localhost/other:1 localhost/web:1 | paste -sd ,)"
	# Of what is not there no more than its top.
	is "D /more,D /new" "$(fl diff localhost/web:1 localhost/other:1 | paste -sd ,)"
	is "" "$(fl diff localhost/web:1 localhost/web:1)"
	is "" "$(fl diff one localhost/other:1)"
	fl create --name two --network none localhost/other:1 true >/dev/null
	root=$(fl mount two)
	rm -r "$root/more"
	echo changed at length >"$root/new"
	mkdir "$root/more"
	fl unmount two >/dev/null
	is "C /more,D /more/deep,C /new" "$(fl diff two localhost/other:1 | paste -sd ,)"
	is "C /more,A /more/deep,C /new" "$(fl diff one two | grep -v deep/ | paste -sd ,)"
	is '["/more","/new"]' "$(fl diff --format json localhost/web:1 one | jq -c .deleted)"
	refuses 125 "nosuch: no such container or image" fl diff localhost/web:1 nosuch
	refuses 125 "one or two" fl diff --latest one two
	fl rm one two >/dev/null
}

@test "image diff prints what the last layer changed" {
	load_image
	[ "$(fl image diff web:1 | tr '\n' ' ')" = "C /etc A /etc/more D /gone C /old D /old/a A /old/b " ]
	fl image diff --format json web:1 | jq -e '.deleted == ["/gone", "/old/a"]' >/dev/null
}

@test "image inspect prints podman's document" {
	load_image
	fl image inspect web:1 | jq -e '.[0] | .Id and .Digest and .RepoTags == ["localhost/web:1"] and .Architecture == "amd64"
		and (.RootFS.Layers | length) == 2 and .Config.Cmd == ["/bin/sh"] and .GraphDriver.Name == "overlay"
		and .Labels.made == "by hand" and (.History | length) == 2' >/dev/null
	[ "$(fl image inspect --format '{{.Id}}' web:1)" = "$(fl image inspect --format '{{.ID}}' web:1)" ]
	refuses 125 "none: image not known" fl image inspect web:1 none
}

@test "images are found by what users write" {
	load_image "$REGISTRY/team/web:1"
	id=$(fl images -q --no-trunc)
	id=${id#sha256:}
	for name in "$id" "${id:0:12}" "sha256:$id" "${id:0:4}" web:1 team/web:1 "$REGISTRY/team/web:1"; do
		[ "$(fl image inspect --format '{{.Id}}' "$name")" = "$id" ] || { echo "$name"; return 1; }
	done
	for name in web team/web eb:1 "${id:0:2}" "sha256:${id:0:4}x"; do
		refuses 125 "" fl image inspect "$name"
	done
}

@test "commands that work on one store at once do not disturb each other" {
	make_dirs
	tar -C "$T/base" -cf "$T/base.tar" .
	for i in {1..8}; do
		(
			fl import -q -m "$i" "$T/base.tar" "localhost/n$i:1" >/dev/null
			fl tag "n$i:1" "localhost/m$i:1"
			fl rmi "n$i:1" >/dev/null
			fl images >/dev/null
		) >"$T/out.$i" 2>&1 &
		pids[i]=$!
	done
	for i in {1..8}; do
		wait "${pids[i]}" || { cat "$T"/out.*; return 1; }
	done
	cat "$T"/out.*
	[ "$(fl images -q | wc -l)" -eq 8 ]
	fl rmi -af >/dev/null
	[ -z "$(find "$T/root/blobs/sha256" "$T/root/layers" -mindepth 1 -not -name l)" ]
}

@test "save --compress and push --compress: layers by gzip in a directory" {
	local dir
	load_image
	cd "$T"
	fl save -q --compress --format docker-dir -o compressed web:1
	fl save -q --uncompressed --format docker-dir -o plain web:1
	fl push -q --compress web:1 "dir:$T/pushed"
	for dir in compressed pushed; do
		[ "$(jq -r '.layers[0].digest' "$dir/manifest.json")" = "sha256:$(sha256sum <"$dir/$(jq -r '.layers[0].digest[7:]' "$dir/manifest.json")" | cut -d ' ' -f 1)" ]
		gzip -t <"$dir/$(jq -r '.layers[0].digest[7:]' "$dir/manifest.json")"
	done
	tar -tf "plain/$(jq -r '.layers[0].digest[7:]' plain/manifest.json)" >/dev/null
	gzip -t <"plain/$(jq -r '.layers[0].digest[7:]' plain/manifest.json)" 2>/dev/null && return 1
	refuses 125 "--compress can only be set when --format is 'docker-dir'" fl save --compress --format oci-archive -o no web:1
	# Elsewhere it is of no effect.
	fl push -q --compress web:1 "oci:$T/oci:1"
}

@test "login and logout in a file of Docker's" {
	local said="can not be set simultaneously"
	echo '{"auths": {"r.example": {"auth": "bWU6aXQ="}, "s.example": {"auth": "bWU6aXQ="}}, "credsStore": ""}' >"$T/docker.json"
	[ "$(fl login --compat-auth-file "$T/docker.json" --get-login r.example)" = me ]
	refuses 125 "not logged into t.example" fl login --compat-auth-file "$T/docker.json" --get-login t.example
	refuses 125 "$said" fl login --compat-auth-file "$T/docker.json" --authfile "$T/auth.json" r.example
	refuses 125 "$said" fl logout --compat-auth-file "$T/docker.json" --authfile "$T/auth.json" r.example
	refuses 125 "whole registries only" fl login --compat-auth-file "$T/docker.json" r.example/team
	refuses 125 "credential file is not accessible" fl logout --compat-auth-file "$T/no.json" r.example
	fl logout --compat-auth-file "$T/docker.json" r.example
	[ "$(jq -rc '.auths | keys' "$T/docker.json")" = '["s.example"]' ]
}
