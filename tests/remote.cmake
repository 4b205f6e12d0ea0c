# Objects between processes.

if(NOT TARGET via_com_remote)
    return()
endif()

set(test_object remote/test_object.c remote/test_object_caller.c remote/test_object_handing.c)
add_executable(remote_peer remote/peer_program.c remote/serve.c remote/test_component.c ${test_object})
via_target(remote_peer)
set_target_properties(remote_peer PROPERTIES RUNTIME_OUTPUT_DIRECTORY "${CMAKE_BINARY_DIR}/tests")
target_link_libraries(remote_peer PRIVATE via_com_std via_com_remote Threads::Threads)
viaduct_idl(TARGET remote_peer IDL remote/remote_test.idl)

add_executable(sink_peer remote/sink_peer.c remote/serve.c)
via_target(sink_peer)
set_target_properties(sink_peer PROPERTIES RUNTIME_OUTPUT_DIRECTORY "${CMAKE_BINARY_DIR}/tests")
target_link_libraries(sink_peer PRIVATE via_com_remote Threads::Threads)
viaduct_idl(TARGET sink_peer IDL remote/sink_base.idl remote/sink.idl)

add_executable(late_peer remote/late_peer.c remote/late_object.c remote/serve.c)
via_target(late_peer)
set_target_properties(late_peer PROPERTIES RUNTIME_OUTPUT_DIRECTORY "${CMAKE_BINARY_DIR}/tests")
target_link_libraries(late_peer PRIVATE via_com_remote Threads::Threads)
viaduct_idl(TARGET late_peer IDL remote/late.idl)

via_test(late
    SOURCES test_late.c remote/fixture.c remote/late_scene.c
    IDL remote/remote_test.idl remote/late.idl
    DEPENDS via_com_std via_com_remote)
if(TARGET test_late)
    add_dependencies(test_late late_peer)
endif()

via_test(late_invoke
    SOURCES test_late_invoke.c remote/fixture.c remote/late_scene.c
    IDL remote/remote_test.idl remote/late.idl
    DEPENDS via_com_std via_com_remote)
if(TARGET test_late_invoke)
    add_dependencies(test_late_invoke late_peer)
endif()

via_test(script
    SOURCES test_script.c remote/engine_object.c remote/fixture.c remote/late_scene.c
    IDL remote/late.idl remote/script.idl remote/remote_test.idl
    DEPENDS via_com_std via_com_remote)
if(TARGET test_script)
    add_dependencies(test_script late_peer)
endif()

via_test(stand_in
    SOURCES test_stand_in.c remote/engine_object.c
    IDL remote/late.idl
    DEPENDS via_com_remote)

foreach(suite IN ITEMS late late_invoke)
    via_test_border(${suite})
endforeach()

via_test(late_local
    SOURCES test_late_local.c remote/fixture.c remote/late_object.c
    IDL remote/remote_test.idl remote/late.idl
    DEPENDS via_com_std via_com_remote)
if(TARGET test_late_local)
    add_dependencies(test_late_local late_peer)
endif()

via_test(table SOURCES test_table.c DEPENDS via_com_std via_com_remote)

via_test(remote
    SOURCES test_remote.c remote/fixture.c ${test_object}
    IDL remote/remote_test.idl
    DEPENDS via_com_std via_com_remote
    TIMEOUT 240)
if(TARGET test_remote)
    add_dependencies(test_remote remote_peer)
endif()

via_test_border(remote)

via_test(remote_ends
    SOURCES test_remote_ends.c remote/fixture.c ${test_object}
    IDL remote/remote_test.idl
    DEPENDS via_com_std via_com_remote
    TIMEOUT 240)
if(TARGET test_remote_ends)
    add_dependencies(test_remote_ends remote_peer)
endif()

via_test_border(remote_ends)

via_test(lifetime
    SOURCES test_lifetime.c remote/fixture.c ${test_object}
    IDL remote/remote_test.idl
    DEPENDS via_com_std via_com_remote
    TIMEOUT 240)
if(TARGET test_lifetime)
    add_dependencies(test_lifetime remote_peer)
endif()

via_test_border(lifetime)

via_test(handoff
    SOURCES test_handoff.c remote/handoff_scene.c remote/fixture.c
    IDL remote/remote_test.idl
    DEPENDS via_com_std via_com_remote
    TIMEOUT 240)
if(TARGET test_handoff)
    add_dependencies(test_handoff remote_peer)
endif()

