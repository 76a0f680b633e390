#ifndef HAPAX_TESTS_INTERCEPTORS_IDEMPOTENCY_GOLDEN_RECORDS_H_
#define HAPAX_TESTS_INTERCEPTORS_IDEMPOTENCY_GOLDEN_RECORDS_H_

#include <string>
#include <vector>

#include "google/protobuf/message.h"
#include "hapax/interceptors/method.h"
#include "hapax/store/v1/token.pb.h"

// Records that an earlier server wrote, checked in, and how today's server must judge requests by them (C22).
namespace hapax {

struct GoldenRecord {
  std::string name;
  std::string method;   // Full name.
  std::string request;  // As it came.
  store::v1::TokenRecord record;
};

// Those of a golden file: a line each, `<name> <method> <request in hex> <TokenRecord in hex>`; lines that begin with #
// do not count.
[[nodiscard]] std::vector<GoldenRecord> ReadGoldenRecords(const std::string& path);

// The record's version makes the same fingerprint today. `defaults`: what the handler recorded; null for nothing.
void ExpectMadeTheSame(const GoldenRecord& golden, const Method& method,
                       const google::protobuf::Message* defaults = nullptr);

// The request is the same by meaning, in whatever encoding, and without the help of its exact bytes.
void ExpectRetryIsTheSame(const GoldenRecord& golden, const Method& method);

// The request without one of its fields differs in that field, as the method's definition has it.
void ExpectEachFieldCounts(const GoldenRecord& golden, const Method& method);

}  // namespace hapax

#endif  // HAPAX_TESTS_INTERCEPTORS_IDEMPOTENCY_GOLDEN_RECORDS_H_
