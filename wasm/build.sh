#!/usr/bin/env bash
# Builds the two Wasm modules and what is known of them: dist/tombolo.wasm, dist/mac.wasm, dist/tombolo.json.
#
#   build.sh                 build and write dist/
#   build.sh --check         build into a temporary folder; fail if dist/ does not belong to these sources,
#                            compare bytes where rustc and route are those of dist/ (elsewhere the vectors decide)
#   build.sh --source-hash   print the hash of what the module is made from; needs no Rust
#
# Two routes, the first that works:
#   rustup   the toolchain's own wasm32-unknown-unknown, installed or addable
#   debian   rustc-web, cargo-web, rust-web-src and lld-22 from apt, std built from its source
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"
export LC_ALL=C

TARGET=wasm32-unknown-unknown
# What one crate gives and what it is called in dist/, in this order everywhere.
MODULES=(tombolo mac)

# The most that one instance may grow to. CSV needs 10 MiB at worst; the rest is for decoded pictures.
MEMORY_BYTES_MAX=67108864
# Everything that shapes the bytes and is the same on every machine; part of the source hash.
# No relaxed-simd (Node 20 refuses it). No wasm-opt: it takes 11 % off the raw size and nothing off brotli,
# and its version would be a third thing, beside rustc and route, that the bytes depend on.
FLAGS=(-Ctarget-feature=+simd128 "-Clink-arg=--max-memory=$MEMORY_BYTES_MAX")

sha256() { if command -v sha256sum >/dev/null; then sha256sum "$@"; else shasum -a 256 "$@"; fi | cut -d' ' -f1; }

source_hash() {
  {
    printf '%s\n' "${FLAGS[@]}"
    for file in Cargo.toml Cargo.lock mac/Cargo.toml $(find src mac/src -type f -name '*.rs' | sort); do
      printf '%s %s\n' "$(sha256 "$file")" "$file"
    done
  } | sha256
}

field() { sed -n "s/^  \"$1\": \"\{0,1\}\([^\",]*\).*/\1/p" "$2"; }

choose_route() {
  if command -v rustup >/dev/null && { rustup target list --installed | grep -qx $TARGET || rustup target add $TARGET; } >&2; then
    ROUTE=rustup RUSTC=$(rustup which rustc) CARGO=$(rustup which cargo)
  elif [ -d "$(rustc --print sysroot 2>/dev/null)/lib/rustlib/$TARGET/lib" ]; then
    ROUTE=rustup RUSTC=$(command -v rustc) CARGO=$(command -v cargo)
  elif [ -x /usr/bin/rustc ] && [ -d "$(/usr/bin/rustc --print sysroot)/lib/rustlib/src/rust/library" ] && command -v wasm-ld-22 >/dev/null; then
    ROUTE=debian RUSTC=/usr/bin/rustc CARGO=/usr/bin/cargo
  else
    echo "no Rust for $TARGET here. Either: rustup target add $TARGET" >&2
    echo "or: apt-get install -y --no-install-recommends rustc-web cargo-web rust-web-src lld-22" >&2
    exit 1
  fi
  VERSION=$("$RUSTC" --version)
}

# build TARGET_DIR: the modules into BUILT, under their names in dist/, with no path of this machine in them.
build() {
  local sysroot commit flags std=()
  sysroot=$("$RUSTC" --print sysroot)
  commit=$("$RUSTC" -vV | sed -n 's/^commit-hash: //p')
  flags=("${FLAGS[@]}"
    "--remap-path-prefix=${CARGO_HOME:-$HOME/.cargo}=/cargo"
    "--remap-path-prefix=$PWD=/wasm"
    "--remap-path-prefix=$sysroot/lib/rustlib/src/rust=/rustc/$commit")
  if [ "$ROUTE" = debian ]; then
    export RUSTC_BOOTSTRAP=1 CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_LINKER=wasm-ld-22
    std=(-Zbuild-std=std,panic_abort)
  fi
  RUSTC=$RUSTC CARGO_ENCODED_RUSTFLAGS=$(IFS=$'\x1f'; echo "${flags[*]}") \
    "$CARGO" build --release --locked --workspace --lib --target $TARGET --target-dir "$1" ${std[@]+"${std[@]}"} >&2
  BUILT=$1/$TARGET/release
  cp "$BUILT/tombolo_mac.wasm" "$BUILT/mac.wasm"
}

describe() {
  cat <<JSON
{
  "rustc": "$VERSION",
  "route": "$ROUTE",
  "source": "$(source_hash)",
$(for name in "${MODULES[@]}"; do printf '  "%s": "%s",\n' "$name" "$(sha256 "dist/$name.wasm")"; done)
  "bytes": $(cat dist/*.wasm | wc -c | tr -d ' ')
}
JSON
}

check() {
  [ "$(field source dist/tombolo.json)" = "$(source_hash)" ] || { echo "dist/ was built from other sources: run wasm/build.sh" >&2; exit 1; }
  for name in "${MODULES[@]}"; do
    [ "$(field "$name" dist/tombolo.json)" = "$(sha256 "dist/$name.wasm")" ] || { echo "dist/$name.wasm is not the one that dist/tombolo.json describes" >&2; exit 1; }
  done
  choose_route
  local folder
  folder=$(mktemp -d)
  trap "rm -rf '$folder'" EXIT
  build "$folder"
  if [ "$(field rustc dist/tombolo.json)" != "$VERSION" ] || [ "$(field route dist/tombolo.json)" != "$ROUTE" ]; then
    echo "dist/ comes from $(field rustc dist/tombolo.json) by $(field route dist/tombolo.json), this machine has $VERSION by $ROUTE: it builds here, bytes are not compared, the vectors decide"
    return
  fi
  for name in "${MODULES[@]}"; do
    cmp -s "$BUILT/$name.wasm" "dist/$name.wasm" || { echo "dist/$name.wasm is not what these sources give ($VERSION, $ROUTE)" >&2; exit 1; }
  done
  echo "dist/ is what these sources give ($VERSION, $ROUTE)"
}

case "${1:-}" in
--source-hash) source_hash ;;
--check) check ;;
"")
  choose_route
  build target
  mkdir -p dist
  for name in "${MODULES[@]}"; do install -m 644 "$BUILT/$name.wasm" "dist/$name.wasm"; done
  described=$(describe)
  tee dist/tombolo.json <<<"$described"
  ;;
*) echo "usage: wasm/build.sh [--check | --source-hash]" >&2; exit 2 ;;
esac
