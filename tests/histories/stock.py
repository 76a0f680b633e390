"""What there is of a tenant when nothing is on its way."""

import dataclasses
import time

from case import all_pages, pages
from client import OPERATIONS, Client
from observed import hosts_of, instances_of, key_pairs_of, operations_of
from protos import operations_pb2, resources_pb2

PATIENCE_S = 20
PAUSE_S = 0.01
REST = ("RUNNING", "STOPPED", "TERMINATED")


@dataclasses.dataclass(frozen=True)
class Stock:
    """As `effects` and `states` of an Operation."""

    effects: tuple
    states: tuple


def stock_of(client: Client, tenant: str, keys: dict) -> Stock:
    instances, operations = _at_rest(client)
    effects = [
        *instances_of(keys, tenant, instances),
        *operations_of(keys, operations),
        *hosts_of(keys, tenant, pages(client, "DescribeHosts", "hosts", page_size=1000)),
        *key_pairs_of(keys, tenant, pages(client, "DescribeKeypairs", "key_pairs", page_size=1000)),
    ]
    states = [(instance.instance_id, _state(instance)) for instance in instances]
    states += [(operation.name, _end(operation)) for operation in operations if operation.done]
    return Stock(tuple(effects), tuple(states))


def _at_rest(client: Client) -> tuple:
    """The instances and the operations, once all have come to rest; what does not in a long time is returned, too.

    Operations are not deleted: when there are no more of them afterwards, there were none while instances were read."""
    deadline = time.monotonic() + PATIENCE_S
    while True:
        operations = _operations(client)
        instances = pages(client, "DescribeInstances", "instances", page_size=1000)
        rest = all(o.done for o in operations) and all(_state(i) in REST for i in instances)
        if (rest and len(_operations(client)) == len(operations)) or time.monotonic() > deadline:
            return instances, operations
        time.sleep(PAUSE_S)


def _operations(client: Client) -> list:
    return all_pages(client, OPERATIONS + "ListOperations", "operations",
                     operations_pb2.ListOperationsRequest(page_size=1000))


def _end(operation) -> str:
    """FAILED, or the state of the instance as the operation tells it."""
    if operation.HasField("error"):
        return "FAILED"
    instance = resources_pb2.Instance()
    operation.response.Unpack(instance)
    return _state(instance)


def _state(instance) -> str:
    return resources_pb2.InstanceState.Name(instance.state).removeprefix("INSTANCE_STATE_")
