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

// Answers grpc.reflection: the names of the services, and the files that declare them.
// https://github.com/grpc/grpc/blob/master/doc/server-reflection.md
//
// Strangers may ask. So a file's answer is made only once, answers wait for the strangers' turn, and both the questions
// of a stream and the bytes of a question are limited.
//
// Thread-safety: safe.
// Lifetime: outlives the streams that it handles.
class Reflection {
 public:
  // The limits of a stream and of a question.
  static constexpr int kMaxQuestions = 1000;
  static constexpr size_t kMaxQuestionBytes = 1024;

  // `services` are full names, declared in files that are linked in.
  explicit Reflection(std::vector<std::string> services) : services_(std::move(services)) {}

  // Returns the handler of a call of ServerReflectionInfo.
  [[nodiscard]] std::unique_ptr<GrpcStream::Handler> Handle(GrpcStream& stream) const;

  [[nodiscard]] external::reflection::ServerReflectionResponse Answer(
      const external::reflection::ServerReflectionRequest& request) const;
  // The serialized answer; a file's answer is serialized only once.
  [[nodiscard]] std::string SerializedAnswer(const external::reflection::ServerReflectionRequest& request) const;

 private:
  [[nodiscard]] std::shared_ptr<const std::string> FileAnswer(const google::protobuf::FileDescriptor& file) const;

  const std::vector<std::string> services_;
  mutable absl::Mutex mu_;
  // Serialized FileDescriptorResponses of linked files.
  mutable absl::flat_hash_map<const google::protobuf::FileDescriptor*, std::shared_ptr<const std::string>> file_answers_
      ABSL_GUARDED_BY(mu_);
};

}  // namespace hapax

#endif  // HAPAX_SERVER_GRPC_REFLECTION_H_
