"""What scripts/door_suites runs."""

import sys
import time

from harness import Server
from openstack_suites import NOT_SERVED, Suites

SERVERS = "tempest.api.compute.servers."
MODULES = (
    "tempest.api.compute.keypairs.test_keypairs",
    "tempest.api.compute.keypairs.test_keypairs_negative",
    "tempest.api.compute.flavors.test_flavors",
    "tempest.api.compute.flavors.test_flavors_negative",
    SERVERS + "test_availability_zone",
    SERVERS + "test_servers",
    SERVERS + "test_delete_server",
    SERVERS + "test_multiple_create",
    SERVERS + "test_multiple_create_negative",
    SERVERS + "test_list_server_filters",
    SERVERS + "test_list_servers_negative",
    SERVERS + "test_servers_negative",
    "openstack.tests.functional.compute.v2.test_keypair",
    "openstackclient.tests.functional.compute.v2.test_keypair",
)


def main() -> int:
    server = Server("--http_address=127.0.0.1:0").start()
    unexpected = []
    try:
        suites = Suites(str(server.dir), server.http_address)
        print(f"{'suite':<62} {'tests':>5} {'passed':>6} {'skipped':>7} {'failed':>6} {'s':>5}")
        for module in MODULES:
            begin = time.monotonic()
            result = suites.run(module)
            passed = result.ran - result.skipped - len(result.failed)
            print(f"{module:<62} {result.ran:>5} {passed:>6} {result.skipped:>7} {len(result.failed):>6} "
                  f"{time.monotonic() - begin:>5.1f}", flush=True)
            for name in result.failed:
                reason = next((reason for part, reason in NOT_SERVED.items() if part in name), "UNEXPECTED")
                print(f"  {name.split()[0].split('.')[-1].split('[')[0]}: {reason}")
            if result.unexpected:
                print(result.output)
            unexpected += result.unexpected
    finally:
        server.close()
    return 1 if unexpected else 0


if __name__ == "__main__":
    sys.exit(main())
