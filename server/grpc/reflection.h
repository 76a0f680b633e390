#ifndef HAPAX_SERVER_GRPC_REFLECTION_H_
#define HAPAX_SERVER_GRPC_REFLECTION_H_

#include <memory>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_map.h"
#include "absl/synchronization/mutex.h"
#include "google/protobuf/descriptor.h"
#include "hapax/external/reflection/reflection.pb.h"
#include "hapax/server/grpc/grpc_stream.h"

namespace hapax {

// Answers grpc.reflection: what services there are, and the files that declare them.
// https://github.com/grpc/grpc/blob/master/doc/server-reflection.md
//
// Strangers may ask. So what a file's answer takes to make is done once, an answer waits for the strangers' turn, and a
// stream has a limit of questions and each of them of bytes.
//
// Thread-safety: safe.
// Lifetime: outlives the streams that it handles.
class Reflection {
 public:
  // Of one stream, and of one question.
  static constexpr int kMaxQuestions = 1000;
  static constexpr size_t kMaxQuestionBytes = 1024;

  // `services` are full names, declared in files that are linked in.
  explicit Reflection(std::vector<std::string> services) : services_(std::move(services)) {}

  // What answers a call of ServerReflectionInfo.
  [[nodiscard]] std::unique_ptr<GrpcStream::Handler> Handle(GrpcStream& stream) const;

  [[nodiscard]] external::reflection::ServerReflectionResponse Answer(
      const external::reflection::ServerReflectionRequest& request) const;
  // Answer, serialized; a file is not serialized again.
  [[nodiscard]] std::string SerializedAnswer(const external::reflection::ServerReflectionRequest& request) const;

 private:
  [[nodiscard]] std::shared_ptr<const std::string> FileAnswer(const google::protobuf::FileDescriptor& file) const;

  const std::vector<std::string> services_;
  mutable absl::Mutex mu_;
  // Serialized FileDescriptorResponses, of files that are linked in.
  mutable absl::flat_hash_map<const google::protobuf::FileDescriptor*, std::shared_ptr<const std::string>> file_answers_
      ABSL_GUARDED_BY(mu_);
};

}  // namespace hapax

#endif  // HAPAX_SERVER_GRPC_REFLECTION_H_
