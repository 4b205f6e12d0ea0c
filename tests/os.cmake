# A module for the tests to load.
if(BUILD_TESTING)
    add_library(test_os_module MODULE os/module.c)
    via_target(test_os_module)
    set_target_properties(test_os_module PROPERTIES
        PREFIX "" LIBRARY_OUTPUT_DIRECTORY "${CMAKE_BINARY_DIR}/tests")
endif()

via_test(os SOURCES test_os.c DEPENDS via_core_util)
add_dependencies(test_os test_os_module)
via_test(os_poller SOURCES test_os_poller.c os/descriptors_${VIADUCT_OS}.c DEPENDS via_core_util)
via_test(os_process SOURCES test_os_process.c os/descriptors_${VIADUCT_OS}.c DEPENDS via_core_util)
if(TARGET viaduct-unix_winelib)
    add_dependencies(test_os_poller viaduct-unix_winelib)
endif()
