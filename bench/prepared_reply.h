// The replies of the echo and the peers, as large as Hapax's.
#ifndef HAPAX_BENCH_PREPARED_REPLY_H_
#define HAPAX_BENCH_PREPARED_REPLY_H_

#include "bench/v1/ledger.pb.h"
#include "hapax/bench/messages.h"
#include "hapax/compute/v1/compute.pb.h"

namespace hapax::bench {

inline compute::v1::Instance PreparedInstance(bool with_token) {
  compute::v1::Instance instance;
  instance.set_instance_id("i-0123456789abcdef0");
  instance.set_reservation_id("r-0123456789abcdef0");
  instance.set_image_id("ami-b232d0db");
  instance.set_instance_type("m5.large");
  instance.set_state(compute::v1::INSTANCE_STATE_PENDING);
  instance.set_region("us-east-1");
  instance.set_availability_zone("us-east-1a");
  instance.set_subnet_id("subnet-bench");
  instance.set_private_ip_address("10.0.100.20");
  instance.mutable_launch_time()->set_seconds(1'700'000'000);
  instance.mutable_launch_time()->set_nanos(123'456'000);
  if (with_token) instance.set_client_token("550e8400-e29b-41d4-a716-446655440000");
  return instance;
}

// The reply to a launch.
inline compute::v1::RunInstancesResponse PreparedReply(int instances = 1, bool with_token = true) {
  compute::v1::RunInstancesResponse reply;
  reply.set_reservation_id("r-0123456789abcdef0");
  reply.set_owner_id("default");
  for (int i = 0; i < instances; ++i) *reply.add_instances() = PreparedInstance(with_token);
  return reply;
}

// The reply to a post.
inline ::bench::v1::PostResponse PreparedPost() {
  ::bench::v1::PostResponse reply;
  reply.set_posting_id("p-0123456789abcdef0");
  *reply.mutable_posting() = MakePosting();
  return reply;
}

// The reply to a read of one instance.
inline compute::v1::DescribeInstancesResponse PreparedList() {
  compute::v1::DescribeInstancesResponse reply;
  *reply.add_instances() = PreparedInstance(/*with_token=*/true);
  return reply;
}

}  // namespace hapax::bench

#endif  // HAPAX_BENCH_PREPARED_REPLY_H_
