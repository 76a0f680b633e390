"""What is called: for each key of a history the requests that clients may send with it, drawn from a seed."""

import dataclasses
import random
import time
import uuid
from typing import Optional

from case import IMAGE, OTHER_IMAGE, hosts, keypair, run
from changes import METHODS, Change, change_text
from history import Key, Policy

TENANTS = ("a", "b")
REGIONS = ("us-east-1", "eu-west-1")
ZONES = {"us-east-1": ("us-east-1a", "us-east-1b"), "eu-west-1": ("eu-west-1a",)}
NO_IMAGE = "ami-none"
INSTANCE_TYPE = "m5.large"


@dataclasses.dataclass(frozen=True)
class Attempt:
    """A request that may be sent with a key. `request` is without the token; the rest is as in an Operation."""

    method: str
    request: object
    parameters: str
    flaw: str = ""
    again: str = ""
    at_times: str = ""


@dataclasses.dataclass(frozen=True)
class Plan:
    """A key, and its attempts; the first is the one that is sent most."""

    key: Key
    attempts: tuple


class Planner:
    """Plans number 0, 1, 2, ... of one round. A plan is made of its number alone, but for the times in its token, and
    what it changes."""

    def __init__(self, seed: str, policy: Policy, subnets: dict):
        """`subnets` has a subnet for each zone."""
        self._seed = seed
        self._policy = policy
        self._subnets = subnets

    @property
    def tenants(self) -> list:
        return [f"{self._seed}.{name}" for name in TENANTS]

    def plan(self, number: int, change: Optional[Change] = None) -> Plan:
        """A plan to make something, or mostly to make the change."""
        chance = random.Random(f"{self._seed}.plan.{number}")
        key = self._key(f"{self._seed}.k{number}", number, chance)
        if change:
            key = dataclasses.replace(key, tenant=change.tenant, region=change.region, zone="", change=change.text)
            others = (_attempt_on_nothing(change), self._launch(key, "1", chance)) if key.token else ()
            return Plan(key, (_attempt(change), *others))
        attempts = [self._launch(key, "1", chance), self._launch(key, "2", chance), self._flawed(key)]
        if key.zone:
            attempts += [self._launch_in_subnet(key, chance), self._allocation(key, chance)]
        else:
            attempts.append(self._key_pair(key))
        if not key.token:
            attempts = [attempts[0]]
        first = chance.choice(attempts)
        return Plan(key, (first, *(attempt for attempt in attempts if attempt is not first)))

    def _key(self, name: str, number: int, chance: random.Random) -> Key:
        region = chance.choice(REGIONS)
        zone = chance.choice(("", "", *ZONES[region]))
        token, made_ns = self._token(number, chance)
        return Key(name, chance.choice(self.tenants), region, zone, token, made_ns)

    def _token(self, number: int, chance: random.Random):
        """A token, and when it says that it was made. Some are used in several scopes (C6), and some calls have none
        (C3)."""
        kind = chance.random()
        if kind < 0.05:
            return "", None
        if kind < 0.25:
            return _aged_token(chance, self._policy.retention_ns)
        # Of four neighbours that say so, each in its own scope or the same: equal keys are one key.
        shared = number // 4 if kind < 0.4 else f"{number}.own"
        return str(uuid.UUID(int=random.Random(f"{self._seed}.token.{shared}").getrandbits(128), version=4)), None

    def _launch(self, key: Key, variant: str, chance: random.Random) -> Attempt:
        count = chance.randint(1, 3)
        image = chance.choice((IMAGE, OTHER_IMAGE))
        request = run(zone=key.zone, image=image, region=key.region, instance_type=INSTANCE_TYPE, min_count=count,
                      max_count=count, tags=_tags(key, variant))
        return Attempt("RunInstances", request, launch_text(key, key.tenant, key.token, variant, image, count))

    def _launch_in_subnet(self, key: Key, chance: random.Random) -> Attempt:
        launch = self._launch(key, "subnet", chance)
        launch.request.ClearField("placement")
        launch.request.subnet_id = self._subnets[key.zone]
        return launch

    def _flawed(self, key: Key) -> Attempt:
        request = run(zone=key.zone, image=NO_IMAGE, region=key.region, tags=_tags(key, "flawed"))
        return Attempt("RunInstances", request, f"RunInstances {NO_IMAGE}", flaw="IMAGE_NOT_FOUND")

    def _allocation(self, key: Key, chance: random.Random) -> Attempt:
        count = chance.randint(1, 2)
        request = hosts(zone=key.zone, region=key.region, quantity=count, tags=_tags(key, "hosts"))
        return Attempt("AllocateHosts", request, allocation_text(key, key.tenant, key.token, count))

    def _key_pair(self, key: Key) -> Attempt:
        request = keypair(name=key.name, region=key.region, tags=_tags(key, "pair"))
        return Attempt("CreateKeypair", request, key_pair_text(key, key.tenant, key.name),
                       again="KEYPAIR_ALREADY_EXISTS")


def _attempt(change: Change) -> Attempt:
    method = METHODS[change.method]
    return Attempt(change.method, method.request(*change.names, region=change.region), change.text, again=method.again,
                   at_times=method.at_times)


def _attempt_on_nothing(change: Change) -> Attempt:
    method = METHODS[change.method]
    return Attempt(change.method, method.request(method.nothing, region=change.region),
                   change_text(change.method, [method.nothing]), flaw=method.not_found)


def launch_text(key: Key, tenant: str, token: str, variant: str, image: str, count: int) -> str:
    """The parameters of a launch as its instances show them."""
    return f"RunInstances {variant} of {tenant} token={token} in {key.region} {key.zone} {image} {count}"


def allocation_text(key: Key, tenant: str, token: str, count: int) -> str:
    return f"AllocateHosts of {tenant} token={token} in {key.region} {key.zone} {count}"


def key_pair_text(key: Key, tenant: str, name: str) -> str:
    return f"CreateKeypair of {tenant} in {key.region} {name}"


def _tags(key: Key, variant: str) -> dict:
    """By which an effect is recognized."""
    return {"key": key.name, "variant": variant}


def _aged_token(chance: random.Random, retention_ns: int):
    """A UUID of version 7, made a while ago: now and then so long that its age ends within a short history."""
    age_ns = chance.choice((0, min(retention_ns, 10**10) // 2))
    wall_ms = (time.time_ns() - age_ns) // 10**6
    made_ns = wall_ms * 10**6 - time.time_ns() + time.monotonic_ns()
    value = wall_ms << 80 | 7 << 76 | chance.getrandbits(12) << 64 | 2 << 62 | chance.getrandbits(62)
    return str(uuid.UUID(int=value)), made_ns
