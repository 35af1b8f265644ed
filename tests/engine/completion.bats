#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
#
# Once is enough, with any runtime.
#
# Completion in bash, zsh and fish, each asked as a user asks it: commands, options, values, and names of what there is.
#
# Without sanitizers is enough.

load ../lib/engine

setup()
{
	engine_setup
	mkdir bin
	# What the scripts call to list names.
	printf '#!/bin/sh\nexec %q --root %q --runroot %q --network-config-dir %q "$@"\n' "$FLOE" "$ENGINE/root" "$ENGINE/run" "$T/networks" >bin/floe
	chmod +x bin/floe
	export PATH=$T/bin:$PATH
	start_idle "$C"
	fl create --name "$C-new" --rootfs "$ROOTFS" true >/dev/null
	fl volume create "vol-$C" >/dev/null
	echo x | fl secret create "secret-$C" - >/dev/null
	floe network create "net-$C" >/dev/null
	tar -C "$ROOTFS" -c . | fl import - "localhost/image-$C:1" >/dev/null 2>&1
}

teardown()
{
	fl secret rm --all >/dev/null
	fl rm -f -t 0 "$C" "$C-new" >/dev/null
	fl rmi --all --force >/dev/null
	engine_clean_up
}

# What each shell offers is looked at in the same way: offers LINE EXPECTED...; the line ends where the cursor is.
in_bash()
{
	bash -c '. "$1"; COMP_LINE=$2; read -ra COMP_WORDS <<<"$2"; [[ $2 != *" " ]] || COMP_WORDS+=("")
		COMP_CWORD=$((${#COMP_WORDS[@]} - 1)); COMP_POINT=${#2}
		_floe; printf "%s\n" "${COMPREPLY[@]}"' bash "$T/completion.bash" "$1"
}

in_fish()
{
	HOME=$T XDG_CONFIG_HOME=$T/fish fish --no-config -c "source $T/completion.fish; complete -C '$1'" | cut -f 1
}

# An interactive zsh on a terminal of its own. Each match goes to a file, by a compadd that tells what it is given.
in_zsh()
{
	cat >"$T/zshrc" <<-ZSH
		PROMPT= RPROMPT=
		autoload -Uz compinit && compinit -u -D
		source $T/completion.zsh
		compdef _floe floe
		zstyle ':completion:*' list-prompt ''
		compadd() {
			local -a __hits; builtin compadd -O __hits "\$@"
			print -rl -- \$__hits >>$T/hits
			builtin compadd "\$@"
		}
		told() { print done >>$T/hits }
		zle -N told
		bindkey '^G' told
		print ready >>$T/hits
	ZSH
	cat >"$T/drive.zsh" <<-'ZSH'
		zmodload zsh/zpty
		zpty z zsh -fi
		zpty -w z "source $1"
		until_told() { for i in {1..200}; do zpty -rt z >/dev/null; grep -q "^$1" $2 && break; sleep 0.05; done }
		until_told ready $3
		zpty -n -w z "$2"$'\t\a'
		until_told done $3
		zpty -d z
	ZSH
	: >"$T/hits"
	timeout 30 zsh -f "$T/drive.zsh" "$T/zshrc" "$1" "$T/hits" >/dev/null 2>&1
	grep -vx -e 'done' -e ready "$T/hits" || :
}

offers()
{
	local line=$1 word got
	shift
	got=$("in_$SHELL_UNDER_TEST" "$line")
	for word; do
		grep -qxF -- "$word" <<<"$got" || fail "$SHELL_UNDER_TEST: '$line' does not offer '$word', but:" "$got" || return 1
	done
}

# Only asked of a list that comes empty or with something else: what is asked first is that names come at all.
offers_not()
{
	! grep -qxF -- "$2" <<<"$("in_$SHELL_UNDER_TEST" "$1")" || fail "$SHELL_UNDER_TEST: '$1' offers '$2'"
}

all_of()
{
	SHELL_UNDER_TEST=$1
	command -v "$1" >/dev/null || skip "no $1"
	"$FLOE" completion "$1" >"$T/completion.$1"
	offers "floe " run ps network system
	offers "floe network " ls rm inspect
	offers "floe run --net" --network --network-alias
	offers "floe --cgroup-manager " cgroupfs systemd
	offers "floe stop " "$C"
	offers "floe exec " "$C"
	offers "floe start " "$C-new"
	offers "floe rm " "$C" "$C-new"
	offers_not "floe stop " "$C-new"
	offers_not "floe start " "$C"
	offers_not "floe unpause " "$C"
	offers "floe container rm " "$C"
	offers "floe volume rm " "vol-$C"
	offers "floe secret inspect " "secret-$C"
	offers "floe network rm " "net-$C"
	offers "floe rmi " "localhost/image-$C:1"
	offers "floe run " "localhost/image-$C:1"
	offers "floe run --network " bridge host container: "net-$C"
	offers "floe run --restart " always on-failure
	offers "floe create --volume " "vol-$C"
	offers "floe create --volumes-from " "$C"
	offers "floe run --ipc " shareable ns:
	offers "floe ps --filter " name= status=
	offers "floe volume ls --filter " dangling= driver=
	offers "floe ps --format " json
	offers "floe save --format " docker-dir
	offers "floe stop --filter " label=
	offers "floe kill --signal " USR1
}

@test "bash completes commands, options, values and names" {
	all_of bash
}

@test "zsh completes commands, options, values and names" {
	all_of zsh
}

@test "fish completes commands, options, values and names" {
	all_of fish
}

# Several spellings of a command share the page of the shortest; these have another name there.
page_of()
{
	case $1 in
	image-ls) echo images ;;
	image-rm) echo rmi ;;
	container-list) echo ps ;;
	container-* | image-* | system-*)
		if [ -e "$SOURCE/docs/man/floe-$1.8.scd" ]; then
			echo "$1"
		else
			echo "${1#*-}"
		fi ;;
	*) echo "$1" ;;
	esac
}

