"""Answers of the server as a history has them."""

import collections
import hashlib

from google.protobuf.message import DecodeError

from case import ABANDONED, EXECUTED, EXPIRED, FREE
from changes import change_text
from history import Effect, Key
from plans import allocation_text, key_pair_text, launch_text
from protos import operations_pb2, resources_pb2

STATES = {FREE: "FREE", EXECUTED: "EXECUTED", EXPIRED: "EXPIRED", ABANDONED: "ABANDONED"}


def digest(raw: bytes) -> str:
    return hashlib.sha256(raw).hexdigest()[:32]


def answer_of_error(reply) -> dict:
    """Fields of an Operation. An error with a reason is the server's word; any other is the network's."""
    if reply.reason:
        return {"answer": "refused", "reason": reply.reason}
    return {"answer": "unknown", "reason": reply.code.name}


def answer_of_execution(reply, key: Key, method: str, at_its_deadline: bool) -> dict:
    """When a reply comes at the moment of its deadline, gRPC's client gives it without its metadata."""
    if not reply.ok:
        return answer_of_error(reply)
    try:
        name, effect = _name_of_reply(reply.parsed.DESCRIPTOR.full_name, reply.raw), _REPLIED[method](key, reply.parsed)
    except (DecodeError, ValueError):
        name, effect = digest(reply.raw), Effect(key.name, (), "a reply to another method")
    return {"answer": reply.outcome or ("succeeded" if at_its_deadline else "no outcome"), "reply": name,
            "effects": (effect,)}


def answer_about_token(reply) -> dict:
    """Of GetToken and AbandonToken."""
    if not reply.ok:
        return answer_of_error(reply)
    token = reply.parsed.token
    return {"answer": STATES[token.state],
            "reply": _name_of_reply(token.reply_type, token.reply) if token.state == EXECUTED else ""}


def _name_of_reply(kind: str, raw: bytes) -> str:
    if kind == operations_pb2.Operation.DESCRIPTOR.full_name:
        return operations_pb2.Operation.FromString(raw).name
    return digest(kind.encode() + raw)


def _launched(key: Key, response) -> Effect:
    (effect,) = instances_of({key.name: key}, response.owner_id, response.instances)
    return effect


_REPLIED = {
    "RunInstances": _launched,
    "AllocateHosts": lambda key, response: Effect(key.name, tuple(sorted(response.host_ids))),
    "CreateKeypair": lambda key, response: Effect(
        key.name, (response.key_pair_id,), key_pair_text(key, key.tenant, response.key_name)),
    "ReleaseHosts": lambda key, response: _changed(key, "ReleaseHosts", response.host_ids),
    "DeleteKeypair": lambda key, response: _changed(key, "DeleteKeypair", [response.key_pair_id]),
    "TerminateInstances": lambda key, response: _changed(
        key, "TerminateInstances", [change.instance_id for change in response.terminating_instances]),
    "StopInstance": lambda key, operation: operation_of(key.name, operation),
    "StartInstance": lambda key, operation: operation_of(key.name, operation),
}


def _changed(key: Key, method: str, ids) -> Effect:
    text = change_text(method, ids)
    return Effect(key.name, (text,), text)


def operation_of(key: str, operation) -> Effect:
    """The effect of StopInstance and StartInstance."""
    metadata = resources_pb2.InstanceOperationMetadata()
    operation.metadata.Unpack(metadata)
    return Effect(key, (operation.name,), change_text(metadata.method, [metadata.instance_id]),
                  digest(operation.SerializeToString(deterministic=True)) if operation.done else "")


def operations_of(keys: dict, operations) -> list:
    """Operations do not tell by whom they were begun: that is known by what they do, which only one key does."""
    names = {key.change: key.name for key in keys.values() if key.change}
    return [operation_of(names.get(operation_of("", operation).parameters, ""), operation) for operation in operations]


def instances_of(keys: dict, tenant: str, instances) -> list:
    """One effect for each reservation. One that no key in `keys` is known for has no parameters."""
    reservations = collections.defaultdict(list)
    for instance in instances:
        reservations[instance.reservation_id].append(instance)
    effects = []
    for reservation_id, launched in reservations.items():
        shown = {(i.tags["key"], i.tags["variant"], i.client_token, i.image_id, i.region, i.availability_zone)
                 for i in launched}
        name, variant, token, image, region, zone = sorted(shown)[0]
        key = keys.get(name)
        parameters = key and launch_text(key, tenant, token, variant, image, len(launched))
        if key and (len(shown) > 1 or region != key.region or key.zone not in ("", zone)):
            parameters = f"RunInstances of several kinds, or elsewhere: {shown}"
        effects.append(Effect(name, (reservation_id, *sorted(i.instance_id for i in launched)), parameters))
    return effects


def hosts_of(keys: dict, tenant: str, hosts) -> list:
    """One effect for each allocation, which its time tells from another of the same key."""
    allocations = collections.defaultdict(list)
    for host in hosts:
        allocations[host.tags["key"], host.allocation_time.ToNanoseconds()].append(host)
    effects = []
    for (name, _), allocated in allocations.items():
        key = keys.get(name)
        (token, *others) = {host.client_token for host in allocated}
        parameters = key and not others and allocation_text(key, tenant, token, len(allocated))
        effects.append(Effect(name, tuple(sorted(host.host_id for host in allocated)), parameters or None))
    return effects


def key_pairs_of(keys: dict, tenant: str, pairs) -> list:
    effects = []
    for pair in pairs:
        key = keys.get(pair.tags["key"])
        effects.append(Effect(pair.tags["key"], (pair.key_pair_id,),
                              key and key_pair_text(key, tenant, pair.key_name)))
    return effects
