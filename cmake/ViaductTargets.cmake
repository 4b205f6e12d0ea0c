# How every target of the project is made: one place for standards, warnings and visibility.

set(CMAKE_C_STANDARD 11)
set(CMAKE_C_EXTENSIONS ON)
set(CMAKE_C_STANDARD_REQUIRED ON)
set(CMAKE_C_VISIBILITY_PRESET hidden)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
set(CMAKE_RUNTIME_OUTPUT_DIRECTORY "${CMAKE_BINARY_DIR}/bin")
if(WIN32)
    set(CMAKE_LIBRARY_OUTPUT_DIRECTORY "${CMAKE_BINARY_DIR}/bin")
    set(VIADUCT_PLUGIN_DIRECTORY "${CMAKE_BINARY_DIR}/bin/plugins")
    set(VIADUCT_OS windows)
else()
    set(CMAKE_LIBRARY_OUTPUT_DIRECTORY "${CMAKE_BINARY_DIR}/lib")
    set(VIADUCT_PLUGIN_DIRECTORY "${CMAKE_BINARY_DIR}/lib/viaduct/plugins")
    set(VIADUCT_OS posix)
endif()
set(THREADS_PREFER_PTHREAD_FLAG ON)
find_package(Threads REQUIRED)

option(VIADUCT_WERROR "Treat warnings as errors" OFF)
set(VIADUCT_WARNINGS -Wall -Wextra -Wshadow -Wvla -Wstrict-prototypes -Wmissing-prototypes)
if(VIADUCT_WERROR)
    list(APPEND VIADUCT_WARNINGS -Werror)
endif()

# via_layer(NAME SOURCES ... [DEPENDS ...]): one layer directory of the runtime, as a static library that
# both the shared library `viaduct` and the unit tests link. Includes are written from the project's root
# ("core/util/error.h") or from include/ (<viaduct/com.h>).
function(via_layer name)
    cmake_parse_arguments(ARG "" "" "SOURCES;DEPENDS" ${ARGN})
    add_library(${name} STATIC ${ARG_SOURCES})
    target_include_directories(${name} PUBLIC "${CMAKE_SOURCE_DIR}" "${CMAKE_SOURCE_DIR}/include")
    target_compile_options(${name} PRIVATE ${VIADUCT_WARNINGS})
    target_compile_definitions(${name} PRIVATE VIA_BUILDING_VIADUCT _GNU_SOURCE)
    target_link_libraries(${name} PUBLIC ${ARG_DEPENDS} Threads::Threads)
endfunction()
