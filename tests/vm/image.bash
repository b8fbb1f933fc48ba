# shellcheck shell=bash
# The guest's kernel and its initramfs. Sourced by run; everything lands under the cache folder given.

# What the tests use inside the guest, beside the product's own programs.
guest_tools=(bash ip nsenter wg nft conntrack)

# Loaded by the guest before the first namespace: nothing in the tests depends on autoloading. What a
# test binary asks for beyond these, the kernel fetches itself with busybox modprobe.
guest_modules=(wireguard veth dummy tun
  nf_tables nft_ct nft_fib_inet nft_limit nft_numgen nft_connlimit nft_log nfnetlink_log nft_objref
  nft_reject_inet nft_masq nft_nat nft_chain_nat nft_hash nft_quota nft_redir nf_conntrack_netlink
  nf_flow_table_inet nft_flow_offload)

# fetch_kernel CACHE: prints the folder of an unpacked Debian cloud kernel; fails with the reason on
# stderr. An unpacked kernel is used again as it is.
fetch_kernel() {
  local cache=$1 package folder unpack
  folder=$(find "$cache" -maxdepth 1 -type d -name 'linux-image-*' | sort -V | tail -n 1)
  if [[ -n $folder ]]; then
    echo "$folder"
    return
  fi
  package=$(apt-cache depends linux-image-cloud-amd64 2>/dev/null |
    awk '$1 == "Depends:" && $2 ~ /^linux-image-/ { print $2; exit }')
  if [[ -z $package ]]; then
    echo "no candidate for linux-image-cloud-amd64 in the package lists (apt-get update?)" >&2
    return 1
  fi
  unpack=$(mktemp -d "$cache/unpack.XXXXXX")
  if ! (cd "$unpack" && apt-get -qq download "$package" 2>"$cache/download.log"); then
    echo "cannot download $package: $(tail -n 1 "$cache/download.log")" >&2
    rm -rf "$unpack"
    return 1
  fi
  dpkg -x "$unpack"/*.deb "$unpack/root"
  rm "$unpack"/*.deb
  version=${package#linux-image-}
  busybox depmod -b "$unpack/root" "$version"
  # A second run that was as fast as this one has put the same content there.
  mv -T "$unpack/root" "$cache/$package" 2>/dev/null
  rm -rf "$unpack"
  echo "$cache/$package"
}

# add_program TREE FILE: the program at its own path, and every shared library it needs. Without debugging
# symbols, which would be most of the guest's memory.
add_program() {
  local tree=$1 file=$2 library
  install -D "$file" "$tree$file"
  strip --strip-debug "$tree$file" 2>/dev/null || true # a script has none
  while read -r library; do
    [[ -e $tree$library ]] || install -D "$library" "$tree$library"
  done < <(ldd "$file" 2>/dev/null | grep -o '/[^ ]*')
}

# add_modules TREE KERNEL: all modules the network needs, and the list of those loaded first.
add_modules() {
  local tree=$1 kernel=$2 version module folder
  version=$(basename "$kernel"/lib/modules/*)
  folder=lib/modules/$version
  for module in "${guest_modules[@]}"; do
    awk -F: -v name="/$module.ko" 'substr($1, length($1) - length(name) + 1) == name {
      print $1; n = split($2, needs, " "); for (i = 1; i <= n; i++) print needs[i] }' \
      "$kernel/$folder/modules.dep"
  done | sort -u | while read -r file; do
    install -D -m 644 "$kernel/$folder/$file" "$tree/$folder/$file"
  done
  install -m 644 "$kernel/$folder"/modules.{order,builtin,builtin.modinfo} "$tree/$folder"
  busybox depmod -b "$tree" "$version"
  printf '%s\n' "${guest_modules[@]}" >"$tree/vm/modules"
}

# build_initramfs TREE KERNEL OUTPUT: TREE already holds vm/ (what the guest runs) and the programs.
build_initramfs() {
  local tree=$1 kernel=$2 output=$3 tool applet
  mkdir -p "$tree"/{proc,sys,dev,run,tmp,etc,root,sbin,bin,usr/bin,var}
  for tool in "${guest_tools[@]}"; do
    add_program "$tree" "$(realpath "$(command -v "$tool")")"
    ln -sf "$(realpath "$(command -v "$tool")")" "$tree/bin/$tool"
  done
  # busybox's shell would run its own ip instead of the real one.
  ln -s bash "$tree/bin/sh"
  install -D "$(command -v busybox)" "$tree/bin/busybox"
  for applet in $(busybox --list); do
    [[ -e $tree/bin/$applet || -L $tree/bin/$applet ]] || ln -s busybox "$tree/bin/$applet"
  done
  ln -s ../bin/busybox "$tree/sbin/modprobe"
  printf 'root:x:0:0:root:/root:/bin/bash\n' >"$tree/etc/passwd"
  printf 'root:x:0:\nsekisho-admin:x:900:\n' >"$tree/etc/group"
  add_modules "$tree" "$kernel"
  # Not compressed: the emulated processor would take seconds over it.
  (cd "$tree" && find . -print0 | cpio --null --quiet -o -H newc -R 0:0) >"$output"
}
