# What attributes say for callers by name, for events and for people.

if(NOT TARGET via_com_std)
    return()
endif()

add_executable(attributes attributes/program.c attributes/checks.c attributes/checks_arguments.c attributes/checks_library.c
    attributes/checks_members.c attributes/object.c)
via_target(attributes)
set_target_properties(attributes PROPERTIES RUNTIME_OUTPUT_DIRECTORY "${CMAKE_BINARY_DIR}/tests")
target_link_libraries(attributes PRIVATE via_com_std via_com_remote Threads::Threads)
viaduct_idl(TARGET attributes IDL attributes/attributes_base.idl attributes/attributes.idl)

via_test(attributes
    SOURCES test_attributes.c attributes/checks.c attributes/checks_arguments.c attributes/checks_library.c
            attributes/checks_members.c attributes/object.c remote/fixture.c
    IDL remote/remote_test.idl attributes/attributes_base.idl attributes/attributes.idl
    DEPENDS via_com_std via_com_remote)
if(TARGET test_attributes)
    add_dependencies(test_attributes attributes)
endif()

# Against Windows programs; only the plain build has a Windows tree beside it.
if(TARGET test_attributes AND NOT WIN32 AND "${CMAKE_BINARY_DIR}" STREQUAL "${CMAKE_SOURCE_DIR}/build/linux")
    # By way of a file: see soak.cmake.
    add_test(NAME attributes_border
        COMMAND sh -c "\"$0\" >attributes_border.log 2>&1; status=$?; cat attributes_border.log; exit $status"
                "$<TARGET_FILE:test_attributes>")
    set_tests_properties(attributes_border PROPERTIES TIMEOUT 600 LABELS suite
        ENVIRONMENT "VIADUCT_TEST_WINDOWS=${CMAKE_SOURCE_DIR}/build/windows")
endif()
