# The allow-list of what the shared library exports, for ELF and PE.
if(TARGET viaduct AND NOT VIADUCT_SANITIZE MATCHES "address|thread")
    if(WIN32)
        set(symbol_reader "${CMAKE_OBJDUMP}")
    else()
        set(symbol_reader "${CMAKE_NM}")
    endif()
    add_test(NAME exports COMMAND "${CMAKE_CURRENT_SOURCE_DIR}/check_exports"
                                  $<TARGET_FILE:viaduct> "${symbol_reader}")
endif()
