# Very many objects and deaths: VIADUCT_SOAK_OBJECTS and VIADUCT_SOAK_KILLS say how many.

if(NOT TARGET via_com_std)
    return()
endif()

add_executable(soak_peer soak/peer_program.c soak/soak_object.c soak/traffic.c remote/serve.c)
via_target(soak_peer)
set_target_properties(soak_peer PROPERTIES RUNTIME_OUTPUT_DIRECTORY "${CMAKE_BINARY_DIR}/tests")
target_link_libraries(soak_peer PRIVATE via_com_std via_com_remote via_test_harness Threads::Threads)
viaduct_idl(TARGET soak_peer IDL soak/soak.idl)

via_test(soak
    SOURCES test_soak.c remote/fixture.c soak/soak_object.c soak/traffic.c
    IDL soak/soak.idl remote/remote_test.idl
    DEPENDS via_com_std via_com_remote
    TIMEOUT 600)
if(TARGET test_soak)
    add_dependencies(test_soak soak_peer)
endif()
via_test_border(soak SANITIZED)
