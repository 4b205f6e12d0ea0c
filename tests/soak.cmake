# Very many objects and deaths. VIADUCT_SOAK_OBJECTS=100000 VIADUCT_SOAK_KILLS=1000 for the long form.

if(NOT TARGET via_com_std)
    return()
endif()

add_executable(soak_peer soak/peer_program.c soak/soak_object.c soak/traffic.c)
via_target(soak_peer)
set_target_properties(soak_peer PROPERTIES RUNTIME_OUTPUT_DIRECTORY "${CMAKE_BINARY_DIR}/tests")
target_link_libraries(soak_peer PRIVATE via_com_std via_com_remote Threads::Threads)
viaduct_idl(TARGET soak_peer IDL soak/soak.idl)

via_test(soak
    SOURCES test_soak.c remote/fixture.c soak/soak_object.c soak/traffic.c
    IDL soak/soak.idl remote/remote_test.idl
    DEPENDS via_com_std via_com_remote
    TIMEOUT 300)
if(TARGET test_soak)
    add_dependencies(test_soak soak_peer)
endif()

# The same between a Linux program and Windows ones; only the plain build has a Windows tree beside it.
if(TARGET test_soak AND "${CMAKE_BINARY_DIR}" STREQUAL "${CMAKE_SOURCE_DIR}/build/linux")
    # By way of a file: a Wine that this starts stays for a while, and would keep the test's own output open.
    add_test(NAME soak_border COMMAND sh -c "\"$0\" >soak_border.log 2>&1; status=$?; cat soak_border.log; exit $status"
                                      "$<TARGET_FILE:test_soak>")
    set_tests_properties(soak_border PROPERTIES TIMEOUT 600 LABELS suite
        ENVIRONMENT "VIADUCT_TEST_WINDOWS=${CMAKE_SOURCE_DIR}/build/windows;VIADUCT_SOAK_OBJECTS=400;VIADUCT_SOAK_KILLS=5")
endif()
