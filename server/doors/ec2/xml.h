#ifndef HAPAX_SERVER_DOORS_EC2_XML_H_
#define HAPAX_SERVER_DOORS_EC2_XML_H_

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "google/protobuf/timestamp.pb.h"

namespace hapax::ec2 {

// Writes XML 1.0 in UTF-8, without blanks between elements.
//
//   XmlWriter xml;
//   xml.Open("placement");
//   xml.Element("availabilityZone", "us-east-1a");
//   xml.Close();
//
// Thread-safety: for one thread.
class XmlWriter {
 public:
  // Opens an element; `attributes` stands as it is behind the name, such as " xmlns=\"...\"".
  void Open(std::string_view name, std::string_view attributes = "");
  // Closes the element that was opened last. Requires: one is open.
  void Close();
  // An element with text. Characters that XML 1.0 cannot hold become U+FFFD.
  void Element(std::string_view name, std::string_view text);
  void Element(std::string_view name, int64_t number);
  // In UTC, to the millisecond, such as "2026-11-25T23:00:00.000Z".
  void Element(std::string_view name, const google::protobuf::Timestamp& time);
  // As Element, but nothing for an empty text.
  void ElementUnlessEmpty(std::string_view name, std::string_view text);

  // Closes all that is open, and returns the document.
  [[nodiscard]] std::string Finish() &&;

 private:
  std::string out_ = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n";
  std::vector<std::string> open_;
};

// Whether XML 1.0 can hold all characters of a valid UTF-8 text.
[[nodiscard]] bool IsXmlText(std::string_view text);

}  // namespace hapax::ec2

#endif  // HAPAX_SERVER_DOORS_EC2_XML_H_
