# The linter must find what it is there for. It is the same everywhere, so the native build runs it.
if(NOT WIN32)
    add_test(NAME lint_selftest COMMAND "${CMAKE_CURRENT_SOURCE_DIR}/lint/selftest")
    set_tests_properties(lint_selftest PROPERTIES TIMEOUT 60)
endif()
