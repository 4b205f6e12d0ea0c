/* A component whose classes make test objects, one class serial, one free, and a third whose
 * objects do not answer for IUnknown, of which there can be one at a time. */
#ifndef TESTS_REMOTE_TEST_COMPONENT_H
#define TESTS_REMOTE_TEST_COMPONENT_H

#include <viaduct/component.h>

extern const CLSID test_clsid_serial;
extern const CLSID test_clsid_free;
extern const CLSID test_clsid_faceless;
extern const struct via_component test_component;

#endif
