if(TARGET via_core_config)
    via_test(config SOURCES test_config.c DEPENDS via_core_config)
endif()
if(TARGET via_com_registry)
    via_test(registry SOURCES test_registry.c DEPENDS via_com_registry)
    # A test stops a read between two directories.
    target_link_options(test_registry PRIVATE "LINKER:--wrap=os_directory_scan")
    via_test(registry_index SOURCES test_registry_index.c DEPENDS via_com_registry)
    # Tests count the manifests that are read.
    target_link_options(test_registry_index PRIVATE "LINKER:--wrap=manifest_load")
endif()
if(TARGET viaductd)
    via_test(host_parts
        SOURCES test_host_parts.c "${CMAKE_SOURCE_DIR}/host/exits.c" "${CMAKE_SOURCE_DIR}/host/launch.c"
                "${CMAKE_SOURCE_DIR}/host/peers.c" "${CMAKE_SOURCE_DIR}/host/server.c"
                "${CMAKE_SOURCE_DIR}/host/text.c"
        DEPENDS via_com_registry via_com_remote via_core_util via_core_os)
    # A test stops the start of a process.
    target_link_options(test_host_parts PRIVATE "LINKER:--wrap=os_process_spawn")
    if(TARGET test_host_parts)
        add_dependencies(test_host_parts remote_peer)
    endif()
endif()
