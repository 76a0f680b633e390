#include "hapax/server/doors/ec2/xml.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "hapax/base/check.h"

namespace hapax::ec2 {
namespace {

constexpr char kReplacement[] = "\xEF\xBF\xBD";  // U+FFFD.

// The length of the character at the beginning that XML 1.0 cannot hold (section 2.2); 0 if it can. U+FFFE and U+FFFF
// are such characters, and so are all control characters but tab, line feed and carriage return.
size_t ForbiddenAt(std::string_view text) {
  const auto byte = static_cast<unsigned char>(text[0]);
  if (byte < 0x20) return byte == '\t' || byte == '\n' || byte == '\r' ? 0 : 1;
  const std::string_view character = text.substr(0, 3);
  return character == "\xEF\xBF\xBE" || character == "\xEF\xBF\xBF" ? 3 : 0;
}

void AppendEscaped(std::string& out, std::string_view text) {
  for (size_t i = 0; i < text.size(); ++i) {
    if (const size_t length = ForbiddenAt(text.substr(i)); length > 0) {
      out += kReplacement;
      i += length - 1;
      continue;
    }
    switch (text[i]) {
      case '&':
        out += "&amp;";
        break;
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      case '"':
        out += "&quot;";
        break;
      case '\r':
        out += "&#13;";  // A parser would read a bare one as a line feed (section 2.11).
        break;
      default:
        out.push_back(text[i]);
    }
  }
}

}  // namespace

void XmlWriter::Open(std::string_view name, std::string_view attributes) {
  absl::StrAppend(&out_, "<", std::string(name), std::string(attributes), ">");
  open_.emplace_back(name);
}

void XmlWriter::Close() {
  HAPAX_CHECK(!open_.empty(), "an element that is closed was opened");
  absl::StrAppend(&out_, "</", open_.back(), ">");
  open_.pop_back();
}

void XmlWriter::Element(std::string_view name, std::string_view text) {
  out_.push_back('<');
  out_ += name;
  if (text.empty()) {
    out_ += "/>";
    return;
  }
  out_.push_back('>');
  AppendEscaped(out_, text);
  out_ += "</";
  out_ += name;
  out_.push_back('>');
}

void XmlWriter::Element(std::string_view name, int64_t number) { Element(name, absl::StrCat(number)); }

void XmlWriter::Element(std::string_view name, const google::protobuf::Timestamp& time) {
  const absl::Time moment = absl::FromUnixSeconds(time.seconds()) + absl::Nanoseconds(time.nanos());
  Element(name, absl::FormatTime("%Y-%m-%dT%H:%M:%E3SZ", moment, absl::UTCTimeZone()));
}

void XmlWriter::ElementUnlessEmpty(std::string_view name, std::string_view text) {
  if (!text.empty()) Element(name, text);
}

std::string XmlWriter::Finish() && {
  while (!open_.empty()) Close();
  return std::move(out_);
}

bool IsXmlText(std::string_view text) {
  for (size_t i = 0; i < text.size(); ++i) {
    if (ForbiddenAt(text.substr(i)) > 0) return false;
  }
  return true;
}

}  // namespace hapax::ec2
