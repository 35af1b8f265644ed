#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
#
# What concerns the root file systems of containers that are made from images: what they write, commit, export, diff, mount.

load ../lib/engine

setup_file()
{
	engine_setup_file
	export IMAGE=localhost/roots:1
	tar -C "$BATS_FILE_TMPDIR/rootfs" --numeric-owner -cf "$BATS_FILE_TMPDIR/rootfs.tar" .
}

setup()
{
	engine_setup
	fl image exists "$IMAGE" || fl import -q -c 'CMD ["/bin/sh"]' -c 'ENV PATH=/bin:/usr/bin:/sbin' \
		"$BATS_FILE_TMPDIR/rootfs.tar" "$IMAGE" >/dev/null
}

@test "a container writes into its own root, not into the image" {
	fl run --rm --network none "$IMAGE" sh -c 'echo x >/new; rm /bin/ls; [ -e /new ]'
	fl run --rm --network none "$IMAGE" sh -c '[ ! -e /new ] && [ -e /bin/ls ]'
}

@test "diff shows what a container changed, and nothing of ours" {
	fl run --name "$C" --network none "$IMAGE" sh -c 'mkdir /d; echo x >/d/f; rm /bin/ls; echo y >/tmp/t'
	is "A /d A /d/f C /tmp A /tmp/t C /usr C /usr/bin D /usr/bin/ls" "$(fl diff "$C" | grep -v ' /etc$' | tr '\n' ' ' | sed 's/ $//')"
	fl diff --format json "$C" | jq -e '.deleted == ["/usr/bin/ls"]' >/dev/null
	try diff nothing
	is 125 "$status"
	contains "$output" "no such container or image"
}

@test "commit makes an image of what was written" {
	fl run --name "$C" --network none -e A=b -w /tmp --expose 81/udp "$IMAGE" sh -c 'echo x >/new; rm /bin/ls'
	id=$(fl commit -q -a me -m why -c 'ENTRYPOINT [""]' -c 'CMD ["cat","/new"]' -c 'LABEL k=v' "$C" localhost/committed:1)
	is '{"81/udp":{}}' "$(fl image inspect --format '{{json .Config.ExposedPorts}}' committed:1)"
	is "$id" "$(fl image inspect --format '{{.Id}}' committed:1)"
	is x "$(fl run --rm --network none committed:1)"
	fl run --rm --network none committed:1 sh -c '[ ! -e /bin/ls ]'
	is "me why /tmp v" "$(fl image inspect --format '{{.Author}} {{.Comment}} {{.Config.WorkingDir}} {{.Labels.k}}' committed:1)"
	fl image inspect --format '{{json .Config.Env}}' committed:1 | grep -q '"A=b"'
	is 2 "$(fl image inspect --format '{{len .RootFS.Layers}}' committed:1)"
	fl commit -q -s --iidfile iid "$C" localhost/squashed:1 >/dev/null
	is 1 "$(fl image inspect --format '{{len .RootFS.Layers}}' squashed:1)"
	is "$(cat iid)" "$(fl image inspect --format '{{.Id}}' squashed:1)"
	fl commit -q -f docker "$C" localhost/docker:1 >/dev/null
	is application/vnd.docker.distribution.manifest.v2+json "$(fl image inspect --format '{{.ManifestType}}' docker:1)"
	fl rmi -f committed:1 squashed:1 docker:1 >/dev/null
	try commit "$C" 'Bad Name'
	is 125 "$status"
	try commit -f x "$C"
	contains "$output" "not one of oci, docker"
}

