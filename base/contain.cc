#include "hapax/base/contain.h"

#include <cstdlib>
#include <exception>
#include <memory>
#include <string>
#include <typeinfo>

#include "absl/strings/str_cat.h"

namespace hapax {
namespace {

std::string NameOf(const std::type_info* type) {
  if (type == nullptr) return "an exception of another language";
  int error = 0;
  const std::unique_ptr<char, decltype(&std::free)> name(abi::__cxa_demangle(type->name(), nullptr, nullptr, &error),
                                                         &std::free);
  return name == nullptr ? type->name() : name.get();
}

}  // namespace

absl::Status ThrownError(std::string_view what) {
  const std::string thrown = absl::StrCat(std::string(what), " threw ", NameOf(abi::__cxa_current_exception_type()));
  try {
    throw;
  } catch (const std::exception& error) {
    return absl::InternalError(absl::StrCat(thrown, ": ", error.what()));
  } catch (...) {
    return absl::InternalError(thrown);
  }
}

}  // namespace hapax