# As podman's own test does it: each option of each command is asked for its values.
@test "the value of every option of every command can be asked for, without an error" {
	local known='format filter network pull restart volume'
	"$FLOE" completion bash >completion.bash
	"$FLOE" --dump-cli | jq -r '
		def walk(p): .commands[]? | select(.hidden | not) | (p + "/" + .name) as $n
			| (.options[]? | select(.hidden | not) | $n + ":--" + .name), walk($n);
		walk("")' >options
	[ "$(wc -l <options)" -gt 500 ]
	bash -c '. ./completion.bash; while read -r option; do
		if kind=$(_floe_value "$option" 2>>errors); then printf "%s %s\n" "${option##*--}" "$kind"; fi
		done <options' >kinds
	[ ! -s errors ] || fail "$(cat errors)"
	for option in $known; do
		! grep -E "^$option @any" kinds || fail "nobody knows the values of --$option"
	done
	# What is called for names works.
	sed -n 's/.*@run://p' kinds | sort -u >called
	[ -s called ]
	while read -r command; do
		sh -c "$command" >/dev/null
	done <called
}

@test "every command has a manual page, and every page a command" {
	"$FLOE" --dump-cli | jq -r 'def names(p): .commands[]? | select(.hidden | not) | (p + .name) as $n | $n, names($n + "-"); names("")' |
		grep -vx help | while read -r name; do page_of "$name"; done | sort -u >commands
	find "$SOURCE/docs/man" -name 'floe-*.8.scd' ! -name 'floe-runtime*' -printf '%f\n' | sed 's/^floe-//; s/\.8\.scd$//' | sort >pages
	diff commands pages
	grep -oE "'-[a-z-]+'" "$SOURCE/docs/man/meson.build" | tr -d "'" | sed 's/^-//' | sort -u >built
	run comm -23 pages built
	is "" "$output"
}

@test "what podman has and floe has not is in the documentation" {
	"$FLOE" --dump-cli >dump.json
	run "$SOURCE/tests/engine/podman-missing" dump.json "$SOURCE/docs/podman-compat.md"
	[ "$status" -eq 0 ] || fail "not in docs/podman-compat.md, 'Not there':" "$output"
}
