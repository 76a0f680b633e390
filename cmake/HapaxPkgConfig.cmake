# hapax-client.pc and the like. They say where they are by their own place, so that the prefix may be moved.
#
# hapax_pkg_config(<name> <description> REQUIRES <package>... PRIVATE <package>...): REQUIRES are those that the
# headers include, PRIVATE those that only the code needs, which a program links with static libraries alone.
function(hapax_pkg_config name description)
  cmake_parse_arguments(ARG "" "" "REQUIRES;PRIVATE" ${ARGN})
  if(NOT HAPAX_BUILD_SHARED)
    list(APPEND ARG_REQUIRES ${ARG_PRIVATE})
    set(ARG_PRIVATE "")
  endif()
  list(JOIN ARG_REQUIRES ", " requires)
  list(JOIN ARG_PRIVATE ", " private)
  set(pc_dir "${CMAKE_INSTALL_LIBDIR}/pkgconfig")
  cmake_path(RELATIVE_PATH CMAKE_INSTALL_FULL_LIBDIR BASE_DIRECTORY "${CMAKE_INSTALL_PREFIX}" OUTPUT_VARIABLE libdir)
  cmake_path(RELATIVE_PATH CMAKE_INSTALL_FULL_INCLUDEDIR BASE_DIRECTORY "${CMAKE_INSTALL_PREFIX}" OUTPUT_VARIABLE includedir)
  cmake_path(RELATIVE_PATH CMAKE_INSTALL_PREFIX BASE_DIRECTORY "${CMAKE_INSTALL_FULL_LIBDIR}/pkgconfig" OUTPUT_VARIABLE prefix)
  file(GENERATE OUTPUT "${PROJECT_BINARY_DIR}/hapax-${name}.pc" CONTENT
"prefix=\${pcfiledir}/${prefix}
libdir=\${prefix}/${libdir}
includedir=\${prefix}/${includedir}

Name: hapax-${name}
Description: ${description}
Version: ${PROJECT_VERSION}
Requires: ${requires}
Requires.private: ${private}
Cflags: -I\${includedir}
Libs: -L\${libdir} -lhapax_${name}
")
  install(FILES "${PROJECT_BINARY_DIR}/hapax-${name}.pc" DESTINATION "${pc_dir}")
endfunction()

set(absl absl_any_invocable absl_cord absl_core_headers absl_flat_hash_map absl_function_ref absl_inlined_vector
  absl_span absl_status absl_statusor absl_str_format absl_strings absl_synchronization absl_time)
hapax_pkg_config(common "What client and server of Hapax share" REQUIRES protobuf ${absl} PRIVATE libcrypto)
if("client" IN_LIST HAPAX_COMPONENTS)
  hapax_pkg_config(client "Calls that happen once: the client" REQUIRES "hapax-common = ${PROJECT_VERSION}"
    absl_random_random PRIVATE grpc++ libcrypto sqlite3)
endif()
if("server" IN_LIST HAPAX_COMPONENTS)
  hapax_pkg_config(server "Calls that happen once: hosting a service" REQUIRES "hapax-common = ${PROJECT_VERSION}"
    absl_btree absl_random_random spdlog PRIVATE grpc++ libpq openssl rocksdb zlib prometheus-cpp-core)
endif()
if("compute" IN_LIST HAPAX_COMPONENTS)
  hapax_pkg_config(compute "Calls that happen once: the compute service" REQUIRES "hapax-server = ${PROJECT_VERSION}"
    PRIVATE libcrypto)
endif()
if("testing" IN_LIST HAPAX_COMPONENTS)
  hapax_pkg_config(testing "Calls that happen once: tests of a service" REQUIRES "hapax-server = ${PROJECT_VERSION}"
    PRIVATE prometheus-cpp-core)
endif()
