# Events and weak references, in one process and between processes.

if(NOT TARGET via_com_std)
    return()
endif()

add_executable(events_peer events/peer_program.c events/source_object.c remote/serve.c)
via_target(events_peer)
set_target_properties(events_peer PROPERTIES RUNTIME_OUTPUT_DIRECTORY "${CMAKE_BINARY_DIR}/tests")
target_link_libraries(events_peer PRIVATE via_com_std via_com_remote Threads::Threads)
viaduct_idl(TARGET events_peer IDL events/events_test.idl)

foreach(suite events weak)
    via_test(${suite}
        SOURCES test_${suite}.c events/fixture.c events/source_object.c remote/fixture.c
        IDL events/events_test.idl remote/remote_test.idl
        DEPENDS via_com_std via_com_remote
        TIMEOUT 240)
    if(TARGET test_${suite})
        add_dependencies(test_${suite} events_peer)
    endif()
    via_test_border(${suite})
endforeach()
