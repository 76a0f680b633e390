# hapax_library(<folder> SOURCES ... [SUBFOLDERS ...] [PUBLIC header...] DEPENDS hapax::... other::...)
#
# Defines the library of one folder as target hapax::<folder>, with _ for /. Its headers are included as
# "hapax/<folder>/name.h", through a directory that links only to them. So headers of folders outside DEPENDS, and what
# those depend on, are not found, and their code is not linked. The headers of SUBFOLDERS belong to the library. PUBLIC
# lists the installed headers. HapaxPackage.cmake installs the code.
function(hapax_library folder)
  cmake_parse_arguments(ARG "" "" "SUBFOLDERS;SOURCES;PUBLIC;DEPENDS" ${ARGN})
  string(REPLACE "/" "_" name "${folder}")
  if(name STREQUAL "server_compute")
    set(name compute)
  endif()
  set(root "${PROJECT_BINARY_DIR}/include/${name}")
  file(REMOVE_RECURSE "${root}")
  foreach(sub IN ITEMS "" LISTS ARG_SUBFOLDERS)
    set(part "${folder}/${sub}")
    cmake_path(NORMAL_PATH part)
    string(REGEX REPLACE "/$" "" part "${part}")
    file(MAKE_DIRECTORY "${root}/hapax/${part}")
    file(GLOB headers CONFIGURE_DEPENDS "${PROJECT_SOURCE_DIR}/${part}/*.h")
    foreach(header IN LISTS headers)
      cmake_path(GET header FILENAME file)
      file(CREATE_LINK "${header}" "${root}/hapax/${part}/${file}" SYMBOLIC)
    endforeach()
  endforeach()

  add_library(hapax_${name} STATIC ${ARG_SOURCES})
  add_library(hapax::${name} ALIAS hapax_${name})
  target_include_directories(hapax_${name} PUBLIC "$<BUILD_INTERFACE:${root}>")
  target_link_libraries(hapax_${name} PUBLIC ${ARG_DEPENDS} PRIVATE "$<BUILD_INTERFACE:hapax_options>")
  hapax_precompile(hapax_${name})
  if(HAPAX_INSTALL)
    foreach(header IN LISTS ARG_PUBLIC)
      cmake_path(GET header PARENT_PATH sub)
      install(FILES "${header}" DESTINATION "${CMAKE_INSTALL_INCLUDEDIR}/hapax/${folder}/${sub}")
    endforeach()
  endif()
endfunction()

# hapax_precompile(<target> [TESTS]): compiles with precompiled headers that nearly every source includes; TESTS adds
# those of tests. Sources still include what they use: preset tidy builds without precompiled headers.
set(hapax_precompiled_headers
  <algorithm> <functional> <map> <memory> <optional> <string> <string_view> <utility> <vector>
  <absl/container/flat_hash_map.h> <absl/container/inlined_vector.h> <absl/functional/any_invocable.h>
  <absl/status/statusor.h> <absl/strings/str_cat.h> <absl/synchronization/mutex.h> <absl/time/time.h>
  <google/protobuf/map.h> <google/protobuf/message.h> <google/protobuf/repeated_field.h>
  <google/protobuf/timestamp.pb.h>)
function(hapax_precompile target)
  cmake_parse_arguments(ARG "TESTS" "" "" ${ARGN})
  set(from hapax_precompiled)
  set(headers ${hapax_precompiled_headers})
  set(libraries protobuf::libprotobuf absl::any_invocable absl::flat_hash_map absl::inlined_vector absl::statusor
    absl::synchronization)
  if(ARG_TESTS)
    set(from hapax_precompiled_tests)
    list(APPEND headers <gmock/gmock.h> <gtest/gtest.h> <grpcpp/grpcpp.h>)
    list(APPEND libraries GTest::gmock_main gRPC::grpc++)
  endif()
  if(NOT TARGET ${from})
    file(CONFIGURE OUTPUT "${PROJECT_BINARY_DIR}/${from}.cc" CONTENT "")
    add_library(${from} OBJECT "${PROJECT_BINARY_DIR}/${from}.cc")
    target_link_libraries(${from} PRIVATE hapax_options ${libraries})
    target_precompile_headers(${from} PRIVATE ${headers})
  endif()
  target_precompile_headers(${target} REUSE_FROM ${from})
endfunction()