@test "commit: published ports, volumes, and a configuration that goes over the container's" {
	mkdir dir
	fl create --name "$C" --network bridge -v "$C:/data" -v "$T/dir:/dir" -e A=b -l x=y -w /tmp -p 8080-8081:80-81 "$IMAGE" cat >/dev/null
	fl commit -q "$C" localhost/with:1 >/dev/null
	is '{"80/tcp":{},"81/tcp":{}} {}' "$(fl image inspect --format '{{json .Config.ExposedPorts}} {{json .Config.Volumes}}' with:1)"
	fl commit -q --include-volumes "$C" localhost/with:2 >/dev/null
	is '["/data","/dir"]' "$(fl image inspect --format '{{json .Config.Volumes}}' with:2 | jq -c keys)"
	jq -n '{Cmd: ["/bin/x"], Env: ["C=d", "A=c"], Labels: {k: "v"}, ExposedPorts: {"9/udp": {}}, StopSignal: "SIGUSR1"}' >over.json
	fl commit -q --config over.json -c 'LABEL l=m' "$C" localhost/with:3 >/dev/null
	is '{"Cmd":["/bin/x"],"Env":["PATH=/bin:/usr/bin:/sbin","C=d","A=c"],"WorkingDir":"/tmp","StopSignal":"SIGUSR1"}' \
		"$(fl image inspect --format '{{json .Config}}' with:3 | jq -c '{Cmd, Env, WorkingDir, StopSignal}')"
	is '{"x":"y","k":"v","l":"m"} ["80/tcp","81/tcp","9/udp"]' \
		"$(fl image inspect --format '{{json .Config}}' with:3 | jq -Sr '(.Labels | tojson) + " " + (.ExposedPorts | keys | tojson)')"
	try commit --config none.json "$C"
	is "125 Error: read 'none.json': no such file or directory" "$status $output"
	echo '{' >bad.json
	try commit --config bad.json "$C"
	is "125 Error: bad.json:2: document ends too early" "$status $output"
	fl rmi with:1 with:2 with:3 >/dev/null
	fl rm "$C" >/dev/null
	fl volume rm "$C" >/dev/null
}

@test "commit of a running container" {
	fl run -d --name "$C" --network none "$IMAGE" sh -c 'echo x >/new; sleep 1000' >/dev/null
	eventually fl exec "$C" test -s /new
	fl commit -q -p "$C" localhost/live:1 >/dev/null
	is running "$(inspect "$C" '{{.State.Status}}')"
	is x "$(fl run --rm --network none live:1 cat /new)"
	fl rmi -f live:1 >/dev/null
}

@test "export writes the whole tree, import takes it back" {
	fl run --name "$C" --network none "$IMAGE" sh -c 'echo x >/new; ln /new /second; mkfifo /fifo; ln -s new /link'
	fl export -o tree.tar "$C"
	tar tvf tree.tar >list
	grep -q '^h.* second link to new$' list || grep -q '^h.* second link to ./new$' list
	grep -q '^p.* fifo$' list
	fl import -q tree.tar localhost/exported:1 >/dev/null
	is x "$(fl run --rm --network none exported:1 /bin/cat /link)"
	fl rmi exported:1 >/dev/null
	fl export "$C" | cmp - tree.tar
}

@test "export through a link that leads nowhere makes what it leads to" {
	fl create --name "$C" --network none "$IMAGE" true >/dev/null
	ln -s below/target link
	try export -o link "$C"
	refused "write 'link': no such file or directory"
	mkdir below
	fl export -o link "$C"
	[ -L link ]
	tar -tf below/target >/dev/null
}

@test "export into what has no name any more writes into it as it is" {
	fl create --name "$C" --network none "$IMAGE" true >/dev/null
	exec 9<>nameless
	rm nameless
	fl export -o /proc/self/fd/9 "$C"
	tar -tf /proc/self/fd/9 >/dev/null
	exec 9>&-
	is "" "$(ls)"
}

@test "export follows no link of a stranger's in a directory for all" {
	[ "$(cat /proc/sys/fs/protected_symlinks)" = 1 ] || skip "this machine has fs.protected_symlinks off"
	fl create --name "$C" --network none "$IMAGE" true >/dev/null
	mkdir -m 1777 shared
	echo precious >target
	ln -s ../target shared/there
	ln -s ../nothing shared/nowhere
	chown -h 4711 shared/there shared/nowhere
	for name in there nowhere; do
		try export -o "shared/$name" "$C"
		refused "write 'shared/$name': permission denied"
	done
	is precious "$(cat target)"
	[ ! -e nothing ]
}

