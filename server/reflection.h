#ifndef HAPAX_SERVER_REFLECTION_H_
#define HAPAX_SERVER_REFLECTION_H_

#include <memory>
#include <string>
#include <vector>

#include "grpc/reflection/v1alpha/reflection.pb.h"
#include "hapax/server/grpc_stream.h"

namespace hapax {

// Answers grpc.reflection: what services there are, and the files that declare them.
// https://github.com/grpc/grpc/blob/master/doc/server-reflection.md
//
// Thread-safety: safe.
// Lifetime: outlives the streams that it handles.
class Reflection {
 public:
  // `services` are full names, declared in files that are linked in.
  explicit Reflection(std::vector<std::string> services) : services_(std::move(services)) {}

  // What answers a call of ServerReflectionInfo.
  [[nodiscard]] std::unique_ptr<GrpcStream::Handler> Handle(GrpcStream& stream) const;

  [[nodiscard]] grpc::reflection::v1alpha::ServerReflectionResponse Answer(
      const grpc::reflection::v1alpha::ServerReflectionRequest& request) const;

 private:
  const std::vector<std::string> services_;
};

}  // namespace hapax

#endif  // HAPAX_SERVER_REFLECTION_H_
