/*
 * The object that the tests of com/remote pass around, in the test's own process and in its helper
 * programs. `name` is what ITestName says.
 */
#ifndef TESTS_REMOTE_TEST_OBJECT_H
#define TESTS_REMOTE_TEST_OBJECT_H

#include "remote_test.h"

/* One with this name calls out when it ends. */
#define TEST_OBJECT_FAREWELL "farewell"

ITestObject *test_object_new(const char *name);
/* How many live in this process. */
long test_object_count(void);
/* How many calls have come to meet at this one, which is of this process. */
int test_object_met(ITestObject *object);

/* What via_call_current() says here and now. */
void test_object_caller(struct TestCaller *caller);
void test_caller_clear(struct TestCaller *caller);

#endif
