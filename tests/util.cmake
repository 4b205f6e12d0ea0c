via_test(util SOURCES test_util.c DEPENDS via_core_util)
