# The package that `cmake --install` installs besides the libraries, for find_package(hapax CONFIG).
include(CMakePackageConfigHelpers)

set(package_dir "${CMAKE_INSTALL_LIBDIR}/cmake/hapax")
install(EXPORT hapax FILE hapaxTargets.cmake NAMESPACE hapax:: DESTINATION "${package_dir}")
configure_package_config_file("${CMAKE_CURRENT_LIST_DIR}/hapaxConfig.cmake.in" "${PROJECT_BINARY_DIR}/hapaxConfig.cmake"
  INSTALL_DESTINATION "${package_dir}" PATH_VARS CMAKE_INSTALL_DATADIR)
write_basic_package_version_file("${PROJECT_BINARY_DIR}/hapaxConfigVersion.cmake" COMPATIBILITY SameMinorVersion)
install(FILES "${PROJECT_BINARY_DIR}/hapaxConfig.cmake" "${PROJECT_BINARY_DIR}/hapaxConfigVersion.cmake"
  "${CMAKE_CURRENT_LIST_DIR}/HapaxDependencies.cmake" DESTINATION "${package_dir}")
