# How every target of the project is made: one place for standards, warnings, sanitizers and output folders.

set(CMAKE_C_STANDARD 11)
set(CMAKE_C_EXTENSIONS ON)
set(CMAKE_C_STANDARD_REQUIRED ON)
set(CMAKE_CXX_STANDARD 17)
set(CMAKE_C_VISIBILITY_PRESET hidden)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
set(CMAKE_RUNTIME_OUTPUT_DIRECTORY "${CMAKE_BINARY_DIR}/bin")
# The tree runs in place and may be moved: libraries are found from the program's own directory.
set(CMAKE_BUILD_RPATH_USE_ORIGIN ON)
if(WIN32)
    set(CMAKE_LIBRARY_OUTPUT_DIRECTORY "${CMAKE_BINARY_DIR}/bin")
    set(VIADUCT_PLUGIN_DIRECTORY "${CMAKE_BINARY_DIR}/bin/plugins")
    set(VIADUCT_OS windows)
    # Self-contained programs: libgcc and winpthread are linked in.
    add_link_options(-static -static-libgcc)
    add_compile_definitions(_WIN32_WINNT=0x0A00 WINVER=0x0A00 __USE_MINGW_ANSI_STDIO=1)
else()
    set(CMAKE_LIBRARY_OUTPUT_DIRECTORY "${CMAKE_BINARY_DIR}/lib")
    set(VIADUCT_PLUGIN_DIRECTORY "${CMAKE_BINARY_DIR}/lib/viaduct/plugins")
    set(VIADUCT_OS posix)
endif()
# What a program of this build puts in front of a path of the machine that builds it: under Wine Z: is /.
set(VIADUCT_PATH_PREFIX "")
if(WIN32 AND CMAKE_CROSSCOMPILING)
    set(VIADUCT_PATH_PREFIX "Z:")
endif()
set(CMAKE_ARCHIVE_OUTPUT_DIRECTORY "${CMAKE_BINARY_DIR}/archives")
set(THREADS_PREFER_PTHREAD_FLAG ON)
find_package(Threads REQUIRED)

option(VIADUCT_WERROR "Treat warnings as errors" OFF)
set(VIADUCT_WARNINGS -Wall -Wextra -Wshadow -Wvla -Wstrict-prototypes -Wmissing-prototypes)
if(VIADUCT_WERROR)
    list(APPEND VIADUCT_WARNINGS -Werror)
endif()
# Where a lost bit is a wrong frame, conversions are spelt out.
set(VIADUCT_CONVERSION_WARNINGS -Wconversion)
set(VIADUCT_CONVERSION_LAYERS via_core_wire via_com_marshal)

# address (with undefined behaviour), thread, trap (undefined behaviour ends the program; needs no runtime
# library, so that MinGW has it too), or nothing.
set(VIADUCT_SANITIZE "" CACHE STRING "Sanitizers: address, thread, trap or empty")
set(VIADUCT_TIME_FACTOR 1)
set(VIADUCT_TEST_ENVIRONMENT "")
if(VIADUCT_SANITIZE STREQUAL "address")
    set(sanitize_flags -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer)
    set(VIADUCT_TIME_FACTOR 3)
    set(VIADUCT_TEST_ENVIRONMENT "ASAN_OPTIONS=detect_stack_use_after_return=1"
        "UBSAN_OPTIONS=print_stacktrace=1")
elseif(VIADUCT_SANITIZE STREQUAL "thread")
    set(sanitize_flags -fsanitize=thread -fno-omit-frame-pointer)
    set(VIADUCT_TIME_FACTOR 5)
    set(VIADUCT_TEST_ENVIRONMENT "TSAN_OPTIONS=atexit_sleep_ms=100:second_deadlock_stack=1")
elseif(VIADUCT_SANITIZE STREQUAL "trap")
    set(sanitize_flags -fsanitize=undefined -fsanitize-undefined-trap-on-error)
elseif(NOT VIADUCT_SANITIZE STREQUAL "")
    message(FATAL_ERROR "VIADUCT_SANITIZE is '${VIADUCT_SANITIZE}'; address, thread, trap or empty are known")
endif()
if(WIN32)
    set(VIADUCT_TIME_FACTOR 2)
