#ifndef HAPAX_BENCH_MESSAGES_H_
#define HAPAX_BENCH_MESSAGES_H_

#include <string>
#include <string_view>

#include "bench/v1/ledger.pb.h"
#include "hapax/bench/requests.h"

namespace hapax::bench {

inline constexpr char kRunInstances[] = "/hapax.compute.v1.Compute/RunInstances";
inline constexpr char kPost[] = "/bench.v1.Ledger/Post";
inline constexpr char kDescribeInstances[] = "/hapax.compute.v1.Compute/DescribeInstances";

inline constexpr std::string_view kDefaultZone = "us-east-1a";

// A RunInstancesRequest for this many instances, each with this many tags.
[[nodiscard]] RequestTemplate LaunchMessage(int instances, bool with_token, int tags = 0,
                                            std::string_view zone = kDefaultZone);

// The posting of every PostRequest: an account, an amount, and a memo of 200 bytes.
[[nodiscard]] ::bench::v1::Posting MakePosting();

// A PostRequest.
[[nodiscard]] RequestTemplate PostMessage(bool with_token);

// A DescribeInstancesRequest for one instance.
[[nodiscard]] RequestTemplate ReadMessage(std::string_view instance_id);

// The id of the first instance of a RunInstancesResponse; empty if there is none.
[[nodiscard]] std::string FirstInstanceId(const std::string& response);

// A launch of one instance as an HTTP/1.1 request, with JSON parameters and the token in `Idempotency-Key`.
[[nodiscard]] RequestTemplate LaunchPost(std::string_view host_and_port, std::string_view path, bool with_token);

// A post as such a request.
[[nodiscard]] RequestTemplate LedgerPost(std::string_view host_and_port, std::string_view path, bool with_token);

// The same launch in EC2's query API, with the token as ClientToken.
[[nodiscard]] RequestTemplate LaunchForm(std::string_view host_and_port, bool with_token);

}  // namespace hapax::bench

#endif  // HAPAX_BENCH_MESSAGES_H_
