# What is true of the shared library as a file: the allow-list of what it exports, for ELF and PE; its thread-local variables.
if(TARGET viaduct AND NOT VIADUCT_SANITIZE MATCHES "address|thread")
    if(WIN32)
        set(symbol_reader "${CMAKE_OBJDUMP}")
    else()
        set(symbol_reader "${CMAKE_NM}")
    endif()
    add_test(NAME exports COMMAND "${CMAKE_CURRENT_SOURCE_DIR}/check_exports"
                                  $<TARGET_FILE:viaduct> "${symbol_reader}")
    if(VIADUCT_HAS_STATIC_TLS AND NOT WIN32)
        add_test(NAME thread_locals COMMAND "${CMAKE_CURRENT_SOURCE_DIR}/check_thread_locals"
                                            $<TARGET_FILE:viaduct> "${CMAKE_READELF}")
    endif()
endif()
