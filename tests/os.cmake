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
if(WIN32)
    via_test(os_apartment SOURCES test_os_apartment_windows.c os/apartment_windows.c DEPENDS via_core_util)
    target_link_libraries(test_os_apartment PRIVATE ole32 uuid)
    via_test(wine_module SOURCES test_wine_module_windows.c DEPENDS via_core_util)
else()
    via_test(os_posix SOURCES test_os_posix.c DEPENDS via_core_util)
    add_dependencies(test_os_posix test_os_module)
    # The module for Wine is a Linux library: what depends on the kernel is shown here.
    if(CMAKE_SYSTEM_PROCESSOR STREQUAL "x86_64") # whose compilers know its calling convention
        via_test(unix_module SOURCES test_unix_module_posix.c ../core/os/wine/unix_module.c
                 DEPENDS via_core_util)
    endif()
endif()
if(TARGET viaduct-unix_winelib)
    add_dependencies(test_os viaduct-unix_winelib)
    add_dependencies(test_os_poller viaduct-unix_winelib)
    add_dependencies(test_wine_module viaduct-unix_winelib)
endif()
