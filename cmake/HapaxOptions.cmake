# How all of Hapax is compiled and linked.
add_library(hapax_options INTERFACE)
target_compile_options(hapax_options INTERFACE -Wall -Wextra -Wpedantic -Wshadow -Wnon-virtual-dtor -Wno-missing-field-initializers)
# Static and shared libraries are made of the same objects. Without interposition, which nobody uses, position
# independence costs about one instruction in 250.
add_compile_options(-fPIC -fno-semantic-interposition)
add_compile_options(-pthread)  # gRPC requires it, and it must match the precompiled headers.
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  add_compile_options(-fpch-preprocess)  # So that ccache knows a source's precompiled headers.
endif()
if(CMAKE_CXX_COMPILER_ID MATCHES "Clang")
  target_compile_options(hapax_options INTERFACE -Wthread-safety -Werror=thread-safety -Wreserved-identifier)
endif()
if(HAPAX_WERROR)
  target_compile_options(hapax_options INTERFACE -Werror)
endif()
if(HAPAX_SANITIZERS)
  add_compile_options(-fsanitize=${HAPAX_SANITIZERS} -fno-omit-frame-pointer)
  add_link_options(-fsanitize=${HAPAX_SANITIZERS})
  if(HAPAX_SANITIZERS MATCHES "thread")
    # With this macro protobuf's maps have another layout than in the library that Debian compiled.
    add_compile_options(-U__SANITIZE_THREAD__)
    # Debian's Abseil and gRPC are not instrumented: this tells ThreadSanitizer their synchronization, in all programs.
    set(support "${CMAKE_CURRENT_LIST_DIR}/../tests/support")
    add_library(hapax_tsan OBJECT "${support}/tsan_abseil.cc" "${support}/tsan_grpc.cc")
    target_sources(hapax_options INTERFACE
      "$<$<STREQUAL:$<TARGET_PROPERTY:TYPE>,EXECUTABLE>:$<TARGET_OBJECTS:hapax_tsan>>")
  endif()
endif()
if(HAPAX_FUZZ)
  add_compile_options(-fsanitize=fuzzer-no-link)
endif()

find_program(HAPAX_CCACHE ccache)
if(HAPAX_CCACHE AND NOT CMAKE_CXX_COMPILER_LAUNCHER)
  # ccache requires the sloppiness for precompiled headers.
  set(launcher "${CMAKE_COMMAND}" -E env CCACHE_SLOPPINESS=pch_defines,time_macros "${HAPAX_CCACHE}")
  set(CMAKE_C_COMPILER_LAUNCHER "${launcher}")
  set(CMAKE_CXX_COMPILER_LAUNCHER "${launcher}")
endif()
find_program(HAPAX_MOLD mold)
if(HAPAX_MOLD)
  add_link_options(-fuse-ld=mold)
endif()
