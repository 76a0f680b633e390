# hapax_library(<folder> SOURCES ... [DEPENDS hapax::... other::...])
#
# The library of one top-level folder, as target hapax::<folder>. Its headers are included as
# "hapax/<folder>/name.h" through a directory that holds that folder alone, so that a header of a
# folder that is not among DEPENDS is not found, and its code not linked.
function(hapax_library folder)
  cmake_parse_arguments(ARG "" "" "SOURCES;DEPENDS" ${ARGN})
  set(root "${PROJECT_BINARY_DIR}/include/${folder}")
  file(MAKE_DIRECTORY "${root}/hapax")
  file(CREATE_LINK "${PROJECT_SOURCE_DIR}/${folder}" "${root}/hapax/${folder}" SYMBOLIC)

  add_library(hapax_${folder} STATIC ${ARG_SOURCES})
  add_library(hapax::${folder} ALIAS hapax_${folder})
  target_include_directories(hapax_${folder} PUBLIC "$<BUILD_INTERFACE:${root}>")
  target_link_libraries(hapax_${folder} PUBLIC ${ARG_DEPENDS} PRIVATE "$<BUILD_INTERFACE:hapax_options>")
  hapax_install_library(hapax_${folder} ${folder})
  install(DIRECTORY "${PROJECT_SOURCE_DIR}/${folder}/" DESTINATION "${CMAKE_INSTALL_INCLUDEDIR}/hapax/${folder}"
    FILES_MATCHING PATTERN "*.h" PATTERN "hapaxctl" EXCLUDE REGEX "/proto/[a-z]+$" EXCLUDE)
endfunction()

# hapax_install_library(<target> <name>): the target is part of the installed package, as hapax::<name>.
function(hapax_install_library target name)
  set_target_properties(${target} PROPERTIES EXPORT_NAME ${name})
  install(TARGETS ${target} EXPORT hapax INCLUDES DESTINATION "${CMAKE_INSTALL_INCLUDEDIR}")
endfunction()
