"""Catalog files for the tests: a small one to start from, in the protobuf text format."""

from google.protobuf import text_format

from case import IMAGE, OTHER_IMAGE
from protos import catalog_pb2


def small(instances: int = 1000, hosts: int = 10, vcpus: int = 1000):
    """One region of two zones, `vcpus` in each, subnets `subnet-a` and `subnet-b`; m5.large has 2 vcpus and is the
    default. The quota is `instances` and `hosts` a tenant."""
    return catalog_pb2.Catalog(
        regions=[catalog_pb2.CatalogRegion(name="us-east-1", zones=[
            zone("us-east-1a", vcpus, "subnet-a", "10.0.0.0/20"),
            zone("us-east-1b", vcpus, "subnet-b", "10.1.0.0/20")])],
        image_ids=[IMAGE, OTHER_IMAGE],
        instance_types=[
            catalog_pb2.CatalogInstanceType(name="m5.large", vcpus=2, instances_per_host=4),
            catalog_pb2.CatalogInstanceType(name="m5.xlarge", vcpus=4, instances_per_host=2)],
        default_instance_type="m5.large",
        quota=catalog_pb2.CatalogQuota(instances=instances, hosts=hosts),
        image_key_names=["my-key-pair"])


def zone(name: str, vcpus: int, subnet: str, cidr_block: str):
    return catalog_pb2.CatalogZone(
        name=name, vcpus=vcpus, subnets=[catalog_pb2.CatalogSubnet(id=subnet, cidr_block=cidr_block)])


def text(catalog) -> str:
    return text_format.MessageToString(catalog)