@test "export, save and volume export write into a pipe, and to what a link means" {
	fl create --name "$C" --network none "$IMAGE" true >/dev/null
	fl volume create "$C-vol" >/dev/null
	mkfifo pipe
	ln -s target link
	while read -r object command; do
		echo old >target
		# shellcheck disable=SC2086 # words
		fl $command -o link "$object" </dev/null
		[ -L link ]
		tar -tf target >/dev/null
		is 644 "$(umask 022 && fl $command -o mode "$object" </dev/null && stat -c %a mode)"
		timeout 60 cat pipe >piped 3>&- 4>&- &
		reader=$!
		fl $command -o pipe "$object" </dev/null
		ends_with 0 $reader
		[ -p pipe ]
		tar -tf piped >/dev/null
		try $command -o . "$object" </dev/null
		refused "write '.': is a directory"
		rm target mode
	done <<-TABLE
		$C export
		$IMAGE save -q
		$C-vol volume export
	TABLE
	echo old >target
	fl commit -q --iidfile link "$C" localhost/iid:1 >id
	[ -L link ]
	is "$(cat id)" "$(sed s/sha256:// target)"
	fl rmi iid:1 >/dev/null
	rm id target
	is "link pipe piped" "$(printf '%s\n' * | paste -sd ' ')"
}

@test "mount shows a container's root, running or not" {
	fl create --name "$C" --network none "$IMAGE" sh -c '[ -e /put ]' >/dev/null
	dir=$(fl mount "$C")
	echo x >"$dir/put"
	fl mount | grep -q "$dir"
	fl unmount "$C"
	[ ! -e "$dir/put" ]
	is "$C" "$(fl unmount "$C")"
	fl start -a "$C"
	is 0 "$(inspect "$C" '{{.State.ExitCode}}')"
}

# What of the container's tree is checked through mount, so that cp is not judged by itself.
@test "cp into a container that does not run" {
	mkdir -p dir/sub
	echo one >dir/file
	echo two >dir/sub/file
	ln -s file dir/link
	fl create --name "$C" --network none "$IMAGE" true >/dev/null
	fl cp dir/file "$C:/copied"
	fl cp dir "$C:/tmp"
	fl cp dir "$C:/fresh"
	fl cp dir/. "$C:/data"
	root=$(fl mount "$C")
	is one "$(cat "$root/copied")"
	is two "$(cat "$root/tmp/dir/sub/file")"
	is two "$(cat "$root/fresh/sub/file")"
	is two "$(cat "$root/data/sub/file")"
	is file "$(readlink "$root/fresh/link")"
	# What is there keeps its mode.
	is "$(stat -c %a "$ROOTFS/tmp")" "$(stat -c %a "$root/tmp")"
	fl unmount "$C" >/dev/null
	try cp dir "$C:/copied"
	contains "$output" "destination must be a directory when copying a directory"
	try cp dir/file "$C:/none/such"
	contains "$output" "\"/none/such\" could not be found on container $C: no such file or directory"
	try cp dir/none "$C:/"
	contains "$output" "no such file or directory"
	try cp dir/file file
	contains "$output" "neither side is a container"
}

