// Two requests of one method: their fingerprints are the same exactly when they mean the same (C22), by an account of
// their meaning that shares no code with the server (meaning.h).
#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include "hapax/base/check.h"
#include "hapax/compute/v1/compute.pb.h"
#include "hapax/interceptors/idempotency/canonical.h"
#include "hapax/interceptors/idempotency/fingerprint.h"
#include "hapax/server/compute/canonical_requests.h"
#include "hapax/tests/fuzz/input.h"
#include "hapax/tests/fuzz/meaning.h"

namespace hapax {
namespace {

using google::protobuf::Message;

template <typename Request>
auto On(void (*canonicalize)(Request*)) {
  return [canonicalize](Message* request) { canonicalize(static_cast<Request*>(request)); };
}

// The methods that take a token, without their code.
const std::vector<Method>& Methods() {
  static const auto* const kMethods = [] {
    static auto* const resolvers = new ScopeResolvers();
    resolvers->emplace("placement", [](const PlaceHints&) { return Place(); });
    auto* methods = new std::vector<Method>();
    const auto& service = *compute::v1::RunInstancesRequest::descriptor()->file()->FindServiceByName("Compute");
    for (int i = 0; i < service.method_count(); ++i) {
      const auto& descriptor = *service.method(i);
      if (descriptor.options().idempotency_level() != google::protobuf::MethodOptions::IDEMPOTENCY_UNKNOWN) continue;
      Method& method = methods->emplace_back();
      method.descriptor = &descriptor;
      method.request = google::protobuf::MessageFactory::generated_factory()->GetPrototype(descriptor.input_type());
      method.rule = Rule::Compile(descriptor, *resolvers).value();
      if (descriptor.name() == "RunInstances") method.canonicalize = On(compute::CanonicalizeRunInstances);
      if (descriptor.name() == "AllocateHosts") method.canonicalize = On(compute::CanonicalizeAllocateHosts);
      if (descriptor.name() == "CreateKeypair") method.canonicalize = On(compute::CanonicalizeCreateKeypair);
      if (descriptor.name() == "DeleteKeypair") method.canonicalize = On(compute::CanonicalizeDeleteKeypair);
      if (descriptor.name() == "StartInstance") method.canonicalize = On(compute::CanonicalizeStartInstance);
      if (descriptor.name() == "StopInstance") method.canonicalize = On(compute::CanonicalizeStopInstance);
    }
    return methods;
  }();
  return *kMethods;
}

void AppendVarint(uint64_t value, bool longer, std::string* out) {
  for (; value >= 0x80; value >>= 7) out->push_back(static_cast<char>(value | 0x80));
  out->push_back(static_cast<char>(value | (longer ? 0x80 : 0)));
  if (longer) out->push_back('\0');  // A byte that need not be.
}

// A field on the wire, and which of the two requests have it.
struct Piece {
  int number = 0;
  std::string bytes;
  bool in_left = false;
  bool in_right = false;
};

Piece TakePiece(Input& input) {
  const int how = input.Byte();
  Piece piece{.number = 1 + input.Byte() % 16, .in_left = (how & 3) != 1, .in_right = (how & 3) != 2};
  const bool longer = (how & 4) != 0;
  const int wire_type = how >> 3 & 7;
  if (wire_type == 3 || wire_type == 4) {  // A group.
    AppendVarint(static_cast<uint64_t>(piece.number) << 3 | 3, longer, &piece.bytes);
    AppendVarint(1 << 3, longer, &piece.bytes);
    AppendVarint(input.Number(1), longer, &piece.bytes);
    AppendVarint(static_cast<uint64_t>(piece.number) << 3 | 4, longer, &piece.bytes);
    return piece;
  }
  const int actual = wire_type == 0 || wire_type == 1 || wire_type == 5 ? wire_type : 2;
  AppendVarint(static_cast<uint64_t>(piece.number) << 3 | static_cast<uint64_t>(actual), longer, &piece.bytes);
  if (actual == 0) AppendVarint(input.Number((how & 64) != 0 ? 8 : 1), longer, &piece.bytes);
  if (actual == 1 || actual == 5) {
    for (int i = 0; i < (actual == 1 ? 8 : 4); ++i) piece.bytes.push_back(static_cast<char>(input.Byte()));
  }
  if (actual == 2) {
    const std::string content = input.String();
    AppendVarint(content.size(), longer, &piece.bytes);
    piece.bytes += content;
  }
  return piece;
}

bool Same(const Method& method, const std::string& first, const Message& first_request, const std::string& second,
          const Message& second_request) {
  const auto fingerprint = MakeFingerprint(method, first_request, first);
  return DifferingFields(fingerprint, method, second_request, second).value().empty();
}

void CheckPair(const Method& method, const std::string& left, const std::string& right) {
  const std::unique_ptr<Message> left_request(method.request->New());
  const std::unique_ptr<Message> right_request(method.request->New());
  if (!left_request->ParseFromString(left) || !right_request->ParseFromString(right)) return;
  for (const std::string& bytes : {left, right}) {
    HAPAX_CHECK(ForEachWireField(bytes, [](int, std::string_view) {}),
                "what can be decoded can be digested, all of it");
  }
  const bool same = Same(method, left, *left_request, right, *right_request);
  HAPAX_CHECK(same == Same(method, right, *right_request, left, *left_request), "it matters not which came first");
  const auto& type = *method.descriptor->input_type();
  if (MeaningOf(left, type, Unknown::kByBytes) == MeaningOf(right, type, Unknown::kByBytes)) {
    HAPAX_CHECK(same, "what means the same is a retry");
  }
  if (same) {
    HAPAX_CHECK(MeaningOf(left, type, Unknown::kByValue) == MeaningOf(right, type, Unknown::kByValue),
                "a retry means the same");
  }
}

}  // namespace
}  // namespace hapax

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace hapax;
  Input input(data, size);
  const Method& method = Methods()[input.Byte() % Methods().size()];
  const int order = input.Byte();
  std::vector<Piece> pieces;
  for (int i = 0; i < 20 && !input.AtEnd(); ++i) pieces.push_back(TakePiece(input));

  std::string left;
  std::string right;
  for (const Piece& piece : pieces) left += piece.in_left ? piece.bytes : "";
  // Fields may stand in any order, as long as each field's own occurrences keep theirs.
  std::stable_sort(pieces.begin(), pieces.end(), [&](const Piece& a, const Piece& b) {
    return (a.number ^ (order & 15)) < (b.number ^ (order & 15));
  });
  for (const Piece& piece : pieces) right += piece.in_right ? piece.bytes : "";
  CheckPair(method, left, right);
  // And any bytes at all, which mean what they mean.
  CheckPair(method, left, std::string(reinterpret_cast<const char*>(data), size));
  return 0;
}