via_test(packet
    SOURCES test_packet.c remote/fixture.c ${test_object}
    IDL remote/remote_test.idl
    DEPENDS via_com_std via_com_remote
    TIMEOUT 240)
if(TARGET test_packet)
    add_dependencies(test_packet remote_peer)
endif()

via_test(forward
    SOURCES test_forward.c remote/fixture.c ${test_object}
    IDL remote/remote_test.idl
    DEPENDS via_com_std via_com_remote
    TIMEOUT 240)
if(TARGET test_forward)
    add_dependencies(test_forward remote_peer)
endif()

via_test_border(forward ARGUMENTS hands_on_directly forwards_where_it_must)
via_test_border(handoff)

via_test(oneway
    SOURCES test_oneway.c remote/fixture.c ${test_object}
    IDL remote/remote_test.idl
    DEPENDS via_com_std via_com_remote
    TIMEOUT 240)
if(TARGET test_oneway)
    add_dependencies(test_oneway remote_peer)
endif()

via_test_border(oneway SANITIZED)

via_test(async
    SOURCES test_async.c remote/fixture.c ${test_object}
    IDL remote/remote_test.idl
    DEPENDS via_com_std via_com_remote
    TIMEOUT 240)
if(TARGET test_async)
    add_dependencies(test_async remote_peer)
endif()

via_test_border(async)

via_test(caller
    SOURCES test_caller.c remote/fixture.c ${test_object}
    IDL remote/remote_test.idl
    DEPENDS via_com_std via_com_remote)
if(TARGET test_caller)
    add_dependencies(test_caller remote_peer)
endif()
via_test_border(caller)

via_test(promise
    SOURCES test_promise.c remote/fixture.c ${test_object}
    IDL remote/remote_test.idl
    DEPENDS via_com_std via_com_remote
    TIMEOUT 240)
if(TARGET test_promise)
    add_dependencies(test_promise remote_peer)
endif()

via_test_border(promise)

via_test(component
    SOURCES test_component.c remote/fixture.c remote/test_component.c ${test_object}
    IDL remote/remote_test.idl
    DEPENDS via_com_std via_com_remote
    TIMEOUT 240)
if(TARGET test_component)
    add_dependencies(test_component remote_peer)
endif()
via_test_border(component ARGUMENTS yields_to_the_registered_one of_another_process what_a_class_object_makes)

via_test(crosswait
    SOURCES test_crosswait.c remote/fixture.c ${test_object}
    IDL remote/remote_test.idl
    DEPENDS via_com_std via_com_remote
    TIMEOUT 240)
if(TARGET test_crosswait)
    add_dependencies(test_crosswait remote_peer)
endif()

via_test_border(crosswait ARGUMENTS refuses_one_of)

via_test(callbacks
    SOURCES test_callbacks.c remote/fixture.c ${test_object}
    IDL remote/remote_test.idl
    DEPENDS via_com_std via_com_remote
    TIMEOUT 240)
if(TARGET test_callbacks)
    add_dependencies(test_callbacks remote_peer)
endif()
via_test_border(callbacks SANITIZED)

via_test(implement
    SOURCES test_implement.c remote/fixture.c
    IDL remote/remote_test.idl remote/sink_base.idl remote/sink.idl
    DEPENDS via_com_std via_com_remote)
if(TARGET test_implement)
    add_dependencies(test_implement sink_peer)
endif()
via_test_border(implement)

if(NOT WIN32)
    via_test(closures
        SOURCES test_closures_posix.c remote/fixture.c
        IDL remote/remote_test.idl remote/sink_base.idl remote/sink.idl
        DEPENDS via_com_std via_com_remote)
    if(TARGET test_closures)
        add_dependencies(test_closures sink_peer)
    endif()
endif()

via_test(remote_hostile
    SOURCES test_remote_hostile.c remote/fixture.c
    IDL remote/remote_test.idl
    DEPENDS via_com_std via_com_remote
    TIMEOUT 120)
if(TARGET test_remote_hostile)
    add_dependencies(test_remote_hostile remote_peer)
endif()
via_test_border(remote_hostile)

if(WIN32)
    via_test(remote_apartment
        SOURCES test_remote_apartment_windows.c os/apartment_windows.c remote/fixture.c ${test_object}
        IDL remote/remote_test.idl
        DEPENDS via_com_std via_com_remote)
    target_link_libraries(test_remote_apartment PRIVATE ole32 uuid)
    add_dependencies(test_remote_apartment remote_peer)
endif()
