# Tests find plugins from where they run: under Wine the build's own paths mean nothing to a program.
cmake_path(RELATIVE_PATH VIADUCT_PLUGIN_DIRECTORY BASE_DIRECTORY "${CMAKE_BINARY_DIR}"
           OUTPUT_VARIABLE plugin_part)

function(plugin_suite name)
    via_test(${name} ${ARGN})
    if(TARGET test_${name})
        target_compile_definitions(test_${name} PRIVATE
            VIADUCT_PLUGIN_PART="${plugin_part}")
        foreach(plugin viaduct-unix viaduct-pipe viaduct-shm viaduct-tcp)
            if(TARGET ${plugin})
                add_dependencies(test_${name} ${plugin})
            endif()
        endforeach()
    endif()
endfunction()

plugin_suite(plugin SOURCES test_plugin.c DEPENDS via_core_plugin)
plugin_suite(conformance SOURCES test_conformance.c DEPENDS via_core_plugin TIMEOUT 240)
via_test_without_module(conformance ARGUMENTS shm)
plugin_suite(namedpipe SOURCES test_namedpipe_${VIADUCT_OS}.c DEPENDS via_core_plugin)
if(WIN32)
    if(TARGET test_namedpipe)
        target_link_libraries(test_namedpipe PRIVATE advapi32)
    endif()
else()
    plugin_suite(unixsock SOURCES test_unixsock_posix.c DEPENDS via_core_plugin)
endif()