endif()
option(VIADUCT_LIBFUZZER "Let clang's libFuzzer drive the fuzz targets (with VIADUCT_SANITIZE=address)" OFF)
if(VIADUCT_LIBFUZZER)
    add_compile_options(-fsanitize=fuzzer-no-link)
endif()
add_compile_options(${sanitize_flags})
add_link_options(${sanitize_flags})

include(CheckCCompilerFlag)
# What a user runs is optimised across the layers of the runtime. Their objects hold ordinary code as well, so that
# the many tests, which link single layers, link as quickly as ever.
set(VIADUCT_LTO "")
set(VIADUCT_NO_LTO "")
if(VIADUCT_SANITIZE STREQUAL "" AND CMAKE_C_COMPILER_ID STREQUAL "GNU" AND CMAKE_BUILD_TYPE STREQUAL "RelWithDebInfo")
    set(VIADUCT_LTO -flto=auto -ffat-lto-objects)
    set(VIADUCT_NO_LTO -fno-lto)
endif()
# Functions of other modules are called through their addresses, without a detour.
check_c_compiler_flag(-fno-plt VIADUCT_HAS_NO_PLT)
if(VIADUCT_HAS_NO_PLT AND NOT WIN32)
    add_compile_options(-fno-plt)
endif()
# Thread-local variables of shared libraries without a function call. A program that loads the library late finds room
# for 1664 bytes of them (glibc); the test thread_locals looks that ours stay far below that.
check_c_compiler_flag(-ftls-model=initial-exec VIADUCT_HAS_STATIC_TLS)
if(VIADUCT_HAS_STATIC_TLS AND VIADUCT_SANITIZE STREQUAL "" AND NOT WIN32)
    add_compile_options(-ftls-model=initial-exec)
endif()

# Structs are cleared by plain stores: gcc's `rep stos` takes some 30 cycles to start, and each call needs several.
set(VIADUCT_CLEARING "-mmemset-strategy=unrolled_loop:512:noalign,libcall:-1:noalign")
check_c_compiler_flag(${VIADUCT_CLEARING} VIADUCT_HAS_CLEARING)
if(NOT VIADUCT_HAS_CLEARING)
    set(VIADUCT_CLEARING "")
endif()

# Windows' headers are 90,000 lines and take ten times as long to compile as a source of ours: they are read once.
# Compiled headers serve only targets with the same options, so there is one set for each.
function(via_precompile_windows_headers name) # [OPTION...]
    get_target_property(sources ${name} SOURCES)
    if(NOT WIN32 OR sources MATCHES "\\.cpp")
        return()
    endif()
    string(MAKE_C_IDENTIFIER "via_windows_headers${ARGN}" headers)
    if(NOT TARGET ${headers})
        add_library(${headers} OBJECT "${CMAKE_SOURCE_DIR}/cmake/windows_headers.c")
        target_compile_options(${headers} PRIVATE ${ARGN})
        target_compile_definitions(${headers} PRIVATE _GNU_SOURCE)
        target_precompile_headers(${headers} PRIVATE "${CMAKE_SOURCE_DIR}/cmake/windows_headers.h")
    endif()
    target_precompile_headers(${name} REUSE_FROM ${headers})
endfunction()

# via_target(NAME [OPTION...]): what all our targets share, and how this one is compiled besides. Includes are written
# from the project's root ("core/util/error.h") or from include/ (<viaduct/com.h>).
function(via_target name)
    target_include_directories(${name} PUBLIC "${CMAKE_SOURCE_DIR}" "${CMAKE_SOURCE_DIR}/include")
    target_compile_options(${name} PRIVATE $<$<COMPILE_LANGUAGE:C>:${VIADUCT_WARNINGS}> ${ARGN})
    target_compile_definitions(${name} PRIVATE _GNU_SOURCE)
    target_link_options(${name} PRIVATE ${VIADUCT_NO_LTO})
    via_precompile_windows_headers(${name} ${ARGN})
endfunction()

