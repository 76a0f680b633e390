#include "hapax/server/doors/ec2/xml.h"

#include <utility>

#include "gtest/gtest.h"

namespace hapax::ec2 {
namespace {

TEST(XmlWriter, NestsElementsAndEscapesTexts) {
  XmlWriter xml;
  xml.Open("a", " xmlns=\"urn:x\"");
  xml.Element("b", "1 < 2 & \"3\" > 2");
  xml.Element("c", "");
  xml.ElementUnlessEmpty("left-out", "");
  xml.Open("d");
  xml.Element("e", 12);
  EXPECT_EQ(
      std::move(xml).Finish(),
      "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<a xmlns=\"urn:x\"><b>1 &lt; 2 &amp; &quot;3&quot; &gt; 2</b><c/>"
      "<d><e>12</e></d></a>");
}

TEST(XmlWriter, ReplacesWhatXmlCannotHold) {
  XmlWriter xml;
  xml.Element("a", "\x01tab\tline\ncr\r\xEF\xBF\xBE\xEF\xBF\xBD\xC3\xA9");
  EXPECT_EQ(std::move(xml).Finish(),
            "<?xml version=\"1.0\" "
            "encoding=\"UTF-8\"?>\n<a>\xEF\xBF\xBDtab\tline\ncr&#13;\xEF\xBF\xBD\xEF\xBF\xBD\xC3\xA9</a>");
  EXPECT_TRUE(IsXmlText("tab\tline\n\xC3\xA9"));
  EXPECT_FALSE(IsXmlText("\x1b[0m"));
  EXPECT_FALSE(IsXmlText("\xEF\xBF\xBF"));
}

TEST(XmlWriter, WritesTimesToTheMillisecondInUtc) {
  google::protobuf::Timestamp time;
  time.set_seconds(1'795'849'200);
  time.set_nanos(123'456'000);
  XmlWriter xml;
  xml.Element("t", time);
  EXPECT_EQ(std::move(xml).Finish(), "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<t>2026-11-28T07:00:00.123Z</t>");
}

}  // namespace
}  // namespace hapax::ec2
