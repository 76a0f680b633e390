# hapax_own_protos(<target> <from> <to> <proto>... [BELOW <path>])
#
# Generates C++ for protos of the project, given as paths below <from>, and compiles it into the target. With BELOW they
# are imported by their names below that path. What google.rpc and others publish gets names of Hapax's own: protobuf
# ends a process in which two libraries register one name. proto/public_name.cc has the same packages.
set(hapax_external_packages
  google.longrunning=longrunning google.rpc=rpc grpc.health.v1=health grpc.reflection.v1alpha=reflection)
function(hapax_own_protos target from to)
  cmake_parse_arguments(PARSE_ARGV 3 ARG "" "BELOW" "")
  set(renamed "${to}_from")
  file(MAKE_DIRECTORY "${to}" "${PROJECT_BINARY_DIR}/generated_from")
  foreach(proto IN LISTS ARG_UNPARSED_ARGUMENTS)
    file(READ "${from}/${proto}" text)
    set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS "${from}/${proto}")
    cmake_path(APPEND ARG_BELOW "${proto}" OUTPUT_VARIABLE path)
    foreach(package IN LISTS hapax_external_packages)
      string(REGEX MATCH "^(.*)=(.*)$" _ "${package}")
      set(public "${CMAKE_MATCH_1}")
      set(own "hapax.external.${CMAKE_MATCH_2}")
      string(REPLACE "." "/" public_path "${public}")
      string(REPLACE "." "/" own_path "${own}")
      string(REPLACE "\"${public_path}/" "\"${own_path}/" text "${text}")
      string(REPLACE "package ${public};" "package ${own};" text "${text}")
      string(REPLACE "${public}." "${own}." text "${text}")
      string(REGEX REPLACE "^${public_path}/" "${own_path}/" path "${path}")
    endforeach()
    file(GENERATE OUTPUT "${renamed}/${path}" CONTENT "${text}")
    string(REGEX REPLACE "\\.proto$" ".pb" stem "${to}/${path}")
    add_custom_command(
      OUTPUT "${stem}.cc" "${stem}.h"
      COMMAND protobuf::protoc "--cpp_out=${to}" "--dependency_out=${stem}.d" "-I${renamed}"
        "-I${PROJECT_BINARY_DIR}/generated_from" "${path}"
      DEPENDS "${renamed}/${path}"
      DEPFILE "${stem}.d"
      VERBATIM
    )
    target_sources(${target} PRIVATE "${stem}.cc")
  endforeach()
  target_include_directories(${target} SYSTEM PUBLIC "$<BUILD_INTERFACE:${to}>")
endfunction()
