#include "hapax/server/compute/catalog/builtin_catalog.h"

namespace hapax::compute {

// 65536 virtual CPUs are 32768 m5.large in each zone.
const char kBuiltInCatalog[] = R"(
regions {
  name: "us-east-1"
  zones { name: "us-east-1a" vcpus: 65536 subnets { id: "subnet-use1a" cidr_block: "10.0.0.0/12" } }
  zones { name: "us-east-1b" vcpus: 65536 subnets { id: "subnet-use1b" cidr_block: "10.16.0.0/12" } }
  zones { name: "us-east-1d" vcpus: 65536 subnets { id: "subnet-use1d" cidr_block: "10.48.0.0/12" } }
}
regions {
  name: "eu-west-1"
  zones { name: "eu-west-1a" vcpus: 65536 subnets { id: "subnet-euw1a" cidr_block: "10.128.0.0/12" } }
  zones { name: "eu-west-1b" vcpus: 65536 subnets { id: "subnet-euw1b" cidr_block: "10.144.0.0/12" } }
  zones { name: "eu-west-1c" vcpus: 65536 subnets { id: "subnet-euw1c" cidr_block: "10.160.0.0/12" } }
}
image_ids: "ami-b232d0db"
image_ids: "ami-3ac33653"
instance_types { name: "m5.large" vcpus: 2 instances_per_host: 48 }
instance_types { name: "m5.xlarge" vcpus: 4 instances_per_host: 24 }
instance_types { name: "m5.2xlarge" vcpus: 8 instances_per_host: 12 }
instance_types { name: "m5.4xlarge" vcpus: 16 instances_per_host: 6 }
instance_types { name: "m5.8xlarge" vcpus: 32 instances_per_host: 3 }
instance_types { name: "m5.12xlarge" vcpus: 48 instances_per_host: 2 }
instance_types { name: "m5.16xlarge" vcpus: 64 instances_per_host: 1 }
instance_types { name: "m5.24xlarge" vcpus: 96 instances_per_host: 1 }
default_instance_type: "m5.large"
quota { instances: 20000 hosts: 100 }
image_key_names: "my-key-pair"
)";

}  // namespace hapax::compute
