#include "hapax/bench/http_response.h"

#include <charconv>
#include <optional>

#include "absl/strings/match.h"

namespace hapax::bench {
namespace {

constexpr std::string_view kEndOfLine = "\r\n";
constexpr HttpResponse kMalformed{.state = HttpResponse::State::kMalformed};

absl::string_view Abseil(std::string_view text) { return {text.data(), text.size()}; }

// Parses the whole text as a number.
std::optional<size_t> ParseNumber(std::string_view text, int base) {
  size_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number, base);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return number;
}

// Removes and returns the next line; nullopt if it is incomplete.
std::optional<std::string_view> TakeLine(std::string_view& bytes) {
  const size_t end = bytes.find(kEndOfLine);
  if (end == std::string_view::npos) return std::nullopt;
  const std::string_view line = bytes.substr(0, end);
  bytes.remove_prefix(end + kEndOfLine.size());
  return line;
}

std::string_view Trim(std::string_view text) {
  const size_t first = text.find_first_not_of(" \t");
  if (first == std::string_view::npos) return "";
  return text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

struct Head {
  int status = 0;
  bool chunked = false;
  std::optional<size_t> content_length;
};

// Parses the lines of the head, including the final empty one; nullopt if they are wrong.
std::optional<Head> ParseHead(std::string_view lines) {
  const std::string_view status_line = *TakeLine(lines);
  if (status_line.substr(0, 9) != "HTTP/1.1 ") return std::nullopt;
  const std::optional<size_t> status = ParseNumber(status_line.substr(9, 3), 10);
  if (!status.has_value()) return std::nullopt;
  Head head{.status = static_cast<int>(*status)};
  for (std::string_view line = *TakeLine(lines); !line.empty(); line = *TakeLine(lines)) {
    const size_t colon = line.find(':');
    if (colon == std::string_view::npos) return std::nullopt;
    const absl::string_view name = Abseil(line.substr(0, colon));
    const std::string_view value = Trim(line.substr(colon + 1));
    if (absl::EqualsIgnoreCase(name, "transfer-encoding")) {
      head.chunked = absl::EqualsIgnoreCase(Abseil(value), "chunked");
    } else if (absl::EqualsIgnoreCase(name, "content-length")) {
      head.content_length = ParseNumber(value, 10);
    }
  }
  if (head.status == 204) head.content_length = 0;
  return head;
}

HttpResponse ParseChunks(std::string_view bytes, int status) {
  HttpResponse response{.status = status};
  while (true) {
    const std::optional<std::string_view> line = TakeLine(bytes);
    if (!line.has_value()) return response;
    const std::optional<size_t> size = ParseNumber(Trim(line->substr(0, line->find(';'))), 16);
    if (!size.has_value()) return kMalformed;
    if (*size == 0) break;
    if (bytes.size() < *size + kEndOfLine.size()) return response;
    if (bytes.substr(*size, kEndOfLine.size()) != kEndOfLine) return kMalformed;
    response.body_bytes += *size;
    bytes.remove_prefix(*size + kEndOfLine.size());
  }
  while (const std::optional<std::string_view> trailer = TakeLine(bytes)) {
    if (!trailer->empty()) continue;
    if (!bytes.empty()) return kMalformed;
    response.state = HttpResponse::State::kComplete;
    break;
  }
  return response;
}

}  // namespace

HttpResponse ParseHttpResponse(std::string_view bytes) {
  constexpr std::string_view kEndOfHead = "\r\n\r\n";
  const size_t end = bytes.find(kEndOfHead);
  if (end == std::string_view::npos) return {};
  const std::optional<Head> head = ParseHead(bytes.substr(0, end + kEndOfHead.size()));
  if (!head.has_value()) return kMalformed;
  const std::string_view body = bytes.substr(end + kEndOfHead.size());
  if (head->chunked) return ParseChunks(body, head->status);
  if (!head->content_length.has_value() || body.size() > *head->content_length) return kMalformed;
  if (body.size() < *head->content_length) return {};
  return {.state = HttpResponse::State::kComplete, .status = head->status, .body_bytes = body.size()};
}

}  // namespace hapax::bench
