#include "hapax/interceptors/refusal_bounds.h"
#include "hapax/proto/public_name.h"

#include <algorithm>
#include <cstdint>

namespace hapax {
namespace {

constexpr std::string_view kEllipsis = "...";
// More than EndViolations adds.
constexpr size_t kEndBytes = 64;
// The tags and lengths of a violation and its two strings.
constexpr size_t kViolationOverhead = 9;

// The percent-encoding of gRPC over HTTP/2: an unprintable or non-ASCII byte, or `%`, takes three bytes.
size_t EncodedSize(std::string_view text) {
  size_t size = 0;
  for (const char c : text) size += c >= 0x20 && c <= 0x7E && c != '%' ? 1 : 3;
  return size;
}

bool Continues(char c) { return (c & 0xC0) == 0x80; }

// The size in bytes of the text's first character; 0 when it is not UTF-8. Requires: the text is not empty.
size_t CharacterSize(std::string_view text) {
  const auto first = static_cast<uint8_t>(text.front());
  if (first < 0x80) return 1;
  const size_t size = first >= 0xF0 ? 4 : first >= 0xE0 ? 3 : 2;
  if (first < 0xC2 || first > 0xF4 || text.size() < size) return 0;
  if (!std::all_of(text.begin() + 1, text.begin() + static_cast<std::ptrdiff_t>(size), Continues)) return 0;
  const auto second = static_cast<uint8_t>(text[1]);
  const bool too_long = (first == 0xE0 && second < 0xA0) || (first == 0xF0 && second < 0x90);
  const bool no_character = (first == 0xED && second >= 0xA0) || (first == 0xF4 && second >= 0x90);
  return too_long || no_character ? 0 : size;
}

bool IsErrorInfo(const google::protobuf::Any& detail) { return Holds(detail, *external::rpc::ErrorInfo::descriptor()); }

void ClearMetadata(google::protobuf::Any& detail) {
  external::rpc::ErrorInfo info;
  if (!Unpack(detail, info)) return;
  info.clear_metadata();
  detail.set_value(info.SerializeAsString());
}

}  // namespace

std::string CutText(std::string_view text, size_t max_bytes) {
  std::string cut;
  size_t encoded = 0;
  size_t room_for_ellipsis = 0;  // The length of `cut` at which the ellipsis still fits.
  while (!text.empty()) {
    const size_t size = CharacterSize(text);
    const std::string_view character = size == 0 ? std::string_view("?") : text.substr(0, size);
    encoded += EncodedSize(character);
    if (encoded > max_bytes) return cut.substr(0, room_for_ellipsis).append(kEllipsis);
    cut += character;
    if (encoded + kEllipsis.size() <= max_bytes) room_for_ellipsis = cut.size();
    text.remove_prefix(std::max<size_t>(size, 1));
  }
  return cut;
}

void AddViolation(std::string_view field, std::string_view description, external::rpc::BadRequest& request,
                  size_t& left_out) {
  std::string short_field = CutText(field, kMaxFieldBytes);
  std::string short_description = CutText(description, kMaxDescriptionBytes);
  const size_t size = short_field.size() + short_description.size() + kViolationOverhead;
  if (left_out > 0 || request.ByteSizeLong() + size > kMaxViolationsBytes - kEndBytes) {
    ++left_out;
    return;
  }
  auto* violation = request.add_field_violations();
  violation->set_field(std::move(short_field));
  violation->set_description(std::move(short_description));
}

void EndViolations(size_t left_out, external::rpc::BadRequest& request) {
  if (left_out == 0) return;
  request.add_field_violations()->set_description("and " + std::to_string(left_out) + " more");
}

size_t SentBytes(const external::rpc::Status& status) {
  return EncodedSize(status.message()) + (status.ByteSizeLong() + 2) / 3 * 4;
}

void FitRefusal(external::rpc::Status& status) {
  status.set_message(CutText(status.message(), kMaxMessageBytes));
  if (SentBytes(status) <= kMaxRefusalBytes) return;
  auto& details = *status.mutable_details();
  for (int i = details.size() - 1; i >= 0 && SentBytes(status) > kMaxRefusalBytes; --i) {
    if (!IsErrorInfo(details[i])) details.DeleteSubrange(i, 1);
  }
  for (auto& detail : details) {
    if (SentBytes(status) > kMaxRefusalBytes) ClearMetadata(detail);
  }
  if (SentBytes(status) > kMaxRefusalBytes) details.Clear();
}

}  // namespace hapax
