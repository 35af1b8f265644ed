#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
#
# Options of create and run that have no test elsewhere, and the table in docs/cli-compat.md.

load ../lib/helpers

@test "--config takes another configuration than the bundle's" {
	[ "$RUNTIME_NAME" != runc ] || skip "crun's option"
	script_is 'exit 9'
	mv "$BUNDLE/config.json" "$T/other.json"
	run_container --config "$T/other.json"
	[ "$status" -eq 9 ]
	run_container -f "$T/none.json"
	refuses 1 "$T/none.json"
}

@test "--pidfd-socket sends a pidfd of the container's process" {
	floe_only "Debian's others lack it"
	idle_command
	receive_pidfd
	create_container --pidfd-socket "$T/pidfd"
	ends_with 0 "$receiver"
	[ "$(cat "$T/received")" = "standard $(pid_of)" ]
	remove_container
}

@test "--no-new-keyring leaves the caller's keyring" {
	floe_only "others name theirs otherwise"
	[ -e /proc/keys ] || skip "this kernel has no /proc/keys"
	idle_command
	start_detached
	grep -q "_ses.$ID:" /proc/keys
	remove_container
	new_id plain
	start_detached --no-new-keyring
	run ! grep -q "_ses.$ID:" /proc/keys
	remove_container
}

@test "--no-subreaper leaves orphans of the container to others" {
	script_is 'exit 3'
	run_container --no-subreaper
	[ "$status" -eq 3 ]
	if is_floe; then
		create_container --no-subreaper
		remove_container
	fi
}

@test "--rootless and --cgroup-manager are understood" {
	floe_only "others differ"
	for option in "--rootless true" "--rootless=false" "--rootless auto" "--cgroup-manager cgroupfs" "--cgroup-manager=disabled"; do
		# A user's driver is the user's systemd, which root has not.
		if is_systemd_driver && [ "$option" = "--rootless true" ]; then
			continue
		fi
		# As root it would have to load device rules.
		if is_rootless && [ "$option" = --rootless=false ]; then
			continue
		fi
		# shellcheck disable=SC2086 # two words
		"$FLOE_RUNTIME" --root "$STATE" $option run --bundle "$BUNDLE" "$ID" </dev/null 3>&- 4>&-
	done
	run "$FLOE_RUNTIME" --root "$STATE" --rootless perhaps list
	refuses 1 perhaps
}

@test "spec --config names the file, --rootless is for a user" {
	[ "$RUNTIME_NAME" != runc ] || skip "crun's option"
	mkdir "$T/new"
	rt spec --bundle "$T/new" --config other.json --rootless
	[ "$(ls "$T/new")" = other.json ]
	jq -e '([.linux.namespaces[].type] | contains(["user"]) and (contains(["network"]) | not))
		and (.linux.uidMappings | length == 1)' "$T/new/other.json"
}

@test "checkpoint --print-stats prints what CRIU measured" {
	needs_root "freeze processes"
	floe_only
	idle_command
	rt run --detach --bundle "$BUNDLE" "$ID" </dev/null >/dev/null 2>&1
	rt checkpoint --print-stats --image-path "$T/image" "$ID" >"$T/stats"
	jq -e '.frozen_time > 0 and .pages_written > 0' "$T/stats"
	[ -z "$(rt list -q)" ]
}

# --- the table ----------------------------------------------------------------------------------------------------------

@test "every option in docs/cli-compat.md is one of the program's, and every one of the program's is in it" {
	floe_only
	"$FLOE_RUNTIME" --dump-cli | jq -r '
		(.options[] | select(.name != "dump-cli" and .name != "crun-version") | "global --" + .name),
		(.commands[] | select(.name != "completion") | .name as $c | .options[] | $c + " --" + .name)' | sort >"$T/program"
	sed -n 's/^| \([a-z]*\) | `\(--[a-z0-9-]*\).*/\1 \2/p' "$SOURCE/docs/cli-compat.md" | sort >"$T/table"
	diff "$T/program" "$T/table"
}
