#include "hapax/bench/http_response.h"

#include <string>
#include <string_view>

#include "gtest/gtest.h"

namespace hapax::bench {
namespace {

using State = HttpResponse::State;

constexpr std::string_view kWithLength = "HTTP/1.1 201 Created\r\ncontent-LENGTH: 5 \r\nX: y\r\n\r\nhello";
constexpr std::string_view kInChunks =
    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\nA;name=value\r\n0123456789\r\n0\r\nTrailer: "
    "1\r\n\r\n";

void ExpectComplete(std::string_view bytes, int status, size_t body_bytes) {
  const HttpResponse response = ParseHttpResponse(bytes);
  EXPECT_EQ(response.state, State::kComplete) << bytes;
  EXPECT_EQ(response.status, status) << bytes;
  EXPECT_EQ(response.body_bytes, body_bytes) << bytes;
}

TEST(ParseHttpResponse, WithALength) { ExpectComplete(kWithLength, 201, 5); }

TEST(ParseHttpResponse, InChunks) { ExpectComplete(kInChunks, 200, 15); }

TEST(ParseHttpResponse, WithoutABody) {
  ExpectComplete("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", 200, 0);
  ExpectComplete("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 200, 0);
  ExpectComplete("HTTP/1.1 204 No Content\r\n\r\n", 204, 0);
}

TEST(ParseHttpResponse, EveryBeginningIsIncompleteAndEveryContinuationMalformed) {
  for (const std::string_view bytes : {kWithLength, kInChunks}) {
    for (size_t size = 0; size < bytes.size(); ++size) {
      EXPECT_EQ(ParseHttpResponse(bytes.substr(0, size)).state, State::kIncomplete) << bytes.substr(0, size);
    }
    EXPECT_EQ(ParseHttpResponse(std::string(bytes) + "H").state, State::kMalformed) << bytes;
  }
}

TEST(ParseHttpResponse, WhatCannotBeReadIsMalformed) {
  for (const std::string_view bytes : {
           "HTTP/1.0 200 OK\r\nContent-Length: 0\r\n\r\n",
           "HTTP/1.1 abc\r\nContent-Length: 0\r\n\r\n",
           "HTTP/1.1 200 OK\r\n\r\n",
           "HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n",
           "HTTP/1.1 200 OK\r\nContent-Length: 5x\r\n\r\nhello",
           "HTTP/1.1 200 OK\r\nno header\r\n\r\n",
           "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nz\r\n",
           "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nabc\r\n",
           "SSH-2.0-OpenSSH\r\n\r\n",
       }) {
    EXPECT_EQ(ParseHttpResponse(bytes).state, State::kMalformed) << bytes;
  }
}

}  // namespace
}  // namespace hapax::bench
