via_test(wire SOURCES test_wire.c DEPENDS via_core_wire)
