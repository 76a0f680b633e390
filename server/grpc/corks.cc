#include "hapax/server/grpc/corks.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

namespace hapax {
namespace {

// Fails if the descriptor has another owner by now.
void SetCork(int descriptor, int is_corked) {
  static_cast<void>(::setsockopt(descriptor, IPPROTO_TCP, TCP_CORK, &is_corked, sizeof(is_corked)));
}

}  // namespace

void Corks::Add(int descriptor) {
  if (corked_.insert(descriptor).second) SetCork(descriptor, 1);
}

void Corks::Release() {
  for (const int descriptor : corked_) SetCork(descriptor, 0);
  corked_.clear();
}

}  // namespace hapax