@test "cp: from container to container, whose files they become, and what is in the way" {
	fl run --name "$C-1" --network none "$IMAGE" sh -c 'mkdir -p /d/s; echo x >/d/s/f; chown -R 7:8 /d'
	fl create --name "$C-2" --network none "$IMAGE" true >/dev/null
	fl cp "$C-1:/d" "$C-2:/new"
	fl cp "$C-1:/d/." "$C-2:/new/more"
	fl cp "$C-1:/d/s/f" "$C-2:/new/g"
	fl export "$C-2" | tar --numeric-owner -tvf - new | awk '{ print $2, $6 }' >list
	is "0/0 new/ 0/0 new/g 0/0 new/more/ 0/0 new/more/s/ 0/0 new/more/s/f 0/0 new/s/ 0/0 new/s/f" "$(sort -k 2 list | paste -sd ' ')"
	echo mine >mine
	chown 77:88 mine
	fl cp mine "$C-2:/root-s"
	fl cp --archive=false mine "$C-2:/theirs"
	fl export "$C-2" | tar --numeric-owner -tvf - root-s theirs | awk '{ print $2, $6 }' >list
	is "0/0 root-s 77/88 theirs" "$(sort -k 2 list | paste -sd ' ')"
	# A file does not take the place of a directory by itself, nor a directory that of a file.
	mkdir -p out/f
	try cp "$C-1:/d/s/f" out/
	is 125 "$status"
	contains "$output" "a directory is there, and would be lost with all that is in it (cp --overwrite does that)"
	[ -d out/f ]
	fl cp --overwrite "$C-1:/d/s/f" out/
	is x "$(cat out/f)"
	try cp out "$C-2:/new/g"
	is 125 "$status"
	fl rm "$C-1" "$C-2" >/dev/null
}

@test "cp out of a container, and by stdin and stdout" {
	fl run -d --name "$C" --network none --tmpfs /scratch "$IMAGE" \
		sh -c 'mkdir -p /d/sub; echo x >/d/sub/f; echo y >/scratch/f; ln -s /etc/passwd /d/link; sleep 1000' >/dev/null
	eventually fl exec "$C" test -L /d/link
	fl cp "$C:/d" out
	is x "$(cat out/sub/f)"
	[ -L out/link ]
	# What is mounted in a running container is seen.
	fl cp "$C:/scratch/f" .
	is y "$(cat f)"
	fl cp "$C:/d" - | tar t | grep -q '^d/sub/f$'
	tar -C out -cf - . | fl cp - "$C:/scratch"
	is x "$(fl exec "$C" cat /scratch/sub/f)"
	echo mine >mine
	fl cp mine "$C:/scratch/mine"
	is 0:0 "$(fl exec "$C" stat -c %u:%g /scratch/mine)"
}

@test "cp: relative paths begin at the working directory, links are what they lead to" {
	fl run -d --name "$C" --network none --workdir /data "$IMAGE" \
		sh -c 'mkdir -p /data/sub /d; echo x >/data/f; ln -s ../data /d/dir; ln -s dir/f /d/link; ln -s /none /d/lost; exec sleep 1000' >/dev/null
	eventually fl exec "$C" test -L /d/lost
	fl commit -q "$C" localhost/links:1 >/dev/null
	fl create --name "$C-2" --network none --workdir /data localhost/links:1 true >/dev/null
	echo y >file
	ln -s file link
	for name in "$C" "$C-2"; do
		rm -rf out
		mkdir out
		fl cp "$name:f" out/
		fl cp "$name:." out/contents
		fl cp "$name:/d/link" out/target
		fl cp "$name:/d/dir" out
		is "x x x x" "$(cat out/f out/contents/f out/target out/data/f | xargs)"
		[ ! -L out/target ]
		try cp "$name:/d/lost" out
		contains "$output" "could not be found on container $name"
		fl cp link "$name:sub"
		fl cp file "$name:/d/lost"
		is "y y" "$(for path in /data/sub/link /none; do fl cp "$name:$path" - | tar -xO; done | xargs)"
		try cp "$name:" out
		contains "$output" "you must specify paths"
	done
	fl rm -f -t 0 "$C" "$C-2" >/dev/null
	fl rmi localhost/links:1 >/dev/null
}

