# VARIANTs and SAFEARRAYs: the same tests run against Windows' own functions.
via_test(automation
    SOURCES test_automation.c automation/cases.c
    DEPENDS via_com_automation via_core_os)
# Fills in rows of its table of conversions.
via_program(via_test_conversions OUTPUT conversions SOURCES automation/evaluate.c automation/cases.c
    DEPENDS via_com_automation via_core_os)
set_target_properties(via_test_conversions PROPERTIES RUNTIME_OUTPUT_DIRECTORY "${CMAKE_BINARY_DIR}/tests")