# via_layer(NAME SOURCES ... [DEPENDS ...]): one layer directory of the runtime, as a static library that
# both the shared library `viaduct` and the unit tests link.
function(via_layer name)
    cmake_parse_arguments(ARG "" "" "SOURCES;DEPENDS" ${ARGN})
    add_library(${name} STATIC ${ARG_SOURCES})
    via_target(${name} ${VIADUCT_LTO} ${VIADUCT_CLEARING})
    if(name IN_LIST VIADUCT_CONVERSION_LAYERS)
        target_compile_options(${name} PRIVATE ${VIADUCT_CONVERSION_WARNINGS})
    endif()
    target_compile_definitions(${name} PRIVATE VIA_BUILDING_VIADUCT)
    target_link_libraries(${name} PUBLIC ${ARG_DEPENDS} Threads::Threads)
    set_property(GLOBAL APPEND PROPERTY VIADUCT_LAYERS ${name})
endfunction()

# via_program(NAME SOURCES ... [DEPENDS ...] [OUTPUT name]): a program in bin/.
function(via_program name)
    cmake_parse_arguments(ARG "" "OUTPUT" "SOURCES;DEPENDS" ${ARGN})
    add_executable(${name} ${ARG_SOURCES})
    via_target(${name})
    target_link_libraries(${name} PRIVATE ${ARG_DEPENDS} Threads::Threads)
    if(ARG_OUTPUT)
        set_target_properties(${name} PROPERTIES OUTPUT_NAME ${ARG_OUTPUT})
    endif()
endfunction()

# viaduct_plugin(NAME SOURCES ... [DEPENDS ...] [DIRECTORY dir]): a transport plugin, a module with no prefix.
function(viaduct_plugin name)
    cmake_parse_arguments(ARG "" "DIRECTORY" "SOURCES;DEPENDS" ${ARGN})
    if(NOT ARG_DIRECTORY)
        set(ARG_DIRECTORY "${VIADUCT_PLUGIN_DIRECTORY}")
    endif()
    add_library(${name} MODULE ${ARG_SOURCES})
    via_target(${name} ${VIADUCT_CLEARING})
    target_link_libraries(${name} PRIVATE ${ARG_DEPENDS} Threads::Threads)
    set_target_properties(${name} PROPERTIES PREFIX "" LIBRARY_OUTPUT_DIRECTORY "${ARG_DIRECTORY}")
endfunction()

# Where this project's own components and the runtime's headers are; the functions are those that others use too.
if(WIN32)
    set(VIADUCT_COMPONENT_DIRECTORY "${CMAKE_BINARY_DIR}/bin/components")
else()
    set(VIADUCT_COMPONENT_DIRECTORY "${CMAKE_BINARY_DIR}/lib/viaduct/components")
endif()
set(VIADUCT_INCLUDE_DIRECTORY "${CMAKE_SOURCE_DIR}/include")
set(VIADUCT_IDL_EXECUTABLE "" CACHE FILEPATH "A native viaduct-idl, where the build cannot run its own")
include(ViaductComponent)

# via_test(NAME SOURCES ... [DEPENDS ...] [IDL ...] [ARGUMENTS ...] [ENVIRONMENT VAR=value ...] [TIMEOUT s]
#          [LABELS ...] [RUN_SERIAL]):
# one suite, a program around tests/harness. TIMEOUT is for the whole suite, before the factor for slow builds.
# Other kinds of test (scripts) use add_test and say on their last line what the harness says, or count as one.
function(via_test name)
    if(NOT BUILD_TESTING)
        return()
    endif()
    cmake_parse_arguments(ARG "RUN_SERIAL" "TIMEOUT" "SOURCES;DEPENDS;IDL;ARGUMENTS;ENVIRONMENT;LABELS"
                          ${ARGN})
    set(target test_${name})
    add_executable(${target} ${ARG_SOURCES})
    via_target(${target})
    set_target_properties(${target} PROPERTIES RUNTIME_OUTPUT_DIRECTORY "${CMAKE_BINARY_DIR}/tests")
    target_link_libraries(${target} PRIVATE ${ARG_DEPENDS} via_test_harness Threads::Threads)
    target_compile_definitions(${target} PRIVATE
        TEST_SOURCE_DIRECTORY="${VIADUCT_PATH_PREFIX}${CMAKE_SOURCE_DIR}"
        TEST_BINARY_DIRECTORY="${VIADUCT_PATH_PREFIX}${CMAKE_BINARY_DIR}")
    if(ARG_IDL)
        viaduct_idl(TARGET ${target} IDL ${ARG_IDL})
    endif()
    if(NOT ARG_TIMEOUT)
        set(ARG_TIMEOUT 120)
    endif()
    math(EXPR seconds "${ARG_TIMEOUT} * ${VIADUCT_TIME_FACTOR}")
    set(runner "")
    if(CMAKE_CROSSCOMPILING_EMULATOR)
        set(runner ${CMAKE_CROSSCOMPILING_EMULATOR} --suite)
    endif()
    add_test(NAME ${name} COMMAND ${runner} $<TARGET_FILE:${target}> ${ARG_ARGUMENTS})
    set_tests_properties(${name} PROPERTIES
        TIMEOUT ${seconds} LABELS "suite;${ARG_LABELS}" ENVIRONMENT "${VIADUCT_TEST_ENVIRONMENT};${ARG_ENVIRONMENT}"
        RUN_SERIAL ${ARG_RUN_SERIAL})
