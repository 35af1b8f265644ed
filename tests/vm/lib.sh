# shellcheck shell=bash disable=SC2034,SC2154 # for, and of, the scripts that source this
# SPDX-License-Identifier: Apache-2.0
#
# Shared by build, run and check; sourced, never run. Where the VM is kept, how its qemu is started and how it is talked to.
#
# What build makes is three directories in $vm_store, each with a stamp that says what it was made from:
#
#	qemu/	Debian's qemu and all it depends on, unpacked; starts by the loader of this tree, nothing is installed
#	root/	the guest's root file system as the packages left it
#	image/	kernel and initramfs; disk.raw, ram and state: the disk, the memory and the devices of the guest as they
#		were when it had booted and gone idle
#
# A VM is resumed from image/ without copying: its memory is a private mapping of ram, its writes to the disk go to a
# temporary file without a name. So any number of VMs may run from one image, and none changes it.

# shellcheck source=../../tools/lib.sh
. "$vm_dir/../../tools/lib.sh"

vm_source=$(readlink -f "$vm_dir/../..")
vm_cache=$(realpath -ms "${FLOE_CACHE:-/var/cache/floe}")
vm_store=$vm_cache/vm
vm_suite=trixie
vm_memory_mib=2048
# The size that the guest's kernel has seen when it booted; every staged image has it. Sparse.
vm_stage_mib=1024
vm_boot_seconds=${FLOE_VM_BOOT_SECONDS:-900}

# now: seconds with milliseconds, and since TIME: the difference, for messages.
now()
{
	printf '%s' "$EPOCHREALTIME"
}

since()
{
	awk -v a="$1" -v b="$EPOCHREALTIME" 'BEGIN { printf "%.1f s", b - a }'
}

# make_image FILE MIB DIR: an ext4 file system with the contents of DIR. Nothing is mounted. It has no journal: what is
# killed in the middle is thrown away.
make_image()
{
	local file=$1 mib=$2 dir=$3 out
	truncate -s "${mib}M" "$file"
	out=$(mke2fs -q -F -t ext4 -O ^has_journal -m 0 -E lazy_itable_init=1,nodiscard -d "$dir" "$file" 2>&1) ||
		die "make the image '$file': ${out##*$'\n'}"
}

# vm_launch MODE DIR STAGE: start qemu in the background, its sockets and logs in DIR; sets $vm_pid. MODE is
# boot (disk and memory are files of DIR and are written) or resume (those of the kept image, which are not). It ends with
# this shell, however that ends.
vm_launch()
{
	local mode=$1 dir=$2 stage=$3 image=$vm_store/image qemu=$vm_store/qemu memory disk loader incoming=

	if [ "$mode" = boot ]; then
		image=$dir
		memory=share=on
		disk=snapshot=off
	else
		incoming=yes
		memory=share=off,readonly=on,rom=off
		disk=snapshot=on
	fi
	loader=("$qemu"/usr/lib/x86_64-linux-gnu/ld-linux-x86-64.so.2)
	# In a session of its own: a Ctrl-C is for the caller, who ends the VM by its pid.
	QEMU_MODULE_DIR=$qemu/usr/lib/x86_64-linux-gnu/qemu TMPDIR=$dir \
		setpriv --pdeathsig KILL setsid nice -n "${FLOE_VM_NICE:-10}" \
		"${loader[0]}" --library-path "$qemu/usr/lib/x86_64-linux-gnu" "$qemu/usr/bin/qemu-system-x86_64" \
		-L "$qemu/usr/share/qemu" -L "$qemu/usr/share/seabios" -L "$qemu/usr/lib/ipxe/qemu" \
		-nodefaults -no-user-config -display none -no-reboot \
		-M q35,memory-backend=ram -accel tcg,thread=multi,tb-size=512 -cpu Nehalem -smp 2 -m $vm_memory_mib \
		-object "memory-backend-file,id=ram,size=${vm_memory_mib}M,mem-path=$image/ram,$memory" \
		-kernel "$image/vmlinuz" -initrd "$image/initramfs" -append "$vm_kernel_arguments" \
		-drive "id=root,if=none,format=raw,file=$image/disk.raw,cache=unsafe,$disk" \
		-device virtio-blk-pci,drive=root \
		-drive "id=stage,if=none,format=raw,file=$stage,read-only=on" -device virtio-blk-pci,drive=stage \
		-device virtio-serial-pci -chardev "socket,id=agent,path=$dir/agent,server=on,wait=off" \
		-device virtserialport,chardev=agent,name=floe.agent \
		-qmp "unix:$dir/qmp,server=on,wait=off" \
		-chardev "file,id=console,path=$dir/console" -serial chardev:console \
		${incoming:+-incoming defer} >"$dir/qemu.log" 2>&1 </dev/null &
	vm_pid=$!
}

