# Installs, besides headers and programs: the libraries, static and shared, the package for find_package(hapax CONFIG),
# and files for pkg-config.
include(CMakePackageConfigHelpers)
set(package_dir "${CMAKE_INSTALL_LIBDIR}/cmake/hapax")

# hapax_installed_library(<name> FOLDERS <folder>... [LIBRARIES <name>...])
#
# libhapax_<name> of what the folders' libraries have compiled, static and shared, as hapax::<name> of the installed
# package. It is linked with those of LIBRARIES and with what the folders are built on. What no installed header
# includes is no part of the shared library's interface.
function(hapax_installed_library name)
  cmake_parse_arguments(ARG "" "" "FOLDERS;LIBRARIES" ${ARGN})
  list(TRANSFORM ARG_FOLDERS PREPEND hapax_)
  set(in_headers "")
  set(in_code "")
  set(objects "")
  foreach(folder IN LISTS ARG_FOLDERS)
    list(APPEND objects "$<TARGET_OBJECTS:${folder}>")
    get_target_property(linked ${folder} INTERFACE_LINK_LIBRARIES)
    foreach(library IN LISTS linked)
      if(library MATCHES "^(absl|protobuf|spdlog|Threads)::")
        list(APPEND in_headers ${library})
      elseif(library MATCHES "::" AND NOT library MATCHES "hapax")
        list(APPEND in_code ${library})
      endif()
    endforeach()
  endforeach()
  list(REMOVE_DUPLICATES in_headers)
  list(REMOVE_DUPLICATES in_code)

  set(flavours static)
  if(HAPAX_BUILD_SHARED)
    list(APPEND flavours shared)
  endif()
  foreach(flavour IN LISTS flavours)
    set(target hapax_${name}_${flavour})
    string(TOUPPER ${flavour} type)
    add_library(${target} ${type} ${objects})
    set_target_properties(${target} PROPERTIES
      OUTPUT_NAME hapax_${name} EXPORT_NAME ${name} LINKER_LANGUAGE CXX
      LIBRARY_OUTPUT_DIRECTORY "${PROJECT_BINARY_DIR}/lib" ARCHIVE_OUTPUT_DIRECTORY "${PROJECT_BINARY_DIR}/lib"
      # Nothing is promised of the ABI: a program loads the libraries of the version that it was built with, or none.
      VERSION "${PROJECT_VERSION}" SOVERSION "${PROJECT_VERSION}" INSTALL_RPATH "$ORIGIN")
    target_compile_features(${target} PUBLIC cxx_std_20)  # For whoever includes the installed headers.
    set(libraries ${ARG_LIBRARIES})
    list(TRANSFORM libraries REPLACE "(.+)" "hapax_\\1_${flavour}")
    target_link_libraries(${target} PUBLIC ${libraries} ${in_headers} PRIVATE ${in_code})
    install(TARGETS ${target} EXPORT hapax_${flavour}_${name} INCLUDES DESTINATION "${CMAKE_INSTALL_INCLUDEDIR}")
    install(EXPORT hapax_${flavour}_${name} FILE hapax_${flavour}_${name}.cmake NAMESPACE hapax::
      DESTINATION "${package_dir}")
  endforeach()
  if(HAPAX_BUILD_SHARED)
    target_link_options(hapax_${name}_shared PRIVATE -Wl,-z,defs)
  endif()
endfunction()

hapax_installed_library(common FOLDERS base messages proto)
if("client" IN_LIST HAPAX_COMPONENTS)
  hapax_installed_library(client FOLDERS client LIBRARIES common)
endif()
if("server" IN_LIST HAPAX_COMPONENTS)
  hapax_installed_library(server LIBRARIES common FOLDERS
    base_log storage storage_etcd storage_postgres storage_remote storage_rocksdb interceptors interceptors_access interceptors_idempotency interceptors_limits
    server_options server_hosting server_grpc server_http server_operations server)
endif()
if("compute" IN_LIST HAPAX_COMPONENTS)
  hapax_installed_library(compute FOLDERS compute LIBRARIES server)
endif()
if("testing" IN_LIST HAPAX_COMPONENTS)
  hapax_installed_library(testing FOLDERS storage_memory testing LIBRARIES server)
endif()
set_target_properties(hapax_google_protos PROPERTIES EXPORT_NAME google_protos)
install(TARGETS hapax_google_protos EXPORT hapax_google_protos
  INCLUDES DESTINATION "${CMAKE_INSTALL_INCLUDEDIR}/hapax/google_protos")
install(EXPORT hapax_google_protos FILE hapax_google_protos.cmake NAMESPACE hapax:: DESTINATION "${package_dir}")

install(DIRECTORY "${PROJECT_BINARY_DIR}/generated/" DESTINATION "${CMAKE_INSTALL_INCLUDEDIR}"
  FILES_MATCHING PATTERN "*.pb.h")
install(DIRECTORY "${PROJECT_BINARY_DIR}/google_protos/" DESTINATION "${CMAKE_INSTALL_INCLUDEDIR}/hapax/google_protos"
  FILES_MATCHING PATTERN "*.pb.h")
install(DIRECTORY "${PROJECT_SOURCE_DIR}/proto/google" "${PROJECT_SOURCE_DIR}/proto/hapax"
  DESTINATION "${CMAKE_INSTALL_DATADIR}/hapax/proto" FILES_MATCHING PATTERN "*.proto")

set(hapax_has_shared ${HAPAX_BUILD_SHARED})
configure_package_config_file("${CMAKE_CURRENT_LIST_DIR}/hapaxConfig.cmake.in" "${PROJECT_BINARY_DIR}/hapaxConfig.cmake"
  INSTALL_DESTINATION "${package_dir}" PATH_VARS CMAKE_INSTALL_DATADIR)
write_basic_package_version_file("${PROJECT_BINARY_DIR}/hapaxConfigVersion.cmake" COMPATIBILITY SameMinorVersion)
install(FILES "${PROJECT_BINARY_DIR}/hapaxConfig.cmake" "${PROJECT_BINARY_DIR}/hapaxConfigVersion.cmake"
  "${CMAKE_CURRENT_LIST_DIR}/HapaxPackages.cmake" "${CMAKE_CURRENT_LIST_DIR}/HapaxGenerateProtos.cmake"
  DESTINATION "${package_dir}")
include("${CMAKE_CURRENT_LIST_DIR}/HapaxPkgConfig.cmake")