# Whether others may not search one of the directories from the engine's to this one.
is_closed()
{
	local path=$1
	while path=${path%/*} && [ "$path" != "$ENGINE" ]; do
		((0$(stat -c %a "$path") & 1)) || return 0
	done
	echo "others can reach $1" >&2
	return 1
}

@test "other users of the machine reach nothing of containers, images and volumes" {
	fl run -d --name "$C" --network none -v inner:/tmp/v --mount "type=image,src=$IMAGE,dst=/mnt" "$IMAGE" sleep 100000 >/dev/null
	merged=$(findmnt -rno TARGET -t overlay | grep "^$ENGINE/root/rootfs/")
	[ "$(wc -l <<<"$merged")" -ge 2 ]
	for path in $merged "$(fl volume inspect --format '{{.Mountpoint}}' inner)" "$ENGINE"/root/layers/*/diff; do
		[ -d "$path" ]
		is_closed "$path"
	done
	fl rm -f -t 0 "$C" >/dev/null
	fl volume rm inner >/dev/null
}

@test "cp reaches volumes and mounts of a container that does not run" {
	mkdir mnt dir
	echo x >dir/file
	echo old >single
	fl volume create outer >/dev/null
	fl volume create inner >/dev/null
	fl create --name "$C" --network none -v outer:/tmp/v -v inner:/tmp/v/in -v "$T/mnt:/tmp/v/mnt" \
		-v "$T/single:/tmp/single" --mount type=tmpfs,dst=/mnt "$IMAGE" cat /mnt/file >/dev/null
	for path in /tmp/v /tmp/v/in /tmp/v/mnt/new /mnt; do fl cp dir/file "$C:$path"; done
	fl cp dir/file "$C:/tmp/single"
	is "x x x x" "$(cat "$(fl volume inspect --format '{{.Mountpoint}}' outer)/file" \
		"$(fl volume inspect --format '{{.Mountpoint}}' inner)/file" mnt/new single | xargs)"
	fl cp "$C:/tmp/v" out
	is x "$(cat out/file)"
	[ ! -e out/in/file ]
	fl cp "$C:/tmp/single" got
	is x "$(cat got)"
	# What lies below a tmpfs is copied up into it.
	is x "$(fl start -a "$C")"
	fl rm "$C" >/dev/null
	fl volume rm outer inner >/dev/null
}

@test "cp: what is no place for files" {
	echo x >file
	mkfifo fifo
	fl create --name "$C" --network none "$IMAGE" true >/dev/null
	for path in fifo /dev/stdout; do
		try cp "$C:/etc/passwd" "$path"
		is 125 "$status"
		contains "$output" "\"$path\" must be a directory or a regular file"
	done
	[ -p fifo ]
	try cp - "$C:/etc/passwd" <file
	contains "$output" "destination must be a directory when copying from stdin"
	try cp - "$C:/etc" <file
	contains "$output" "source must be a (compressed) tar archive when copying from stdin"
}

@test "cp cannot be led out of the container" {
	fl create --name "$C" --network none "$IMAGE" true >/dev/null
	root=$(fl mount "$C")
	ln -s "$T" "$root/abs"
	ln -s ../../../../../../../../../../.."$T" "$root/rel"
	echo x >file
	# A link is resolved inside the container, where its target does not exist.
	try cp file "$C:/abs/stolen"
	is 125 "$status"
	try cp file "$C:/rel/stolen"
	is 125 "$status"
	[ ! -e "$T/stolen" ]
	try cp "$C:/abs/file" got
	is 125 "$status"
	fl unmount "$C" >/dev/null
}

@test "an image that a container uses stays" {
	fl create --name "$C" --network none "$IMAGE" true >/dev/null
	try rmi "$IMAGE"
	is 2 "$status"
	contains "$output" "in use by a container"
	fl image prune -af >/dev/null
	fl image exists "$IMAGE"
	fl tag "$IMAGE" localhost/again:1
	fl rmi -f again:1 >/dev/null
	# By force its containers go as well.
	fl rmi -f "$IMAGE" >/dev/null
	try container exists "$C"
	is 1 "$status"
}

@test "ps and inspect name the image" {
	fl create --name "$C" --network none "$IMAGE" true >/dev/null
	is "$IMAGE" "$(inspect "$C" '{{.ImageName}}')"
	is "$(fl images -q --no-trunc "$IMAGE")" "sha256:$(inspect "$C" '{{.Image}}' | sed 's/^sha256://')"
	is "$IMAGE" "$(fl inspect --type image --format '{{index .RepoTags 0}}' "$IMAGE")"
}