# Console on the serial port; no mitigations (nobody to protect from, and emulation makes them dear); a panic ends qemu; huge
# pages for the tests that map some.
vm_kernel_arguments='rw console=ttyS0 quiet mitigations=off tsc=reliable no_timer_check audit=0
systemd.show_status=0 panic=-1 hugepages=16'
vm_kernel_arguments=${vm_kernel_arguments//$'\n'/ }

# vm_resume DIR STAGE: a VM that goes on from where build left it.
vm_resume()
{
	local dir=$1 stage=$2 out
	vm_launch resume "$dir" "$stage"
	out=$(python3 "$vm_dir/monitor" "$dir/qmp" load "$vm_store/image/state" 2>&1) ||
		die "resume the VM: ${out##*$'\n'} ($(vm_reason "$dir"))"
}

# vm_call DIR [OPTION...] <SCRIPT: have the guest run a shell script (see `call`). In the background, because a shell sees to
# a signal only when it does not wait for a command.
vm_call()
{
	local dir=$1
	shift
	python3 "$vm_dir/call" "$dir/agent" "$@" <&0 &
	vm_call_pid=$!
	wait $vm_call_pid
}

# End the VM, if there is one. Nothing that it knows is of any value.
vm_kill()
{
	if [ -n "${vm_call_pid:-}" ]; then
		kill "$vm_call_pid" 2>/dev/null || :
	fi
	if [ -n "${vm_pid:-}" ]; then
		kill -KILL "$vm_pid" 2>/dev/null || :
		wait "$vm_pid" 2>/dev/null || :
		vm_pid=
	fi
}

# Why qemu or the guest ended, in one line.
vm_reason()
{
	local dir=$1
	grep -hE -m 1 'Kernel panic|BUG:' "$dir/console" 2>/dev/null && return
	if [ -s "$dir/qemu.log" ]; then
		tail -n 1 "$dir/qemu.log"
	else
		echo "no word from qemu"
	fi
}

# vm_stage FILE DIR: an image with what the tests in the guest need of this build, by way of DIR. It shows in the guest as
# /floe: the sources, build/ with what the tests run, cache/ with the root file systems that were asked for.
vm_stage()
{
	local file=$1 dir=$2 build name program
	build=$(realpath -m "${FLOE_BUILD:-$vm_source/build}")
	[ -d "$build/src" ] || die "stage '$build': there is no build; make one (make) or set FLOE_BUILD"
	mkdir -p "$dir/build" "$dir/cache/rootfs"
	cp -a "$vm_source/tests" "$vm_source/tools" "$vm_source/docs" "$vm_source/src" "$dir/"
	# Programs and archives of functions, without what the compiler left beside them.
	(
		cd "$build" || exit
		find src/cli tests -type d -name '*.p' -prune -o -type f -perm /u+x -print
	) | while read -r program; do
		install -D "$build/$program" "$dir/build/$program"
	done
	# The same with fault points, for tests/fault.
	if [ -x "$vm_build_fault/src/cli/floe-runtime/floe-runtime" ]; then
		mkdir "$dir/build-fault"
		ln -s ../build/tests "$dir/build-fault/tests"
		for program in src/cli/floe-runtime/floe-runtime src/cli/floe-runtime/floe-runtime-main src/cli/floe/floe; do
			install -D "$vm_build_fault/$program" "$dir/build-fault/$program"
		done
	fi
	# The CRIU that this machine's tests have, where that is one that can be taken elsewhere.
	if [ "$vm_criu" = staged ] && [ -x "$vm_criu_prefix/bin/criu" ]; then
		cp -a "$vm_criu_prefix" "$dir/criu"
	fi
	for name in $vm_rootfs; do
		cp -a "$("$vm_source/tools/make-rootfs" "$name")" "$dir/cache/rootfs/$name"
		vm_rootfs_stamp >"$dir/cache/rootfs/.$name.stamp"
	done
	# A user's tests copy them.
	chmod -R o+rX "$dir/cache/rootfs"
	make_image "$file" $vm_stage_mib "$dir"
}

# The stamp by which tools/make-rootfs in the guest takes what lies there for what it would make: as its own function makes
# it, but for the guest's release.
vm_rootfs_stamp()
{
	# shellcheck disable=SC2016 # the other shell expands these
	bash -c '. "${0%/*}/lib.sh"
		eval "$(sed -n "/^fingerprint()/,/^}/p" "$0")"
		debian_codename() { echo '$vm_suite'; }
		fingerprint' "$vm_source/tools/make-rootfs"
}

# A build with fault points but without sanitizers, which are too slow for the guest; staged where there is one.
vm_build_fault=$(realpath -m "${FLOE_BUILD_FAULT:-$vm_source/build-fault}")

# The root file systems of tools/make-rootfs that are staged.
vm_rootfs=${FLOE_VM_ROOTFS:-busybox}

# Where tools/install-criu puts one, and whether the guest gets it ("staged") or has its own suite's ("guest").
vm_criu_prefix=$(realpath -ms "${FLOE_CRIU_PREFIX:-/usr/local/lib/floe/criu}")
vm_criu=${FLOE_VM_CRIU:-staged}

# The first thing to do in a guest that was resumed with a staged image.
vm_prelude="set -e
mount -o ro /dev/vdb /floe
if [ -e /floe/criu ]; then
	mkdir -p $vm_criu_prefix
	mount --bind /floe/criu $vm_criu_prefix
fi"