endfunction()

# A suite that is there already once more, where its helper programs are those of the Windows tree that './dev build'
# makes beside this one, under Wine. In the plain build; with SANITIZED in those with sanitizers too.
#   via_test_border(NAME [ARGUMENTS CASE...] [ENVIRONMENT VAR=VALUE...] [TIMEOUT s] [SANITIZED])
function(via_test_border name)
    cmake_parse_arguments(ARG "SANITIZED" "TIMEOUT" "ARGUMENTS;ENVIRONMENT" ${ARGN})
    set(trees linux)
    if(ARG_SANITIZED)
        list(APPEND trees asan tsan)
    endif()
    cmake_path(GET CMAKE_BINARY_DIR FILENAME tree)
    if(NOT TARGET test_${name} OR NOT tree IN_LIST trees OR
       NOT "${CMAKE_BINARY_DIR}" STREQUAL "${CMAKE_SOURCE_DIR}/build/${tree}")
        return()
    endif()
    if(NOT ARG_TIMEOUT)
        set(ARG_TIMEOUT 600)
    endif()
    math(EXPR seconds "${ARG_TIMEOUT} * ${VIADUCT_TIME_FACTOR}")
    string(JOIN " " cases ${ARG_ARGUMENTS})
    # By way of a file: a Wine that this starts stays for a while, and would keep the test's own output open.
    add_test(NAME ${name}_border
        COMMAND sh -c "\"$0\" ${cases} >${name}_border.log 2>&1; status=$?; cat ${name}_border.log; exit $status"
                "$<TARGET_FILE:test_${name}>")
    # One at a time has the prefix: while many of its processes are killed and started, others may take long to start.
    set_tests_properties(${name}_border PROPERTIES TIMEOUT ${seconds} LABELS suite RESOURCE_LOCK wineprefix
        ENVIRONMENT "${VIADUCT_TEST_ENVIRONMENT};VIADUCT_TEST_WINDOWS=${CMAKE_SOURCE_DIR}/build/windows;${ARG_ENVIRONMENT}")
endfunction()

# A suite that is there already once more, as on Windows itself: without the winelib module.
#   via_test_without_module(NAME [ENVIRONMENT VAR=VALUE...] [ARGUMENTS CASE...])
function(via_test_without_module name)
    if(NOT WIN32 OR NOT TARGET test_${name})
        return()
    endif()
    cmake_parse_arguments(ARG "" "" "ENVIRONMENT;ARGUMENTS" ${ARGN})
    set(runner "")
    if(CMAKE_CROSSCOMPILING_EMULATOR)
        set(runner ${CMAKE_CROSSCOMPILING_EMULATOR} --suite)
    endif()
    math(EXPR seconds "240 * ${VIADUCT_TIME_FACTOR}")
    add_test(NAME ${name}_sections COMMAND ${runner} $<TARGET_FILE:test_${name}> ${ARG_ARGUMENTS})
    set_tests_properties(${name}_sections PROPERTIES TIMEOUT ${seconds} LABELS suite
        ENVIRONMENT "${VIADUCT_TEST_ENVIRONMENT};VIADUCT_UNIX_CALLS=0;${ARG_ENVIRONMENT}")
endfunction()
