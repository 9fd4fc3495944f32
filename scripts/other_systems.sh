# Other systems than Linux on this processor, as far as Linux can tell: sourced by ./check.

# other_systems BUILD: the unit tests on what macOS uses instead of Linux's own calls, and every
# source of molecule-mcp compiled for macOS and for Linux on arm64.
other_systems() {
  local target
  configure build-fallbacks clang++-19 -Dfallbacks=true
  build build-fallbacks
  unit_tests build-fallbacks
  # The compiler that has the headers of other systems is not in Debian; the wheel holds it.
  if [ ! -x build/zig/bin/python ] || ! build/zig/bin/python -c 'import ziglang' 2>/dev/null; then
    { $python -m venv build/zig && build/zig/bin/pip install -q ziglang==0.17.1; } \
      >build/zig.log 2>&1 || true
  fi
  for target in aarch64-macos aarch64-linux-gnu; do
    if ! build/zig/bin/python -c 'import ziglang' 2>/dev/null; then
      note "compiles for $target" skip 'ziglang could not be installed'
      continue
    fi
    say "compiling for $target"
    if $python scripts/cross_compile.py "$1" build/zig/bin/python "$target" \
        >"$results/$target.txt" 2>&1; then
      note "compiles for $target" pass
    else
      tail -n 40 "$results/$target.txt"
      note "compiles for $target" fail
    fi
  done
}
