# Read by login shells.
PS1='nats-box:\w# '
[ -n "${BASH_VERSION:-}" ] || PS1='nats-box:~# '
case $- in
*i*)
	cat <<'TEXT'

   ·  nats-box  ·  a shell beside a NATS server of no organization

TEXT
	echo "nats --server nats.choria.local:4222 stream list shows what the replicator brought."
	;;
esac
