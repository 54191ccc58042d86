#!/usr/bin/env bash
# One Apache Kafka broker on this machine, without Docker: for tests, and to try things.
#
#   kafka.sh start DIR [PORT]   start it on 127.0.0.1, data in DIR; wait until it answers; print its address
#   kafka.sh stop DIR           stop it; its data stays
#   kafka.sh status DIR         print its address, or say that it is down (and fail)
#   kafka.sh fetch              only fetch the jars
#   kafka.sh libs               print where the jars are (and fail if they are not there)
#
# It needs Java 17 and, the first time, Maven. A port that is not given is a free one, and kept for the next start.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# Another pom.xml is another set of jars.
libs=${XDG_CACHE_HOME:-$HOME/.cache}/tapedeck/kafka-$(cksum <"$here/pom.xml" | cut -d ' ' -f 1)

fail() { echo "kafka.sh: $*" >&2; exit 1; }
usage() { sed -n '2,10s/^# \{0,1\}//p' "${BASH_SOURCE[0]}" >&2; exit 2; }

fetch() {
	[ ! -d "$libs" ] || return 0
	command -v mvn >/dev/null || fail "fetching the jars of Kafka needs mvn (Debian, Ubuntu: apt install maven)"
	mkdir -p "$(dirname "$libs")"
	part=$(mktemp -d "$libs.XXXXXX")
	trap 'rm -rf "$part"' EXIT
	echo "fetching the jars of Kafka (43 MB)" >&2
	mvn -q -B -f "$here/pom.xml" dependency:copy-dependencies -DoutputDirectory="$part" >&2 ||
		fail "maven could not fetch the jars named in $here/pom.xml: see its lines above"
	[ -d "$libs" ] || mv "$part" "$libs" # another one may have been faster
}

# A port where nobody answers, below those that the system gives to connections.
free_port() {
	local port
	while port=$((RANDOM % 12000 + 20000)); do
		(exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null || { echo "$port"; return; }
	done
}

running() {
	local pid
	pid=$(cat "$dir/pid" 2>/dev/null) && ps -ww -o args= -p "$pid" 2>/dev/null | grep -qF "$dir/server.properties"
}

kept() { sed -n "s|^$1=.*127.0.0.1:\([0-9]*\).*|\1|p" "$dir/server.properties" 2>/dev/null || true; }

configure() {
	local port=${1:-$(kept advertised.listeners)} control
	control=$(kept controller.quorum.voters)
	port=${port:-$(free_port)} control=${control:-$(free_port)}
	cat >"$dir/server.properties" <<-END
		process.roles=broker,controller
		node.id=1
		controller.quorum.voters=1@127.0.0.1:$control
		controller.listener.names=CONTROLLER
		listeners=CLIENT://127.0.0.1:$port,CONTROLLER://127.0.0.1:$control
		advertised.listeners=CLIENT://127.0.0.1:$port
		listener.security.protocol.map=CLIENT:PLAINTEXT,CONTROLLER:PLAINTEXT
		inter.broker.listener.name=CLIENT
		log.dirs=$dir/data
		auto.create.topics.enable=false
		offsets.topic.num.partitions=1
		offsets.topic.replication.factor=1
		transaction.state.log.num.partitions=1
		transaction.state.log.replication.factor=1
		transaction.state.log.min.isr=1
		log.retention.check.interval.ms=1000
		broker.session.timeout.ms=3000
		broker.heartbeat.interval.ms=500
	END
}

tool() { java -Dlog4j2.level=ERROR -cp "$libs/*" kafka.tools.StorageTool "$@"; }

start() {
	command -v java >/dev/null || fail "Kafka needs Java 17 (Debian, Ubuntu: apt install openjdk-17-jre-headless)"
	fetch
	umask 077
	if ! running; then
		configure "${1:-}"
		if [ ! -e "$dir/data/meta.properties" ]; then
			local id
			id=$(tool random-uuid)
			tool format -t "$id" -c "$dir/server.properties" >"$dir/format.log"
		fi
		nohup java -Xmx384m -XX:+UseSerialGC \
			-Dlog4j2.configurationFile="$here/log4j2.properties" -cp "$libs/*" \
			kafka.Kafka "$dir/server.properties" >"$dir/broker.log" 2>&1 </dev/null &
		echo $! >"$dir/pid"
	fi
	local tries=600
	until grep -q 'Kafka Server started' "$dir/broker.log"; do
		running || fail "the broker did not start: see $dir/broker.log"
		((tries--)) || fail "the broker did not answer for a minute: see $dir/broker.log"
		sleep 0.1
	done
	status
}

stop() {
	running || return 0
	local pid tries=300
	pid=$(cat "$dir/pid")
	kill "$pid"
	while running; do
		((tries--)) || { kill -9 "$pid"; break; }
		sleep 0.1
	done
}

status() {
	running || fail "no broker runs in $dir"
	echo "127.0.0.1:$(kept advertised.listeners)"
}

case ${1:-} in
fetch) fetch ;;
libs) [ -d "$libs" ] && echo "$libs" ;;
start | stop | status)
	[ -n "${2:-}" ] || usage
	[ "$1" != start ] || mkdir -p "$2"
	dir=$(cd "$2" 2>/dev/null && pwd) || fail "no broker runs in $2"
	"$1" "${@:3}"
	;;
*) usage ;;
esac
