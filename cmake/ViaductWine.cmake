# A winelib module: a Linux library that a Windows program under Wine loads like a DLL. It is made by Wine's own
# compiler driver and stands beside the Windows programs; real Windows never looks at it.

find_program(VIADUCT_WINEGCC NAMES winegcc winegcc-stable PATHS /usr/lib/wine
             NO_CMAKE_FIND_ROOT_PATH)

# viaduct_winelib(NAME SOURCES file.c ... SPEC file.spec [DEPENDS file ...]): bin/NAME.dll.so, and a copy beside the
# tests. Without winegcc there is none, and the build says so.
function(viaduct_winelib name)
    cmake_parse_arguments(ARG "" "SPEC" "SOURCES;DEPENDS" ${ARGN})
    if(NOT VIADUCT_WINEGCC)
        message(STATUS "winegcc is missing: ${name}.dll.so, for programs under Wine, is not built")
        return()
    endif()
    set(module "${CMAKE_RUNTIME_OUTPUT_DIRECTORY}/${name}.dll.so")
    list(TRANSFORM ARG_SOURCES PREPEND "${CMAKE_CURRENT_SOURCE_DIR}/" REGEX "^[^/]")
    list(TRANSFORM ARG_DEPENDS PREPEND "${CMAKE_CURRENT_SOURCE_DIR}/" REGEX "^[^/]")
    add_custom_command(
        OUTPUT "${module}"
        COMMAND ${CMAKE_COMMAND} -E make_directory "${CMAKE_RUNTIME_OUTPUT_DIRECTORY}"
        COMMAND "${VIADUCT_WINEGCC}" -shared -O2 -fPIC -std=gnu11 -D_GNU_SOURCE -Wall -Wextra -Wshadow
                "$<$<BOOL:${VIADUCT_WERROR}>:-Werror>" "-I${CMAKE_SOURCE_DIR}" "-I${CMAKE_SOURCE_DIR}/include"
                ${ARG_SOURCES} "${CMAKE_CURRENT_SOURCE_DIR}/${ARG_SPEC}" -o "${module}"
        COMMAND ${CMAKE_COMMAND} -E make_directory "${CMAKE_BINARY_DIR}/tests"
        COMMAND ${CMAKE_COMMAND} -E copy "${module}" "${CMAKE_BINARY_DIR}/tests"
        DEPENDS ${ARG_SOURCES} "${CMAKE_CURRENT_SOURCE_DIR}/${ARG_SPEC}" ${ARG_DEPENDS}
                "${CMAKE_SOURCE_DIR}/include/viaduct/plugin/unix_calls.h"
        COMMENT "Building winelib module ${name}.dll.so"
        COMMAND_EXPAND_LISTS VERBATIM)
    add_custom_target(${name}_winelib ALL DEPENDS "${module}")
endfunction()
