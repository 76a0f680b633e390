"""The systems that Hapax is compared with, by name."""

from peer_etcd import Etcd
from peer_node_idempotency import NodeIdempotency
from peer_postgres import Postgres
from peer_redis import RedisAlways, RedisEverysec
from peer_restate import Restate

# Each is a systems.System, made with the build directory. scripts/setup --bench installs its programs; if something is
# still missing, unavailable() says what.
PEERS = {peer.name: peer for peer in (RedisAlways, RedisEverysec, Postgres, Etcd, Restate, NodeIdempotency)}
